"""Every setting there is: one frozen struct per table of bocau.toml.

A field has its unit in its name, a default (or none: then it must be given), bounds, and one line of documentation;
docs/reference/settings.md is rendered from here and a test compares the two.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from bocau.settings.values import Origin, Path, Secret

__all__ = [
    "CAPTURE",
    "DEVELOPMENT_KEY",
    "SIMULATOR",
    "VOICE",
    "Accept",
    "Admin",
    "Api",
    "Callback",
    "Carrier",
    "Dispatch",
    "Inbound",
    "Limits",
    "Log",
    "Lookup",
    "Route",
    "Schedule",
    "Section",
    "Settings",
    "Store",
    "Trunk",
    "Voice",
]

DEVELOPMENT_KEY: Final = "bocau-dev"
"""Start of every key and password that `bocau dev` makes up; a production start refuses it."""

SIMULATOR: Final = "simulator"
"""Name of the carrier account that `bocau dev` sends to; a production start refuses it."""

CAPTURE: Final = "capture"
"""Name of the carrier that catches messages while [staging] is on."""
VOICE: Final = "voice"
"""Name that routes give to the carrier of calls, whose lines are the trunks."""

_NOWHERE: Final[Mapping[Path, Origin]] = MappingProxyType({})

# A `form` names a check in bocau.settings.fields: the shape a text must have beyond its length.
_HOST: Final = {"form": "host"}
_NAME: Final = {"form": "name"}
_NETWORK: Final = {"form": "network"}
_ORIGIN: Final = {"form": "origin"}
_URL: Final = {"form": "url"}
_DIGITS: Final = {"form": "digits"}
_ASCII: Final = {"form": "ascii"}
_NO_PAIRS: Final[Mapping[str, Any]] = MappingProxyType({})

_ListenPort = Annotated[int, Meta(ge=0, le=65_535)]
_Wait = Annotated[float, Meta(ge=0.1, le=3_600)]
_Octet = Annotated[int, Meta(ge=0, le=255)]
_Type = Annotated[int, Meta(ge=0, le=6)]
_Plan = Annotated[int, Meta(ge=0, le=18)]
_Networks = tuple[Annotated[str, Meta(extra=_NETWORK)], ...]


class Section(Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """One table of the file."""


class Api(Section, frozen=True, kw_only=True):
    """The customers' HTTP door, compatible with the eSMS API."""

    host: Annotated[str, Meta(extra=_HOST, description="Address or name to listen on.")] = "127.0.0.1"
    port: Annotated[_ListenPort, Meta(description="TCP port to listen on; 0 picks a free one.")] = 8484
    behind_proxy: Annotated[
        bool, Meta(description="States that a proxy with TLS stands in front. Needed to listen beyond loopback.")
    ] = False
    trusted_proxies: Annotated[
        _Networks,
        Meta(description="Networks of the proxies in front, whose header names the caller; from others it is ignored."),
    ] = ()
    forwarded_header: Annotated[
        Literal["x-forwarded-for", "forwarded"],
        Meta(description="The header that these proxies write. They must not hand on one that a caller wrote."),
    ] = "x-forwarded-for"
    cors_origins: Annotated[
        tuple[Annotated[str, Meta(extra=_ORIGIN)], ...],
        Meta(description="Sites whose pages may call from a browser, like https://shop.example; * for all."),
    ] = ()
    connections: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Connections open at once; then a quiet one gives way, or the new one gets 503.",
        ),
    ] = 4_096
    header_bytes: Annotated[
        int, Meta(ge=1_024, le=1_048_576, description="Longest request line and headers together; then 431.")
    ] = 16_384
    body_bytes: Annotated[int, Meta(ge=1_024, le=16_777_216, description="Longest body of any request; then 413.")] = (
        1_048_576
    )
    header_seconds: Annotated[
        _Wait, Meta(description="Time to receive a request's headers, however they trickle; then the link is cut.")
    ] = 10.0
    body_seconds: Annotated[_Wait, Meta(description="Time to receive a request's body; then the link is cut.")] = 15.0
    idle_seconds: Annotated[_Wait, Meta(description="Time a connection may stay open between two requests.")] = 75.0


class Admin(Section, frozen=True, kw_only=True):
    """The operator's listener: health, metrics, console."""

    host: Annotated[str, Meta(extra=_HOST, description="Address or name to listen on.")] = "127.0.0.1"
    port: Annotated[_ListenPort, Meta(description="TCP port to listen on; 0 picks a free one.")] = 8485
    behind_proxy: Annotated[
        bool, Meta(description="States that a proxy with TLS and log-in stands in front. Needed beyond loopback.")
    ] = False
    console: Annotated[bool, Meta(description="Serve the console, under /console/.")] = True
    hosts: Annotated[
        tuple[str, ...],
        Meta(description="Names by which browsers may call the console, beside addresses and localhost."),
    ] = ()


