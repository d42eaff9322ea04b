"""The carrier of the bench: an SMSC that takes every submit and sends its receipt after a delay, as cheaply as it can.

It serves the bench alone: no faults, no rules. The simulated carrier of `bocau dev` is in bocau.simulator.
"""

import asyncio
import time
from collections import deque
from struct import Struct
from typing import cast

from bench.tally import Tally
from bocau.wire.smpp.codec import Frame, Framer, decode_submit_sm, encode, encode_bare, encode_deliver_sm
from bocau.wire.smpp.pdu import RESPONSE_BIT, BindResp, Command, DeliverSm, Pdu

__all__ = ["Smsc", "receipt_pdu", "submit_answer"]

_HEADER = Struct(">IIII")
_TICK_SECONDS = 0.002
_AGAIN_SECONDS = 1.0
_RECEIPT = 0x04
_SAYS = "sub:001 dlvrd:001 submit date:2511220211 done date:2511220212 stat:DELIVRD err:000 text:"
_BINDS = frozenset({Command.BIND_TRANSCEIVER, Command.BIND_TRANSMITTER, Command.BIND_RECEIVER})


def submit_answer(sequence: int, carrier_id: str) -> bytes:
    """A submit_sm_resp that takes the message."""
    name = carrier_id.encode()
    return _HEADER.pack(17 + len(name), Command.SUBMIT_SM_RESP, 0, sequence) + name + b"\0"


def receipt_pdu(sequence: int, carrier_id: str, phone: str, sender: str) -> bytes:
    """A deliver_sm that says delivered, in the form of SMPP 3.4, appendix B."""
    text = f"id:{carrier_id} {_SAYS}".encode()
    return encode_deliver_sm(sequence, DeliverSm("", 1, 1, phone, 5, 0, sender, _RECEIPT, short_message=text))


class Smsc:
    """The carrier's end: counts what comes into the tally."""

    def __init__(self, tally: Tally, receipt_delay_seconds: float) -> None:
        self.tally = tally
        self.receipt_delay_seconds = receipt_delay_seconds
        self.bound = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._taken = 0

    async def start(self) -> int:
        """Listen; returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Link(self), "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def next_id(self) -> str:
        """The carrier's id of one more message; no two equal."""
        self._taken += 1
        return f"b{self._taken:09x}"

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()


class _Link(asyncio.Protocol):
    """One bind."""

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc
        self._tally = smsc.tally
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self._sequence = 0
        self._due: deque[tuple[float, int, str, str, str]] = deque()
        """Receipts to come: when, the message's number, carrier id, phone, sender."""
        self._asked: dict[int, tuple[float, int, str, str, str]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed."""
        del exc
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """PDUs; all answers to them leave in one write."""
        out: list[bytes] = []
        for frame in self._framer.feed(data):
            command = frame.command
            if command == Command.SUBMIT_SM:
                out.append(self._take(frame))
            elif command == Command.DELIVER_SM_RESP:
                self._acknowledged(frame)
            elif command in _BINDS:
                out.append(encode(Pdu(command | RESPONSE_BIT, 0, frame.sequence, BindResp("bench"))))
                self._smsc.bound.set()
            elif command in (Command.ENQUIRE_LINK, Command.UNBIND):
                out.append(encode_bare(command | RESPONSE_BIT, 0, frame.sequence))
        if out and self._transport is not None:
            self._transport.write(b"".join(out))

    def _take(self, frame: Frame) -> bytes:
        submit = decode_submit_sm(frame)
        number = int(submit.short_message[:7])
        self._tally.arrived(number)
        carrier_id = self._smsc.next_id()
        due_at = time.monotonic() + self._smsc.receipt_delay_seconds
        self._due.append((due_at, number, carrier_id, submit.destination_addr, submit.source_addr))
        self._wait()
        return submit_answer(frame.sequence, carrier_id)

    def _acknowledged(self, frame: Frame) -> None:
        receipt = self._asked.pop(frame.sequence, None)
        self._tally.steps += 1
        if not frame.status:
            self._tally.receipts_taken += 1
        elif receipt is not None:
            self._tally.receipts_put_off += 1
            self._due.append((time.monotonic() + _AGAIN_SECONDS, *receipt[1:]))
            self._wait()

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._report)

    def _report(self) -> None:
        """Send every receipt that is due, in one write."""
        self._timer = None
        if self._transport is None:
            return
        now = time.monotonic()
        out = []
        while self._due and self._due[0][0] <= now:
            receipt = self._due.popleft()
            _, number, carrier_id, phone, sender = receipt
            self._sequence += 1
            self._asked[self._sequence] = receipt
            self._tally.receipt_at[number] = now
            out.append(receipt_pdu(self._sequence, carrier_id, phone, sender))
        if out:
            self._transport.write(b"".join(out))
        if self._due:
            self._wait()
