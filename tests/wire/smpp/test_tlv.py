"""Optional parameters by name and type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.smpp.pdu import FieldError
from bocau.wire.smpp.tlv import TLVS, Kind, Tag, find_tlv, make_tlv, tlv_value


@pytest.mark.parametrize("tag", [tag for tag, row in TLVS.items() if row.kind is Kind.NUMBER])
@given(st.data())
def test_a_number_comes_back(tag: int, data: st.DataObject) -> None:
    """In the size that the table gives it."""
    value = data.draw(st.integers(0, 256 ** TLVS[tag].greatest - 1))
    made = make_tlv(tag, value)
    assert len(made[1]) == TLVS[tag].greatest
    assert tlv_value(*made) == value


@given(st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=64))
def test_a_text_comes_back(text: str) -> None:
    """With its NUL on the wire, without it in the value."""
    made = make_tlv(Tag.RECEIPTED_MESSAGE_ID, text)
    assert made[1][-1] == 0
    assert tlv_value(*made) == text


@given(st.integers(0, 0xFFFF), st.binary(max_size=300))
def test_reading_never_fails(tag: int, data: bytes) -> None:
    """An ill-sized parameter is read as well as it can be, an unknown one stays octets."""
    value = tlv_value(tag, data)
    if tag not in TLVS:
        assert value == data


def test_a_text_without_its_nul_and_a_number_of_another_size_are_read() -> None:
    """Carriers send both."""
    assert tlv_value(Tag.RECEIPTED_MESSAGE_ID, b"abc") == "abc"
    assert tlv_value(Tag.MESSAGE_STATE, b"\0\0\0\2") == 2
    assert tlv_value(Tag.MESSAGE_STATE, b"") == b""


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (Tag.MESSAGE_STATE, 256),
        (Tag.MESSAGE_STATE, -1),
        (Tag.MESSAGE_STATE, "2"),
        (Tag.MESSAGE_STATE, b"\0\2"),
        (Tag.RECEIPTED_MESSAGE_ID, "x" * 65),
        (Tag.RECEIPTED_MESSAGE_ID, "a\0b"),
        (Tag.RECEIPTED_MESSAGE_ID, "Việt"),
        (Tag.RECEIPTED_MESSAGE_ID, 5),
        (Tag.NETWORK_ERROR_CODE, b"\3\0"),
        (Tag.MESSAGE_PAYLOAD, b"x" * 65536),
        (0x1500, 7),
    ],
)
def test_a_value_that_does_not_suit_its_tag_is_refused(tag: int, value: int | str | bytes) -> None:
    """We send none that the specification does not allow."""
    with pytest.raises(FieldError):
        make_tlv(tag, value)


def test_an_unknown_tag_takes_octets_and_the_first_of_two_is_found() -> None:
    """Vendors' parameters can be sent and looked up."""
    tlvs = (make_tlv(0x1500, b"a"), make_tlv(0x1500, b"b"))
    assert find_tlv(tlvs, 0x1500) == b"a"
    assert find_tlv(tlvs, 0x1501) is None
