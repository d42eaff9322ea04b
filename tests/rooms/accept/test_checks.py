"""The checks of the door: every code, the order of codes, and what becomes of a request that passes."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple, replace
from tests.rooms.accept.faults import (
    LIMIT,
    ORDER,
    STORE_FAULTS,
    cases,
    label,
    members_of,
    read_order,
    stock_with,
    table,
)
from tests.rooms.accept.shop import KEY, NOW, PHONES, POLICY, REQUEST, SECRET, TEXT, VND, Stock, directory

from bocau.accept.checks import AFTER_REQUEST_ID, Draft, check
from bocau.accept.counters import Counters
from bocau.accept.entry import Visit
from bocau.core.directory import Scope
from bocau.core.message import RouteClass
from bocau.core.refusal import Refusal
from bocau.core.telcos import TELCOS
from bocau.wire.esms.send import SendRequest

DAY = 86_400_000
FIELDS = {
    "ApiKey": "api_key",
    "SecretKey": "secret_key",
    "Content": "content",
    "Phone": "phone",
    "Brandname": "brandname",
    "SmsType": "sms_type",
    "RequestId": "request_id",
    "SendDate": "send_date",
}


class Caller(NamedTuple):
    """Where a request comes from."""

    peer: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


TYPE_8 = replace(REQUEST, sms_type="8", content="686868", brandname="")


def refused(request: SendRequest, stock: Stock | None = None, **policy: object) -> Refusal:
    """The refusal of a request that is not stored."""
    found = check(request, directory(stock or Stock()), POLICY._replace(**policy), NOW)  # type: ignore[arg-type]
    assert isinstance(found, Refusal)
    return found


def draft(request: SendRequest, stock: Stock | None = None, **policy: object) -> Draft:
    """The draft of a request that is stored."""
    found = check(request, directory(stock or Stock()), POLICY._replace(**policy), NOW)  # type: ignore[arg-type]
    assert isinstance(found, Draft), found
    return found


def passed(request: SendRequest, stock: Stock | None = None, **policy: object) -> Draft:
    """The draft of a request that passes every check."""
    found = draft(request, stock, **policy)
    assert found.rejected is None
    return found


def outcome(request: SendRequest, stock: Stock | None = None, **policy: object) -> str:
    """The code a request gets from the checks."""
    found = check(request, directory(stock or Stock()), POLICY._replace(**policy), NOW)  # type: ignore[arg-type]
    refusal = found.rejected if isinstance(found, Draft) else found
    return refusal.code if refusal else "100"


def test_a_plain_request_passes() -> None:
    """The sample of the API, with nothing optional in it."""
    found = passed(REQUEST)
    assert found.account.id == 1
    otp = (PHONES[2], 2, 850 * VND, "otp")
    assert astuple(found)[1:] == (2, "BOCAU", TEXT, 1, (otp,), 0, 0, "", (), None, KEY, 0, 0, False)


# The codes


@pytest.mark.parametrize(
    ("api_key", "secret_key"),
    [
        ("", ""),
        (KEY, ""),
        ("", SECRET),
        ("unknown", SECRET),
        (KEY, "wrong"),
        (KEY, SECRET.lower()),
        (KEY.lower(), SECRET),
        (f" {KEY}", SECRET),
        (KEY, f"{SECRET} "),
        (KEY, "mật khẩu"),
        (SECRET, KEY),
    ],
)
def test_wrong_keys_are_101_and_nobody_is_told_which(api_key: str, secret_key: str) -> None:
    """Missing, empty, unknown and wrong are one refusal."""
    found = refused(replace(REQUEST, api_key=api_key, secret_key=secret_key))
    assert found == Refusal("101", "Authorize Failed", "ApiKey or SecretKey is wrong", 1)


def test_a_disabled_key_is_101_like_a_wrong_one() -> None:
    """S4: it must not be told from a key that never was."""
    assert refused(REQUEST, Stock(key_state="disabled")) == refused(replace(REQUEST, secret_key="wrong"))


def test_a_locked_account_is_143_to_right_keys_only() -> None:
    """Wrong keys of a locked account stay 101."""
    locked = Stock(state="locked")
    assert refused(REQUEST, locked)[:2] == ("143", "Account is not active or locked")
    assert refused(replace(REQUEST, secret_key="x"), locked).code == "101"


@pytest.mark.parametrize("sms_type", ["1", "3", "9", "23", "24", "02", "2.5", "-2", "２", "two", "0901234567"])
def test_other_types_are_118(sms_type: str) -> None:
    """Only 2 and 8 are served."""
    assert refused(replace(REQUEST, sms_type=sms_type))[:2] == ("118", "SmsType is not supported")


def test_a_missing_type_is_300() -> None:
    """It is not guessed."""
    assert refused(replace(REQUEST, sms_type=""))[:2] == ("300", "SmsType is required")


@pytest.mark.parametrize(
    "phone",
    ["", " ", ",;,", "12345", "090123456", "09012345678", "0101234567", "0O01234567", "०९०१२३४५६७", "+1 415 555 0100"],
)
def test_a_bad_phone_is_108_with_the_number_in_its_text(phone: str) -> None:
    """The text repeats what was sent; the reason, which goes into logs and a header, does not."""
    found = refused(replace(REQUEST, phone=phone))
    assert found[:2] == ("108", f"The phone number {phone.strip(' ,;')} is not valid.")
    assert phone.strip(" ,;") not in found.reason or not phone.strip(" ,;")


def test_a_strict_prefix_policy_refuses_ranges_that_nobody_has() -> None:
    """The setting strict_prefix is off by default, since numbering changes faster than tables."""
    assert outcome(replace(REQUEST, phone="0951234567"), strict_prefix=True) == "177", "assigned, to no network"
    assert outcome(replace(TYPE_8, phone="0751234567")) == "100"
    assert outcome(replace(TYPE_8, phone="0751234567"), strict_prefix=True) == "108"


@pytest.mark.parametrize("phone", ["0901234567,0901234568", "0901234567;12345", "0901234567\n0981234567"])
def test_more_than_one_number_of_type_8_is_163(phone: str) -> None:
    """A call goes to one phone."""
    assert refused(replace(TYPE_8, phone=phone))[:2] == ("163", "Only one phone number per request")


def test_one_number_in_two_spellings_is_one_number() -> None:
    """Type 8 counts numbers, not spellings."""
    found = passed(replace(TYPE_8, phone="0901234567, +84 90 123 4567"))
    assert [receiver.phone for receiver in found.receivers] == ["0901234567"]
    assert found.dropped == 0


def test_a_list_over_the_limit_is_120() -> None:
    """The limit itself passes; spellings of one number count once, bad numbers count too."""
    numbers = [f"09{index:08d}" for index in range(LIMIT)]
    assert outcome(replace(REQUEST, phone=",".join(numbers)), max_receivers=LIMIT) == "100"
    assert outcome(replace(REQUEST, phone=",".join([*numbers, "+84900000000"])), max_receivers=LIMIT) == "100"
    assert refused(replace(REQUEST, phone=",".join([*numbers, "0911234567"])), max_receivers=LIMIT)[:2] == (
        "120",
        "Phone list exceeds the limit",
    )
    assert outcome(replace(REQUEST, phone=",".join([*numbers, "12345"])), max_receivers=LIMIT) == "120"


@pytest.mark.parametrize("content", ["", " ", "\r\n\t ", "\u00a0"])
def test_missing_content_is_110(content: str) -> None:
    """Blanks are no text."""
    assert refused(replace(REQUEST, content=content))[:2] == ("110", "Content is invalid")


def test_content_of_too_many_parts_is_110() -> None:
    """Four parts by default, 612 characters of the GSM alphabet and 268 of any other."""
    stock = Stock(templates=((1, "BOCAU", 2, "{P2,2000}", "other"),))
    assert passed(replace(REQUEST, content="x" * 612), stock).parts == 4
    found = refused(replace(REQUEST, content="x" * 613), stock)
    assert found == Refusal("110", "Content is invalid", "Content takes 5 parts in gsm, at most 4", 5)
    assert outcome(replace(REQUEST, content="x" * 613), stock, max_parts_gsm=5) == "100"
    assert passed(replace(REQUEST, content="ế" * 268, unicode=True), stock).parts == 4
    assert refused(replace(REQUEST, content="ế" * 269, unicode=True), stock).reason == (
        "Content takes 5 parts in ucs2, at most 4"
    )


@pytest.mark.parametrize("content", ["Xin chao", "123", "123456789", "ABCDEF", "12 34", "abc123", "１２３４"])
def test_type_8_without_a_code_is_110(content: str) -> None:
    """Nothing could be spoken."""
    assert refused(replace(TYPE_8, content=content))[:2] == ("110", "Content is invalid")


@pytest.mark.parametrize("content", ["686868", "1234", "12345678", "A1B2C3", "4821 la ma dang nhap", "Ma: 4821."])
def test_type_8_with_a_code_passes_bare_or_in_a_sentence(content: str) -> None:
    """4 to 8 digits, or capitals and digits with a digit among them."""
    assert passed(replace(TYPE_8, content=content)).content == content


@pytest.mark.parametrize("date", ["tomorrow", "2027-02-30 10:00:00", "2027-01-15", "15/01/2027 10:00", "1799999999"])
def test_a_send_date_that_is_none_is_110(date: str) -> None:
    """It is never taken for now."""
    assert refused(replace(REQUEST, send_date=date))[:2] == ("110", "SendDate is invalid")


def test_a_send_date_over_a_year_ahead_is_110() -> None:
    """366 days, so that a year with a leap day passes."""
    assert passed(replace(REQUEST, send_date="2028-01-16 15:00:00")).release_ms == NOW + 366 * DAY
    assert refused(replace(REQUEST, send_date="2028-01-16 15:00:01"))[:2] == ("110", "SendDate is invalid")


@pytest.mark.parametrize(
    ("brandname", "stock", "reason"),
    [
        ("", Stock(), "Brandname is missing"),
        (" ", Stock(), "Brandname is missing"),
        ("Nobody", Stock(), "no brandname is registered for type 2 in this spelling"),
        ("bocau", Stock(brandnames=((2, "BOCAU", "disabled"),)), "brandname BOCAU is not active for type 2"),
        (
            "BOCAU",
            Stock(brandnames=((1, "BOCAU", "active"),), templates=()),
            "no brandname is registered for type 2 in this spelling",
        ),
    ],
    ids=["missing", "blank", "unknown", "disabled", "of another type"],
)
def test_a_brandname_that_may_not_send_is_104(brandname: str, stock: Stock, reason: str) -> None:
    """An absent one is 104 too, not a fault of format (row J)."""
    found = refused(replace(REQUEST, brandname=brandname), stock)
    assert found == Refusal("104", "Brand name code is not exist", reason, 6)


def test_a_request_id_over_120_characters_is_159() -> None:
    """Characters, not bytes."""
    assert outcome(replace(REQUEST, request_id="ế" * 120)) == "100"
    assert refused(replace(REQUEST, request_id="r" * 121))[:2] == ("159", "RequestId is too long")


@pytest.mark.parametrize(
    ("telco", "name"),
    [
        (1, "Viettel"),
        (2, "Mobifone"),
        (3, "VinaPhone"),
        (4, "Vietnammoile"),
        (5, "Gtel"),
        (6, "Itel"),
        (7, "Reddi"),
    ],
)
def test_a_network_without_a_template_is_177_by_its_name(telco: int, name: str) -> None:
    """The network's name is spelled as clients know it, errors included."""
    stock = Stock(templates=tuple(row for row in Stock().templates if row[2] != telco))
    found = refused(replace(REQUEST, phone=PHONES[telco]), stock)
    reason = f"brandname BOCAU has no template on {TELCOS[telco].receiver_name}"
    assert found == Refusal("177", f"The Network {name} have not registry.", reason, 10)


