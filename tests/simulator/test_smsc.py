"""The carrier over real sockets: binds, receipts that are never lost, bad bytes."""

import asyncio

import pytest
from tests.rooms.scenario import run
from tests.simulator.stage import Stage, sms, stage

from bocau.simulator.rules import MAGIC, OTHER, PLAIN, Answer, Form, ReceiptDue, Row, Rules
from bocau.simulator.smsc import Smsc, SmscSettings
from bocau.wire.gsm.parts import Profile, cut
from bocau.wire.smpp.codec import encode_bare
from bocau.wire.smpp.events import (
    BindMode,
    BindRefused,
    Bound,
    Closed,
    Delivered,
    PeerUnbound,
    SessionState,
    SubmitAnswered,
)
from bocau.wire.smpp.pdu import Command
from bocau.wire.smpp.receipt import ReceiptState
from bocau.wire.smpp.status import Status

_AT_ONCE = Rules(delay_seconds=0)


@pytest.mark.parametrize("mode", list(BindMode))
def test_every_way_to_bind_is_accepted(mode: BindMode) -> None:
    """Transceiver, transmitter and receiver."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.connect(mode=mode)
            assert await esme.expect(Bound) == Bound("bocau", 0x34)

    run(scenario)


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [("acme", "wrong", Status.INVALID_PASSWORD), ("acme", "", Status.INVALID_PASSWORD), ("other", "s3cret", 0x0F)],
)
def test_wrong_credentials_are_refused(system_id: str, password: str, status: int) -> None:
    """With accounts given, only they may bind (fault F24)."""

    async def scenario() -> None:
        async with stage(settings=SmscSettings(accounts={"acme": "s3cret"})) as scene:
            await scene.bind("acme", "s3cret")
            esme = await scene.connect(system_id, password)
            assert (await esme.expect(BindRefused)).status == status
            assert scene.smsc.counts.bind_refusals == 1
            assert "s3cret" not in repr(SmscSettings(accounts={"acme": "s3cret"}))

    run(scenario)


def test_binds_can_be_refused_at_will() -> None:
    """A carrier that has trouble, and has none any more."""

    async def scenario() -> None:
        async with stage() as scene:
            scene.smsc.refuse_binds(Status.SYSTEM_ERROR)
            assert (await (await scene.connect()).expect(BindRefused)).permanent is False
            scene.smsc.refuse_binds(Status.OK)
            await scene.bind()

    run(scenario)


def test_a_peer_that_does_not_bind_is_sent_away() -> None:
    """After the bind time the connection closes."""

    async def scenario() -> None:
        async with stage() as scene:
            scene.smsc.refuse_binds(Status.SYSTEM_ERROR)
            esme = await scene.connect()
            await esme.expect(BindRefused)
            await scene.until(lambda: scene.smsc.links == 1)
            scene.world.advance(11)
            await esme.closed.wait()

    run(scenario)


def test_a_silent_peer_is_asked_and_then_dropped() -> None:
    """enquire_link after 30 s; the end 10 s later (fault F22)."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            esme.deaf = True
            scene.world.advance(31)
            await scene.until(lambda: esme.missed == encode_bare(Command.ENQUIRE_LINK, 0, 1))
            scene.world.advance(11)
            await esme.closed.wait()

    run(scenario)


def test_receipts_go_to_the_receiver_of_the_same_account() -> None:
    """A transmitter hears none, and neither does somebody else's bind."""

    async def scenario() -> None:
        async with stage(_AT_ONCE) as scene:
            sender = await scene.bind(mode=BindMode.TRANSMITTER)
            receiver = await scene.bind(mode=BindMode.RECEIVER)
            stranger = await scene.bind("stranger")
            answer = await sender.answer(sms())
            assert (await receiver.receipt()).message_id == answer.message_id
            await stranger.settle()
            assert stranger.heard(Delivered) == sender.heard(Delivered) == 0

    run(scenario)


def test_receipts_are_spread_over_the_binds() -> None:
    """A receipt may come on another bind than the answer (fault F26)."""

    async def scenario() -> None:
        async with stage(_AT_ONCE) as scene:
            first, second = await scene.bind(), await scene.bind()
            for _ in range(4):
                await first.answer(sms())
                await first.settle()
            await second.settle()
            assert first.heard(Delivered) == second.heard(Delivered) == 2

    run(scenario)


