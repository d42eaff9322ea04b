"""What calls return. Money is VND as a Decimal, exactly as it came; counts are ints."""

from dataclasses import dataclass
from decimal import Decimal

__all__ = ["Balance", "Brandname", "Price", "Receiver", "Sent", "Status", "Template"]

_FINISHED = 5
_REJECTED = 4
_DELETED = 6


@dataclass(frozen=True, slots=True)
class Sent:
    """A request was accepted."""

    smsid: str
    """Its id for `status`. Empty in one case only: `repeated`, and the first answer is lost for good (eSMS)."""
    request_id: str
    """The RequestId it was accepted under."""
    repeated: bool = False
    """An earlier try of this call had been accepted; its answer did not reach us."""


@dataclass(frozen=True, slots=True)
class Status:
    """What became of a request, summed over its receivers (esms-api 3.3)."""

    smsid: str
    send_status: int
    """1 awaits approval, 2 waiting, 3 being sent, 4 rejected, 5 finished, 6 deleted, 7 waits for the receipt."""
    delivered: int
    failed: int
    receivers: int
    sent: int
    """Receivers handed to a network."""
    price: Decimal
    possible_duplicates: int = 0
    """Messages that a bocau sent once more though an earlier try may have arrived; their receivers may see two."""

    @property
    def finished(self) -> bool:
        """Nothing more will happen."""
        return self.send_status in (_REJECTED, _FINISHED, _DELETED)

    @property
    def all_delivered(self) -> bool:
        """Finished, and everybody got it."""
        return self.send_status == _FINISHED and not self.failed and self.delivered > 0


@dataclass(frozen=True, slots=True)
class Receiver:
    """One receiver of a request."""

    phone: str
    network: str
    sent: bool
    delivered: bool
    retries: int


@dataclass(frozen=True, slots=True)
class Balance:
    """What the account has left."""

    amount: Decimal
    user_id: int


@dataclass(frozen=True, slots=True)
class Brandname:
    """A registered sender."""

    name: str
    sms_type: int


@dataclass(frozen=True, slots=True)
class Template:
    """A registered text on one network."""

    id: int
    network: int
    """1 Viettel, 2 Mobifone, 3 Vinaphone, 4 Vietnamobile, 5 Gtel, 6 Itel, 7 Wintel"""
    content: str


@dataclass(frozen=True, slots=True)
class Price:
    """What a send would cost."""

    amount: Decimal
    receivers: int