def test_a_prefix_that_no_network_has_is_177_and_not_a_crash() -> None:
    """095 is a valid pattern that is assigned to nobody."""
    found = refused(replace(REQUEST, phone="0951234567"))
    assert found[:2] == ("177", "The Network Unknown have not registry.")
    assert passed(replace(TYPE_8, phone="0951234567")).receivers[0].telco == 0


NEAREST = {
    "4821 la ma dang nhpa BOCAU cua ban": (2, 19, '"nhap"', '"nhpa"'),
    "4821 la ma dang nhap bocau cua ban": (2, 22, '"BOCAU"', '"bocau"'),
    "4821 la ma dang NHAP BOCAU cua ban": (2, 17, '"nhap"', '"NHAP"'),
    "4821 la ma dang nhap BOCAU cua ban nhe": (2, 35, "its end", "4 characters"),
    "4821 la ma dang nhap BOCAU cua": (2, 31, '"cua ban"', '"cua"'),
    "4821 la ma dang 938271 BOCAU cua ban": (2, 17, '"nhap"', "6 characters"),
    "4821 la ma dang XKCDPW BOCAU cua ban": (2, 17, '"nhap"', "6 characters"),
    "BOCAU cam on": (12, 13, '"on "', '"on"'),
    "123456789 la ma dang nhap BOCAU cua ban": (2, 9, '"{P1,8}"', "9 characters"),
}
"""A text of no template: the nearest template, the first character that differs, what is expected and what is told."""


