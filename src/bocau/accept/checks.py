"""The checks of the door, in the order of codes that clients rely on (esms-api 5.2). Values in, a value out.

Pure but for one thing: if the visit has counters, a request takes its turn of its key's rate (`entry.enter`). What
only the transaction can decide (an equal RequestId at the same moment, the balance) is left to the store; what the
order puts before it is decided here.
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from bocau.accept.entry import Visit, enter
from bocau.accept.mismatch import mismatch
from bocau.accept.origin import NO_PROXIES, Proxies
from bocau.accept.tolls import is_called
from bocau.core import phone
from bocau.core.directory import Account, Brandname, Directory, Key, RegisteredTemplate, Scope
from bocau.core.message import RouteClass
from bocau.core.numbering import Numbering
from bocau.core.refusal import Refusal
from bocau.core.telcos import TELCOS
from bocau.core.template import normalise
from bocau.core.text import find_code, nfc, transliterate
from bocau.wire.esms import codes
from bocau.wire.esms.callback import is_callback_target
from bocau.wire.esms.dates import parse_send_date
from bocau.wire.esms.send import SendRequest
from bocau.wire.gsm.parts import measure

__all__ = ["AFTER_REQUEST_ID", "Draft", "Policy", "Quote", "Receiver", "check", "quote"]

AFTER_REQUEST_ID: Final = 7
"""A refusal of a later step gives way to 124 if the RequestId is taken."""

_ADVERTISING: Final = 1
_CUSTOMER_CARE: Final = 2
_FIXED_NUMBER: Final = 8
_TYPES: Final = {"2": _CUSTOMER_CARE, "8": _FIXED_NUMBER}
_PRICED_TYPES: Final = {"1": _ADVERTISING, **_TYPES}
_OPT_OUT: Final = "." * 38
"""Room for the opt-out line that networks put behind an advertisement: 122, 268, 421 characters are left (8.4)."""
_LONGEST_REQUEST_ID: Final = 120
_OTP: Final = RouteClass.OTP.value
_NOW_WITHIN_MS: Final = 60_000
_A_YEAR_MS: Final = 366 * 86_400_000


class Policy(NamedTuple):
    """Settings of the door."""

    unicode_policy: str
    """What IsUnicode 0 with diacritics becomes: strip, auto or reject (esms-api 7, row C)."""
    strict_prefix: bool
    max_receivers: int
    max_parts_gsm: int
    max_parts_ucs2: int
    otp_ttl_ms: int
    other_ttl_ms: int
    auto_approve: bool = False
    """Templates that customers ask for are registered at once."""
    equal_text_ms: int = 0
    """For how long an equal text to the same number is answered 124; 0: not at all."""
    proxies: Proxies = NO_PROXIES
    tracked_numbers: int = 200_000
    """Numbers whose messages are counted; of more, the oldest are forgotten."""
    query_window_ms: int = 7 * 86_400_000
    """How long after its acceptance a request can be asked about."""
    plain_call_status: bool = False
    """CallStatus tells all four outcomes of a call, not only those of the public documents."""
    type8_channel: str = "voice"
    """How SmsType 8 reaches the phone where an account has no own way: voice, sms or voice_then_sms."""
    origins: tuple[str, ...] = ()
    """Sites whose pages may call, `*` for all."""
    json_repair: bool = False
    """Bodies like the samples of the API's documents are read, though they are no JSON."""
    can_call: bool = True
    """A route leads to the trunks."""
    call_prefixes: tuple[str, ...] = ("0",)
    """Beginnings of the numbers that may be called."""


class Receiver(NamedTuple):
    """One receiver of a request that passed."""

    phone: str
    telco: int
    price: int
    """Of all parts together."""
    route_class: str


class Draft(Struct, frozen=True, gc=False):
    """A request that passed every check of its own; the store has the last word."""

    account: Account
    sms_type: int
    brandname: str
    content: str
    parts: int
    receivers: tuple[Receiver, ...]
    dropped: int
    release_ms: int
    """0: at once."""
    callback_url: str
    warnings: tuple[str, ...]
    rejected: Refusal | None
    """146: stored all the same, as rejected, so that its SMSID can be queried."""
    api_key: str = ""
    """The key it came with."""
    equal_text_ms: int = 0
    """As in the policy."""
    recording: int = 0
    """What its call plays; 0: nothing."""
    called: bool = False
    """It goes by a call, if only at first."""


class Quote(NamedTuple):
    """What a request would cost."""

    total: int
    receivers: int


class _Content(Struct, frozen=True, gc=False):
    text: str
    parts: int


class _Terms(Struct, frozen=True, gc=False):
    price: int
    route_class: str