class Store(Section, frozen=True, kw_only=True):
    """What is remembered, and where."""

    path: Annotated[
        str, Meta(min_length=1, description="The SQLite file; its folder also holds the marks that go with it.")
    ] = ".bocau/bocau.db"
    database_url: Annotated[
        Secret,
        Meta(
            description="PostgreSQL 15 or newer instead of the file: postgresql://USER:PASSWORD@HOST/DATABASE; then "
            "only the marks of this node are kept beside `path`. Needs `pip install 'bocau[postgres]'`."
        ),
    ] = Secret("")
    pooled: Annotated[
        bool,
        Meta(description="A pooler in transaction mode (PgBouncer) stands before it: no statement stays prepared."),
    ] = False
    may_lose_commits: Annotated[
        bool,
        Meta(description="Take a PostgreSQL that forgets commits when it crashes (fsync off): for tests alone."),
    ] = False
    node: Annotated[
        int, Meta(ge=0, le=999, description="Number of this node, the end of every SMSID; nodes must differ.")
    ] = 0
    reserve_mib: Annotated[
        int,
        Meta(
            ge=0,
            le=65_536,
            description="Room on the disk, in MiB, for what is under way: with less than that free, new sends are "
            "refused. As much again is held by a file beside the store. 0: none.",
        ),
    ] = 128

    def place(self) -> tuple[str, str, bool, bool]:
        """Path, URL, pooled, may lose commits: what opens it."""
        return self.path, self.database_url.reveal(), self.pooled, self.may_lose_commits


class Accept(Section, frozen=True, kw_only=True):
    """What the door lets in."""

    unicode_policy: Annotated[
        Literal["strip", "auto", "reject"],
        Meta(
            description="Text with diacritics while IsUnicode is 0: strip the marks, send (and charge) Unicode, "
            "or answer 110. An account may differ."
        ),
    ] = "strip"
    strict_prefix: Annotated[
        bool, Meta(description="Only numbers in assigned mobile ranges; else any 03, 05, 07, 08, 09 and 8 digits.")
    ] = False
    telco_table: Annotated[
        str,
        Meta(description="TOML file of prefixes that differ from those shipped (see how-to/numbers.md); empty: none."),
    ] = ""
    learned_numbers: Annotated[
        int,
        Meta(
            ge=0,
            le=10_000_000,
            description="Numbers whose network is remembered as carriers named it, or as [lookup] told it; of more the "
            "oldest are forgotten. About 100 bytes each; 0: none are.",
        ),
    ] = 100_000
    learned_days: Annotated[
        int, Meta(ge=1, le=3_660, description="Days after which such a number is forgotten, if it is not seen again.")
    ] = 30
    auto_approve: Annotated[
        bool, Meta(description="Templates that customers register are approved at once, on every network.")
    ] = False
    max_parts_gsm: Annotated[
        int, Meta(ge=1, le=20, description="Most parts of a text in the GSM alphabet; longer is answered 110.")
    ] = 4
    max_parts_ucs2: Annotated[
        int, Meta(ge=1, le=20, description="Most parts of a text in Unicode; longer is answered 110.")
    ] = 4
    max_receivers: Annotated[
        int, Meta(ge=1, le=10_000, description="Most different numbers in one request; more is answered 120.")
    ] = 1_000
    json_repair: Annotated[
        bool,
        Meta(
            description="Reads bodies with remarks, values without quotes or a comma too many, as the samples of the "
            "API's documents have them; else 400."
        ),
    ] = False
    equal_text_seconds: Annotated[
        int,
        Meta(ge=0, le=86_400, description="An equal text to the same number within it is answered 124; 0: accepted."),
    ] = 0
    tracked_numbers: Annotated[
        int,
        Meta(
            ge=1_000,
            le=10_000_000,
            description="Numbers whose messages are counted for [limits]; of more the oldest are forgotten. About 300 "
            "bytes each.",
        ),
    ] = 200_000
    call_prefixes: Annotated[
        tuple[Annotated[str, Meta(pattern="^0[0-9]{0,8}$")], ...],
        Meta(min_length=1, max_length=100, description="Beginnings of the numbers that may be called. Others: 99."),
    ] = ("03", "05", "07", "08", "09")
    query_days: Annotated[
        int, Meta(ge=1, le=3_660, description="Days that a request can be asked about by its id; then it is 105.")
    ] = 7
    type8_channel: Annotated[
        Literal["auto", "voice", "sms", "voice_then_sms"],
        Meta(
            description="How SmsType 8 reaches the phone: by a call, by a text, or by a text if the call was not "
            "answered. Without a route to a [[trunk]] voice is answered 118, and auto goes by text. An account may "
            "differ."
        ),
    ] = "voice"
    call_status: Annotated[
        Literal["documented", "plain"],
        Meta(
            description="CallStatus of calls: only the words that the public documents know, or all of ANSWERED, BUSY, "
            "NO ANSWER and FAILED."
        ),
    ] = "documented"


