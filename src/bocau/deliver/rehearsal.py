"""`bocau link test`: a connection of its own that walks the way of a message, step by step, each one timed.

Name, TCP, TLS, bind, enquire_link, and, if a number is given, one SMS and its receipt. The links that work are left
alone, and what the carrier delivers to the test meanwhile is stored as if it had come to one of them. The SMS is no
message of a customer: it is not in the store and costs nobody's balance, only the carrier's price.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeVar, cast

from bocau.core import phone as phones
from bocau.core.message import AttemptKey
from bocau.core.outcome import match_key
from bocau.deliver.link import CarrierSettings
from bocau.deliver.profile import make_submit
from bocau.deliver.smpp import SmppCarrier
from bocau.ports import ActRefused, PartOut, Submission, World
from bocau.wire.gsm.alphabet import GsmError
from bocau.wire.gsm.parts import cut
from bocau.wire.smpp.events import (
    BindMode,
    BindRefused,
    Bound,
    Closed,
    Delivered,
    Event,
    Role,
    SessionConfig,
    SubmitAnswered,
)
from bocau.wire.smpp.pdu import FieldError
from bocau.wire.smpp.receipt import ReceiptState, read_receipt
from bocau.wire.smpp.session import Session
from bocau.wire.smpp.status import Answer, Status, status_name

__all__ = ["Rehearsal", "Step"]

T = TypeVar("T")

_STEP_SECONDS: Final = 10.0
_RECEIPT_SECONDS: Final = 60.0


class Step(NamedTuple):
    """One step of the way."""

    name: str
    ok: bool
    milliseconds: float
    said: str
    """What came of it, in plain words."""


class _Failed(Exception):  # noqa: N818 - ends the walk
    """A step did not work; the text says why."""


class _Line(asyncio.Protocol):
    """The connection of a rehearsal: bytes to a session, its events to whoever waits."""

    def __init__(self, world: World, config: SessionConfig, others: Callable[["_Line", Delivered], None]) -> None:
        """`others` takes what the carrier delivers here and nobody waits for."""
        self.others = others
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.session = Session(config, Role.ESME, world.monotonic())
        self.transport: asyncio.Transport | None = None
        self.connection = 1
        self._world = world

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes from the carrier."""
        for event in self.session.receive(data, self._world.monotonic()):
            self.events.put_nowait(event)
        self.flush()

    def connection_lost(self, error: Exception | None) -> None:
        """Gone."""
        self.events.put_nowait(Closed(f"connection lost: {error or 'closed by the carrier'}"))

    def flush(self) -> None:
        """Write what is queued."""
        data = self.session.data_to_send()
        if data and self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def answer(self, connection: int, sequence: int, status: int) -> None:
        """Acknowledge what was delivered here; see deliver/smpp.py."""
        del connection
        self.session.answer_delivered(sequence, status)
        self.flush()

    async def wait_for(self, kind: type[T]) -> T:
        """The next event of a kind. Raises _Failed when the connection ends first."""
        while True:
            event = await self.events.get()
            if isinstance(event, kind):
                return event
            if isinstance(event, Closed):
                raise _Failed(event.reason)
            if isinstance(event, BindRefused):
                raise _Failed(f"the carrier refuses the log-in: {status_name(event.status)}")
            if isinstance(event, Delivered):
                self.others(self, event)