@pytest.mark.parametrize("content", NEAREST)
def test_a_text_of_no_template_is_146_with_the_nearest_template_and_the_place(content: str) -> None:
    """What is logged quotes the template alone; what the caller is told quotes his own words, but never a value."""
    found = draft(replace(REQUEST, content=content)).rejected
    assert found is not None
    assert found[:2] == ("146", "Sai template Brandname CSKH")
    assert found.step > AFTER_REQUEST_ID
    number, position, expected, got = NEAREST[content]
    assert found.reason == f"template {number} (Mobifone) differs at character {position}: expected {expected}"
    assert found.told == f"{found.reason}, got {got}"


@given(st.text(st.sampled_from("4821ABCxyz la ma\n"), max_size=60))
def test_no_digit_of_a_text_is_ever_told(content: str) -> None:
    """A code may be all digits, or capitals with digits; neither is repeated, in whatever place it stands."""
    found = check(replace(REQUEST, content=f"x{content}"), directory(), POLICY, NOW)
    if isinstance(found, Draft) and found.rejected is not None:
        got = found.rejected.told.removeprefix(f"{found.rejected.reason}, got ")
        assert not got.startswith('"') or not any(sign.isdigit() for sign in got)


def test_a_146_keeps_a_draft_of_one_receiver_without_a_price() -> None:
    """It is stored as rejected, so that its SMSID can be queried."""
    found = draft(replace(REQUEST, content="no template", phone=f"{PHONES[1]},{PHONES[2]},12345"))
    assert found.rejected is not None
    assert found.receivers == ((PHONES[1], 1, 0, "other"),)
    assert found.dropped == 2