class Limits(Section, frozen=True, kw_only=True):
    """How much an account may do, unless it has a limit of its own (`bocau account limit`). 0: no limit."""

    requests_per_second: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Requests with one key; as many may come at once. More: 160.")
    ] = 100
    number_per_10_minutes: Annotated[
        int, Meta(ge=0, le=50, description="Messages of one account to one number in any 10 minutes. More: 99.")
    ] = 5
    number_per_day: Annotated[int, Meta(ge=0, le=100, description="The same in any 24 hours.")] = 10
    range_per_10_minutes: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Messages of one account to numbers that differ in the last three digits only. More: 99.",
        ),
    ] = 200
    account_vnd_per_day: Annotated[
        int,
        Meta(ge=0, le=1_000_000_000_000, description="Prices accepted of one account in a day of Vietnam. More: 103."),
    ] = 100_000_000
    key_vnd_per_day: Annotated[int, Meta(ge=0, le=1_000_000_000_000, description="The same with one key.")] = 50_000_000
    call_number_per_10_minutes: Annotated[
        int, Meta(ge=0, le=50, description="Calls of one account to one number in any 10 minutes. More: 99.")
    ] = 3
    call_number_per_day: Annotated[int, Meta(ge=0, le=100, description="The same in any 24 hours.")] = 10
    calls_per_minute: Annotated[
        int,
        Meta(ge=0, le=1_000_000, description="Calls asked for with one key in a minute; as many at once. More: 160."),
    ] = 300
    calls_at_once: Annotated[
        int, Meta(ge=0, le=100_000, description="Calls of one account at one moment. The others wait for their turn.")
    ] = 100


class Schedule(Section, frozen=True, kw_only=True):
    """How long things may take before something is done about them."""

    otp_ttl_seconds: Annotated[
        int, Meta(ge=10, le=86_400, description="An OTP not submitted this long after its release expires, refunded.")
    ] = 300
    other_ttl_seconds: Annotated[int, Meta(ge=60, le=604_800, description="The same for every other message.")] = 86_400
    uncertain_otp_seconds: Annotated[
        int, Meta(ge=10, le=604_800, description="An OTP whose submission stayed unanswered is closed as unknown.")
    ] = 600
    uncertain_other_seconds: Annotated[
        int, Meta(ge=60, le=1_209_600, description="The same for every other message.")
    ] = 172_800
    receipt_seconds: Annotated[
        int,
        Meta(ge=60, le=1_209_600, description="A message taken by the carrier without a receipt is closed as unknown."),
    ] = 86_400


class Retention(Section, frozen=True, kw_only=True):
    """How long things are kept (`bocau retention`). Lines of money are kept for ever, and so are accounts."""

    otp_text_hours: Annotated[
        int, Meta(ge=1, le=87_840, description="Text of a one-time code, after its message ended.")
    ] = 24
    other_text_days: Annotated[int, Meta(ge=1, le=3_660, description="Text of every other message, likewise.")] = 30
    phone_days: Annotated[
        int, Meta(ge=2, le=3_660, description="Phone number of a message, likewise; then its middle is masked.")
    ] = 180
    message_days: Annotated[
        int,
        Meta(
            ge=0,
            le=36_600,
            description="A message as a whole, with attempts, calls and callback, likewise; 0: for ever.",
        ),
    ] = 400
    inbound_days: Annotated[
        int, Meta(ge=1, le=3_660, description="Messages from subscribers, from when they came.")
    ] = 30
    audit_days: Annotated[int, Meta(ge=0, le=36_600, description="Acts of administration; 0: for ever.")] = 0


class Dispatch(Section, frozen=True, kw_only=True):
    """From the queue to the carriers."""

    ready_messages: Annotated[
        int,
        Meta(ge=1, le=1_000_000, description="Messages held in memory for the carriers; the rest waits in the store."),
    ] = 10_000


class Lookup(Section, frozen=True, kw_only=True):
    """A service of yours that knows the network of a number. Asked before routing, where routes ask for a network and
    the number is in no table; never while a request is answered."""

    url: Annotated[
        str,
        Meta(
            max_length=2_048,
            description="What is called by GET; {phone} in it becomes 0901234567, {e164} 84901234567; empty: none.",
        ),
    ] = ""
    authorization: Annotated[Secret, Meta(description="Value of the Authorization header; empty: none.")] = Secret("")
    answer_pointer: Annotated[
        str,
        Meta(
            max_length=256,
            description="Where its answer has the network, as /mccmnc; empty: it is all there is.",
        ),
    ] = ""
    networks: Annotated[
        Mapping[str, Annotated[int, Meta(ge=1, le=7)]],
        Meta(
            extra={"form": "networks"},
            description="What stands there, where it is neither MCC and MNC nor a name or id of a network.",
        ),
    ] = _NO_PAIRS
    wait_seconds: Annotated[
        Annotated[float, Meta(ge=0.05, le=5)],
        Meta(description="How long a message waits for the answer; then it is routed by its prefix."),
    ] = 0.5
    in_flight: Annotated[
        int, Meta(ge=1, le=1_000, description="Calls at once; messages beyond that are routed by their prefix.")
    ] = 64


