"""The store as each room sees it: one narrow Protocol per room, kept by every engine and tried by one suite.

Writes on the path of a message take one item and report back through `done`, called once, on the event loop, after the
commit (or with a StoreFault, and then nothing of the item was stored). The engine joins the items of all rooms that
wait at the same time into one transaction, so a room neither batches nor awaits. Everything else is a coroutine.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol, TypeVar

from bocau.core.call import CallRecord, Manner, Rung
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
from bocau.core.keeping import Keeping
from bocau.core.learned import Learning
from bocau.core.lifecycle import Event, State
from bocau.core.limits import LimitRow
from bocau.core.message import (
    Admission,
    Admitted,
    Answer,
    AttemptKey,
    CallbackDue,
    CallbackTry,
    CodeTry,
    Due,
    Duplicate,
    InboundIn,
    InboundTry,
    InboundWhole,
    Intent,
    Message,
    NoBalance,
    Overspent,
    Past,
    ReceiptIn,
    ReceiptStored,
    ReceiverRow,
    SentPage,
    SentRange,
    Summary,
)
from bocau.core.registration import Registration

__all__ = [
    "EVER",
    "AcceptStore",
    "AdminStore",
    "AdmitResult",
    "AttemptLine",
    "AuditLine",
    "CallStore",
    "CallbackDeskStore",
    "CallbackLine",
    "CallbackStore",
    "Claimed",
    "Clerk",
    "ConsoleSession",
    "ConsoleStore",
    "ConsoleUser",
    "ConsoleUserStore",
    "DeliverStore",
    "DispatchStore",
    "Done",
    "ForgetStore",
    "Forgettable",
    "Forgotten",
    "Found",
    "InboundLine",
    "InboundStore",
    "KeyUse",
    "KitStore",
    "LedgerLine",
    "LedgerWindow",
    "NetworkStore",
    "NodeStore",
    "OperatorStore",
    "OutcomeDeadlines",
    "Quarantine",
    "ReceiptStore",
    "Recorded",
    "Rematched",
    "ScheduleStore",
    "Search",
    "StateCounts",
    "StoreBroken",
    "StoreFault",
    "StoreInUse",
    "Story",
    "StoryLine",
    "StoryStore",
    "Sweep",
    "Traffic",
    "TryLine",
    "Turn",
    "Turned",
    "Unreported",
    "Unsent",
    "UseToday",
    "Waking",
]

R = TypeVar("R")


class StoreFault(Exception):  # noqa: N818 - our own breakage is a fault (house words)
    """The engine could not commit. Nothing of the item was stored; the cause is chained."""


class StoreInUse(Exception):  # noqa: N818
    """Another gateway runs on this store."""


class StoreBroken(Exception):  # noqa: N818
    """It is not a store of ours, is newer than this program, is damaged, or would not keep what we promise."""


Done = Callable[[R | StoreFault], None]
"""Told the result of one item after its commit, on the loop."""

AdmitResult = Admitted | Duplicate | NoBalance | Overspent


class OutcomeDeadlines(NamedTuple):
    """How long an outcome may stay open, in milliseconds after the intent (promises 4.1)."""

    uncertain_otp_ms: int
    uncertain_other_ms: int
    receipt_ms: int


class Recorded(NamedTuple):
    """What an answer did to its message."""

    state: State | None
    """The state it moved to; None if the message stayed where it was."""
    callback: CallbackDue | None
    adopted: bool = False
    """A receipt that had come before the answer was found for it."""
    event: Event | None = None
    """Why it is queued again or in doubt, if it is."""


class Turned(NamedTuple):
    """What decisions of the schedule came to."""

    callbacks: list[CallbackDue]
    """Those that were made."""
    doubted: tuple[int, ...]
    """Messages too old to be sent once more, of which an earlier try may have arrived."""


class Unreported(NamedTuple):
    """An attempt that its carrier took, and has said nothing of since."""

    key: AttemptKey
    account_id: int
    phone: str
    carrier_id: str


class Claimed(NamedTuple):
    """What a claim brought."""

    messages: list[Message]
    """In the order of their ids."""
    left: frozenset[tuple[int, str]]
    """Accounts and classes of which due messages are left that the claim had no room for."""
    whole: bool
    """Every account that has something waiting was looked at; else the next claim goes on with the others."""


class Waking(NamedTuple):
    """An open message whose moment has come."""

    id: int
    state: State
    route_class: str
    expires_ms: int
    touched_ms: int
    """When its newest attempt was begun, or when it was released."""


class Turn(NamedTuple):
    """What the schedule decided for one message: an event, or only a later look."""

    message_id: int
    event: Event | None
    wake_ms: int | None


class Sweep(NamedTuple):
    """A look at kept receipts, and what may be concluded from them. Times are milliseconds."""

    before_ms: int
    """Only those that came before this: a younger one may belong to a submission that waits for its answer."""
    slack_ms: int
    """How long before the intent a receipt may date the submission: clocks differ, and dates may lack seconds."""
    window_ms: int
    """How long after it."""
    limit: int


class Rematched(NamedTuple):
    """What a sweep brought."""

    matched: int
    """Receipts that found the attempt their id names."""
    inferred: int
    """Receipts tied to the only attempt they could be about."""
    told: bool
    """A callback became due."""


class Forgotten(NamedTuple):
    """What one step of forgetting did."""

    counts: Mapping[str, int]
    """How many messages lost their text, number or all (core.keeping.Forget), and how many rows of others went."""
    more: bool
    """There may be more to do now."""


class Forgettable(NamedTuple):
    """How far one kind of forgetting came."""

    what: str
    """A value of core.keeping.Forget."""
    place: int
    """The id of the last message that it has passed; 0: none."""
    due: int
    """Messages whose turn it is to be looked at; at most 1,000,000 are counted."""
    later: int
    """Messages that it passed too early, and whose turn is yet to come."""


class StateCounts(NamedTuple):
    """Open work at one moment, for readiness and metrics."""

    queued: int
    """Messages waiting for a carrier; counted among the 20,000 open messages that are due first."""
    oldest_queued_ms: int | None
    uncertain: int
    """Among the same."""
    callbacks_waiting: int
    """At most 10,000 are counted."""
    orphans: int
    """Receipts that match nothing; at most 10,000 are counted."""


class InboundLine(NamedTuple):
    """A message from a subscriber in a list, or a part that still waits for the others."""

    id: int
    carrier: str
    sender: str
    recipient: str
    received_ms: int
    state: str
    """kept, waiting, done or given_up: whether the operator's address was told."""
    tries: int
    part: int
    parts: int
    whole: bool
    raws: tuple[bytes, ...]
    """The PDU of each part that is there, in order."""


