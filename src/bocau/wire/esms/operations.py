"""Paths of the eSMS API and what is behind them (esms-api 1.1, 3, 5.4).

An operation is a row of `TABLE`. The documented spelling is found in one dictionary look-up; every other spelling that
clients use (any case, with or without a slash, repeated slashes, absolute-form targets) costs a few microseconds more.
"""

from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

__all__ = ["BODY_LIMIT", "LIST_BODY_LIMIT", "TABLE", "Kind", "Operation", "find", "split_target"]

BODY_LIMIT: Final = 65_536
"""Bytes of body that one send or query may have (promises, section 3)."""

LIST_BODY_LIMIT: Final = 1_048_576
"""Bytes of body of an operation that takes a list of receivers (promises, section 3)."""

_BLANKS: Final = b"\xef\xbb\xbf \t\r\n"
"""What may stand before the first sign of a body."""
_SERVICE: Final = b"mainservice.svc"
_SCHEMES: Final = (b"http://", b"https://")


class Kind(StrEnum):
    """What an operation asks for, whatever the form it comes in."""

    SEND = "send"
    CALL_CODE = "call_code"
    """A voice call that speaks a code: a message of type 8 (esms-api 4.1)."""
    CALL_TEMPLATE = "call_template"
    CALL_OLD = "call_old"
    """By the codes of an older register, which bocau does not keep."""
    CALL_RECORDING = "call_recording"
    SEND_CODE = "send_code"
    """A send whose code bocau makes up (esms-api 4.2)."""
    CHECK_CODE = "check_code"
    STATUS = "status"
    RECEIVERS = "receivers"
    RECEIVERS_DATED = "receivers_dated"
    BALANCE = "balance"
    REGISTER = "register"
    """A template is asked for (esms-api 3.9)."""
    BRANDNAMES = "brandnames"
    BRANDNAMES_NUMBERED = "brandnames_numbered"
    TEMPLATES = "templates"
    SENT = "sent"
    """The report of what was sent between two moments (esms-api 3.10)."""
    SENT_PAGED = "sent_paged"
    """The same, where Page and PageSize must be given."""
    PRICE = "price"
    PRICE_ADVERTISING = "price_advertising"
    UNSUPPORTED = "unsupported"
    """Known by name only; answered with code 118 (esms-api 5.4)."""


class Operation(NamedTuple):
    """One operation of the service, as found for one path."""

    name: str
    """Its documented spelling."""
    kind: Kind
    methods: tuple[str, ...]
    """Methods it takes; the value of `Allow` on a 405."""
    folders: tuple[str, ...] = ("json",)
    """Under which folders it stands. An /xml/ path is answered in JSON when the body was JSON (esms-api 1.4)."""
    body_limit: int = BODY_LIMIT
    """Bytes of body, at most; of a send, as XML: the other forms have no list that could be longer."""
    takes: int = 0
    """How many path arguments may follow the name."""
    arguments: tuple[str, ...] = ()
    """The path arguments that were given, decoded, padded with empty strings up to `takes`. They are keys."""
    markup: bool = False
    """It was found under /xml/: the answer is XML, unless the caller wants JSON (esms-api 1.4)."""

    def limit_of(self, body: bytes) -> int:
        """Bytes that this body may have."""
        return BODY_LIMIT if self.kind is Kind.SEND and body.lstrip(_BLANKS)[:1] != b"<" else self.body_limit

    @property
    def head(self) -> bool:
        """Whether HEAD is answered: as its GET, with nothing changed."""
        return "GET" in self.methods

    def __repr__(self) -> str:
        """The name alone: path arguments are keys and must not reach a log (esms-api 5.3)."""
        return f"Operation({self.name})"


_GET: Final = ("GET", "POST")
"""A documented GET; clients post a JSON body to it too (esms-api 1.3 step 8)."""
_POST: Final = ("POST",)
_BOTH: Final = ("json", "xml")


def _unsupported(name: str, folders: tuple[str, ...] = ("json",)) -> Operation:
    """A row of esms-api 5.4, or of advertising (4.3)."""
    return Operation(name, Kind.UNSUPPORTED, _GET, folders, LIST_BODY_LIMIT)