class Carrier(Section, frozen=True, kw_only=True):
    """An account at a carrier. Several `[[carrier]]` tables may stand in the file."""

    name: Annotated[
        str, Meta(extra=_NAME, min_length=1, max_length=32, description="Its name in routes, logs and metrics; unique.")
    ]
    kind: Annotated[
        Literal["smpp", "relay", "http"],
        Meta(
            description="smpp; relay: a service of the eSMS API, which takes url, api_key and secret_key; http: an "
            "interface of the carrier's own, described by body and the keys after it."
        ),
    ] = "smpp"
    host: Annotated[str, Meta(extra=_HOST, description="The carrier's SMSC: address or name.")] = ""
    port: Annotated[int, Meta(ge=1, le=65_535, description="Its TCP port.")] = 2_775
    system_id: Annotated[str, Meta(extra=_ASCII, max_length=15, description="Log-in name that the carrier gave.")] = ""
    password: Annotated[Secret, Meta(description="Password that the carrier gave; at most 8 signs.")] = Secret("")
    system_type: Annotated[
        str, Meta(extra=_ASCII, max_length=12, description="SMPP system_type, if the carrier asks for one.")
    ] = ""
    bind_mode: Annotated[
        Literal["transceiver", "transmitter", "receiver", "pair"],
        Meta(
            description="What each link may do. A transmitter gets no receipts; a pair is a transmitter and a receiver."
        ),
    ] = "transceiver"
    binds: Annotated[int, Meta(ge=1, le=64, description="Links held open at once, as the contract allows.")] = 1
    window: Annotated[int, Meta(ge=1, le=1_024, description="Submits without an answer, per link.")] = 64
    throughput_per_second: Annotated[
        int, Meta(ge=0, le=100_000, description="Parts a second over all links, as contracted; 0: no limit.")
    ] = 0
    enquire_seconds: Annotated[_Wait, Meta(description="A link silent for this long is probed (enquire_link).")] = 30.0
    response_seconds: Annotated[
        _Wait, Meta(description="Longest wait for an answer; then the link is dead and its submits are uncertain.")
    ] = 10.0
    reconnect_first_seconds: Annotated[
        _Wait, Meta(description="Wait before the first try to connect again; it doubles, with jitter.")
    ] = 1.0
    reconnect_longest_seconds: Annotated[_Wait, Meta(description="Longest wait between two tries to connect.")] = 60.0
    source_ton: Annotated[_Type, Meta(description="Type of number of the sender; 5 is a brandname.")] = 5
    source_npi: Annotated[_Plan, Meta(description="Numbering plan of the sender.")] = 0
    destination_ton: Annotated[_Type, Meta(description="Type of number of the receiver; 1 is international.")] = 1
    destination_npi: Annotated[_Plan, Meta(description="Numbering plan of the receiver; 1 is E.164.")] = 1
    gsm_octets: Annotated[
        Literal["gsm", "latin1"],
        Meta(description="How the carrier wants text of data_coding 0: GSM 03.38 or Latin-1 octets."),
    ] = "gsm"
    reference_bits: Annotated[
        Literal[8, 16],
        Meta(
            description="Length of the reference that joins parts. 16 leaves one septet (one sign) less in each part."
        ),
    ] = 8
    gsm_data_coding: Annotated[
        _Octet, Meta(description="data_coding of text in the GSM alphabet: 0 is the carrier's default, 3 Latin-1.")
    ] = 0
    long_messages: Annotated[
        Literal["udh", "sar", "payload"],
        Meta(
            description="How the parts of a long text go: with a header in each (udh), with sar_* parameters, or whole "
            "in one message_payload that the carrier cuts."
        ),
    ] = "udh"
    service_type: Annotated[str, Meta(extra=_ASCII, max_length=5, description="SMPP service_type of each submit.")] = ""
    protocol_id: Annotated[_Octet, Meta(description="SMPP protocol_id of each submit.")] = 0
    priority: Annotated[int, Meta(ge=0, le=3, description="SMPP priority_flag of each submit.")] = 0
    registered_delivery: Annotated[
        int, Meta(ge=0, le=31, description="Which receipts are asked for; 1: of the end, 0: none.")
    ] = 1
    replace_if_present: Annotated[
        bool,
        Meta(description="A submit takes the place of one with the same sender and receiver still at the carrier."),
    ] = False
    validity: Annotated[
        Literal["none", "relative", "absolute"],
        Meta(
            description="Whether the carrier is told how long a message is of use: the rest of its time-to-live, as so "
            "long from now or as a moment in UTC."
        ),
    ] = "none"
    user_message_reference: Annotated[
        bool, Meta(description="Send a number per attempt; carriers that echo it let lost answers be told apart.")
    ] = True
    tlvs: Annotated[
        Mapping[str, str],
        Meta(
            extra={"form": "tlv"},
            description="Vendor parameters sent with each submit: tag to octets, both hexadecimal.",
        ),
    ] = _NO_PAIRS
    status: Annotated[
        Mapping[str, Literal["taken", "temporary", "permanent", "throttle"]],
        Meta(
            extra={"form": "status"},
            description="What a status, or a range of them, means at this carrier, where it differs from the standard.",
        ),
    ] = _NO_PAIRS
    bind_throughput_per_second: Annotated[
        int, Meta(ge=0, le=100_000, description="Parts a second on each link, as contracted; 0: no limit of its own.")
    ] = 0
    receiver_port: Annotated[
        int, Meta(ge=0, le=65_535, description="TCP port of the receivers of pairs; 0: the same port.")
    ] = 0
    address_ton: Annotated[_Type, Meta(description="addr_ton of the bind.")] = 0
    address_npi: Annotated[_Plan, Meta(description="addr_npi of the bind.")] = 0
    address_range: Annotated[
        str, Meta(extra=_ASCII, max_length=40, description="address_range of the bind, if the carrier asks for one.")
    ] = ""
    tls: Annotated[
        bool, Meta(description="Speak TLS. The carrier's certificate is always checked, and its name too.")
    ] = False
    tls_ca: Annotated[
        str,
        Meta(description="File (PEM) with the authority, or the very certificate, to trust; empty: the system's own."),
    ] = ""
    tls_certificate: Annotated[
        str, Meta(description="File (PEM) with our certificate and its chain, if the carrier asks for one.")
    ] = ""
    tls_key: Annotated[str, Meta(description="File (PEM) with its key; empty: it stands in the same file.")] = ""
    tls_server_name: Annotated[
        str, Meta(max_length=253, description="Name to ask for (SNI) and to check; empty: the host.")
    ] = ""
    receipt_ids: Annotated[
        Literal["learn", "same", "receipt_hex", "receipt_decimal"],
        Meta(
            description="How the id of a receipt relates to that of the answer: the same but for case and leading "
            "zeros, its hexadecimal or its decimal form. learn: found out from the first 20."
        ),
    ] = "learn"
    receipt_utc_offset_minutes: Annotated[
        int, Meta(ge=-720, le=840, description="How far the dates in receipts are ahead of UTC; 420: Vietnam.")
    ] = 420
    network_field: Annotated[
        str,
        Meta(
            extra={"form": "network_field"},
            max_length=32,
            description="Where receipts and messages of subscribers name the network of the phone: the tag of a "
            "parameter (0x1403), or a key in the text (mccmnc). Numbers are learned from it; empty: none are.",
        ),
    ] = ""
    networks: Annotated[
        Mapping[str, Annotated[int, Meta(ge=1, le=7)]],
        Meta(
            extra={"form": "networks"},
            description="What stands there, where it is neither MCC and MNC nor a name or id of a network.",
        ),
    ] = _NO_PAIRS
    trace_pdus: Annotated[
        int, Meta(ge=0, le=10_000, description="PDUs of each link kept in memory for `bocau link trace`.")
    ] = 200
    url: Annotated[
        str, Meta(extra=_URL, max_length=2_048, description="relay: the service's address; http: what is called.")
    ] = ""
    api_key: Annotated[str, Meta(extra=_ASCII, max_length=128, description="relay: our ApiKey there.")] = ""
    secret_key: Annotated[Secret, Meta(description="relay: our SecretKey there.")] = Secret("")
    authorization: Annotated[Secret, Meta(description="http: value of the Authorization header; empty: none.")] = (
        Secret("")
    )
    callback_base: Annotated[
        str,
        Meta(
            extra=_URL,
            max_length=512,
            description="relay, http: how the carrier reaches our API listener, to report; empty: it does not.",
        ),
    ] = ""
    poll_seconds: Annotated[
        float, Meta(ge=0, le=86_400, description="relay: ask about a message not reported on this often; 0: never.")
    ] = 60.0
    body: Annotated[
        str,
        Meta(
            max_length=8_192,
            description="http: what is posted, with {text}, {phone}, {e164}, {sender}, {reference} and {callback} "
            "filled in; {{ and }} are braces.",
        ),
    ] = ""
    body_kind: Annotated[Literal["json", "form"], Meta(description="http: how the body is written.")] = "json"
    repeatable: Annotated[
        bool, Meta(description="http: the carrier takes a {reference} once, so an unanswered call may be made again.")
    ] = False
    id_pointer: Annotated[
        str, Meta(max_length=256, description="http: where its answer has its id, as /data/id (a JSON pointer).")
    ] = ""
    answer_pointer: Annotated[
        str, Meta(max_length=256, description="http: where its answer says how it went; empty: its HTTP status does.")
    ] = ""
    taken_words: Annotated[tuple[str, ...], Meta(description="http: what stands there for taken.")] = ()
    later_words: Annotated[
        tuple[str, ...], Meta(description="http: what stands there for not now; all else is a refusal for good.")
    ] = ()
    receipt_pointer: Annotated[
        str,
        Meta(max_length=256, description="http: where a report says how it ended; /name in a form or query."),
    ] = ""
    delivered_words: Annotated[tuple[str, ...], Meta(description="http: what stands there for delivered.")] = ()
    undelivered_words: Annotated[tuple[str, ...], Meta(description="http: what stands there for not delivered.")] = ()
    part_cost: Annotated[
        int, Meta(ge=0, le=1_000_000_000, description="What a part costs here, for routes that ask the cheapest first.")
    ] = 0
    breaker_failures: Annotated[
        int, Meta(ge=1, le=10_000, description="So many submits that fail in a row open the breaker: no new messages.")
    ] = 5
    breaker_down_seconds: Annotated[_Wait, Meta(description="So long without any link opens the breaker.")] = 3.0
    breaker_open_seconds: Annotated[
        _Wait, Meta(description="Time until a carrier whose submits failed gets a few messages to show itself.")
    ] = 15.0
    breaker_probes: Annotated[int, Meta(ge=1, le=1_000, description="How many messages it then gets.")] = 3


