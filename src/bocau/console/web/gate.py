"""Who may come in: everybody in development; in production who logged in, as far as his role goes."""

import asyncio
from collections import OrderedDict
from hashlib import sha256
from typing import Final, NamedTuple, Protocol

from bocau.console.passwords import SALT_SIZE, hash_password, is_password
from bocau.console.telling import Shown
from bocau.console.web.asked import SESSION, Answer, Asked, Route, Viewer, cookie, route, see_other
from bocau.console.web.frame import Frame
from bocau.core.role import RIGHTS, Right, Role
from bocau.ports import World
from bocau.store.contract import ConsoleUserStore
from bocau.telemetry import Log, LogEvent

__all__ = ["Gate", "Identity", "LogInGate", "OpenGate", "Reveals", "Throttle"]

_LONGEST_MS: Final = 12 * 3_600_000
_IDLE_MS: Final = 30 * 60_000
_TOUCH_MS: Final = 60_000
_TOKEN_SIZE: Final = 32
_MOST_WAITING: Final = 8
_MOST_NAME: Final = 64
_MOST_PASSWORD: Final = 1_000
_MOST_REMEMBERED: Final = 10_000
_REVEALED_SECONDS: Final = 600.0


class Identity(NamedTuple):
    """Somebody who was let in."""

    name: str
    """Empty where nobody logs in."""
    rights: frozenset[Right]
    everything: bool
    """Numbers and texts are shown without asking."""


class Gate(Protocol):
    """Says who a visitor is."""

    routes: tuple[Route, ...]
    """Paths of its own."""

    async def who(self, session: str, *, passive: bool) -> Identity | None:
        """Whose session it is; None: he must log in. A `passive` request is the page's own, and no sign of life."""
        ...


class OpenGate:
    """Development: nothing here is anybody's secret."""

    routes: tuple[Route, ...] = ()

    async def who(self, session: str, *, passive: bool) -> Identity | None:
        """See Gate."""
        del session, passive
        return Identity("", frozenset(Right), everything=True)


