"""What the simulated phone has heard so far, while the call goes on: for tests that wait for a spoken code.

A code is said several times with a pause after each, so a call is heard in stretches: once a pause has come, the ear
gets what was said before it, and what ended with a code it never gets again. What no pause follows was cut off. Nobody
asks, nobody listens: to hear costs more than to record.
"""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from bocau.simulator.ear import UNKNOWN, Ear
from bocau.simulator.phone import Recording, samples_of, wav_of

__all__ = ["HeardSoFar", "Hearing"]

_FAINT: Final = 200
"""A frame no louder than this is silence; a prompt's own silence is 8."""
_FRAMES_PER_SECOND: Final = 50
_CODE_PAUSE_SECONDS: Final = 0.6
"""Shorter than the pause after a code, longer than the usual one between two signs."""
_SLACK_SECONDS: Final = 0.2
_SHORTEST: Final = 4
"""Signs of a code; what is shorter was a phrase that sounds like a letter."""


class HeardSoFar(NamedTuple):
    """What one call said until now."""

    codes: tuple[str, ...]
    """Each time that a code was said to its end."""
    seconds: float
    """Of sound."""
    over: bool


class _Notes:
    """How far a recording was heard."""

    def __init__(self) -> None:
        self.looked = 0
        """Frames whose loudness is known."""
        self.settled = 0
        """Frames up to the end of the last code."""
        self.quiet = 0
        """Silent frames at the end of those that were looked at."""
        self.sounded = False
        """Whether anything but silence came since the ear last listened."""
        self.codes: tuple[str, ...] = ()
        self.listening = asyncio.Lock()

    def pause(self, recording: Recording, end: int, frames: int) -> int:
        """Go on to the next pause of so many frames, or to the end; how far that is, 0 if there is no pause."""
        for at in range(self.looked, end):
            silent = _is_silent(recording.frames[at], recording.payload_type)
            self.looked = at + 1
            self.quiet = self.quiet + 1 if silent else 0
            self.sounded = self.sounded or not silent
            if self.sounded and self.quiet >= frames:
                self.sounded = False
                return self.looked
        return 0


class Hearing:
    """Listens to recordings, with an ear that is made, in a thread, when it is first needed."""

    def __init__(
        self, find: Callable[[str], Recording | None], make_ear: Callable[[], Ear], gap_seconds: float = 0.25
    ) -> None:
        """`find` gives the recording of a Call-ID; `gap_seconds` is the silence between two signs of a code."""
        self._find = find
        self._make_ear = make_ear
        self._pause_frames = round(max(_CODE_PAUSE_SECONDS, gap_seconds + _SLACK_SECONDS) * _FRAMES_PER_SECOND)
        self._ear: Ear | None = None
        self._notes: WeakKeyDictionary[Recording, _Notes] = WeakKeyDictionary()

    async def heard(self, call_id: str) -> HeardSoFar | None:
        """What a call said until now; None if there was none, or it was forgotten. Raises what `make_ear` does."""
        recording = self._find(call_id)
        return None if recording is None else await self.listen(recording)

    async def listen(self, recording: Recording) -> HeardSoFar:
        """What was said in a recording until now."""
        notes = self._notes.setdefault(recording, _Notes())
        async with notes.listening:
            over, end = recording.over.is_set(), len(recording.frames)
            while place := notes.pause(recording, end, self._pause_frames):
                await self._hear(notes, recording, place)
        return HeardSoFar(notes.codes, end / _FRAMES_PER_SECOND, over)

    async def _hear(self, notes: _Notes, recording: Recording, end: int) -> None:
        """Give the ear what was said since the last code; if it ended with a code, that is settled."""
        octets = b"".join(recording.frames[notes.settled : end])
        loop = asyncio.get_running_loop()
        codes = await loop.run_in_executor(None, self._codes, octets, recording.payload_type)
        if codes:
            notes.codes += codes
            notes.settled = end

    def sound(self, call_id: str) -> bytes:
        """What a call said until now, as a WAV file; empty if nothing was."""
        recording = self._find(call_id)
        return b"" if recording is None or not recording.frames else wav_of(recording)

    def _codes(self, octets: bytes, payload_type: int) -> tuple[str, ...]:
        if self._ear is None:
            self._ear = self._make_ear()
        said = self._ear.hear(octets, "ulaw" if payload_type == 0 else "alaw").codes
        whole = (code.strip(UNKNOWN) for code in said)
        return tuple(code for code in whole if len(code) >= _SHORTEST and UNKNOWN not in code)


def _is_silent(frame: bytes, payload_type: int) -> bool:
    samples = memoryview(samples_of(frame, payload_type)).cast("h")
    return max(map(abs, samples), default=0) <= _FAINT
