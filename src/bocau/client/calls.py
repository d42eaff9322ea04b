"""The calls of the API as values: what goes out, how its answer is read, and whether it may be repeated.

Only documented forms: what eSMS documents as a GET is one, its keys in the query; the others are JSON posts. Pure.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final, Generic, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from bocau.client import replies
from bocau.client.replies import Reply
from bocau.client.results import Balance, Brandname, Price, Receiver, Sent, Status, Template

__all__ = ["CODE_PLACE", "Address", "Call", "Calls", "Options", "fill_code", "read_address"]

T = TypeVar("T")

ESMS: Final = "https://rest.esms.vn"
"""Where eSMS itself listens; used when nothing names another place."""
CODE_PLACE: Final = "{code}"
"""Where `send_otp` puts the code."""

_SERVICE: Final = "/MainService.svc/json"
_VIETNAM: Final = timezone(timedelta(hours=7))


@dataclass(frozen=True, slots=True)
class Address:
    """Where the API is."""

    secure: bool
    host: str
    port: int
    prefix: str
    """What comes before /MainService.svc, without a slash at the end."""

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def read_address(base_url: str | None) -> Address:
    """The address of a base URL, else of ESMS_BASE_URL, else of eSMS itself.

    The base may end with /MainService.svc/json, as some keep it. Raises ValueError if it is none.
    """
    url = base_url or os.environ.get("ESMS_BASE_URL") or ESMS
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f'"{url}" is no address: it looks like http://127.0.0.1:8484')
    prefix = parts.path.rstrip("/")
    for ending in (_SERVICE, "/MainService.svc"):
        prefix = prefix.removesuffix(ending)
    secure = parts.scheme == "https"
    return Address(secure, parts.hostname, parts.port or (443 if secure else 80), prefix)


@dataclass(frozen=True, slots=True)
class Options:
    """What any send may have."""

    request_id: str = ""
    """Your own key for it; one is made up if it is empty, so that repetitions are harmless."""
    callback_url: str = ""
    """Called with the outcome."""
    send_at: datetime | None = None
    """Not before; without a time zone it is Vietnam time."""
    sandbox: bool = False
    """Check everything, send nothing."""
    campaign_id: str = ""

    def members(self) -> dict[str, str]:
        """As parameters, those that say something."""
        found = {
            "RequestId": self.request_id,
            "CallbackUrl": self.callback_url,
            "SendDate": "" if self.send_at is None else _send_date(self.send_at),
            "Sandbox": "1" if self.sandbox else "",
            "campaignid": self.campaign_id,
        }
        return {name: value for name, value in found.items() if value}


def _send_date(moment: datetime) -> str:
    """In the documented form, which is Vietnam time."""
    local = moment if moment.tzinfo is None else moment.astimezone(_VIETNAM)
    return local.strftime("%Y-%m-%d %H:%M:%S")


def fill_code(text: str, code: str) -> str:
    """The text with the code in its place. Raises ValueError if it has none."""
    if CODE_PLACE not in text:
        raise ValueError(f"the text has no {CODE_PLACE} where the code goes")
    return text.replace(CODE_PLACE, code)


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call, ready to go out."""

    method: str
    target: str
    body: bytes | None
    read: Callable[[Reply], T]
    repeatable: bool = True
    """It may be repeated when it is not known whether the first try arrived."""
    request_id: str = ""

    def __repr__(self) -> str:
        """Without the keys and texts in it."""
        return f"Call({self.method} ...)"


