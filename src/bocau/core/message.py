"""The nouns that travel through the rooms: message, attempt, admission, answer, receipt, callback.

Times are integer milliseconds since 1970 UTC, money is integer 1/10,000 VND, parts count from 1.
"""

from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from bocau.core.call import CallTold
from bocau.core.lifecycle import AttemptState, State

__all__ = [
    "Admission",
    "Admitted",
    "Answer",
    "AnswerKind",
    "AttemptKey",
    "CallOrder",
    "CallbackDue",
    "CallbackTry",
    "CodeTry",
    "Due",
    "Duplicate",
    "GeneratedCode",
    "InboundIn",
    "InboundTry",
    "InboundWhole",
    "Intent",
    "Known",
    "Message",
    "NoBalance",
    "Overspent",
    "Past",
    "ReceiptIn",
    "ReceiptStored",
    "ReceiverRow",
    "Recourse",
    "RegistrationDue",
    "RouteClass",
    "SentPage",
    "SentRange",
    "SentRow",
    "Summary",
    "Uncertain",
]


class RouteClass(StrEnum):
    """What kind of message it is to routing and time-to-live."""

    OTP = "otp"
    OTHER = "other"


class Uncertain(StrEnum):
    """What a route does about a submission that was never answered (promises 4.1)."""

    HOLD = "hold"
    """Wait for a receipt or the deadline; nothing is sent again."""
    RESEND_ONCE = "resend_once"
    """Send it once more through the same carrier: a possible duplicate."""
    FAIL_OVER_ONCE = "fail_over_once"
    """Send it once more through another carrier of the route: a possible duplicate."""


class Recourse(NamedTuple):
    """What is left to do with a message that its carrier does not take."""

    elsewhere: bool = False
    """Another carrier of its route has not refused it yet."""
    uncertain: Uncertain = Uncertain.HOLD


class Message(Struct, frozen=True, gc=False):
    """One recipient of one request. The fields are the columns of the table `message`, in order.

    A struct, and the collector does not look at it: it is made for every message, read in every room, and holds nothing
    but text and numbers. Reading a field of a named tuple costs ten times as much.
    """

    id: int
    """Time-ordered, unique over all nodes (core.ids)."""
    head: int
    """The id of the first message of the same request; equals `id` for a request with one receiver."""
    account_id: int
    smsid: str
    """The request's id on the wire; messages of one request share it."""
    receivers: int
    """Receivers the request named, the dropped ones included."""
    dropped: int
    """Receivers refused at the door while at least one remained."""
    request_id: str
    campaign_id: str
    sms_type: int
    route_class: str
    brandname: str
    phone: str
    """Ten digits, national form."""
    telco: int
    content: str
    """The text as it goes out: NFC, transliterated where the policy says so."""
    parts: int
    price: int
    callback_url: str
    state: str
    reason: str
    owner: int
    """Epoch of the node that holds it in memory; 0 when nobody does."""
    tries: int
    carrier: str
    reference: int
    """Concatenation reference of a message in several parts; 0 for one part."""
    created_ms: int
    release_ms: int
    """When it may go: SendDate, or the moment it was accepted."""
    due_ms: int
    """When it may be claimed while it is queued: its release, later if a carrier put it off."""
    expires_ms: int
    """Not submitted after this."""
    wake_ms: int | None
    """When the schedule must look at the row: to release it, to expire it, to close it; None once it is final."""
    final_ms: int | None


class Admission(Struct, frozen=True, gc=False):
    """What the checks let in: the messages of one request, to be stored in one transaction."""

    messages: tuple[Message, ...]
    hold: int
    """What is held from the balance: the sum of the prices. 0 for a message that is stored rejected."""
    consumes_request_id: bool
    api_key: str = ""
    """The key it came with, which is charged for the day beside the account."""
    account_cap: int = 0
    """What the account may spend in a day, 1/10,000 VND; 0: no cap."""
    key_cap: int = 0
    """The same of the key."""
    contents: tuple[bytes, ...] = ()
    """Digests of receiver and text, while equal ones are refused for `content_ms`; else none."""
    content_ms: int = 0
    code: "GeneratedCode | None" = None
    """The code in its text that bocau made up, to be checked later."""
    order: "CallOrder | None" = None
    """How its call is to be made; of every request by an operation for calls, and of no other."""


