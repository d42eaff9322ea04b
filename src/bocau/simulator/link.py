"""One connection to the carrier: bytes to the session, its events to the carrier, everything of a turn in one write."""

import asyncio
from typing import Final, Protocol, cast

from bocau.ports import World
from bocau.simulator.outbox import Outbox, Parcel
from bocau.simulator.rules import Spoiled
from bocau.simulator.spoiling import Octets, spoil
from bocau.wire.smpp.events import (
    BindRequested,
    Closed,
    DeliverAnswered,
    DeliverTimedOut,
    Event,
    Role,
    SessionConfig,
    SessionState,
    Submitted,
    UnbindRequested,
)
from bocau.wire.smpp.pdu import DeliverSm, SubmitSm
from bocau.wire.smpp.session import Session

__all__ = ["LinkOwner", "SmscLink"]

_CLOSE_SECONDS: Final = 5.0


class LinkOwner(Protocol):
    """The carrier, as a link sees it."""

    def on_open(self, link: "SmscLink") -> None:
        """A peer connected."""
        ...

    def on_bind(self, link: "SmscLink", request: BindRequested) -> None:
        """A peer wants to bind; answer with `SmscLink.accept` or `SmscLink.refuse`."""
        ...

    def on_submit(self, link: "SmscLink", sequence: int, submit: SubmitSm) -> None:
        """A message came; answer with `SmscLink.answer`, or not."""
        ...

    def on_acknowledge(self, link: "SmscLink", parcel: Parcel, status: int) -> None:
        """The peer answered a receipt."""
        ...

    def on_overdue(self, link: "SmscLink", parcels: list[Parcel]) -> None:
        """The peer did not answer these receipts in time."""
        ...

    def on_unbind(self, link: "SmscLink") -> None:
        """The peer unbinds."""
        ...

    def on_end(self, link: "SmscLink", parcels: list[Parcel]) -> None:
        """The connection is gone; the receipts were not acknowledged."""
        ...

    def on_work(self, link: "SmscLink") -> None:
        """There may be bytes to write or free slots: see to them before the next turn of the loop."""
        ...


