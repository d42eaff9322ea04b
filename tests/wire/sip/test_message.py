"""SIP messages: what is read, what is refused, what is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.sip.message import (
    MAX_BODY,
    MAX_HEADERS,
    BadMessage,
    FieldError,
    Request,
    Response,
    cseq_of,
    decode,
    encode,
    every,
    first,
    split_list,
    split_params,
)

MUST = (
    ("Via", "SIP/2.0/UDP a.example;branch=z9hG4bK1"),
    ("From", "<sip:a@a.example>;tag=1"),
    ("To", "<sip:b@b.example>"),
    ("Call-ID", "c1"),
    ("CSeq", "1 OPTIONS"),
)
PLAIN = Request("OPTIONS", "sip:b@b.example", MUST)


def head(*lines: str, start: str = "OPTIONS sip:b@b.example SIP/2.0") -> bytes:
    """A message of these lines after the headers that none may lack."""
    return "\r\n".join([start, *(f"{name}: {value}" for name, value in MUST), *lines, "", ""]).encode()


tokens = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=20)
values = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=60).map(str.strip)
headers = st.lists(st.tuples(tokens.map(lambda t: f"X-{t}"), values), max_size=8).map(lambda more: (*MUST, *more))
messages = st.one_of(
    st.builds(Request, st.just("OPTIONS"), tokens.map(lambda t: f"sip:{t}"), headers, st.binary(max_size=80)),
    st.builds(Response, st.integers(100, 699), values, headers, st.binary(max_size=80)),
)


@given(messages)
def test_what_is_written_reads_back(message: Request | Response) -> None:
    """With Content-Length in addition."""
    read = decode(encode(message))
    assert read._replace(headers=read.headers[:-1]) == message
    assert first(read, "Content-Length") == str(len(message.body))


def test_compact_names_folded_lines_and_bare_line_ends_are_read() -> None:
    """As the torture test of RFC 4475 has them."""
    data = b"OPTIONS sip:b SIP/2.0\nv : SIP/2.0/UDP a\n ;branch=z9\nf:<sip:a>;tag=1\nt: <sip:b>\ni:c1\n"
    data += b"CSEQ: 7\n\tOPTIONS\nl:0\n\n"
    message = decode(data)
    assert every(message, "Via") == ["SIP/2.0/UDP a ;branch=z9"]
    assert cseq_of(message) == (7, "OPTIONS")
    assert first(message, "Call-ID") == "c1"


def test_line_ends_before_a_message_are_passed_over() -> None:
    """Some peers send them (RFC 3261 7.5)."""
    assert decode(b"\r\n\r\n" + encode(PLAIN)) == decode(encode(PLAIN))


def test_octets_beyond_the_length_are_dropped_and_missing_ones_are_an_error() -> None:
    """RFC 3261 18.3."""
    assert decode(head("Content-Length: 3") + b"abcdef").body == b"abc"
    assert decode(head() + b"abc").body == b"abc"
    with pytest.raises(BadMessage, match="4 octets came"):
        decode(head("Content-Length: 9") + b"abcd")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "do not end"),
        (b"\r\n\r\n", "do not end"),
        (head()[:-4], "do not end"),
        (b"X" * 20_000 + b"\r\n\r\n", "do not end"),
        (head("X: " + "y" * 5_000), "overlong line"),
        (head(*["X: y"] * MAX_HEADERS), "headers"),
        (head("Content-Length: -1"), "no number"),
        (head("Content-Length: ٣"), "no number"),
        (head(f"Content-Length: {MAX_BODY + 1}"), "a body of"),
        (head() + b"x" * (MAX_BODY + 1), "a body of"),
        (head("l: 0", "Content-Length: 5") + b"abcde", "twice"),
        (head("Call-ID: other"), "twice"),
        (head("no colon"), "no header"),
        (
            head(" : y", start="OPTIONS x SIP/2.0").replace(b"OPTIONS x SIP/2.0\r\n", b"OPTIONS x SIP/2.0\r\n: y\r\n"),
            "header",
        ),
        (head("X: a\x01b"), "control"),
        (head("X: a\0b"), "NUL"),
        (head(start="OPTIONS sip:b SIP/3.0"), "start line"),
        (head(start="SIP/2.0 99 Low"), "start line"),
        (head(start="SIP/2.0 700 High"), "start line"),
        (head(start="INVITE sip:b SIP/2.0"), "another method"),
        (head().replace(b"1 OPTIONS", b"4294967296 OPTIONS"), "CSeq"),
        (head().replace(b"Call-ID: c1\r\n", b""), "no Call-ID"),
        (head().replace(b"Via: ", b"X: "), "no Via"),
    ],
)
def test_what_is_no_message_is_refused(data: bytes, why: str) -> None:
    """With a reason that quotes nothing of it."""
    with pytest.raises(BadMessage, match=why):
        decode(data)


@given(
    st.one_of(
        st.binary(max_size=400),
        st.builds(lambda a, b, c: a + b + c, st.just(head()[:60]), st.binary(max_size=60), st.just(head()[60:])),
    )
)
def test_garbage_raises_only_the_one_exception(data: bytes) -> None:
    """Whatever comes."""
    try:
        message = decode(data)
    except BadMessage:
        return
    for name, _ in message.headers:
        try:
            every(message, name)
        except BadMessage:
            continue


@given(st.text(',;=" \\<>ab\t', max_size=300))
def test_lists_and_parameters_split_or_raise(text: str) -> None:
    """Quotes and brackets need no other half."""
    for split in (split_list, split_params):
        try:
            split(text)
        except BadMessage:
            continue


def test_commas_in_quotes_and_brackets_do_not_part() -> None:
    """Nor do semicolons."""
    assert split_list('"a, \\"b" <sip:x,y>, c ,, d') == ['"a, \\"b" <sip:x,y>', "c", "d"]
    assert split_params('<sip:x;p=1>;Tag="a;b";tag=c;lr') == ("<sip:x;p=1>", {"tag": "a;b", "lr": ""})
    with pytest.raises(BadMessage, match="too many"):
        split_list("a," * 100)


@pytest.mark.parametrize(
    "message",
    [
        PLAIN._replace(method="BAD METHOD"),
        PLAIN._replace(uri="sip:a b"),
        PLAIN._replace(uri=""),
        PLAIN._replace(headers=(*MUST, ("X", "a\r\nEvil: b"))),
        PLAIN._replace(headers=(*MUST, ("X\r\nEvil", "b"))),
        PLAIN._replace(headers=(*MUST, ("Content-Length", "9"))),
        PLAIN._replace(headers=(*MUST, ("X", "y" * 10_000))),
        PLAIN._replace(body=b"x" * (MAX_BODY + 1)),
        Response(99, "", MUST),
        Response(200, "a\nb", MUST),
    ],
)
def test_what_fits_no_message_is_not_sent(message: Request | Response) -> None:
    """No header can be smuggled in."""
    with pytest.raises(FieldError):
        encode(message)
