"""Bodies and queries to plain parameters, and everything that is refused on the way."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.esms.names import CHARSET, MAX_DEPTH, MAX_PAIRS, SEND_NAMES, Malformed, Vocabulary
from bocau.wire.esms.parameters import decode


@pytest.mark.parametrize(
    ("token", "text"),
    [
        (b'"8"', "8"),
        (b"8", "8"),
        (b"8.0", "8"),
        (b"80e-1", "8"),
        (b"2.50", "2.5"),
        (b"1.5e3", "1500"),
        (b"-0.0", "0"),
        (b"-0", "0"),
        (b"0.0e5", "0"),
        (b"0.10", "0.1"),
        (b"-1.50", "-1.5"),
        (b"100", "100"),
        (b"1e2", "100"),
        (b"901234567", "901234567"),
        (b"99999999999999999999", "99999999999999999999"),
        (b"true", "1"),
        (b"false", "0"),
        (b"null", ""),
        (b'""', ""),
        (b'"\\/"', "/"),
        ('"số"'.encode(), "số"),
    ],
)
def test_a_scalar_becomes_its_plain_text(token: bytes, text: str) -> None:
    """Strings, numbers, booleans and null are equal in what they say."""
    assert decode(b'{"Phone":' + token + b"}") == {"phone": text}


M10 = {
    "arrays 100,000 deep": b"[" * 100_000,
    "objects 100,000 deep": b'{"a":' * 100_000,
    "closed arrays 100,000 deep": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "one deeper than allowed": b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
    "a number of 5,000 digits": b'{"Phone":' + b"9" * 5_000 + b"}",
    "a number of 21 digits": b'{"Phone":' + b"9" * 21 + b"}",
    "a negative number of 21 digits": b'{"Phone":-' + b"9" * 21 + b"}",
    "a number of 21 digits in an unknown member": b'{"a":' + b"9" * 21 + b"}",
    "a number of 21 digits inside": b'{"a":[{"b":' + b"9" * 21 + b"}]}",
    "a fraction of 21 digits": b'{"a":0.' + b"1" * 21 + b"}",
    "a great exponent": b'{"a":1e999}',
    "a greater exponent": b'{"a":1e999999999999}',
    "an exponent of 19 digits": b'{"a":1e9999999999999999999}',
    "a small exponent of 19 digits": b'{"a":1e-9999999999999999999}',
    "an exponent of 100 digits": b'{"a":1e' + b"9" * 100 + b"}",
    "a small exponent": b'{"a":1e-999}',
    "a lone surrogate": b'{"Content":"\\ud800"}',
    "a lone low surrogate": b'{"Content":"\\udc00x"}',
    "a surrogate before a letter": b'{"Content":"\\ud800\\u0041"}',
    "a surrogate in an unknown member": b'{"a":"\\udfff"}',
    "a surrogate in bytes": b'{"Content":"\xed\xa0\x80"}',
    "a surrogate in a form": b"Content=%ED%A0%80",
    "NaN": b'{"Phone":NaN}',
    "Infinity": b'{"Phone":-Infinity}',
    "UTF-16, little end first": '{"Phone":"1"}'.encode("utf-16"),
    "UTF-16, big end first": b"\xfe\xff" + '{"Phone":"1"}'.encode("utf-16-be"),
    "UTF-16 without a mark": '{"Phone":"1"}'.encode("utf-16-le"),
    "UTF-16 without a mark, big end first": '{"Phone":"1"}'.encode("utf-16-be"),
    "U+0000, escaped": b'{"Content":"a\\u0000b"}',
    "U+0000, raw": b'{"Content":"a\x00b"}',
    "U+0000 in an unknown member": b'{"a":[{"b":"\\u0000"}]}',
    "U+0000 in a name": b'{"\\u0000":1}',
    "U+0000 in a form": b"Content=a%00b",
    "U+0000 in a form, raw": b"Content=a\x00b",
    "a leading zero": b'{"Phone":0901234567}',
    "text after the object": b'{"Phone":"1"} x',
    "a comment": b'{"Phone":"1" // note\n}',
    "an unquoted placeholder": b'{"Phone":{phone}}',
    "an object cut short": b'{"Phone":"1"',
    "an array": b'[{"Phone":"1"}]',
    "an empty array": b"[]",
    "a bare text": b'"Phone"',
    "a bare number": b"1",
    "a bare null": b"null",
    "XML cut short": b"<RQST><PHONE>1</PHONE>",
    "XML with a bare less-than sign": b"<RQST><CONTENT>1 < 2</CONTENT></RQST>",
    "a DOCTYPE": b"<!DOCTYPE a=b>",
    "a DOCTYPE inside": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e "x">]><RQST><CONTENT>&e;</CONTENT></RQST>',
    "a comment in XML": b"<RQST><!-- --><PHONE>1</PHONE></RQST>",
    "CDATA": b"<RQST><CONTENT><![CDATA[x]]></CONTENT></RQST>",
    "XML nine deep": b"<a>" * 9 + b"</a>" * 9,
    "XML of too many elements": b"<a>" + b"<b/>" * 40_000 + b"</a>",
    "U+0000 in XML": b"<RQST><CONTENT>a\x00b</CONTENT></RQST>",
    "U+0000 in XML, escaped": b"<RQST><CONTENT>a&#0;b</CONTENT></RQST>",
    "a surrogate in XML": b"<RQST><CONTENT>&#xD800;</CONTENT></RQST>",
    "XML in UTF-16": "<RQST><PHONE>1</PHONE></RQST>".encode("utf-16"),
    "an element where a text belongs": b"<RQST><CONTENT>a<b>c</b></CONTENT></RQST>",
    "a list where a text belongs": b'{"Phone":["1"]}',
    "an object where a text belongs": b'{"Phone":{"a":1}}',
    "too many pairs": b"&".join([b"a=b"] * (MAX_PAIRS + 1)),
}


@pytest.mark.parametrize("body", M10.values(), ids=M10.keys())
def test_a_body_that_cannot_be_decoded_is_malformed_and_nothing_else(body: bytes) -> None:
    """One exception type for every way to be wrong (promises M10, M11, M12)."""
    with pytest.raises(Malformed) as caught:
        decode(body)
    assert caught.value.__context__ is None, "a decoder's own error may quote the body"


def test_duplicate_keys_are_not_an_error_and_the_last_wins() -> None:
    """In one spelling or in two."""
    assert decode(b'{"Phone":"1","Phone":"2"}') == {"phone": "2"}
    assert decode(b'{"PHONE":"1","Phone":"2"}') == {"phone": "2"}
    assert decode(b"PHONE=1&Phone=2") == {"phone": "2"}


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b"", {}),
        (b" \r\n", {}),
        (b"\xef\xbb\xbf", {}),
        (b"{}", {}),
        (b'\xef\xbb\xbf{"Phone":"1"}', {"phone": "1"}),
        (b'\r\n\t {"Phone":"1"}\n', {"phone": "1"}),
        (b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b',"Phone":"1"}', {"phone": "1"}),
        (b'{"Params":["x",{"y":[1.5,null,true]}],"Phone":"1"}', {"phone": "1"}),
        (b'{"Content":"\\\\u0000"}', {"content": "\\u0000"}),
        (b'{"Phones":["0901234567",901234568,null],"Code":{"a":1}}', {}),
        ('{"Ph\u212aone":"2","\u212a":1}'.encode(), {}),
        (b"&Phone=1", {"phone": "1"}),
        (b"Phone=1&&x&=&Content=a+b%20c%2Bd", {"phone": "1", "content": "a b c+d"}),
        (b"Content=100%&Phone=%zz1", {"content": "100%", "phone": "%zz1"}),
        (b"Content=a=b;c?d#e", {"content": "a=b;c?d#e"}),
        (b"%50hone=1", {"phone": "1"}),
        (b"Content=%2500", {"content": "%00"}),
        (b"Content=%E1%BA%BF", {"content": "ế"}),
        ("Content=ế".encode(), {"content": "ế"}),
    ],
)
def test_a_body_gives_its_parameters(body: bytes, values: dict[str, str]) -> None:
    """Marks, white space, foreign members and bad escapes are borne."""
    assert decode(body) == values


WRAPPED = (
    b"<R><CONTACTS><item><CUSTOMER><NAME>x</NAME><PHONE> 1 </PHONE></CUSTOMER></item>\n"
    b"<CUSTOMER><phone>2</phone></CUSTOMER><PHONE>3</PHONE></CONTACTS><PHONE>4</PHONE></R>"
)
"""Receivers at three depths, and one beside the list."""


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b"<RQST><PHONE>1</PHONE><x/></RQST>", {"phone": "1"}),
        (b'<?xml version="1.0" encoding="utf-16"?>\n<rqst><Phone a="b">1</Phone></rqst>', {"phone": "1"}),
        (b'<ApiModel xmlns="http://x" xmlns:i="http://y"><i:Phone>1</i:Phone></ApiModel>', {"phone": "1"}),
        (b"\xef\xbb\xbf <RQST><CONTENT>a &amp; b &lt; c</CONTENT></RQST>", {"content": "a & b < c"}),
        (b"<RQST><CONTENT>a & b &nbsp; &amp; &copy c&d;</CONTENT></RQST>", {"content": "a & b &nbsp; & &copy c&d;"}),
        (b"<RQST><CONTENT> two\r\nlines </CONTENT></RQST>", {"content": " two\nlines "}),
        (b"<RQST><CONTENT></CONTENT><PHONE/></RQST>", {"content": "", "phone": ""}),
        (b"<RQST><PHONE>1</PHONE><phone>2</phone></RQST>", {"phone": "2"}),
        (b"<RQST><CONTACTS><CUSTOMER><PHONE>1</PHONE></CUSTOMER></CONTACTS></RQST>", {"phone": "1"}),
        (
            WRAPPED,
            {"phone": "1,2,3"},
        ),
        (b"<RQST><CONTACTS/></RQST>", {}),
        (b"<RQST/>", {}),
        ("<RQST><CONTENT>số</CONTENT></RQST>".encode(), {"content": "số"}),
    ],
)
def test_a_document_gives_its_parameters(body: bytes, values: dict[str, str]) -> None:
    """Whatever its root is called, with every PHONE under CONTACTS, and with texts that nobody escaped."""
    assert decode(body) == values


def test_a_parameter_of_another_operation_is_foreign() -> None:
    """A report has a Page; a send that carries one may put anything into it."""
    report = Vocabulary("page")
    body = b'{"Page":[1],"PAGE":{"a":1},"Phone":"1"}'
    assert decode(body) == {"phone": "1"}
    with pytest.raises(Malformed):
        decode(body, b"", report)
    assert decode(b'{"PAGE":2,"Phone":[1]}', b"", report) == {"page": "2"}


def test_the_body_wins_over_the_query_where_it_says_something() -> None:
    """An empty value is the same as an absent one."""
    assert decode(b'{"Phone":"1","Content":""}', b"phone=2&content=x&smstype=2&n8n=nqdev") == {
        "phone": "1",
        "content": "x",
        "smstype": "2",
    }


@pytest.mark.parametrize(
    ("raw", "text", "charset"),
    [
        ("số".encode(), "số", None),
        ("so\u0301 dư".encode("cp1258"), "so\u0301 dư", "cp1258"),
        (b"\xd2!\x8a", "Ò!\x8a", "latin-1"),
    ],
)
def test_old_charsets_are_read_and_reported(raw: bytes, text: str, charset: str | None) -> None:
    """UTF-8, then windows-1258, then latin-1; the caller can log which."""
    xml = b"<R><CONTENT>" + raw + b"</CONTENT></R>"
    bodies = (xml, b'{"Content":"' + raw + b'"}', b"Content=" + raw, b"Content=" + b"".join(b"%%%02X" % o for o in raw))
    for body in bodies:
        values = decode(body)
        assert values["content"] == text
        assert values.get(CHARSET) == charset
        if body[:1] not in (b"{", b"<"):
            assert decode(b"", body) == values


def test_no_client_can_name_the_charset_itself() -> None:
    """The key under which it is reported is no parameter."""
    assert decode(b'{"charset":"x"}') == {}
    assert decode(b"charset=x") == {}
    assert CHARSET not in SEND_NAMES.texts


NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,22})(\.[0-9]{1,22})?([eE][+-]?[0-9]{1,22})?", fullmatch=True)


@given(NUMBERS)
def test_any_json_number_is_plain_and_equal_or_malformed(token: str) -> None:
    """Never an exponent, never more than 40 characters, never another number."""
    try:
        text = decode(b'{"Phone":' + token.encode() + b"}")["phone"]
    except Malformed:
        return
    assert set(text) <= set("-.0123456789")
    assert len(text) <= 42
    assert Decimal(text) == Decimal(token)


@given(st.binary(max_size=400), st.binary(max_size=100))
def test_garbage_raises_only_malformed(body: bytes, query: bytes) -> None:
    """Whatever the bytes, the result is plain text without U+0000 and without surrogates, or Malformed."""
    for variant in (
        body,
        b'{"Content":"' + body + b'"}',
        b'{"Phone":' + body + b"}",
        b"Content=" + body,
        b"<R>" + body + b"</R>",
    ):
        try:
            values = decode(variant, query)
        except Malformed:
            continue
        for value in values.values():
            value.encode("utf-8")
            assert "\0" not in value


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
_TREES = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner))


@given(_TREES, st.sampled_from(["Phone", "other"]))
def test_any_json_value_is_taken_or_malformed(value: object, name: str) -> None:
    """The value of a member may be anything JSON allows, and some things it does not."""
    body = json.dumps({name: value}).encode("utf-8", "surrogatepass")
    try:
        values = decode(body)
    except Malformed:
        return
    assert set(values) <= {name.lower()}


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50))
def test_a_text_survives_every_form(text: str) -> None:
    """JSON, escaped JSON, form and query say the same."""
    percent = b"".join(b"%%%02x" % octet for octet in text.encode())
    for body, query in (
        (json.dumps({"Content": text}, ensure_ascii=False).encode(), b""),
        (json.dumps({"Content": text}).encode(), b""),
        (b"Content=" + percent, b""),
        (b"", b"content=" + percent),
    ):
        assert decode(body, query) == {"content": text}
