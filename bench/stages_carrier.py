"""Stages between the commit and the receipt: the hand-over, the carrier's session both ways. No socket, no store."""

import asyncio
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from typing import cast

from bench.carrier import receipt_pdu, submit_answer
from bench.stage import Effort, Stage, best_later
from bocau.core.message import Admission, Answer, Due, InboundIn, Intent, Message, Past, ReceiptIn, ReceiptStored
from bocau.deliver.smpp import CarrierSettings, SmppCarrier
from bocau.dispatch.loop import Dispatcher
from bocau.dispatch.outlet import Outlet
from bocau.dispatch.pace import Pace
from bocau.dispatch.plan import Choice, Route, RouteTable
from bocau.loops import Lane
from bocau.ports import Pulse, Submission
from bocau.report.receipts import ReceiptDesk
from bocau.store.contract import Claimed, Done, OutcomeDeadlines, Recorded, Unreported
from bocau.telemetry import CarrierMeters, DispatchMeters, Lines, Log, ReportMeters, make_log
from bocau.wire.gsm.parts import Profile
from bocau.wire.smpp.codec import Framer, encode
from bocau.wire.smpp.events import BindMode, Role, SessionConfig, SubmitAnswered
from bocau.wire.smpp.pdu import BindResp, Command, Pdu, SubmitSm
from bocau.wire.smpp.session import Session
from bocau.world import RealWorld

__all__ = ["carrier_stages", "quiet_log"]

_WINDOW = 64
_NAME = "simulator"
_STORED = ReceiptStored(matched=True, changed=True, callback=None, lag_ms=0)
_RECORDED = Recorded(None, None)
_HANDS_FREE = 1_000_000


def quiet_log(world: RealWorld) -> Log:
    """A log as the end-to-end run has it."""
    return make_log(Lines(sys.stderr), world.now_ms, "warning")


async def carrier_stages(admissions: list[Admission], effort: Effort) -> dict[str, Stage]:
    """By name: hand-over, submit, session (a part of submit), receipt."""
    messages = [one.messages[0] for one in admissions]
    submissions: list[Submission] = []
    hand_over = await best_later(effort, lambda: _hand_over(messages, submissions))
    submit: list[float] = []
    receipt: list[float] = []
    for _ in range(effort.rounds):
        account = await _Account.bound()
        submit.append(await account.submit(submissions[: len(messages)]))
        receipt.append(await account.deliver())
        await account.end()
    session = await best_later(effort, lambda: _session(submissions[: len(messages)]))
    return {
        "hand-over": Stage("hand-over from the commit to the carrier", hand_over, 3),
        "submit": Stage(f"carrier: submit and answer, window {_WINDOW}, no socket", round(min(submit), 2), 8),
        "session": Stage("the SMPP session alone", session, None, part=True),
        "receipt": Stage("receipt: decode, parse, match, acknowledge", round(min(receipt), 2), 10),
    }


class _Store:
    """Says yes at once."""

    epoch = 1

    async def claim(self, now_ms: int, room: Mapping[str, int], closed: frozenset[str]) -> Claimed:
        del now_ms, room, closed
        return Claimed([], frozenset(), whole=True)

    async def past(self, message_id: int) -> Past:
        raise KeyError(message_id)

    async def open_parts(self, message_id: int) -> tuple[int, ...]:
        del message_id
        return ()

    def begin(self, intent: Intent, done: Done[int | None]) -> None:
        del intent
        done(0)

    def hand_back(self, message_id: int, due_ms: int, parked: str, done: Done[None]) -> None:
        del message_id, due_ms, parked
        done(None)

    def record(self, answer: Answer, done: Done[Recorded]) -> None:
        del answer
        done(_RECORDED)

    def inbound(self, inbound: InboundIn, done: Done[None]) -> None:
        del inbound
        done(None)

    async def unreported(self, carrier: str, limit: int) -> list[Unreported]:
        del carrier, limit
        return []

    async def id_forms(self) -> dict[str, str]:
        return {}

    def learn_ids(self, carrier: str, form: str, at_ms: int, done: Done[None]) -> None:
        del carrier, form, at_ms
        done(None)

    def receipt(self, receipt: ReceiptIn, done: Done[ReceiptStored]) -> None:
        del receipt
        done(_STORED)


class _Taker:
    """A carrier that has always room."""

    name = _NAME
    room = _HANDS_FREE
    up = True
    outstanding = 0

    def __init__(self, taken: list[Submission]) -> None:
        self.submit = taken.append
        self.pulse = Pulse()
        self.adapts = False

    def reserve(self, parts: int) -> None:
        del parts

    def release(self, parts: int) -> None:
        del parts


async def _hand_over(messages: list[Message], taken: list[Submission]) -> float:
    """Through the dispatcher: route, pace, intent, parts. What it submits is kept for the stages that follow."""
    world = RealWorld()
    taken.clear()
    carrier = cast("SmppCarrier", _Taker(taken))
    dispatcher = Dispatcher(world, _Store(), _HANDS_FREE, DispatchMeters(), quiet_log(world))
    table = RouteTable([Route("all", (Choice(_NAME),))])
    dispatcher.equip(table, {_NAME: Outlet(carrier, Pace(0), Profile())})
    lane = dispatcher.lane
    began = time.process_time()
    for start in range(0, len(messages), _WINDOW):
        for message in messages[start : start + _WINDOW]:
            lane.reserve(message.account_id, message.route_class, 1)
            lane.fill(message)
        await asyncio.sleep(0)
    used = time.process_time() - began
    if len(taken) != len(messages):
        raise ValueError("the dispatcher kept messages")
    return used / len(messages) * 1e6