def test_no_price_for_the_network_is_102() -> None:
    """Neither a price of the network nor one for all networks."""
    stock = Stock(prices=((2, 1, 850), (8, 0, 600)))
    assert refused(REQUEST, stock)[:2] == ("102", "No price list available")
    assert outcome(replace(REQUEST, phone=PHONES[1]), stock) == "100"


# The order


def code_of(names: frozenset[str]) -> str:
    """What a request with these faults gets from the checks alone."""
    members = members_of(names)
    assert members is not None
    return label(*refusal_of(names)[:2])


def refusal_of(names: frozenset[str]) -> Refusal:
    """What the checks say to one or two faults, of a caller whose turn is taken where the rate is one of them."""
    request = replace(REQUEST, **{FIELDS[name]: value for name, value in (members_of(names) or {}).items()})
    accounts, counters = directory(stock_with(names)), Counters(1000)
    key = accounts.sign_in(KEY, SECRET, NOW)
    assert key is not None
    counters.turn(key, NOW, False)
    visit = Visit(Scope.SEND, counters, asker=Caller("127.0.0.1"))
    found = check(request, accounts, POLICY._replace(max_receivers=LIMIT), NOW, visit)
    refusal = found.rejected if isinstance(found, Draft) else found
    assert refusal is not None
    return refusal