def check(
    request: SendRequest, directory: Directory, policy: Policy, now_ms: int, visit: Visit | None = None
) -> Draft | Refusal:
    """Decide a request. Returns the draft of an admission, or the first refusal in the order of esms-api 5.2.

    Without a visit nothing is counted and no address is asked for.
    """
    visit = visit or Visit(Scope.SEND)
    key = enter(directory, request.api_key, request.secret_key, visit, now_ms)
    if isinstance(key, Refusal):
        return key
    if visit.compose is not None:
        composed = visit.compose(key)
        if isinstance(composed, Refusal):
            return composed
        request = composed
    account = key.account
    sms_type = _type(request.sms_type, account, policy)
    if isinstance(sms_type, Refusal):
        return sms_type
    numbering = directory.numbering
    phones = _phones(request.phone, sms_type, policy, numbering.assigned if policy.strict_prefix else None)
    if isinstance(phones, Refusal):
        return phones
    content = _content(request, sms_type, account, policy)
    if isinstance(content, Refusal):
        return content
    release_ms = _release(request.send_date, now_ms)
    if isinstance(release_ms, Refusal):
        return release_ms
    brandname = _brandname(request.brandname, sms_type, key)
    if isinstance(brandname, Refusal):
        return brandname
    if len(request.request_id) > _LONGEST_REQUEST_ID:
        return _refuse(codes.REQUEST_ID_TOO_LONG, 7, f"RequestId has {len(request.request_id)} characters, at most 120")
    url, warnings = _callback(request.callback_url)
    valid, dropped = phones
    called = _called(sms_type, account, policy)
    guarded = account.guarded or called is not None
    allowed = _allowed(valid, key, content.text, called, visit, now_ms) if guarded else valid
    if isinstance(allowed, Refusal):
        return allowed
    networks = [(number, numbering.telco_of(number)) for number in allowed]
    receivers, refused = _receivers(networks, sms_type, brandname, content, account)
    if not receivers and refused is not None and refused.code != codes.TEMPLATE_MISMATCH:
        return refused
    return Draft(
        account,
        sms_type,
        brandname.name if brandname is not None else "",
        content.text,
        content.parts,
        receivers or tuple(Receiver(number, telco, 0, RouteClass.OTHER) for number, telco in networks[:1]),
        dropped + len(valid) - max(1, len(receivers)),
        release_ms,
        url,
        warnings,
        None if receivers else refused,
        key.api_key,
        policy.equal_text_ms,
        request.recording,
        called is not None,
    )


def quote(request: SendRequest, key: Key, numbering: Numbering, policy: Policy) -> Quote | Refusal:
    """What `check` would hold for a request of an active account, whether or not its templates fit the text.

    Types 2 and 8 as they are sent, and type 1, which is priced and not sent (esms-api 3.10).
    """
    account = key.account
    sms_type = _PRICED_TYPES.get(request.sms_type)
    if sms_type is None:
        return _bad_type(request.sms_type)
    phones = _phones(request.phone, sms_type, policy, numbering.assigned if policy.strict_prefix else None)
    if isinstance(phones, Refusal):
        return phones
    content = _content(request, sms_type, account, policy)
    if isinstance(content, Refusal):
        return content
    brandname = _brandname(request.brandname, sms_type, key)
    if isinstance(brandname, Refusal):
        return brandname
    parts = measure(content.text + _OPT_OUT).parts if sms_type == _ADVERTISING else content.parts
    total = 0
    for number in phones[0]:
        price = _price(numbering.telco_of(number), sms_type, parts, account)
        if isinstance(price, Refusal):
            return price
        total += price
    return Quote(total, len(phones[0]))


def _refuse(code: str, step: int, reason: str, text: str | None = None) -> Refusal:
    return Refusal(code, codes.text(code) if text is None else text, reason, step)


def _type(given: str, account: Account, policy: Policy) -> int | Refusal:
    """Step 3. Type 8 of an account that is called alone is none where nobody can be called: it would wait for ever."""
    sms_type = _TYPES.get(given)
    if sms_type is None:
        return _bad_type(given)
    if sms_type == _FIXED_NUMBER and not policy.can_call and (account.type8_channel or policy.type8_channel) == "voice":
        reason = "type 8 is told by a call, and no route leads to a trunk: see type8_channel in the settings"
        return _refuse(codes.SMS_TYPE_UNSUPPORTED, 3, reason)
    return sms_type


