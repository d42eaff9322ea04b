"""The hard cases of carriers (promises, section 4), each as a row: what goes wrong, and how it must end.

A row is played twice by the tests beside this: over real sockets, and in virtual time. docs/discussions/hard-cases.md
shows the table.
"""

import asyncio
import json
import sqlite3
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import msgspec

from bocau.app import Gateway
from bocau.ports import World
from bocau.provision import Profile
from bocau.settings.sections import Admin, Api, Carrier, Route, Schedule, Settings, Store
from bocau.settings.values import Secret
from bocau.simulator.fault_lines import read_fault
from bocau.simulator.rules import PLAIN, Rules
from bocau.simulator.script import Script
from bocau.simulator.smsc import Smsc, SmscSettings
from bocau.store.sqlite import SqliteStore
from bocau.telemetry import Lines, make_log

__all__ = ["CASES", "Case", "Stand", "play_case"]

T = TypeVar("T")

_LONG: Final = "{P1,20} la ma cua ban. " + "Khong dua ma nay cho bat ky ai, ke ca nhan vien cua chung toi. " * 3
PROFILE: Final = Profile(
    "shop",
    "shop",
    "shop-secret",
    ("Bocau",),
    (("Bocau", "{P1,20} la ma cua ban"), ("Bocau", _LONG)),
    ((2, 850),),
    1_000_000,
)
_SEND: Final = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
_POLL_SECONDS: Final = 0.02
_PATIENCE_SECONDS: Final = 20.0
_ADVANCE_SECONDS: Final = 70


class Case(NamedTuple):
    """One hard case."""

    name: str
    section: str
    what: str
    """What goes wrong, in a line for people."""
    faults: tuple[str, ...]
    """Lines as `bocau fault add` takes them."""
    ends: str
    """The state of every message at its end."""
    submits: int = 1
    """How many parts reach the carrier for a message, repetitions included."""
    messages: int = 1
    long: bool = False
    """In two parts."""
    binds: int = 1
    carriers: int = 1
    released: bool = False
    """The price was given back."""
    later: bool = False
    """Time has to pass, more than a test may wait: the gateway's clock is moved."""
    restart: bool = False
    """The gateway is stopped and started before the receipt comes."""
    policy: str = "hold"


