"""Callback targets and callback URLs."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bocau.wire.esms.callback import (
    MAX_TARGET,
    CallbackValues,
    CallValues,
    call_query,
    callback_query,
    callback_url,
    is_callback_target,
    with_query,
)
from bocau.wire.esms.status import SendReport

GOLDEN = Path(__file__).with_name("golden")
SMSID = "6b1f0f3f9a7d4b0fb1a7b0c4f2d9e811042"
DELIVERED = CallbackValues(SendReport(SMSID, 5, 1, 0, 8_500_000, 1, 1), "login-77", "2", 2, "0901234567")
FAILED = CallbackValues(SendReport(SMSID, 5, 0, 1, 0, 1, 1), "", "8", 1, "0981234567")
ANSWERED = CallValues(SMSID, 13, "ANSWERED", "1", 6_000_000, True, "+842812345678", 5)
UNANSWERED = CallValues(SMSID, 0, "NO ANSWER", "", 0, False, "02812345678", 5)
NOT_PLACED = CallValues(SMSID, 0, "", "", 0, False, "", 5)
ADVERTISING = CallbackValues(SendReport(SMSID, 4, 0, 1, 0, 30, 0), "tết 2026&", "1", 1, "0981234567")
QUERY = callback_query(DELIVERED)


@pytest.mark.parametrize(
    ("name", "target", "values"),
    [
        ("delivered", "https://shop.example/hook?shop=9", DELIVERED),
        ("failed", "http://shop.example/hook", FAILED),
        ("advertising", "https://shop.example/hook", ADVERTISING),
    ],
)
def test_a_callback_is_the_golden_file(name: str, target: str, values: CallbackValues) -> None:
    """Names, order and decimals of the documented table."""
    assert callback_url(target, values) == (GOLDEN / f"callback_{name}.txt").read_text("utf-8").removesuffix("\n")


@pytest.mark.parametrize(
    ("name", "target", "values"),
    [
        ("answered", "https://shop.example/hook?shop=9", ANSWERED),
        ("unanswered", "http://shop.example/hook", UNANSWERED),
        ("not_placed", "http://shop.example/hook", NOT_PLACED),
    ],
)
def test_a_callback_about_a_call_is_the_golden_file(name: str, target: str, values: CallValues) -> None:
    """The voice shape: names, order and decimals of the documents (esms-api 3.2)."""
    url = with_query(target, call_query(values))
    assert url == (GOLDEN / f"callback_call_{name}.txt").read_text("utf-8").removesuffix("\n")


@pytest.mark.parametrize(
    ("target", "before"),
    [
        ("https://shop.example", "https://shop.example?"),
        ("https://shop.example/", "https://shop.example/?"),
        ("https://shop.example/a/../b%2Fc", "https://shop.example/a/../b%2Fc?"),
        ("https://shop.example/?", "https://shop.example/?"),
        ("https://shop.example/?a=1&", "https://shop.example/?a=1&"),
        ("https://shop.example/?a=1&b=%20+", "https://shop.example/?a=1&b=%20+&"),
        ("https://shop.example/x#top", "https://shop.example/x?"),
        ("https://shop.example/x?a=1#top?b=2", "https://shop.example/x?a=1&"),
        ("https%3A%2F%2Fshop.example%2Fhook%3Fa%3D1%2526", "https://shop.example/hook?a=1%26&"),
        ("HTTP%3a//shop.example/", "HTTP://shop.example/?"),
        ("https://shop.example/đ ơ?x=ế", "https://shop.example/%C4%91%20%C6%A1?x=%E1%BA%BF&"),
        ("http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080/x?"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000?"),
    ],
)
def test_the_customers_own_url_stays_and_ours_is_appended(target: str, before: str) -> None:
    """Path unchanged, query kept, fragment dropped, a wholly encoded target decoded once."""
    assert is_callback_target(target)
    assert callback_url(target, DELIVERED) == before + QUERY


@pytest.mark.parametrize(
    "target",
    [
        "",
        "shop.example/hook",
        "//shop.example/hook",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http:///hook",
        "http://?x",
        "http:shop.example",
        "http://user@shop.example/",
        "http://user:word@shop.example/",
        "http://shop.example\\@other.example/",
        "http://shop.example/\\x",
        "http://shop.example:0/",
        "http://shop.example:65536/",
        "http://shop.example:９０/",
        "http://shop.example:8a/",
        "http://shop.example:/",
        "http://shop .example/",
        "http://①②⑦.0.0.1/",
        "http://shop.example。other/",
        "http://ſhop.example/",
        "httpſ://shop.example/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://shop.example/\r\nHost: other",
        "http://shop.example/\n",
        "http://shop.example/\x00",
        "http://shop.example/\x85",
        "http://shop.example/\u2028",
        "http://shop.example/\ud800",
        "http%3A%2F%2Fshop.example%2F%0D%0Ax",
        "http%3A%2F%2Fshop.example%2F%FF",
        "http%3A%2F%2Fuser%40shop.example%2F",
        "http%3A//shop.example/\ud800",
        "http%253A%252F%252Fshop.example",
        "http://shop.example/" + "a" * MAX_TARGET,
    ],
)
def test_what_cannot_be_called_is_no_target(target: str) -> None:
    """It is ignored with a warning; the message goes out all the same."""
    assert not is_callback_target(target)
    with pytest.raises(ValueError, match="not a callback target"):
        callback_url(target, DELIVERED)


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    st.text(alphabet="0123456789", max_size=12),
    st.integers(0, 10**12),
    st.sampled_from(["2", "8", "24"]),
)
def test_the_query_decodes_to_the_values(request_id: str, phone: str, price: int, type_id: str) -> None:
    """Twelve columns in their order; every character of a RequestId comes back."""
    report = SendReport(SMSID, 7, 2, 3, price, 5, 4)
    query = callback_query(CallbackValues(report, request_id, type_id, 3, phone, "switch 1"))
    assert query.isascii()
    assert " " not in query
    assert "+" not in query
    assert parse_qsl(query, keep_blank_values=True) == [
        ("SMSID", SMSID),
        ("SendFailed", "3"),
        ("SendStatus", "7"),
        ("SendSuccess", "2"),
        ("TotalPrice", f"{price // 10_000}.{price % 10_000:04d}"),
        ("TotalReceiver", "5"),
        ("TotalSent", "4"),
        ("RequestId", request_id),
        ("TypeId", type_id),
        ("telcoid", "3"),
        ("phonenumber", phone),
        ("switchsmsid", "switch 1"),
    ]


def test_viber_has_no_switch_column() -> None:
    """Type 23 ends with the number."""
    assert callback_query(replace(DELIVERED, type_id="23")).endswith("&telcoid=2&phonenumber=0901234567")


@given(st.text(max_size=60))
def test_any_text_is_judged_and_an_accepted_one_becomes_a_plain_url(text: str) -> None:
    """What goes into a request line is printable ASCII without spaces, and the host is the one that was seen."""
    for target in (text, "https://shop.example/" + text, "http%3A//shop.example/" + text, "http://" + text):
        if not is_callback_target(target):
            continue
        url = callback_url(target, DELIVERED)
        assert all("!" <= character <= "~" for character in url)
        parts = urlsplit(url)
        assert parts.scheme in {"http", "https"}
        assert parts.hostname
        assert parts.fragment == ""
        assert parts.username is None
        assert parts.hostname in unquote(target).lower()
        assert url.endswith(QUERY)


@given(
    st.from_regex(r"https?://[0-9A-Za-z._@:-]{1,12}(:[0-9]{1,6})?([/?][!-~]{0,20})?", fullmatch=True),
)
def test_a_plain_target_is_sent_as_one_that_needs_care(target: str) -> None:
    """There is a short way for nearly every target; it accepts and makes what the long way does."""
    plain = target.partition("#")[0]
    if not is_callback_target(plain):
        with pytest.raises(ValueError, match="not a callback target"):
            callback_url(plain, DELIVERED)
        return
    assert callback_url(plain, DELIVERED) == callback_url(f"{plain}#top", DELIVERED)


def test_a_target_of_the_greatest_length_is_the_last_that_is_called() -> None:
    """Plain or not."""
    longest = "http://shop.example/".ljust(MAX_TARGET, "a")
    assert callback_url(longest, DELIVERED) == f"{longest}?{QUERY}"
    with pytest.raises(ValueError, match="not a callback target"):
        callback_url(f"{longest}a", DELIVERED)