class Route(Section, frozen=True, kw_only=True):
    """A rule that picks carriers. Of the `[[route]]` that fit, the first counts: by priority, then in order."""

    name: Annotated[str, Meta(extra=_NAME, min_length=1, max_length=32, description="Its name in logs; unique.")]
    carrier: Annotated[str, Meta(description="Name of the carrier that gets the message; or give carriers.")] = ""
    carriers: Annotated[
        tuple[str, ...],
        Meta(
            max_length=16,
            description="Names of several carriers. A message goes to the next one if one cannot take it.",
        ),
    ] = ()
    order: Annotated[
        Literal["listed", "weight", "cost"],
        Meta(
            description="Which carrier comes first: as listed, each for its share by weights, or the one of the least "
            "part_cost."
        ),
    ] = "listed"
    weights: Annotated[
        tuple[Annotated[int, Meta(ge=0, le=100)], ...],
        Meta(max_length=16, description="Shares of the carriers, one number each, for order weight."),
    ] = ()
    priority: Annotated[
        int, Meta(ge=-1_000, le=1_000, description="Routes of a higher number are asked first; equal ones in order.")
    ] = 0
    sms_type: Annotated[Literal[0, 2, 8], Meta(description="Only messages of this SmsType; 0: any.")] = 0
    brandname: Annotated[str, Meta(max_length=20, description="Only messages from this brandname; empty: any.")] = ""
    telco: Annotated[
        int,
        Meta(
            ge=0,
            le=7,
            description="Only to this network: 1 Viettel, 2 MobiFone, 3 VinaPhone, 4 Vietnamobile, 5 Gtel, 6 Itel, "
            "7 Wintel; 0: any.",
        ),
    ] = 0
    accounts: Annotated[tuple[str, ...], Meta(description="Only messages of these accounts, by name; empty: any.")] = ()
    route_class: Annotated[
        Literal["any", "otp", "other"], Meta(description="Only one-time codes, only all others, or any.")
    ] = "any"
    prefixes: Annotated[
        tuple[Annotated[str, Meta(max_length=10, extra=_DIGITS)], ...],
        Meta(description="Only to numbers that begin so, as 090 or 0993; empty: any."),
    ] = ()
    put_off_tries: Annotated[
        int, Meta(ge=1, le=100, description="After so many refusals for now by one carrier the next one is asked.")
    ] = 3
    press_to_hear: Annotated[
        Literal["as_voice", "yes", "no"], Meta(description="Calls of this route: see [voice] press_to_hear.")
    ] = "as_voice"
    press_to_repeat: Annotated[
        Literal["as_voice", "yes", "no"], Meta(description="Calls of this route: see [voice] press_to_repeat.")
    ] = "as_voice"
    uncertain_policy: Annotated[
        Literal["hold", "resend_once", "fail_over_once"],
        Meta(
            description="A submit that was never answered: hold waits for a receipt; the others send once more, to the "
            "same or to another carrier, and the message counts as a possible duplicate."
        ),
    ] = "hold"