class LedgerLine(NamedTuple):
    """One line of an account's ledger."""

    subject_id: int
    kind: str
    amount: int
    cause: str
    at_ms: int


class LedgerWindow(NamedTuple):
    """Which lines of a ledger: written from `since_ms` until before `until_ms`, after the line `last` in the order."""

    since_ms: int = 0
    until_ms: int = 1 << 62
    last: tuple[int, str] = (1 << 62, "")
    """Subject and kind of the last line of the page before."""


EVER: Final = LedgerWindow()


class KeyUse(NamedTuple):
    """How a key is used."""

    api_key: str
    created_ms: int
    used_ms: int | None
    """To the minute; None: never, or not within the first minute."""
    spent_today: int


class UseToday(NamedTuple):
    """What an account was accepted for on a day of Vietnam."""

    spent: int
    keys: tuple[KeyUse, ...]


class AuditLine(NamedTuple):
    """One act of administration."""

    at_ms: int
    actor: str
    act: str
    subject: str


class Quarantine(NamedTuple):
    """A store that was restored or copied: nothing is sent from it until an operator says so (promises P17)."""

    since_ms: int
    why: str
    """As the end of a sentence."""


class Unsent(NamedTuple):
    """Messages that would go if sending began now."""

    account_id: int
    route_class: str
    state: str
    """queued or scheduled."""
    messages: int
    oldest_ms: int
    """When the oldest was accepted."""


class Clerk(NamedTuple):
    """In whose name, and by whose clock, an open store is administrated."""

    name: str
    now_ms: Callable[[], int]


