"""What a request can be decoded to: the names that an operation reads, in all their spellings, and the caps.

Case never matters. A vocabulary lists the parameters of one kind of operation, so that a foreign member of a send that
happens to be called like a parameter of a report is as foreign as before.
"""

from collections.abc import Mapping
from typing import Final

__all__ = [
    "CHARSET",
    "MAX_DEPTH",
    "MAX_DIGITS",
    "MAX_ELEMENTS",
    "MAX_PAIRS",
    "MAX_XML_DEPTH",
    "SEND_NAMES",
    "SEND_PARAMETERS",
    "Malformed",
    "Vocabulary",
]

MAX_DEPTH: Final = 32
"""Objects and arrays inside each other, the outermost included (promises, section 3)."""
MAX_XML_DEPTH: Final = 8
"""Elements inside each other, the outermost included (promises, section 3)."""
MAX_ELEMENTS: Final = 40_000
"""Elements of one document: 10,000 receivers, each wrapped twice, and all that goes with them."""
MAX_PAIRS: Final = 200
"""Name=value pairs in a form or a query (promises, section 3)."""
MAX_DIGITS: Final = 20
"""Digits of a JSON number (promises, section 3)."""

CHARSET: Final = "charset"
"""The key under which a charset other than UTF-8 is reported; no parameter of the API has this name."""


class Malformed(Exception):  # noqa: N818 - what the request is, as the caller reads it
    """The request cannot be decoded: HTTP 400 with the infrastructure body. The text is safe to log."""


# Canonical name -> the other documented or seen spellings that differ in more than one way from it. Only to be found
# in one look-up: any case of a name is found by folding it.
_SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "apikey": ("ApiKey", "Apikey"),
    "secretkey": ("SecretKey", "Secretkey"),
    "content": ("Content",),
    "phone": ("Phone",),
    "phones": ("Phones",),
    "brandname": ("Brandname", "BrandName"),
    "smstype": ("SmsType",),
    "isunicode": ("IsUnicode",),
    "unicode": ("Unicode",),
    "sandbox": ("Sandbox", "SandBox"),
    "requestid": ("RequestId", "RequestID"),
    "senddate": ("SendDate",),
    "campaignid": ("campaignId", "CampaignId", "Campaignid"),
    "callbackurl": ("CallbackUrl", "CallBackUrl", "CallbackURL"),
    "refid": ("RefId", "RefID"),
    "referenceid": ("ReferenceId", "ReferenceID"),
    "smsid": ("SmsId", "SmsID"),
}
_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {"sandbox": ("issandbox", "IsSandbox", "IsSandBox")}
"""Other names that mean the same (esms-api 3.11)."""


class Vocabulary:
    """The parameters that one kind of operation reads, by canonical (lower-case) name."""

    __slots__ = ("octets", "texts")

    def __init__(self, *names: str) -> None:
        found: dict[str, str] = {}
        for name in names:
            for spelling in (name, *_SPELLINGS.get(name, ()), *_ALIASES.get(name, ())):
                found[spelling] = found[spelling.upper()] = name
        self.texts: Mapping[str, str] = found
        """Spelling -> canonical name."""
        self.octets: Mapping[bytes, str] = {spelling.encode(): name for spelling, name in found.items()}
        """The same, as it stands in a form."""

    def fold(self, spelling: str) -> str | None:
        """The canonical name of a spelling in any case; None for a name that the operation does not read."""
        return self.texts.get(spelling) or (self.texts.get(spelling.lower()) if spelling.isascii() else None)


SEND_PARAMETERS: Final = (
    "apikey",
    "secretkey",
    "content",
    "phone",
    "brandname",
    "smstype",
    "isunicode",
    "unicode",
    "sandbox",
    "requestid",
    "senddate",
    "campaignid",
    "callbackurl",
)
"""What a send reads (esms-api 2.1, 3.1)."""

SEND_NAMES: Final = Vocabulary(*SEND_PARAMETERS)
