"""What the carrier does with a message, decided by the last four digits of its receiver.

Pure: a submit, its account, a count and chance go in; a Plan comes out. Every fault is a row of a table, so a new one
is a new row.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple, Protocol

from bocau.wire.smpp.pdu import SubmitSm, Tlvs
from bocau.wire.smpp.pieces import read_piece
from bocau.wire.smpp.receipt import ReceiptState
from bocau.wire.smpp.status import Status

__all__ = [
    "MAGIC",
    "OTHER",
    "PLAIN",
    "THROTTLED",
    "Act",
    "Answer",
    "Chance",
    "Form",
    "IdStyle",
    "Plan",
    "ReceiptDue",
    "Row",
    "Rules",
    "Spoiled",
    "magic_table",
]

OTHER: Final = "other"
"""The ending that stands for all numbers without a row of their own. Every table must have it."""


class Chance(Protocol):
    """Where chance comes from; a random.Random will do."""

    def random(self) -> float:
        """A number from 0 up to but not including 1."""
        ...


class Act(Enum):
    """What the carrier does about a submit."""

    ANSWER = "answer"
    SILENCE = "silence"
    DISCONNECT = "disconnect"
    UNBIND = "unbind"
    """It asks to unbind and does not answer this submit."""
    FREEZE = "freeze"
    """From this submit on the connection stays open and says nothing more, whatever it is asked."""


class Form(Enum):
    """How a receipt is written."""

    TEXT = "text"
    """The text of SMPP 3.4, appendix B."""
    BOTH = "both"
    """That text, and the parameters of section 5.3.2 beside it."""
    PARAMETERS = "parameters"
    """The parameters alone, no text."""
    ODD = "odd"
    """Other keys, other order, equals signs and semicolons."""


class IdStyle(Enum):
    """How a message id is written. It is the same number in each, so whoever compares letters finds nothing."""

    DECIMAL = "decimal"
    PADDED = "padded"
    """Decimal, with zeros in front up to 20 digits."""
    HEX = "hex"
    UPPER_HEX = "upper_hex"
    PADDED_HEX = "padded_hex"
    """Upper case, with zeros in front up to 16 digits."""
    NONE = "none"
    """Not at all."""


class Spoiled(Enum):
    """What is wrong with the bytes of a PDU."""

    NOTHING = "nothing"
    HALF = "half"
    """Half of it is written, then the connection is closed."""
    TWICE = "twice"
    """It comes twice under the same sequence number."""
    STRAY = "stray"
    """One comes before it that answers a sequence number nobody used."""
    LENGTH = "length"
    """Its command_length is too small for any PDU."""
    TOO_LONG = "too_long"
    """Its command_length says four octets more than there are."""
    BODY = "body"
    """Its frame is good and its body is none."""
    GARBAGE = "garbage"
    """Octets that are no SMPP stand before it."""
    OUTBIND = "outbind"
    """An outbind stands before it."""


class Answer(NamedTuple):
    """The answer to one submit."""

    act: Act = Act.ANSWER
    status: int = Status.OK
    after_seconds: float = 0.0
    id_style: IdStyle = IdStyle.DECIMAL
    spoiled: Spoiled = Spoiled.NOTHING

    @property
    def taken(self) -> bool:
        """Whether the carrier has the message now, with an id."""
        return self.act is Act.ANSWER and self.status == Status.OK


class ReceiptDue(NamedTuple):
    """One receipt that is to be sent."""

    state: ReceiptState = ReceiptState.DELIVERED
    after_seconds: float | None = None
    """Counted from the submit. None in a table means the rules' ordinary delay; in a plan it is never None."""
    error: str = "000"
    form: Form = Form.TEXT
    id_style: IdStyle = IdStyle.DECIMAL
    spoiled: Spoiled = Spoiled.NOTHING
    """So it comes once, under a sequence number of its own; then it is handed over as it should be."""
    elsewhere: bool = False
    """Over another bind than the submit came on, as long as there is one."""
    word: str = ""
    """A word of the carrier's own for the state; empty: the specification's."""
    tlvs: Tlvs = ()
    """Parameters of the carrier's own."""
    echo: bool = False
    """With the user_message_reference of the submit."""
    unswapped: bool = False
    """Sender and receiver stand as in the submit."""
    astray: bool = False
    """It names another phone."""