def test_the_order_of_codes_is_the_one_in_the_golden_file() -> None:
    """For every two faults the code that wins; those that only the store can tell are tried at the door."""
    golden = read_order()
    assert set(golden) == set(cases())
    found = {names: code_of(names) for names in cases() if not names & STORE_FAULTS}
    assert found == {names: code for names, code in golden.items() if not names & STORE_FAULTS}
    assert table(lambda names: golden[names]) == ORDER.read_text("utf-8"), "the file is as it would be written"


def test_refusals_after_the_request_id_give_way_to_124_and_those_before_do_not() -> None:
    """The door looks a RequestId up only for refusals of a later step."""
    for names, code in read_order().items():
        if names & STORE_FAULTS or len(names) > 1:
            continue
        late = code in ("99", "201", "177", "146", "102")
        assert (refusal_of(names).step > AFTER_REQUEST_ID) == late


# Texts, rows C and D


VIETNAMESE = "4821 là mã đăng nhập BOCAU của bạn"
ANY_TEXT = Stock(templates=((1, "BOCAU", 2, "{P2,2000}", "other"),))


@pytest.mark.parametrize(
    ("own", "default", "unicode", "sent"),
    [
        ("", "strip", False, TEXT),
        ("", "auto", False, VIETNAMESE),
        ("", "reject", False, None),
        ("strip", "reject", False, TEXT),
        ("auto", "strip", False, VIETNAMESE),
        ("reject", "strip", False, None),
        ("", "strip", True, VIETNAMESE),
        ("reject", "reject", True, VIETNAMESE),
    ],
)
def test_diacritics_without_the_flag_follow_the_policy(own: str, default: str, unicode: bool, sent: str | None) -> None:
    """Row C: strip, auto or reject; the account's own policy goes before the setting's."""
    request = replace(REQUEST, content=VIETNAMESE, unicode=unicode)
    stock = ANY_TEXT._replace(unicode_policy=own)
    if sent is None:
        found = refused(request, stock, unicode_policy=default)
        assert found == Refusal("110", "Content is invalid", "IsUnicode is 0 and Content has diacritics", 5)
    else:
        assert passed(request, stock, unicode_policy=default).content == sent


def test_a_stripped_text_is_matched_and_charged_as_it_goes_out() -> None:
    """Row C with 7.1: the template is compared after the marks are gone."""
    found = passed(replace(REQUEST, content=VIETNAMESE))
    assert (found.content, found.parts, found.receivers[0].price) == (TEXT, 1, 850 * VND)


def test_signs_without_a_letter_become_question_marks() -> None:
    """A middle dot or a dong sign would make the whole text UCS-2."""
    assert passed(replace(REQUEST, content="4821 · 5₫ £"), ANY_TEXT).content == "4821 ? 5? ?"


def test_the_flag_with_plain_text_is_charged_by_the_alphabet_it_needs() -> None:
    """Row D: some libraries always set IsUnicode."""
    assert passed(replace(REQUEST, content="x" * 160, unicode=True), ANY_TEXT).parts == 1
    assert passed(replace(REQUEST, content="x" * 159 + "à", unicode=True), ANY_TEXT).parts == 1, "à is in the alphabet"
    assert passed(replace(REQUEST, content="x" * 159 + "ế", unicode=True), ANY_TEXT).parts == 3