class AcceptStore(Protocol):
    """What room 1 needs."""

    epoch: int
    """Owner mark of this node's start."""

    def admit(self, admission: Admission, done: Done[AdmitResult]) -> None:
        """Store all messages, the hold and the RequestId of one request, or nothing (promises P1, P2)."""
        ...

    async def rehearse(self, admission: Admission) -> AdmitResult:
        """What `admit` would say now; nothing is stored."""
        ...

    async def used(self, keys: Sequence[tuple[str, int]]) -> None:
        """Note when keys were used last: of each, the ApiKey and the moment."""
        ...

    async def recent(self, since_ms: int, limit: int) -> list[tuple[int, str, int, int]]:
        """The newest messages accepted since then: account, phone, moment and SmsType of each, newest first."""
        ...

    async def read_directory(self) -> DirectoryRows:
        """Accounts, keys, brandnames, templates, prices, limits and lists, with their version."""
        ...

    async def directory_version(self) -> int:
        """Grows with every change of the directory, by whatever process."""
        ...

    async def ask_template(self, asked: Registration, templates: Sequence[TemplateRow] | None) -> int | None:
        """Store that a customer asks for a template. With `templates` it is approved at once, and these are registered.
        Returns its id; None if the same one waits for a decision already (199)."""
        ...

    async def numbering_version(self) -> int:
        """Grows when numbers that moved to another network were changed."""
        ...

    async def ported(self, after: int, limit: int) -> list[tuple[int, int]]:
        """A stretch of the moved numbers, in order: the number without its leading 0, greater than `after`, and its
        network now."""
        ...

    async def seen(self, account_id: int, request_id: str, now_ms: int) -> Duplicate | None:
        """The request that holds this RequestId, if it was accepted within 24 h."""
        ...

    async def balance(self, account_id: int) -> tuple[int, int]:
        """Balance and credit limit."""
        ...

    async def summary(self, account_id: int, smsid: str, since_ms: int) -> Summary | None:
        """A request of this account accepted at or after `since_ms`; another account's is None too (promises S3)."""
        ...

    async def calls(self, account_id: int | None, smsid: str) -> list[CallRecord]:
        """How the calls of such a request went, oldest first; None stands for every account."""
        ...

    async def receivers(self, account_id: int, smsid: str, since_ms: int) -> list[ReceiverRow] | None:
        """The receivers of such a request, in order; those that were dropped at the door are not among them."""
        ...

    async def sent(self, wanted: SentRange) -> SentPage:
        """A page of this account's messages, oldest first. Others get their turn while it is counted."""
        ...

    async def try_code(self, attempt: CodeTry) -> bool:
        """Whether it is the code that was last sent to the phone, not expired, not used, not missed too often.

        It is right once; a wrong try counts. Raises StoreFault.
        """
        ...


class ScheduleStore(Protocol):
    """What room 2 needs."""

    async def waking(self, now_ms: int, limit: int) -> list[Waking]:
        """Open messages whose moment has come, earliest first."""
        ...

    async def turn(self, turns: Sequence[Turn], now_ms: int) -> Turned:
        """Apply decisions, each only if the message still stands where the event allows."""
        ...

    async def rematch(self, sweep: Sweep) -> Rematched:
        """Look at some of the kept receipts again, going round them call by call (promises 4.1, 4.3)."""
        ...

    async def prune(self, now_ms: int, limit: int) -> int:
        """Forget RequestIds after 48 h, orphan receipts and SIP messages after 7 days and expired codes, a few at a
        time.

        Returns how many.
        """
        ...


class ForgetStore(Protocol):
    """What the other loop of room 2 needs."""

    async def forget(self, keeping: Keeping, now_ms: int, limit: int) -> Forgotten:
        """One step of forgetting what is old, with at most so many messages looked at for each kind (promises S7)."""
        ...

    async def shred(self) -> bool:
        """Have nothing of what was forgotten left in the store's files. False: not now, somebody reads an old state."""
        ...


class NodeStore(Protocol):
    """What a node needs to live beside others."""

    async def tend(self, now_ms: int) -> tuple[int, int, int]:
        """Say that this node lives, and take over what nodes that live no more held: every few seconds.

        Returns how many messages went back, how many became uncertain, how many callbacks fall due again.
        """
        ...


