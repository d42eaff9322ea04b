"""Sequence numbers and the send window (faults F20, F21, F27)."""

from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.smpp.pdu import Command
from bocau.wire.smpp.window import LAST_SEQUENCE, Window


def test_numbers_wrap_to_one_and_skip_those_in_use() -> None:
    """After 0x7FFFFFFF comes 1, unless a request of ours still holds it: waiting, late or a control."""
    window = Window(10, LAST_SEQUENCE - 1)
    assert window.next_sequence() == LAST_SEQUENCE - 1
    assert window.next_sequence() == LAST_SEQUENCE
    window.hold(1, "waiting", 0.0)
    assert window.expire(10.0, 10.0) == ["waiting"]
    window.hold(2, "new", 10.0)
    assert window.ask(Command.ENQUIRE_LINK) == 3
    window = Window(10, LAST_SEQUENCE)
    for sequence in (1, 2, 4):
        window.hold(sequence, sequence, 0.0)
    window.expire(10.0, 10.0)
    assert [window.next_sequence() for _ in range(3)] == [LAST_SEQUENCE, 3, 5]


def test_a_late_message_keeps_its_slot_until_it_is_answered() -> None:
    """Timing out frees nothing; an answer does, and tells that it was late."""
    window = Window(2)
    window.hold(1, "a", 0.0)
    assert window.expire(9.9, 10.0) == []
    assert window.expire(10.0, 10.0) == ["a"]
    assert (window.free, window.oldest()) == (1, None)
    assert window.settle(1) == ("a", True)
    assert window.settle(1) is None
    assert window.free == 2


def test_a_new_control_takes_the_place_of_an_earlier_one_of_its_kind() -> None:
    """A peer that never answers enquire_link does not make the table grow."""
    window = Window(1)
    first, unbind, second = (window.ask(c) for c in (Command.ENQUIRE_LINK, Command.UNBIND, Command.ENQUIRE_LINK))
    assert not window.settle_control(first, Command.ENQUIRE_LINK)
    assert not window.settle_control(second, Command.UNBIND)
    assert window.settle_control(second, Command.ENQUIRE_LINK)
    assert window.asked(unbind) == Command.UNBIND


@given(st.lists(st.sampled_from(["send", "answer", "time", "drop"]), max_size=60), st.integers(1, 5))
def test_every_token_comes_out_exactly_once(steps: list[str], size: int) -> None:
    """Whatever happens, a message ends in one answer or in the list of the lost."""
    window = Window(size, LAST_SEQUENCE - 3)
    alive: dict[int, int] = {}
    now, token = 0.0, 0
    for step in steps:
        if step == "send" and window.free > 0:
            sequence = window.next_sequence()
            assert sequence not in alive
            window.hold(sequence, token, now)
            alive[sequence] = token
            token += 1
        elif step == "answer" and alive:
            sequence = max(alive)
            settled = window.settle(sequence)
            assert settled is not None
            assert settled[0] == alive.pop(sequence)
        elif step == "time":
            now += 6.0
            window.expire(now, 10.0)
        elif step == "drop":
            assert set(window.drop()) == set(alive.values())
            alive.clear()
        assert len(window) == len(alive)
        assert window.free == size - len(alive)
