"""A draft becomes an admission: ids are drawn, the messages get their rows, and the store has the last word."""

import hashlib
from typing import Final

from bocau.accept.checks import Draft
from bocau.core.ids import Ids, smsid_of
from bocau.core.lifecycle import State
from bocau.core.message import Admission, CallOrder, Message
from bocau.wire.esms.send import SendRequest

__all__ = ["admission"]

_REJECTED: Final = State.REJECTED.value
_SCHEDULED: Final = State.SCHEDULED.value
_QUEUED: Final = State.QUEUED.value


def admission(
    request: SendRequest, draft: Draft, ids: Ids, token: bytes, now_ms: int, ttl_ms: dict[str, int], owner: int
) -> Admission:
    """The rows of one request. `owner` is the node that takes its messages in hand at once, 0 for nobody.

    `token` is 8 random bytes; `ttl_ms` is the time-to-live by route class, counted from the release.
    """
    rejected, release_ms = draft.rejected, draft.release_ms
    if rejected is not None:
        state, owner = _REJECTED, 0
    elif release_ms:
        state, owner = _SCHEDULED, 0
    else:
        state, release_ms = _QUEUED, now_ms
    head = ids.next(now_ms)
    smsid = smsid_of(head, token, ids.node)
    total = len(draft.receivers) + draft.dropped
    messages = []
    hold = 0
    for index, receiver in enumerate(draft.receivers):
        expires_ms = (release_ms or now_ms) + ttl_ms[receiver.route_class]
        hold += receiver.price
        messages.append(
            Message(
                head if index == 0 else ids.next(now_ms),
                head,
                draft.account.id,
                smsid,
                total,
                draft.dropped,
                request.request_id,
                request.campaign_id,
                draft.sms_type,
                receiver.route_class,
                draft.brandname,
                receiver.phone,
                receiver.telco,
                draft.content,
                draft.parts,
                receiver.price,
                "" if rejected else draft.callback_url,
                state,
                rejected.reason if rejected else "",
                owner,
                0,
                "",
                0,
                now_ms,
                release_ms or now_ms,
                release_ms or now_ms,
                expires_ms,
                _wake(state, release_ms, expires_ms),
                now_ms if rejected else None,
            )
        )
    limits = draft.account.limits
    return Admission(
        tuple(messages),
        0 if rejected else hold,
        rejected is None,
        draft.api_key,
        limits.account_day,
        limits.key_day,
        _digests(draft) if draft.equal_text_ms else (),
        draft.equal_text_ms,
        order=CallOrder(draft.recording, request.voice, request.speed) if request.called else None,
    )


def _digests(draft: Draft) -> tuple[bytes, ...]:
    """What tells equal texts to equal numbers, for each receiver; the text cannot be read from it."""
    text = draft.content.encode()
    return tuple(
        hashlib.blake2b(text, digest_size=16, key=receiver.phone.encode()).digest() for receiver in draft.receivers
    )


def _wake(state: str, release_ms: int, expires_ms: int) -> int | None:
    """When the schedule must look: at its release if that lies ahead, else when it would be too old."""
    if state == _REJECTED:
        return None
    return release_ms if state == _SCHEDULED else expires_ms
