"""Questions about messages and balances."""

import pytest

from bocau.wire.esms.names import Malformed
from bocau.wire.esms.queries import Keys, StatusQuery, decode_keys, decode_status

KEYS = Keys("K-4f1d", "S-9a2c")


@pytest.mark.parametrize(
    ("body", "query", "question"),
    [
        (b"", b"RefId=6b1f-042&ApiKey=K-4f1d&SecretKey=S-9a2c", StatusQuery(KEYS, "6b1f-042")),
        (b"", b"&refid=6b1f-042%20&APIKEY=K-4f1d&Secretkey=S-9a2c&Email=", StatusQuery(KEYS, "6b1f-042")),
        (b'{"RefId":"6b1f-042","ApiKey":"K-4f1d","SecretKey":"S-9a2c"}', b"", StatusQuery(KEYS, "6b1f-042")),
        (b"", b"ReferenceId=6b1f-042&ApiKey=K-4f1d&SecretKey=S-9a2c", StatusQuery(KEYS, "6b1f-042", voice=True)),
        (b"", b"ReferenceId=x&RefId=6b1f-042&ApiKey=K-4f1d&SecretKey=S-9a2c", StatusQuery(KEYS, "6b1f-042")),
        (b"", b"SMSID=6b1f-042&ApiKey=K-4f1d&SecretKey=S-9a2c", StatusQuery(KEYS, "6b1f-042")),
        (b"", b"", StatusQuery(Keys("", ""), "")),
    ],
)
def test_a_status_query_names_an_id(body: bytes, query: bytes, question: StatusQuery) -> None:
    """In any spelling; ReferenceId alone asks for the voice shape."""
    assert decode_status(body, query) == question


@pytest.mark.parametrize(
    ("body", "query", "arguments", "keys"),
    [
        (b'{"ApiKey":"K-4f1d","SecretKey":"S-9a2c"}', b"", (), KEYS),
        (b"apikey=K-4f1d&secretkey=S-9a2c", b"", (), KEYS),
        (b"", b"", ("K-4f1d", "S-9a2c"), KEYS),
        (b"", b"ApiKey=K-4f1d&SecretKey=S-9a2c", ("", ""), KEYS),
        (b"", b"", ("K-4f1d", ""), Keys("", "")),
        (b"", b"", (), Keys("", "")),
    ],
)
def test_keys_come_from_the_path_or_the_parameters(
    body: bytes, query: bytes, arguments: tuple[str, ...], keys: Keys
) -> None:
    """Half a pair of path arguments is no pair."""
    assert decode_keys(body, query, arguments).keys == keys


def test_keys_do_not_show_in_the_repr() -> None:
    """Neither alone nor inside a question."""
    assert "S-9a2c" not in repr(KEYS) + repr(StatusQuery(KEYS, "x"))


def test_a_broken_body_is_malformed() -> None:
    """As everywhere."""
    for decode in (decode_keys, decode_status):
        with pytest.raises(Malformed):
            decode(b"{")