class DispatchStore(Protocol):
    """What room 3 needs."""

    epoch: int

    async def claim(self, now_ms: int, room: Mapping[str, int], closed: frozenset[str]) -> Claimed:
        """Take due messages that nobody holds, at most `room` of each class, in fair shares between the accounts and
        for each the oldest first; they are ours until they leave `queued`. What is parked at a `closed` place stays."""
        ...

    async def past(self, message_id: int) -> Past:
        """What earlier tries of a message came to."""
        ...

    async def open_parts(self, message_id: int) -> tuple[int, ...]:
        """Parts of a message tried before that no carrier has, in order."""
        ...

    def begin(self, intent: Intent, done: Done[int | None]) -> None:
        """Store the intent. The result is the concatenation reference (0 for one part), or None: not ours any more,
        or too old. Only after it may a byte leave."""
        ...

    def hand_back(self, message_id: int, due_ms: int, parked: str, done: Done[None]) -> None:
        """Let go of a claimed message that was not begun, to be claimed again at `due_ms`.

        `parked` names what it waits for (a route); empty: nothing but its time.
        """
        ...


class DeliverStore(Protocol):
    """What room 4 needs."""

    def record(self, answer: Answer, done: Done[Recorded]) -> None:
        """Store how an attempt went, and fold it into its message."""
        ...

    def learn_ids(self, carrier: str, form: str, at_ms: int, done: Done[None]) -> None:
        """Remember how a carrier account writes the ids of its receipts."""
        ...

    async def id_forms(self) -> dict[str, str]:
        """What was learned about the ids of each carrier account, by its name."""
        ...

    async def unreported(self, carrier: str, limit: int) -> list[Unreported]:
        """What a carrier account has taken and not reported on, of messages that are open."""
        ...

    def inbound(self, inbound: InboundIn, done: Done[None]) -> None:
        """Keep a message from a subscriber, or a part of one, whole."""
        ...


class CallStore(DeliverStore, Protocol):
    """What the voice carrier of room 4 needs."""

    async def manner(self, message_id: int) -> Manner:
        """How the call of a message is to speak. Raises LookupError if it was to play a recording that was removed
        since."""
        ...

    async def calls_of(self, message_id: int) -> list[CallRecord]:
        """How the calls of a message went, oldest first."""
        ...

    def call_ended(self, record: CallRecord, ladder: bytes, done: Done[None]) -> None:
        """Remember how a call went, and what was said over SIP (core.call.pack_ladder; empty: nothing), for 7 days.

        To be stored before the answer or receipt that it amounts to.
        """
        ...


class ReceiptStore(Protocol):
    """What room 5 needs for receipts."""

    def receipt(self, receipt: ReceiptIn, done: Done[ReceiptStored]) -> None:
        """Match and fold a receipt, settle the ledger and create the callback; keep it as an orphan if it matches
        nothing (promises 4.2)."""
        ...


class CallbackStore(Protocol):
    """What room 5 needs for callbacks."""

    async def claim_callbacks(self, now_ms: int, limit: int) -> Sequence[Due]:
        """Take due callbacks that nobody holds, oldest first: outcomes of requests, decisions on registrations."""
        ...

    def tried(self, attempt: CallbackTry, done: Done[None]) -> None:
        """Store one try and its verdict."""
        ...


class CallbackDeskStore(Protocol):
    """What acts of an operator on callbacks need."""

    async def call_again(self, smsid: str, now_ms: int, actor: str = "") -> bool | None:
        """The callback of a request shall be due now, whatever its state. None: there is no such request, or nothing to
        tell; False: it is being called."""
        ...


class InboundStore(Protocol):
    """What room 5 needs for messages from subscribers."""

    async def claim_inbound(self, now_ms: int, limit: int) -> list[InboundWhole]:
        """Take messages that the operator's address is to be told of; not told within 2 minutes, they are due again."""
        ...

    def inbound_told(self, attempt: InboundTry, done: Done[None]) -> None:
        """Store one try and what follows from it."""
        ...


class NetworkStore(Protocol):
    """What is remembered of the networks that numbers were seen in."""

    async def learned_networks(self, limit: int) -> list[Learning]:
        """What was learned last, the newest first."""
        ...

    async def learned_network(self, phone: int) -> Learning | None:
        """What was learned of one number, given without its leading 0."""
        ...

    async def keep_networks(self, rows: Sequence[Learning]) -> None:
        """Store what was learned; network 0 forgets a number. Raises StoreFault."""
        ...


class OperatorStore(Protocol):
    """What acts of an operator on carriers need."""

    async def halts(self) -> dict[str, str]:
        """Carriers that get no new submits: paused or draining."""
        ...

    async def set_halt(self, carrier: str, halt: str, now_ms: int, actor: str = "") -> None:
        """Keep it; an empty `halt` lets the carrier go on. In the audit it is the clerk's, if no actor is named."""
        ...

    async def parked(self) -> dict[str, int]:
        """How many queued messages wait for a route, by its name; counted among the 20,000 in the order of claims."""
        ...

    async def quarantine(self) -> Quarantine | None:
        """Whether nothing may be sent from this store."""
        ...

    async def beat(self, now_ms: int) -> None:
        """Messages were sent since the last one: an older copy must be told from this store from now on."""
        ...


