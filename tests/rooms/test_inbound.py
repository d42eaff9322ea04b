"""Telling the operator's address what subscribers wrote."""

import asyncio
import io
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import pytest
from tests.simulation.world import BEGIN_MS, Machine, Network, play

from bocau.core.message import InboundTry, InboundWhole
from bocau.ports import HttpAnswer, HttpFailure
from bocau.report.callbacks import CallbackPolicy
from bocau.report.inbound import InboundTeller
from bocau.store.contract import Done
from bocau.telemetry import Lines, make_log
from bocau.wire.smpp.codec import encode
from bocau.wire.smpp.inbound import text_of
from bocau.wire.smpp.pdu import Command, DataSm, DeliverSm, Pdu

POLICY = CallbackPolicy((0, 30), 0, 10.0, 2, 100, (b"0123456789abcdef",))
URL = "https://ops.example/mo?team=a"


def pdu(**fields: object) -> bytes:
    """What a carrier delivered."""
    return encode(Pdu(Command.DELIVER_SM, 0, 1, DeliverSm(source_addr="84901", **fields)))  # type: ignore[arg-type]


def whole(number: int, *raws: bytes, tries: int = 0) -> InboundWhole:
    """A message with its parts."""
    return InboundWhole(number, "north", "84901234567", "1900", BEGIN_MS, tries, raws or (pdu(short_message=b"STOP"),))


class Store:
    """Hands out what is due once."""

    def __init__(self, due: list[InboundWhole]) -> None:
        self.due = due
        self.told: list[InboundTry] = []

    async def claim_inbound(self, now_ms: int, limit: int) -> list[InboundWhole]:
        taken, self.due = self.due[:limit], self.due[limit:]
        return taken

    def inbound_told(self, attempt: InboundTry, done: Done[None]) -> None:
        self.told.append(attempt)
        done(None)


class Gate:
    """Notes each call, answers after a second."""

    def __init__(self, machine: Machine, result: HttpAnswer | HttpFailure) -> None:
        self.machine = machine
        self.result = result
        self.urls: list[str] = []
        self.headers: list[Sequence[tuple[str, str]]] = []

    def begin(
        self,
        url: str,
        headers: Callable[[str], Sequence[tuple[str, str]]],
        seconds: float,
        done: Callable[[HttpAnswer | HttpFailure], None],
    ) -> None:
        self.urls.append(url)
        self.headers.append(headers(urlsplit(url).path))
        self.machine.network.loop.call_later(1.0, done, self.result)


def tell(due: list[InboundWhole], result: HttpAnswer | HttpFailure) -> tuple[Store, Gate, str]:
    """Run the room for ten seconds."""
    said = io.StringIO()

    async def scenario(network: Network) -> tuple[Store, Gate]:
        machine = network.machine("us", "10.0.0.1")
        store, gate = Store(due), Gate(machine, result)
        teller = InboundTeller(machine.world, store, gate, URL, POLICY, make_log(Lines(said), machine.world.now_ms))
        teller.loop.start()
        await asyncio.sleep(10.0)
        await teller.loop.stop()
        return store, gate

    store, gate = play(scenario)
    return store, gate, said.getvalue()


def test_the_address_is_told_who_wrote_what_to_whom() -> None:
    """Behind the operator's own query, signed like a callback."""
    store, gate, said = tell([whole(7)], HttpAnswer(200, b"OK", ""))
    (url,) = gate.urls
    assert url.startswith(f"{URL}&MOID=7&Phone=84901234567&ShortCode=1900&Content=STOP&Carrier=north&ReceivedAt=")
    assert dict(gate.headers[0])["webhook-id"] == "mo-7"
    assert store.told == [InboundTry(7, 1, "done", None)]
    assert said == ""


@pytest.mark.parametrize(
    ("tries", "result", "state", "again"),
    [
        (0, HttpAnswer(500, b"", ""), "waiting", True),
        (0, HttpFailure("refused", refused=True), "waiting", True),
        (1, HttpAnswer(500, b"", ""), "given_up", False),
        (0, HttpAnswer(410, b"", ""), "given_up", False),
    ],
)
def test_what_fails_is_tried_again_by_the_callbacks_schedule(
    tries: int, result: HttpAnswer | HttpFailure, state: str, again: bool
) -> None:
    """And kept when the last try failed; the line names neither number nor text."""
    store, _, said = tell([whole(7, tries=tries)], result)
    (attempt,) = store.told
    assert (attempt.number, attempt.state, attempt.again_ms is not None) == (tries + 1, state, again)
    assert "STOP" not in said
    assert "84901234567" not in said
    assert said.count('"inbound":7') == 1


def test_no_more_run_at_once_than_callbacks_may() -> None:
    """Five messages, two at a time, all told."""
    store, gate, _ = tell([whole(number) for number in range(5)], HttpAnswer(204, b"", ""))
    assert len(gate.urls) == len(store.told) == 5


@pytest.mark.parametrize(
    ("raws", "text"),
    [
        ((pdu(short_message=b"xin ch\x00o"),), "xin ch@o"),
        ((pdu(short_message="Chào".encode("utf-16-be"), data_coding=8),), "Chào"),
        ((pdu(short_message=b"\xe9t\xe9", data_coding=3),), "été"),
        ((pdu(short_message=b"\x01\xff", data_coding=4),), "01ff"),
        (
            (
                pdu(esm_class=0x40, short_message=b"\5\0\3\7\2\1Xin "),
                pdu(esm_class=0x40, short_message=b"\5\0\3\7\2\2chao"),
            ),
            "Xin chao",
        ),
        (
            (
                pdu(esm_class=0x40, data_coding=8, short_message=b"\5\0\3\7\2\1" + "😀".encode("utf-16-be")[:2]),
                pdu(esm_class=0x40, data_coding=8, short_message=b"\5\0\3\7\2\2" + "😀".encode("utf-16-be")[2:]),
            ),
            "😀",
        ),
        ((encode(Pdu(Command.DATA_SM, 0, 1, DataSm(tlvs=((0x0424, b"STOP"),)))),), "STOP"),
        ((b"\x00\xffno PDU",), "00ff6e6f20504455"),
    ],
)
def test_the_text_is_read_by_its_data_coding_and_joined_before_it_is_decoded(
    raws: tuple[bytes, ...], text: str
) -> None:
    """A sign may lie across the cut; octets that are no text are shown as digits."""
    assert text_of(raws) == text
