"""What refusals come to."""

import pytest

from bocau.deliver.sip.order import CallStatus, Retry
from bocau.deliver.sip.outcome import BY_CAUSE, BY_STATUS, judge, ring_timeout, silence

S, R = CallStatus, Retry


@pytest.mark.parametrize(
    ("statuses", "status", "retry"),
    [
        ((486, 600), S.BUSY, R.LATER),
        ((480, 487), S.NO_ANSWER, R.LATER),
        ((603, 403, 404, 410, 484, 604, 607), S.FAILED, R.NONE),
        ((401, 407, 488, 300, 301, 302, 305, 380), S.FAILED, R.NEXT_TRUNK),
        ((500, 502, 503, 504, 505, 580), S.FAILED, R.NEXT_TRUNK_BACK_OFF),
        ((400, 402, 405, 413, 416, 429, 482, 483, 493, 499, 601, 699), S.FAILED, R.NONE),
    ],
)
def test_statuses(statuses: tuple[int, ...], status: CallStatus, retry: Retry) -> None:
    """The table, and the rest by its class."""
    for one in statuses:
        for cause in (0, 16, 31, 127):
            verdict = judge(one, cause, rang=False)
            assert (verdict.status, verdict.retry) == (status, retry), one


def test_every_final_status_has_a_verdict() -> None:
    """No status is unheard of, and only trunk matters raise the alarm."""
    for status in range(300, 700):
        for rang in (False, True):
            verdict = judge(status, 0, rang)
            assert verdict.status is not S.ANSWERED
            assert verdict.alarm is (verdict.retry is R.NEXT_TRUNK)
            assert verdict.trunk_failed is (verdict.retry is R.NEXT_TRUNK_BACK_OFF)


@pytest.mark.parametrize(
    ("causes", "status", "retry"),
    [
        ((17,), S.BUSY, R.LATER),
        ((18, 19, 20), S.NO_ANSWER, R.LATER),
        ((1, 21, 22, 28), S.FAILED, R.NONE),
        ((34, 38, 41, 42), S.FAILED, R.NEXT_TRUNK_BACK_OFF),
    ],
)
def test_causes_know_better(causes: tuple[int, ...], status: CallStatus, retry: Retry) -> None:
    """A gateway's 503 with cause 17 is a busy phone; but a challenge stays one."""
    for cause in causes:
        for sip_status in (404, 480, 503, 603):
            verdict = judge(sip_status, cause, rang=False)
            assert (verdict.status, verdict.retry) == (status, retry)
        assert judge(401, cause, rang=False).retry is R.NEXT_TRUNK
    assert set(BY_CAUSE) == {1, 17, 18, 19, 20, 21, 22, 28, 34, 38, 41, 42}


def test_what_never_rang_is_not_told_as_no_answer() -> None:
    """408 and our own patience: it depends on whether an 18x came."""
    assert judge(408, 0, rang=True).status is ring_timeout(rang=True).status is S.NO_ANSWER
    assert judge(408, 0, rang=False) == ring_timeout(rang=False) == silence()
    assert silence().status is S.FAILED
    assert 408 not in BY_STATUS
