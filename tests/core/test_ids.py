"""Ids grow with time and never repeat; an SMSID carries one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.core.ids import Ids, first_id_at, head_of, smsid_of

NOON = 1_800_000_000_000
MILLISECOND = 1 << 22
TOKEN = bytes(range(8))


def node_of(found: int) -> int:
    """The node that an id names."""
    return found >> 12 & 1023


def test_an_id_names_its_moment_and_its_node() -> None:
    """41 bits of time, 10 of node, 12 of count."""
    found = Ids(5).next(NOON)
    assert found == first_id_at(NOON) | 5 << 12
    assert found < 1 << 63


def test_the_first_id_of_a_moment_is_the_smallest() -> None:
    """Everything drawn then or later is not below it."""
    assert first_id_at(NOON) <= Ids(0).next(NOON) < first_id_at(NOON + 1)
    assert Ids(1023).next(NOON) < first_id_at(NOON + 1)


def test_moments_outside_the_time_of_ids_are_its_ends() -> None:
    """A report may ask from 1970 to 9999; the store must be able to hold what it is asked for."""
    assert first_id_at(0) == 0
    assert first_id_at(253_402_300_799_000) < 1 << 63
    assert first_id_at(253_402_300_799_000) > Ids(1023).next(NOON)


@given(st.integers(0, 1023), st.lists(st.integers(-5000, 5000), max_size=50))
def test_ids_grow_whatever_the_clock_does(node: int, steps: list[int]) -> None:
    """Forward, back, standing still; and they stay this node's."""
    ids, now, last = Ids(node), NOON, 0
    for step in steps:
        now += step
        found = ids.next(now)
        assert found > last
        assert node_of(found) == node
        last = found


@pytest.mark.parametrize("node", [0, 1, 7, 1023])
def test_a_busy_millisecond_borrows_from_the_next(node: int) -> None:
    """More than 4,096 ids, all of this node, all different, none far away."""
    ids = Ids(node)
    found = [ids.next(NOON) for _ in range(10_000)]
    assert found == sorted(set(found))
    assert {node_of(one) for one in found} == {node}
    assert found[-1] - found[0] < 5 * MILLISECOND


def test_messages_of_a_large_request_lie_within_two_milliseconds() -> None:
    """What the store's walk along the key relies on: 4,096 receivers, wherever the count stands."""
    for offset in (0, 1, 4095):
        ids = Ids(7)
        for _ in range(offset):
            ids.next(NOON)
        found = [ids.next(NOON) for _ in range(4096)]
        assert found[-1] - found[0] < 2 * MILLISECOND


@given(st.integers(0, 1023), st.integers(0, 1023), st.integers(0, 3000), st.integers(0, 4200))
def test_a_restart_goes_on_behind_the_last_id(before: int, after: int, back: int, drawn: int) -> None:
    """With a clock set back, and with another node's number: never an id that node could draw."""
    old = Ids(before)
    last = old.next(NOON)
    for _ in range(drawn):
        last = old.next(NOON)
    new = Ids(after, last)
    for found in (new.next(NOON - back), new.next(NOON - back)):
        assert found > last
        assert node_of(found) == after


def test_a_clock_before_the_beginning_still_gives_ids() -> None:
    """A board without a battery."""
    ids = Ids(3)
    first, second = ids.next(0), ids.next(0)
    assert 0 < first < second
    assert node_of(first) == 3


@pytest.mark.parametrize("node", [-1, 1024])
def test_there_are_1024_nodes(node: int) -> None:
    """A larger number would run into the time."""
    with pytest.raises(ValueError, match=r"0\.\.1023"):
        Ids(node)


# SMSIDs


@given(st.integers(0, (1 << 63) - 1), st.binary(min_size=8, max_size=8), st.integers(0, 1023))
def test_an_smsid_carries_its_head(head: int, token: bytes, node: int) -> None:
    """32 hexadecimal digits and 3 decimal ones, in any case (esms-api 2.5)."""
    smsid = smsid_of(head, token, node)
    assert re.fullmatch(r"[0-9a-f]{32}[0-9]{3}", smsid)
    assert head_of(smsid) == head
    assert head_of(smsid.upper()) == head


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "0" * 34,
        "0" * 36,
        "g" + "0" * 34,
        "-" + "0" * 34,
        "+" + "0" * 34,
        " " + "0" * 34,
        "0x" + "0" * 33,
        "0_" + "0" * 33,
        "８" + "0" * 34,
        "f" * 35,
        "8" + "0" * 34,
        "\u212a" + "0" * 34,
        "\u0130" + "0" * 34,
    ],
)
def test_text_that_is_no_smsid_has_no_head(text: str) -> None:
    """ASCII digits only, the right length, at most 63 bits."""
    assert head_of(text) is None


@given(st.text(max_size=40))
def test_any_text_may_be_asked_for(text: str) -> None:
    """It raises nothing."""
    found = head_of(text)
    assert found is None or 0 <= found < 1 << 63
