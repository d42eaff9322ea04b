"""Telling the customer: what a try means for the next one, and the room that makes the tries, in virtual time."""

import asyncio
import base64
import hashlib
import hmac
import io
import random
import selectors
from collections.abc import Callable, Coroutine, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bocau.core.call import CallTold
from bocau.core.lifecycle import State
from bocau.core.message import CallbackDue, CallbackTry, Due, RegistrationDue, Summary
from bocau.ports import ActRefused, HttpAnswer, HttpFailure
from bocau.report.callbacks import CallbackPolicy, Callbacks, judge, url_of
from bocau.report.desk import CallbackDesk
from bocau.store.contract import Done, StoreFault
from bocau.telemetry import Lines, ReportMeters, make_log
from bocau.world import RealWorld

START_MS = 1_767_225_600_000
WAITS = (0, 30, 60, 300, 900)
POLICY = CallbackPolicy(WAITS, 0, 10.0, 4, 100, (b"new key", b"old key"))
OK = HttpAnswer(200, b"ok", "")
BUSY = HttpAnswer(503, b"busy", "120")
SUMMARY = Summary("6b1f0f3f9a7d4b0fb1a7b0c4f2d9e811042", State.DELIVERED, 1, 1, 1, 0, 8_500_000)
HOUR = 3600.0

Headers = Callable[[str], Sequence[tuple[str, str]]]
Told = Callable[[HttpAnswer | HttpFailure], None]


def due(number: int = 1, tries: int = 0, url: str = "https://shop.example/hook?shop=9") -> CallbackDue:
    """The duty to tell of one delivered message."""
    return CallbackDue(number, 7, url, f"r-{number}", 2, 2, "0901234567", SUMMARY, tries, START_MS)


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop that never waits: where it would, its clock jumps to the next timer."""

    def __init__(self) -> None:
        self.seconds = 0.0
        super().__init__(SkippingSelector(self))

    def time(self) -> float:
        """The jumping clock."""
        return self.seconds


class SkippingSelector(selectors.DefaultSelector):
    """Moves the clock of its loop instead of waiting."""

    def __init__(self, loop: SkippingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now."""
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "nothing will ever happen"
            self._loop.seconds += timeout
        return ready


class LoopWorld(RealWorld):
    """Time as the loop has it; the wall clock begins with 2026."""

    def __init__(self) -> None:
        super().__init__()
        self.random = random.Random(7)
        self._loop = asyncio.get_running_loop()

    def now_ms(self) -> int:
        """Of the loop."""
        return START_MS + round(self._loop.time() * 1000)

    def monotonic(self) -> float:
        """Of the loop."""
        return self._loop.time()


class Shop:
    """A customer's host behind `ports.HttpGet`: says what its script says, one word a GET, the last one for ever."""

    def __init__(self, *words: HttpAnswer | HttpFailure | None, seconds: float = 0.2) -> None:
        self.words = list(words)
        """None is silence."""
        self.seconds = seconds
        self.called: list[tuple[float, str, dict[str, str]]] = []
        """When, which path and query, which headers."""
        self.open = self.most = 0

    def begin(self, url: str, headers: Headers, seconds: float, done: Told) -> None:
        """Answer after the host's own time."""
        assert seconds == POLICY.timeout_seconds
        loop = asyncio.get_running_loop()
        sent = url.removeprefix("https://shop.example")
        self.called.append((loop.time(), sent, dict(headers(sent))))
        self.open += 1
        self.most = max(self.most, self.open)
        word = self.words.pop(0) if len(self.words) > 1 else self.words[0]
        if word is not None:
            loop.call_later(self.seconds, self._say, done, word)

    def _say(self, done: Told, word: HttpAnswer | HttpFailure) -> None:
        self.open -= 1
        done(word)


