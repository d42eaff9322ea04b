"""How rooms wait and hand over: the hint, the lane's places, and the claim loop."""

import asyncio
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simulation.world import Machine, Network, play

from bocau.loops import ClaimLoop, Lane, MessageLane, Wakeup
from bocau.telemetry import Lines, Log, make_log


def a_log(stream: io.StringIO, machine: Machine) -> Log:
    return make_log(Lines(stream), machine.world.now_ms)


def test_a_hint_given_before_the_wait_ends_it_at_once() -> None:
    """What came while the room was busy is not forgotten."""

    async def scenario(network: Network) -> float:
        wakeup = Wakeup()
        wakeup.set()
        began = network.loop.time()
        await wakeup.wait(10.0)
        return network.loop.time() - began

    assert play(scenario) == 0.0


def test_a_hint_is_used_up_by_one_wait() -> None:
    """Ten hints are one look."""

    async def scenario(network: Network) -> float:
        wakeup = Wakeup()
        for _ in range(10):
            wakeup.set()
        await wakeup.wait(10.0)
        began = network.loop.time()
        await wakeup.wait(10.0)
        return network.loop.time() - began

    assert play(scenario) == pytest.approx(10.0)


def test_a_lost_hint_costs_a_poll() -> None:
    """Nobody says anything, and the wait ends all the same."""

    async def scenario(network: Network) -> float:
        began = network.loop.time()
        await Wakeup().wait(0.25)
        return network.loop.time() - began

    assert play(scenario) == pytest.approx(0.25)


def test_a_refused_place_shuts_the_lane_until_it_is_opened_again() -> None:
    """What waits in the store is not overtaken by what comes later and is small."""
    lane: Lane[str] = Lane(3, lambda: None)
    assert lane.reserve(2)
    assert not lane.reserve(2)
    assert not lane.reserve(1)
    lane.open = True
    assert lane.reserve(1)


def test_a_taken_item_keeps_its_place_until_it_is_let_go() -> None:
    """The limit is about memory, not about the queue."""
    lane: Lane[str] = Lane(1, lambda: None)
    assert lane.reserve(1)
    lane.fill("a")
    assert lane.take() == "a"
    assert lane.room == 0
    lane.let_go()
    assert lane.room == 1


def test_a_closed_lane_takes_nothing() -> None:
    """The end of the room."""
    lane: Lane[str] = Lane(5, lambda: None)
    lane.close()
    assert not lane.reserve(1)


@given(st.lists(st.sampled_from(["reserve", "fill", "free", "take", "let_go", "put"])))
def test_places_are_never_lost_or_made_up(acts: list[str]) -> None:
    """Whatever the order, the room left is the limit less everything that is reserved, waiting or taken."""
    lane: Lane[int] = Lane(4, lambda: None)
    reserved = waiting = held = 0
    for act in acts:
        lane.open = True
        if act == "reserve":
            reserved += lane.reserve(1)
        elif act == "fill" and reserved:
            lane.fill(0)
            reserved, waiting = reserved - 1, waiting + 1
        elif act == "free" and reserved:
            lane.free(1)
            reserved -= 1
        elif act == "take" and waiting:
            lane.take()
            waiting, held = waiting - 1, held + 1
        elif act == "let_go" and held:
            lane.let_go()
            held -= 1
        elif act == "put" and lane.room > 0:
            lane.put(0)
            waiting += 1
        assert lane.room == 4 - reserved - waiting - held
        assert len(lane) == waiting


def test_a_step_that_fails_is_told_and_the_loop_goes_on() -> None:
    """One bad batch must not end the room."""

    async def scenario(network: Network) -> tuple[int, str]:
        machine, stream, count = network.machine("us", "10.0.0.1"), io.StringIO(), 0

        async def step() -> bool:
            nonlocal count
            count += 1
            if count == 1:
                raise ValueError("a bad batch")
            return False

        loop = ClaimLoop(machine.world, step, 0.5, a_log(stream, machine))
        loop.start()
        await asyncio.sleep(3.0)
        await loop.stop()
        return count, stream.getvalue()

    count, said = play(scenario)
    assert count >= 5
    assert said.count("gateway.fault") == 1


def test_a_loop_with_more_to_do_does_not_wait() -> None:
    """A full batch is followed by the next one at once."""

    async def scenario(network: Network) -> tuple[int, float]:
        machine, count = network.machine("us", "10.0.0.1"), 0

        async def step() -> bool:
            nonlocal count
            count += 1
            await asyncio.sleep(0)
            return count < 10

        loop = ClaimLoop(machine.world, step, 5.0, a_log(io.StringIO(), machine))
        began = network.loop.time()
        loop.start()
        await asyncio.sleep(0.1)
        await loop.stop()
        return count, network.loop.time() - began

    count, seconds = play(scenario)
    assert count == 10
    assert seconds == pytest.approx(0.1)


def test_a_stop_finishes_the_step_that_runs() -> None:
    """Half a batch is no batch."""

    async def scenario(network: Network) -> bool:
        machine, done = network.machine("us", "10.0.0.1"), False

        async def step() -> bool:
            nonlocal done
            await asyncio.sleep(1.0)
            done = True
            return True

        loop = ClaimLoop(machine.world, step, 5.0, a_log(io.StringIO(), machine))
        loop.start()
        await asyncio.sleep(0.1)
        await loop.stop()
        return done

    assert play(scenario)


# The lane of messages


def test_no_account_fills_the_lane_alone() -> None:
    """P18: there is a place for the next one, however much the first one sends."""
    lane = MessageLane(300, lambda: None)
    taken = sum(lane.reserve(1, "otp", 1) for _ in range(1000))
    assert taken == 200
    assert sum(lane.reserve(2, "otp", 1) for _ in range(1000)) == 67
    assert lane.reserve(3, "otp", 1)


def test_half_of_the_lane_is_for_one_time_codes() -> None:
    """Bulk cannot crowd them out into the store."""
    lane = MessageLane(300, lambda: None)
    for account in range(1, 100):
        lane.reserve(account, "other", 10)
    assert lane.room("other") < 10
    assert lane.room("otp") >= 150
    assert lane.reserve(7, "otp", 50)


def test_a_refused_account_stays_out_until_the_store_has_nothing_of_it_left() -> None:
    """What waits there is not overtaken; other accounts and the other class go on."""
    lane = MessageLane(30, lambda: None)
    assert not lane.reserve(1, "other", 20)
    assert not lane.reserve(1, "other", 1)
    assert lane.reserve(1, "otp", 1)
    assert lane.reserve(2, "other", 1)
    lane.reopen({(1, "other")})
    assert not lane.reserve(1, "other", 1)
    lane.reopen({(2, "other")})
    assert lane.reserve(1, "other", 1)


@given(st.lists(st.tuples(st.sampled_from(["reserve", "let_go"]), st.integers(1, 3), st.integers(1, 4)), max_size=80))
def test_places_of_the_message_lane_balance(acts: list[tuple[str, int, int]]) -> None:
    """What was reserved and not let go is what is missing, for each account and in all."""
    lane = MessageLane(20, lambda: None)
    held = {1: 0, 2: 0, 3: 0}
    for act, account, count in acts:
        if act == "reserve":
            lane.reopen(())
            held[account] += count if lane.reserve(account, "otp", count) else 0
        elif held[account] >= count:
            lane.let_go(account, count)
            held[account] -= count
        assert lane.room("otp") == 20 - sum(held.values())
