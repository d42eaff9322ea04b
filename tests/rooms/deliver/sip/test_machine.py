"""The course of a call in virtual time: every deadline, every end."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.deliver.sip.machine import Act, CallMachine, CallState
from bocau.deliver.sip.order import NO_MEDIA, CallLimits, CallOrder, CallResult, CallStatus, Retry, Side, Utterance
from bocau.wire.sip.events import Refused

SOUND = b"\xd5" * 16_000
ORDER = CallOrder("c", "84901234567", Utterance(SOUND, SOUND))
GREETED = ORDER._replace(greeting=Utterance(SOUND[:8_000], SOUND[:8_000]))


def begun(order: CallOrder = ORDER) -> CallMachine:
    return CallMachine(order, 0.0)


def answered(order: CallOrder = ORDER) -> CallMachine:
    machine = begun(order)
    machine.on_progress(180)
    machine.on_answered(10.0)
    return machine


def result(machine: CallMachine) -> CallResult:
    assert machine.state is CallState.ENDED
    assert machine.next_deadline() == float("inf")
    return machine.result("t", NO_MEDIA)


def test_silence_for_five_seconds_is_the_trunks_fault() -> None:
    """Nothing came back: the INVITE is given up at once."""
    machine = begun()
    assert machine.next_deadline() == 5.0
    assert machine.tick(4.9) == []
    assert machine.tick(5.0) == [Act.HANG_UP, Act.FINISH]
    assert result(machine)[:3] == (CallStatus.FAILED, Retry.NEXT_TRUNK_BACK_OFF, 0)


@pytest.mark.parametrize(
    ("progress", "status", "retry"),
    [(180, CallStatus.NO_ANSWER, Retry.LATER), (100, CallStatus.FAILED, Retry.NEXT_TRUNK_BACK_OFF)],
)
def test_it_rings_for_thirty_seconds(progress: int, status: CallStatus, retry: Retry) -> None:
    """Then CANCEL, and its 487; a trunk that only said 100 never rang."""
    machine = begun()
    machine.on_progress(progress)
    assert machine.tick(29.9) == []
    assert machine.tick(30.0) == [Act.HANG_UP]
    assert machine.state is CallState.CANCELLING
    assert machine.on_refused(Refused(487, "Terminated", 0, 0), 30.1) == [Act.FINISH]
    assert result(machine)[:3] == (status, retry, 487)


def test_a_cancel_that_is_never_confirmed_ends_all_the_same() -> None:
    """4 s after."""
    machine = begun()
    machine.on_progress(180)
    machine.tick(30.0)
    assert machine.tick(34.0) == [Act.FINISH]
    assert result(machine).status is CallStatus.NO_ANSWER


def test_an_answer_that_crossed_the_cancel_is_not_called_again() -> None:
    """Somebody picked up (fault F32)."""
    machine = begun()
    machine.on_progress(180)
    machine.tick(30.0)
    assert machine.on_over("200 to BYE", 30.2) == [Act.FINISH]
    assert result(machine).retry is Retry.NONE


def test_a_trunks_words_are_shown_without_numbers() -> None:
    """Some quote the number, or worse."""
    machine = begun()
    machine.on_refused(Refused(404, "No 84901234567\x1b[31m " + "x" * 99, 0, 0), 1.0)
    assert result(machine).reason.startswith("404 No ***[31m xx")
    assert len(result(machine).reason) <= 64


def test_ringing_is_told_once() -> None:
    """However many 18x come; a 100 is none."""
    machine = begun()
    acts = [machine.on_progress(status) for status in (100, 180, 183, 180)]
    assert acts == [[], [Act.TELL_RINGING], [], []]


def test_the_prompt_is_said_and_the_call_closed() -> None:
    """After it a key is waited for; then BYE, its answer, the end. Seconds are rounded up."""
    machine = begun()
    machine.on_progress(183)
    assert machine.on_answered(10.0) == [Act.TELL_ANSWERED, Act.SPEAK]
    assert machine.on_said(12.0) == []
    assert machine.tick(16.9) == []
    assert machine.tick(17.0) == [Act.HANG_UP]
    assert machine.state is CallState.CLOSING
    assert machine.on_over("200 to BYE", 17.2) == [Act.FINISH]
    end = result(machine)
    assert (end.status, end.retry, end.duration_seconds, end.hung_up_by) == (
        CallStatus.ANSWERED, Retry.NONE, 7, Side.CALLER,
    )  # fmt: skip


def test_key_one_repeats_three_times() -> None:
    """Then the call closes when the prompt is over; other keys are only noted."""
    machine = answered()
    assert machine.on_key("5", 10.5) == []
    for at in (12.0, 14.0, 16.0):
        machine.on_said(at)
        assert machine.on_key("1", at + 0.5) == [Act.SPEAK]
    assert machine.on_key("1", 17.0) == []
    assert machine.on_said(18.5) == [Act.HANG_UP]
    machine.on_over("", 18.6)
    assert (result(machine).plays, result(machine).keys) == (4, "51111")


def test_a_greeting_comes_before_the_prompt() -> None:
    """Key 1, during it or after, brings the prompt; no key brings the end."""
    machine = answered(GREETED)
    assert machine.state is CallState.ANSWERED
    assert machine.on_key("2", 10.2) == []
    assert machine.on_key("1", 10.3) == [Act.SPEAK]
    machine = begun(GREETED)
    assert machine.on_answered(1.0) == [Act.TELL_ANSWERED, Act.GREET]
    assert machine.on_said(2.0) == []
    assert machine.tick(7.0) == [Act.HANG_UP]
    machine.on_over("", 7.1)
    assert (result(machine).plays, result(machine).status) == (0, CallStatus.ANSWERED)


def test_a_prompt_that_never_ends_is_cut() -> None:
    """Its length and 15 s: the callee holds us, or our own ticker stopped."""
    machine = answered()
    assert machine.next_deadline() == 27.0
    assert machine.tick(27.0) == [Act.HANG_UP]


def test_nobody_speaks_longer_than_a_minute() -> None:
    """However long the prompt and however often it is asked for."""
    machine = answered(ORDER._replace(prompt=Utterance(SOUND * 40, SOUND * 40)))
    assert machine.tick(69.9) == []
    assert machine.tick(70.0) == [Act.HANG_UP]
    assert machine.tick(74.0) == [Act.FINISH]
    assert result(machine).duration_seconds == 60


def test_the_outer_deadline_ends_everything() -> None:
    """90 s after the INVITE, whatever else was set (promises section 3)."""
    machine = begun(ORDER._replace(limits=CallLimits(ring=1_000.0, talk=1_000.0)))
    machine.on_progress(180)
    assert machine.tick(90.0) == [Act.HANG_UP, Act.FINISH]
    assert result(machine).status is CallStatus.FAILED


def test_the_callee_hangs_up() -> None:
    """Early is fine."""
    machine = answered()
    assert machine.on_hung_up(16, 10.4) == [Act.FINISH]
    end = result(machine)
    assert (end.hung_up_by, end.cause, end.duration_seconds) == (Side.CALLEE, 16, 1)
    assert machine.on_hung_up(16, 10.5) == machine.on_over("", 11.0) == machine.tick(99.0) == []


def test_a_lost_connection_after_the_answer_is_answered() -> None:
    """Nobody is called a second time."""
    machine = answered()
    assert machine.on_over("gone", 12.0) == [Act.FINISH]
    assert (result(machine).status, result(machine).retry) == (CallStatus.ANSWERED, Retry.NONE)
    machine = begun()
    assert machine.on_unanswered("gone", 1.0) == [Act.FINISH]
    assert result(machine).retry is Retry.NEXT_TRUNK_BACK_OFF


def test_an_answer_that_cannot_be_used_is_not_tried_elsewhere() -> None:
    """The phone was picked up; somebody must look at the trunk."""
    machine = begun()
    assert machine.on_unusable("no codec", 1.0) == []
    assert machine.on_over("200 to BYE", 1.2) == [Act.FINISH]
    assert result(machine)[:3] == (CallStatus.FAILED, Retry.NONE, 200)
    assert machine.verdict.alarm


@pytest.mark.parametrize("state", ["trying", "ringing", "speaking"])
def test_a_call_may_be_cancelled(state: str) -> None:
    """CANCEL or BYE; a second one changes nothing."""
    machine = answered() if state == "speaking" else begun()
    if state == "ringing":
        machine.on_progress(180)
    assert machine.cancel(11.0) == [Act.HANG_UP]
    assert machine.cancel(11.1) == []
    machine.on_over("", 11.2) if state == "speaking" else machine.on_refused(Refused(487, "", 0, 0), 11.2)
    assert result(machine).retry is Retry.NONE
    assert "cancelled" in result(machine).reason


HAPPENINGS: dict[str, Callable[[CallMachine, float], list[Act]]] = {
    "100": lambda machine, now: machine.on_progress(100),
    "180": lambda machine, now: machine.on_progress(180),
    "200": lambda machine, now: machine.on_answered(now),
    "486": lambda machine, now: machine.on_refused(Refused(486, "Busy", 0, 0), now),
    "unanswered": lambda machine, now: machine.on_unanswered("no", now),
    "unusable": lambda machine, now: machine.on_unusable("no", now),
    "bye": lambda machine, now: machine.on_hung_up(16, now),
    "over": lambda machine, now: machine.on_over("done", now),
    "said": lambda machine, now: machine.on_said(now),
    "1": lambda machine, now: machine.on_key("1", now),
    "9": lambda machine, now: machine.on_key("9", now),
    "cancel": lambda machine, now: machine.cancel(now),
    "wait": lambda machine, now: [],
}


@given(st.lists(st.tuples(st.sampled_from(sorted(HAPPENINGS)), st.floats(0.0, 40.0)), max_size=30), st.booleans())
def test_every_course_ends_once_in_one_state(course: list[tuple[str, float]], greeted: bool) -> None:
    """Whatever happens in whatever order: one FINISH, within 90 s, and no retry once answered (fault F32)."""
    machine = begun(GREETED if greeted else ORDER)
    acts: list[Act] = []
    now, was_answered = 0.0, False
    for what, after in [*course, ("wait", 200.0)]:
        until = now + after
        while (due := machine.next_deadline()) <= until:
            acts += machine.tick(max(now, due))
            now = max(now, due)
        now = until
        acts += HAPPENINGS[what](machine, now)
        was_answered = was_answered or Act.TELL_ANSWERED in acts
    assert acts.count(Act.FINISH) == 1
    assert acts[-1] is Act.FINISH
    end = result(machine)
    assert (end.status is CallStatus.ANSWERED) is was_answered
    assert not was_answered or (end.retry is Retry.NONE and 1 <= end.duration_seconds <= 90)
    assert end.plays <= 4