class GeneratedCode(NamedTuple):
    """A code that goes out to a phone, as it is remembered."""

    phone: str
    code_hash: bytes
    """Keyed; the code itself stands only in the message."""
    expires_ms: int


class CallOrder(NamedTuple):
    """What was asked of a call beside its text, by an operation for calls (esms-api 4.1)."""

    recording: int
    """What it plays instead of speaking; 0: nothing."""
    voice: str
    """Empty: the operator's choice."""
    speed: int
    """-3 to 3."""


class CodeTry(NamedTuple):
    """Somebody shows a code."""

    account_id: int
    phone: str
    code_hash: bytes
    at_ms: int


class ReceiverRow(NamedTuple):
    """One receiver of a request, as its customer may see it."""

    phone: str
    telco: int
    state: State
    tries: int
    release_ms: int


class SentRange(NamedTuple):
    """Which messages of an account a report wants."""

    account_id: int
    sms_type: int
    first_id: int
    end_id: int
    """Ids from the first one up to this one, which is not among them: ids grow with the time of creation."""
    skip: int
    limit: int


class SentRow(NamedTuple):
    """One message in the report of what was sent."""

    id: int
    campaign_id: str
    content: str
    phone: str
    smsid: str
    price: int
    state: State
    release_ms: int
    sms_type: int


class SentPage(NamedTuple):
    """One page of the report, oldest first."""

    total: int
    """Messages of the whole range."""
    rows: tuple[SentRow, ...]


class Admitted(Struct, frozen=True, gc=False):
    """The admission is on stable storage."""

    admission: Admission


class Duplicate(NamedTuple):
    """Another request of the account holds this RequestId (124). Nothing was stored."""

    smsid: str
    summary: "Summary"


class NoBalance(NamedTuple):
    """The balance and credit do not cover the hold (103). Nothing was stored."""

    balance: int


class Overspent(NamedTuple):
    """The day's cap does not cover the hold (103). Nothing was stored."""

    whose: str
    """account or key"""
    cap: int
    spent: int


class AttemptKey(NamedTuple):
    """One try to hand one part to one carrier."""

    message_id: int
    part: int
    number: int


class Intent(Struct, frozen=True, gc=False):
    """The wish to submit some parts of a message; stored before a byte leaves."""

    message_id: int
    parts: tuple[int, ...]
    """Which parts go out now, counted from 1."""
    total: int
    """How many parts the message has."""
    number: int
    """Which try this is, counted from 1."""
    carrier: str
    phone: str
    at_ms: int
    anew: bool = False
    """Another carrier than the last time: all parts go out again, under a new concatenation reference."""
    as_text: bool = False
    """A message of type 8 goes out as a text: not what asks for a recording, which has none."""


class Past(NamedTuple):
    """What earlier tries of a queued message came to."""

    carrier: str
    """The carrier of the newest try."""
    bound: bool
    """That carrier has a part already, or may have it: no other may be given the rest (promises 4.5)."""
    barred: frozenset[str]
    """Carriers that refused it for good, or that a resend must avoid."""
    put_off: tuple[str, ...]
    """The carrier of every try that was refused for now, oldest first."""


class AnswerKind(StrEnum):
    """What a carrier's answer to a submit means for us."""

    TAKEN = "taken"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    UNCERTAIN = "uncertain"


class Answer(Struct, frozen=True, gc=False):
    """How one attempt went."""

    key: AttemptKey
    account_id: int
    total: int
    """How many parts the message has: with one, its fold needs no look at other attempts."""
    kind: AnswerKind
    carrier: str
    carrier_id: str
    """The carrier's message id, raw; empty unless taken."""
    match_key: str
    """The id in the form receipts are matched by (core.outcome.match_key)."""
    status: int
    """SMPP command_status, or 0."""
    at_ms: int
    wake_ms: int
    """When a temporary refusal is tried again, or when an uncertain attempt is given up."""
    recourse: Recourse = Recourse()
    """What the message's route allows when the carrier does not take it."""


class Known(Struct, frozen=True, gc=False):
    """A message that went out a moment ago, as memory remembers it."""

    message: Message
    intent_ms: int