class Voice(Section, frozen=True, kw_only=True):
    """How a code is spoken."""

    language: Annotated[Literal["vi", "en"], Meta(description="The language of the prompt.")] = "vi"
    region: Annotated[
        Literal["north", "central", "south"],
        Meta(description="Where the Vietnamese voice comes from; means nothing for English."),
    ] = "north"
    engines: Annotated[
        tuple[Literal["pack", "espeak-ng", "builtin"], ...],
        Meta(
            min_length=1,
            max_length=3,
            description="Who speaks, the preferred one first: recordings, the synthesiser, tones that are no speech.",
        ),
    ] = ("pack", "espeak-ng", "builtin")
    pack: Annotated[str, Meta(max_length=32, description="Name of the recorded pack; empty: the first that fits.")] = ""
    packs_folder: Annotated[
        str, Meta(min_length=1, description="Folder of the recorded packs; `bocau voice pack import` fills it.")
    ] = ".bocau/packs"
    cache_folder: Annotated[
        str, Meta(min_length=1, description="Folder of prepared segments; it may be emptied at any time.")
    ] = ".bocau/speech"
    repeats: Annotated[int, Meta(ge=1, le=3, description="How often the code is said in one call.")] = 3
    gap_ms: Annotated[int, Meta(ge=100, le=1_000, description="Silence between two signs of the code.")] = 250
    press_to_hear: Annotated[
        bool, Meta(description="The code is said only after key 1, so that no answering machine gets it.")
    ] = False
    press_to_repeat: Annotated[bool, Meta(description="The prompt ends with the words that key 1 plays it again.")] = (
        False
    )
    workers: Annotated[
        int, Meta(ge=1, le=32, description="Processes that place calls; the lines of each trunk are shared among them.")
    ] = 1
    calls_per_worker: Annotated[int, Meta(ge=1, le=250, description="Calls of one process at once.")] = 200
    starts_per_second: Annotated[
        Annotated[float, Meta(ge=0.1, le=50)], Meta(description="Calls that one process begins in a second.")
    ] = 25.0
    ring_seconds: Annotated[
        int, Meta(ge=5, le=75, description="How long a phone may ring before the call is given up.")
    ] = 30
    talk_seconds: Annotated[
        int, Meta(ge=10, le=75, description="Longest call, from the answer; with all its ringing it ends after 90 s.")
    ] = 60
    first_port: Annotated[
        _ListenPort, Meta(description="First UDP port of the audio; each call takes two. 0: any that is free.")
    ] = 0
    last_port: Annotated[_ListenPort, Meta(description="Last UDP port of the audio; 0 with first_port = 0.")] = 0


