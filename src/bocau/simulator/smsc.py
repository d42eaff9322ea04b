"""The simulated carrier: takes messages by its rules, shows them on telephones, sends receipts until they are taken."""

import asyncio
import hmac
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from bocau.ports import Listening, World
from bocau.simulator.handset import Handset, Sms
from bocau.simulator.journal import Journal, SubmitSeen
from bocau.simulator.link import SmscLink
from bocau.simulator.outbox import Outbox, Parcel
from bocau.simulator.receipts import News, date_stamp, write_id
from bocau.simulator.rules import THROTTLED, Act, Answer, IdStyle, Plan, Rules
from bocau.simulator.script import Script
from bocau.simulator.scripts import Scripts
from bocau.simulator.speed import Speed
from bocau.simulator.timetable import Timetable
from bocau.wire.smpp.events import BindRequested, SessionConfig
from bocau.wire.smpp.pdu import SubmitSm
from bocau.wire.smpp.pieces import decode_text, read_piece
from bocau.wire.smpp.status import Status

__all__ = ["Counts", "Smsc", "SmscSettings"]

_MINUTE_MS: Final = 60_000
_IDS_PER_MS: Final = 1000
_MOST_NUMBERS: Final = 100_000
_PULSE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SmscSettings:
    """How the carrier behaves to everybody. Times are in seconds; `math.inf` turns a time-out off."""

    accounts: Mapping[str, str] | None = None
    """system_id -> password; None lets anybody in."""
    our_id: str = "bocau"
    """The carrier's own system_id, up to 15 characters."""
    window: int = 200
    """The most receipts that may be unacknowledged on one bind."""
    response_seconds: float = 10.0
    """How long an acknowledgement is awaited before the receipt is offered again."""
    enquire_seconds: float = 30.0
    """How long a peer may be silent before it is asked for a sign of life."""
    bind_seconds: float = 10.0
    """How long a connection may stay unbound."""
    retry_seconds: float = 1.0
    """How long a receipt rests that was refused with a temporary error."""
    inbox_size: int = 1000
    """How many messages the inbox keeps."""

    def __repr__(self) -> str:
        """Without the passwords."""
        return f"SmscSettings(our_id={self.our_id!r}, window={self.window})"


@dataclass(slots=True)
class Counts:
    """What happened since the start."""

    connections: int = 0
    binds: int = 0
    bind_refusals: int = 0
    submits: int = 0
    taken: int = 0
    """Submits that were given an id."""
    shown: int = 0
    """Whole messages that reached a telephone."""
    receipts: int = 0
    """Receipts handed over, repetitions included."""
    acknowledged: int = 0
    """Receipts that the peer took."""
    repeated: int = 0
    """Receipts offered again: refused for now, not acknowledged in time, or on a link that went away."""
    given_up: int = 0
    """Receipts that the peer refused for good."""
    garbage: int = 0
    """Connections closed because their bytes were no SMPP."""


class _Account:
    """What is remembered of one system_id, bound or not."""

    __slots__ = ("_newer", "_older", "_speeds", "outbox", "system_id")

    def __init__(self, system_id: str) -> None:
        self.system_id = system_id
        self.outbox = Outbox(system_id)
        self._newer: dict[str, int] = {}
        self._older: dict[str, int] = {}
        self._speeds: dict[str, Speed] = {}

    def count_try(self, phone: str) -> int:
        """The how-manieth submit for this number it is, from 1. The 100,000 numbers used last are remembered."""
        newer = self._newer
        count = (newer.get(phone) or self._older.get(phone, 0)) + 1
        newer[phone] = count
        if len(newer) > _MOST_NUMBERS:
            self._older, self._newer = newer, {}
        return count

    def forget_tries(self) -> None:
        """Every number is new again."""
        self._newer.clear()
        self._older.clear()

    def within(self, ending: str, per_second: int, now: float) -> bool:
        """Whether one more of an ending that is limited may be taken now; it counts then."""
        speed = self._speeds.get(ending)
        if speed is None:
            speed = self._speeds[ending] = Speed()
        return speed.passes(per_second, now)


