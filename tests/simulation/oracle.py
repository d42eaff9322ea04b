"""What must be true after any story, told from logs that the gateway did not write (promises 7.6)."""

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.simulation.town import TTL_SECONDS, Heard, Sent, Town
from tests.simulation.world import BEGIN_MS
from tests.store.engines import Inside, SqliteEngine
from tests.store.sweep import violations

from bocau.core.lifecycle import FINAL, AttemptState
from bocau.core.message import Message
from bocau.simulator.receipts import write_id
from bocau.simulator.rules import IdStyle

__all__ = ["judge", "read_store", "repeated_submits", "writings"]

_SLACK_SECONDS = 1.5
_A = AttemptState
_BAD_NEWS = frozenset({_A.UNDELIVERED, _A.EXPIRED, _A.DELIVERED})
_BECOMES = {
    "DELIVRD": frozenset({_A.DELIVERED}),
    "UNDELIV": _BAD_NEWS,
    "EXPIRED": _BAD_NEWS,
    "REJECTD": _BAD_NEWS,
    "DELETED": _BAD_NEWS,
    "UNKNOWN": _BAD_NEWS | {_A.UNKNOWN},
}
"""What an attempt may be once a receipt of this state was acknowledged."""


class _Store(SqliteEngine):
    """The gateway's file."""

    @property
    def path(self) -> str:
        """Its only one."""
        return str(self._folder / "bocau.db")


def read_store(town: Town) -> Inside:
    """What the gateway's store holds, at the end."""
    return _Store(town.folder, threaded=False).inspect()


def judge(town: Town, *, clock_was_set: bool) -> None:
    """Raise AssertionError with every broken promise."""
    inside = read_store(town)
    journal = [json.loads(line) for line in town.journal_file.read_bytes().splitlines()]
    found = [
        *town.trouble,
        *violations(inside),
        *_accepted(town, inside),
        *repeated_submits(journal, inside),
        *_uncertain(inside),
        *_receipts(journal, inside),
        *_told(town, inside),
        *_in_time(town, journal, clock_was_set=clock_was_set),
        *_said(town),
    ]
    assert not found, "\n".join(found)


def _accepted(town: Town, inside: Inside) -> Iterator[str]:
    """P1, P3, P4: what was accepted is there once and has ended."""
    by_smsid: dict[str, list[Message]] = defaultdict(list)
    for message in inside.messages.values():
        by_smsid[message.smsid].append(message)
        if message.state not in FINAL:
            yield f"message {message.id} is {message.state} at the end"
    requests = Counter(messages[0].request_id for messages in by_smsid.values())
    for request_id, count in requests.items():
        if count > 1:
            yield f"{request_id} was accepted {count} times"
    for sent in town.sent:
        if sent.smsid and {message.phone for message in by_smsid[sent.smsid]} != set(sent.phones):
            yield f"{sent.request_id} was accepted as {sent.smsid}, of which there is {by_smsid[sent.smsid]}"


def repeated_submits(journal: list[dict[str, Any]], inside: Inside) -> Iterator[str]:
    """P5, P6: a part goes again only after a carrier's answer that it was not taken."""
    known = {f"84{message.phone[1:]}" for message in inside.messages.values()}
    before: dict[tuple[str, str, int], dict[str, Any]] = {}
    for line in journal:
        if line["event"] != "submit":
            continue
        if line["phone"] not in known:
            yield f"a submit that nobody wanted: {line}"
        key = (line["phone"], line["sha256"], line["part"])
        earlier = before.get(key)
        if earlier is not None and not (earlier["act"] == "answer" and earlier["status"]):
            yield f"submitted again at {line['at_ms']} without a refusal: {earlier}"
        before[key] = line


def _uncertain(inside: Inside) -> Iterator[str]:
    """P6: after an attempt that was not refused there is none."""
    attempts = {(row.message_id, row.part, row.number): row for row in inside.attempts}
    for row in attempts.values():
        later = [number for message, part, number in attempts if (message, part) == row[:2] and number > row.number]
        if later and row.state is not AttemptState.REFUSED:
            yield f"tried again as {later} after {row}"