class Row(NamedTuple):
    """What happens to messages for one kind of number."""

    meaning: str
    """One line for people."""
    receipts: tuple[ReceiptDue, ...] = (ReceiptDue(),)
    answer: Answer = Answer()
    first: tuple[Answer, ...] = ()
    """The answers to the first tries of a number; `answer` comes after them. None of them may take the message."""
    part: int = 0
    """Only this part of a message, counted from 1, is treated so, others as `OTHER`; 0 for every part."""
    shown: bool = True
    """Whether the telephone shows a message that was taken."""
    per_second: int = 0
    """So many are taken in any second, the rest gets ESME_RTHROTTLED; 0: no limit. Counted per account and ending."""


class Plan(NamedTuple):
    """What to do about one submit."""

    answer: Answer
    receipts: tuple[ReceiptDue, ...] = ()
    """None for a message that is not taken, or whose sender did not ask for them (registered_delivery)."""
    shown: bool = False
    """The telephone gets it."""
    per_second: int = 0
    """So many of its kind may be taken in any second."""


_S = ReceiptState
_NETWORK_TAG: Final = 0x1403
_NEVER: Final = Answer(status=Status.INVALID_DESTINATION)
_REFUSE_THROTTLED: Final = Answer(status=Status.THROTTLED)

MAGIC: Final[Mapping[str, Row]] = {
    "0000": Row("delivered after the ordinary delay"),
    "0001": Row("delivered after 2 s", (ReceiptDue(after_seconds=2.0),)),
    "0002": Row("undelivered: UNDELIV, error 001", (ReceiptDue(_S.UNDELIVERED, error="001"),), shown=False),
    "0003": Row("accepted, then silence: no receipt ever", (), shown=False),
    "0004": Row("the receipt comes twice", (ReceiptDue(), ReceiptDue())),
    "0005": Row("throttled: the first 3 tries get ESME_RTHROTTLED, then taken", first=(_REFUSE_THROTTLED,) * 3),
    "0006": Row("voice: busy; an SMS is delivered as usual"),
    "0007": Row("the receipt comes before the answer", (ReceiptDue(after_seconds=0.0),), Answer(after_seconds=0.1)),
    "0008": Row("expired: EXPIRED, error 002", (ReceiptDue(_S.EXPIRED, error="002"),), shown=False),
    "0009": Row("rejected at once: ESME_RINVDSTADR", (), Answer(status=Status.INVALID_DESTINATION)),
    "0010": Row("the submit is never answered", (), Answer(Act.SILENCE)),
    "0011": Row("the connection is closed instead of the first answer, then taken", first=(Answer(Act.DISCONNECT),)),
    "0012": Row("ESME_RSYSERR once, then taken", first=(Answer(status=Status.SYSTEM_ERROR),)),
    "0013": Row("the receipt has the id in hexadecimal, the answer in decimal", (ReceiptDue(id_style=IdStyle.HEX),)),
    "0014": Row("the receipt comes after 60 s", (ReceiptDue(after_seconds=60.0),)),
    "0015": Row(
        "the second part of a long message is undelivered",
        (ReceiptDue(_S.UNDELIVERED, error="001"),),
        part=2,
        shown=False,
    ),
    "0016": Row("the receipt has parameters only, no text", (ReceiptDue(form=Form.PARAMETERS),)),
    "0017": Row("the receipt is oddly spelled", (ReceiptDue(form=Form.ODD),)),
    "0018": Row(
        "the second part of a long message gets ESME_RSYSERR once, then is taken",
        first=(Answer(status=Status.SYSTEM_ERROR),),
        part=2,
    ),
    "0019": Row("the second part of a long message is refused: ESME_RINVDSTADR", (), _NEVER, part=2),
    "0020": Row("the second part of a long message is never answered", (), Answer(Act.SILENCE), part=2),
    "0021": Row("a full queue: ESME_RMSGQFUL to every try", (), Answer(status=Status.QUEUE_FULL)),
    "0022": Row("5 are taken in any second, the rest gets ESME_RTHROTTLED", per_second=5),
    "0023": Row("half of the answer, then the connection is closed", (ReceiptDue(),), Answer(spoiled=Spoiled.HALF)),
    "0024": Row(
        "the answer has the id in upper-case hexadecimal, the receipt in decimal with zeros in front",
        (ReceiptDue(id_style=IdStyle.PADDED),),
        Answer(id_style=IdStyle.UPPER_HEX),
    ),
    "0025": Row("two receipts: undelivered, then delivered", (ReceiptDue(_S.UNDELIVERED, error="001"), ReceiptDue())),
    "0026": Row("the receipt comes over another bind, if there is one", (ReceiptDue(elsewhere=True),)),
    "0027": Row("the answer comes twice under one sequence number", (ReceiptDue(),), Answer(spoiled=Spoiled.TWICE)),
    "0028": Row(
        "the receipt names the network in a parameter of the carrier's: 0x1403, 45204",
        (ReceiptDue(tlvs=((_NETWORK_TAG, b"45204"),)),),
    ),
    OTHER: Row("delivered after the ordinary delay"),
}
"""What the last four digits of a receiver do. "Tries" are counted per account and number (Smsc.forget_tries)."""