class Rehearsal:
    """One walk. Its steps are in the order of the way, and end with the first that fails."""

    def __init__(self, world: World, carrier: SmppCarrier) -> None:
        self._world = world
        self._carrier = carrier
        self._settings: CarrierSettings = carrier.settings
        self._steps: list[Step] = []
        self._address = ""
        self._line: _Line

    async def play(self, *, to: str, sender: str, text: str) -> list[Step]:
        """Walk, as far as it goes. Raises ActRefused for a number or text that cannot be sent."""
        phone = phones.normalise(to) if to else None
        if to and not phone:
            raise ActRefused("The number is no Vietnamese mobile number.")
        try:
            parts = cut(text or "bocau link test", 0)
        except GsmError as error:
            raise ActRefused(f"The text cannot be sent: {error}.") from error
        if len(parts) > 1:
            raise ActRefused("The text is longer than one SMS.")
        part = PartOut(1, parts[0].data, parts[0].data_coding, parts[0].esm_class)
        try:
            await self._connect()
            if phone:
                await self._send(Submission(0, 0, 0, 1, sender, phone, "otp", (part,)), part)
        except _Failed:
            pass
        finally:
            await self._leave()
        return self._steps

    async def _connect(self) -> None:
        settings = self._settings
        config = SessionConfig(
            system_id=settings.system_id,
            password=settings.password,
            system_type=settings.system_type,
            mode=BindMode.TRANSMITTER if settings.bind_mode == "pair" else BindMode(settings.bind_mode),
            addr_ton=settings.address[0],
            addr_npi=settings.address[1],
            address_range=settings.address[2],
            window=1,
        )
        self._line = _Line(self._world, config, self._carrier.on_event)
        await self._step("name", self._resolve)
        if settings.tls is not None:
            await self._step("TCP", self._dial_plain)
        await self._step("TCP" if settings.tls is None else "TLS", self._dial)
        await self._step("bind", self._bind)
        await self._step("enquire_link", self._enquire)

    async def _send(self, submission: Submission, part: PartOut) -> None:
        receipt: asyncio.Future[ReceiptState] = asyncio.get_running_loop().create_future()
        message_id = await self._step("SMS", lambda: self._submit(submission, part))
        key = match_key(message_id)
        self._carrier.expected[key] = lambda state: None if receipt.done() else receipt.set_result(state)
        try:
            await self._step("receipt", lambda: self._receipt(key, receipt), _RECEIPT_SECONDS)
        finally:
            del self._carrier.expected[key]

    async def _step(self, name: str, act: Callable[[], Awaitable[tuple[str, T]]], seconds: float = _STEP_SECONDS) -> T:
        """Do one step and note it. Raises _Failed when it did not work."""
        began = self._world.monotonic()
        ok, value = False, None
        try:
            async with asyncio.timeout(seconds):
                said, value = await act()
            ok = True
        except TimeoutError:
            said = f"nothing came within {seconds:g} s"
        except ssl.SSLCertVerificationError as error:
            said = f"the certificate is not trusted: {error.verify_message}"
        except (OSError, FieldError, _Failed) as error:
            said = str(error)
        self._steps.append(Step(name, ok, round((self._world.monotonic() - began) * 1000, 1), said))
        if not ok or value is None:
            raise _Failed(said)
        return value

    async def _resolve(self) -> tuple[str, str]:
        host = self._settings.host
        try:
            self._address = str(ipaddress.ip_address(host))
        except ValueError:
            found = await self._world.resolve(host, self._settings.port)
            self._address = found[0]
            return f"{host} is {', '.join(found)}", self._address
        return "an address, no name to look up", self._address

    async def _dial_plain(self) -> tuple[str, bool]:
        """The connection alone, to tell a closed port from a TLS that fails."""
        transport = await self._world.dial(asyncio.Protocol, self._address, self._settings.port)
        transport.abort()
        return f"{self._address} port {self._settings.port} is open", True

    async def _dial(self) -> tuple[str, bool]:
        settings = self._settings
        name = (settings.tls_name or settings.host) if settings.tls is not None else None
        await self._world.dial(lambda: self._line, self._address, settings.port, tls=settings.tls, server_hostname=name)
        return f"{self._address} port {settings.port} is open" if name is None else f"{name} is trusted", True

    async def _bind(self) -> tuple[str, bool]:
        self._line.session.start(self._world.monotonic())
        self._line.flush()
        bound = await self._line.wait_for(Bound)
        return f"bound to {bound.system_id or 'a carrier without a name'}", True

    async def _enquire(self) -> tuple[str, bool]:
        session, world = self._line.session, self._world
        session.probe(world.monotonic())
        self._line.flush()
        while session.probing:  # the answer is no event: the session takes it
            await world.sleep(0.001)
        return "the carrier is alive", True

    async def _submit(self, submission: Submission, part: PartOut) -> tuple[str, str]:
        settings = self._settings
        pdu = make_submit(settings.profile, submission, part, AttemptKey(0, 1, 0), "")
        self._line.session.submit(pdu, None, self._world.monotonic())
        self._line.flush()
        answered = await self._line.wait_for(SubmitAnswered)
        if settings.classes(answered.status) is not Answer.TAKEN:
            raise _Failed(f"the carrier refuses it: {status_name(answered.status)}")
        return f"taken as {answered.message_id or 'a message without an id'}", answered.message_id

    async def _receipt(self, key: str, elsewhere: "asyncio.Future[ReceiptState]") -> tuple[str, bool]:
        """Here or on a link that works, whichever has it."""
        line = self._line
        while True:
            here = asyncio.ensure_future(line.wait_for(Delivered))
            try:
                await asyncio.wait((here, elsewhere), return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not here.done():
                    here.cancel()
            if elsewhere.done():
                return f"{elsewhere.result().value}, over a link in use", True
            event = await here
            receipt = read_receipt(event.message)
            if receipt is None or key not in self._carrier.ids.keys(receipt.message_id):
                line.others(line, event)
                continue
            line.answer(line.connection, event.sequence, Status.OK)
            return f"{receipt.state.value}, over the test's own link", True

    async def _leave(self) -> None:
        """Unbind and close; what the carrier says to that does not matter."""
        line = self._line
        if line.transport is None:
            return
        line.session.unbind(self._world.monotonic())
        line.flush()
        await self._world.sleep(0.05)
        line.transport.abort()