class Shelf:
    """The part of a store that callbacks need, in memory."""

    def __init__(self, *waiting: Due) -> None:
        self.waiting = {row.id: row for row in waiting}
        self.held: dict[int, Due] = {}
        self.tries: list[CallbackTry] = []
        self.faults = 0
        """How many of the next records fail."""
        self.broken: Exception | None = None
        """What the next record raises."""

    async def claim_callbacks(self, now_ms: int, limit: int) -> list[Due]:
        """Those that are due, oldest first."""
        found = sorted((row for row in self.waiting.values() if row.due_ms <= now_ms), key=lambda row: row.due_ms)
        for row in found[:limit]:
            self.held[row.id] = self.waiting.pop(row.id)
        return found[:limit]

    def tried(self, attempt: CallbackTry, done: Done[None]) -> None:
        """Keep the try; the callback comes back when it is due again."""
        if self.broken is not None:
            error, self.broken = self.broken, None
            raise error
        result = None
        if self.faults:
            self.faults -= 1
            result = StoreFault("disk full")
        else:
            self.tries.append(attempt)
            row = self.held.pop(attempt.callback_id, None)
            if row is not None and attempt.again_ms is not None:
                self.waiting[row.id] = replace(row, tries=attempt.number, due_ms=attempt.again_ms)
        asyncio.get_running_loop().call_soon(done, result)


class Stage:
    """The room with its surroundings."""

    def __init__(self, shop: Shop, shelf: Shelf, policy: CallbackPolicy = POLICY) -> None:
        self.shop = shop
        self.shelf = shelf
        self.lines = io.StringIO()
        self.meters = ReportMeters()
        world = LoopWorld()
        log = make_log(Lines(self.lines), world.now_ms)
        self.room = Callbacks(world, shelf, shop, policy, self.meters, log)

    async def pass_time(self, seconds: float = HOUR) -> None:
        """Let the room work for so long, and stop it."""
        self.room.loop.start()
        await asyncio.sleep(seconds)
        await self.room.stop()

    def counted(self) -> tuple[int, int, int]:
        """Tries by verdict: done, waiting, given up."""
        return self.meters.callbacks["done"], self.meters.callbacks["waiting"], self.meters.callbacks["given_up"]


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario in virtual time."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        runner.run(scenario())


@pytest.mark.parametrize(
    ("status", "tries", "verdict", "wait_seconds"),
    [
        (200, 0, "done", None),
        (204, 0, "done", None),
        (299, 4, "done", None),
        (0, 0, "waiting", 30),
        (199, 0, "waiting", 30),
        (301, 0, "waiting", 30),
        (404, 1, "waiting", 60),
        (429, 2, "waiting", 300),
        (503, 3, "waiting", 900),
        (503, 4, "given_up", None),
        (0, 4, "given_up", None),
        (410, 0, "given_up", None),
        (410, 4, "given_up", None),
    ],
)
def test_a_try_is_judged_by_its_status_and_number(
    status: int, tries: int, verdict: str, wait_seconds: int | None
) -> None:
    """Any 2xx ends it, 410 and the fifth failure give up, everything else waits for the next date of the policy."""
    again_ms = None if wait_seconds is None else START_MS + wait_seconds * 1000
    assert judge(tries, status, START_MS, POLICY, 0.9) == (verdict, again_ms)


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 3), st.integers(0, 100))
def test_a_date_strays_no_further_than_its_jitter(chance: float, tries: int, percent: int) -> None:
    """So that callbacks which failed together do not all come back together."""
    _, again_ms = judge(tries, 500, START_MS, POLICY._replace(jitter_percent=percent), chance)
    assert again_ms is not None
    nominal_ms = WAITS[tries + 1] * 1000
    assert abs(again_ms - START_MS - nominal_ms) <= nominal_ms * percent / 100 + 1


def test_the_url_tells_the_summary() -> None:
    """The customer's own query first, then ours."""
    summary = SUMMARY._replace(state=State.FAILED, succeeded=0, failed=1, price=0)
    parts = urlsplit(url_of(replace(due(), summary=summary), POLICY))
    told = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "shop.example", "/hook")
    assert told["shop"] == ["9"]
    assert told["SMSID"] == [SUMMARY.smsid]
    assert (told["SendStatus"], told["SendSuccess"], told["SendFailed"]) == (["5"], ["0"], ["1"])
    assert (told["TotalPrice"], told["RequestId"], told["phonenumber"]) == (["0.0000"], ["r-1"], ["0901234567"])