class Trunk(Section, frozen=True, kw_only=True):
    """A line to a voice carrier over SIP. Several `[[trunk]]` tables may stand in the file.

    With a trunk there is a carrier called `voice` that routes can name.
    """

    name: Annotated[
        str, Meta(extra=_NAME, min_length=1, max_length=32, description="Its name in logs and commands; unique.")
    ]
    host: Annotated[str, Meta(extra=_HOST, description="The carrier's SIP server: address or name.")]
    port: Annotated[_ListenPort, Meta(description="Its port; 0: 5060, or 5061 with TLS, or what SRV records say.")] = 0
    transport: Annotated[
        Literal["udp", "tcp", "tls"], Meta(description="How SIP goes there. See srtp for the sound.")
    ] = "udp"
    srtp: Annotated[
        bool,
        Meta(
            description="Sound is encrypted: SRTP, its keys in SDP (AES_CM_128_HMAC_SHA1_80); without TLS whoever can "
            "read the SIP hears the call. No call over a carrier that does not take it. Needs the extra `voice`."
        ),
    ] = False
    user: Annotated[
        str, Meta(extra=_ASCII, max_length=64, description="Log-in name; empty: no challenge is answered.")
    ] = ""
    password: Annotated[Secret, Meta(description="Password of the log-in.")] = Secret("")
    realm: Annotated[
        str, Meta(extra=_ASCII, max_length=128, description="Only challenges of this realm are answered; empty: any.")
    ] = ""
    from_user: Annotated[
        str, Meta(extra=_ASCII, max_length=64, description="The number that calls are made from; empty: the user.")
    ] = ""
    from_domain: Annotated[str, Meta(extra=_ASCII, max_length=253, description="Domain in From; empty: the host.")] = ""
    asserted: Annotated[
        str, Meta(extra=_ASCII, max_length=32, description="P-Asserted-Identity, a number; empty: none is sent.")
    ] = ""
    number_form: Annotated[
        Literal["plus", "digits", "national"],
        Meta(description="How the called number is written: +84901234567, 84901234567 or 0901234567."),
    ] = "plus"
    priority: Annotated[int, Meta(ge=0, le=100, description="The lowest is tried first.")] = 0
    srv: Annotated[bool, Meta(description="Ask the DNS for SRV records of the host; needs the extra `voice`.")] = False
    register: Annotated[bool, Meta(description="Register with the carrier before calling.")] = False
    register_seconds: Annotated[int, Meta(ge=60, le=7_200, description="How long a registration is asked for.")] = 600
    local_host: Annotated[
        str, Meta(extra={"form": "address"}, description="Our address for SIP and sound; empty: the one on the way.")
    ] = ""
    local_port: Annotated[_ListenPort, Meta(description="Our UDP port for SIP; 0: any.")] = 0
    public_host: Annotated[
        str,
        Meta(
            extra={"form": "address"},
            description="The address that the carrier sees us at, behind a NAT that keeps ports; empty: our own.",
        ),
    ] = ""
    learn_public: Annotated[
        bool, Meta(description="Take the address that the carrier says it sees (rport, received) for our own.")
    ] = False
    networks: Annotated[
        _Networks, Meta(description="Networks of the carrier beyond the host's addresses: sound may go there.")
    ] = ()
    max_calls: Annotated[int, Meta(ge=1, le=5_000, description="Calls at once, as contracted.")] = 30
    calls_per_second: Annotated[
        Annotated[float, Meta(ge=0.1, le=500)], Meta(description="Calls begun in a second, as contracted.")
    ] = 5.0
    tls_ca: Annotated[
        str, Meta(description="File (PEM) with the certificates that sign the carrier's; empty: the system's.")
    ] = ""
    connect_seconds: Annotated[_Wait, Meta(description="Longest wait for a connection.")] = 5.0
    keep_alive_seconds: Annotated[_Wait, Meta(description="A connection silent for this long is probed.")] = 25.0


