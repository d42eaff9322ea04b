"""What carriers add to receipts of their own."""

from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.smpp.extras import MOST_OCTETS, extras_of, named_extras
from bocau.wire.smpp.pdu import Tlvs
from bocau.wire.smpp.tlv import Tag

TLVS = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=200)), max_size=12).map(tuple)


def test_vendors_parameters_are_kept_and_told_by_name() -> None:
    """A network as text, an error of the standard's, octets that are no text."""
    kept = extras_of(((0x1403, b"45204\0"), (Tag.NETWORK_ERROR_CODE, b"\x03\x00\x01"), (0x1500, b"\xff\x00")))
    assert named_extras(kept) == {"0x1403": "45204", "network_error_code": "030001", "0x1500": "ff00"}


def test_what_has_a_place_of_its_own_is_not_kept_twice() -> None:
    """Id, state, our reference, the text; and numbers of people stay out."""
    own = (0x001E, 0x0427, 0x0424, 0x0204, 0x0202, 0x0203, 0x0381)
    assert extras_of(tuple((tag, b"12345") for tag in own)) == b""


@given(TLVS)
def test_what_is_kept_is_bounded_and_reads_back(tlvs: Tlvs) -> None:
    """However much a carrier sends, a receipt costs so many octets, and what fits is whole."""
    kept = extras_of(tlvs)
    assert len(kept) <= MOST_OCTETS
    assert len(named_extras(kept)) <= len(tlvs)
    assert extras_of(()) == b""


@given(st.binary(max_size=600))
def test_garbage_from_a_store_is_told_too(data: bytes) -> None:
    """Looking never fails."""
    named_extras(data)