@pytest.mark.parametrize(
    ("shape", "asked", "called"),
    [("asked", True, True), ("asked", False, False), ("voice", False, True), ("sms", True, False)],
)
def test_a_call_is_told_in_the_shape_of_calls_where_it_was_asked_for_as_one(
    shape: str, asked: bool, called: bool
) -> None:
    """VoiceOTP and its like have a callback of their own in the documents, SmsType 8 has that of a send; the operator
    may say otherwise."""
    call = CallTold(asked, "NO ANSWER", 0, "", "02812345678")
    policy = POLICY._replace(call_shape=shape)
    told = parse_qs(urlsplit(url_of(replace(due(), sms_type=8, call=call), policy)).query, keep_blank_values=True)
    assert ("CallStatus" in told, "TypeId" in told) == (called, not called)
    assert told["shop"] == ["9"]


@pytest.mark.parametrize(
    ("status", "plain", "said"),
    [
        ("ANSWERED", False, "ANSWERED"),
        ("NO ANSWER", False, "NO ANSWER"),
        ("BUSY", False, "NO ANSWER"),
        ("FAILED", False, ""),
        ("LOST", False, ""),
        ("BUSY", True, "BUSY"),
        ("FAILED", True, "FAILED"),
        ("", False, ""),
    ],
)
def test_the_status_of_a_call_is_one_of_the_documents(status: str, plain: bool, said: str) -> None:
    """With its space, unlike the answer to GetSendStatus; all four only where the operator says so."""
    policy = POLICY._replace(plain_call_status=plain)
    url = url_of(replace(due(), sms_type=8, call=CallTold(True, status, 0, "", "")), policy)
    assert parse_qs(urlsplit(url).query, keep_blank_values=True)["CallStatus"] == [said]


def test_the_shape_of_calls_knows_no_rejected_message() -> None:
    """Its SendStatus is 2, 5 or 7 in the documents."""
    summary = SUMMARY._replace(state=State.REJECTED, succeeded=0, failed=1, price=0)
    url = url_of(replace(due(), sms_type=8, summary=summary, call=CallTold(True, "", 0, "", "")), POLICY)
    assert url.endswith("SentResult=0&CID=&SendStatus=5")


def test_a_decision_on_a_template_is_told_by_the_same_room() -> None:
    """Its own parameters behind the customer's query; signed, tried again and recorded like an outcome."""
    decision = RegistrationDue(-52353, 7, "https://shop.example/hook?shop=9", 52353, True, "BO CAU", 0, START_MS)
    told = url_of(decision, POLICY)
    assert told == "https://shop.example/hook?shop=9&ServicePreviewId=52353&Status=2&Brandname=BO%20CAU"
    assert "&Status=0&" in url_of(replace(decision, approved=False), POLICY)

    async def scenario() -> None:
        stage = Stage(Shop(BUSY, OK), Shelf(decision))
        await stage.pass_time()
        assert [headers["webhook-id"] for _, _, headers in stage.shop.called] == ["template-52353"] * 2
        assert [(tried.callback_id, tried.verdict) for tried in stage.shelf.tries] == [
            (-52353, "waiting"),
            (-52353, "done"),
        ]

    run(scenario)


def test_a_callback_is_told_once_and_recorded() -> None:
    """The try has its moment, its duration, its answer; the meters count it."""

    async def scenario() -> None:
        stage = Stage(Shop(OK, seconds=0.25), Shelf(due()))
        await stage.pass_time()
        assert len(stage.shop.called) == 1
        assert stage.shelf.tries == [CallbackTry(1, 7, 1, START_MS, 250, 200, "ok", "done", None)]
        assert stage.counted() == (1, 0, 0)
        assert stage.meters.callback_seconds.total_seconds == 0.25
        assert stage.lines.getvalue() == ""

    run(scenario)


