"""RoomStore: every room's contract, on whatever engine."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeVar

from bocau.core.call import CallRecord, Manner, Playing, Rung, unpack_ladder
from bocau.core.directory import (
    AccountRow,
    BlockedRow,
    BrandnameRow,
    CallTemplateRow,
    DirectoryRows,
    KeyRow,
    NetworkRow,
    PriceRow,
    RecordingRow,
    TemplateRow,
)
from bocau.core.ids import first_id_at, head_of
from bocau.core.keeping import Keeping
from bocau.core.learned import Learning
from bocau.core.lifecycle import Event, State
from bocau.core.limits import LimitRow
from bocau.core.message import (
    Admission,
    Answer,
    AttemptKey,
    CallbackTry,
    CodeTry,
    Due,
    Duplicate,
    InboundIn,
    InboundTry,
    InboundWhole,
    Intent,
    Past,
    ReceiptIn,
    ReceiptStored,
    ReceiverRow,
    SentPage,
    SentRange,
    Summary,
)
from bocau.core.registration import Registration
from bocau.store.contract import (
    AdmitResult,
    Claimed,
    Done,
    Forgettable,
    Forgotten,
    Found,
    InboundLine,
    Recorded,
    Rematched,
    Search,
    Story,
    StoryLine,
    Sweep,
    Traffic,
    Turn,
    Turned,
    Unreported,
    Waking,
)
from bocau.store.gathering import Gathering, Kind
from bocau.store.queries import Queries
from bocau.store.rooms.administering import changed_one
from bocau.store.rooms.admitting import Admitting, find_duplicate, read_summary
from bocau.store.rooms.answering import CodeChecking, read_receivers, read_sent
from bocau.store.rooms.calling import Calling
from bocau.store.rooms.dispatching import Dispatching
from bocau.store.rooms.finishing import Finishing
from bocau.store.rooms.forgetting import Forgetting, read_forgettable
from bocau.store.rooms.inbound import Inbound, read_whole
from bocau.store.rooms.receiving import Receiving
from bocau.store.rooms.recording import Recording
from bocau.store.rooms.registering import ask, decide
from bocau.store.rooms.rematching import Rematching
from bocau.store.rooms.scheduling import Scheduling, Start
from bocau.store.rooms.searching import find_identified, find_messages
from bocau.store.rooms.telling import pass_time, read_message, read_messages, read_newest, read_story, retire
from bocau.store.rooms.visiting import Visiting
from bocau.store.work import Reading, Work

__all__ = ["RoomStore"]

T = TypeVar("T")

_NO_ID_YET: Final = 1 << 62
_CANCEL_STEP: Final = 500


class RoomStore(Visiting):
    """Everything that rooms may ask of the store. How it is opened and closed is the engine's business."""

    def __init__(
        self, queries: Queries, read: Reading, commit: Gathering, start: Start, *, tell_inbound: bool = False
    ) -> None:
        super().__init__(queries, read, commit)
        q = queries
        self.epoch = epoch = start.epoch
        self.rescued = start.rescued
        """Messages given back, messages now uncertain, callbacks due again, found at this start."""
        self.last_message_id = start.last_message_id
        finishing = Finishing(q, epoch)
        receiving = Receiving(q, finishing)
        dispatching, scheduling, calling = Dispatching(q, epoch, finishing), Scheduling(q, finishing), Calling(q, epoch)
        # The order inside a transaction follows a message through the house.
        self._admitting = Admitting(q)
        self._admit = Kind("admit", 1, self._admitting.run)
        self._begin = Kind("begin", 2, dispatching.begin)
        self._record = Kind("record", 3, Recording(q, finishing, receiving).run)
        self._receive = Kind("receipt", 4, receiving.run)
        self._tried = Kind("tried", 5, calling.tried)
        inbound = Inbound(q, tell=tell_inbound)
        self._inbound = Kind("inbound", 6, inbound.keep)
        self._hand_back = Kind("hand_back", 7, dispatching.hand_back)
        self._turn = Kind("turn", 8, scheduling.turn)
        self._claim = Kind("claim", 9, dispatching.claim)
        self._claim_callbacks = Kind("claim_callbacks", 10, calling.claim)
        self._waking = Kind("waking", 11, scheduling.waking)
        self._open_parts = Kind("open_parts", 12, dispatching.open_parts)
        self._prune = Kind("prune", 13, scheduling.prune)
        self._used = Kind("used", 14, self._note_used)
        self._rematch = Kind("rematch", 15, Rematching(q, receiving).run)
        self._claim_inbound = Kind("claim_inbound", 17, inbound.claim)
        self._inbound_told = Kind("inbound_told", 18, inbound.told)
        self._learn_ids = Kind("learn_ids", 16, self._put_id_forms)
        self._try_code = Kind("try_code", 19, CodeChecking(q).run)
        self._past = Kind("past", 20, dispatching.past)
        self._call_ended = Kind("call_ended", 21, self._put_calls)
        self._beat = Kind("beat", 22, self._count_beat)
        self._forget = Kind("forget", 23, Forgetting(q).run)
        self._keep_networks = Kind("keep_networks", 24, self._put_networks)

    @property
    def commits(self) -> tuple[int, int, int]:
        """Transactions so far, items in them, and transactions that failed."""
        return self._commit.commits, self._commit.items, self._commit.failures

    @property
    def trouble(self) -> str:
        """Why the store cannot be reached just now; empty while it can."""
        return ""

    async def close(self, now_ms: int) -> None:
        """Commit what waits and let go of the store."""
        raise NotImplementedError

    # Room 1

    def admit(self, admission: Admission, done: Done[AdmitResult]) -> None:
        """See AcceptStore."""
        self._commit.put(self._admit, admission, done)

    async def rehearse(self, admission: Admission) -> AdmitResult:
        """See AcceptStore."""
        return await self._admitting.rehearse(self._read, admission)

    async def used(self, keys: Sequence[tuple[str, int]]) -> None:
        """See AcceptStore."""
        await self._commit.call(self._used, keys)

    async def _note_used(self, db: Work, items: Sequence[Sequence[tuple[str, int]]]) -> list[None]:
        await db.many(self._q["key_used"], [key for keys in items for key in keys])
        return [None] * len(items)

    async def recent(self, since_ms: int, limit: int) -> list[tuple[int, str, int, int]]:
        """See AcceptStore."""
        rows = await self._read.rows(self._q["recent_receivers"], (first_id_at(since_ms), limit))
        return [(account_id, phone, created_ms, sms_type) for account_id, phone, created_ms, sms_type in rows]

    async def read_directory(self) -> DirectoryRows:
        """See AcceptStore."""
        q = self._q
        async with self._read.snapshot() as db:
            ((version,),) = await db.rows(q["directory_version"])
            return DirectoryRows(
                version,
                tuple([AccountRow(*row) for row in await db.rows(q["directory_accounts"])]),
                tuple([KeyRow(*row) for row in await db.rows(q["directory_keys"])]),
                tuple([BrandnameRow(*row) for row in await db.rows(q["directory_brandnames"])]),
                tuple([TemplateRow(*row) for row in await db.rows(q["directory_templates"])]),
                tuple([PriceRow(*row) for row in await db.rows(q["directory_prices"])]),
                tuple([LimitRow(*row) for row in await db.rows(q["directory_limits"])]),
                tuple([NetworkRow(*row) for row in await db.rows(q["directory_networks"])]),
                tuple([BlockedRow(*row) for row in await db.rows(q["directory_blocked"])]),
                tuple([CallTemplateRow(*row) for row in await db.rows(q["directory_call_templates"])]),
                tuple([RecordingRow(*row) for row in await db.rows(q["directory_recordings"])]),
            )

    async def directory_version(self) -> int:
        """See AcceptStore."""
        return await self._one_number("directory_version")

    async def ask_template(self, asked: Registration, templates: Sequence[TemplateRow] | None) -> int | None:
        """See AcceptStore."""

        async def change(db: Work, q: Queries) -> int | Literal[False]:
            number = await ask(db, q, asked)
            if number is not None and templates is not None:
                await decide(db, q, number, templates, "", asked.created_ms)
            return number or False

        subject = f"account {asked.account_id}: {asked.brandname}, by the customer"
        return await self._change("template.ask", subject, change, tell=templates is not None) or None

    async def numbering_version(self) -> int:
        """See AcceptStore."""
        return await self._one_number("numbering_version")

    async def _one_number(self, name: str) -> int:
        ((number,),) = await self._read.rows(self._q[name])
        return int(number or 0)

    async def ported(self, after: int, limit: int) -> list[tuple[int, int]]:
        """See AcceptStore."""
        return [(phone, telco) for phone, telco in await self._read.rows(self._q["read_ported"], (after, limit))]

    async def seen(self, account_id: int, request_id: str, now_ms: int) -> Duplicate | None:
        """See AcceptStore."""
        return await find_duplicate(self._read, self._q, account_id, request_id, now_ms)

    async def balance(self, account_id: int) -> tuple[int, int]:
        """See AcceptStore."""
        ((balance, credit),) = await self._read.rows(self._q["read_balance"], (account_id,))
        return balance, credit

    async def summary(self, account_id: int, smsid: str, since_ms: int) -> Summary | None:
        """See AcceptStore."""
        head = head_of(smsid)
        found = None if head is None else await read_summary(self._read, self._q, account_id, head, since_ms)
        return found if found is not None and found.smsid == smsid.lower() else None

    async def receivers(self, account_id: int, smsid: str, since_ms: int) -> list[ReceiverRow] | None:
        """See AcceptStore."""
        head = head_of(smsid)
        found = None if head is None else await read_receivers(self._read, self._q, account_id, head, since_ms)
        return found[1] if found is not None and found[0] == smsid.lower() else None

    async def sent(self, wanted: SentRange) -> SentPage:
        """See AcceptStore."""
        return await read_sent(self._read, self._q, wanted)

    async def try_code(self, attempt: CodeTry) -> bool:
        """See AcceptStore."""
        return await self._commit.call(self._try_code, attempt)

    # Room 2

    async def waking(self, now_ms: int, limit: int) -> list[Waking]:
        """See ScheduleStore."""
        return await self._commit.call(self._waking, (now_ms, limit))

    async def tend(self, now_ms: int) -> tuple[int, int, int]:
        """See NodeStore; an engine that one process has to itself knows of no other."""
        del now_ms
        return 0, 0, 0

    async def turn(self, turns: Sequence[Turn], now_ms: int) -> Turned:
        """See ScheduleStore."""
        return await self._commit.call(self._turn, (turns, now_ms))

    async def rematch(self, sweep: Sweep) -> Rematched:
        """See ScheduleStore."""
        return await self._commit.call(self._rematch, sweep)

    async def prune(self, now_ms: int, limit: int) -> int:
        """See ScheduleStore."""
        return await self._commit.call(self._prune, (now_ms, limit))

    async def forget(self, keeping: Keeping, now_ms: int, limit: int) -> Forgotten:
        """See ForgetStore."""
        return await self._commit.call(self._forget, (keeping, now_ms, limit))

    async def shred(self) -> bool:
        """See ForgetStore. What is left in its files is the engine's business."""
        return True

    async def forgettable(self, keeping: Keeping, now_ms: int) -> list[Forgettable]:
        """See AdminStore."""
        return await read_forgettable(self._read, self._q, keeping, now_ms)

    # Room 3

    async def claim(self, now_ms: int, room: Mapping[str, int], closed: frozenset[str]) -> Claimed:
        """See DispatchStore."""
        return await self._commit.call(self._claim, (now_ms, room, closed))

    async def past(self, message_id: int) -> Past:
        """See DispatchStore."""
        return await self._commit.call(self._past, message_id)

    async def open_parts(self, message_id: int) -> tuple[int, ...]:
        """See DispatchStore."""
        return await self._commit.call(self._open_parts, message_id)

    def begin(self, intent: Intent, done: Done[int | None]) -> None:
        """See DispatchStore."""
        self._commit.put(self._begin, intent, done)

    def hand_back(self, message_id: int, due_ms: int, parked: str, done: Done[None]) -> None:
        """See DispatchStore."""
        self._commit.put(self._hand_back, (message_id, due_ms, parked), done)

    # Room 4

    def record(self, answer: Answer, done: Done[Recorded]) -> None:
        """See DeliverStore."""
        self._commit.put(self._record, answer, done)

    def learn_ids(self, carrier: str, form: str, at_ms: int, done: Done[None]) -> None:
        """See DeliverStore."""
        self._commit.put(self._learn_ids, (carrier, form, at_ms), done)

    async def _put_id_forms(self, db: Work, items: Sequence[tuple[str, str, int]]) -> list[None]:
        await db.many(self._q["put_id_form"], items)
        return [None] * len(items)

    async def id_forms(self) -> dict[str, str]:
        """See DeliverStore."""
        return dict(await self._read.rows(self._q["read_id_forms"]))

    async def unreported(self, carrier: str, limit: int) -> list[Unreported]:
        """See DeliverStore."""
        rows = await self._read.rows(self._q["unreported"], (carrier, limit))
        return [Unreported(AttemptKey(*row[:3]), *row[3:]) for row in rows]

    async def manner(self, message_id: int) -> Manner:
        """See CallStore."""
        row = await self._read.row(self._q["read_manner"], (message_id,))
        if row is None:
            return Manner()
        recording, voice, speed, rate, samples = row
        if recording and rate is None:
            raise LookupError(f"recording {recording} was removed")
        return Manner(Playing(rate, samples) if recording else None, voice, speed)

    def call_ended(self, record: CallRecord, ladder: bytes, done: Done[None]) -> None:
        """See CallStore."""
        self._commit.put(self._call_ended, (record, ladder), done)

    async def _put_calls(self, db: Work, items: Sequence[tuple[CallRecord, bytes]]) -> list[None]:
        await db.many(self._q["insert_call"], [record for record, _ in items])
        ladders = [(record.message_id, record.number, record.ended_ms, packed) for record, packed in items if packed]
        await db.many(self._q["insert_ladder"], ladders)
        return [None] * len(items)

    async def ladder(self, message_id: int, number: int) -> list[Rung]:
        """See StoryStore."""
        row = await self._read.row(self._q["read_ladder"], (message_id, number))
        return [] if row is None else unpack_ladder(row[0])

    async def calls(self, account_id: int | None, smsid: str) -> list[CallRecord]:
        """See AcceptStore."""
        head = head_of(smsid)
        if head is None:
            return []
        first = await self._read.row(self._q["callback_head"], (head,))
        if first is None or first[2] != smsid.lower() or account_id not in (None, first[1]):
            return []
        return await self.calls_of(head)

    async def calls_of(self, message_id: int) -> list[CallRecord]:
        """See CallStore."""
        return [CallRecord._make(row) for row in await self._read.rows(self._q["read_calls"], (message_id,))]

    def inbound(self, inbound: InboundIn, done: Done[None]) -> None:
        """See DeliverStore."""
        self._commit.put(self._inbound, inbound, done)

    # Room 5

    def receipt(self, receipt: ReceiptIn, done: Done[ReceiptStored]) -> None:
        """See ReceiptStore."""
        self._commit.put(self._receive, receipt, done)

    async def claim_callbacks(self, now_ms: int, limit: int) -> list[Due]:
        """See CallbackStore."""
        return await self._commit.call(self._claim_callbacks, (now_ms, limit))

    def tried(self, attempt: CallbackTry, done: Done[None]) -> None:
        """See CallbackStore."""
        self._commit.put(self._tried, attempt, done)

    async def call_again(self, smsid: str, now_ms: int, actor: str = "") -> bool | None:
        """See CallbackDeskStore."""
        story = await self.story(smsid)
        if story is None or story.callback is None:
            return None
        head = head_of(smsid)
        again = self._q["callback_again"]
        return await self._change(
            "callback.resend",
            f"request {smsid.lower()}",
            lambda db, _q: changed_one(db, again, (head, now_ms)),
            tell=False,
            actor=actor,
        )

    async def claim_inbound(self, now_ms: int, limit: int) -> list[InboundWhole]:
        """See InboundStore."""
        return await self._commit.call(self._claim_inbound, (now_ms, limit))

    def inbound_told(self, attempt: InboundTry, done: Done[None]) -> None:
        """See InboundStore."""
        self._commit.put(self._inbound_told, attempt, done)

    # Which store it is

    async def beat(self, now_ms: int) -> None:
        """See OperatorStore."""
        del now_ms
        await self._commit.call(self._beat, None)

    async def _count_beat(self, db: Work, items: Sequence[None]) -> list[int]:
        ((count,),) = await db.rows(self._q["count_beat"])
        return [count] * len(items)

    async def cancel_unsent(self, account_id: int, route_class: str, now_ms: int) -> int:
        """See AdminStore."""
        if await self.quarantine() is None:
            raise ValueError("the store is not in quarantine")
        count, last = 0, (-1, 0)
        whose = (account_id, route_class, _CANCEL_STEP)
        while rows := await self._read.rows(self._q["unsent_messages"], (*last, *whose)):
            await self.turn([Turn(number, Event.CANCEL, None) for _, number in rows], now_ms)
            count, last = count + len(rows), (rows[-1][0], rows[-1][1])
        owner = f"account {account_id}" if account_id else "every account"
        await self.note("store.cancel_unsent", f"{owner}, {route_class or 'every class'}: {count} message(s)")
        return count

    # Networks of numbers

    async def learned_networks(self, limit: int) -> list[Learning]:
        """See NetworkStore."""
        return [Learning._make(row) for row in await self._read.rows(self._q["read_learned"], (limit,))]

    async def learned_network(self, phone: int) -> Learning | None:
        """See NetworkStore."""
        row = await self._read.row(self._q["find_learned"], (phone,))
        return None if row is None else Learning._make(row)

    async def keep_networks(self, rows: Sequence[Learning]) -> None:
        """See NetworkStore."""
        await self._commit.call(self._keep_networks, rows)

    async def _put_networks(self, db: Work, items: Sequence[Sequence[Learning]]) -> list[None]:
        q = self._q
        rows = [row for item in items for row in item]
        await db.many(q["put_learned"], [row for row in rows if row.telco])
        await db.many(q["delete_learned"], [(row.phone,) for row in rows if not row.telco])
        return [None] * len(items)

    # For people, and for the test API

    async def newest_message(self) -> int:
        """See StoryStore."""
        return await self._one_number("last_message_id")

    async def messages_after(self, after: int, account_id: int | None, limit: int) -> list[StoryLine]:
        """See StoryStore."""
        return await read_messages(self._read, self._q, after, account_id, limit)

    async def newest_messages(self, limit: int) -> list[StoryLine]:
        """See StoryStore."""
        return await read_newest(self._read, self._q, limit)

    async def message(self, message_id: int) -> StoryLine | None:
        """See StoryStore."""
        return await read_message(self._read, self._q, message_id)

    async def note_revealed(self, what: str) -> None:
        """See StoryStore."""
        await self.note("message.reveal", what)

    async def story(self, smsid: str) -> Story | None:
        """See StoryStore."""
        return await read_story(self._read, self._q, smsid)

    async def search(self, wanted: Search, limit: int) -> Found:
        """See ConsoleStore."""
        return await find_messages(self._read, self._q, wanted, limit)

    async def traffic(self, since_ms: int, limit: int) -> list[Traffic]:
        """See ConsoleStore."""
        values = (first_id_at(since_ms), limit, State.DELIVERED.value)
        return [Traffic(*row) for row in await self._read.rows(self._q["count_traffic"], values)]

    async def identified(self, text: str) -> list[StoryLine]:
        """See ConsoleStore."""
        return await find_identified(self._read, self._q, text)

    async def pass_time(self, account_id: int, milliseconds: int) -> None:
        """See KitStore."""
        await self._change(
            "test.advance",
            f"account {account_id}: {milliseconds} ms",
            lambda db, q: pass_time(db, q, account_id, milliseconds),
            tell=False,
        )

    async def free_request_ids(self, account_id: int) -> None:
        """See KitStore."""

        await self._change(
            "test.reset",
            f"account {account_id}",
            lambda db, q: db.change(q["free_request_ids"], (account_id,)),
            tell=False,
        )

    async def retire_account(self, account_id: int) -> None:
        """See KitStore."""
        await self._change("account.retire", f"account {account_id}", lambda db, q: retire(db, q, account_id))

    async def inbounds(self, limit: int) -> list[InboundLine]:
        """See AdminStore."""
        read, q = self._read, self._q
        lines = []
        for *line, head in await read.rows(q["list_inbound"], (_NO_ID_YET, limit)):
            if head is None:
                (raws,) = await read.rows(q["inbound_raw"], (line[0],))
            else:
                raws = (await read_whole(read, q, head)).raws
            lines.append(InboundLine._make((*line, head is not None, raws)))
        return lines
