"""Refused requests of a development start: what was asked, why it was not accepted, and a button to register a text."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from bocau.console.namespaces import Namespaces
from bocau.console.web.asked import Answer, Asked, Route, route, see_other
from bocau.console.web.frame import Frame
from bocau.core.brandname import judge_name
from bocau.core.role import Right
from bocau.core.template import Template, TemplateError
from bocau.core.text import find_code

__all__ = ["RefusedPages", "suggestion"]

_SHOWN: Final = 100
_LONGEST_CODE: Final = 8


def suggestion(text: str) -> str:
    """The template that a refused text would follow, with a placeholder for its code."""
    code = find_code(text)
    return text if code is None else text.replace(code, f"{{P1,{max(_LONGEST_CODE, len(code))}}}", 1)


class RefusedPages:
    """Reads what the witness at the door remembers."""

    def __init__(self, spaces: Namespaces, frame: Frame) -> None:
        self._spaces = spaces
        self._frame = frame
        self.routes: tuple[Route, ...] = (
            route("GET", r"/console/refused", self._list),
            route("POST", r"/console/refused/register", self._register, needs=Right.ADMINISTER),
        )

    async def _list(self, asked: Asked) -> Answer:
        """The newest first."""
        return self._page(asked, {}, "")

    def _page(self, asked: Asked, typed: Mapping[str, str], wrong: str) -> Answer:
        page = self._frame.render(
            "refused.html",
            asked.viewer,
            asked.path,
            refusals=self._spaces.refusals()[:_SHOWN],
            suggestion=suggestion,
            typed=typed,
            wrong=wrong,
            registered=asked.query.get("registered", ""),
        )
        return Answer(page, 400 if wrong else 200)

    async def _register(self, asked: Asked) -> Answer:
        """The text becomes a template of the brandname, on every network."""
        form, say = asked.form, asked.viewer.say
        space = self._spaces.find(form.get("api_key", ""))
        brandname, text = form.get("brandname", "").strip(), form.get("text", "")
        try:
            Template.parse(text)
        except TemplateError as error:
            return self._page(asked, form, say("This text cannot be a template: {error}.").format(error=error))
        if space is None or judge_name(brandname).impossible:
            return self._page(asked, form, say("This brandname or account does not exist and cannot be made."))
        await self._spaces.register(space, brandname, text)
        return see_other(f"/console/refused?registered={quote(brandname)}")