def _bad_type(sms_type: str) -> Refusal:
    """Step 3. What is too long for a type may be a value of another field, and is not quoted."""
    if not sms_type:
        return _refuse(codes.SMS_TYPE_MISSING, 3, "SmsType is missing")
    shown = f"SmsType {sms_type!r}" if len(sms_type) <= 3 else "this SmsType"
    return _refuse(codes.SMS_TYPE_UNSUPPORTED, 3, f"{shown} is not supported; 2 and 8 are")


def _phones(
    text: str, sms_type: int, policy: Policy, assigned: Collection[str] | None
) -> tuple[tuple[str, ...], int] | Refusal:
    """Step 4: the valid numbers, each once, and how many were dropped. Numbers are counted once they are normalised."""
    given = phone.split_phones(text)
    if not given:
        return _refuse(codes.INVALID_PHONE, 4, "Phone is missing", codes.phone_invalid(""))
    if len(given) == 1:
        number = phone.normalise(given[0], assigned=assigned)
        return ((number,), 0) if number else _bad_phone(given[0])
    numbers = [phone.normalise(one, assigned=assigned) for one in given]
    valid = tuple(dict.fromkeys(number for number in numbers if number))
    if not valid:
        return _bad_phone(given[0])
    dropped = numbers.count(None)
    count = len(valid) + dropped
    if count > 1 and sms_type == _FIXED_NUMBER:
        return _refuse(codes.ONE_PHONE_ONLY, 4, f"type 8 takes one phone number, got {count}")
    if count > policy.max_receivers:
        return _refuse(codes.TOO_MANY_PHONES, 4, f"{count} phone numbers, at most {policy.max_receivers}")
    return valid, dropped


def _bad_phone(given: str) -> Refusal:
    shown = given.strip()[:32]
    return _refuse(codes.INVALID_PHONE, 4, "Phone is not a Vietnamese mobile number", codes.phone_invalid(shown))


def _content(request: SendRequest, sms_type: int, account: Account, policy: Policy) -> _Content | Refusal:
    """Step 5, first half: the text as it goes out, and its parts."""
    text = nfc(request.content).replace("\r\n", "\n").rstrip()
    name = request.text_name
    if not text.strip():
        return _bad_field(name, f"{name} is missing")
    if sms_type == _FIXED_NUMBER and not request.recording and find_code(text) is None:
        return _bad_field(name, f"{name} of a type 8 message holds no code of 4 to 8 characters")
    if not request.unicode and not text.isascii():
        how = account.unicode_policy or policy.unicode_policy
        if how == "reject":
            return _bad_field(name, f"IsUnicode is 0 and {name} has diacritics")
        if how == "strip":
            text = transliterate(text)
    size = measure(text)
    most = policy.max_parts_gsm if size.alphabet == "gsm" else policy.max_parts_ucs2
    if size.parts > most:
        return _bad_field(name, f"{name} takes {size.parts} parts in {size.alphabet}, at most {most}")
    return _Content(text, size.parts)


def _bad_field(field: str, reason: str) -> Refusal:
    return _refuse(codes.INVALID_FIELD, 5, reason, codes.field_invalid(field))


def _release(send_date: str, now_ms: int) -> int | Refusal:
    """Step 5, second half: 0 for now; a date in the past or within 60 s is now, one over a year ahead is refused."""
    if not send_date:
        return 0
    try:
        at_ms = parse_send_date(send_date)
    except ValueError:
        return _bad_field("SendDate", "SendDate is not a date like 2026-12-31 08:30:00")
    if at_ms is None or at_ms <= now_ms + _NOW_WITHIN_MS:
        return 0
    if at_ms > now_ms + _A_YEAR_MS:
        return _bad_field("SendDate", "SendDate is more than a year ahead")
    return at_ms


def _brandname(name: str, sms_type: int, key: Key) -> Brandname | Refusal | None:
    """Step 6: type 8 ignores it (esms-api 7, row J). To a key of one brandname the others do not exist."""
    if sms_type == _FIXED_NUMBER and not key.brandname:
        return None
    name = nfc(name.strip())
    found = key.account.brandname(sms_type, name)
    if key.brandname and (found is None or found.name != key.brandname):
        return _refuse(codes.BRANDNAME_UNKNOWN, 6, f"this key sends from brandname {key.brandname} only")
    if found is None:
        # Not quoted: a text, a number or a key may stand in the wrong field.
        reason = f"no brandname is registered for type {sms_type} in this spelling" if name else "Brandname is missing"
        return _refuse(codes.BRANDNAME_UNKNOWN, 6, reason)
    if not found.active:
        return _refuse(codes.BRANDNAME_UNKNOWN, 6, f"brandname {found.name} is not active for type {sms_type}")
    return found