def test_a_receipt_says_what_happened_and_to_whom() -> None:
    """Addresses change places; dates are the world's."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            await esme.answer(sms())
            scene.world.advance(0.31)
            message = (await esme.expect(Delivered)).message
            assert (message.source_addr, message.source_addr_ton, message.source_addr_npi) == ("84901230000", 1, 1)
            assert (message.destination_addr, message.dest_addr_ton, message.dest_addr_npi) == ("Bocau", 5, 0)
            assert message.esm_class == 0x04

    run(scenario)


async def _lose_unacknowledged(scene: Stage, count: int) -> set[str]:
    """Let receipts go out that nobody acknowledges, and cut the link; the ids they were about."""
    esme = await scene.bind()
    esme.acknowledge_with = None
    ids = {(await esme.answer(sms())).message_id for _ in range(count)}
    await esme.settle()
    assert esme.heard(Delivered) == count
    await scene.lose(esme)
    return ids


def test_receipts_not_acknowledged_come_again_on_the_next_bind() -> None:
    """What a gateway lost in a crash it gets once more, in the same order."""

    async def scenario() -> None:
        async with stage(_AT_ONCE) as scene:
            ids = await _lose_unacknowledged(scene, 5)
            assert scene.smsc.waiting == 5
            again = await scene.bind()
            assert [(await again.receipt()).message_id for _ in range(5)] == sorted(ids)
            await again.settle()
            assert again.heard(Delivered) == 0
            assert (scene.smsc.counts.acknowledged, scene.smsc.counts.repeated) == (5, 5)

    run(scenario)


def test_receipts_that_fall_due_while_nobody_is_bound_are_kept() -> None:
    """Also for another kind of bind, and after hours."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            ids = [(await esme.answer(sms())).message_id for _ in range(3)]
            await scene.lose(esme)
            scene.world.advance(7200)
            await scene.until(lambda: scene.smsc.waiting == 3)
            receiver = await scene.bind(mode=BindMode.RECEIVER)
            assert [(await receiver.receipt()).message_id for _ in range(3)] == ids

    run(scenario)


def test_a_receipt_refused_for_now_comes_again_after_a_rest() -> None:
    """The gateway's store was down: a temporary error means later."""

    async def scenario() -> None:
        async with stage(_AT_ONCE) as scene:
            esme = await scene.bind()
            esme.acknowledge_with = Status.TEMPORARY_APPLICATION_ERROR
            answer = await esme.answer(sms())
            assert (await esme.receipt()).message_id == answer.message_id
            await esme.settle()
            assert esme.heard(Delivered) == 0
            esme.acknowledge_with = Status.OK
            scene.world.advance(1.01)
            assert (await esme.receipt()).message_id == answer.message_id
            await esme.settle()
            assert scene.smsc.counts.acknowledged == 1

    run(scenario)


def test_a_receipt_refused_for_good_is_given_up() -> None:
    """It is counted, and does not come again."""

    async def scenario() -> None:
        async with stage(_AT_ONCE) as scene:
            esme = await scene.bind()
            esme.acknowledge_with = Status.INVALID_DESTINATION
            await esme.answer(sms())
            await esme.receipt()
            scene.world.advance(3600)
            await esme.settle()
            assert esme.heard(Delivered) == 0
            assert scene.smsc.counts.given_up == 1

    run(scenario)


def test_a_receipt_without_acknowledgement_comes_again_and_a_late_one_still_counts() -> None:
    """After the response time it is offered once more; the answer to the first offer settles both."""

    async def scenario() -> None:
        async with stage(_AT_ONCE) as scene:
            esme = await scene.bind()
            esme.acknowledge_with = None
            await esme.answer(sms())
            first = await esme.expect(Delivered)
            scene.world.advance(10.6)
            second = await esme.expect(Delivered)
            assert first.message == second.message
            esme.session.answer_delivered(first.sequence, Status.OK)
            esme.session.answer_delivered(second.sequence, Status.OK)
            esme.flush()
            await esme.settle()
            assert (scene.smsc.counts.acknowledged, scene.smsc.counts.repeated) == (1, 1)

    run(scenario)


