"""Wrong keys slow down the address they come from, within bounds."""

from bocau.accept.origin import parse_address
from bocau.accept.strangers import LONGEST_SECONDS, Strangers

HERE = parse_address("203.0.113.7")


def test_a_few_wrong_keys_are_answered_at_once_and_more_of_them_slowly() -> None:
    """Two each second, however many connections they come on."""
    strangers = Strangers()
    waits = [strangers.wait_seconds(HERE, 100.0) for _ in range(14)]
    assert waits == [0.0] * 10 + [0.5, 1.0, 1.5, 2.0]


def test_an_address_that_stops_is_forgiven() -> None:
    """The count runs off with time."""
    strangers = Strangers()
    for _ in range(30):
        strangers.wait_seconds(HERE, 100.0)
    assert strangers.wait_seconds(HERE, 100.0 + 5) > 0
    assert strangers.wait_seconds(HERE, 100.0 + 60) == 0


def test_no_wait_is_longer_than_its_bound() -> None:
    """And a flood is not remembered for longer either."""
    strangers = Strangers()
    assert max(strangers.wait_seconds(HERE, 100.0) for _ in range(5000)) == LONGEST_SECONDS
    assert strangers.wait_seconds(HERE, 100.0 + 2 * LONGEST_SECONDS) == 0


def test_other_addresses_do_not_wait() -> None:
    """But a network of 64 bits is one address: a customer of IPv6 has it whole."""
    strangers = Strangers()
    for number in range(20):
        strangers.wait_seconds(parse_address(f"2001:db8::{number:x}"), 100.0)
    assert strangers.wait_seconds(parse_address("2001:db8::ffff"), 100.0) > 0
    assert strangers.wait_seconds(parse_address("2001:db8:0:1::1"), 100.0) == 0
    assert strangers.wait_seconds(HERE, 100.0) == 0
    assert strangers.wait_seconds(None, 100.0) == 0


def test_the_table_is_bounded() -> None:
    """Of more addresses the one that was wrong longest ago is forgotten."""
    strangers = Strangers()
    for _ in range(20):
        strangers.wait_seconds(HERE, 100.0)
    for number in range(20_000):
        strangers.wait_seconds(parse_address(f"198.18.{number >> 8}.{number & 255}"), 100.0)
    assert len(strangers._until) <= 10_000
    assert strangers.wait_seconds(HERE, 100.0) == 0
