"""The send request is one value, whatever the form it came in."""

import json
import random
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.esms.names import Malformed
from bocau.wire.esms.operations import Kind, find, split_target
from bocau.wire.esms.send import SendRequest, decode_send

GOLDEN = Path(__file__).with_name("golden")

TYPE_2 = SendRequest(
    api_key="K-4f1d",
    secret_key="S-9a2c",
    content="4821 la ma dang nhap BOCAU cua ban",
    phone="0901234567",
    brandname="BOCAU",
    sms_type="2",
    request_id="login-77",
    campaign_id="log-in",
    callback_url="https://shop.example/hook?shop=9",
)


def recorded(path: Path) -> tuple[str, bytes, bytes]:
    """A request of the golden folder as (method, target, body)."""
    head, _, body = path.read_bytes().partition(b"\n\n")
    method, target, _ = head.split(b"\n")[0].split(b" ")
    return method.decode(), target, body


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("type2_*.http")), ids=lambda path: path.stem)
def test_every_recorded_variant_is_the_same_request(path: Path) -> None:
    """Casing, content type, slash, folder, GET, form, numbers: one message."""
    method, target, body = recorded(path)
    operation = find(target)
    assert operation is not None
    assert operation.kind is Kind.SEND
    assert method in operation.methods
    assert decode_send(body, split_target(target)[1]) == TYPE_2


def test_the_type_8_sample_is_read_with_its_unquoted_flags() -> None:
    """Its table says number, its sample quotes the type and not the flags."""
    _, _, body = recorded(GOLDEN / "type8_documented.http")
    assert decode_send(body) == SendRequest(
        api_key="K-4f1d",
        secret_key="S-9a2c",
        content="686868",
        phone="0901234567",
        sms_type="8",
        request_id="login-78",
        send_date="2026-11-30 08:05:00",
        campaign_id="log-in",
        callback_url="https://shop.example/hook?shop=9",
    )


@pytest.mark.parametrize(
    ("body", "unicode"),
    [
        ({"IsUnicode": 1}, True),
        ({"IsUnicode": "1"}, True),
        ({"IsUnicode": True}, True),
        ({"IsUnicode": "true"}, True),
        ({"IsUnicode": " TRUE "}, True),
        ({"IsUnicode": 1.0}, True),
        ({"Unicode": 1}, True),
        ({"UNICODE": "1"}, True),
        ({"Unicode": 1, "IsUnicode": 0}, False),
        ({"IsUnicode": "0", "Unicode": "1"}, False),
        ({"Unicode": 0, "IsUnicode": 1}, True),
        ({"IsUnicode": None, "Unicode": 1}, True),
        ({"IsUnicode": "", "Unicode": "1"}, True),
        ({"IsUnicode": 2}, False),
        ({"IsUnicode": -1}, False),
        ({"IsUnicode": 100}, False),
        ({"IsUnicode": "yes"}, False),
        ({"IsUnicode": "１"}, False),
        ({}, False),
    ],
)
def test_the_unicode_flag_has_two_names_and_is_unicode_wins(body: dict[str, object], unicode: bool) -> None:
    """Row A of the contradictions."""
    raw = json.dumps(body).encode()
    assert decode_send(raw).unicode is unicode
    assert decode_send(raw[:-1] + (b',"x":1}' if body else b'"x":1}')).unicode is unicode, "the general decoder"


@pytest.mark.parametrize("name", ["Sandbox", "SandBox", "sandbox", "IsSandbox", "IsSandBox", "ISSANDBOX"])
@pytest.mark.parametrize("value", [1, "1", True, "true", 1.0])
def test_the_sandbox_flag_has_many_names(name: str, value: object) -> None:
    """A missed sandbox flag would send a real message."""
    assert decode_send(json.dumps({name: value}).encode()).sandbox is True
    assert decode_send(f"{name}=1".encode()).sandbox is True
    assert decode_send(json.dumps({name: 0}).encode()).sandbox is False


def test_an_empty_request_has_empty_fields() -> None:
    """Missing keys are the checks' business: 101."""
    assert decode_send(b"") == decode_send(b"{}") == decode_send(b"", b"&") == SendRequest()


def test_an_old_charset_is_reported() -> None:
    """So that the door can warn."""
    assert decode_send(b'{"Content":"\xd2"}').charset == "cp1258"
    assert decode_send(b"{}").charset == "utf-8"


def test_a_request_shows_nothing_secret() -> None:
    """Requests meet logs and tracebacks."""
    shown = repr(TYPE_2) + str(TYPE_2)
    for secret in (TYPE_2.api_key, TYPE_2.secret_key, TYPE_2.content, TYPE_2.phone, TYPE_2.callback_url):
        assert secret not in shown


