"""Calls as tests see them: what the store knows of a call, and what the simulated phone has heard of it so far."""

from typing import Final, NamedTuple, Protocol

from bocau.core.call import CallRecord
from bocau.store.contract import KitStore, StoryLine

__all__ = ["ANSWERED", "CALLED_TYPE", "Call", "CallBook", "CalledPhone"]

ANSWERED: Final = "ANSWERED"
"""Status of a call that was answered, whether it still goes on or not."""
CALLED_TYPE: Final = 8
"""The SmsType that may go out by a call."""

_CALLING: Final = "CALLING"


class Heard(Protocol):
    """What one call said until now."""

    @property
    def codes(self) -> tuple[str, ...]:
        """Each time that a code was said to its end."""
        ...

    @property
    def seconds(self) -> float:
        """Of sound."""
        ...


class CalledPhone(Protocol):
    """The simulated phone. Calls are known by the Call-ID of their INVITE."""

    async def heard(self, call_id: str) -> Heard | None:
        """What it has heard; None if it had no such call."""
        ...

    def sound(self, call_id: str) -> bytes:
        """That as a WAV file; empty if there is none."""
        ...


class Call(NamedTuple):
    """The newest call of a message."""

    call_id: str
    """Empty until somebody answers."""
    status: str
    """CALLING, ANSWERED; once it is over also BUSY, NO ANSWER, FAILED, LOST."""
    over: bool
    codes: tuple[str, ...]
    """What the phone heard, each time that a code was said to its end."""
    seconds: float
    """Of sound that the phone heard."""
    keys: str
    """What was pressed; known once it is over."""
    number: int
    """Which try of the message it is."""


class CallBook:
    """Looks calls up. Without a phone there are none."""

    def __init__(self, store: KitStore, phone: CalledPhone | None, carrier: str) -> None:
        """`carrier` is the name of the one that places calls."""
        self._store = store
        self._phone = phone
        self._carrier = carrier

    def is_called(self, line: StoryLine) -> bool:
        """Whether a message goes out by a call, as far as that is decided."""
        return line.carrier == self._carrier

    def is_text(self, line: StoryLine) -> bool:
        """Whether a message goes out as an SMS: one that may be called counts only once a carrier of texts has it."""
        undecided = self._phone is not None and line.sms_type == CALLED_TYPE and not line.carrier
        return not undecided and not self.is_called(line)

    async def newest(self, line: StoryLine) -> Call | None:
        """The newest call of a message; None if it was not called."""
        story = await self._store.story(line.smsid)
        tries = () if story is None else story.attempts
        own = [one for one in tries if one.message_id == line.id and one.carrier == self._carrier]
        if not own:
            return None
        number, call_id = own[-1].number, own[-1].carrier_id
        records = await self._store.calls(line.account_id, line.smsid)
        record = next((one for one in records if (one.message_id, one.number) == (line.id, number)), None)
        call_id = call_id or (record.sip_call_id if record is not None else "")
        heard = None if self._phone is None or not call_id else await self._phone.heard(call_id)
        return _told(call_id, number, record, heard)

    def sound(self, call: Call) -> bytes:
        """What the phone heard, as a WAV file; empty if it heard nothing."""
        return b"" if self._phone is None or not call.call_id else self._phone.sound(call.call_id)


def _told(call_id: str, number: int, record: CallRecord | None, heard: Heard | None) -> Call:
    going_on = ANSWERED if call_id else _CALLING
    return Call(
        call_id,
        going_on if record is None else record.status,
        record is not None,
        () if heard is None else heard.codes,
        0.0 if heard is None else heard.seconds,
        "" if record is None else record.keys,
        number,
    )
