"""Delays on a clock that is turned by hand."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.scenario import run
from tests.simulator.stage import HandWorld

from bocau.simulator.timetable import GRAIN_SECONDS, Timetable


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_an_earlier_call_wakes_a_sleeper() -> None:
    """Asked for later, it still comes first, at its time."""

    async def scenario() -> None:
        world = HandWorld()
        timetable = Timetable(world)
        called: list[str] = []
        timetable.call(60, lambda: called.append("late"))
        await _turns()
        timetable.call(1, lambda: called.append("soon"))
        await _turns()
        world.advance(1.01)
        await _turns()
        assert called == ["soon"]
        world.advance(60)
        await _turns()
        assert called == ["soon", "late"]

    run(scenario)


def test_equal_times_are_called_in_the_order_of_asking() -> None:
    """Also those that a call adds itself."""

    async def scenario() -> None:
        world = HandWorld()
        timetable = Timetable(world)
        called: list[int] = []
        for number in range(50):
            timetable.call(1, lambda number=number: called.append(number))  # type: ignore[misc]
        timetable.call(1, lambda: timetable.call(0, lambda: called.append(50)))
        await _turns()
        world.advance(1 + 2 * GRAIN_SECONDS)
        await _turns()
        assert called == list(range(51))

    run(scenario)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 3)), max_size=30))
def test_nothing_is_early_and_nothing_is_more_than_a_grain_late(steps: list[tuple[float, float]]) -> None:
    """Whatever the delays, and however the clock moves between."""

    async def scenario() -> None:
        world = HandWorld()
        timetable = Timetable(world)
        waiting: list[float] = []

        def ask(after: float) -> None:
            due = world.seconds + after
            waiting.append(due)

            def act() -> None:
                assert world.seconds >= due - 1e-4
                waiting.remove(due)

            timetable.call(after, act)

        for after, step in steps:
            ask(after)
            await _turns()
            world.advance(step)
            await _turns()
            assert all(due > world.seconds - GRAIN_SECONDS - 1e-9 for due in waiting)
        world.advance(20)
        await _turns()
        assert not waiting

    asyncio.run(scenario())


def test_after_closing_nothing_is_called() -> None:
    """And closing again does no harm."""

    async def scenario() -> None:
        world = HandWorld()
        timetable = Timetable(world)
        called: list[int] = []
        timetable.call(1, lambda: called.append(1))
        await _turns()
        timetable.close()
        timetable.close()
        world.advance(5)
        await _turns()
        assert not called

    run(scenario)
