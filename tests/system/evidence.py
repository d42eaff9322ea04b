"""What the four witnesses say: the client's, the carrier's and the receiver's log, and the rows of the store."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.system.processes import Stage

__all__ = [
    "AskLine",
    "AttemptRow",
    "CallLine",
    "CallbackRow",
    "Evidence",
    "LedgerRow",
    "MessageRow",
    "ReceiptLine",
    "Rows",
    "SubmitLine",
    "TryRow",
    "gather",
    "open_work",
    "read_rows",
]

_KEY: Final = re.compile(r"K[0-9]{6}")


class AskLine(NamedTuple):
    """A line of the client: `ask`, `answer` or `none`."""

    at_ms: int
    event: str
    key: str
    http: int = 0
    code: str = ""
    smsid: str = ""


class SubmitLine(NamedTuple):
    """The carrier got a part."""

    at_ms: int
    key: str
    phone: str
    part: int
    parts: int
    refused: bool
    """The carrier answered that it did not take it."""
    message_id: str
    """Empty unless taken."""


class ReceiptLine(NamedTuple):
    """A receipt was handed over to the gateway, or acknowledged by it (status 0)."""

    message_id: str
    state: str
    """DELIVRD, UNDELIV, EXPIRED; of an acknowledgement, that of the receipt handed over last under this id."""
    acknowledged: bool


class CallLine(NamedTuple):
    """The receiver of callbacks got a call."""

    at_ms: int
    key: str
    answer: int
    event_id: str
    query: dict[str, str]


class MessageRow(NamedTuple):
    """One receiver of a request."""

    id: int
    head: int
    account_id: int
    smsid: str
    request_id: str
    phone: str
    price: int
    callback_url: str
    state: str
    release_ms: int
    open: bool
    """The schedule will look at it again."""


class AttemptRow(NamedTuple):
    """One try to hand over one part."""

    message_id: int
    part: int
    number: int
    state: str
    carrier_id: str
    intent_ms: int
    answered: bool


class CallbackRow(NamedTuple):
    """The duty to tell; its id is the request's head."""

    id: int
    state: str
    tries: int


class TryRow(NamedTuple):
    """One GET that was recorded."""

    callback_id: int
    number: int
    http_status: int


class LedgerRow(NamedTuple):
    """A line of money."""

    account_id: int
    subject_id: int
    kind: str
    amount: int


class Rows(NamedTuple):
    """What the store holds."""

    messages: list[MessageRow]
    attempts: list[AttemptRow]
    callbacks: list[CallbackRow]
    tries: list[TryRow]
    ledger: list[LedgerRow]
    balances: dict[int, int]
    orphans: set[str]
    """Carrier ids of receipts that matched nothing."""


class Evidence(NamedTuple):
    """All of it."""

    asks: list[AskLine]
    submits: list[SubmitLine]
    receipts: list[ReceiptLine]
    calls: list[CallLine]
    rows: Rows
    kills: Sequence[int]
    """When the gateway was killed."""
    restarts: Sequence[int]
    """When it was started after a kill."""
    cuts: Sequence[int]
    """When a connection to the carrier ended without an unbind before, the kills included, in order."""
    unbinds: int


def gather(stage: Stage) -> Evidence:
    """Read everything; all processes should be at rest."""
    journal = list(_lines(stage.journal))
    unbound = {line["link"] for line in journal if line["event"] == "unbind"}
    lost = [line["at_ms"] for line in journal if line["event"] == "lost" and line["link"] not in unbound]
    return Evidence(
        [AskLine(**line) for line in _lines(stage.asked)],
        [_submit(line) for line in journal if line["event"] == "submit"],
        list(_receipts(journal)),
        [_call(line) for line in _lines(stage.called)] if stage.called.exists() else [],
        read_rows(stage),
        tuple(stage.kills),
        tuple(stage.restarts),
        tuple(sorted([*stage.kills, *lost])),
        len(unbound),
    )


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _submit(line: dict[str, Any]) -> SubmitLine:
    found = _KEY.search(line["text"])
    assert found is not None, f"the carrier got a text of nobody: {line['text']!r}"
    refused = line["act"] == "answer" and line["status"] != 0
    phone = "0" + line["phone"].removeprefix("84")
    return SubmitLine(line["at_ms"], found[0], phone, line["part"], line["parts"], refused, line["message_id"])


def _receipts(journal: list[dict[str, Any]]) -> Iterator[ReceiptLine]:
    states: dict[str, str] = {}
    for line in journal:
        if line["event"] == "receipt":
            states[line["message_id"]] = line["state"]
            yield ReceiptLine(line["message_id"], line["state"], acknowledged=False)
        elif line["event"] == "acknowledge" and line["status"] == 0:
            yield ReceiptLine(line["message_id"], states[line["message_id"]], acknowledged=True)


def _call(line: dict[str, Any]) -> CallLine:
    query = line["query"]
    return CallLine(line["at_ms"], query.get("RequestId", ""), line["answer"], line["event_id"], query)


def open_work(stage: Stage) -> tuple[int, int]:
    """How many messages have not ended, and how many callbacks are due; the gateway may be running."""
    ((messages,),), ((callbacks,),) = stage.look(
        "SELECT count(*) FROM message WHERE wake_ms IS NOT NULL",
        "SELECT count(*) FROM callback WHERE due_ms IS NOT NULL",
    )
    return messages, callbacks


def read_rows(stage: Stage) -> Rows:
    """Everything in the store that the reconciliation looks at."""
    messages, attempts, callbacks, tries, ledger, balances, orphans = stage.look(
        "SELECT id, head, account_id, smsid, request_id, phone, price, callback_url, state, release_ms,"
        " wake_ms IS NOT NULL FROM message",
        "SELECT message_id, part, number, state, carrier_id, intent_ms, answer_ms IS NOT NULL FROM attempt",
        "SELECT id, state, tries FROM callback",
        "SELECT callback_id, number, http_status FROM callback_try",
        "SELECT account_id, subject_id, kind, amount FROM ledger",
        "SELECT id, balance FROM account",
        "SELECT carrier_id FROM orphan_receipt",
    )
    return Rows(
        [MessageRow._make((*row[:-1], bool(row[-1]))) for row in messages],
        [AttemptRow._make((*row[:-1], bool(row[-1]))) for row in attempts],
        [CallbackRow(*row) for row in callbacks],
        [TryRow(*row) for row in tries],
        [LedgerRow(*row) for row in ledger],
        {row[0]: row[1] for row in balances},
        {row[0] for row in orphans},
    )
