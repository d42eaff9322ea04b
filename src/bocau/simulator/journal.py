"""What the carrier saw and did, one JSON line per event: a witness outside the gateway (promises 7.6).

Every line has `at_ms` (milliseconds since 1970-01-01 UTC) and `event`; a line about one connection has its number,
`link`. The events and their further fields:

- `listen`: `port`; `stop`
- `bind`: `system_id`, `mode`, `status` (the command_status it was answered with)
- `unbind`: `system_id`; `lost`: `system_id`, `reason`, the end of a connection however it came
- `submit`: `system_id`, `sender`, `phone`, `part` of `parts`, `reference` (what the parts have in common),
  `sha256` of the part's text, `digest` (its first eight digits), `act` (answer, silence, disconnect), `status` and
  `message_id` of the answer that is planned
- `answer`: `message_id`, `status`, when the answer is handed to the connection
- `shown`: a telephone has a whole message: `system_id`, `sender`, `phone`, `parts`, `message_ids`, `sha256`, `digest`
- `receipt`: `system_id`, `message_id`, `phone`, `state`, `number` (which try to hand it over, from 1)
- `acknowledge`: `system_id`, `message_id`, `phone`, `status` of the peer's answer to a receipt
- `overdue`: as `receipt`, when no acknowledgement came in time
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from bocau.simulator.handset import Sms
from bocau.simulator.rules import Answer
from bocau.wire.smpp.pieces import Piece

__all__ = ["Journal", "SubmitSeen", "text_digest"]

_ENCODE: Final[Callable[[Any], bytes]] = msgspec.json.Encoder().encode


def text_digest(text: str) -> str:
    """The SHA-256 of a text in UTF-8, as 64 hexadecimal digits; the first eight tell texts apart."""
    return sha256(text.encode("utf-8")).hexdigest()


class SubmitSeen(NamedTuple):
    """A submit and what is to be answered."""

    at_ms: int
    link: int
    system_id: str
    sender: str
    phone: str
    piece: Piece
    text: str
    """Of this part."""
    answer: Answer
    message_id: str


class Journal:
    """An append-only log. Lines are kept until `flush`, which hands all of them to the system in one write."""

    __slots__ = ("_file", "_full_text", "_lines")

    def __init__(self, path: Path, full_text: bool = False) -> None:
        """Open for appending; texts go in as digests, and in full only with `full_text`. Raises OSError."""
        self._file = path.open("ab")
        self._full_text = full_text
        self._lines: list[bytes] = []

    def note(self, at_ms: int, event: str, link: int | None = None, **fields: str | int) -> None:
        """Any event."""
        line: dict[str, Any] = {"at_ms": at_ms, "event": event}
        if link is not None:
            line["link"] = link
        line.update(fields)
        self._lines.append(_ENCODE(line))

    def submit(self, seen: SubmitSeen) -> None:
        """A submit came."""
        piece, digest = seen.piece, text_digest(seen.text)
        line: dict[str, Any] = {
            "at_ms": seen.at_ms,
            "event": "submit",
            "link": seen.link,
            "system_id": seen.system_id,
            "sender": seen.sender,
            "phone": seen.phone,
            "part": piece.part,
            "parts": piece.parts,
            "reference": piece.reference,
            "sha256": digest,
            "digest": digest[:8],
            "act": seen.answer.act.value,
            "status": seen.answer.status,
            "message_id": seen.message_id,
        }
        if self._full_text:
            line["text"] = seen.text
        self._lines.append(_ENCODE(line))

    def shown(self, sms: Sms, system_id: str) -> None:
        """A telephone shows a whole message."""
        digest = text_digest(sms.text)
        line: dict[str, Any] = {
            "at_ms": sms.at_ms,
            "event": "shown",
            "system_id": system_id,
            "sender": sms.sender,
            "phone": sms.phone,
            "parts": sms.parts,
            "message_ids": sms.message_ids,
            "sha256": digest,
            "digest": digest[:8],
        }
        if self._full_text:
            line["text"] = sms.text
        self._lines.append(_ENCODE(line))

    def flush(self) -> None:
        """Write what was noted; afterwards another process can read it, and it outlives ours. Raises OSError."""
        if self._lines:
            self._lines.append(b"")
            data = b"\n".join(self._lines)
            self._lines.clear()
            self._file.write(data)
            self._file.flush()

    def close(self) -> None:
        """Write the rest and close."""
        self.flush()
        self._file.close()