CASES: Final = (
    Case("no-answer", "4.1", "the submit is never answered, no receipt comes", ("silence",), "unknown", later=True),
    Case("late-answer", "4.1", "the answer comes after our time-out", ("slow seconds=1.2",), "delivered"),
    Case(
        "cut-answer",
        "4.1",
        "half of the answer, then the end of the connection",
        ("spoiled_answer spoiled=half",),
        "delivered",
        later=True,
    ),
    Case(
        "cut-link",
        "4.1",
        "the connection ends instead of the answer, nothing was taken",
        ("disconnect",),
        "unknown",
        later=True,
    ),
    Case(
        "sent-once-more",
        "4.1",
        "never answered, and the policy sends once more",
        ("silence for_messages=1",),
        "delivered",
        2,
        policy="resend_once",
    ),
    Case(
        "failed-over-once",
        "4.1",
        "never answered, and the policy asks another carrier",
        ("silence account=c0",),
        "delivered",
        2,
        carriers=2,
        policy="fail_over_once",
    ),
    Case("receipt-first", "4.2", "the receipt comes before the answer", ("receipt_first",), "delivered"),
    Case("other-bind", "4.2", "the receipt comes over another bind", ("other_bind",), "delivered", binds=2),
    Case("after-restart", "4.2", "the receipt comes after a restart", ("late seconds=2.5",), "delivered", restart=True),
    Case(
        "cut-receipt",
        "4.2",
        "half of the receipt, then the end of the connection",
        ("spoiled_receipt spoiled=half",),
        "delivered",
    ),
    Case("hex-id", "4.3", "the receipt has the id in hexadecimal", ("hex_id",), "delivered"),
    Case(
        "padded-id",
        "4.3",
        "answer in upper-case hexadecimal, receipt in decimal with zeros",
        ("ids answer_id=upper_hex receipt_id=padded",),
        "delivered",
    ),
    Case(
        "case-of-id",
        "4.3",
        "answer in upper case with zeros, receipt in lower case",
        ("ids answer_id=padded_hex receipt_id=hex",),
        "delivered",
    ),
    Case("other-phone", "4.3", "the receipt has the right id and another phone", ("astray",), "unknown", later=True),
    Case("receipt-twice", "4.4", "the receipt comes twice", ("twice",), "delivered"),
    Case(
        "same-sequence",
        "4.4",
        "twice under one sequence number, then as it should",
        ("spoiled_receipt spoiled=twice",),
        "delivered",
    ),
    Case(
        "bad-then-good",
        "4.4",
        "undelivered, then delivered",
        ("receipts states=UNDELIV,DELIVRD seconds=0.2",),
        "delivered",
        released=True,
    ),
    Case(
        "good-then-bad",
        "4.4",
        "delivered, then undelivered",
        ("receipts states=DELIVRD,UNDELIV seconds=0.2",),
        "delivered",
    ),
    Case(
        "backwards",
        "4.4",
        "delivered, then under way",
        ("receipts states=DELIVRD,ENROUTE,ACCEPTD seconds=0.1",),
        "delivered",
    ),
    Case(
        "part-put-off",
        "4.5",
        "the second part is refused for now, once",
        ("refuse part=2 status=8 for_messages=1",),
        "delivered",
        3,
        long=True,
    ),
    Case(
        "part-refused",
        "4.5",
        "the second part is refused for good",
        ("refuse part=2 status=11",),
        "failed",
        2,
        long=True,
        released=True,
    ),
    Case(
        "part-unanswered",
        "4.5",
        "the second part is never answered",
        ("silence part=2",),
        "unknown",
        2,
        long=True,
        later=True,
    ),
    Case(
        "part-undelivered",
        "4.5",
        "one part is not delivered",
        ("undelivered part=2",),
        "failed",
        2,
        long=True,
        released=True,
    ),
    Case(
        "refused-here",
        "4.6",
        "one carrier refuses it for good, another one takes it; charged once",
        ("refuse status=11 account=c0",),
        "delivered",
        2,
        carriers=2,
    ),
    Case("failed-late", "4.7", "taken, then not delivered", ("undelivered",), "failed", released=True),
    Case("throttled", "4.1", "more than 5 a second are throttled", ("throttle per_second=5",), "delivered", 0, 12),
    Case("full-queue", "4.1", "a full queue, twice", ("refuse status=20 for_messages=2",), "delivered", 3),
    Case("unbound", "4.1", "the carrier unbinds over the submit", ("unbind",), "unknown", later=True),
    Case("frozen", "4.1", "the connection stays open and says nothing more", ("freeze",), "unknown", later=True),
    Case(
        "wrong-length",
        "4.1",
        "the answer's command_length is wrong",
        ("spoiled_answer spoiled=length",),
        "delivered",
        later=True,
    ),
    Case(
        "too-long",
        "4.1",
        "the answer's command_length takes in the next PDU",
        ("spoiled_answer spoiled=too_long",),
        "delivered",
        later=True,
    ),
    Case(
        "stray-answer",
        "4.1",
        "an answer that answers nothing comes before",
        ("spoiled_answer spoiled=stray",),
        "delivered",
    ),
    Case("doubled-answer", "4.1", "the answer comes twice", ("spoiled_answer spoiled=twice",), "delivered"),
    Case("outbind", "4.1", "an outbind comes before the answer", ("spoiled_answer spoiled=outbind",), "delivered"),
    Case(
        "bodiless-receipt",
        "4.2",
        "a receipt without a body, then as it should",
        ("spoiled_receipt spoiled=body",),
        "delivered",
    ),
    Case(
        "bind-refused",
        "4.1",
        "binds are refused for now at first",
        ("refuse_bind status=8 for_messages=2",),
        "delivered",
    ),
)


class Stand(Protocol):
    """Where a case is played."""

    host: str
    """Of the carrier and of the gateway."""

    def world(self, name: str) -> World:
        """The world of one of them: gateway, carrier, customer."""
        ...

    async def run(self, name: str, work: Coroutine[Any, Any, T]) -> T:
        """Run something as one of them."""
        ...


def _settings(case: Case, folder: Path, host: str, port: int) -> Settings:
    link = Carrier(
        name="c0",
        host=host,
        port=port,
        system_id="c0",
        password=Secret("pw"),
        binds=case.binds,
        enquire_seconds=1.0,
        response_seconds=0.6,
        reconnect_first_seconds=0.1,
        reconnect_longest_seconds=0.3,
        receipt_utc_offset_minutes=0,
    )
    names = [f"c{number}" for number in range(case.carriers)]
    return Settings(
        api=Api(host=host, port=0),
        admin=Admin(host=host, port=0),
        store=Store(path=str(folder / "bocau.db")),
        schedule=Schedule(
            otp_ttl_seconds=60,
            other_ttl_seconds=60,
            uncertain_otp_seconds=120,
            uncertain_other_seconds=120,
            receipt_seconds=120,
        ),
        carrier=tuple(msgspec.structs.replace(link, name=name, system_id=name) for name in names),
        route=(Route(name="all", carriers=tuple(names), uncertain_policy=case.policy),),  # type: ignore[arg-type]
    )