def test_no_more_receipts_are_out_than_the_window_allows() -> None:
    """The rest waits for acknowledgements."""

    async def scenario() -> None:
        async with stage(_AT_ONCE, SmscSettings(window=3)) as scene:
            esme = await scene.bind()
            esme.acknowledge_with = None
            for _ in range(8):
                await esme.answer(sms())
            await esme.settle()
            assert (esme.heard(Delivered), scene.smsc.waiting) == (3, 5)
            esme.session.answer_delivered((await esme.expect(Delivered)).sequence, Status.OK)
            esme.flush()
            await esme.settle()
            assert (esme.heard(Delivered), scene.smsc.waiting) == (3, 4)

    run(scenario)


def test_a_link_that_acknowledges_nothing_is_cut() -> None:
    """With the window full of overdue receipts nothing could ever go over it; they go over the next one."""

    async def scenario() -> None:
        async with stage(_AT_ONCE, SmscSettings(window=2)) as scene:
            esme = await scene.bind()
            esme.acknowledge_with = None
            ids = [(await esme.answer(sms())).message_id for _ in range(2)]
            await esme.settle()
            scene.world.advance(10.6)
            await esme.closed.wait()
            again = await scene.bind()
            assert [(await again.receipt()).message_id for _ in range(2)] == ids

    run(scenario)


@pytest.mark.parametrize(("wish", "endings"), [(0, []), (1, ["0000", "0002"]), (2, ["0002"]), (17, ["0000", "0002"])])
def test_receipts_are_sent_only_as_asked_for(wish: int, endings: list[str]) -> None:
    """registered_delivery: none, all, failures only (SMPP 3.4, 5.2.17)."""

    async def scenario() -> None:
        async with stage(_AT_ONCE) as scene:
            esme = await scene.bind()
            for ending in ("0000", "0002"):
                await esme.answer(sms(ending, registered_delivery=wish))
            await esme.settle()
            heard = [event.message.source_addr[-4:] for event in esme.events if isinstance(event, Delivered)]
            assert heard == endings

    run(scenario)


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\x0f" + bytes(12), b"\xff" * 100])
def test_garbage_closes_the_link_and_is_counted(garbage: bytes) -> None:
    """Other links live on."""

    async def scenario() -> None:
        async with stage() as scene:
            witness = await scene.bind()
            esme = await scene.bind()
            esme.write(garbage)
            await esme.closed.wait()
            await witness.answer(sms())
            assert (scene.smsc.counts.garbage, scene.smsc.links) == (1, 1)

    run(scenario)


def test_a_peer_may_unbind() -> None:
    """It is answered, and then the connection closes; receipts wait for the next bind."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            await esme.answer(sms())
            esme.session.unbind(scene.world.monotonic())
            esme.flush()
            assert (await esme.expect(Closed)).reason == "unbound"
            await esme.closed.wait()
            scene.world.advance(0.31)
            assert (await (await scene.bind()).receipt()).state is ReceiptState.DELIVERED

    run(scenario)


def test_the_carrier_may_unbind() -> None:
    """The peer answers, and the connection ends in order (fault F23)."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            scene.smsc.unbind_links()
            await esme.expect(PeerUnbound)
            await esme.closed.wait()

    run(scenario)


def test_the_carrier_may_cut_every_connection() -> None:
    """And takes new ones at once."""

    async def scenario() -> None:
        async with stage() as scene:
            first, second = await scene.bind(), await scene.bind("other")
            scene.smsc.drop_links()
            await first.closed.wait()
            await second.closed.wait()
            await scene.bind()

    run(scenario)


def test_closing_with_time_unbinds_first() -> None:
    """A peer that answers is let go in order, and the port is free afterwards."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            await scene.smsc.close(unbind_seconds=5)
            await esme.closed.wait()
            assert esme.heard(PeerUnbound) == 1
            assert esme.session.state is SessionState.CLOSED
            with pytest.raises(OSError, match=r"Connect|refused"):
                await scene.connect()
            scene.peers.pop()

    run(scenario)


def test_closing_does_not_wait_for_a_dead_peer() -> None:
    """When the time is over its connection is cut."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            esme.deaf = True
            closing = asyncio.create_task(scene.smsc.close(unbind_seconds=5))
            await scene.until(lambda: bool(esme.missed))
            scene.world.advance(5.1)
            await closing
            await esme.closed.wait()

    run(scenario)


