"""The client of the eSMS HTTP API, for bocau and for eSMS itself. Standard library only; nothing of the gateway.

```python
from bocau.client import Client

with Client() as esms:  # ESMS_BASE_URL, ESMS_API_KEY, ESMS_SECRET_KEY
    sent = esms.send_otp("0901888484", "482193", brandname="Bocau", text="{code} la ma dang nhap Bocau cua ban")
```
"""

from importlib import import_module
from typing import TYPE_CHECKING

from bocau.client.callbacks import BadSignature, Callback, CallOutcome, parse_callback, verify
from bocau.client.errors import (
    BY_CODE,
    AccountLocked,
    AddressNotAllowed,
    AuthorizeFailed,
    BlockedKeyword,
    BlockedNumber,
    BrandnameUnknown,
    DuplicateRequest,
    EsmsError,
    IdUnknown,
    InvalidField,
    InvalidPhone,
    NoAnswer,
    NoBalance,
    NoPrice,
    NotRegisteredOnNetwork,
    OnePhoneOnly,
    RecordingUnknown,
    RegistrationPending,
    RequestIdTooLong,
    ServiceTypeUnsupported,
    SmsTypeMissing,
    SmsTypeUnsupported,
    TemplateMismatch,
    TooFast,
    TooManyPhones,
)
from bocau.client.results import Balance, Brandname, Price, Receiver, Sent, Status, Template
from bocau.client.synchronous import Client

if TYPE_CHECKING:
    from bocau.client.asynchronous import AsyncClient

__all__ = [
    "BY_CODE",
    "AccountLocked",
    "AddressNotAllowed",
    "AsyncClient",
    "AuthorizeFailed",
    "BadSignature",
    "Balance",
    "BlockedKeyword",
    "BlockedNumber",
    "Brandname",
    "BrandnameUnknown",
    "CallOutcome",
    "Callback",
    "Client",
    "DuplicateRequest",
    "EsmsError",
    "IdUnknown",
    "InvalidField",
    "InvalidPhone",
    "NoAnswer",
    "NoBalance",
    "NoPrice",
    "NotRegisteredOnNetwork",
    "OnePhoneOnly",
    "Price",
    "Receiver",
    "RecordingUnknown",
    "RegistrationPending",
    "RequestIdTooLong",
    "Sent",
    "ServiceTypeUnsupported",
    "SmsTypeMissing",
    "SmsTypeUnsupported",
    "Status",
    "Template",
    "TemplateMismatch",
    "TooFast",
    "TooManyPhones",
    "parse_callback",
    "verify",
]


def __getattr__(name: str) -> object:
    """AsyncClient, when somebody asks for it: asyncio takes longer to import than all the rest."""
    if name == "AsyncClient":
        return import_module("bocau.client.asynchronous").AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
