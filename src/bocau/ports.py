"""The sockets of the house: what a room needs from outside, as Protocols.

Everything that differs between production, tests and simulation enters through here.
"""

import asyncio
import random  # noqa: TID251 - the type only
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from bocau.core.call import Press
from bocau.core.message import Message, Recourse

__all__ = [
    "Act",
    "ActRefused",
    "Carrier",
    "Child",
    "Children",
    "HttpAnswer",
    "HttpBody",
    "HttpFailure",
    "HttpGet",
    "HttpPost",
    "Listening",
    "PartOut",
    "Pulse",
    "Service",
    "ServiceNames",
    "Submission",
    "World",
]


class World(Protocol):
    """Time, chance and the network. Product code asks for these here and nowhere else."""

    random: random.Random
    """Chance that need not be secret: jitter, picks. Seeded in tests."""

    def now_ms(self) -> int:
        """The wall clock: milliseconds since 1970-01-01 UTC. May jump; use it only for dates that are stored."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back. Use it for waiting and time-outs."""
        ...

    def token(self, size: int) -> bytes:
        """So many unguessable bytes."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait on the monotonic clock."""
        ...

    async def dial(
        self,
        factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> asyncio.Transport:
        """Open a TCP connection. `host` is an address or a name. Raises OSError (ssl.SSLError included)."""
        ...

    async def listen(self, factory: Callable[[], asyncio.Protocol], host: str, port: int) -> "Listening":
        """Listen for TCP connections; port 0 picks a free one. Raises OSError."""
        ...

    async def open_datagram(
        self, factory: Callable[[], asyncio.DatagramProtocol], host: str, port: int, *, towards: str | None = None
    ) -> asyncio.DatagramTransport:
        """Open a UDP socket on an address of ours; port 0 picks a free one. Raises OSError.

        An empty `host` is the address from which `towards`, an address of the peer, is reached.
        """
        ...

    def resolve(self, host: str, port: int) -> Awaitable[list[str]]:
        """All addresses of a name, as text, in the order to try them. Raises OSError."""
        ...


class Service(NamedTuple):
    """One SRV record: a host that offers a service (RFC 2782)."""

    priority: int
    """The lower comes first."""
    weight: int
    """Its share among those of the same priority."""
    host: str
    port: int


class ServiceNames(Protocol):
    """Looks services up in the DNS."""

    async def services(self, name: str) -> list[Service]:
        """The SRV records of a name such as `_sip._udp.example.com`; none if there is no such name. Raises OSError."""
        ...


class ActRefused(Exception):  # noqa: N818 - an answer to the operator, not a fault
    """An operator's act cannot be done; the text says why, in a sentence fit for a person."""


class Act(NamedTuple):
    """Something that an operator's command may ask of the running gateway, through console/control.py."""

    run: Callable[[Mapping[str, Any]], Awaitable[object]]
    """Given the members of the request; what it returns must be fit for JSON. Raises ActRefused."""
    changes: bool = False
    """Whether it changes something, or shows what is masked: then it is noted in the log and in the audit."""
    notes_itself: bool = False
    """Its own work leaves the line in the audit, with the `actor` of the request."""


class Child(Protocol):
    """A process that we started."""

    pid: int

    def kill(self) -> None:
        """End it at once."""
        ...

    async def wait(self) -> int:
        """Its exit code, once it has ended; below zero: minus the signal that ended it."""
        ...


class Children(Protocol):
    """Starts processes of our own program."""

    async def start(self, module: str, factory: Callable[[], asyncio.Protocol]) -> Child:
        """Run a module in a new process, with a stream to it that nobody else has: the protocol's. The module is given
        the number of its end of the stream as its only argument. Raises OSError."""
        ...


class PartOut(NamedTuple):
    """One part of a message, as octets for a PDU."""

    part: int
    """Counted from 1."""
    data: bytes
    data_coding: int
    esm_class: int
    tlvs: tuple[tuple[int, bytes], ...] = ()
    """Optional parameters that belong to this part."""


class Submission(Struct, frozen=True, gc=False):
    """A message whose intent is stored: its parts may leave."""

    message_id: int
    account_id: int
    number: int
    """Which try this is."""
    total: int
    """How many parts the message has."""
    sender: str
    """Brandname; empty for a type that has none."""
    phone: str
    """Ten digits, national form."""
    route_class: str
    parts: tuple[PartOut, ...]
    message: Message | None = None
    """The whole message, for a carrier that remembers it until its receipt."""
    recourse: Recourse = Recourse()
    """What may be done if the carrier does not take it; comes back with the answer."""
    press: Press = Press()
    """Which keys its route wants a call to offer."""


class Pulse:
    """How a carrier has answered lately: counts that its own room keeps, for who decides whether to trust it."""

    __slots__ = ("failures", "successes", "throttles")

    def __init__(self) -> None:
        self.failures = 0
        """Submits since the last success that failed through the carrier's fault: not now, or no answer."""
        self.successes = 0
        """Submits that it took, or refused for the message's own sake; only ever grows."""
        self.throttles = 0
        """Times that it asked for less speed; only ever grows."""

    def beat(self) -> None:
        """The carrier works."""
        self.successes += 1
        self.failures = 0

    def miss(self) -> None:
        """It does not."""
        self.failures += 1


class Carrier(Protocol):
    """A carrier account that takes parts."""

    name: str
    pulse: Pulse
    adapts: bool
    """It slows itself down when it is asked for less speed; one that does not is let rest as a whole."""

    @property
    def up(self) -> bool:
        """A link is up: submissions could leave."""
        ...

    @property
    def outstanding(self) -> int:
        """Parts submitted and not answered yet."""
        ...

    @property
    def room(self) -> int:
        """Parts it can take now: free window slots of its links, less what is reserved. 0 while no link is up."""
        ...

    @property
    def idle(self) -> bool:
        """A link is up, and nothing is submitted or reserved: `room` is all that it will have for now."""
        ...

    def reserve(self, parts: int) -> None:
        """Keep slots for parts whose intent is being stored."""
        ...

    def release(self, parts: int) -> None:
        """Give reserved slots back: the intent was not stored."""
        ...

    def submit(self, submission: Submission) -> None:
        """Send the parts, on reserved slots. How each one goes is recorded by the carrier's own room."""
        ...


class Listening(Protocol):
    """A listening socket."""

    port: int
    """The port really bound."""

    async def close(self) -> None:
        """Stop listening; connections already open stay."""
        ...


class HttpAnswer(NamedTuple):
    """What a host said, whatever the status."""

    status: int
    body: bytes
    """The first bytes of the body, at most 4 KiB."""
    retry_after: str
    """The Retry-After header as it came, empty if there was none."""


class HttpFailure(Exception):  # noqa: N818 - a failure is theirs, a fault is ours (house words)
    """No answer came. `reason` is a short text fit for the customer; `refused` says that our guard forbade the call."""

    def __init__(self, reason: str, refused: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.refused = refused
        self.sent = False
        """Bytes of the request may have reached the host: whether it acted on them nobody knows."""


class HttpGet(Protocol):
    """Calls a customer's URL, through the guarded gate."""

    def begin(
        self,
        url: str,
        headers: Callable[[str], Sequence[tuple[str, str]]],
        seconds: float,
        done: Callable[[HttpAnswer | HttpFailure], None],
    ) -> None:
        """One GET with one deadline for everything from the name look-up to the end of the answer.

        `headers` is given the path and query exactly as they are sent, so that it can sign them. `done` is called once,
        on the loop, after this has returned: with the answer, or with the failure if no whole answer came. It must not
        raise. Redirects are not followed. Raises ValueError for a header that cannot be sent, and then `done` hears
        nothing.
        """
        ...


class HttpBody(NamedTuple):
    """What a POST carries."""

    data: bytes
    headers: tuple[tuple[str, str], ...]
    """Content-Type among them; the length is added."""
    repeatable: bool
    """The host knows a repetition by its content: it may be sent again when a kept connection turns out closed."""


class HttpPost(HttpGet, Protocol):
    """Calls a carrier's URL, through the same gate."""

    def post(
        self,
        url: str,
        body: HttpBody,
        seconds: float,
        done: Callable[[HttpAnswer | HttpFailure], None],
    ) -> None:
        """One POST, otherwise like `HttpGet.begin`."""
        ...