def test_a_callback_of_a_possible_duplicate_says_so_in_a_header() -> None:
    """Signed or not; the query stays what the API says (promises 4.1)."""

    async def scenario() -> None:
        for secrets in (POLICY.secrets, ()):
            twice = replace(due(), summary=SUMMARY._replace(repeated=1))
            stage = Stage(Shop(OK), Shelf(twice), POLICY._replace(secrets=secrets))
            await stage.pass_time()
            ((_, sent, headers),) = stage.shop.called
            assert headers["X-Bocau-Possible-Duplicate"] == "1"
            assert f"https://shop.example{sent}" == url_of(due(), POLICY)

    run(scenario)


def test_a_callback_is_signed_with_every_key() -> None:
    """Over id, time in seconds and the path and query as sent; the newest key first."""

    async def scenario() -> None:
        stage = Stage(Shop(OK), Shelf(due()))
        await stage.pass_time()
        ((_, sent, headers),) = stage.shop.called
        signed = f"{SUMMARY.smsid}.{START_MS // 1000}.{sent}".encode()
        macs = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in POLICY.secrets]
        assert headers == {
            "webhook-id": SUMMARY.smsid,
            "webhook-timestamp": str(START_MS // 1000),
            "webhook-signature": f"v1,{macs[0]} v1,{macs[1]}",
        }

    run(scenario)


def test_without_a_key_nothing_is_signed() -> None:
    """And nothing pretends to be a signature."""

    async def scenario() -> None:
        stage = Stage(Shop(OK), Shelf(due()), POLICY._replace(secrets=()))
        await stage.pass_time()
        assert [headers for _, _, headers in stage.shop.called] == [{}]

    run(scenario)


def test_a_busy_host_is_tried_at_the_dates_of_the_policy_and_then_given_up() -> None:
    """Five tries; each wait counts from the end of the try before, and a claim comes within a poll of its date."""

    async def scenario() -> None:
        stage = Stage(Shop(BUSY), Shelf(due()))
        await stage.pass_time()
        moments = [moment for moment, _, _ in stage.shop.called]
        gaps = [later - earlier for earlier, later in pairwise(moments)]
        assert moments[0] == 0
        assert all(0 <= gap - wait - stage.shop.seconds <= 0.51 for gap, wait in zip(gaps, WAITS[1:], strict=True))
        assert [attempt.number for attempt in stage.shelf.tries] == [1, 2, 3, 4, 5]
        assert [attempt.verdict for attempt in stage.shelf.tries] == ["waiting"] * 4 + ["given_up"]
        assert stage.shelf.waiting == {}
        assert stage.counted() == (0, 4, 1)
        assert stage.lines.getvalue().count("callback.postpone") == 4
        assert stage.lines.getvalue().count("callback.give_up") == 1

    run(scenario)


def test_a_host_that_recovers_is_told() -> None:
    """With the same query and the same event id as before."""

    async def scenario() -> None:
        stage = Stage(Shop(BUSY, HttpFailure("connection refused"), OK), Shelf(due()))
        await stage.pass_time()
        assert [(t.http_status, t.answer) for t in stage.shelf.tries] == [
            (503, "busy"),
            (0, "connection refused"),
            (200, "ok"),
        ]
        assert len({(sent, headers["webhook-id"]) for _, sent, headers in stage.shop.called}) == 1
        assert stage.counted() == (1, 2, 0)

    run(scenario)


def test_a_host_that_says_gone_is_not_called_again() -> None:
    """410 is the customer's own wish."""

    async def scenario() -> None:
        stage = Stage(Shop(HttpAnswer(410, b"", "")), Shelf(due()))
        await stage.pass_time()
        assert len(stage.shop.called) == 1
        assert stage.counted() == (0, 0, 1)

    run(scenario)


def test_a_refused_target_is_recorded_with_its_reason() -> None:
    """The customer reads why; a name may lead elsewhere at the next try."""

    async def scenario() -> None:
        stage = Stage(Shop(HttpFailure("address not allowed: loopback", refused=True), OK), Shelf(due()))
        await stage.pass_time()
        first, second = stage.shelf.tries
        assert (first.http_status, first.answer, first.verdict) == (0, "address not allowed: loopback", "waiting")
        assert second.verdict == "done"

    run(scenario)


def test_a_long_or_odd_answer_is_shown_short_and_as_text() -> None:
    """Two hundred bytes at most, whatever they are."""

    async def scenario() -> None:
        stage = Stage(Shop(HttpAnswer(200, b"\xff" + b"x" * 4000, "")), Shelf(due()))
        await stage.pass_time()
        assert stage.shelf.tries[0].answer == "\ufffd" + "x" * 199

    run(scenario)


def test_a_record_that_the_store_refuses_is_offered_until_it_is_taken() -> None:
    """The host is not called again for it, and no other callback waits."""

    async def scenario() -> None:
        stage = Stage(Shop(OK), Shelf(due(1), due(2)))
        stage.shelf.faults = 3
        await stage.pass_time()
        assert len(stage.shop.called) == 2
        assert sorted(attempt.callback_id for attempt in stage.shelf.tries) == [1, 2]
        assert stage.lines.getvalue().count("store.fail") == 3
        assert stage.counted() == (2, 0, 0)

    run(scenario)


def test_a_stored_callback_that_makes_no_url_is_given_up_at_once() -> None:
    """It would never be told, so it must not stay in hand, nor come back at every start; the others are told."""

    async def scenario() -> None:
        rows = [due(1, url="no url"), due(2, tries=3, url="ftp://shop.example"), due(3)]
        stage = Stage(Shop(OK), Shelf(*rows), POLICY._replace(in_flight=1))
        await stage.pass_time()
        told = [(one.callback_id, one.number, one.verdict, one.again_ms, one.answer) for one in stage.shelf.tries]
        assert sorted(told) == [
            (1, 1, "given_up", None, "never called: not a callback target"),
            (2, 4, "given_up", None, "never called: not a callback target"),
            (3, 1, "done", None, "ok"),
        ]
        assert stage.counted() == (1, 0, 2)
        assert stage.lines.getvalue().count('"event":"callback.give_up"') == 2
        assert stage.room.in_flight == 0
        assert stage.room.lane.room == POLICY.waiting

    run(scenario)


def test_a_fault_of_ours_costs_one_callback_and_no_place() -> None:
    """A store that raises is reported, and all the others are told."""

    async def scenario() -> None:
        stage = Stage(Shop(OK), Shelf(*[due(number) for number in range(2, 9)]), POLICY._replace(in_flight=1))
        stage.shelf.broken = RuntimeError("a bug")
        await stage.pass_time()
        assert [attempt.callback_id for attempt in stage.shelf.tries] == [3, 4, 5, 6, 7, 8]
        assert stage.lines.getvalue().count('"event":"gateway.fault"') == 1
        assert stage.room.in_flight == 0
        assert stage.room.lane.room == POLICY.waiting

    run(scenario)


def test_no_more_than_the_agreed_number_go_on_at_once() -> None:
    """The others wait in memory, and beyond `waiting` in the store, and all are told in the end."""

    async def scenario() -> None:
        stage = Stage(Shop(OK), Shelf(*[due(number) for number in range(30)]), POLICY._replace(in_flight=3, waiting=10))
        stage.room.loop.start()
        await asyncio.sleep(0.1)
        assert (stage.room.in_flight, len(stage.room.lane), len(stage.shelf.waiting)) == (3, 7, 20)
        await stage.pass_time()
        assert stage.shop.most == 3
        assert sorted(attempt.callback_id for attempt in stage.shelf.tries) == list(range(30))

    run(scenario)


def test_a_lane_that_was_full_opens_again_when_the_store_is_caught_up() -> None:
    """Until then nothing new comes in from the side and overtakes what waits in the store."""

    async def scenario() -> None:
        stage = Stage(Shop(OK), Shelf(*[due(number) for number in range(5)]), POLICY._replace(in_flight=1, waiting=4))
        lane = stage.room.lane
        assert not lane.reserve(5)
        assert not lane.reserve(1)
        stage.room.loop.start()
        await asyncio.sleep(0.1)
        assert not lane.reserve(1)
        await asyncio.sleep(2)
        assert lane.reserve(1)
        lane.fill(due(9))
        await stage.pass_time(1)
        assert [attempt.callback_id for attempt in stage.shelf.tries] == [0, 1, 2, 3, 4, 9]
        assert lane.room == 4

    run(scenario)


def test_what_is_handed_over_is_told_without_a_claim() -> None:
    """At once, while the loop sleeps."""

    async def scenario() -> None:
        stage = Stage(Shop(OK), Shelf())
        assert stage.room.lane.reserve(1)
        stage.room.lane.fill(due())
        assert stage.room.in_flight == 1
        await asyncio.sleep(1)
        assert stage.counted() == (1, 0, 0)
        assert stage.room.in_flight == 0

    run(scenario)


def test_stopping_waits_for_what_goes_on_and_begins_nothing() -> None:
    """What waits in memory is due again at the next start."""

    async def scenario() -> None:
        stage = Stage(Shop(OK, seconds=5.0), Shelf(*[due(number) for number in range(6)]), POLICY._replace(in_flight=2))
        await stage.pass_time(0.1)
        assert asyncio.get_running_loop().time() == pytest.approx(5.0)
        assert [attempt.callback_id for attempt in stage.shelf.tries] == [0, 1]
        assert (stage.room.in_flight, len(stage.room.lane), len(stage.shelf.held)) == (0, 4, 4)
        await asyncio.sleep(HOUR)
        assert len(stage.shop.called) == 2

    run(scenario)


def test_stopping_does_not_wait_for_ever() -> None:
    """A second longer than a try may last."""

    async def scenario() -> None:
        stage = Stage(Shop(None), Shelf(due()))
        await stage.pass_time(1.0)
        assert asyncio.get_running_loop().time() == pytest.approx(12.0)
        assert stage.room.in_flight == 1

    run(scenario)


def test_stopping_an_idle_room_takes_no_time() -> None:
    """Nothing goes on, nothing is waited for."""

    async def scenario() -> None:
        stage = Stage(Shop(OK), Shelf())
        await stage.pass_time(1.0)
        assert asyncio.get_running_loop().time() == pytest.approx(1.0)

    run(scenario)


class AgainShelf:
    """What the store says of a wish to call again."""

    def __init__(self, says: bool | None) -> None:
        self.says = says

    async def call_again(self, smsid: str, now_ms: int, actor: str = "") -> bool | None:
        """As scripted."""
        return self.says


def test_an_operator_has_a_customer_called_again() -> None:
    """Those who call are woken; what cannot be is refused in words."""

    async def scenario() -> None:
        woken: list[bool] = []
        shelf = AgainShelf(True)
        desk = CallbackDesk(LoopWorld(), shelf, Shop(OK), POLICY, lambda: woken.append(True))
        assert await desk.acts["callback/resend"].run({"smsid": " AB "}) == {"smsid": "ab", "due": True}
        assert woken == [True]
        for says, words in ((None, "no request"), (False, "just now")):
            shelf.says = says
            with pytest.raises(ActRefused, match=words):
                await desk.acts["callback/resend"].run({"smsid": "ab"})
        assert woken == [True]

    run(scenario)


def test_an_address_is_tried_as_a_customers_host_is_called() -> None:
    """With the query of a delivered message and a signature; the answer comes back, and so does why there is none."""

    async def scenario() -> None:
        shop = Shop(BUSY, HttpFailure("refused by the guard"))
        desk = CallbackDesk(LoopWorld(), AgainShelf(None), shop, POLICY, lambda: None)
        sample = desk.acts["callback/sample"].run
        said = await sample({"url": "https://shop.example/hook?a=1"})
        assert isinstance(said, dict)
        assert (said["status"], said["answer"], said["milliseconds"]) == (503, "busy", 200)
        ((_, sent, headers),) = shop.called
        assert sent.startswith("/hook?a=1&SMSID=0000")
        assert "SendStatus=5" in sent
        assert "webhook-signature" in headers
        said = await sample({"url": "https://shop.example/hook"})
        assert isinstance(said, dict)
        assert (said["status"], said["answer"]) == (0, "refused by the guard")
        for url in ("", "ftp://shop.example/", "https://a@shop.example/", "nonsense"):
            with pytest.raises(ActRefused, match="no address"):
                await sample({"url": url})

    run(scenario)
