"""The newest messages as they come and change, for all who watch.

Who watches asks for what is newer than a mark, and waits until there is something. The store is looked at once for all
of them, and not at all while nobody watches.
"""

from collections.abc import Callable
from typing import Final

from bocau.ports import World
from bocau.store.contract import StoryLine, StoryStore

__all__ = ["WINDOW", "Feed"]

WINDOW: Final = 100
"""Messages that are watched: the newest."""
_POLL_SECONDS: Final = 0.25


class Feed:
    """One for the console."""

    def __init__(self, world: World, store: StoryStore, refusals: Callable[[], int] | None = None) -> None:
        """`refusals` counts refused requests, which are news too."""
        self._count = refusals or (lambda: 0)
        self.refused = self._count()
        """How many there are now."""
        self._refused_at = 0
        self._world = world
        self._store = store
        self._life = world.token(4).hex()
        self._turn = 0
        self._lines: dict[int, tuple[int, StoryLine]] = {}
        """By id: in which turn the message was last seen to change, and what it is then."""
        self._looked_at = float("-inf")

    async def now(self) -> tuple[str, list[StoryLine]]:
        """The newest messages, newest first, with the mark to go on from."""
        self._looked_at = float("-inf")
        return await self.after("", 0.0)

    async def after(self, mark: str, seconds: float) -> tuple[str, list[StoryLine]]:
        """What came or changed after the mark, newest first, as soon as there is something; nothing if the time is
        over. A mark of another start, or none, stands for everything."""
        end = self._world.monotonic() + seconds
        turn = self._turn_of(mark)
        while True:
            await self._look()
            news = [line for at, line in self._lines.values() if at > turn]
            if news or self._refused_at > turn or self._world.monotonic() >= end:
                news.sort(key=lambda line: -line.id)
                return f"{self._life}-{self._turn}", news
            await self._world.sleep(_POLL_SECONDS)

    def _turn_of(self, mark: str) -> int:
        life, _, turn = mark.partition("-")
        return int(turn) if life == self._life and turn.isascii() and turn.isdigit() else -1

    async def _look(self) -> None:
        now = self._world.monotonic()
        if now < self._looked_at + _POLL_SECONDS / 2:
            return
        self._looked_at = now
        lines = await self._store.newest_messages(WINDOW)
        turn = self._turn + 1
        old = self._lines
        self._lines = {
            line.id: old[line.id] if line.id in old and old[line.id][1] == line else (turn, line) for line in lines
        }
        refused = self._count()
        if refused != self.refused:
            self.refused, self._refused_at = refused, turn
        if self._refused_at == turn or any(at == turn for at, _ in self._lines.values()):
            self._turn = turn