def test_the_price_is_that_of_all_parts() -> None:
    """Price per part times parts."""
    found = passed(replace(REQUEST, content="x" * 161), ANY_TEXT)
    assert (found.parts, found.receivers[0].price) == (2, 2 * 850 * VND)


def test_text_is_composed_and_loses_line_ends_of_other_systems() -> None:
    """NFC, CRLF to LF, blanks at the end off."""
    found = passed(replace(REQUEST, content="a\r\nbe\u0301 \r\n", unicode=True), ANY_TEXT)
    assert found.content == "a\nbé"


# Brandnames, row K


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ("BOCAU", "BOCAU"),
        ("bocau", "BOCAU"),
        (" Bocau ", "BOCAU"),
        ("Shop", "Shop"),
        ("SHOP", "SHOP"),
        ("shop", None),
        ("sHOP", None),
        ("BO CAU", None),
        ("BOCAU\u200b", None),
        ("ВОСАU", None),
        ("ＢＯＣＡＵ", None),
        ("Ki\u017f", None),
        ("Ca phe\u0301", "Ca phé"),
    ],
)
def test_a_brandname_is_taken_exactly_then_in_any_case_if_that_is_unique(sent: str, taken: str | None) -> None:
    """Look-alikes and zero-width signs are other names (promises, section 3); composed and decomposed are one."""
    names = ("BOCAU", "Shop", "SHOP", "KIS", "Ca phé")
    stock = Stock(
        brandnames=tuple((2, name, "active") for name in names),
        templates=tuple((number, name, 2, "{P2,200}", "other") for number, name in enumerate(names, 1)),
    )
    request = replace(REQUEST, brandname=sent)
    if taken is None:
        assert refused(request, stock).code == "104"
    else:
        assert passed(request, stock).brandname == taken


def test_type_8_ignores_the_brandname() -> None:
    """Row J: clients send an empty one, an unknown one or none."""
    for brandname in ("", "Nobody", "BOCAU"):
        found = passed(replace(TYPE_8, brandname=brandname))
        assert (found.sms_type, found.brandname, found.receivers[0].price) == (8, "", 600 * VND)


# Receivers, rows U and V


def test_several_numbers_are_parted_and_each_is_taken_once() -> None:
    """Comma, semicolon and line end; equal after normalisation is equal; the first place counts."""
    found = passed(replace(REQUEST, phone="0901234567, 84981234567;+84 901.234.567\r\n0911234567,,0901234567"))
    assert [receiver.phone for receiver in found.receivers] == ["0901234567", "0981234567", "0911234567"]
    assert [receiver.telco for receiver in found.receivers] == [2, 1, 3]
    assert found.dropped == 0, "a number named twice is one receiver"


def test_invalid_and_unregistered_numbers_are_dropped_while_one_remains() -> None:
    """They are counted, and reported as failed."""
    stock = Stock(templates=tuple(row for row in Stock().templates if row[2] != 3), prices=((2, 1, 1), (2, 2, 2)))
    found = passed(replace(REQUEST, phone=f"12345,{PHONES[3]},{PHONES[4]},{PHONES[2]},{PHONES[1]},abc"), stock)
    assert found.receivers == ((PHONES[2], 2, 2 * VND, "otp"), (PHONES[1], 1, VND, "otp"))
    assert found.dropped == 4


@pytest.mark.parametrize(
    ("phones", "code"),
    [
        ((PHONES[3], PHONES[4]), "177"),
        ((PHONES[4], PHONES[3]), "102"),
        (("12345", PHONES[4]), "102"),
        (("12345", "12346"), "108"),
    ],
)
def test_if_none_remains_the_first_error_is_the_answer(phones: tuple[str, ...], code: str) -> None:
    """A malformed number gives way to a well-formed one's own refusal."""
    stock = Stock(templates=tuple(row for row in Stock().templates if row[2] != 3), prices=((2, 1, 1), (2, 2, 2)))
    assert refused(replace(REQUEST, phone=",".join(phones)), stock).code == code


