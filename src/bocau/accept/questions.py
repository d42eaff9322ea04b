"""What customers ask: keys are checked in one place, the rest is a table of questions (esms-api 3.5 to 3.10, 4.2).

Another account's message, brandname or code is answered exactly like one that does not exist (promises S3).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from bocau.accept.checks import Policy, quote
from bocau.accept.entry import Visit, enter
from bocau.core import phone
from bocau.core.directory import Account, Directory, Key
from bocau.core.ids import first_id_at, short_id
from bocau.core.message import CodeTry, SentRange, SentRow
from bocau.core.outcome import charged
from bocau.core.refusal import Refusal
from bocau.core.telcos import TELCOS
from bocau.core.template import canonical
from bocau.ports import World
from bocau.store.contract import AcceptStore
from bocau.wire.esms import answers, codes, reports
from bocau.wire.esms.calls import decode_call_of
from bocau.wire.esms.dates import parse_send_date
from bocau.wire.esms.operations import Kind, Operation
from bocau.wire.esms.queries import (
    CodeQuery,
    Keys,
    KeysOnly,
    PriceQuery,
    SentQuery,
    StatusQuery,
    TemplateQuery,
    decode_code,
    decode_keys,
    decode_price,
    decode_price_advertising,
    decode_sent,
    decode_sent_paged,
    decode_status,
    decode_templates,
)
from bocau.wire.esms.status import DUPLICATES_HEADER, Derived, SendReport, derive

__all__ = ["Noted", "Questions", "Stopped", "Told"]

_LARGEST_PAGE: Final = 500
_MOST_PAGES: Final = 1_000_000
_WITH_TEMPLATES: Final = "2"
_WITHOUT_TEMPLATES: Final = "8"
_SECOND_MS: Final = 1_000
_NO_SUCH_ID: Final = "the account has no request of this id that is young enough"


class _Asked(Protocol):
    @property
    def keys(self) -> Keys: ...


Q = TypeVar("Q", bound=_Asked)


class Stopped(NamedTuple):
    """A question that is turned away, at the entry or later."""

    refusal: Refusal
    body: bytes
    """The refusal in the shape of the operation."""


class Noted(NamedTuple):
    """An answer with something that the API has no member for."""

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]


Told = bytes | Noted | Stopped


class _Question(NamedTuple, Generic[Q]):
    """One kind of question."""

    decode: Callable[[bytes, bytes, tuple[str, ...]], Q]
    answer: Callable[[Key, Q], Awaitable[Told]]
    refuse: Callable[[str, Q], bytes]
    """The body for a code of the keys or the account."""


class Questions:
    """Answers them from the directory and the store. Knows no HTTP: bytes in, a body out."""

    def __init__(self, world: World, store: AcceptStore, policy: Policy) -> None:
        self.directory = Directory(0, {}, {}, b"")
        """As the door's, which keeps it current."""
        self._world = world
        self._store = store
        self._policy = policy
        self._report = asyncio.Lock()
        """Reports are made one at a time: each reads far, and together they would slow down every send."""
        self._table: dict[Kind, _Question[Any]] = {
            Kind.STATUS: _Question(decode_status, self._status, _status_refused),
            Kind.RECEIVERS: _Question(decode_status, self._receivers, _plainly),
            Kind.RECEIVERS_DATED: _Question(decode_status, self._receivers_dated, _plainly),
            Kind.BALANCE: _Question(decode_keys, self._balance, lambda code, _: reports.balance_refused(code)),
            Kind.BRANDNAMES: _Question(decode_keys, self._brandnames, _brandnames_refused),
            Kind.BRANDNAMES_NUMBERED: _Question(decode_keys, self._brandnames_numbered, _brandnames_refused),
            Kind.TEMPLATES: _Question(decode_templates, self._templates, _plainly),
            Kind.SENT: _Question(decode_sent, self._sent, _report_refused),
            Kind.SENT_PAGED: _Question(decode_sent_paged, self._sent, _report_refused),
            Kind.PRICE: _Question(decode_price, self._price, _report_refused),
            Kind.PRICE_ADVERTISING: _Question(decode_price_advertising, self._price, _counted),
            Kind.CHECK_CODE: _Question(decode_code, self._check_code, _counted),
            Kind.CALL_OLD: _Question(_decode_call, self._call_old, _plainly),
        }

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of operations that are questions."""
        return frozenset(self._table)

    def ask(self, operation: Operation, body: bytes, query: bytes, visit: Visit) -> Stopped | Awaitable[Told]:
        """The answer, once the store has told; at once, why the question is not let in. Raises Malformed."""
        question = self._table[operation.kind]
        asked = question.decode(body, query, operation.arguments)
        keys = asked.keys
        key = enter(self.directory, keys.api_key, keys.secret_key, visit, self._world.now_ms())
        if isinstance(key, Refusal):
            return Stopped(key, question.refuse(key.code, asked))
        return question.answer(key, asked)

    # One request

    def _since_ms(self) -> int:
        """The oldest moment of a request that may still be asked about."""
        return self._world.now_ms() - self._policy.query_window_ms

    async def _status(self, key: Key, asked: StatusQuery) -> Told:
        summary = await self._store.summary(key.account.id, asked.smsid, self._since_ms())
        if summary is None:
            return _stopped(codes.ID_UNKNOWN, _NO_SUCH_ID, _status_refused(codes.ID_UNKNOWN, asked))
        derived = derive(summary.state)
        if asked.voice:
            return await self._call_status(key, asked, derived)
        body = reports.send_status(
            SendReport(
                asked.smsid,
                derived.send_status,
                summary.succeeded,
                summary.failed,
                summary.price,
                summary.receivers,
                summary.sent,
            )
        )
        if summary.repeated:
            return Noted(body, ((DUPLICATES_HEADER.encode(), b"%d" % summary.repeated),))
        return body

    async def _call_status(self, key: Key, asked: StatusQuery, derived: Derived) -> bytes:
        """What the last call of a message came to. One whose code went by text has none: its state is all there is."""
        calls = await self._store.calls(key.account.id, asked.smsid)
        if not calls:
            status = "ANSWERED" if derived.success else "NO ANSWER" if derived.failed and derived.sent else ""
            word = reports.status_word(status, plain=self._policy.plain_call_status)
            return reports.call_status(reports.CallReport(asked.smsid, derived, word, 0, ""))
        last = calls[-1]
        word = reports.status_word(last.status, plain=self._policy.plain_call_status)
        return reports.call_status(reports.CallReport(asked.smsid, derived, word, last.duration_seconds, last.keys))

    async def _receivers(self, key: Key, asked: StatusQuery) -> bytes | Stopped:
        return await self._list_receivers(key, asked, dated=False)

    async def _receivers_dated(self, key: Key, asked: StatusQuery) -> bytes | Stopped:
        return await self._list_receivers(key, asked, dated=True)

    async def _list_receivers(self, key: Key, asked: StatusQuery, *, dated: bool) -> bytes | Stopped:
        rows = await self._store.receivers(key.account.id, asked.smsid, self._since_ms())
        if rows is None:
            return _stopped(codes.ID_UNKNOWN, _NO_SUCH_ID)
        return reports.receivers(
            [
                reports.ReceiverReport(
                    row.phone,
                    TELCOS[row.telco].receiver_name if row.telco in TELCOS else "",
                    derive(row.state),
                    max(0, row.tries - 1),
                    row.release_ms,
                )
                for row in rows
            ],
            dated=dated,
        )

    # The account

    async def _balance(self, key: Key, _: KeysOnly) -> bytes:
        balance, _limit = await self._store.balance(key.account.id)
        return reports.balance(balance, key.account.id)

    async def _brandnames(self, key: Key, _: KeysOnly) -> bytes:
        return reports.brandnames(_active_names(key.account), numbered=False)

    async def _brandnames_numbered(self, key: Key, _: KeysOnly) -> bytes:
        return reports.brandnames(_active_names(key.account), numbered=True)

    async def _templates(self, key: Key, asked: TemplateQuery) -> bytes | Stopped:
        if asked.sms_type not in (_WITH_TEMPLATES, _WITHOUT_TEMPLATES):
            return _stopped(codes.SMS_TYPE_UNSUPPORTED, "templates are asked for by SmsType 2 or 8")
        found = key.account.brandname(int(_WITH_TEMPLATES), asked.brandname)
        if found is None or not found.active:
            return _stopped(codes.BRANDNAME_UNKNOWN, "the account has no active brandname of this spelling")
        rows = (
            reports.TemplateReport(row.id, telco, canonical(row.template.text))
            for telco, registered in found.templates.items()
            for row in registered
            if asked.sms_type == _WITH_TEMPLATES
        )
        return reports.templates(sorted(rows))

    # Reports and prices

    async def _sent(self, key: Key, asked: SentQuery) -> bytes | Stopped:
        wanted = _sent_range(key.account, asked)
        if isinstance(wanted, Stopped):
            return wanted
        async with self._report:
            page = await self._store.sent(wanted)
        return reports.sent(page.total, map(_sent_report, page.rows))

    async def _price(self, key: Key, asked: PriceQuery) -> bytes | Stopped:
        found = quote(asked.request, key, self.directory.numbering, self._policy)
        if isinstance(found, Refusal):
            return Stopped(found, reports.refused_plainly(found.code, found.text))
        return reports.price(found.total, found.receivers)

    # Codes and calls

    async def _check_code(self, key: Key, asked: CodeQuery) -> bytes | Stopped:
        number = phone.normalise(asked.phone)
        if number is None or not asked.code:
            what = "Phone is not a Vietnamese mobile number" if number is None else "Code is missing"
            return _stopped(codes.CODE_INVALID, what, reports.code_wrong(number or asked.phone, asked.code))
        code_hash = self.directory.hash_code(key.account.id, number, asked.code)
        right = await self._store.try_code(CodeTry(key.account.id, number, code_hash, self._world.now_ms()))
        if right:
            return reports.code_right(number)
        reason = "no such code waits for this number: wrong, used or expired"
        return _stopped(codes.CODE_INVALID, reason, reports.code_wrong(number, asked.code))

    async def _call_old(self, key: Key, _: KeysOnly) -> Stopped:
        """No account has an ApiCode of that old register."""
        del key
        body = reports.refused_plainly(codes.BRANDNAME_UNKNOWN, codes.call_template_unknown())
        return _stopped(codes.BRANDNAME_UNKNOWN, "calls by ApiCode cannot be registered; use MakeCallTemplate_V2", body)


def _stopped(code: str, reason: str, body: bytes | None = None) -> Stopped:
    """Turned away after the keys; without a body of its own, in the two members that most questions have."""
    return Stopped(Refusal(code, codes.text(code), reason), reports.refused_plainly(code) if body is None else body)


def _plainly(code: str, _: object) -> bytes:
    return reports.refused_plainly(code)


def _counted(code: str, _: object) -> bytes:
    return answers.refused(code, codes.text(code))


def _report_refused(code: str, _: object) -> bytes:
    return reports.report_refused(code)


def _brandnames_refused(code: str, _: object) -> bytes:
    return reports.brandnames_refused(code)


def _status_refused(code: str, asked: StatusQuery) -> bytes:
    if asked.voice:
        return reports.call_status_refused(code, asked.smsid)
    return reports.send_status_refused(code, asked.smsid)


def _decode_call(body: bytes, query: bytes, _: tuple[str, ...]) -> KeysOnly:
    return KeysOnly(decode_call_of(body, query))


def _active_names(account: Account) -> list[tuple[str, int]]:
    """(name, SmsType), by name; a name with two types is there twice."""
    return sorted((found.name, kind) for (kind, _), found in account.brandnames.items() if found.active)


def _sent_range(account: Account, asked: SentQuery) -> SentRange | Stopped:
    """What is to be read, or the refusal of a value that cannot be used. Both ends of the time count.

    Without SmsType it is every type: the API lists the parameter and does not say that it must be there.
    """
    sms_type, page, size = _natural(asked.sms_type or "0"), _natural(asked.page), _natural(asked.page_size)
    if sms_type is None:
        return _stopped(codes.SMS_TYPE_UNSUPPORTED, "SmsType is no number")
    since_ms, until_ms = _moment(asked.since), _moment(asked.until)
    for field, value in (("From", since_ms), ("To", until_ms), ("Page", page), ("PageSize", size or None)):
        if value is None:
            body = reports.refused_plainly(codes.INVALID_FIELD, codes.field_invalid(field))
            return _stopped(codes.INVALID_FIELD, f"{field} is missing or cannot be read", body)
    assert since_ms is not None and until_ms is not None and page is not None and size is not None  # noqa: S101, PT018
    limit = min(size, _LARGEST_PAGE)
    skip = (min(max(page, 1), _MOST_PAGES) - 1) * limit
    end_ms = until_ms - until_ms % _SECOND_MS + _SECOND_MS
    return SentRange(account.id, sms_type, first_id_at(since_ms), first_id_at(end_ms), skip, limit)


def _natural(text: str) -> int | None:
    """A number of at most seven digits."""
    return int(text) if len(text) <= 7 and text.isascii() and text.isdigit() else None


def _moment(text: str) -> int | None:
    """A date of a report, by the same rules as SendDate; None if it is none."""
    try:
        return parse_send_date(text)
    except ValueError:
        return None


def _sent_report(row: SentRow) -> reports.SentReport:
    return reports.SentReport(
        row.campaign_id,
        row.content,
        row.phone,
        row.smsid,
        charged(row.state, row.price),
        derive(row.state),
        row.release_ms,
        short_id(row.id),
        row.sms_type,
    )
