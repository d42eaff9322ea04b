"""Messages: as they come, what is looked for, and one of them whole."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlencode

from bocau.console.telling import headline, moments
from bocau.console.web.acts import Doer
from bocau.console.web.asked import Answer, Asked, Route, Viewer, route, see_other
from bocau.console.web.calls import CallPages
from bocau.console.web.feed import WINDOW, Feed
from bocau.console.web.frame import VIETNAM, Frame
from bocau.console.web.gate import Reveals
from bocau.core.directory import AccountRow
from bocau.core.ids import first_id_at
from bocau.core.lifecycle import FINAL, State
from bocau.core.role import Right
from bocau.ports import ActRefused, World
from bocau.store.contract import AdminStore, ConsoleStore, ConsoleUserStore, Found, Search, Story, StoryLine
from bocau.wire.gsm.alphabet import GsmError
from bocau.wire.gsm.parts import Measure, measure

__all__ = ["Beside", "MessagePages", "PageStore"]

_PAGE: Final = 50
_STREAM_SECONDS: Final = 20.0
_EVENTS: Final = b"text/event-stream; charset=utf-8"
_MOST_NEEDLE: Final = 200
_LAST: Final = (1 << 63) - 1


class PageStore(ConsoleStore, ConsoleUserStore, AdminStore, Protocol):
    """What these pages read."""


class Sought(NamedTuple):
    """A search as it was typed, and what it amounts to."""

    typed: Mapping[str, str]
    wanted: Search
    wrong: Mapping[str, str]
    """What is wrong with a field, by its name."""

    @property
    def anything(self) -> bool:
        """Whether it leaves anything out."""
        return any(self.typed.values())


class Beside(NamedTuple):
    """Who else has a part in the pages of messages."""

    doer: Doer
    feed: Feed
    calls: CallPages


class MessagePages:
    """Answers everything about messages."""

    def __init__(self, world: World, store: PageStore, frame: Frame, beside: Beside) -> None:
        self._doer, self._feed, self._calls = beside
        self._reveals = Reveals(world)
        self._world = world
        self._store = store
        self._frame = frame
        self.routes: tuple[Route, ...] = (
            route("GET", r"/console/", self._list),
            route("GET", r"/console/live", self._live, passive=True),
            route("GET", r"/console/messages/([0-9A-Za-z]{1,64})", self._message),
            route("GET", r"/console/messages/([0-9A-Za-z]{1,64})/story", self._story, passive=True),
            route("POST", r"/console/messages/([0-9A-Za-z]{1,64})/reveal", self._reveal, needs=Right.PHONES),
            route("POST", r"/console/messages/([0-9A-Za-z]{1,64})/callback", self._call_again, needs=Right.ACT),
        )

    async def _list(self, asked: Asked) -> Answer:
        """The newest messages, or those that were looked for."""
        sought = _sought(asked)
        mark = ""
        if sought.anything:
            named = [] if sought.wrong else await self._named(sought)
            if named and len({line.smsid for line in named}) == 1 and named[0].smsid == sought.wanted.needle.lower():
                return see_other(f"/console/messages/{named[0].smsid}")
            found = Found((), None) if sought.wrong else await self._search(asked.viewer, sought.wanted)
            known = {line.id for line in named}
            lines = [*named, *(line for line in found.lines if line.id not in known)]
            rest = _further(sought, found)
        else:
            mark, lines = await self._feed.now()
            rest = _further(sought, Found((), lines[-1].id)) if len(lines) == WINDOW else ""
        accounts = {account.id: account for account in await self._store.accounts()}
        page = self._frame.render(
            "messages.html",
            asked.viewer,
            asked.path,
            lines=lines,
            mark=mark,
            rest=rest,
            sought=sought,
            states=tuple(State),
            accounts=accounts,
        )
        return Answer(page)

    async def _search(self, viewer: Viewer, wanted: Search) -> Found:
        """A search in texts tells what they say: it goes into the audit, unless everything is shown anyway."""
        if wanted.needle and wanted.in_texts and not viewer.shown.texts:
            await self._store.note_act(viewer.name, "message.search", "texts of messages")
        return await self._store.search(wanted, _PAGE)

    async def _named(self, sought: Sought) -> list[StoryLine]:
        """Messages that the needle is an id of, on the first page."""
        needle = sought.wanted.needle
        if not needle or sought.typed["before"]:
            return []
        return [line for line in await self._store.identified(needle) if _within(line, sought.wanted)]

    async def _live(self, asked: Asked) -> Answer:
        """What came or changed, as one event of an event stream; the browser comes again with its mark."""
        mark = asked.last_event or asked.query.get("mark", "")
        mark, lines = await self._feed.after(mark, _STREAM_SECONDS)
        kind, data = "quiet", "data:\n"
        if lines:
            rows = self._frame.render("rows.html", asked.viewer, asked.path, lines=lines).decode()
            kind, data = "rows", "".join(f"data: {row}\n" for row in rows.splitlines() if row.strip())
        refused = f"event: refused\ndata: {self._feed.refused}\n\n"
        return Answer(f"retry: 50\n{refused}id: {mark}\nevent: {kind}\n{data}\n".encode(), content_type=_EVENTS)

    async def _message(self, asked: Asked) -> Answer:
        """One request, whole."""
        return await self._told(asked, "message.html")

    async def _story(self, asked: Asked) -> Answer:
        """The part of that page that changes."""
        return await self._told(asked, "story.html")

    async def _reveal(self, asked: Asked) -> Answer:
        """Show the numbers of one request, and its texts to whom they may be shown; it goes into the audit."""
        (smsid,) = asked.steps
        viewer = asked.viewer
        what = "phones and texts" if viewer.may(Right.TEXTS) else "phones"
        if await self._store.story(smsid) is not None:
            await self._store.note_act(viewer.name, "message.reveal", f"request {smsid}: {what}")
            self._reveals.open(viewer, smsid)
        return see_other(f"/console/messages/{smsid}")

    async def _call_again(self, asked: Asked) -> Answer:
        """Tell the customer again, now."""
        (smsid,) = asked.steps
        try:
            await self._doer.do(asked, "callback/resend", smsid=smsid)
        except ActRefused as refused:
            return await self._told(asked, "message.html", str(refused))
        return see_other(f"/console/messages/{smsid}")

    async def _told(self, asked: Asked, template: str, wrong: str = "") -> Answer:
        (smsid,) = asked.steps
        viewer = asked.viewer._replace(shown=self._reveals.shown(asked.viewer, smsid))
        story = await self._store.story(smsid)
        if story is None:
            text = viewer.say("There is no request {smsid} in this store.").format(smsid=smsid)
            return Answer(self._frame.render("nothing.html", viewer, asked.path, text=text), 404)
        chosen = next((one for one in story.messages if str(one.id) == asked.query.get("of")), story.messages[0])
        accounts = {account.id: account for account in await self._store.accounts()}
        page = self._frame.render(
            template,
            viewer,
            asked.path,
            story=story,
            line=chosen,
            facts=headline(chosen, viewer.shown, viewer.say),
            account=_name(accounts, chosen),
            measure=_measured(chosen),
            moments=moments(story, viewer.shown, viewer.say),
            now_ms=self._world.now_ms(),
            open=_is_open(story),
            wrong=wrong,
            calls=await self._calls.of(viewer, chosen),
        )
        return Answer(page, 409 if wrong else 200)


def _sought(asked: Asked) -> Sought:
    """What a search form was filled with."""
    typed = {name: asked.query.get(name, "").strip() for name in ("q", "state", "account", "from", "to", "before")}
    typed["q"] = typed["q"][:_MOST_NEEDLE]
    wrong: dict[str, str] = {}
    moments_ms = {}
    for name in ("from", "to"):
        try:
            moments_ms[name] = _moment_ms(typed[name])
        except ValueError:
            moments_ms[name] = None
            wrong[name] = asked.viewer.say("Write a date and a time, such as 2026-11-24 14:00.")
    if typed["state"] and typed["state"] not in tuple(State):
        wrong["state"] = asked.viewer.say("There is no such state.")
    since, until = moments_ms["from"], moments_ms["to"]
    before, account_id = _number(typed["before"]), _number(typed["account"])
    wanted = Search(
        needle=typed["q"],
        in_texts=asked.viewer.may(Right.TEXTS),
        state=typed["state"],
        account_id=account_id or 0,
        first_id=0 if since is None else first_id_at(since),
        end_id=min(_LAST if before is None else before, _LAST if until is None else first_id_at(until + 60_000)),
    )
    return Sought(typed, wanted, wrong)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _moment_ms(text: str) -> int | None:
    """A moment as a form has it, in the time of Vietnam; None if the field is empty. Raises ValueError."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM)).timestamp() * 1000)


def _within(line: StoryLine, wanted: Search) -> bool:
    """Whether a message that an id names fits the other fields too."""
    return (
        wanted.first_id <= line.id < wanted.end_id
        and wanted.state in ("", line.state)
        and wanted.account_id in (0, line.account_id)
    )


def _further(sought: Sought, found: Found) -> str:
    """Where the same search goes on; empty if there is nothing more."""
    if found.rest is None:
        return ""
    asked = {name: value for name, value in sought.typed.items() if value}
    return "/console/?" + urlencode({**asked, "before": found.rest})


def _name(accounts: Mapping[int, AccountRow], line: StoryLine) -> str:
    account = accounts.get(line.account_id)
    return account.name if account is not None else str(line.account_id)


def _measured(line: StoryLine) -> Measure | None:
    try:
        return measure(line.content)
    except GsmError:
        return None


def _is_open(story: Story) -> bool:
    """Whether anything may still happen to it soon."""
    waits = story.callback is not None and story.callback.state == "waiting"
    return waits or any(State(line.state) not in FINAL for line in story.messages)