def test_answers_of_one_turn_leave_in_one_write() -> None:
    """A hundred submits in one segment cost the peer few reads."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            reads = esme.reads
            now = scene.world.monotonic()
            for number in range(100):
                esme.session.submit(sms(), number, now)
            esme.flush()
            for _ in range(100):
                await esme.expect(SubmitAnswered)
            assert esme.reads - reads <= 2

    run(scenario)


@pytest.mark.parametrize("profile", [Profile(), Profile(sixteen_bit=True), Profile("latin-1", False, 3)])
@pytest.mark.parametrize("text", ["Mã OTP của bạn là 123456. " * 9, "x" * 500, "one part"])
def test_a_long_message_is_shown_as_one(profile: Profile, text: str) -> None:
    """Whatever the order of its parts; the inbox has the ids of all."""

    async def scenario() -> None:
        shown: list[str] = []
        async with stage() as scene:
            scene.smsc._on_sms = lambda one: shown.append(one.text)
            esme = await scene.bind()
            ids = []
            for part in reversed(cut(text, 77, profile)):
                submit = sms(esm_class=part.esm_class, data_coding=part.data_coding, short_message=part.data)
                ids.append((await esme.answer(submit)).message_id)
            (one,) = scene.smsc.inbox
            assert (one.text, one.sender, one.phone) == (text, "Bocau", "84901230000")
            assert (one.parts, list(one.message_ids)) == (len(ids), ids[::-1])
            assert shown == [text]

    run(scenario)


def test_the_inbox_keeps_the_newest() -> None:
    """It is bounded."""

    async def scenario() -> None:
        async with stage(settings=SmscSettings(inbox_size=3)) as scene:
            esme = await scene.bind()
            for number in range(5):
                await esme.answer(sms(text=f"code {number}"))
            assert [one.text for one in scene.smsc.inbox] == ["code 2", "code 3", "code 4"]

    run(scenario)


def test_ids_are_new_again_after_a_restart() -> None:
    """A gateway remembers the ids of a carrier that was restarted."""

    async def scenario() -> None:
        async with stage() as scene:
            first = await (await scene.bind()).answer(sms())
            scene.world.advance(1)
            again = await Smsc.start(scene.world, "127.0.0.1", 0, Rules())
            assert int(first.message_id) < again._last_id
            await again.close()

    run(scenario)


def test_two_carriers_share_nothing() -> None:
    """Same accounts, same numbers, side by side."""

    async def scenario() -> None:
        async with stage(_AT_ONCE) as one, stage(_AT_ONCE) as other:
            first, second = await one.bind(), await other.bind()
            await first.answer(sms("0012"))
            assert (await second.answer(sms("0012"))).status == Status.SYSTEM_ERROR
            assert not other.smsc.inbox

    run(scenario)


def test_a_share_of_the_submits_meets_a_system_error() -> None:
    """By chance that the seed repeats."""

    async def scenario() -> None:
        async with stage(Rules(system_errors=0.3)) as scene:
            esme = await scene.bind()
            statuses = [(await esme.answer(sms())).status for _ in range(100)]
            assert set(statuses) == {Status.OK, Status.SYSTEM_ERROR}
            assert 15 < statuses.count(Status.SYSTEM_ERROR) < 45

    run(scenario)


def test_a_new_fault_is_a_new_row() -> None:
    """The table is data, and an account may have its own."""

    async def scenario() -> None:
        full = Row("queue full", (), Answer(status=Status.QUEUE_FULL))
        both = Row("both forms", (ReceiptDue(ReceiptState.REJECTED, error="9", form=Form.BOTH),))
        rules = Rules(0, table={**MAGIC, "9999": both}, accounts={"down": {OTHER: full}})
        async with stage(rules) as scene:
            up, down = await scene.bind(), await scene.bind("down")
            assert (await down.answer(sms())).status == Status.QUEUE_FULL
            await up.answer(sms("9999"))
            assert (await up.receipt()).state is ReceiptState.REJECTED

    run(scenario)


def test_under_load_everything_is_delivered_in_any_case() -> None:
    """With no magic at all, every submit gets its receipt."""

    async def scenario() -> None:
        async with stage(Rules(0, table=PLAIN)) as scene:
            esme = await scene.bind()
            for number in range(200):
                esme.submit(sms(f"{number:04}"))
            answers = {(await esme.expect(SubmitAnswered)).message_id for _ in range(200)}
            receipts = {(await esme.receipt()).message_id for _ in range(200)}
            assert answers == receipts
            assert len(answers) == 200

    run(scenario)
