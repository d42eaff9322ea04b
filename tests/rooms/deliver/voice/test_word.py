"""What a call that nobody answered is as an answer to a submission."""

import pytest

from bocau.core.message import AnswerKind
from bocau.deliver.sip.order import NO_MEDIA, CallResult, CallStatus, Retry, Side
from bocau.deliver.voice.carrier import Past, word_of

FRESH = Past(again=False, expires_in_ms=200_000, elsewhere=False)


def result(retry: Retry, status: CallStatus = CallStatus.NO_ANSWER, retry_after: int = 0) -> CallResult:
    return CallResult(status, retry, 480, 0, "", "north", 1, 0, Side.NOBODY, "", 0, retry_after, NO_MEDIA)


@pytest.mark.parametrize(
    ("retry", "past", "kind", "wait_ms"),
    [
        (Retry.LATER, FRESH, AnswerKind.TEMPORARY, 30_000),
        (Retry.LATER, FRESH._replace(again=True), AnswerKind.PERMANENT, 0),
        (Retry.LATER, FRESH._replace(expires_in_ms=29_000), AnswerKind.PERMANENT, 0),
        (Retry.LATER, FRESH._replace(elsewhere=True), AnswerKind.PERMANENT, 0),
        (Retry.NONE, FRESH, AnswerKind.PERMANENT, 0),
        (Retry.NEXT_TRUNK, FRESH, AnswerKind.TEMPORARY, 0),
        (Retry.NEXT_TRUNK_BACK_OFF, FRESH._replace(again=True), AnswerKind.TEMPORARY, 0),
        (Retry.NEXT_TRUNK_BACK_OFF, FRESH._replace(elsewhere=True), AnswerKind.PERMANENT, 0),
    ],
)
def test_each_end_of_a_call_has_its_word(retry: Retry, past: Past, kind: AnswerKind, wait_ms: int) -> None:
    """Once more after 30 s while the code lives; at once another way where there is one."""
    word = word_of(result(retry), past)
    assert (word.kind, word.wait_ms, word.status) == (kind, wait_ms, 480)


def test_a_trunk_that_asks_for_time_is_given_it() -> None:
    """Retry-After of a 503."""
    assert word_of(result(Retry.NEXT_TRUNK_BACK_OFF, CallStatus.FAILED, 7), FRESH).wait_ms == 7_000