class StoryLine(NamedTuple):
    """A message as it is told to people: what it is, and how far it came."""

    id: int
    account_id: int
    smsid: str
    request_id: str
    sms_type: int
    route_class: str
    brandname: str
    phone: str
    telco: int
    content: str
    parts: int
    price: int
    callback_url: str
    state: str
    reason: str
    tries: int
    carrier: str
    created_ms: int
    release_ms: int
    due_ms: int
    expires_ms: int
    final_ms: int | None
    taken: bool
    """A carrier has, or had, a part of it."""
    repeated: bool = False
    """It went out once more though an earlier try may have arrived: a possible duplicate."""


class AttemptLine(NamedTuple):
    """One try to hand over one part."""

    message_id: int
    part: int
    number: int
    parts: int
    carrier: str
    state: str
    carrier_id: str
    status: int
    error: str
    intent_ms: int
    answer_ms: int | None
    receipt_ms: int | None
    inferred: bool = False
    """Its answer was lost, and a receipt could only be about it."""
    extras: bytes = b""
    """Parameters of the carrier's own from its receipt, as on the wire."""


class CallbackLine(NamedTuple):
    """The duty to tell a customer, as it stands."""

    state: str
    tries: int
    due_ms: int | None
    created_ms: int


class TryLine(NamedTuple):
    """One GET of a callback."""

    number: int
    at_ms: int
    milliseconds: int
    http_status: int
    answer: str


class Story(NamedTuple):
    """Everything that is remembered of one request."""

    messages: tuple[StoryLine, ...]
    attempts: tuple[AttemptLine, ...]
    callback: CallbackLine | None
    tries: tuple[TryLine, ...]
    money: tuple[LedgerLine, ...]


class StoryStore(Protocol):
    """What is needed to tell people about messages."""

    async def newest_message(self) -> int:
        """The largest id of all messages; 0 if there are none."""
        ...

    async def messages_after(self, after: int, account_id: int | None, limit: int) -> list[StoryLine]:
        """Messages with a larger id, in order; of one account, or of all."""
        ...

    async def newest_messages(self, limit: int) -> list[StoryLine]:
        """The newest messages, in order."""
        ...

    async def message(self, message_id: int) -> StoryLine | None:
        """One message."""
        ...

    async def note_revealed(self, what: str) -> None:
        """Somebody looks at numbers and texts: a line in the audit."""
        ...

    async def story(self, smsid: str) -> Story | None:
        """Everything about one request; None if there is none with this SMSID."""
        ...

    async def ladder(self, message_id: int, number: int) -> list[Rung]:
        """The SIP messages of one call, in order, numbers hidden: the call of that message and number in its
        CallRecord. Empty if there were none, or they are older than 7 days."""
        ...


class Search(NamedTuple):
    """Which messages somebody looks for. A member that is empty or 0 asks for nothing."""

    needle: str = ""
    """A phone, RequestId or brandname as a whole, or a part of the text; whether case counts in the text is left to the
    engine."""
    in_texts: bool = True
    """Whether texts are searched; not for those who may not read them."""
    state: str = ""
    account_id: int = 0
    first_id: int = 0
    """The smallest id: `core.ids.first_id_at` of a moment."""
    end_id: int = (1 << 63) - 1
    """Before this id."""


class Found(NamedTuple):
    """A page of what was found."""

    lines: tuple[StoryLine, ...]
    """Newest first."""
    rest: int | None
    """The `end_id` of a search that goes on; None: there is nothing more."""


class Traffic(NamedTuple):
    """Messages of one minute to one network."""

    minute: int
    """Since 1970, in which they were accepted."""
    telco: int
    accepted: int
    delivered: int
    failed: int
    """Ended in any other way."""
    total_ms: int
    """From release to delivery, of all that were delivered together."""