@pytest.mark.parametrize(
    "phone",
    [
        "0901234567",
        "84901234567",
        "+84901234567",
        "0084901234567",
        "901234567",
        " 090 123 45 67 ",
        "090.123.4567",
        "090-123-4567",
        "(090) 123 4567",
        "+84 (90) 123-45-67",
        "01201234567",
    ],
)
def test_numbers_as_clients_write_them_become_ten_digits(phone: str) -> None:
    """Row V; the last one is from before 2018 and moved from 0120 to 070."""
    wanted = "0701234567" if phone.startswith("0120") else "0901234567"
    assert passed(replace(REQUEST, phone=phone)).receivers[0].phone == wanted


# Dates, callbacks, prices, classes


@pytest.mark.parametrize(
    ("date", "ahead_ms"),
    [
        ("", 0),
        ("2020-01-01 00:00:00", 0),
        ("2027-01-15 15:00:00", 0),
        ("2027-01-15 15:01:00", 0),
        ("2027-01-15 15:01:00.001", 60_001),
        ("2027-01-15 15:01:01", 61_000),
        ("2027/01/15 16:00", 3_600_000),
        ("2027-01-15T09:00:00Z", 3_600_000),
    ],
)
def test_a_date_in_the_past_or_within_a_minute_is_now(date: str, ahead_ms: int) -> None:
    """Without an offset it is Vietnam time (row T)."""
    assert passed(replace(REQUEST, send_date=date)).release_ms == (NOW + ahead_ms if ahead_ms else 0)


@pytest.mark.parametrize("url", ["https://shop.example/hook?shop=9", "http%3A%2F%2Fshop.example%2Fhook", ""])
def test_a_callback_url_is_kept_as_it_came(url: str) -> None:
    """It is decoded when it is called."""
    found = passed(replace(REQUEST, callback_url=url))
    assert (found.callback_url, found.warnings) == (url, ())


@pytest.mark.parametrize("url", ["shop.example/hook", "ftp://shop.example", "http://user:pw@h/", "javascript:1", "x"])
def test_a_callback_url_that_cannot_be_called_is_ignored_with_a_warning(url: str) -> None:
    """The message goes out all the same (5.2 step 8); the warning does not quote it."""
    found = passed(replace(REQUEST, callback_url=url))
    assert (found.callback_url, found.warnings) == ("", ("CallbackUrl is not an http or https URL and is ignored",))


def test_the_price_is_the_network_s_else_the_default_of_the_list() -> None:
    """Network 0 stands for all others; zero is a price."""
    stock = Stock(prices=((2, 0, 850), (2, 3, 520), (2, 4, 0)))
    found = passed(replace(REQUEST, phone=",".join(PHONES[telco] for telco in (1, 3, 4))), stock)
    assert [receiver.price for receiver in found.receivers] == [850 * VND, 520 * VND, 0]


def test_an_account_without_prices_has_the_list_for_all() -> None:
    """One price of its own makes the list its own."""
    shared = ((2, 0, 700), (8, 0, 500))
    accounts = directory(Stock(prices=()), Stock(prices=((2, 0, 850),)), shared_prices=shared)
    first = check(REQUEST, accounts, POLICY, NOW)
    second = check(replace(REQUEST, api_key=f"{KEY}-2"), accounts, POLICY, NOW)
    third = check(replace(TYPE_8, api_key=f"{KEY}-2"), accounts, POLICY, NOW)
    assert isinstance(first, Draft)
    assert isinstance(second, Draft)
    assert isinstance(third, Refusal)
    assert (first.receivers[0].price, second.receivers[0].price, third.code) == (700 * VND, 850 * VND, "102")


