"""A trunk: the account at a voice carrier, as settings, and what its calls say of themselves."""

import ipaddress
from typing import Final, Literal, NamedTuple

from bocau.wire.sip.digest import Credentials
from bocau.wire.sip.message import FieldError, Header
from bocau.wire.sip.uri import format_host, number_uri

__all__ = ["Identity", "Transport", "Trunk", "caller_of", "check", "contact_of", "identity_of", "inside", "via_of"]

Transport = Literal["udp", "tcp", "tls"]

_COUNTRY: Final = "84"


class Trunk(NamedTuple):
    """A voice carrier's account. Seconds are monotonic."""

    name: str
    host: str
    """The carrier's SIP server: a name or an address."""
    port: int = 0
    """0: 5060, or 5061 with TLS; or what SRV records say."""
    transport: Transport = "udp"
    user: str = ""
    """Log-in name; empty: no challenge is answered."""
    password: str = ""
    realm: str = ""
    """Only challenges of this realm are answered; empty: any."""
    from_user: str = ""
    """The number that calls are made from; empty: the log-in name."""
    from_domain: str = ""
    """Empty: the host."""
    asserted: str = ""
    """P-Asserted-Identity, a number; empty: none is sent."""
    number_form: Literal["digits", "plus", "national"] = "plus"
    """How the called number is written: 84901234567, +84901234567 or 0901234567."""
    priority: int = 0
    """The lowest is tried first."""
    srv: bool = False
    """Whether SRV records of the host are asked for."""
    register: bool = False
    register_seconds: int = 600
    local_host: str = ""
    """Our address for signalling and audio; empty: the one that leads to the trunk."""
    local_port: int = 0
    """Our UDP port for signalling; 0: any."""
    public_host: str = ""
    """The address, no name, that the trunk sees us at, behind a NAT that keeps ports; empty: our own."""
    learn_public: bool = False
    """Take address and port that the trunk says it sees (rport, received) for Contact, and the address for audio."""
    networks: tuple[str, ...] = ()
    """Networks of the trunk beyond its own addresses: audio may go there, requests may come from there."""
    max_calls: int = 30
    calls_per_second: float = 5.0
    tls_ca_file: str = ""
    """Certificates that sign the trunk's; empty: the system's."""
    srtp: bool = False
    """Whether sound is enciphered; a carrier that does not want it so is not spoken to."""
    connect_seconds: float = 5.0
    keep_alive_seconds: float = 25.0

    def __repr__(self) -> str:
        """Without the password (promises S1)."""
        return f"Trunk({self.name})"

    @property
    def reliable(self) -> bool:
        """Whether it is reached over a stream."""
        return self.transport != "udp"

    @property
    def credentials(self) -> Credentials | None:
        """What challenges are answered with."""
        return Credentials(self.user, self.password, self.realm) if self.user else None


class Identity(NamedTuple):
    """How a call over a trunk names both ends."""

    uri: str
    caller: str
    callee: str
    contact: str
    via: str
    extra: tuple[Header, ...]


def identity_of(trunk: Trunk, number: str, sent_by: tuple[str, int], seen_at: tuple[str, int]) -> Identity:
    """The identity of a call to an E.164 number without plus sign.

    `sent_by` is our address for Via, `seen_at` the one for Contact. Raises FieldError for anything that fits no URI.
    """
    uri = number_uri(_written(trunk, number), trunk.host, trunk.port)
    domain = trunk.from_domain or trunk.host
    user = caller_of(trunk) or "anonymous"
    if not user.isascii() or not all(sign.isalnum() or sign in "+-_." for sign in user):
        raise FieldError("a From user that is none")
    extra: tuple[Header, ...] = ()
    if trunk.asserted:
        extra = (("P-Asserted-Identity", f"<{number_uri(trunk.asserted, domain)}>"),)
    caller = f"<sip:{user}@{format_host(domain)}>"
    return Identity(uri, caller, f"<{uri}>", contact_of(trunk, user, seen_at), via_of(trunk, sent_by), extra)


def caller_of(trunk: Trunk) -> str:
    """The number that calls over it are made from; empty if it is told none."""
    return trunk.from_user or trunk.user


def check(trunk: Trunk) -> None:
    """Find out now what no message could be made of later. Raises ValueError; what it says names the trunk."""
    try:
        identity_of(trunk, "0", ("127.0.0.1", 1), ("127.0.0.1", 1))
        for address in filter(None, (trunk.local_host, trunk.public_host)):
            ipaddress.ip_address(address)
        for network in trunk.networks:
            ipaddress.ip_network(network)
    except ValueError as error:
        raise ValueError(f"trunk {trunk.name}: {error}") from None
    if trunk.register and not trunk.user:
        raise ValueError(f"trunk {trunk.name}: no user to register")


def contact_of(trunk: Trunk, user: str, seen_at: tuple[str, int]) -> str:
    """Our Contact over this trunk, in angle brackets."""
    transport = f";transport={trunk.transport}" if trunk.reliable else ""
    return f"<sip:{user}@{format_host(*seen_at)}{transport}>"


def via_of(trunk: Trunk, sent_by: tuple[str, int]) -> str:
    """Transport and sent-by for Via."""
    return f"{trunk.transport.upper()} {format_host(*sent_by)}"


def _written(trunk: Trunk, number: str) -> str:
    if trunk.number_form == "plus":
        return f"+{number}"
    if trunk.number_form == "national" and number.startswith(_COUNTRY):
        return f"0{number[len(_COUNTRY) :]}"
    return number


def inside(host: str, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]) -> bool:
    """Whether a text is an address in one of these networks; a name never is."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in networks if network.version == address.version)
