"""Where carriers name the network of a phone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.core.telcos import TELCOS, telco_named
from bocau.wire.smpp.network import NetworkField, network_said
from bocau.wire.smpp.pdu import DataSm, DeliverSm

TEXT = b"id:1 sub:001 dlvrd:001 submit date:2611220600 done date:2611220601 stat:DELIVRD err:000 mccmnc:45204 text:x"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"45204", "45204"),
        (b"45204\0", "45204"),
        (b"VTL", "VTL"),
        (b"\x54\xf2\x40", "45204"),
        (b"\x54\x12\x02", "452201"),
        (b"\xff\x00", "ff00"),
    ],
)
def test_a_parameter_names_it(value: bytes, said: str) -> None:
    """As text, or in half octets as phones have it."""
    field = NetworkField.of("0x1403")
    assert network_said(DeliverSm(tlvs=((0x1403, value),)), field) == said
    assert network_said(DataSm(tlvs=((0x1403, value),)), field) == said
    assert network_said(DeliverSm(tlvs=((0x1404, value),)), field) == ""


@pytest.mark.parametrize(("text", "said"), [(TEXT, "45204"), (TEXT.replace(b"mccmnc:", b"MCCMNC= "), "45204")])
def test_a_key_in_the_text_names_it(text: bytes, said: str) -> None:
    """In any case, with a colon or an equals sign; never as the end of another word."""
    assert network_said(DeliverSm(short_message=text), NetworkField.of("mccmnc")) == said
    assert network_said(DeliverSm(short_message=text), NetworkField.of("mnc")) == ""
    assert network_said(DeliverSm(short_message=b"no network here"), NetworkField.of("mccmnc")) == ""
    assert network_said(DataSm(), NetworkField.of("mccmnc")) == ""


@pytest.mark.parametrize(
    ("word", "telco"),
    [
        *(("45204", 1), ("452-01", 2), ("Vinaphone", 3), ("mobifone", 2), ("7", 7), ("X", 5)),
        *(("", 0), ("8", 0), ("45299", 0)),
    ],
)
def test_a_word_stands_for_a_network(word: str, telco: int) -> None:
    """The operator's own table first, then MCC and MNC, then ids and names."""
    assert telco_named(word, {"X": 5}) == telco
    assert telco_named("45204", {"45204": 6}) == 6


@given(st.text(max_size=40), st.binary(max_size=60))
def test_nothing_that_is_said_breaks_the_reading(word: str, value: bytes) -> None:
    """Whatever a carrier puts there, it is a network or none."""
    assert telco_named(word, {}) in {0, *TELCOS}
    told = network_said(DeliverSm(short_message=value, tlvs=((0x1403, value),)), NetworkField.of("0x1403"))
    assert telco_named(told, {}) in {0, *TELCOS}
