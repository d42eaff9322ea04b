"""The loop that forgets: small steps with pauses, told once, and the log of the store emptied after it."""

import asyncio
import io
from collections import Counter

from tests.simulation.world import Network, play

from bocau.core.keeping import Keeping
from bocau.schedule.forgetting import Forgetting
from bocau.store.contract import Forgotten
from bocau.telemetry import Lines, ScheduleMeters, make_log

KEEPING = Keeping(1, 1, 1, 1, 1, 1)


class Attic:
    """A store with so many old texts, and a log that somebody reads."""

    def __init__(self, old: int, busy: int = 0) -> None:
        self.old = old
        self.busy = busy
        self.steps: list[float] = []
        self.shreds: list[float] = []
        self.time = asyncio.get_running_loop().time

    async def forget(self, keeping: Keeping, now_ms: int, limit: int) -> Forgotten:
        """A step."""
        assert keeping is KEEPING
        self.steps.append(self.time())
        gone = min(limit, self.old)
        self.old -= gone
        return Forgotten({"otp_text": gone} if gone else {}, gone == limit)

    async def shred(self) -> bool:
        """Whether nobody reads."""
        self.shreds.append(self.time())
        self.busy -= 1
        return self.busy < 0


def live(old: int, seconds: float, busy: int = 0) -> tuple[Attic, Counter[str], str]:
    """So much of the loop's life."""

    async def scenario(network: Network) -> tuple[Attic, Counter[str], str]:
        world = network.machine("gateway", "10.0.0.1").world
        attic, meters, lines = Attic(old, busy), ScheduleMeters(), io.StringIO()
        room = Forgetting(world, attic, KEEPING, meters, make_log(Lines(lines), world.now_ms))
        room.loop.start()
        await asyncio.sleep(seconds)
        await room.loop.stop()
        return attic, Counter(meters.forgotten), lines.getvalue()

    return play(scenario)


def test_much_is_forgotten_in_small_steps_with_pauses() -> None:
    """So that nobody who is being answered waits for more than one of them."""
    attic, meters, said = live(1_050, 50)
    assert len(attic.steps) == 11
    assert all(later - earlier > 0.049 for earlier, later in zip(attic.steps, attic.steps[1:], strict=False))
    assert meters["otp_text"] == 1_050
    assert said.count('"event":"store.forget","otp_text":1050') == 1
    assert len(attic.shreds) == 1


def test_a_store_with_nothing_old_is_looked_at_once_a_minute_and_left_alone() -> None:
    """No line, no emptied log."""
    attic, _, said = live(0, 599)
    assert len(attic.steps) == 10
    assert (attic.shreds, said) == ([], "")


def test_a_log_that_could_not_be_emptied_is_tried_again_later() -> None:
    """Even when nothing more is forgotten, and not every minute."""
    attic, _, _ = live(5, 3_000, busy=2)
    assert len(attic.shreds) == 3
    assert all(later - earlier >= 600 for earlier, later in zip(attic.shreds, attic.shreds[1:], strict=False))