def test_the_class_is_that_of_the_template_and_type_8_is_always_a_code() -> None:
    """It decides time-to-live and route."""
    assert passed(REQUEST).receivers[0].route_class == RouteClass.OTP
    assert passed(replace(REQUEST, content="BOCAU cam on ban da mua hang")).receivers[0].route_class == RouteClass.OTHER
    assert passed(TYPE_8).receivers[0].route_class == RouteClass.OTP


def test_another_account_s_brandname_and_templates_are_not_there() -> None:
    """Tenant walls: names and templates never cross."""
    mine = Stock(brandnames=((2, "MINE", "active"), (2, "BOTH", "active")), templates=((1, "MINE", 2, TEXT, "otp"),))
    yours = Stock(brandnames=((2, "BOTH", "active"),), templates=((2, "BOTH", 2, TEXT, "otp"),))
    both = directory(mine, yours)
    codes = {}
    for key, brandname in ((KEY, "MINE"), (KEY, "BOTH"), (f"{KEY}-2", "MINE"), (f"{KEY}-2", "BOTH")):
        found = check(replace(REQUEST, api_key=key, brandname=brandname), both, POLICY, NOW)
        codes[key, brandname] = found.code if isinstance(found, Refusal) else "100"
    assert list(codes.values()) == ["100", "177", "104", "100"]


# What a reason may say


@pytest.mark.parametrize("secret", ["4821 la ma bi mat", "938271", "0907654321", "84907654321", "S-9a2c-secret"])
@pytest.mark.parametrize("field", sorted({*FIELDS.values(), "callback_url", "campaign_id"} - {"api_key", "secret_key"}))
def test_no_reason_quotes_a_text_a_number_or_a_key_even_in_the_wrong_field(field: str, secret: str) -> None:
    """Reasons go into the log and into X-Bocau-Reason; careless clients swap fields."""
    for request in (REQUEST, replace(TYPE_8), replace(REQUEST, content=VIETNAMESE)):
        found = check(replace(request, **{field: secret}), directory(), POLICY, NOW)
        refusal = found.rejected if isinstance(found, Draft) else found
        told = ([refusal.reason, refusal.told] if refusal else []) + list(
            found.warnings if isinstance(found, Draft) else ()
        )
        for reason in told:
            assert secret not in reason
            assert secret[:6] not in reason


TEXTS = st.one_of(st.text(max_size=40), st.sampled_from(["", "2", "8", KEY, SECRET, "BOCAU", TEXT, *PHONES.values()]))


@given(st.builds(SendRequest, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, st.booleans(), request_id=TEXTS))
def test_any_request_is_decided(request: SendRequest) -> None:
    """Whatever the fields hold, the answer is a draft or a refusal with a code of the table."""
    for given_keys in (request, replace(request, api_key=KEY, secret_key=SECRET)):
        found = check(given_keys, directory(), POLICY, NOW)
        refusal = found.rejected if isinstance(found, Draft) else found
        assert refusal is None or (refusal.code.isdigit() and refusal.text and 1 <= refusal.step <= 13)


@given(st.sampled_from(("2", "8")), TEXTS, TEXTS, TEXTS, TEXTS, st.sampled_from(("strip", "auto", "reject")))
def test_any_text_date_and_number_is_decided(
    sms_type: str, content: str, phone: str, date: str, url: str, policy: str
) -> None:
    """The deeper checks, with everything before them in order."""
    request = replace(REQUEST, sms_type=sms_type, content=content, phone=phone, send_date=date, callback_url=url)
    found = check(request, directory(ANY_TEXT), POLICY._replace(unicode_policy=policy), NOW)
    if isinstance(found, Draft):
        assert found.receivers
        assert found.parts >= 1
        assert found.release_ms == 0 or found.release_ms > NOW
    else:
        assert found.code in {"108", "110", "120", "163", "177"}
