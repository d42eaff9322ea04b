"""/console/... on the admin listener: who may come in, what no other site may do in his name, and who answers.

Every request passes here first. The host must be one that we know (else a name that points here could read us from a
page of its own), and a POST must come from our own pages, with the token of the viewer. Every answer carries a content
policy under which nothing inline and nothing of another host runs.
"""

import asyncio
import hmac
import ipaddress
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from bocau.console.shelf import Asset
from bocau.console.telling import Shown
from bocau.console.web.asked import (
    LANGUAGES,
    SESSION,
    THEMES,
    Answer,
    Asked,
    Look,
    Route,
    Viewer,
    cookie,
    route,
    see_other,
)
from bocau.console.web.frame import Frame, saying
from bocau.console.web.gate import Gate, Identity
from bocau.core.role import Right
from bocau.listener import TEXT, Request
from bocau.ports import World
from bocau.telemetry import Log, LogEvent

__all__ = ["CONSOLE", "WebDoor"]

CONSOLE: Final = b"/console"
"""Where the console lives."""

_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS: Final = (
    (b"Content-Security-Policy", _POLICY),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Referrer-Policy", b"same-origin"),
    (b"Cross-Origin-Opener-Policy", b"same-origin"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
)
_NO_STORE: Final = (b"Cache-Control", b"no-store")
_FOR_EVER: Final = (b"Cache-Control", b"public, max-age=31536000, immutable")
_LOOK: Final = "bocau_look"
_YEAR_SECONDS: Final = 31_536_000
_TOKEN_SIZE: Final = 32
_TOKEN: Final = re.compile(r"[0-9a-f]{64}")
_MOST_FIELDS: Final = 100
_MOST_TASKS: Final = 500


class Turned(Exception):  # noqa: N818 - an answer, not a fault
    """A request that is turned away, with its status and a sentence."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class WebDoor:
    """Answers browsers. `hosts` are names by which the console may be called, beside addresses and localhost."""

    def __init__(
        self,
        world: World,
        frame: Frame,
        shelf: Mapping[str, Asset],
        routes: Iterable[Route],
        gate: Gate,
        log: Log,
        hosts: tuple[str, ...] = (),
    ) -> None:
        self._world = world
        self._frame = frame
        self._shelf = shelf
        self._gate = gate
        self.routes = (
            *routes,
            *gate.routes,
            route("GET", r"/|/console", self._enter, needs=None),
            route("POST", r"/console/look", self._set_look, needs=None),
        )
        self._log = log
        self._hosts = frozenset(host.lower() for host in hosts)
        self._tasks: set[asyncio.Task[None]] = set()

    def handle(self, request: Request) -> None:
        """Answer one request, now or when what it waits for has come."""
        path = unquote(request.target.partition(b"?")[0].decode("ascii", "replace"))
        look = self._look_of(request)
        try:
            self._check_host(request)
            if path.startswith("/console/assets/"):
                self._asset(request, path.rpartition("/")[2])
                return
            row, steps = self._find(request.method, path)
            if len(self._tasks) >= _MOST_TASKS:
                raise Turned(503, "Too many pages are being looked at.")
        except Turned as turned:
            self._turn(request, look, turned)
            return
        task = asyncio.ensure_future(self._do(row, path, steps, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let nobody wait any more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _do(self, row: Route, path: str, steps: tuple[str, ...], request: Request) -> None:
        look = self._look_of(request)
        try:
            session, fresh = self._session_of(request)
            who = await self._gate.who(session, passive=row.passive)
            if who is None and row.needs is not None:
                self._respond(request, _to_log_in(row, path, request))
                return
            answer = await row.act(self._asked(row, path, steps, request, self._viewer(look, session, who)))
            cookies = (cookie(SESSION, session, secure=_through_tls(request)),) if fresh else ()
            self._respond(request, answer._replace(headers=(*answer.headers, *cookies)))
        except Turned as turned:
            self._turn(request, look, turned)
        except asyncio.CancelledError:
            self._respond(request, Answer(b"The gateway is stopping.\n", 503, TEXT))
            raise
        except Exception as error:  # noqa: BLE001 - the rim: a browser must not go unanswered
            self._log.error(LogEvent.FAULT, exc_info=error)
            self._turn(request, look, Turned(500, "Something broke here; the log says what."))

    def _viewer(self, look: Look, session: str, who: Identity | None) -> Viewer:
        say = saying(look.language)
        everything = who is not None and who.everything
        shown = Shown(phones=everything, texts=everything, hidden=say("hidden"))
        rights: frozenset[Right] = frozenset() if who is None else who.rights
        return Viewer(look, say, _token_of(session), shown, "" if who is None else who.name, rights, session)

    def _asked(self, row: Route, path: str, steps: tuple[str, ...], request: Request, viewer: Viewer) -> Asked:
        """What is asked, once the viewer may ask it. Raises Turned."""
        if row.needs is not None and not viewer.may(row.needs):
            raise Turned(403, "Your role does not go so far.")
        return Asked(
            viewer,
            path,
            steps,
            _fields(request.target.partition(b"?")[2]),
            self._checked_form(request, viewer) if request.method == "POST" else {},
            request.header(b"last-event-id").decode("ascii", "replace"),
            request.peer,
            _through_tls(request),
        )

    def _turn(self, request: Request, look: Look, turned: Turned) -> None:
        self._respond(request, Answer(self._frame.plain(look, "Not possible", str(turned)), turned.status))

    def _respond(self, request: Request, answer: Answer) -> None:
        request.respond(answer.status, answer.body, answer.content_type, (*_ALWAYS, _NO_STORE, *answer.headers))

    # Who may come in

    def _check_host(self, request: Request) -> None:
        """Raises Turned if it is called by a name that we do not know: somebody's page may have made it lead here."""
        name = urlsplit(f"//{request.header(b'host').decode('ascii', 'replace')}").hostname or ""
        try:
            ipaddress.ip_address(name)
        except ValueError:
            if name != "localhost" and name not in self._hosts:
                raise Turned(421, "The console is not known by this name.") from None

    def _find(self, method: str, path: str) -> tuple[Route, tuple[str, ...]]:
        wanted = "GET" if method == "HEAD" else method
        found = [(row, match) for row in self.routes if (match := row.path.fullmatch(path))]
        if not found:
            raise Turned(404, "There is no such page.")
        for row, match in found:
            if row.method == wanted:
                return row, match.groups()
        raise Turned(405, "This page cannot be asked that way.")

    def _session_of(self, request: Request) -> tuple[str, bool]:
        """The viewer's session, and whether it is a new one."""
        known = _cookies(request).get(SESSION, "")
        return (known, False) if _TOKEN.fullmatch(known) else (self._world.token(_TOKEN_SIZE).hex(), True)

    def _checked_form(self, request: Request, viewer: Viewer) -> dict[str, str]:
        """The fields of a form of ours. Raises Turned for one that another site made."""
        origin = request.header(b"origin").decode("ascii", "replace")
        site = request.header(b"sec-fetch-site")
        foreign = (
            origin and urlsplit(origin).netloc.lower() != request.header(b"host").decode("ascii", "replace").lower()
        )
        form = _fields(request.body)
        token = form.get("token", "").encode()
        if foreign or site not in (b"", b"same-origin") or not hmac.compare_digest(token, viewer.token.encode()):
            raise Turned(403, "This form is too old, or not one of ours. Go back, load the page again, and repeat it.")
        return form

    # What every viewer may have

    def _asset(self, request: Request, name: str) -> None:
        asset = self._shelf.get(name)
        if asset is None or request.method not in ("GET", "HEAD"):
            raise Turned(404, "There is no such page.")
        headers = [*_ALWAYS, _FOR_EVER, (b"Vary", b"Accept-Encoding")]
        body = asset.plain
        if b"gzip" in request.header(b"accept-encoding"):
            body = asset.packed
            headers.append((b"Content-Encoding", b"gzip"))
        request.respond(200, body, asset.content_type, headers)

    async def _enter(self, asked: Asked) -> Answer:
        """Who leaves the path out means the first page."""
        del asked
        return see_other("/console/")

    async def _set_look(self, asked: Asked) -> Answer:
        """Language and theme, kept in a cookie."""
        look = asked.viewer.look
        language, theme = asked.form.get("language", look.language), asked.form.get("theme", look.theme)
        chosen = f"{language if language in LANGUAGES else 'en'}.{theme if theme in THEMES else 'auto'}"
        back = asked.form.get("back", "")
        answer = see_other(back)
        kept = cookie(_LOOK, chosen, secure=asked.secure, more=f"; Max-Age={_YEAR_SECONDS}")
        return answer._replace(headers=(*answer.headers, kept))

    def _look_of(self, request: Request) -> Look:
        """As chosen; else in the language that the browser asks for first, of those that we speak."""
        language, _, theme = _cookies(request).get(_LOOK, "").partition(".")
        if language in LANGUAGES and theme in THEMES:
            return Look(language, theme)
        wanted = request.header(b"accept-language").decode("ascii", "replace").lower().split(",")
        spoken = (word.partition(";")[0].strip()[:2] for word in wanted)
        return Look(next((word for word in spoken if word in LANGUAGES), "en"))


def _through_tls(request: Request) -> bool:
    """Whether the browser speaks TLS, to a proxy before us: it says so with every form."""
    return request.header(b"origin").startswith(b"https:")


def _token_of(session: str) -> str:
    """What forms of a session carry: nobody makes it who does not know the session, and every node makes the same."""
    return sha256(b"form " + session.encode()).hexdigest()


def _to_log_in(row: Route, path: str, request: Request) -> Answer:
    """To the log-in, and then back; who only looked on by himself is told that there is nothing any more."""
    if row.passive:
        return Answer(b"", 204)
    back = path if request.method == "GET" else "/console/"
    return see_other(f"/console/login?back={quote(back)}")


def _fields(text: bytes) -> dict[str, str]:
    """The fields of a query or a form; of equal names the last. Raises Turned."""
    try:
        pairs = parse_qsl(text.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Turned(400, "The form cannot be read.") from None
    return dict(pairs)


def _cookies(request: Request) -> dict[str, str]:
    try:
        return {name: part.value for name, part in SimpleCookie(request.header(b"cookie").decode("latin-1")).items()}
    except CookieError:
        return {}
