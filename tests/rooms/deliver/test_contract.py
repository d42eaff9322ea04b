"""One contract for carriers of every kind: what they answer, what they report, and how they let go."""

import pytest
from tests.rooms.deliver.contract import KINDS, HttpRig, Rig, run_rig

from bocau.core.lifecycle import AttemptState
from bocau.core.message import AnswerKind, AttemptKey
from bocau.ports import HttpAnswer
from bocau.store.contract import Unreported

every_kind = pytest.mark.parametrize("kind", sorted(KINDS))


@every_kind
def test_a_message_is_taken_with_its_id(kind: str) -> None:
    """The carrier shows that it works, and its slot comes back."""

    async def scenario(rig: Rig) -> None:
        rig.submit(1)
        assert rig.account.outstanding == 1
        await rig.pass_time(1.0)
        (answer,) = rig.store.answers
        assert (answer.kind, answer.carrier_id, answer.carrier) == (AnswerKind.TAKEN, "m1", "north")
        assert answer.match_key
        assert (rig.account.room, rig.account.pulse.successes, rig.account.pulse.failures) == (4, 1, 0)

    run_rig(kind, scenario)


@every_kind
@pytest.mark.parametrize(
    ("how", "answer", "failures", "throttles"),
    [
        ("later", AnswerKind.TEMPORARY, 1, 0),
        ("throttled", AnswerKind.TEMPORARY, 0, 1),
        ("never", AnswerKind.PERMANENT, 0, 0),
    ],
)
def test_a_refusal_says_whose_fault_it_is(
    kind: str, how: str, answer: AnswerKind, failures: int, throttles: int
) -> None:
    """Not now counts against the carrier, a refusal of the message does not, and being too fast slows it down."""

    async def scenario(rig: Rig) -> None:
        rig.answers(how)
        rig.submit(1)
        await rig.pass_time(1.0)
        assert [one.kind for one in rig.store.answers] == [answer]
        pulse = rig.account.pulse
        assert (pulse.failures, pulse.throttles) == (failures, throttles)

    run_rig(kind, scenario)


@every_kind
def test_no_answer_leaves_it_uncertain(kind: str) -> None:
    """Never refused, never taken: nobody knows (P5, P6)."""

    async def scenario(rig: Rig) -> None:
        rig.answers("silence")
        rig.submit(1)
        await rig.pass_time(60.0)
        assert [one.kind for one in rig.store.answers] == [AnswerKind.UNCERTAIN]
        assert rig.account.pulse.failures >= 1

    run_rig(kind, scenario)


@every_kind
@pytest.mark.parametrize("good", [True, False])
def test_a_receipt_finds_its_message_however_late(kind: str, good: bool) -> None:
    """With the id and the receiver that the store compares."""

    async def scenario(rig: Rig) -> None:
        rig.submit(1)
        await rig.pass_time(1.0)
        await rig.pass_time(3 * 3600.0)
        rig.report(1, good=good)
        await rig.pass_time(1.0)
        (receipt,) = rig.receipts
        assert receipt.state is (AttemptState.DELIVERED if good else AttemptState.UNDELIVERED)
        assert receipt.phone == "0900000001"
        assert rig.store.answers[0].match_key in receipt.match_keys
        assert receipt.hint == rig.store.answers[0].key

    run_rig(kind, scenario)


@every_kind
def test_a_receipt_that_comes_twice_is_handed_on_twice(kind: str) -> None:
    """The store knows that the second one says nothing new."""

    async def scenario(rig: Rig) -> None:
        rig.submit(1)
        await rig.pass_time(1.0)
        for _ in range(2):
            rig.report(1)
            await rig.pass_time(1.0)
        assert [receipt.state for receipt in rig.receipts] == [AttemptState.DELIVERED] * 2
        assert all(rig.store.answers[0].match_key in receipt.match_keys for receipt in rig.receipts)

    run_rig(kind, scenario)


@every_kind
def test_a_full_window_has_no_room(kind: str) -> None:
    """What is submitted and what is reserved count alike."""

    async def scenario(rig: Rig) -> None:
        rig.answers("silence")
        rig.submit(1, 2)
        rig.account.reserve(1)
        assert rig.account.room == 1
        rig.account.reserve(1)
        assert (rig.account.room, rig.account.idle) == (0, False)
        rig.account.release(2)
        assert rig.account.room == 2
        await rig.pass_time(60.0)

    run_rig(kind, scenario)


@every_kind
def test_a_stop_waits_for_what_is_under_way(kind: str) -> None:
    """Every answer is recorded before it returns (P13)."""

    async def scenario(rig: Rig) -> None:
        rig.submit(1, 2, 3)
        await rig.account.stop(10.0)
        assert sorted(one.key.message_id for one in rig.store.answers) == [1, 2, 3]
        assert not rig.account.up

    run_rig(kind, scenario)


# Over HTTP