def _callback(url: str) -> tuple[str, tuple[str, ...]]:
    """Step 8: a CallbackUrl that cannot be called is ignored with a warning."""
    if not url or is_callback_target(url):
        return url, ()
    return "", ("CallbackUrl is not an http or https URL and is ignored",)


def _called(sms_type: int, account: Account, policy: Policy) -> tuple[str, ...] | None:
    """How the numbers begin that may be called, for a request that goes by a call; None for every other."""
    if sms_type == _FIXED_NUMBER and is_called(account, policy.type8_channel):
        return policy.call_prefixes
    return None


def _allowed(
    phones: tuple[str, ...], key: Key, text: str, called: tuple[str, ...] | None, visit: Visit, now_ms: int
) -> tuple[str, ...] | Refusal:
    """Step 9: the numbers that are not blocked and not sent to too often, if the text has no blocked word; for a call,
    one that may be called, and not too often."""
    account, allowed = key.account, phones
    if called is not None:
        toll = _toll(phones[0], key, called, visit, now_ms)
        if toll is not None:
            return toll
    if account.blocked_numbers:
        allowed = tuple(number for number in phones if not any(number in listed for listed in account.blocked_numbers))
        if not allowed:
            return _refuse(codes.BLOCKED_NUMBER, 9, "Phone is on the block list")
    if account.counted and visit.counters is not None:
        crowded = visit.counters.crowded(account, allowed, now_ms)
        if crowded:
            reason = crowded.get(allowed[0], "")
            allowed = tuple(number for number in allowed if number not in crowded)
            if not allowed:
                return _refuse(codes.BLOCKED_NUMBER, 9, reason)
    if account.blocked_words and any(words.find(text) is not None for words in account.blocked_words):
        return _refuse(codes.BLOCKED_KEYWORD, 9, "Content has a word of the block list")
    return allowed


def _toll(number: str, key: Key, prefixes: tuple[str, ...], visit: Visit, now_ms: int) -> Refusal | None:
    """A call has one number."""
    if not number.startswith(prefixes):
        return _refuse(codes.BLOCKED_NUMBER, 9, "numbers that begin so are not called")
    return None if visit.tolls is None else visit.tolls.refusal(key, number, now_ms)


def _receivers(
    networks: Sequence[tuple[str, int]],
    sms_type: int,
    brandname: Brandname | None,
    content: _Content,
    account: Account,
) -> tuple[tuple[Receiver, ...], Refusal | None]:
    """Steps 10 to 12 for each number: those that pass, and the first one's refusal.

    They are the same for all numbers of a network, so a long list costs no more matching than seven numbers.
    """
    passed: list[Receiver] = []
    refused: Refusal | None = None
    known: dict[int, _Terms | Refusal] = {}
    for number, telco in networks:
        terms = known.get(telco)
        if terms is None:
            terms = known[telco] = _terms(telco, sms_type, brandname, content, account)
        if isinstance(terms, _Terms):
            # As Receiver(...), at half its cost.
            passed.append(tuple.__new__(Receiver, (number, telco, terms.price, terms.route_class)))
        else:
            refused = refused or terms
    return tuple(passed), refused


def _terms(
    telco: int, sms_type: int, brandname: Brandname | None, content: _Content, account: Account
) -> _Terms | Refusal:
    """What a message to a number of one network costs, and its class."""
    route_class = _OTP
    if brandname is not None:
        registered = brandname.templates.get(telco)
        if not registered:
            network = TELCOS.get(telco)
            where = f"on {network.receiver_name}" if network else "for a number whose prefix no network has"
            reason = f"brandname {brandname.name} has no template {where}"
            text = codes.network_not_registered(network.refusal_name if network else "")
            return _refuse(codes.NOT_REGISTERED_ON_NETWORK, 10, reason, text)
        match = _match(registered, telco, content.text)
        if isinstance(match, Refusal):
            return match
        route_class = match.route_class
    price = _price(telco, sms_type, content.parts, account)
    return price if isinstance(price, Refusal) else _Terms(price, route_class)


def _price(telco: int, sms_type: int, parts: int, account: Account) -> int | Refusal:
    """Step 12: what a message in so many parts costs on a network."""
    price = account.price(sms_type, telco)
    if price is None:
        where = TELCOS[telco].receiver_name if telco else "numbers whose prefix no network has"
        return _refuse(codes.NO_PRICE, 12, f"no price for type {sms_type} and {where}")
    return price * parts


def _match(registered: tuple[RegisteredTemplate, ...], telco: int, text: str) -> RegisteredTemplate | Refusal:
    """Step 11."""
    plain = normalise(text)
    for row in registered:
        if row.template.match_normalised(plain):
            return row
    return mismatch(registered, telco, plain)