class _Pipe(asyncio.Transport):
    """A transport without a socket: keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        pass

    close = abort


class _PipeWorld(RealWorld):
    """Dials into a pipe."""

    def __init__(self) -> None:
        super().__init__()
        self.pipe = _Pipe()
        self.protocol: asyncio.Protocol

    async def dial(
        self,
        factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> asyncio.Transport:
        del host, port, tls, server_hostname
        self.protocol = factory()
        self.protocol.connection_made(self.pipe)
        return self.pipe


class _Account:
    """A carrier account whose other end is this file."""

    def __init__(self, world: _PipeWorld) -> None:
        self._world = world
        self._framer = Framer()
        self._phones: list[str] = []
        store, log = _Store(), quiet_log(world)
        desk = ReceiptDesk(store, Lane[Due](_HANDS_FREE, _nothing), ReportMeters(), log)
        deadlines = OutcomeDeadlines(300_000, 3_600_000, 86_400_000)
        self.carrier = SmppCarrier(
            world,
            store,
            desk.take,
            _settings(),
            deadlines,
            CarrierMeters(),
            log,
            on_room=_nothing,
            on_callbacks=_nothing,
        )

    @classmethod
    async def bound(cls) -> "_Account":
        """One with its link up."""
        world = _PipeWorld()
        account = cls(world)
        account.carrier.start()
        while not world.pipe.written:  # noqa: ASYNC110 - the next turn has it
            await asyncio.sleep(0)
        (frame,) = account._framer.feed(world.pipe.written.pop())
        answer = encode(Pdu(Command.BIND_TRANSCEIVER_RESP, 0, frame.sequence, BindResp("bench")))
        world.protocol.data_received(answer)
        return account

    async def submit(self, submissions: list[Submission]) -> float:
        """A window at a time: submit all, then take all answers."""
        carrier, written, used, serial = self.carrier, self._world.pipe.written, 0.0, 0
        self._phones = [one.phone for one in submissions]
        for start in range(0, len(submissions), _WINDOW):
            window = submissions[start : start + _WINDOW]
            began = time.process_time()
            for submission in window:
                carrier.reserve(1)
                carrier.submit(submission)
            await asyncio.sleep(0)
            used += time.process_time() - began
            frames = list(self._framer.feed(b"".join(written)))
            written.clear()
            if len(frames) != len(window):
                raise ValueError("the link held submits back")
            answers = []
            for frame in frames:
                answers.append(submit_answer(frame.sequence, f"b{serial:09x}"))
                serial += 1
            used += await self._feed(b"".join(answers))
        return used / len(submissions) * 1e6

    async def deliver(self) -> float:
        """Receipts for all of them, as many at a time."""
        written, used, count = self._world.pipe.written, 0.0, len(self._phones)
        for start in range(0, count, _WINDOW):
            numbers = range(start, min(count, start + _WINDOW))
            pdus = [receipt_pdu(n + 1, f"b{n:09x}", f"84{self._phones[n][1:]}", "Baotrixemay") for n in numbers]
            used += await self._feed(b"".join(pdus))
            if len(list(self._framer.feed(b"".join(written)))) != len(pdus):
                raise ValueError("a receipt was not acknowledged")
            written.clear()
        return used / count * 1e6

    async def end(self) -> None:
        """Unbind, and lose the connection as a peer would end it."""
        stopping = asyncio.ensure_future(self.carrier.stop(1.0))
        while not self._world.pipe.written:  # noqa: ASYNC110 - the next turn has it
            await asyncio.sleep(0)
        self._world.protocol.connection_lost(None)
        await stopping

    async def _feed(self, data: bytes) -> float:
        """CPU seconds of receiving this and writing what follows from it."""
        began = time.process_time()
        self._world.protocol.data_received(data)
        await asyncio.sleep(0)
        return time.process_time() - began


async def _session(submissions: list[Submission]) -> float:
    """Submits and answers on a bare session."""
    config = SessionConfig(system_id="bench", mode=BindMode.TRANSCEIVER, window=_WINDOW)
    session = Session(config, Role.ESME, 0.0)
    session.start(0.0)
    framer = Framer()
    (bind,) = framer.feed(session.data_to_send())
    session.receive(encode(Pdu(Command.BIND_TRANSCEIVER_RESP, 0, bind.sequence, BindResp("bench"))), 0.0)
    pdus = [
        SubmitSm("", 5, 0, one.sender, 1, 1, f"84{one.phone[1:]}", 0, 0, 0, "", "", 1, 0, 0, 0, one.parts[0].data)
        for one in submissions
    ]
    used = 0.0
    for start in range(0, len(pdus), _WINDOW):
        began = time.process_time()
        for pdu in pdus[start : start + _WINDOW]:
            session.submit(pdu, pdu, 0.0)
        sent = session.data_to_send()
        used += time.process_time() - began
        answers = b"".join([submit_answer(frame.sequence, f"b{frame.sequence:09x}") for frame in framer.feed(sent)])
        began = time.process_time()
        events = session.receive(answers, 0.0)
        used += time.process_time() - began
        if not all(isinstance(event, SubmitAnswered) for event in events):
            raise ValueError("an answer was not understood")
    return used / len(pdus) * 1e6


def _settings() -> CarrierSettings:
    return CarrierSettings(
        _NAME, "127.0.0.1", 2775, "bench", "bench", "", "transceiver", 1, _WINDOW, 30.0, 10.0, 1.0, 60.0
    )


def _nothing() -> None:
    return