class Smsc:
    """A carrier on one port, for any number of accounts and binds. Make it with `start`; not for use by two threads.

    `inbox` holds the messages that telephones show, oldest first; `counts` is public.
    """

    def __init__(
        self, world: World, rules: Rules, settings: SmscSettings, journal: Journal | None, on_sms: Callable[[Sms], None]
    ) -> None:
        self.port = 0
        self.inbox: deque[Sms] = deque(maxlen=settings.inbox_size)
        self.counts = Counts()
        self.script: Script | Scripts | None = None
        """Faults that go before the rules; may be changed at any time."""
        self.began = world.monotonic()
        """The moment from which scripts count seconds."""
        self._world = world
        self._rules = rules
        self._settings = settings
        self._journal = journal
        self._on_sms = on_sms
        self._config = SessionConfig(
            system_id=settings.our_id,
            window=settings.window,
            response_seconds=settings.response_seconds,
            enquire_seconds=settings.enquire_seconds,
            bind_seconds=settings.bind_seconds,
        )
        self._timetable = Timetable(world)
        self._handset = Handset()
        self._accounts: dict[str, _Account] = {}
        self._links: dict[int, SmscLink] = {}
        self._no_links = asyncio.Event()
        self._no_links.set()
        self._listening: Listening | None = None
        self._closed = False
        self._pulsing = False
        self._bind_status: int = Status.OK
        # Unlike a counter from 1, ids of this kind are new again after a restart.
        self._last_id = world.now_ms() * _IDS_PER_MS
        self._working: list[SmscLink] = []
        self._flush_due = False
        self._stamp = ""
        self._stamp_minute = -1

    @classmethod
    async def start(
        cls,
        world: World,
        host: str,
        port: int,
        rules: Rules,
        *,
        settings: SmscSettings | None = None,
        journal: Journal | None = None,
        on_sms: Callable[[Sms], None] | None = None,
        script: Script | None = None,
    ) -> "Smsc":
        """Listen; port 0 picks a free one, see `port`. Raises OSError.

        `on_sms` is called with each message that a telephone shows, and must not raise. The journal is flushed, and
        stays its owner's to close.
        """
        smsc = cls(world, rules, settings or SmscSettings(), journal, on_sms or _nobody_looks)
        smsc.script = script
        smsc._listening = await world.listen(smsc._new_link, host, port)
        smsc.port = smsc._listening.port
        smsc._note("listen", port=smsc.port)
        smsc._flush()
        return smsc

    async def close(self, unbind_seconds: float = 0.0) -> None:
        """Stop: no new connections; unbind from the peers if there is time for that; cut what is left."""
        self._closed = True
        if self._listening is not None:
            await self._listening.close()
            self._listening = None
        if unbind_seconds > 0 and self._links:
            self.unbind_links()
            timed_out = asyncio.create_task(self._world.sleep(unbind_seconds))
            gone = asyncio.create_task(self._no_links.wait())
            await asyncio.wait((timed_out, gone), return_when=asyncio.FIRST_COMPLETED)
            timed_out.cancel()
            gone.cancel()
        self._timetable.close()
        self.drop_links()
        await self._no_links.wait()
        self._note("stop")
        self._flush()

    # For tests and the console

    @property
    def waiting(self) -> int:
        """Receipts that are due and not handed over, because no bind takes them."""
        return sum(len(account.outbox) for account in self._accounts.values())

    @property
    def links(self) -> int:
        """Open connections, bound or not."""
        return len(self._links)

    def forget_tries(self) -> None:
        """Begin to count the tries of every number anew: the numbers that refuse the first ones do so again."""
        for account in self._accounts.values():
            account.forget_tries()

    def refuse_binds(self, status: int) -> None:
        """Answer every bind with this command_status from now on; Status.OK ends it (fault F24)."""
        self._bind_status = status

    def unbind_links(self) -> None:
        """Ask every peer to unbind (fault F23)."""
        for link in list(self._links.values()):
            link.unbind()

    def drop_links(self) -> None:
        """Cut every connection at once (fault F19)."""
        for link in list(self._links.values()):
            link.abort("dropped")

    # Links

    def _new_link(self) -> SmscLink:
        self.counts.connections += 1
        return SmscLink(self, self._world, self._config, self.counts.connections)

    def on_open(self, link: SmscLink) -> None:
        """See link.LinkOwner."""
        self._links[link.number] = link
        self._no_links.clear()
        if self._closed:
            link.abort("closed")
        elif not self._pulsing:
            self._pulsing = True
            self._timetable.call(self._pulse_seconds(), self._pulse)

    def on_bind(self, link: SmscLink, request: BindRequested) -> None:
        """See link.LinkOwner."""
        system_id = request.bind.system_id
        status = self._bind_status or self._scripted(system_id) or self._check(system_id, request.bind.password)
        self._note("bind", link, system_id=system_id, mode=request.mode.value, status=status)
        if status:
            self.counts.bind_refusals += 1
            link.refuse(request, status)
            return
        self.counts.binds += 1
        account = self._accounts.get(system_id)
        if account is None:
            account = self._accounts[system_id] = _Account(system_id)
        account.outbox.links.append(link)
        link.accept(request, account.outbox, self._settings.our_id)

    def _scripted(self, system_id: str) -> int:
        """What the script says to a bind."""
        if self.script is None:
            return Status.OK
        return self.script.judge_bind(system_id, self._world.monotonic() - self.began, self._world.random)

    def _check(self, system_id: str, password: str) -> int:
        """The command_status for these credentials."""
        accounts = self._settings.accounts
        if accounts is None:
            return Status.OK
        wanted = accounts.get(system_id)
        if wanted is None:
            return Status.INVALID_SYSTEM_ID
        same = hmac.compare_digest(wanted.encode(), password.encode())
        return Status.OK if same else Status.INVALID_PASSWORD

    def on_unbind(self, link: SmscLink) -> None:
        """See link.LinkOwner."""
        self._note("unbind", link, system_id=link.system_id)

    def on_end(self, link: SmscLink, parcels: list[Parcel]) -> None:
        """See link.LinkOwner."""
        self.counts.garbage += link.end_reason.startswith("broken frame")
        self._note("lost", link, system_id=link.system_id, reason=link.end_reason)
        outbox = link.outbox
        if outbox is not None:
            outbox.links.remove(link)
            self.counts.repeated += outbox.unanswered(link, parcels)
        del self._links[link.number]
        if not self._links:
            self._no_links.set()
        self._flush_soon()

    # Messages

    def on_submit(self, link: SmscLink, sequence: int, submit: SubmitSm) -> None:
        """See link.LinkOwner."""
        system_id = link.system_id
        account = self._accounts[system_id]
        count = account.count_try(submit.destination_addr)
        plan = self._rules.plan(submit, system_id, count, self._world.random)
        piece = read_piece(submit)
        if self.script is not None:
            seconds = self._world.monotonic() - self.began
            plan = self.script.judge(plan, submit, system_id, piece.part, seconds, self._world.random)
        limit, ending = plan.per_second, submit.destination_addr[-4:]
        if limit and not account.within(ending, limit, self._world.monotonic()):
            plan = THROTTLED
        text = decode_text(piece.data, piece.coding)
        now_ms = self._world.now_ms()
        self.counts.submits += 1
        message_id = self._new_id() if plan.answer.taken else ""
        if self._journal is not None:
            sender, phone = submit.source_addr, submit.destination_addr
            seen = SubmitSeen(now_ms, link.number, system_id, sender, phone, piece, text, plan.answer, message_id)
            self._journal.submit(seen)
        self._answer(link, sequence, plan, message_id)
        if plan.shown:
            self._show(account, self._handset.take(submit, piece, text, message_id, now_ms))
        if plan.receipts:
            self._promise(link, account.outbox, plan, News(submit, message_id, text, self._date_stamp(now_ms)))

    def _new_id(self) -> str:
        self.counts.taken += 1
        self._last_id += 1
        return str(self._last_id)

    def _answer(self, link: SmscLink, sequence: int, plan: Plan, message_id: str) -> None:
        answer = plan.answer
        if answer.act is Act.ANSWER:
            if answer.after_seconds > 0:
                later = partial(self._answer_now, link, sequence, answer, message_id)
                self._timetable.call(answer.after_seconds, later)
            else:
                self._answer_now(link, sequence, answer, message_id)
        elif answer.act is Act.DISCONNECT:
            link.disconnect("closed instead of an answer")
        elif answer.act is Act.UNBIND:
            link.unbind()
        elif answer.act is Act.FREEZE:
            link.freeze()

    def _answer_now(self, link: SmscLink, sequence: int, answer: Answer, message_id: str) -> None:
        _, status, _, style, spoiled = answer
        written = message_id if style is IdStyle.DECIMAL or not message_id else write_id(message_id, style)
        if link.answer(sequence, status, written, spoiled):
            if self._journal is not None:
                self._note("answer", link, message_id=message_id, status=status)
            self.on_work(link)

    def _show(self, account: _Account, sms: Sms | None) -> None:
        """Put a message into the inbox, if it is whole."""
        if sms is None:
            return
        self.counts.shown += 1
        self.inbox.append(sms)
        if self._journal is not None:
            self._journal.shown(sms, account.system_id)
        self._on_sms(sms)

    # Receipts

    def _promise(self, link: SmscLink, outbox: Outbox, plan: Plan, news: News) -> None:
        """Have the receipts sent when their time comes."""
        for due in plan.receipts:
            parcel = Parcel(outbox, news, due, link)
            if due.after_seconds:
                self._timetable.call(due.after_seconds, partial(self._offer, parcel))
            else:
                self._offer(parcel)

    def _offer(self, parcel: Parcel) -> None:
        parcel.outbox.put(parcel)
        self._flush_soon()

    def on_acknowledge(self, link: SmscLink, parcel: Parcel, status: int) -> None:
        """See link.LinkOwner."""
        news = parcel.news
        if self._journal is not None:
            phone = news.submit.destination_addr
            self._note(
                "acknowledge",
                link,
                system_id=link.system_id,
                message_id=news.message_id,
                phone=phone,
                status=status,
            )
        fresh = not parcel.done
        verdict = parcel.outbox.acknowledged(link, parcel, status)
        self.counts.acknowledged += fresh and status == Status.OK
        self.counts.given_up += verdict.given_up
        if verdict.again:
            self.counts.repeated += 1
            self._timetable.call(self._settings.retry_seconds, partial(self._offer, parcel))

    def on_overdue(self, link: SmscLink, parcels: list[Parcel]) -> None:
        """See link.LinkOwner."""
        for parcel in parcels:
            self._note_parcel("overdue", link, parcel)
        self.counts.repeated += parcels[0].outbox.unanswered(link, parcels)
        if not link.free_slots:
            link.abort("receipts are not acknowledged")

    # Bytes out and time

    def on_work(self, link: SmscLink) -> None:
        """See link.LinkOwner."""
        if not link.working:
            link.working = True
            self._working.append(link)
            self._flush_soon()

    def _flush_soon(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        """Everything that this turn of the loop queued: receipts on the links, the journal, one write for each link."""
        self._flush_due = False
        for account in self._accounts.values():
            if account.outbox:
                self._pump(account.outbox)
        if self._journal is not None:
            # Before the bytes: whoever saw an answer finds its line.
            self._journal.flush()
        working, self._working = self._working, []
        for link in working:
            link.working = False
            link.flush()

    def _pump(self, outbox: Outbox) -> None:
        self.counts.receipts += outbox.pump(self._date_stamp(self._world.now_ms()))
        for parcel in outbox.sent:
            link = parcel.link
            if isinstance(link, SmscLink):
                self._note_parcel("receipt", link, parcel)
                if not link.working:
                    link.working = True
                    self._working.append(link)
        outbox.sent.clear()

    def _pulse(self) -> None:
        """Tell every link the time, twice a second."""
        for link in list(self._links.values()):
            link.tick()
        self._pulsing = bool(self._links)
        if self._pulsing:
            self._timetable.call(self._pulse_seconds(), self._pulse)

    def _pulse_seconds(self) -> float:
        settings = self._settings
        return min(
            _PULSE_SECONDS, settings.response_seconds / 4, settings.enquire_seconds / 4, settings.bind_seconds / 4
        )

    def _date_stamp(self, now_ms: int) -> str:
        """The minute as receipts write it; made once a minute."""
        minute = now_ms // _MINUTE_MS
        if minute != self._stamp_minute:
            self._stamp, self._stamp_minute = date_stamp(now_ms), minute
        return self._stamp

    def _note(self, event: str, link: SmscLink | None = None, **fields: str | int) -> None:
        if self._journal is not None:
            self._journal.note(self._world.now_ms(), event, link.number if link else None, **fields)

    def _note_parcel(self, event: str, link: SmscLink, parcel: Parcel) -> None:
        if self._journal is not None:
            news = parcel.news
            self._note(
                event,
                link,
                system_id=link.system_id,
                message_id=news.message_id,
                phone=news.submit.destination_addr,
                state=parcel.due.state.value,
                number=parcel.number,
            )


def _nobody_looks(_sms: Sms) -> None:
    pass