class Callback(Section, frozen=True, kw_only=True):
    """How customers are told the outcome."""

    tries: Annotated[int, Meta(ge=1, le=10, description="Tries in all before a callback is given up.")] = 5
    waits_seconds: Annotated[
        tuple[Annotated[int, Meta(ge=0, le=604_800)], ...],
        Meta(min_length=1, max_length=10, description="Wait before each try; the last one repeats if tries are more."),
    ] = (0, 30, 120, 600, 1_800)
    jitter_percent: Annotated[int, Meta(ge=0, le=50, description="Each wait is this much shorter or longer.")] = 20
    timeout_seconds: Annotated[
        Annotated[float, Meta(ge=0.1, le=60)], Meta(description="One try in all, from name look-up to the answer.")
    ] = 10.0
    in_flight: Annotated[int, Meta(ge=1, le=10_000, description="Tries running at once.")] = 64
    connections_per_host: Annotated[
        int, Meta(ge=1, le=1_000, description="Tries running at once towards one host, so that a slow one holds few.")
    ] = 32
    allowed_networks: Annotated[
        _Networks, Meta(description="Private networks that callbacks may enter; all others of that kind are refused.")
    ] = ()
    call_shape: Annotated[
        Literal["asked", "voice", "sms"],
        Meta(
            description="Callbacks of SmsType 8. asked: a call that was asked for as one (VoiceOTP, MakeCall...) tells "
            "CallStatus, CallDuration and their like; a send tells what every send does. voice: always the former. "
            "sms: always the latter."
        ),
    ] = "asked"
    secret: Annotated[
        Secret, Meta(description="Key that callbacks are signed with (Standard Webhooks); empty: not signed.")
    ] = Secret("")

    def schedule_seconds(self) -> tuple[int, ...]:
        """The wait before each try, as many as there are tries."""
        missing = self.tries - len(self.waits_seconds)
        return self.waits_seconds[: self.tries] + self.waits_seconds[-1:] * missing


class Inbound(Section, frozen=True, kw_only=True):
    """Messages that subscribers send to us. All are kept; `bocau inbound` lists them."""

    url: Annotated[
        str,
        Meta(
            max_length=2_048,
            description="Address that is told of each with a GET, by the schedule, signature and guard of [callback]; "
            "empty: nobody.",
        ),
    ] = ""


class Log(Section, frozen=True, kw_only=True):
    """What is written to standard output."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least important lines that are written.")
    ] = "info"
    format: Annotated[
        Literal["auto", "json", "text"],
        Meta(description="One JSON object a line, or short text. auto: text on a terminal, else JSON."),
    ] = "auto"


class Staging(Section, frozen=True, kw_only=True):
    """For tests beside production: nothing leaves but to listed phones, everything else is caught and shown."""

    enabled: Annotated[
        bool, Meta(description="Catch every message that is not for one of the phones, and report it delivered.")
    ] = False
    phones: Annotated[
        tuple[Annotated[str, Meta(min_length=3, max_length=10, extra=_DIGITS)], ...],
        Meta(description="Numbers, or how they begin, that messages are really delivered to, as 0901234567."),
    ] = ()


class Settings(Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """All settings of one process, read once."""

    api: Api = Api()
    admin: Admin = Admin()
    store: Store = Store()
    accept: Accept = Accept()
    limits: Limits = Limits()
    schedule: Schedule = Schedule()
    retention: Retention = Retention()
    dispatch: Dispatch = Dispatch()
    lookup: Lookup = Lookup()
    carrier: tuple[Carrier, ...] = ()
    route: tuple[Route, ...] = ()
    trunk: tuple[Trunk, ...] = ()
    voice: Voice = Voice()
    staging: Staging = Staging()
    callback: Callback = Callback()
    inbound: Inbound = Inbound()
    log: Log = Log()
    origins: Mapping[Path, Origin] = _NOWHERE
    """Where each value that is not a default came from."""
