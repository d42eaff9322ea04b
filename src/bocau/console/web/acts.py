"""What an operator does from a page: callbacks and links. Everything goes through the acts that commands use too."""

from collections.abc import Mapping
from typing import Any, Final, Protocol, cast

from bocau.console.web.asked import Answer, Asked, Route, route, see_other
from bocau.console.web.frame import Frame
from bocau.core.role import Right
from bocau.ports import Act, ActRefused
from bocau.store.contract import ConsoleUserStore

__all__ = ["ActPages", "Doer"]

_NAME: Final = r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})"
_PDUS: Final = 50


class Doer(Protocol):
    """Does an act in a viewer's name."""

    async def do(self, asked: Asked, act: str, **members: object) -> object:
        """What the act says. Raises ActRefused."""
        ...


class ActPages:
    """Links with their acts, and the address of a callback that is tried. `acts` is the table of the control door."""

    def __init__(self, acts: Mapping[str, Act], store: ConsoleUserStore, frame: Frame) -> None:
        self._acts = acts
        self._store = store
        self._frame = frame
        self.routes: tuple[Route, ...] = (
            route("GET", r"/console/links", self._links),
            route("GET", rf"/console/links/{_NAME}", self._link),
            route("GET", rf"/console/links/{_NAME}/now", self._link_now, passive=True),
            route("POST", rf"/console/links/{_NAME}/(pause|drain|resume)", self._halt, needs=Right.ACT),
            route("GET", r"/console/callbacks", self._callbacks),
            route("POST", r"/console/callbacks", self._sample, needs=Right.ACT),
        )

    async def do(self, asked: Asked, act: str, **members: object) -> object:
        """See Doer: one that changes something stands in the audit, in the viewer's name where he has one."""
        found, actor = self._acts[act], asked.viewer.name
        if found.notes_itself and actor:
            return await found.run({**members, "actor": actor})
        if found.changes and actor:
            await self._store.note_act(actor, act.replace("/", "."), ", ".join(map(str, members.values())))
        return await found.run(members)

    async def _links(self, asked: Asked) -> Answer:
        """Every link in a line."""
        links = await self.do(asked, "link/list")
        return Answer(self._frame.render("links.html", asked.viewer, asked.path, links=links))

    async def _link(self, asked: Asked) -> Answer:
        return await self._shown(asked, "link.html")

    async def _link_now(self, asked: Asked) -> Answer:
        """The part of it that changes."""
        return await self._shown(asked, "link_now.html")

    async def _shown(self, asked: Asked, template: str, wrong: str = "") -> Answer:
        """One link, with its figures, its binds and its last PDUs."""
        name, viewer = asked.steps[0], asked.viewer
        try:
            link = cast("Mapping[str, Any]", await self.do(asked, "link/show", link=name))
        except ActRefused as refused:
            page = self._frame.render("nothing.html", viewer, asked.path, text=str(refused))
            return Answer(page, 404)
        pdus: list[Any] = []
        if "bind" in link:
            traced = await self.do(asked, "link/trace", link=name, last=_PDUS)
            pdus = cast("list[Any]", traced)[::-1][:_PDUS]
        page = self._frame.render(template, viewer, asked.path, link=link, pdus=pdus, wrong=wrong)
        return Answer(page, 409 if wrong else 200)

    async def _halt(self, asked: Asked) -> Answer:
        """Pause, drain or let go on."""
        name, act = asked.steps
        try:
            await self.do(asked, f"link/{act}", link=name)
        except ActRefused as refused:
            return await self._shown(asked, "link.html", str(refused))
        return see_other(f"/console/links/{name}")

    async def _callbacks(self, asked: Asked) -> Answer:
        """The form to try an address with."""
        page = self._frame.render("callbacks.html", asked.viewer, asked.path, url="", wrong="", found=None)
        return Answer(page)

    async def _sample(self, asked: Asked) -> Answer:
        """Call an address once, with made-up values, and show what it says."""
        url, found, wrong = asked.form.get("url", "").strip(), None, ""
        try:
            found = await self.do(asked, "callback/sample", url=url)
        except ActRefused as refused:
            wrong = asked.viewer.say(str(refused))
        page = self._frame.render("callbacks.html", asked.viewer, asked.path, url=url, wrong=wrong, found=found)
        return Answer(page, 400 if wrong else 200)