class SmscLink(asyncio.Protocol):
    """A connection from its opening to its end. It touches the network only in `flush`."""

    def __init__(self, owner: LinkOwner, world: World, config: SessionConfig, number: int) -> None:
        self.number = number
        """Counted from 1, for the journal."""
        self.outbox: Outbox | None = None
        """The account's receipts, once it is bound."""
        self.end_reason = ""
        self.working = False
        """The owner's note that it will flush this link."""
        self._owner = owner
        self._world = world
        self._session = Session(config, Role.SMSC, world.monotonic())
        self._transport: asyncio.Transport | None = None
        self._ready = bytearray()
        self._frozen = False
        self._ending = False
        self._close_at = 0.0
        self._paused = False

    # What the carrier asks for

    @property
    def system_id(self) -> str:
        """Whose it is; empty before the bind."""
        return "" if self.outbox is None else self.outbox.system_id

    @property
    def free_slots(self) -> int:
        """Receipts that may be handed over now; 0 unless it is bound for receiving and takes our bytes."""
        return 0 if self._ending or self._paused or self._frozen else self._session.free_slots

    def accept(self, request: BindRequested, outbox: Outbox, our_id: str) -> None:
        """Bind."""
        self.outbox = outbox
        self._session.accept_bind(request.sequence, our_id)

    def refuse(self, request: BindRequested, status: int) -> None:
        """Do not bind; the peer may ask again."""
        self._session.refuse_bind(request.sequence, status)

    def answer(self, sequence: int, status: int, message_id: str, spoiled: Spoiled = Spoiled.NOTHING) -> bool:
        """Answer a submit, if the connection is still there; whether it is."""
        if self._ending or self._session.state is SessionState.CLOSED:
            return False
        if spoiled is Spoiled.NOTHING:
            self._session.answer_submit(sequence, status, message_id)
            return True
        self._ready += self._session.data_to_send()
        self._session.answer_submit(sequence, status, message_id)
        self.write(spoil(self._session.data_to_send(), spoiled))
        return True

    def write(self, octets: Octets) -> None:
        """Queue octets that no session would write, behind what is queued."""
        self._ready += self._session.data_to_send()
        self._ready += octets.data
        if octets.closes:
            self.disconnect("cut in the middle of a PDU")
        self._owner.on_work(self)

    def freeze(self) -> None:
        """Hear and say nothing more, with the connection open, until the peer ends it (fault F22)."""
        self._frozen = True

    def deliver(self, message: DeliverSm, parcel: Parcel) -> None:
        """Queue a receipt, within `free_slots`."""
        self._session.deliver(message, parcel, self._world.monotonic())

    def unbind(self) -> None:
        """Ask the peer to unbind; the connection ends when it has answered, or after a while."""
        self._session.unbind(self._world.monotonic())
        self._owner.on_work(self)

    def disconnect(self, reason: str) -> None:
        """Write what is queued, then close; nothing that comes is heeded any more."""
        self._end(reason)
        self._owner.on_work(self)

    def abort(self, reason: str) -> None:
        """Cut the connection at once."""
        self._end(reason)
        if self._transport is not None:
            self._transport.abort()

    def tick(self) -> None:
        """Tell the session the time."""
        now = self._world.monotonic()
        if self._frozen:
            return
        if self._ending:
            if now >= self._close_at:
                self.abort(self.end_reason)
            return
        events = self._session.tick(now)
        overdue = [cast("Parcel", event.token) for event in events if isinstance(event, DeliverTimedOut)]
        if overdue:
            self._owner.on_overdue(self, overdue)
        self._handle(events)

    def flush(self) -> None:
        """Everything that was queued, in one write; then the end, if it has come."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._frozen:
            return
        data = bytes(self._ready) + self._session.data_to_send()
        self._ready.clear()
        if data:
            transport.write(data)
        if self._ending:
            transport.close()

    # What the connection says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer connected; it has a while to bind."""
        self._transport = cast("asyncio.Transport", transport)
        self._owner.on_open(self)

    def data_received(self, data: bytes) -> None:
        """Bytes from the peer."""
        if not self._ending and not self._frozen:
            self._handle(self._session.receive(data, self._world.monotonic()))

    def eof_received(self) -> None:
        """The peer will send no more: the connection closes, as it does for a carrier."""

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, however that came."""
        self._end(f"connection lost: {error}" if error else "closed by the peer")
        self._transport = None
        self._owner.on_end(self, cast("list[Parcel]", self._session.connection_lost()))

    def pause_writing(self) -> None:
        """The peer does not read: hear no more of it until it does, so that answers do not heap up."""
        self._paused = True
        if self._transport is not None and not self._ending:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._paused = False
        if self._transport is not None and not self._ending:
            self._transport.resume_reading()
            self._owner.on_work(self)

    # Events

    def _handle(self, events: list[Event]) -> None:
        owner = self._owner
        for event in events:
            if isinstance(event, DeliverAnswered):
                # Also after the end: the session has heard it, so nobody would offer the receipt again.
                owner.on_acknowledge(self, cast("Parcel", event.token), event.status)
            elif self._ending:
                continue
            elif isinstance(event, Submitted):
                owner.on_submit(self, event.sequence, event.submit)
            else:
                self._handle_rare(event)
        owner.on_work(self)

    def _handle_rare(self, event: Event) -> None:
        match event:
            case BindRequested():
                self._owner.on_bind(self, event)
            case UnbindRequested(sequence):
                self._session.answer_unbind(sequence, self._world.monotonic())
                self._owner.on_unbind(self)
                # With nothing left to wait for, the end is due now.
                self.tick()
            case Closed(reason):
                self._end(reason)
            case _:
                pass  # the overdue ones, which `tick` saw to

    def _end(self, reason: str) -> None:
        if not self._ending:
            self._ending = True
            self._close_at = self._world.monotonic() + _CLOSE_SECONDS
            self.end_reason = reason
