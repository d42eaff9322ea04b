"""How rooms wait and hand over: a wake-up hint that may be lost, a bounded lane in memory, and the claim loop."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from typing import Final, Generic, TypeVar

from bocau.core.message import Message, RouteClass
from bocau.ports import World
from bocau.telemetry import Log, LogEvent

__all__ = ["ClaimLoop", "Lane", "MessageLane", "Wakeup"]

T = TypeVar("T")

_OTP: Final = RouteClass.OTP.value


class Wakeup:
    """A hint that there may be work. Losing one costs a poll's delay, never a message."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Something may be due now."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Wait for the hint, at most so long; then the hint is used up."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()


class Lane(Generic[T]):
    """Work handed from one room to the next in memory, at most `limit` of it; the rest waits in the store.

    A producer reserves a place before it commits that the work is in hand, and fills or frees it after. Once a place
    was refused, the lane stays shut until the consumer has caught up with the store, so that what waits there is not
    overtaken by what comes later.
    """

    __slots__ = ("_held", "_limit", "_notify", "_reserved", "items", "open")

    def __init__(self, limit: int, notify: Callable[[], None]) -> None:
        self.items: deque[T] = deque()
        self.open = True
        self._limit = limit
        self._reserved = 0
        self._held = 0
        self._notify = notify

    def __len__(self) -> int:
        return len(self.items)

    @property
    def room(self) -> int:
        """How many more it may hold."""
        return self._limit - self._reserved - self._held - len(self.items)

    def reserve(self, count: int) -> bool:
        """Keep `count` places; False shuts the lane."""
        if not self.open or self.room < count:
            self.open = False
            return False
        self._reserved += count
        return True

    def fill(self, item: T) -> None:
        """Put an item on a reserved place."""
        self._reserved -= 1
        self.items.append(item)
        self._notify()

    def free(self, count: int) -> None:
        """Give reserved places back."""
        self._reserved -= count

    def put(self, item: T) -> None:
        """Put an item that has no place reserved: what a claim brought, which was limited by `room`."""
        self.items.append(item)
        self._notify()

    def take(self) -> T:
        """The oldest item; it still counts until it is let go. Raises IndexError when empty."""
        item = self.items.popleft()
        self._held += 1
        return item

    def let_go(self, count: int = 1) -> None:
        """Taken items have left memory."""
        self._held -= count

    def close(self) -> None:
        """Take nothing more."""
        self.open = False
        self._limit = 0


class MessageLane:
    """A lane for messages, shared fairly: no account and no class of messages can fill it for the others.

    One account may hold at most twice as many places as are left, so the more accounts there are the less each may
    hold, and there always are some left. Of these, half of the whole lane is for one-time codes alone. A message keeps
    its place from the moment it is reserved until `let_go`. Once a place was refused to an account and class, both stay
    shut out until the consumer has caught up with what waits of them in the store (`reopen`).
    """

    __slots__ = ("_for_urgent", "_held", "_limit", "_notify", "_shut", "_total", "items")

    def __init__(self, limit: int, notify: Callable[[], None]) -> None:
        self.items: deque[Message] = deque()
        self._limit = limit
        self._for_urgent = limit // 2
        self._total = 0
        self._held: dict[int, int] = {}
        self._shut: set[tuple[int, str]] = set()
        self._notify = notify

    def __len__(self) -> int:
        return len(self.items)

    def room(self, route_class: str) -> int:
        """How many more messages of a class it may hold."""
        kept = 0 if route_class == _OTP else self._for_urgent
        return max(0, self._limit - self._total - kept)

    @property
    def spacious(self) -> bool:
        """Less than half full."""
        return self._total * 2 < self._limit

    def reserve(self, account_id: int, route_class: str, count: int) -> bool:
        """Keep places for an account's messages; False shuts it out."""
        room = self._limit - self._total
        if route_class != _OTP:
            room -= self._for_urgent
        held = self._held.get(account_id, 0) + count
        if count > room or held > 2 * room or (self._shut and (account_id, route_class) in self._shut):
            self._shut.add((account_id, route_class))
            return False
        self._held[account_id] = held
        self._total += count
        return True

    def fill(self, message: Message) -> None:
        """Put a message on a reserved place."""
        self.items.append(message)
        self._notify()

    def put(self, message: Message) -> None:
        """Put a message that has no place reserved: what a claim brought, which was limited by `room`."""
        self._total += 1
        self._held[message.account_id] = self._held.get(message.account_id, 0) + 1
        self.items.append(message)
        self._notify()

    def put_back(self, message: Message) -> None:
        """Put a message in once more that still has its place."""
        self.items.append(message)
        self._notify()

    def take(self) -> Message:
        """The oldest message; it keeps its place until it is let go. Raises IndexError when empty."""
        return self.items.popleft()

    def let_go(self, account_id: int, count: int = 1) -> None:
        """So many messages of an account have left memory, or will not come on their reserved places."""
        self._total -= count
        held = self._held[account_id] - count
        if held:
            self._held[account_id] = held
        else:
            del self._held[account_id]

    def reopen(self, still_waiting: Collection[tuple[int, str]]) -> None:
        """The store was looked through: only of these accounts and classes something waits there."""
        self._shut.intersection_update(still_waiting)


class ClaimLoop:
    """Runs `step` whenever hinted, and at least every `poll_seconds`, until stopped.

    `step` returns True when there is more to do at once. An error of one step is reported and does not end the loop.
    """

    def __init__(
        self,
        world: World,
        step: Callable[[], Awaitable[bool]],
        poll_seconds: float,
        log: Log,
    ) -> None:
        self._world = world
        self._step = step
        self._poll_seconds = poll_seconds
        self._log = log
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self.wakeup = Wakeup()

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while not self._stopping:
            try:
                more = await self._step()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - the rim of the loop: one bad step must not end the room
                self._log.error(LogEvent.FAULT, exc_info=error)
                more = False
                await self._world.sleep(min(1.0, self._poll_seconds))
            if not more and not self._stopping:
                await self.wakeup.wait(self._poll_seconds)

    async def stop(self) -> None:
        """Finish the step that runs, then end."""
        self._stopping = True
        self.wakeup.set()
        if self._task is not None:
            await self._task
