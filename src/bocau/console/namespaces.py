"""Namespaces of tests: each an account of its own, so that tests that run at the same time never see each other.

What a test asks about its messages is read from the store, as for everybody; beside that a namespace keeps the requests
of its keys that were refused, since the store knows nothing of them.
"""

import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from bocau.console.called import ANSWERED, CALLED_TYPE, Call, CallBook, CalledPhone
from bocau.console.informant import Informant
from bocau.console.witness import Refused
from bocau.core.directory import BrandnameRow
from bocau.core.ids import head_of
from bocau.core.lifecycle import State
from bocau.core.phone import normalise
from bocau.core.text import find_code
from bocau.loops import Wakeup
from bocau.ports import HttpGet, World
from bocau.provision import DEVELOPMENT, Profile, ProvisionStore, provision, put_templates
from bocau.store.contract import KitStore, ScheduleStore, Story, StoryLine

__all__ = ["EVERYBODY", "NO_FAULTS", "FaultBench", "Found", "KitHouse", "Namespace", "Namespaces", "Wanted", "is_for"]

EVERYBODY: Final = ""
"""Owner of the faults that are for all messages."""

_POLL_SECONDS: Final = 0.05
_LEAVING_SECONDS: Final = 2.0
_LANDING_SECONDS: Final = 1.0
_LONG_MS: Final = 600_000
"""A step that may close what waits for a receipt."""
_STAYING: Final = (State.SCHEDULED, State.QUEUED, State.SENDING)
_MOST_REFUSALS: Final = 200
_MOST_NAMESPACES: Final = 10_000
_MOST_MESSAGES: Final = 1_000
_MOST_WAKING: Final = 10_000
_SMS_TYPE: Final = 2


class FaultBench(Protocol):
    """Where faults are put in force: the simulated carrier, and what stands before callback hosts.

    Faults have an owner, whose messages they are for; those of EVERYBODY are for all.
    """

    def ask(self, informant: Informant, /) -> None:
        """Whom to ask about numbers, templates and owners."""
        ...

    def put(self, owner: str, faults: Sequence[str | Mapping[str, Any]], seed: int, *, keep: bool = False) -> list[int]:
        """Faults of one owner, behind those before or in place of them; their numbers. Raises ValueError."""
        ...

    def remove(self, owner: str, number: int) -> bool:
        """Take one out of force; whether it was there."""
        ...

    def listed(self, owner: str) -> list[dict[str, Any]]:
        """Those of an owner, as values for people."""
        ...

    def pass_time(self, owner: str | None, seconds: float) -> None:
        """Time went on for one owner, or, with None, for all."""
        ...

    def before(self, http: HttpGet) -> HttpGet:
        """The HTTP client of callbacks with these faults before it."""
        ...


class _NoBench:
    """Where the carrier is not ours to break."""

    def ask(self, informant: Informant) -> None:
        """See FaultBench."""

    def put(self, owner: str, faults: Sequence[str | Mapping[str, Any]], seed: int, *, keep: bool = False) -> list[int]:
        """See FaultBench."""
        del owner, seed, keep
        if faults:
            raise ValueError("the carrier of this gateway is not a simulated one")
        return []

    def remove(self, owner: str, number: int) -> bool:
        """See FaultBench."""
        del owner, number
        return False

    def listed(self, owner: str) -> list[dict[str, Any]]:
        """See FaultBench."""
        del owner
        return []

    def pass_time(self, owner: str | None, seconds: float) -> None:
        """See FaultBench."""

    def before(self, http: HttpGet) -> HttpGet:
        """See FaultBench."""
        return http


NO_FAULTS: Final = _NoBench()


class HouseStore(KitStore, ProvisionStore, ScheduleStore, Protocol):
    """What namespaces read and write through."""


