"""Who may send what: accounts with keys, brandnames and templates; the tester of templates; what subscribers wrote."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from bocau.console.linting import lint
from bocau.console.web.asked import Answer, Asked, Route, route
from bocau.console.web.frame import Frame
from bocau.core.directory import AccountRow, TemplateRow
from bocau.core.money import vnd_number
from bocau.core.telcos import TELCOS
from bocau.core.template import Difference, Template, TemplateError
from bocau.core.text import has_forbidden_controls
from bocau.ports import World
from bocau.store.contract import AcceptStore, AdminStore, UseToday
from bocau.wire.smpp.inbound import text_of

__all__ = ["DirectoryPages"]

_ENTRIES: Final = 30
_INBOUND: Final = 100
_LONGEST: Final = 2_000


class DirectoryStore(AcceptStore, AdminStore, Protocol):
    """What these pages read."""


class Registered(NamedTuple):
    """A text, with the networks that it is registered on."""

    brandname: str
    content: str
    route_class: str
    networks: tuple[str, ...]


class Tried(NamedTuple):
    """What became of a text that was held against a template."""

    said: list[str]
    """What the template costs and what is doubtful, in English."""
    sample: bool
    """A text was given too."""
    difference: Difference | None
    """None: the text follows."""


class DirectoryPages:
    """Reads the directory as it stands in the store, and the books."""

    def __init__(self, world: World, store: DirectoryStore, frame: Frame) -> None:
        self._world = world
        self._store = store
        self._frame = frame
        self.routes: tuple[Route, ...] = (
            route("GET", r"/console/accounts", self._accounts),
            route("GET", r"/console/accounts/([0-9]{1,18})", self._account),
            route("GET", r"/console/templates", self._tester),
            route("POST", r"/console/templates", self._try),
            route("GET", r"/console/inbound", self._inbound),
        )

    async def _accounts(self, asked: Asked) -> Answer:
        """Every account in a line."""
        accounts = await self._store.accounts()
        page = self._frame.render("accounts.html", asked.viewer, asked.path, accounts=accounts, vnd=vnd_number)
        return Answer(page)

    async def _account(self, asked: Asked) -> Answer:
        """One account: keys and their use, brandnames, templates, the newest lines of its ledger."""
        number = int(asked.steps[0])
        rows = await self._store.read_directory()
        account = next((one for one in rows.accounts if one.id == number), None)
        if account is None:
            text = asked.viewer.say("There is no such account.")
            return Answer(self._frame.render("nothing.html", asked.viewer, asked.path, text=text), 404)
        page = self._frame.render(
            "account.html",
            asked.viewer,
            asked.path,
            account=account,
            keys=[key for key in rows.keys if key.account_id == number],
            uses=await self._uses(account),
            brandnames=[one for one in rows.brandnames if one.account_id == number],
            templates=_registered([one for one in rows.templates if one.account_id == number]),
            ledger=await self._store.ledger(number, _ENTRIES),
            now_ms=self._world.now_ms(),
            vnd=vnd_number,
        )
        return Answer(page)

    async def _uses(self, account: AccountRow) -> UseToday:
        return await self._store.use_today(account.id, self._world.now_ms())

    async def _tester(self, asked: Asked) -> Answer:
        """An empty form."""
        return self._tested(asked, "", None)

    async def _try(self, asked: Asked) -> Answer:
        """Look a template over, and hold a text against it. Nothing is stored."""
        text, sample = asked.form.get("template", "")[:_LONGEST], asked.form.get("sample", "")[:_LONGEST]
        if has_forbidden_controls(text) or has_forbidden_controls(sample):
            return self._tested(asked, asked.viewer.say("The text has signs that no message can carry."), None)
        try:
            template, (_, said) = Template.parse(text), lint(text)
        except TemplateError as error:
            wrong = asked.viewer.say("This text cannot be a template: {error}.").format(error=error)
            return self._tested(asked, wrong, None)
        difference = template.difference(sample) if sample else None
        return self._tested(asked, "", Tried(said, bool(sample), difference))

    def _tested(self, asked: Asked, wrong: str, tried: Tried | None) -> Answer:
        page = self._frame.render(
            "templates.html", asked.viewer, asked.path, typed=asked.form, wrong=wrong, tried=tried
        )
        return Answer(page, 400 if wrong else 200)

    async def _inbound(self, asked: Asked) -> Answer:
        """What subscribers wrote, the newest first; texts only to whom they are shown."""
        lines = await self._store.inbounds(_INBOUND)
        texts = {line.id: text_of(line.raws) if asked.viewer.shown.texts else "" for line in lines}
        return Answer(self._frame.render("inbound.html", asked.viewer, asked.path, lines=lines, texts=texts))


def _registered(rows: Sequence[TemplateRow]) -> list[Registered]:
    """Equal texts of a brandname together."""
    networks: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        name = TELCOS[row.telco].receiver_name if row.telco in TELCOS else "–"
        networks.setdefault((row.brandname, row.content, row.route_class), []).append(name)
    return [Registered(*key, tuple(names)) for key, names in networks.items()]
