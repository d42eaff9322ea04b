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
from urllib.parse import parse_qsl, unquote, urlsplit

from bocau.console.shelf import Asset
from bocau.console.telling import Shown
from bocau.console.web.asked import LANGUAGES, THEMES, Act, Answer, Asked, Look, Route, Viewer, route, see_other
from bocau.console.web.frame import Frame, saying
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
_SESSION: Final = "bocau_console"
_LOOK: Final = "bocau_look"
_YEAR_SECONDS: Final = 31_536_000
_TOKEN_SIZE: Final = 32
_MOST_FIELDS: Final = 100
_MOST_TASKS: Final = 500
_OWN: Final = re.compile(r"/console/[A-Za-z0-9/?=&%._-]*")
_EVERYTHING: Final = Shown(phones=True, texts=True)


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
        log: Log,
        hosts: tuple[str, ...] = (),
    ) -> None:
        self._world = world
        self._frame = frame
        self._shelf = shelf
        self._routes = (
            *routes,
            route("GET", r"/|/console", self._enter),
            route("POST", r"/console/look", self._set_look),
        )
        self._log = log
        self._hosts = frozenset(host.lower() for host in hosts)
        self._key = world.token(_TOKEN_SIZE)
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
            act, steps = self._find(request.method, path)
            session, fresh = self._session_of(request)
            viewer = Viewer(look, saying(look.language), self._token_of(session), _EVERYTHING)
            asked = Asked(viewer, path, steps, _fields(request.target.partition(b"?")[2]), {}, "")
            asked = asked._replace(last_event=request.header(b"last-event-id").decode("ascii", "replace"))
            if request.method == "POST":
                asked = asked._replace(form=self._checked_form(request, viewer))
            if len(self._tasks) >= _MOST_TASKS:
                raise Turned(503, "Too many pages are being looked at.")
        except Turned as turned:
            self._respond(request, Answer(self._frame.plain(look, "Not possible", str(turned)), turned.status))
            return
        cookies = (self._cookie(_SESSION, session, request),) if fresh else ()
        task = asyncio.ensure_future(self._do(act, asked, request, cookies))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let nobody wait any more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _do(self, act: Act, asked: Asked, request: Request, cookies: tuple[tuple[bytes, bytes], ...]) -> None:
        try:
            answer = await act(asked)
            self._respond(request, answer._replace(headers=(*answer.headers, *cookies)))
        except asyncio.CancelledError:
            self._respond(request, Answer(b"The gateway is stopping.\n", 503, TEXT))
            raise
        except Exception as error:  # noqa: BLE001 - the rim: a browser must not go unanswered
            self._log.error(LogEvent.FAULT, exc_info=error)
            text = self._frame.plain(asked.viewer.look, "Not possible", "Something broke here; the log says what.")
            self._respond(request, Answer(text, 500))

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

    def _find(self, method: str, path: str) -> tuple[Act, tuple[str, ...]]:
        wanted = "GET" if method == "HEAD" else method
        found = [(row, match) for row in self._routes if (match := row.path.fullmatch(path))]
        if not found:
            raise Turned(404, "There is no such page.")
        for row, match in found:
            if row.method == wanted:
                return row.act, match.groups()
        raise Turned(405, "This page cannot be asked that way.")

    def _session_of(self, request: Request) -> tuple[str, bool]:
        """The viewer's session, and whether it is a new one."""
        known = _cookies(request).get(_SESSION, "")
        return (known, False) if len(known) == 2 * _TOKEN_SIZE else (self._world.token(_TOKEN_SIZE).hex(), True)

    def _token_of(self, session: str) -> str:
        """What forms of a session carry."""
        return hmac.new(self._key, session.encode(), sha256).hexdigest()

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
        answer = see_other(back if _OWN.fullmatch(back) else "/console/")
        cookie = f"{_LOOK}={chosen}; Path=/console; Max-Age={_YEAR_SECONDS}; HttpOnly; SameSite=Strict"
        return answer._replace(headers=(*answer.headers, (b"Set-Cookie", cookie.encode())))

    def _look_of(self, request: Request) -> Look:
        """As chosen; else in the language that the browser asks for first, of those that we speak."""
        language, _, theme = _cookies(request).get(_LOOK, "").partition(".")
        if language in LANGUAGES and theme in THEMES:
            return Look(language, theme)
        wanted = request.header(b"accept-language").decode("ascii", "replace").lower().split(",")
        spoken = (word.partition(";")[0].strip()[:2] for word in wanted)
        return Look(next((word for word in spoken if word in LANGUAGES), "en"))

    def _cookie(self, name: str, value: str, request: Request) -> tuple[bytes, bytes]:
        secure = "; Secure" if request.header(b"origin").startswith(b"https:") else ""
        return b"Set-Cookie", f"{name}={value}; Path=/console; HttpOnly; SameSite=Strict{secure}".encode()


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
