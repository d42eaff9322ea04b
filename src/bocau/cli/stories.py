"""`bocau tail` and `bocau show`: messages as they come, and the life of one of them."""

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import Trouble, document, facts, plain, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bocau.cli.desk import Desk
    from bocau.console.telling import Moment, Shown
    from bocau.store.contract import Story, StoryLine

__all__ = ["show", "tail"]

_POLL_SECONDS: Final = 0.3
_BATCH: Final = 500
_MOST_OPEN: Final = 2_000
_OPEN: Final = ("scheduled", "queued", "sending", "sent", "uncertain")
_COLOURS: Final = {
    "delivered": "32",
    "failed": "31",
    "expired": "31",
    "rejected": "31",
    "unknown": "33",
    "uncertain": "33",
}
_DIM: Final = "2"
_BOLD: Final = "1"

Reveal = Annotated[
    bool, typer.Option("--reveal", help="Show numbers and texts, which are hidden otherwise; it goes into the audit.")
]


def show(
    smsid: Annotated[str, typer.Argument(metavar="SMSID", help="From the answer to the send.")],
    reveal: Reveal = False,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Tell everything that happened to a request, in the order of time.

    Numbers and texts are hidden, except in the store of `bocau dev`.
    """
    with told(as_json):
        from bocau.cli.desk import at_desk
        from bocau.console.telling import headline, moments

        async def act(desk: "Desk") -> "tuple[Story | None, Shown]":
            return await desk.store.story(smsid.strip()), await _shown(desk, reveal, f"request {smsid[:40]}")

        story, shown = at_desk(data, config, act)
        if story is None:
            raise Trouble(f"There is no request {smsid} in this store. `bocau tail` shows those that come.")
        happened = moments(story, shown)
        if as_json:
            messages = [
                {**dict(headline(line, shown)), "State": line.state, "PossibleDuplicate": line.repeated}
                for line in story.messages
            ]
            document({"messages": messages, "moments": [moment._asdict() for moment in happened]})
            return
        for line in story.messages:
            facts(headline(line, shown))
            print()
        _print_moments(happened)


def _print_moments(happened: "list[Moment]") -> None:
    """One line each: when, how long after the first, what."""
    first = happened[0].at_ms
    width = max(len(moment.what) for moment in happened)
    for moment in happened:
        after = _span(moment.at_ms - first)
        whom = f"{moment.phone}  " if moment.phone else ""
        what = _paint(_BOLD, f"{moment.what:<{width}}")
        print(
            f"{_paint(_DIM, _date(moment.at_ms))}  {_paint(_DIM, f'{after:>10}')}  {what}  {whom}{plain(moment.words)}"
        )


def tail(
    lines: Annotated[int, typer.Option("--lines", min=0, help="How many of the newest to begin with.")] = 10,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Go on until Ctrl-C.")] = True,
    reveal: Reveal = False,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show messages as they come, and what becomes of them, one line for each change.

    With --json each line is a JSON object. Numbers and texts are hidden, except in the store of `bocau dev`.
    """
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> None:
            shown = await _shown(desk, reveal, "messages as they come")
            async for line in _changes(desk, lines, follow):
                _print_line(line, shown, as_json)

        try:
            at_desk(data, config, act)
        except KeyboardInterrupt:
            raise typer.Exit from None


async def _changes(desk: "Desk", lines: int, follow: bool) -> "AsyncIterator[StoryLine]":
    """The newest messages, then every new one, and every one of them again when its state is another."""
    from collections import OrderedDict

    newest = await desk.store.newest_messages(lines)
    last = newest[-1].id if newest else await desk.store.newest_message()
    known: OrderedDict[int, str] = OrderedDict()
    coming = newest
    while True:
        for line in coming:
            yield line
            if line.state in _OPEN:
                known[line.id] = line.state
                if len(known) > _MOST_OPEN:
                    known.popitem(last=False)
        if not follow:
            return
        await desk.world.sleep(_POLL_SECONDS)
        coming = await desk.store.messages_after(last, None, _BATCH)
        last = coming[-1].id if coming else last
        for message_id, state in list(known.items()):
            now = await desk.store.message(message_id)
            if now is not None and now.state != state:
                known.pop(message_id)
                coming.append(now)


def _print_line(line: "StoryLine", shown: "Shown", as_json: bool) -> None:
    from bocau.settings import CAPTURE

    if as_json:
        document(
            {
                "at_ms": line.final_ms or line.created_ms,
                "smsid": line.smsid,
                "phone": shown.phone(line.phone),
                "brandname": line.brandname,
                "text": shown.text(line.content),
                "parts": line.parts,
                "state": line.state,
                "reason": line.reason,
                "carrier": line.carrier,
                "possible_duplicate": line.repeated,
            }
        )
    else:
        word = "caught" if line.carrier == CAPTURE and line.state == "delivered" else line.state
        state = _paint(_COLOURS.get(line.state, _DIM), f"{word:<9}")
        when = _paint(_DIM, _date(line.final_ms or line.created_ms)[11:])
        sender = _paint(_BOLD, line.brandname or "-")
        text = plain(shown.text(line.content)).replace("\n", "\u21b5")
        reason = f"  {plain(line.reason)}" if line.reason.strip("0") else ""  # 000 is no error
        reason += "  possible duplicate" if line.repeated else ""
        print(f"{when}  {state}  {shown.phone(line.phone)}  {sender}: {text}{reason}  {_paint(_DIM, line.smsid)}")
    sys.stdout.flush()


async def _shown(desk: "Desk", reveal: bool, what: str) -> "Shown":
    """How much may be told: all of a development store, of another one if it is asked for, which is noted."""
    from bocau.console.telling import Shown
    from bocau.provision import DEVELOPMENT

    if any(account.name == DEVELOPMENT.account for account in await desk.store.accounts()):
        return Shown(True, True)
    if reveal:
        await desk.store.note_revealed(what)
    return Shown(reveal, reveal)


def _paint(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if sys.stdout.isatty() else text


def _date(at_ms: int) -> str:
    """In the time zone of the person who looks."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _span(milliseconds: int) -> str:
    """How long after the beginning."""
    if milliseconds < 10_000:
        return f"+{milliseconds} ms"
    if milliseconds < 600_000:
        return f"+{milliseconds / 1000:.0f} s"
    return f"+{milliseconds / 60_000:.0f} min"