class Calls:
    """Makes the calls of one account. The keys are those given, else ESMS_API_KEY and ESMS_SECRET_KEY."""

    def __init__(self, api_key: str | None, secret_key: str | None, prefix: str) -> None:
        """Raises ValueError if a key is missing."""
        api, secret = api_key or os.environ.get("ESMS_API_KEY"), secret_key or os.environ.get("ESMS_SECRET_KEY")
        if not api or not secret:
            raise ValueError("both keys are needed: api_key and secret_key, or ESMS_API_KEY and ESMS_SECRET_KEY")
        self._keys = {"ApiKey": api, "SecretKey": secret}
        self._prefix = f"{prefix}{_SERVICE}"

    def __repr__(self) -> str:
        """Without the keys."""
        return "Calls(...)"

    def send(
        self, phones: str | Sequence[str], text: str, brandname: str, *, sms_type: int, unicode: bool, options: Options
    ) -> Call[Sent]:
        """An SMS to one or several phones."""
        members = {
            "Phone": phones if isinstance(phones, str) else ",".join(phones),
            "Content": text,
            "SmsType": str(sms_type),
            **({"Brandname": brandname} if brandname else {}),
            **({"IsUnicode": "1"} if unicode else {}),
            **options.members(),
        }
        return self._post("SendMultipleMessage_V4_post_json/", members, replies.read_sent, options.request_id)

    def voice_otp(self, phone: str, code: str, options: Options) -> Call[Sent]:
        """A call that speaks a code."""
        members = {"Phone": phone, "Code": code, **options.members()}
        return self._get("VoiceOTP", members, replies.read_sent, options.request_id)

    def generate_code(
        self, phone: str, text: str, brandname: str, code: Mapping[str, str], options: Options
    ) -> Call[Sent]:
        """A send whose code the other end makes up; `code` says how it is made."""
        members = {"Phone": phone, "Brandname": brandname, "Type": "2", "message": text, **code, **options.members()}
        return self._get("SendMessageAutoGenCode_V4_get", members, replies.read_sent, options.request_id)

    def check_code(self, phone: str, code: str) -> Call[bool]:
        """Whether such a code is right. Once: a repetition would find it used."""
        call = self._get("CheckCodeGen_V4_get", {"Phone": phone, "Code": code}, replies.read_check)
        return Call(call.method, call.target, call.body, call.read, repeatable=False)

    def status(self, smsid: str) -> Call[Status]:
        """What became of a request."""
        return self._get("GetSendStatus", {"RefId": smsid}, replies.read_status)

    def receivers(self, smsid: str) -> Call[tuple[Receiver, ...]]:
        """What became of each receiver."""
        return self._get("GetSmsReceiverStatus_get", {"RefId": smsid}, replies.read_receivers)

    def balance(self) -> Call[Balance]:
        """What the account has left."""
        return self._post("GetBalance_json", {}, replies.read_balance)

    def brandnames(self) -> Call[tuple[Brandname, ...]]:
        """The registered senders; the documented form has the keys in the path."""
        keys = "/".join(quote(key, safe="") for key in self._keys.values())
        return Call("GET", f"{self._prefix}/GetListBrandname/{keys}", None, replies.read_brandnames)

    def templates(self, brandname: str, sms_type: int) -> Call[tuple[Template, ...]]:
        """The registered texts of a sender."""
        return self._post("GetTemplate/", {"SmsType": str(sms_type), "Brandname": brandname}, replies.read_templates)

    def price(self, phones: str | Sequence[str], text: str, brandname: str, *, unicode: bool) -> Call[Price]:
        """What a send would cost."""
        members = {
            "Phone": phones if isinstance(phones, str) else ",".join(phones),
            "Content": text,
            "SmsType": "2",
            "BrandName": brandname,
            **({"IsUnicode": "1"} if unicode else {}),
        }
        return self._get("SummaryMultipleMessage_V4_get", members, replies.read_price)

    def _post(
        self, operation: str, members: Mapping[str, str], read: Callable[[Reply], T], request_id: str = ""
    ) -> Call[T]:
        body = json.dumps({**self._keys, **members}, ensure_ascii=False).encode()
        return Call("POST", f"{self._prefix}/{operation}", body, read, request_id=request_id)

    def _get(
        self, operation: str, members: Mapping[str, str], read: Callable[[Reply], T], request_id: str = ""
    ) -> Call[T]:
        query = urlencode({**self._keys, **members}, quote_via=quote)
        return Call("GET", f"{self._prefix}/{operation}?{query}", None, read, request_id=request_id)