class KitHouse(NamedTuple):
    """What namespaces need of the gateway around them."""

    world: World
    store: HouseStore
    pepper: bytes
    refresh: Callable[[], Awaitable[object]]
    """Make the door know a change of the directory now."""
    hurry: Callable[[], None]
    """Wake the loops: something may be due."""
    jump: Callable[[int], None]
    """Move the clock of the gateway ahead, in milliseconds."""
    faults: FaultBench
    phone: CalledPhone | None
    """None where nobody is called."""
    call_carrier: str
    """Name of the carrier that places calls."""


class Wanted(NamedTuple):
    """What a test waits for."""

    phone: str = ""
    """Empty: any."""
    text: str = ""
    """A part of the text."""
    code: bool = False
    """It must have a one-time code in it."""
    until: str = "sent"
    """accepted, sent (a carrier took it; of a call: its phone heard the code) or delivered; of calls alone: answered,
    heard or over."""
    after: int = 0
    """Only messages with a larger id."""
    channel: str = ""
    """sms, call, or empty for both."""
    seen: frozenset[int] = frozenset()
    """Ids of messages that are not wanted again."""


class Found(NamedTuple):
    """A message that fits, and its call if it went out by one."""

    line: StoryLine
    call: Call | None


class Namespace:
    """One account with its keys, and what is remembered of it. `api_key` is its name."""

    def __init__(self, api_key: str, secret_key: str, account_id: int, first_id: int) -> None:
        self.api_key = api_key
        self.secret_key = secret_key
        self.account_id = account_id
        self.first_id = first_id
        """Messages up to this one are from before, and not told."""
        self.refusals: deque[Refused] = deque(maxlen=_MOST_REFUSALS)
        self.wakeup = Wakeup()