@pytest.mark.parametrize("kind", ["relay", "http"])
def test_a_call_whose_end_is_not_known_is_made_again_with_the_same_reference(kind: str) -> None:
    """The carrier takes a reference once, so that the second answer settles it."""

    async def scenario(rig: HttpRig) -> None:
        rig.answers("broken")
        rig.submit(1)
        await rig.pass_time(0.5)
        rig.answers("taken")
        await rig.pass_time(5.0)
        assert rig.seen == 2
        assert rig.http.posts[0] == rig.http.posts[1]
        assert [one.kind for one in rig.store.answers] == [AnswerKind.TAKEN]

    run_rig(kind, scenario)


def test_a_relay_that_knows_the_request_has_taken_it() -> None:
    """124: an earlier try arrived; its report is matched by our own id."""

    async def scenario(rig: HttpRig) -> None:
        rig.answers("known")
        rig.submit(1)
        await rig.pass_time(1.0)
        (answer,) = rig.store.answers
        assert (answer.kind, answer.carrier_id) == (AnswerKind.TAKEN, "")
        rig.report(1)
        await rig.pass_time(1.0)
        assert answer.match_key in rig.receipts[0].match_keys

    run_rig("relay", scenario)


@pytest.mark.parametrize("kind", ["relay", "http"])
def test_a_refusal_after_a_try_in_doubt_settles_nothing(kind: str) -> None:
    """The refusal is of the second call; the first one may have been taken."""

    async def scenario(rig: HttpRig) -> None:
        rig.answers("broken")
        rig.submit(1)
        await rig.pass_time(0.5)
        rig.answers("never")
        await rig.pass_time(10.0)
        assert [one.kind for one in rig.store.answers] == [AnswerKind.UNCERTAIN]

    run_rig(kind, scenario)


@pytest.mark.parametrize("kind", ["relay", "http"])
def test_a_report_of_what_was_never_answered_makes_the_answer_good(kind: str) -> None:
    """It names the attempt, so the carrier has it: first taken, then reported."""

    async def scenario(rig: HttpRig) -> None:
        rig.answers("silence")
        rig.submit(1)
        await rig.pass_time(60.0)
        rig.report(1)
        await rig.pass_time(1.0)
        assert [one.kind for one in rig.store.answers] == [AnswerKind.UNCERTAIN, AnswerKind.TAKEN]
        late = rig.store.answers[1]
        assert (late.key, late.account_id) == (rig.store.answers[0].key, 1)
        assert late.match_key in rig.receipts[0].match_keys
        assert rig.replies == [200]

    run_rig(kind, scenario)


@pytest.mark.parametrize("kind", ["relay", "http"])
def test_an_address_that_we_did_not_make_is_not_found(kind: str) -> None:
    """Nobody can report on a message by guessing, or with another one's address changed."""

    async def scenario(rig: HttpRig) -> None:
        rig.submit(1)
        await rig.pass_time(1.0)
        good = rig.hooks["0900000001"].rpartition("/")[2]
        for sealed in ("", "x", good[:-1], good[:-3] + "AAA", "B" + good[1:], good + "AAAA", "\xff"):
            rig.account.hook(sealed, rig.request(f"/carrier/north/{sealed}?SendStatus=5&SendSuccess=1"))
        rig.account.hook(good, rig.request(f"/carrier/north/{good}"))
        assert rig.replies == [404] * 7 + [400]
        assert not rig.receipts

    run_rig(kind, scenario)


def test_a_report_that_cannot_be_stored_is_to_come_again() -> None:
    """503: the carrier keeps it."""

    async def scenario(rig: HttpRig) -> None:
        rig.submit(1)
        await rig.pass_time(1.0)
        rig.store.faults = 1
        rig.report(1)
        await rig.pass_time(1.0)
        assert rig.replies == [503]

    run_rig("relay", scenario)


def test_a_relay_is_asked_about_what_it_does_not_report() -> None:
    """Every half minute here, until it says how the message ended."""

    async def scenario(rig: HttpRig) -> None:
        rig.status_answer = _status(7, 0)
        rig.submit(1)
        await rig.pass_time(100.0)
        assert len(rig.http.gets) == 3
        assert rig.http.gets[0].startswith("https://rest.example/MainService.svc/json/GetSendStatus?RefId=m1&")
        assert not rig.receipts
        rig.status_answer = _status(5, 1)
        await rig.pass_time(100.0)
        assert len(rig.http.gets) == 4
        assert [receipt.state for receipt in rig.receipts] == [AttemptState.DELIVERED]

    run_rig("relay", scenario)


def test_a_relay_is_asked_about_what_an_earlier_start_handed_over() -> None:
    """Its own callback may have come while we were down."""

    async def scenario(rig: HttpRig) -> None:
        rig.status_answer = _status(5, 1)
        key = AttemptKey(7, 1, 2)
        rig.account.expect_again([Unreported(key, 3, "0901234567", "m7")])
        await rig.pass_time(100.0)
        assert [("RefId=m7&" in url) for url in rig.http.gets] == [True]
        assert [(one.hint, one.phone, one.state) for one in rig.receipts] == [
            (key, "0901234567", AttemptState.DELIVERED)
        ]

    run_rig("relay", scenario)


def _status(send_status: int, success: int) -> HttpAnswer:
    body = f'{{"CodeResponse":"100","SMSID":"m1","SendStatus":{send_status},"SendSuccess":{success},"SendFailed":0}}'
    return HttpAnswer(200, body.encode(), "")
