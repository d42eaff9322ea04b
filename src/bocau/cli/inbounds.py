"""`bocau inbound`: what subscribers sent."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import listing, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk
    from bocau.store.contract import InboundLine

__all__ = ["inbound"]

_COLUMNS = {"at": "At", "carrier": "Carrier", "sender": "From", "recipient": "To", "told": "Told", "text": "Text"}


def inbound(
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most messages, the newest first.")] = 20,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """List the newest messages from subscribers."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> "list[InboundLine]":
            await desk.store.note("inbound.reveal", f"the newest {limit}")
            return await desk.store.inbounds(limit)

        rows = [_row(line) for line in at_desk(data, config, act)]
        listing(as_json, rows, _COLUMNS, "Nobody has written yet.")


def _row(line: "InboundLine") -> dict[str, object]:
    from bocau.wire.smpp.inbound import text_of

    text = text_of(line.raws)
    return {
        "id": line.id,
        "at": datetime.fromtimestamp(line.received_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "carrier": line.carrier,
        "sender": line.sender,
        "recipient": line.recipient,
        "told": f"{line.state}, {line.tries} tries" if line.tries else line.state,
        "text": text if line.whole else f"(part {line.part} of {line.parts}) {text}",
    }