async def play_case(case: Case, stand: Stand, folder: Path, said: Any) -> None:  # noqa: ANN401 - a stream of text
    """Play it to its end, and look. Raises AssertionError."""
    carrier, gateway_world = stand.world("carrier"), stand.world("gateway")
    smsc_settings = SmscSettings(response_seconds=2.0, enquire_seconds=5.0, retry_seconds=0.2)
    smsc = await stand.run(
        "carrier", Smsc.start(carrier, stand.host, 0, Rules(0.1, table=PLAIN), settings=smsc_settings)
    )
    smsc.script = Script(tuple(read_fault(line, carrier.now_ms()) for line in case.faults))
    settings = _settings(case, folder, stand.host, smsc.port)
    log = make_log(Lines(said), gateway_world.now_ms)
    gateway = Gateway(settings, gateway_world, log, _fatal, (PROFILE,), threaded=False)
    await stand.run("gateway", gateway.start())
    try:
        for number in range(case.messages):
            await stand.run("customer", _send(case, number, stand, gateway.api.port))
        if case.restart:
            await _until(stand, lambda: smsc.counts.taken > 0, "it is taken")
            await stand.run("gateway", gateway.stop())
            gateway = Gateway(settings, gateway_world, log, _fatal, (PROFILE,), threaded=False)
            await stand.run("gateway", gateway.start())
        await _finish(case, stand, gateway)
        await _until(stand, lambda: not smsc.waiting, "every receipt is handed over")
        _look(case, gateway, smsc)
    finally:
        await stand.run("gateway", gateway.stop())
        await stand.run("carrier", smsc.close())


def _fatal(error: BaseException) -> None:
    raise AssertionError from error


async def _send(case: Case, number: int, stand: Stand, port: int) -> None:
    code = f"{4000 + number}"
    text = _LONG.replace("{P1,20}", code) if case.long else f"{code} la ma cua ban"
    members = {"ApiKey": "shop", "SecretKey": "shop-secret", "Phone": f"09012{number:05d}", "Content": text}
    body = json.dumps({**members, "Brandname": "Bocau", "SmsType": "2"}).encode()
    reader = asyncio.StreamReader()
    transport = await stand.world("customer").dial(lambda: asyncio.StreamReaderProtocol(reader), stand.host, port)
    head = f"POST {_SEND} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    transport.write(head.encode() + body)
    answer = await reader.read()
    transport.abort()
    assert b'"CodeResult":"100"' in answer, answer


async def _until(stand: Stand, ready: Any, what: str) -> None:  # noqa: ANN401 - a condition
    world = stand.world("customer")
    gives_up = world.monotonic() + _PATIENCE_SECONDS
    while not ready():
        assert world.monotonic() < gives_up, f"it never came to this: {what}"
        await world.sleep(_POLL_SECONDS)


async def _finish(case: Case, stand: Stand, gateway: Gateway) -> None:
    """Until every message has ended as it must. What takes minutes is a matter of the gateway's clock."""

    def ended() -> bool:
        rows = _reader(gateway).execute("SELECT state, wake_ms FROM message").fetchall()
        return all(state == case.ends and wake is None for state, wake in rows)

    world = stand.world("customer")
    if case.later:
        await world.sleep(2.0)
        for _ in range(2):
            gateway.world.advance(_ADVANCE_SECONDS * 1000)
            await world.sleep(1.5)
    await _until(stand, ended, f"every message is {case.ends}: {_states(gateway)}")


def _reader(gateway: Gateway) -> sqlite3.Connection:
    """The store's own connection, for a look."""
    assert isinstance(gateway.store, SqliteStore)
    return gateway.store._reader


def _states(gateway: Gateway) -> object:
    return _reader(gateway).execute("SELECT state, reason FROM message").fetchall()


def _look(case: Case, gateway: Gateway, smsc: Smsc) -> None:
    """Money, submits, and nothing of our own that broke."""
    ledger = _reader(gateway).execute("SELECT kind, count(*) FROM ledger WHERE kind <> 'top_up' GROUP BY kind")
    money = dict(ledger.fetchall())
    assert money["hold"] == case.messages
    assert money.get("release", 0) == (case.messages if case.released else 0)
    assert money.get("capture", 0) <= case.messages
    if case.submits:
        assert smsc.counts.submits == case.submits * case.messages
    else:
        assert smsc.counts.taken == case.messages