NAMES = {
    "api_key": ["ApiKey"],
    "secret_key": ["SecretKey"],
    "content": ["Content"],
    "phone": ["Phone"],
    "brandname": ["Brandname"],
    "sms_type": ["SmsType"],
    "unicode": ["IsUnicode", "Unicode"],
    "sandbox": ["Sandbox", "IsSandbox"],
    "request_id": ["RequestId"],
    "send_date": ["SendDate"],
    "campaign_id": ["campaignid"],
    "callback_url": ["CallbackUrl"],
}
TEXTS = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20).map(str.strip)
REQUESTS = st.builds(
    SendRequest,
    **dict.fromkeys(
        ["api_key", "secret_key", "content", "phone", "brandname", "request_id", "send_date", "campaign_id"], TEXTS
    ),
    callback_url=TEXTS,
    sms_type=st.sampled_from(["", "1", "2", "8", "24", "125"]),
    unicode=st.booleans(),
    sandbox=st.booleans(),
)


def written(value: object, chance: random.Random) -> object:
    """A value in one of the scalar forms that mean the same."""
    if isinstance(value, bool):
        return chance.choice([value, int(value), str(int(value)), float(value)] + ([] if value else [None, ""]))
    if value == "":
        return chance.choice(["", None])
    text = str(value)
    numeric = text.isascii() and text.isdigit() and not text.startswith("0") and len(text) < 16
    return chance.choice([text, int(text), float(text)]) if numeric else text


def members(request: SendRequest, chance: random.Random, *, exact: bool) -> list[tuple[str, object]]:
    """The request as name and value pairs, in any order, in documented or in any spelling."""
    pairs = []
    for field, names in NAMES.items():
        name = chance.choice(names)
        if not exact:
            name = "".join(chance.choice([letter.upper(), letter.lower()]) for letter in name)
        value = getattr(request, field)
        pairs.append((name, written(value, chance)))
    chance.shuffle(pairs)
    return pairs


def form_value(value: object) -> str:
    """A scalar as forms write it."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool | float) else str(value)


@given(REQUESTS, st.randoms(use_true_random=False), st.booleans())
def test_every_casing_scalar_form_and_place_gives_the_same_request(
    request: SendRequest, chance: random.Random, exact: bool
) -> None:
    """JSON, form, query, and a body and a query that share the parameters."""
    pairs = members(request, chance, exact=exact)
    form = "&".join(f"{name}={quote_plus(form_value(value))}" for name, value in pairs).encode()
    query = "&".join(f"{name}={quote(form_value(value))}" for name, value in pairs).encode()
    half = chance.randrange(len(pairs))
    for body, rest in (
        (json.dumps(dict(pairs)).encode(), b""),
        (json.dumps(dict(pairs), ensure_ascii=False).encode(), b"n8n=nqdev"),
        (form, b""),
        (b"", query),
        (json.dumps(dict(pairs[:half])).encode(), b"&".join(query.split(b"&")[half:])),
    ):
        assert decode_send(body, rest) == request


@given(
    st.lists(st.tuples(st.sampled_from(["Phone", "SmsType", "IsUnicode", "Unicode", "Sandbox", "Content"]), st.data()))
)
def test_the_quick_and_the_general_decoder_agree(drawn: list[tuple[str, st.DataObject]]) -> None:
    """The quick one knows the documented spelling only and must not have an opinion of its own."""
    scalars = st.one_of(st.none(), st.booleans(), st.integers(-5, 300), st.integers(), st.floats(), TEXTS)
    body = json.dumps({name: data.draw(scalars) for name, data in drawn}).encode()
    try:
        general = decode_send(body, b"foreign=1")
    except Malformed:
        with pytest.raises(Malformed):
            decode_send(body)
        return
    assert decode_send(body) == general


@given(st.binary(max_size=300), st.binary(max_size=100))
def test_garbage_raises_only_malformed(body: bytes, query: bytes) -> None:
    """The front door for anonymous bytes."""
    for variant in (body, b'{"ApiKey":' + body, b'{"ApiKey":"' + body + b'"}'):
        for rest in (query, b""):
            try:
                request = decode_send(variant, rest)
            except Malformed:
                continue
            assert "\0" not in request.content + request.api_key


def test_a_refusal_carries_no_piece_of_the_body() -> None:
    """A decoder's own error quotes what it could not read, and bodies hold keys."""
    for body in (b'{"ApiKey":"S-9a2c"', b'{"ApiKey":"S-9a2c","x":\xff"}', b"S-9a2c", b'{"ApiKey":["S-9a2c"]}'):
        with pytest.raises(Malformed) as caught:
            decode_send(body)
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None
        assert "S-9a2c" not in str(caught.value)


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_sample_raises_only_malformed(place: int, octet: int) -> None:
    """Flip one byte of the documented body, or cut it there."""
    _, _, body = recorded(GOLDEN / "type2_documented.http")
    for damaged in (body[:place], body[:place] + bytes([octet]) + body[place + 1 :]):
        try:
            decode_send(damaged)
        except Malformed:
            continue