class Namespaces:
    """All of them. Everything that raises ValueError says what is wrong with what was asked."""

    def __init__(self, house: KitHouse) -> None:
        self._house = house
        self._open: dict[str, Namespace] = {}
        self._ready_made: set[str] = set()
        self.faults = house.faults
        self.calls = CallBook(house.store, house.phone, house.call_carrier)
        self.strangers: deque[Refused] = deque(maxlen=_MOST_REFUSALS)
        """Refused requests with an ApiKey that is nobody's here, or none."""

    def __len__(self) -> int:
        return len(self._open)

    def find(self, api_key: str) -> Namespace | None:
        """The namespace of an ApiKey."""
        return self._open.get(api_key)

    def refusals(self) -> list[Refused]:
        """All that are remembered, of namespaces and of strangers, the newest first."""
        kept = [self.strangers, *(space.refusals for space in self._open.values())]
        return sorted(itertools.chain.from_iterable(kept), key=lambda refused: -refused.at_ms)

    def refused(self, refused: Refused) -> None:
        """A request was not accepted."""
        space = self._open.get(refused.api_key)
        (self.strangers if space is None else space.refusals).append(refused)

    def accepted(self, api_key: str) -> None:
        """A request was accepted: who waits looks now."""
        space = self._open.get(api_key)
        if space is not None:
            space.wakeup.set()

    async def adopt(self, profile: Profile) -> None:
        """Count a ready-made account as a namespace, which stays."""
        await self._enter(profile)
        self._ready_made.add(profile.api_key)

    async def _enter(self, profile: Profile) -> None:
        accounts = await self._house.store.accounts()
        account_id = next(account.id for account in accounts if account.name == profile.account)
        first = await self._house.store.newest_message()
        self._open[profile.api_key] = Namespace(profile.api_key, profile.secret_key, account_id, first)

    async def create(self, templates: Sequence[tuple[str, str]] = (), balance: int | None = None) -> Namespace:
        """A new account with keys of its own, the ready-made brandnames and templates, and some more of each.

        `templates` are (brandname, text), `balance` is in VND. Raises ValueError.
        """
        if len(self._open) >= _MOST_NAMESPACES:
            raise ValueError(f"there are {_MOST_NAMESPACES} namespaces; delete those that are done")
        house = self._house
        name = f"test-{house.world.token(8).hex()}"
        brandnames = tuple(dict.fromkeys((*DEVELOPMENT.brandnames, *(brandname for brandname, _ in templates))))
        profile = Profile(
            name,
            name,
            house.world.token(16).hex(),
            brandnames,
            tuple(dict.fromkeys((*DEVELOPMENT.templates, *templates))),
            DEVELOPMENT.prices,
            DEVELOPMENT.balance if balance is None else balance,
        )
        await provision(house.store, profile, house.pepper, house.world.now_ms)
        await self._enter(profile)
        await house.refresh()
        return self._open[name]

    async def register(self, space: Namespace, brandname: str, text: str) -> None:
        """A template more, on every network; its brandname too if it is new. Raises ValueError."""
        house, now_ms = self._house, self._house.world.now_ms()
        await house.store.put_brandname(BrandnameRow(space.account_id, _SMS_TYPE, brandname, "active"), now_ms)
        await put_templates(house.store, space.account_id, [(brandname, text)], now_ms)
        await house.refresh()

    async def delete(self, space: Namespace) -> None:
        """Its keys are good for nothing any more, and nobody is called back.

        Raises ValueError for a ready-made account.
        """
        if space.api_key in self._ready_made:
            raise ValueError("this account was not made for a test; reset it instead")
        self._open.pop(space.api_key, None)
        self.faults.put(space.api_key, (), 0)
        await self._house.store.retire_account(space.account_id)
        await self._house.refresh()

    async def reset(self, space: Namespace) -> None:
        """As new: messages and refusals so far are forgotten, RequestIds free, faults over."""
        self.faults.put(space.api_key, (), 0)
        space.refusals.clear()
        space.first_id = await self._house.store.newest_message()
        await self._house.store.free_request_ids(space.account_id)

    async def advance(self, space: Namespace | None, seconds: float) -> None:
        """Let time pass for this namespace alone, or, with None, move the clock of the whole gateway.

        It stops at every moment that a scheduled message waits for, until that has left, so that a long stretch makes
        nothing expire on its way that a short one would not.
        """
        left_ms = round(seconds * 1000)
        while True:
            waiting = await self._scheduled(space, self._house.world.now_ms() + left_ms)
            if not waiting:
                break
            first_ms = min(waiting.values())
            step_ms = max(0, first_ms - self._house.world.now_ms())
            await self._pass(space, step_ms)
            left_ms -= step_ms
            if not await self._gone({number for number, release_ms in waiting.items() if release_ms <= first_ms}):
                break  # nobody takes it: the rest of the time passes all the same
        await self._pass(space, left_ms)

    async def _scheduled(self, space: Namespace | None, until_ms: int) -> dict[int, int]:
        """The scheduled messages that are to leave until then, with their moments."""
        lines = await self._waiting(space, until_ms, State.SCHEDULED)
        return {line.id: line.release_ms for line in lines if line.release_ms <= until_ms}

    async def _waiting(self, space: Namespace | None, until_ms: int, *states: State) -> list[StoryLine]:
        """Messages in these states; of the whole gateway, those whose moment comes until then."""
        if space is not None:
            return [line for line in await self.messages(space) if line.state in states]
        waking = await self._house.store.waking(until_ms, _MOST_WAKING)
        found = [await self._house.store.message(row.id) for row in waking if row.state in states]
        return [line for line in found if line is not None]

    async def _pass(self, space: Namespace | None, milliseconds: int) -> None:
        if milliseconds >= _LONG_MS:
            await self._land(space, self._house.world.now_ms() + milliseconds)
        if space is None:
            self._house.jump(milliseconds)
            self.faults.pass_time(None, milliseconds / 1000)
        else:
            await self._house.store.pass_time(space.account_id, milliseconds)
            self.faults.pass_time(space.api_key, milliseconds / 1000)
        self._house.hurry()

    async def _land(self, space: Namespace | None, until_ms: int) -> None:
        """Let receipts come that are on their way: the carrier's own time does not jump, and days without them would
        close their messages as unknown."""
        await self._look(_LANDING_SECONDS, lambda: self._waiting(space, until_ms, State.SENDING, State.SENT))

    async def _gone(self, ids: set[int]) -> bool:
        """Whether these messages leave for a carrier, or end, within a moment."""

        async def staying() -> list[StoryLine]:
            lines = [await self._house.store.message(number) for number in ids]
            return [line for line in lines if line is not None and line.state in _STAYING and not line.taken]

        return await self._look(_LEAVING_SECONDS, staying)

    async def _look(self, seconds: float, left: Callable[[], Awaitable[Sequence[StoryLine]]]) -> bool:
        """Look again and again until nothing is left, so long at most; whether that came."""
        clock = self._house.world.monotonic
        end = clock() + seconds
        while await left():
            if clock() >= end:
                return False
            await self._house.world.sleep(_POLL_SECONDS)
        return True

    async def messages(self, space: Namespace, after: int = 0) -> list[StoryLine]:
        """What was accepted after a message, oldest first, 1,000 at most."""
        return await self._house.store.messages_after(max(after, space.first_id), space.account_id, _MOST_MESSAGES)

    async def story(self, space: Namespace, smsid: str) -> Story | None:
        """Everything about one request of the namespace."""
        if head_of(smsid) is None:
            return None
        story = await self._house.store.story(smsid)
        return story if story is not None and story.messages[0].account_id == space.account_id else None

    async def wait(self, space: Namespace, wanted: Wanted, seconds: float) -> Found | None:
        """The first message that fits, as soon as there is one; None if the time is over.

        A request that is accepted wakes it at once. While it waits for what a carrier does, it looks at the store every
        50 ms; nobody who waits, nobody who looks.
        """
        clock = self._house.world.monotonic
        end, after = clock() + seconds, wanted.after
        while True:
            lines = await self.messages(space, after)
            for line in lines:
                found = await self._fitting(line, wanted)
                if found is not None:
                    return found
            # What has ended without fitting is not looked at again. What a phone heard may be known after the end.
            for line in itertools.takewhile(lambda line: line.final_ms and not self.calls.is_called(line), lines):
                after = line.id
            if len(lines) == _MOST_MESSAGES and after == lines[-1].id:
                continue
            left = end - clock()
            if left <= 0:
                return None
            await space.wakeup.wait(min(_POLL_SECONDS, left))

    async def _fitting(self, line: StoryLine, wanted: Wanted) -> Found | None:
        """The message with its call, if it is what is waited for."""
        if line.id in wanted.seen or not _is_about(line, wanted):
            return None
        if wanted.channel == "sms":
            return Found(line, None) if self.calls.is_text(line) and _REACHED[wanted.until](line) else None
        call = await self.calls.newest(line) if line.sms_type == CALLED_TYPE else None
        if wanted.channel == "call":
            return Found(line, call) if call is not None and _CALL_REACHED[wanted.until](call) else None
        if not self.calls.is_called(line):
            call = None  # it went out as a text after all
        if call is not None and not call.codes and wanted.until != "accepted" and find_code(line.content):
            return None  # the code was not said to its end yet
        return Found(line, call) if _REACHED[wanted.until](line) else None


_REACHED: Final[Mapping[str, Callable[[StoryLine], Any]]] = {
    "accepted": lambda line: line.state != "rejected",
    "sent": lambda line: line.taken,
    "delivered": lambda line: line.state == "delivered",
}
_CALL_REACHED: Final[Mapping[str, Callable[[Call], Any]]] = {
    "answered": lambda call: call.status == ANSWERED,
    "heard": lambda call: call.codes,
    "over": lambda call: call.over,
}


def is_for(phone: str, wanted: str) -> bool:
    """Whether a phone is the wanted one, however it is written; an empty wish is for everybody."""
    return not wanted or phone == (normalise(wanted) or wanted)


def _is_about(line: StoryLine, wanted: Wanted) -> bool:
    if not is_for(line.phone, wanted.phone):
        return False
    return wanted.text in line.content and not (wanted.code and find_code(line.content) is None)