TABLE: Final[tuple[Operation, ...]] = (
    Operation("SendMultipleMessage_V4_post_json", Kind.SEND, _POST, _BOTH),
    Operation("SendMultipleMessage_V4_get", Kind.SEND, _GET),
    Operation("SendMultipleMessage_V4_post", Kind.SEND, _POST),
    Operation("SendMultipleMessage_V4", Kind.SEND, _POST, _BOTH, LIST_BODY_LIMIT),
    Operation("SendMultipleMessage_V2", Kind.SEND, _POST, _BOTH, LIST_BODY_LIMIT),
    Operation("VoiceOTP", Kind.CALL_CODE, _GET),
    Operation("MakeCallTemplate_V2", Kind.CALL_TEMPLATE, _GET),
    Operation("MakeCallRecord_V2", Kind.CALL_RECORDING, _GET),
    Operation("MakeCall", Kind.CALL_OLD, _GET),
    Operation("SendMessageAutoGenCode_V4_get", Kind.SEND_CODE, _GET),
    Operation("CheckCodeGen_V4_get", Kind.CHECK_CODE, _GET),
    Operation("GetSendStatus", Kind.STATUS, _GET, _BOTH),
    Operation("GetSmsReceiverStatus_get", Kind.RECEIVERS, _GET),
    Operation("GetSmsReceiverStatus_V2", Kind.RECEIVERS_DATED, _GET),
    Operation("GetBalance_json", Kind.BALANCE, _POST, _BOTH),
    Operation("GetBalance", Kind.BALANCE, _GET, _BOTH, takes=2),
    Operation("GetListBrandname", Kind.BRANDNAMES, _GET, takes=2),
    Operation("GetListBrandnameV2", Kind.BRANDNAMES_NUMBERED, _GET, takes=2),
    Operation("GetTemplate", Kind.TEMPLATES, _POST),
    Operation("SubServicePreviewJson", Kind.REGISTER, _POST),
    Operation("GetSmsSentData_V1", Kind.SENT, _POST),
    Operation("GetSmsSentData_V2", Kind.SENT_PAGED, _POST),
    Operation("SummaryMultipleMessage_V4_get", Kind.PRICE, _GET),
    Operation("SummaryMultipleSMSBrandname", Kind.PRICE_ADVERTISING, _POST, body_limit=LIST_BODY_LIMIT),
    _unsupported("SendMultipleSMSBrandname_json"),
    _unsupported("SendMultipleSMSBrandname", _BOTH),
    _unsupported("SendZaloMessage_V4_post_json"),
    _unsupported("SendZaloMessage_V5_post"),
    _unsupported("SendZaloMessage_V6"),
    _unsupported("SendZaloMessage_V6/zalo_uid"),
    _unsupported("Send_zns_bulk_v4_post_json"),
    _unsupported("SendZaloFollowerMessage_V4_post_json"),
    _unsupported("SendZaloFollowerMessage_V5_post_json"),
    _unsupported("MultiChannelMessage"),
    _unsupported("SendMessageAutoGenCode_V5"),
    _unsupported("Send_Multiple_Sms_OTT"),
    _unsupported("ZNS/GetRating"),
    _unsupported("ZNS/GetQuota"),
    _unsupported("ZNS/GetQuality"),
    _unsupported("ZNS/GetListZOA"),
    _unsupported("ZNS/GetFollowers"),
    _unsupported("ZNS/GetSeenStatus"),
    _unsupported("GetZnsTemplateInfo"),
    _unsupported("QueryZnsStatus"),
    _unsupported("GetZaloMessageStatus"),
    _unsupported("QueryListUID"),
    _unsupported("SummaryZaloMessage_V4_post_json"),
    _unsupported("RegisZNSTemplateJson"),
    _unsupported("RegisOAPackageJson"),
    _unsupported("GetSmsStatus", _BOTH),
)
"""Every operation bocau knows. A new one is a new row."""

_SOAP: Final = _unsupported("MainService.svc")
"""The bare service address: SOAP calls and `?wsdl` (esms-api 5.4)."""

_ROWS: Final[dict[str, Operation]] = {
    f"{folder}/{row.name}": row._replace(arguments=("",) * row.takes, markup=folder == "xml")
    for row in TABLE
    for folder in row.folders
}
"""Folder and name -> the row as it is found there, without path arguments."""

_EXACT: Final[dict[bytes, Operation]] = {
    f"/MainService.svc/{place}{slash}".encode(): row for place, row in _ROWS.items() for slash in ("", "/")
}
_FOLDED: Final[dict[bytes, Operation]] = {place.lower().encode(): row for place, row in _ROWS.items()}
_DEEPEST: Final = 3 + max(row.name.count("/") + row.takes for row in TABLE)


def split_target(target: bytes) -> tuple[bytes, bytes]:
    """A request target as (path, query); a fragment is dropped, the query comes without its question mark."""
    path, _, query = target.partition(b"?")
    if b"#" in target:
        return path.partition(b"#")[0], query.partition(b"#")[0] if b"#" not in path else b""
    return path, query


def find(path: str | bytes) -> Operation | None:
    """The operation at a path, with its path arguments filled in, or None where there is none. Never raises.

    Case does not matter, a trailing slash is optional, repeated slashes count as one, an absolute-form target is taken
    as its path, and a query is ignored (esms-api 1.1).
    """
    raw = path.encode("utf-8", "backslashreplace") if isinstance(path, str) else path
    return _EXACT.get(raw) or _search(raw)


def _search(raw: bytes) -> Operation | None:
    """The slow way: cut the path into steps and look for the longest name among them."""
    path = split_target(raw)[0]
    if path[:8].lower().startswith(_SCHEMES):
        path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
    steps = [step for step in path.split(b"/") if step]
    if not steps or steps[0].lower() != _SERVICE or len(steps) > _DEEPEST:
        return None
    if len(steps) == 1:
        return _SOAP
    for end in range(len(steps), 2, -1):
        row = _FOLDED.get(b"/".join(steps[1:end]).lower())
        if row is not None:
            return _with_arguments(row, steps[end:])
    return None


def _with_arguments(row: Operation, steps: list[bytes]) -> Operation | None:
    """The row with its path arguments; None if there are too many of them or one is not text."""
    if not steps:
        return row
    if len(steps) > row.takes:
        return None
    try:
        given = tuple(unquote_to_bytes(step).decode("utf-8") for step in steps)
    except UnicodeDecodeError:
        return None
    if any("\0" in argument for argument in given):
        return None
    return row._replace(arguments=given + row.arguments[len(given) :])
