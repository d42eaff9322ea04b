"""Bodies that are nearly JSON: what is put right, what is left, and that it takes no longer for bad ones."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.esms.mending import mended


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        ('{"a": 1, // one\n "b": "x"}', {"a": 1, "b": "x"}),
        ('{"a": "http://x // y",}', {"a": "http://x // y"}),
        ('{"Url": https://x.example/a//b?c=d, "b": 2}', {"Url": "https://x.example/a//b?c=d", "b": 2}),
        ('{"ApiKey": {API_KEY}, "Phone": 0901234567}', {"ApiKey": "{API_KEY}", "Phone": "0901234567"}),
        ('{"SendDate": 2027-01-15 18:30:00 // when\n}', {"SendDate": "2027-01-15 18:30:00"}),
        ('{"a": true, "b": null, "c": -1.5e3, "d": tRue}', {"a": True, "b": None, "c": -1500.0, "d": "tRue"}),
        ('\ufeff{"Content": Mã của bạn là 4821,}', {"Content": "Mã của bạn là 4821"}),
    ],
)
def test_a_sample_becomes_what_it_means(body: str, meant: dict[str, object]) -> None:
    """Remarks go, bare values become texts, a comma before the end goes; texts stay as they are."""
    assert json.loads(mended(body.encode())) == meant


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none()))
def test_what_is_json_is_not_touched(members: dict[str, object]) -> None:
    """Not by a byte."""
    body = json.dumps(members).encode()
    assert mended(body) is body


@given(st.binary(max_size=200) | st.text('{}[]",:/\\ a1\n', max_size=200).map(str.encode))
def test_what_cannot_be_mended_comes_back_as_it_was(body: bytes) -> None:
    """And nothing raises: the one decoder says what is wrong with it."""
    made = mended(body)
    assert made is body or isinstance(json.loads(made), dict)


@pytest.mark.parametrize("piece", ['"', "a ", "{a", "//", "a /", "\\", "{", '"\\a', "{a b ", "a,", ",}"])
def test_hostile_bodies_cost_what_their_length_costs(piece: str) -> None:
    """The longest body of a send, 64 KiB of one piece."""
    body = b"{" + piece.encode() * (65_000 // len(piece))
    began = time.process_time()
    mended(body)
    assert time.process_time() - began < 0.5