class ConsoleStore(StoryStore, Protocol):
    """What the console reads beside stories."""

    async def search(self, wanted: Search, limit: int) -> Found:
        """The newest messages that fit. It walks back 100,000 messages at most, and gives others their turn meanwhile;
        `rest` leads further."""
        ...

    async def traffic(self, since_ms: int, limit: int) -> list[Traffic]:
        """The newest messages accepted since then, `limit` at most, counted by minute and network, in that order."""
        ...

    async def identified(self, text: str) -> list[StoryLine]:
        """Messages that an id names, newest first and a few at most: an SMSID, a RequestId of the last 24 h, the id of
        a carrier in any of its forms."""
        ...


class ConsoleUser(NamedTuple):
    """Somebody who may use the console."""

    name: str
    role: str
    password: str
    """As a slow hash, in the form of console/passwords.py."""
    created_ms: int
    changed_ms: int


class ConsoleSession(NamedTuple):
    """A log-in that holds as long as its age and its silence allow."""

    name: str
    role: str
    created_ms: int
    seen_ms: int


class ConsoleUserStore(Protocol):
    """Who may use the console, and who is logged in. Tokens of sessions come as hashes."""

    async def console_users(self) -> list[ConsoleUser]:
        """Everybody, by name."""
        ...

    async def console_user(self, name: str) -> ConsoleUser | None:
        """One of them."""
        ...

    async def put_console_user(self, user: ConsoleUser, *, first: bool = False) -> bool:
        """Add or replace; where he is logged in, he is no longer. With `first`, only if there is nobody yet: whether
        he was added."""
        ...

    async def delete_console_user(self, name: str) -> bool:
        """Whether there was one."""
        ...

    async def open_console_session(self, token: str, name: str, now_ms: int) -> None:
        """Somebody logged in; sessions older than a day are forgotten."""
        ...

    async def console_session(self, token: str) -> ConsoleSession | None:
        """Whose it is; None once he is gone, has another password, or logged out."""
        ...

    async def touch_console_session(self, token: str, now_ms: int) -> None:
        """He did something."""
        ...

    async def close_console_session(self, token: str) -> None:
        """He logged out."""
        ...

    async def note_act(self, actor: str, act: str, subject: str) -> None:
        """A line in the audit, for what he did through a door that does not know his name."""
        ...


class KitStore(StoryStore, Protocol):
    """What the test API of a development start needs beside that."""

    async def calls(self, account_id: int | None, smsid: str) -> list[CallRecord]:
        """See AcceptStore."""
        ...

    async def pass_time(self, account_id: int, milliseconds: int) -> None:
        """Let time pass for one account: everything of it that waits for a moment comes so much nearer to it."""
        ...

    async def free_request_ids(self, account_id: int) -> None:
        """Forget the RequestIds of an account."""
        ...

    async def retire_account(self, account_id: int) -> None:
        """Lock an account and forget all that it could send with, and whom it was to call back."""
        ...


