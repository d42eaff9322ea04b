"""Calls: how those of a message went, what was said over SIP, and what the phone of a development start heard."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from bocau.console.call_words import call_facts
from bocau.console.called import CALLED_TYPE
from bocau.console.web.asked import Answer, Asked, Route, Viewer, route
from bocau.console.web.frame import VIETNAM, Frame
from bocau.core.call import CallRecord, Rung
from bocau.store.contract import AdminStore, StoryLine

__all__ = ["CallPages", "Called"]

_WAV = b"audio/wav"


class Called(NamedTuple):
    """One call, as its page shows it."""

    record: CallRecord
    facts: list[tuple[str, object]]
    ladder: list[Rung]
    sound: bool
    """There is a recording."""


class CallPages:
    """`heard` is given a Call-ID and returns what the simulated phone heard, as a WAV file; empty: nothing."""

    def __init__(self, store: AdminStore, frame: Frame, heard: Callable[[str], bytes] | None = None) -> None:
        self._store = store
        self._frame = frame
        self._heard = heard
        self.routes: tuple[Route, ...] = (
            route("GET", r"/console/messages/([0-9A-Za-z]{1,64})/sound/([0-9]{1,19})/([0-9]{1,9})", self._sound),
        )

    async def of(self, viewer: Viewer, line: StoryLine) -> list[Called]:
        """The calls of a message, oldest first; keys that were pressed are told only to whom texts are shown."""
        if line.sms_type != CALLED_TYPE:
            return []
        found = []
        for record in await self._store.calls(None, line.smsid):
            if record.message_id == line.id:
                shown = record if viewer.shown.texts else record._replace(keys="*" * len(record.keys))
                ladder = await self._store.ladder(record.message_id, record.number)
                sound = viewer.shown.texts and bool(self._sound_of(record))
                found.append(Called(record, call_facts(shown, _date, viewer.say), ladder, sound))
        return found

    def _sound_of(self, record: CallRecord) -> bytes:
        return b"" if self._heard is None or not record.sip_call_id else self._heard(record.sip_call_id)

    async def _sound(self, asked: Asked) -> Answer:
        """What the phone heard of one call."""
        smsid, message_id, number = asked.steps
        for record in await self._store.calls(None, smsid):
            if asked.viewer.shown.texts and (str(record.message_id), str(record.number)) == (message_id, number):
                sound = self._sound_of(record)
                if sound:
                    return Answer(sound, content_type=_WAV)
        text = asked.viewer.say("Nothing was recorded of this call.")
        return Answer(self._frame.render("nothing.html", asked.viewer, asked.path, text=text), 404)


def _date(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, VIETNAM).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
