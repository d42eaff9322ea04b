"""Who may use the console, and who is logged in."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from bocau.store.contract import ConsoleSession, ConsoleUser
from bocau.store.queries import Queries
from bocau.store.rooms.administering import Administering, nothing
from bocau.store.work import Work

__all__ = ["Visiting"]

_DAY_MS: Final = 86_400_000


class Visiting(Administering):
    """The ConsoleUserStore."""

    async def console_users(self) -> list[ConsoleUser]:
        """See ConsoleUserStore."""
        return [ConsoleUser(*row) for row in await self._read.rows(self._q["console_users"])]

    async def console_user(self, name: str) -> ConsoleUser | None:
        """See ConsoleUserStore."""
        row = await self._read.row(self._q["console_user"], (name,))
        return None if row is None else ConsoleUser(*row)

    async def put_console_user(self, user: ConsoleUser, *, first: bool = False) -> bool:
        """See ConsoleUserStore."""

        async def change(db: Work, q: Queries) -> bool:
            if first and await db.row(q["any_console_user"]) is not None:
                return False
            await db.change(q["put_console_user"], user)
            await db.change(q["end_console_sessions"], (user.name,))
            return True

        return await self._change("console.user", f"{user.name}: {user.role}", change, tell=False)

    async def delete_console_user(self, name: str) -> bool:
        """See ConsoleUserStore."""

        async def change(db: Work, q: Queries) -> bool:
            await db.change(q["end_console_sessions"], (name,))
            return await db.change(q["delete_console_user"], (name,)) > 0

        return await self._change("console.user", f"{name}: removed", change, tell=False)

    async def open_console_session(self, token: str, name: str, now_ms: int) -> None:
        """See ConsoleUserStore."""

        async def change(db: Work, q: Queries) -> None:
            await db.change(q["drop_console_sessions"], (now_ms - _DAY_MS,))
            await db.change(q["open_console_session"], (token, name, now_ms))

        await self._change("console.login", name, change, tell=False, actor=name)

    async def console_session(self, token: str) -> ConsoleSession | None:
        """See ConsoleUserStore."""
        row = await self._read.row(self._q["console_session"], (token,))
        return None if row is None else ConsoleSession(*row)

    async def touch_console_session(self, token: str, now_ms: int) -> None:
        """See ConsoleUserStore."""
        await self._write(lambda db: db.change(self._q["touch_console_session"], (token, now_ms)))

    async def close_console_session(self, token: str) -> None:
        """See ConsoleUserStore."""
        await self._write(lambda db: db.change(self._q["close_console_session"], (token,)))

    async def note_act(self, actor: str, act: str, subject: str) -> None:
        """See ConsoleUserStore."""
        await self._change(act, subject, nothing, tell=False, actor=actor)

    async def _write(self, run: Callable[[Work], Awaitable[Any]]) -> None:
        """Something that nobody has to read of later."""
        await self._commit.call(self._act, run)