class ReceiptIn(Struct, frozen=True, gc=False):
    """A receipt as it came from a carrier, not yet matched."""

    carrier: str
    carrier_id: str
    match_keys: tuple[str, ...]
    """Forms of the id to look for, most likely first."""
    phone: str
    """The recipient's number, national form; empty if the receipt does not name one we understand."""
    state: AttemptState | None
    """What it says of the attempt; None for an intermediate state that changes nothing."""
    error: str
    at_ms: int
    raw: bytes
    """The whole PDU, kept for a receipt that matches nothing; its text alone where memory has its submission."""
    hint: AttemptKey | None
    """The attempt that memory remembers for this id; checked by the store, never trusted."""
    hand_over: bool
    """A callback that becomes due is ours, to be called without a claim."""
    known: Known | None = None
    """The message of the hint as memory remembers it: it spares the store a look, and is checked like the hint."""
    sure: bool = True
    """The first form is how this carrier writes ids; else two attempts under two forms are as good as none."""
    sender: str = ""
    """Whom it says the message was from."""
    submitted_ms: int | None = None
    """When it says the message was handed in, if it says so; looked at only while nothing better is known."""
    reference: int | None = None
    """Our user_message_reference, where the carrier echoes it."""
    extras: bytes = b""
    """Parameters of the carrier's own, as they came; empty for most."""

    def handed_over(self) -> "ReceiptIn":
        """The same with `hand_over` set."""
        return replace(self, hand_over=True)


class InboundIn(NamedTuple):
    """Something a carrier delivered that is no receipt: a message from a subscriber, or a part of one."""

    carrier: str
    raw: bytes
    """The whole PDU."""
    at_ms: int
    sender: str
    recipient: str
    reference: str
    """What the parts of one message have in common; empty for one in one part."""
    part: int
    parts: int


class InboundWhole(NamedTuple):
    """A message from a subscriber, all its parts there."""

    id: int
    carrier: str
    sender: str
    recipient: str
    received_ms: int
    """When its first part came."""
    tries: int
    """How often the operator's address was told of it."""
    raws: tuple[bytes, ...]
    """The PDU of each part, in order."""


class InboundTry(NamedTuple):
    """One GET that told of a message from a subscriber, and what follows from it."""

    id: int
    number: int
    state: str
    """done, waiting or given_up."""
    again_ms: int | None


class ReceiptStored(Struct, frozen=True, gc=False):
    """What became of a receipt, once committed."""

    matched: bool
    changed: bool
    callback: "CallbackDue | None"
    lag_ms: int
    """From the intent to the receipt; 0 if unmatched."""
    match_key: str = ""
    """The form of its id that matched."""


class Summary(NamedTuple):
    """A request as its customer sees it: counts over its messages."""

    smsid: str
    state: State
    """The least advanced state among its messages: the request is as far as its slowest receiver."""
    receivers: int
    sent: int
    succeeded: int
    failed: int
    price: int
    """What is charged, released holds left out."""
    repeated: int = 0
    """Messages that went out once more though an earlier try may have arrived: possible duplicates."""


class CallbackDue(Struct, frozen=True, gc=False):
    """The duty to tell a customer how a request ended."""

    id: int
    """The request's head id."""
    account_id: int
    url: str
    request_id: str
    sms_type: int
    telco: int
    phone: str
    summary: Summary
    tries: int
    due_ms: int
    call: CallTold | None = None
    """Of SmsType 8 alone."""


class RegistrationDue(Struct, frozen=True, gc=False):
    """The duty to tell a customer what became of a template that he asked for."""

    id: int
    """Below zero: minus the registration's id, so that it never is a request's."""
    account_id: int
    url: str
    registration_id: int
    """ServicePreviewId."""
    approved: bool
    brandname: str
    tries: int
    due_ms: int


Due = CallbackDue | RegistrationDue
"""Anything that a customer must be told by a GET."""


class CallbackTry(Struct, frozen=True, gc=False):
    """One GET of a callback and what follows from it."""

    callback_id: int
    account_id: int
    number: int
    at_ms: int
    milliseconds: int
    http_status: int
    """0 if no answer came."""
    answer: str
    """First bytes of the answer, or why there was none."""
    verdict: str
    """done, waiting or given_up."""
    again_ms: int | None
