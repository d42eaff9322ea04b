"""`bocau retention`: how long things are kept, and what is due to be forgotten."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import listing, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk

__all__ = ["retention"]

_COLUMNS: Final = {
    "what": "What",
    "kept": "Kept",
    "forgotten_until": "Looked at up to",
    "due": "Due now",
    "later": "Waiting",
}
_SETTINGS: Final = {
    "otp_text": "otp_text_hours",
    "other_text": "other_text_days",
    "phone": "phone_days",
    "message": "message_days",
}


def retention(as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Show how long texts, numbers and messages are kept after a message ended, and what is due to be forgotten now.

    Due: messages old enough to be looked at, one by one; those that ended late then wait for their turn.
    """
    with told(as_json):
        from bocau.cli.desk import at_desk

        listing(as_json, at_desk(data, config, _rows), _COLUMNS, "")


async def _rows(desk: "Desk") -> list[dict[str, object]]:
    from bocau.app import keeping_of
    from bocau.core.ids import moment_of

    kept = desk.settings.retention
    rows: list[dict[str, object]] = []
    for found in await desk.store.forgettable(keeping_of(desk.settings), desk.world.now_ms()):
        name = _SETTINGS[found.what]
        value = getattr(kept, name)
        until = datetime.fromtimestamp(moment_of(found.place) / 1000, UTC).isoformat(timespec="seconds")
        rows.append(
            {
                "what": found.what,
                "setting": f"retention.{name}",
                "kept": f"{value} {name.rpartition('_')[2]}" if value else "for ever",
                "forgotten_until": until if found.place else None,
                "due": found.due,
                "later": found.later,
            }
        )
    return rows