class AdminStore(Protocol):
    """What the command line and the admin listener need.

    Every act that changes something leaves a line in the audit, in the same transaction.
    """

    async def counts(self) -> StateCounts:
        """Open work now."""
        ...

    async def calls(self, account_id: int | None, smsid: str) -> list[CallRecord]:
        """See AcceptStore."""
        ...

    async def ladder(self, message_id: int, number: int) -> list[Rung]:
        """See StoryStore."""
        ...

    async def create_account(self, name: str, now_ms: int) -> int:
        """Returns the id. Raises ValueError if the name is taken."""
        ...

    async def set_account_state(self, account_id: int, state: str) -> None:
        """active or locked."""
        ...

    async def set_unicode_policy(self, account_id: int, policy: str) -> None:
        """strip, auto, reject, or empty for the setting's default."""
        ...

    async def set_type8_channel(self, account_id: int, channel: str) -> None:
        """voice, sms, voice_then_sms, or empty for the setting's default."""
        ...

    async def put_key(self, row: KeyRow, now_ms: int) -> None:
        """Add or replace a key."""
        ...

    async def rotate_key(self, old: KeyRow, new: KeyRow, now_ms: int) -> None:
        """Add a key and give the old one what `old` says, together."""
        ...

    async def put_limit(self, row: LimitRow) -> None:
        """Give an account a limit of its own."""
        ...

    async def delete_limit(self, account_id: int, name: str) -> bool:
        """Back to the settings. Whether there was one."""
        ...

    async def put_network(self, row: NetworkRow) -> None:
        """Let requests come from a network; with the first one, from nowhere else."""
        ...

    async def delete_network(self, row: NetworkRow) -> bool:
        """Whether there was one."""
        ...

    async def block(self, rows: Sequence[BlockedRow], now_ms: int) -> int:
        """Block numbers or words, all in one act. Returns how many were not blocked before."""
        ...

    async def unblock(self, rows: Sequence[BlockedRow]) -> int:
        """Take them off the list. Returns how many were on it."""
        ...

    async def put_brandname(self, row: BrandnameRow, now_ms: int) -> None:
        """Add or replace a brandname."""
        ...

    async def put_template(self, row: TemplateRow, now_ms: int) -> int:
        """Add a template (id 0: a new one), or find the equal one. Returns its id."""
        ...

    async def delete_template(self, account_id: int, template_id: int) -> bool:
        """Whether there was one."""
        ...

    async def pending_templates(self) -> list[Registration]:
        """Templates that customers asked for and that wait for a decision, in the order they came."""
        ...

    async def decide_template(
        self, registration_id: int, templates: Sequence[TemplateRow] | None, reason: str, now_ms: int
    ) -> bool:
        """Approve, with the templates to register, or refuse, with None. The customer's callback becomes due in the
        same transaction. False: it does not wait for a decision."""
        ...

    async def put_call_template(self, row: CallTemplateRow, now_ms: int) -> int:
        """Add what a call may say (id 0: a new one), or find the equal one. Returns its id."""
        ...

    async def delete_call_template(self, account_id: int, template_id: int) -> bool:
        """Whether there was one."""
        ...

    async def recordings(self, account_id: int) -> list[tuple[int, str, int]]:
        """Id, name and length in milliseconds of what the account's calls may play."""
        ...

    async def put_recording(self, row: RecordingRow, sound: tuple[int, bytes], now_ms: int) -> int:
        """Add a sound (id 0: a new one), or put it in the place of the account's one of that name. Returns its id.

        `sound` is samples a second, and 16-bit little-endian samples of one channel.
        """
        ...

    async def delete_recording(self, account_id: int, recording_id: int) -> bool:
        """Whether there was one."""
        ...

    async def put_price(self, row: PriceRow) -> None:
        """Add or replace a price."""
        ...

    async def put_ported(self, rows: Sequence[tuple[int, int]], *, last: bool) -> None:
        """Say of numbers, without their leading 0, which network they moved to; 0 forgets one. Nodes are told with the
        `last` of several calls, since they read all of them again."""
        ...

    async def clear_ported(self) -> None:
        """Forget all moved numbers; nodes are told by the `put_ported` that follows."""
        ...

    async def top_up(self, account_id: int, amount: int, cause: str, now_ms: int) -> int:
        """Add money (or take it, with a negative amount). Returns the new balance."""
        ...

    async def set_credit_limit(self, account_id: int, amount: int) -> None:
        """How far the balance may sink below zero."""
        ...

    async def inbounds(self, limit: int) -> list[InboundLine]:
        """Messages from subscribers, the newest first."""
        ...

    async def accounts(self) -> list[AccountRow]:
        """All accounts, by name."""
        ...

    async def ledger(self, account_id: int, limit: int, window: LedgerWindow = EVER) -> list[LedgerLine]:
        """The newest lines first: in the order of the messages they belong to."""
        ...

    async def use_today(self, account_id: int, now_ms: int) -> UseToday:
        """What was spent today, and how the keys were used."""
        ...

    async def audit(self, limit: int) -> list[AuditLine]:
        """The newest acts first."""
        ...

    async def note(self, act: str, subject: str) -> None:
        """A line in the audit, for an act that the store itself has no part in."""
        ...

    async def quarantine(self) -> Quarantine | None:
        """See OperatorStore."""
        ...

    async def forgettable(self, keeping: Keeping, now_ms: int) -> list[Forgettable]:
        """What would be forgotten now, of each kind."""
        ...

    async def unsent(self) -> list[Unsent]:
        """What waits to be sent, by account, class and state."""
        ...

    async def cancel_unsent(self, account_id: int, route_class: str, now_ms: int) -> int:
        """Take back what waits to be sent, of one account (0: all) and one class (empty: both), step by step. Returns
        how many. Raises ValueError if the store is not in quarantine: a gateway may have them in hand."""
        ...

    async def end_quarantine(self) -> bool:
        """Let messages be sent from this store. Whether it was in quarantine."""
        ...