class Throttle:
    """How long somebody must wait after wrong tries; nobody is locked out for good.

    The first tries are free; after them each wait is twice the one before, up to a quarter of an hour.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._tries: OrderedDict[tuple[str, ...], tuple[int, float]] = OrderedDict()
        """Wrong tries, and when the next one is taken."""

    def wait_seconds(self, peer: str, name: str) -> float:
        """How long to wait still; 0: not at all."""
        now = self._world.monotonic()
        return max(0.0, *(self._tries.get(key, (0, 0.0))[1] - now for key, _ in self._keys(peer, name)))

    def failed(self, peer: str, name: str) -> None:
        """A wrong try."""
        now = self._world.monotonic()
        for key, free in self._keys(peer, name):
            tries = self._tries.pop(key, (0, 0.0))[0] + 1
            wait = min(900.0, 2.0 ** (tries - free)) if tries >= free else 0.0
            self._tries[key] = (tries, now + wait)
            if len(self._tries) > _MOST_REMEMBERED:
                self._tries.popitem(last=False)

    def succeeded(self, peer: str, name: str) -> None:
        """What he did before is forgiven, to him alone."""
        self._tries.pop((peer, name), None)

    def _keys(self, peer: str, name: str) -> tuple[tuple[tuple[str, ...], int], ...]:
        """From one address for one name, and from one address for any."""
        return ((peer, name), 5), ((peer,), 20)


class LogInGate:
    """Production: a name, a password, and a session that ends after 12 hours, or half an hour of silence."""

    def __init__(self, world: World, store: ConsoleUserStore, frame: Frame, log: Log) -> None:
        self._world = world
        self._store = store
        self._frame = frame
        self._log = log
        self._throttle = Throttle(world)
        self._hashing = asyncio.Semaphore(1)
        self._waiting = 0
        self._nobodys = ""
        """A hash to compare with where the name is nobody's, so that the time does not tell it."""
        self.routes: tuple[Route, ...] = (
            route("GET", r"/console/login", self._show, needs=None),
            route("POST", r"/console/login", self._log_in, needs=None),
            route("POST", r"/console/logout", self._log_out, needs=None),
        )

    async def who(self, session: str, *, passive: bool) -> Identity | None:
        """See Gate."""
        token = _kept(session)
        found = await self._store.console_session(token)
        now = self._world.now_ms()
        if found is None:
            return None
        if now > found.created_ms + _LONGEST_MS or now > found.seen_ms + _IDLE_MS:
            await self._store.close_console_session(token)
            return None
        if not passive and now > found.seen_ms + _TOUCH_MS:
            await self._store.touch_console_session(token, now)
        return Identity(found.name, RIGHTS[Role(found.role)], everything=False)

    async def _show(self, asked: Asked) -> Answer:
        return self._form(asked, asked.query.get("back", ""), "", "", 200)

    async def _log_in(self, asked: Asked) -> Answer:
        name, password = asked.form.get("name", "").strip()[:_MOST_NAME], asked.form.get("password", "")
        back, say = asked.form.get("back", ""), asked.viewer.say
        wait = self._throttle.wait_seconds(asked.peer, name)
        if wait > 0 or self._waiting >= _MOST_WAITING:
            text = say("Too many wrong tries. Wait {seconds} s.").format(seconds=max(1, round(wait)))
            return self._form(asked, back, name, text, 429)
        if not await self._is_right(name, password[:_MOST_PASSWORD]):
            self._throttle.failed(asked.peer, name)
            self._log.warning(LogEvent.CONSOLE_REFUSE, peer=asked.peer)
            return self._form(asked, back, name, say("This name and password do not belong together."), 403)
        self._throttle.succeeded(asked.peer, name)
        session = self._world.token(_TOKEN_SIZE).hex()
        await self._store.open_console_session(_kept(session), name, self._world.now_ms())
        answer = see_other(back)
        return answer._replace(headers=(*answer.headers, cookie(SESSION, session, secure=asked.secure)))

    async def _is_right(self, name: str, password: str) -> bool:
        """One password at a time is checked, on a thread; a name that is nobody's costs as much as any other."""
        user = await self._store.console_user(name)
        self._waiting += 1
        try:
            async with self._hashing:
                if not self._nobodys:
                    salt = self._world.token(SALT_SIZE)
                    self._nobodys = await asyncio.to_thread(hash_password, salt.hex(), salt)
                right = await asyncio.to_thread(is_password, password, user.password if user else self._nobodys)
        finally:
            self._waiting -= 1
        return right and user is not None

    async def _log_out(self, asked: Asked) -> Answer:
        await self._store.close_console_session(_kept(asked.viewer.session))
        answer = see_other("/console/login")
        fresh = self._world.token(_TOKEN_SIZE).hex()
        return answer._replace(headers=(*answer.headers, cookie(SESSION, fresh, secure=asked.secure)))

    def _form(self, asked: Asked, back: str, name: str, wrong: str, status: int) -> Answer:
        page = self._frame.render("login.html", asked.viewer, "/console/login", back=back, name=name, wrong=wrong)
        return Answer(page, status)


def _kept(session: str) -> str:
    """What the store has of a session's token: who reads the store cannot use it."""
    return sha256(session.encode()).hexdigest()


class Reveals:
    """What a session may see of single requests, for ten minutes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._until: OrderedDict[tuple[str, str], float] = OrderedDict()

    def open(self, viewer: Viewer, smsid: str) -> None:
        """From now on."""
        self._until[viewer.session, smsid] = self._world.monotonic() + _REVEALED_SECONDS
        if len(self._until) > _MOST_REMEMBERED:
            self._until.popitem(last=False)

    def shown(self, viewer: Viewer, smsid: str) -> Shown:
        """How much of one request."""
        if viewer.shown.texts or self._until.get((viewer.session, smsid), 0.0) < self._world.monotonic():
            return viewer.shown
        return viewer.shown._replace(phones=viewer.may(Right.PHONES), texts=viewer.may(Right.TEXTS))