def _receipts(journal: list[dict[str, Any]], inside: Inside) -> Iterator[str]:
    """P7: what was acknowledged is stored, with the attempt it belongs to."""
    numbers = writings(journal)
    attempts = {numbers[row.carrier_id]: row for row in inside.attempts if row.carrier_id}
    orphans = {numbers[carrier_id] for carrier_id, _ in inside.orphans}
    told: dict[str, set[str]] = defaultdict(set)
    for line in journal:
        if line["event"] == "receipt" and line["state"] in _BECOMES:
            told[line["message_id"]].add(line["state"])
        if line["event"] != "acknowledge" or line["status"] or line["message_id"] not in told:
            continue
        carrier_id = line["message_id"]
        row, states = attempts.get(carrier_id), told[carrier_id]
        if row is None and carrier_id not in orphans:
            yield f"a receipt was acknowledged and is nowhere: {line}"
        elif row is not None and not any(row.state in _BECOMES[state] for state in states):
            yield f"{states} was acknowledged and its attempt is {row}"


def writings(journal: list[dict[str, Any]]) -> dict[str, str]:
    """Every way in which the carrier may have written an id, and the number it is."""
    numbers = {line["message_id"] for line in journal if line["event"] == "submit" and line["message_id"]}
    styles = [style for style in IdStyle if style is not IdStyle.NONE]
    return {write_id(number, style): number for number in numbers for style in styles}


def _told(town: Town, inside: Inside) -> Iterator[str]:
    """P8, P19, P20: one event for each request, in at most five tries; repeats only around crashes."""
    heard: dict[str, list[Heard]] = defaultdict(list)
    for one in town.heard:
        heard[one.smsid].append(one)
    wanted = {sent.smsid for sent in town.sent if sent.smsid and sent.callback}
    stored = {message.smsid for message in inside.messages.values() if message.callback_url}
    for smsid in set(heard) - stored:
        yield f"nobody asked for a callback of {smsid}"
    for smsid in sorted(wanted):
        calls = heard.get(smsid, [])
        yield from _calls(smsid, calls, town)


def _calls(smsid: str, calls: list[Heard], town: Town) -> Iterator[str]:
    if not calls:
        yield f"{smsid} was never told"
        return
    # A kept connection that breaks without an answer is replaced, and the same try asks again.
    breaks = (*town.crashes, *town.shop_cuts)
    repeats = sum(calls[0].seconds <= at <= calls[-1].seconds + _SLACK_SECONDS for at in breaks)
    if len(calls) > 5 + repeats:
        yield f"{smsid} was told {len(calls)} times with {repeats} broken connections"
    for earlier, later in itertools.pairwise(calls):
        crashed = any(earlier.seconds - _SLACK_SECONDS <= at <= later.seconds for at in town.crashes)
        cut = any(earlier.seconds - 4 <= at <= earlier.seconds + 4 for at in town.shop_cuts)
        if earlier.status == 200 and not (crashed or cut):
            yield f"{smsid} was told again after a 200: {earlier}, {later}"


def _in_time(town: Town, journal: list[dict[str, Any]], *, clock_was_set: bool) -> Iterator[str]:
    """P9, P10: nothing goes before its date, nothing after its time."""
    sent = {f"84{phone[1:]}": one for one in town.sent if one.smsid for phone in one.phones}
    for line in journal:
        one = sent.get(line.get("phone", ""))
        if line["event"] != "submit" or one is None:
            continue
        yield from _timing(one, line, clock_was_set=clock_was_set)


def _timing(one: Sent, line: dict[str, Any], *, clock_was_set: bool) -> Iterator[str]:
    accepted_ms = BEGIN_MS + (one.accepted_seconds - 1000.0) * 1000
    # A date less than a minute ahead means now (esms-api 2.5).
    far = one.send_date_ms - accepted_ms > 60_000 + _SLACK_SECONDS * 1000
    if far and line["at_ms"] < one.send_date_ms:
        yield f"{one.request_id} went {one.send_date_ms - line['at_ms']} ms before its date"
    late_ms = line["at_ms"] - max(accepted_ms, one.send_date_ms) - TTL_SECONDS["other"] * 1000
    if late_ms > _SLACK_SECONDS * 1000 and not clock_was_set:
        yield f"{one.request_id} went {late_ms} ms after its time"


def _said(town: Town) -> Iterator[str]:
    """The gateway found no fault with itself."""
    for line in town.log.getvalue().splitlines():
        if '"gateway.fault"' in line or '"store.fail"' in line:
            yield line