PLAIN: Final[Mapping[str, Row]] = {OTHER: MAGIC[OTHER]}
"""No number is special: for load."""


def magic_table(table: Mapping[str, Row] = MAGIC) -> list[tuple[str, str]]:
    """Each ending and its meaning in one line, in the order of the table; the rest of all numbers is `OTHER`."""
    return [(ending, row.meaning) for ending, row in table.items()]


class _Ready(NamedTuple):
    """A row made ready: nothing is left to decide that can be decided before."""

    first: tuple[Answer, ...]
    part: int
    plans: tuple[Plan, ...]
    """By the two lower bits of registered_delivery."""


_SYSTEM_ERROR: Final = Plan(Answer(status=Status.SYSTEM_ERROR))
THROTTLED: Final = Plan(_REFUSE_THROTTLED)
"""For what is beyond a speed."""


class Rules:
    """A table with its ordinary delay; never changes."""

    __slots__ = ("_accounts", "_rows", "_system_errors")

    def __init__(
        self,
        delay_seconds: float = 0.3,
        system_errors: float = 0.0,
        table: Mapping[str, Row] = MAGIC,
        accounts: Mapping[str, Mapping[str, Row]] | None = None,
    ) -> None:
        """Rules with receipts after `delay_seconds`.

        `system_errors` is the share, 0 to 1, of messages that get ESME_RSYSERR instead of being taken. `accounts` has
        tables of their own for some system_ids. Raises ValueError for a table without `OTHER`.
        """
        self._system_errors = system_errors
        self._rows = _make_ready(table, delay_seconds)
        self._accounts = {name: _make_ready(own, delay_seconds) for name, own in (accounts or {}).items()}

    def plan(self, submit: SubmitSm, account: str, count: int, chance: Chance) -> Plan:
        """What to do about a submit of this system_id; `count` is the how-manieth try of the number it is, from 1."""
        rows = self._accounts.get(account, self._rows) if self._accounts else self._rows
        row = rows.get(submit.destination_addr[-4:]) or rows[OTHER]
        if row.part and row.part != read_piece(submit).part:
            row = rows[OTHER]
        elif row.first:
            # Of a long message only one part is meant; the tries of a number count its other parts too.
            tries = count - (row.part - 1 if row.part else 0)
            if tries <= len(row.first):
                return Plan(row.first[tries - 1])
        plan = row.plans[submit.registered_delivery & 3]
        if self._system_errors and plan.answer.taken and chance.random() < self._system_errors:
            return _SYSTEM_ERROR
        return plan


def _make_ready(table: Mapping[str, Row], delay_seconds: float) -> dict[str, _Ready]:
    if OTHER not in table:
        raise ValueError(f"the table has no row {OTHER!r}")
    return {ending: _Ready(row.first, row.part, _plans(row, delay_seconds)) for ending, row in table.items()}


def _plans(row: Row, delay_seconds: float) -> tuple[Plan, ...]:
    """One plan for each wish for receipts: none, every, failures only (SMPP 3.4, 5.2.17); 3 is reserved, as every."""
    taken = row.answer.taken
    every = tuple(
        due._replace(after_seconds=delay_seconds) if due.after_seconds is None else due
        for due in (row.receipts if taken else ())
    )
    failures = tuple(due for due in every if due.state is not ReceiptState.DELIVERED)
    wishes = ((), every, failures, every)
    return tuple(Plan(row.answer, wanted, taken and row.shown, row.per_second) for wanted in wishes)
