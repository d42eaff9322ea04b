"""A carrier account that is called over HTTP: one call for a message, its answer, and reports to an address of ours.

What the calls look like and what answers mean is the dialect's; when they are made again, and when nobody knows what
became of one, is decided here.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, NamedTuple

from bocau.core.message import AnswerKind, AttemptKey, Known, ReceiptIn, ReceiptStored, Recourse
from bocau.core.outcome import match_key
from bocau.deliver.dialect import Dialect, News, Outgoing, Said
from bocau.deliver.hook import Hook, hook_path, read_hook
from bocau.deliver.record import Acknowledge, Recorder, Sent, TakeReceipt
from bocau.listener import TEXT, Request
from bocau.ports import HttpAnswer, HttpFailure, HttpPost, Pulse, Submission, World
from bocau.store.contract import DeliverStore, OutcomeDeadlines, Unreported
from bocau.telemetry import CarrierMeters, Log, LogEvent

__all__ = ["MOST_OPEN", "HttpCarrier", "HttpSettings"]

_AGAIN_SECONDS: Final = (1.0, 4.0)
"""Waits before a call whose end is not known is made again, where the carrier knows a repetition."""
MOST_OPEN: Final = 10_000
"""So many messages are remembered to be asked about."""
_POLLS_AT_ONCE: Final = 8
_POLL_UNTIL_SECONDS: Final = 86_400.0


class HttpSettings(NamedTuple):
    """How the account is called. Seconds are monotonic."""

    name: str
    window: int
    """Calls at once."""
    timeout_seconds: float
    callback_base: str
    """How the carrier reaches our API listener; empty: it does not, and reports only when asked."""
    poll_seconds: float
    """Time between two questions about a message that nothing was heard of; 0: it is not asked about."""
    hook_secret: bytes
    kind: str = "http"
    """For people: relay or http."""
    address: str = ""
    """For people: host and port of what is called."""

    def __repr__(self) -> str:
        """Without the secret (promises S1)."""
        return f"HttpSettings({self.name})"


class _Call:
    """One message on its way."""

    __slots__ = ("doubt", "outgoing", "sent", "tries")

    def __init__(self, sent: Sent, outgoing: Outgoing) -> None:
        self.sent = sent
        self.outgoing = outgoing
        self.tries = 0
        self.doubt = False
        """Some try may have reached the carrier."""


class _Open(NamedTuple):
    """A message that was taken and not reported on."""

    sent: Sent
    carrier_id: str
    ask_at: float
    until: float


class HttpCarrier:
    """`ports.Carrier` over HTTP calls. A message goes out whole: it has one part here."""

    def __init__(
        self,
        world: World,
        store: DeliverStore,
        receipts: TakeReceipt,
        settings: HttpSettings,
        dialect: Dialect,
        http: HttpPost,
        deadlines: OutcomeDeadlines,
        meters: CarrierMeters,
        log: Log,
        *,
        on_room: Callable[[], None],
        on_callbacks: Callable[[], None],
    ) -> None:
        self.name = settings.name
        self.window = settings.window
        self.wanted = 1
        self.pulse = Pulse()
        self.adapts = False
        self.why = ""
        """Why the last call failed; empty if it did not."""
        self.outstanding = 0
        self._world = world
        self._receipts = receipts
        self._settings = settings
        self._dialect = dialect
        self._http = http
        self._meters = meters
        self._log = log
        self._on_room = on_room
        self._recorder = Recorder(world, store, settings.name, deadlines, meters, log, on_callbacks)
        self._reserved = 0
        self._stopping = False
        self._started = False
        self._open: OrderedDict[AttemptKey, _Open] = OrderedDict()
        self._polls = 0
        self._poll_timer: asyncio.TimerHandle | None = None

    # What dispatch and the operator ask for

    @property
    def up(self) -> bool:
        """See ports.Carrier. There is no link: it counts as up until calls fail."""
        return self._started and not self._stopping

    @property
    def bound(self) -> int:
        """1 while the last call went through."""
        return int(self.up and not self.why)

    @property
    def pace_per_second(self) -> float | None:
        """See fleet.Ship. A carrier that asks for less speed rests as a whole instead (dispatch/outlet.py)."""
        return None

    @property
    def room(self) -> int:
        """Calls that may be begun now."""
        return self.window - self.outstanding - self._reserved if self.up else 0

    @property
    def idle(self) -> bool:
        """See ports.Carrier."""
        return self.up and not self.outstanding and not self._reserved

    def summary(self) -> dict[str, object]:
        """How the account stands, for a list of links."""
        return {
            "link": self.name,
            "kind": self._settings.kind,
            "address": self._settings.address,
            "state": "works" if self.bound else "down",
            "binds": "",
            "window": f"{self.outstanding} of {self.window}",
            "why": self.why,
        }

    def start(self) -> None:
        """Begin."""
        self._started = True
        if self._settings.poll_seconds:
            self._poll_later()
        self._on_room()

    async def stop(self, seconds: float) -> None:
        """Let the calls that run end, so long at most, and wait until every answer is recorded. A call that has not
        ended by then is found uncertain by the next start."""
        self._stopping = True
        if self._poll_timer is not None:
            self._poll_timer.cancel()
        until = self._world.monotonic() + seconds
        while self.outstanding and self._world.monotonic() < until:
            await self._world.sleep(0.01)
        if self.outstanding:
            self._log.warning(LogEvent.LINK_LOSE, reason="stopped before every answer came", waiting=self.outstanding)
        await self._recorder.finish()

    def reserve(self, parts: int) -> None:
        """See ports.Carrier."""
        self._reserved += parts

    def release(self, parts: int) -> None:
        """See ports.Carrier."""
        self._reserved -= parts
        self._on_room()

    def submit(self, submission: Submission) -> None:
        """See ports.Carrier."""
        self._reserved -= len(submission.parts)
        self.outstanding += 1
        self._meters.submitted += 1
        message = submission.message
        key = AttemptKey(submission.message_id, 1, submission.number)
        sent = Sent(
            key,
            submission.account_id,
            submission.total,
            submission.route_class,
            submission.phone,
            self._world.monotonic(),
            None if message is None else Known(message, self._world.now_ms()),
            submission.recourse,
        )
        hook = self._hook(Hook(key, submission.account_id, submission.phone))
        outgoing = self._dialect.outgoing(submission, _reference(key), hook)
        self._call(_Call(sent, outgoing))

    def _hook(self, hook: Hook) -> str:
        settings = self._settings
        if not settings.callback_base:
            return ""
        return settings.callback_base.rstrip("/") + hook_path(settings.hook_secret, self.name, hook)

    # Calls

    def _call(self, call: _Call) -> None:
        call.tries += 1
        url, body = call.outgoing
        try:
            self._http.post(url, body, self._settings.timeout_seconds, partial(self._answered, call))
        except ValueError as error:
            self._log.error(LogEvent.ATTEMPT_REFUSE, message_id=call.sent.key.message_id, reason=str(error))
            self._end(call, Said(AnswerKind.PERMANENT))

    def _answered(self, call: _Call, result: HttpAnswer | HttpFailure) -> None:
        if isinstance(result, HttpFailure):
            call.doubt = call.doubt or result.sent
            self._say_down(result.reason)
            self._again_or_end(call)
            return
        self._meters.answer_seconds.observe(self._world.monotonic() - call.sent.at)
        said = self._dialect.said(result)
        if said.kind is AnswerKind.UNCERTAIN:
            call.doubt = True
            self._say_down(f"HTTP status {result.status}")
            self._again_or_end(call)
            return
        self.why = ""
        if call.doubt and said.kind is not AnswerKind.TAKEN:
            # This try was refused, but an earlier one may have been taken.
            said = Said(AnswerKind.UNCERTAIN, said.status)
        self._end(call, said)

    def _again_or_end(self, call: _Call) -> None:
        """Nobody knows what became of it, or it did not even leave."""
        if call.doubt and call.outgoing.body.repeatable and call.tries <= len(_AGAIN_SECONDS) and not self._stopping:
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS[call.tries - 1], self._call, call)
            return
        self._end(call, Said(AnswerKind.UNCERTAIN if call.doubt else AnswerKind.TEMPORARY))

    def _say_down(self, reason: str) -> None:
        if not self.why:
            self._log.warning(LogEvent.LINK_LOSE, reason=reason)
        self.why = reason

    def _end(self, call: _Call, said: Said) -> None:
        sent, kind = call.sent, said.kind
        self.outstanding -= 1
        if said.throttled:
            self.pulse.throttles += 1
            self._meters.throttled += 1
        elif kind in (AnswerKind.TEMPORARY, AnswerKind.UNCERTAIN):
            self.pulse.miss()
        else:
            self.pulse.beat()
        if kind is not AnswerKind.TAKEN:
            self._log.info(LogEvent.ATTEMPT_REFUSE, message_id=sent.key.message_id, reason=f"{kind} {said.status}")
        self._recorder.record(sent, kind, said.status, said.carrier_id, match_key(_reference(sent.key)))
        if kind is AnswerKind.TAKEN:
            self._expect(sent, said.carrier_id)
        self._on_room()

    # Reports

    def hook(self, sealed: str, request: Request) -> None:
        """A call to one of our addresses: 404 for one we did not make, 200 once it is stored, 503 if it cannot be."""
        found = read_hook(self._settings.hook_secret, self.name, sealed)
        news = None if found is None else self._dialect.news(request.target.partition(b"?")[2], request.body)
        if found is None:
            request.respond(404, b"not found\n", TEXT)
            return
        if news is None:
            self._meters.strays += 1
            request.respond(400, b"not a report\n", TEXT)
            return
        self._take(found, news, lambda stored: _acknowledge(request, stored))

    def _take(self, hook: Hook, news: News, acknowledge: Acknowledge) -> None:
        """Store what the carrier says of an attempt. It has the message, so an answer that never came is made good:
        the store takes it only for an attempt that waits for one."""
        self._meters.receipts += 1
        key = hook.key
        heard = self._open.get(key)
        if heard is None:
            late = Sent(key, hook.account_id, 1, "", hook.phone, self._world.monotonic(), None, Recourse())
            self._recorder.record(late, AnswerKind.TAKEN, 0, news.carrier_id, match_key(_reference(key)))
        if news.state is not None:
            self._open.pop(key, None)
        carrier_id = news.carrier_id or ("" if heard is None else heard.carrier_id)
        self._receipts(
            ReceiptIn(
                self.name,
                carrier_id or _reference(key),
                (match_key(_reference(key)),),
                hook.phone,
                news.state,
                news.error,
                self._world.now_ms(),
                b"",
                key,
                False,
                None if heard is None else heard.sent.known,
            ),
            acknowledge,
        )

    def expect_again(self, rows: Iterable[Unreported]) -> None:
        """Take up what an earlier start, or an account of other settings, was waiting for: it will be asked about."""
        now = self._world.monotonic()
        for row in rows:
            sent = Sent(row.key, row.account_id, 1, "", row.phone, now, None, Recourse())
            self._expect(sent, row.carrier_id)

    def _expect(self, sent: Sent, carrier_id: str) -> None:
        """Remember it until it is reported on; the oldest is forgotten when there are too many."""
        now = self._world.monotonic()
        self._open[sent.key] = _Open(sent, carrier_id, now + self._settings.poll_seconds, now + _POLL_UNTIL_SECONDS)
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)

    # Questions

    def _poll_later(self) -> None:
        pause = max(0.05, min(1.0, self._settings.poll_seconds / 4))
        self._poll_timer = asyncio.get_running_loop().call_later(pause, self._poll)

    def _poll(self) -> None:
        """Ask about what nothing was heard of for a while; whoever was asked about goes to the end of the line."""
        now = self._world.monotonic()
        while self._open and self._polls < _POLLS_AT_ONCE:
            key, waiting = next(iter(self._open.items()))
            url = self._dialect.question(waiting.carrier_id) if waiting.carrier_id else ""
            if waiting.until <= now or not url:
                del self._open[key]
                continue
            if waiting.ask_at > now:
                break
            self._open[key] = waiting._replace(ask_at=now + self._settings.poll_seconds)
            self._open.move_to_end(key)
            self._polls += 1
            self._http.begin(url, _no_headers, self._settings.timeout_seconds, partial(self._polled, key, waiting))
        self._poll_later()

    def _polled(self, key: AttemptKey, waiting: _Open, result: HttpAnswer | HttpFailure) -> None:
        self._polls -= 1
        news = None if isinstance(result, HttpFailure) else self._dialect.told(result)
        if news is not None and news.state is not None and key in self._open and not self._stopping:
            self._take(Hook(key, waiting.sent.account_id, waiting.sent.phone), news, _told)


def _reference(key: AttemptKey) -> str:
    """Our id of a message at the carrier, by which reports are matched too: an answer may come without the carrier's.

    It is the same for every try, so that who has the message already says so and takes nothing twice."""
    return f"bocau-{key.message_id:x}"


def _no_headers(path: str) -> tuple[()]:
    del path
    return ()


def _told(stored: ReceiptStored | None) -> None:
    """Nobody waits for a word; what could not be stored is asked about again at the next start."""
    del stored


def _acknowledge(request: Request, stored: ReceiptStored | None) -> None:
    request.respond(*((503, b"try again\n", TEXT) if stored is None else (200, b"ok\n", TEXT)))
