"""A registration at a trunk without sockets and clocks: REGISTER, its refresh, its end (RFC 3261 section 10)."""

import math
from enum import Enum
from typing import Final, NamedTuple

from bocau.wire.sip.digest import Authenticator, Credentials
from bocau.wire.sip.message import BadMessage, Header, Request, Response, cseq_of, every, first
from bocau.wire.sip.transaction import ClientTransaction, Timers, branch_of
from bocau.wire.sip.uri import parse_address

__all__ = ["RegisterEvent", "RegisterFailed", "RegisterSetup", "Registered", "Registration", "Unregistered"]

_NEVER: Final = math.inf
_LONGEST_SECONDS: Final = 86_400


class RegisterSetup(NamedTuple):
    """Everything about one registration."""

    call_id: str
    unique: str
    """Unguessable text, a token: tag, branches and cnonces are made of it."""
    registrar: str
    """The Request-URI, without a user."""
    address: str
    """The address of record, in angle brackets: From and To."""
    contact: str
    """Where we are, in angle brackets."""
    via: str
    """Transport and sent-by, as `UDP 192.0.2.1:5060`."""
    credentials: Credentials | None = None
    seconds: int = 600
    """How long a registration is to hold."""
    reliable: bool = False
    timers: Timers = Timers()
    user_agent: str = "bocau"


class Registered(NamedTuple):
    """The trunk knows where we are, for so many seconds; the refresh comes by itself."""

    seconds: int


class RegisterFailed(NamedTuple):
    """It does not, or no longer surely. `start` tries again."""

    status: int
    """0: no answer came."""
    why: str


class Unregistered(NamedTuple):
    """The end that we asked for was answered, or waited for long enough."""


RegisterEvent = Registered | RegisterFailed | Unregistered


class _State(Enum):
    IDLE = "idle"
    ASKING = "asking"
    LEAVING = "leaving"


class Registration:
    """Keeps one registration; refreshes it after 80 % of its time."""

    __slots__ = ("_auth", "_branches", "_number", "_refresh_at", "_seconds", "_setup", "_state", "_transaction")

    def __init__(self, setup: RegisterSetup) -> None:
        """Nothing is sent before `start`."""
        self._setup = setup
        self._auth = Authenticator(setup.credentials, setup.unique)
        self._number = 0
        self._branches = 0
        self._seconds = setup.seconds
        self._refresh_at = _NEVER
        self._state = _State.IDLE
        self._transaction: ClientTransaction | None = None

    @property
    def call_id(self) -> str:
        """The Call-ID of all its requests."""
        return self._setup.call_id

    def start(self, now: float) -> None:
        """Ask for a registration now."""
        self._auth.begin()
        self._state = _State.ASKING
        self._ask(self._seconds, now)

    def stop(self, now: float) -> None:
        """Take the registration back."""
        self._auth.begin()
        self._state = _State.LEAVING
        self._ask(0, now)

    def connection_lost(self) -> list[RegisterEvent]:
        """The transport is gone; `start` again on the next one."""
        left = self._state is _State.LEAVING
        self._state = _State.IDLE
        self._transaction = None
        self._refresh_at = _NEVER
        return [Unregistered() if left else RegisterFailed(0, "the connection is gone")]

    def receive(self, response: Response, now: float) -> list[RegisterEvent]:
        """Take an answer of this Call-ID. Never raises for what a peer sends."""
        try:
            transaction = self._transaction
            if transaction is None or branch_of(response) != branch_of(transaction.request):
                return []
            if cseq_of(response).method != "REGISTER" or not transaction.receive(response, now):
                return []
            return [] if response.status < 200 else self._on_answer(response, now)
        except BadMessage:
            return []

    def _on_answer(self, response: Response, now: float) -> list[RegisterEvent]:
        leaving = self._state is _State.LEAVING
        if self._auth.take(response):
            self._ask(0 if leaving else self._seconds, now)
            return []
        self._state = _State.IDLE
        self._transaction = None
        if leaving:
            return [Unregistered()]
        if response.status == 423 and self._lengthen(first(response, "Min-Expires")):
            self.start(now)
            return []
        if response.status >= 300:
            return [RegisterFailed(response.status, response.reason)]
        seconds = self._granted(response)
        if seconds == 0:
            return [RegisterFailed(response.status, "registered for no time")]
        self._refresh_at = now + seconds * 0.8
        return [Registered(seconds)]

    def _lengthen(self, least: str) -> bool:
        """Ask for as long as the registrar wants at least (10.3, step 7); once."""
        seconds = _seconds(least)
        if seconds is None or seconds <= self._seconds:
            return False
        self._seconds = seconds
        return True

    def _granted(self, response: Response) -> int:
        """For how long: our own Contact's expires, else Expires, else what was asked for."""
        ours = parse_address(self._setup.contact).uri
        for value in every(response, "Contact"):
            contact = parse_address(value)
            if contact.uri.partition(";")[0] == ours.partition(";")[0] and "expires" in contact.params:
                found = _seconds(contact.params["expires"])
                if found is not None:
                    return found
        found = _seconds(first(response, "Expires"))
        return self._seconds if found is None else found

    def tick(self, now: float) -> list[RegisterEvent]:
        """Act on what is due. Call it at `next_deadline`."""
        if self._transaction is not None and self._transaction.tick(now):
            self._transaction = None
            leaving = self._state is _State.LEAVING
            self._state = _State.IDLE
            return [Unregistered() if leaving else RegisterFailed(0, "no answer to REGISTER")]
        if now >= self._refresh_at:
            self.start(now)
        return []

    def next_deadline(self) -> float:
        """When `tick` is to be called next; infinite if never."""
        asked = _NEVER if self._transaction is None else self._transaction.next_deadline()
        return min(asked, self._refresh_at)

    def data_to_send(self) -> list[bytes]:
        """The messages queued since the last call."""
        return [] if self._transaction is None else self._transaction.data_to_send()

    def _ask(self, seconds: int, now: float) -> None:
        setup = self._setup
        self._number += 1
        self._branches += 1
        self._refresh_at = _NEVER
        headers: tuple[Header, ...] = (
            ("Via", f"SIP/2.0/{setup.via};rport;branch=z9hG4bK{setup.unique}{self._branches}"),
            ("Max-Forwards", "70"),
            ("From", f"{setup.address};tag=t{setup.unique}"),
            ("To", setup.address),
            ("Call-ID", setup.call_id),
            ("CSeq", f"{self._number} REGISTER"),
            ("Contact", setup.contact),
            ("Expires", str(seconds)),
            *self._auth.headers("REGISTER", setup.registrar),
            ("User-Agent", setup.user_agent),
        )
        request = Request("REGISTER", setup.registrar, headers)
        self._transaction = ClientTransaction(request, setup.reliable, setup.timers, now)


def _seconds(text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= 10:
        return min(int(text), _LONGEST_SECONDS)
    return None
