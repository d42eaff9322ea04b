"""Whose turn it is: one-time codes before bulk, accounts in turn, nobody for ever behind (P18)."""

from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.dispatch.desk import message

from bocau.core.message import Recourse
from bocau.dispatch.plan import Choice, Route, Way
from bocau.dispatch.queue import FairQueue

WAY = Way(Route("any", (Choice("north"),)), ("north",), Recourse())


def queue_of(*lots: tuple[int, int, str], limit: int = 1000) -> FairQueue:
    """Lots of (how many, account, class), in this order; ids count up."""
    queue = FairQueue(limit)
    number = 0
    for count, account, route_class in lots:
        for _ in range(count):
            number += 1
            queue.put((message(number, account=account, route_class=route_class), WAY, False))
    return queue


def drained(queue: FairQueue, bulk_parts: int = 100) -> list[tuple[int, str]]:
    """Account and class in the order of leaving."""
    order = []
    while queue.head(bulk_parts) is not None:
        one = queue.pop()[0]
        order.append((one.account_id, one.route_class))
    return order


def test_a_one_time_code_does_not_wait_behind_bulk() -> None:
    """However much of it came before."""
    assert drained(queue_of((500, 1, "other"), (1, 2, "otp")))[0] == (2, "otp")


def test_bulk_is_not_starved() -> None:
    """One of ten goes, however many codes there are."""
    order = drained(queue_of((100, 1, "otp"), (5, 2, "other")))
    assert [place for place, one in enumerate(order) if one == (2, "other")] == [9, 19, 29, 39, 49]


def test_a_bulk_message_that_cannot_go_does_not_hold_up_codes() -> None:
    """Its turn comes again when it fits."""
    order = drained(queue_of((30, 1, "otp"), (1, 2, "other")), bulk_parts=0)
    assert order == [(1, "otp")] * 30 + [(2, "other")]


def test_an_account_that_floods_delays_another_by_its_own_turn_only() -> None:
    """P18: four parts, not ten thousand."""
    order = drained(queue_of((900, 1, "otp"), (20, 2, "otp")))
    assert [place for place, one in enumerate(order) if one == (2, "otp")][-1] < 50


def test_turns_are_counted_in_parts() -> None:
    """An account that sends long messages gets fewer of them through."""
    queue = FairQueue(1000)
    for number in range(200):
        queue.put((message(number, account=1, parts=4), WAY, False))
        queue.put((message(1000 + number, account=2), WAY, False))
    parts = {1: 0, 2: 0}
    for _ in range(100):
        queue.head(100)
        one = queue.pop()[0]
        parts[one.account_id] += one.parts
    assert abs(parts[1] - parts[2]) <= 8


def test_each_class_has_its_own_places() -> None:
    """A full one keeps out only its own."""
    queue = queue_of((3, 1, "other"), limit=2)
    assert len(queue) == 2
    assert queue.put((message(9, route_class="otp"), WAY, False))
    assert not queue.put((message(10, route_class="other"), WAY, False))


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["otp", "other"]), st.integers(1, 3)), max_size=60))
def test_everything_leaves_once_and_each_account_in_its_own_order(lots: list[tuple[int, str, int]]) -> None:
    """Fairness between accounts, none of it at the cost of order within one."""
    queue = FairQueue(1000)
    came = []
    for number, (account, route_class, parts) in enumerate(lots):
        one = message(number, account=account, route_class=route_class, parts=parts)
        came.append(one)
        queue.put((one, WAY, False))
    left = []
    while queue.head(100) is not None:
        left.append(queue.pop()[0])
    assert sorted(one.id for one in left) == [one.id for one in came]
    for key in {(one.account_id, one.route_class) for one in came}:
        assert [one.id for one in left if (one.account_id, one.route_class) == key] == [
            one.id for one in came if (one.account_id, one.route_class) == key
        ]


def test_emptying_brings_codes_first() -> None:
    """For moving them to another carrier."""
    queue = queue_of((2, 1, "other"), (2, 2, "otp"))
    assert [one[0].route_class for one in queue.empty()] == ["otp", "otp", "other", "other"]
    assert len(queue) == 0
