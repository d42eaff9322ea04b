"""What telephones make of octets and parts."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bocau.simulator.handset import Handset, Sms
from bocau.wire.gsm.parts import Part, Profile, cut
from bocau.wire.smpp.pdu import SubmitSm
from bocau.wire.smpp.pieces import Piece, decode_text, read_piece
from bocau.wire.smpp.tlv import Tag, make_tlv

_TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=400)
_PROFILES = st.sampled_from(
    [Profile(), Profile(sixteen_bit=True), Profile("latin-1", data_coding=3), Profile("latin-1", True, 3)]
)


def _submit(part: Part, phone: str = "84901234567") -> SubmitSm:
    return SubmitSm(
        source_addr="Bocau",
        destination_addr=phone,
        esm_class=part.esm_class,
        data_coding=part.data_coding,
        short_message=part.data,
    )


def _show(handset: Handset, submit: SubmitSm, message_id: str = "1") -> Sms | None:
    piece = read_piece(submit)
    return handset.take(submit, piece, decode_text(piece.data, piece.coding), message_id, 5)


@given(_TEXTS, _PROFILES, st.integers(0, 0xFFFF), st.randoms(use_true_random=False))
def test_every_text_arrives_as_it_was_sent(text: str, profile: Profile, reference: int, random: Random) -> None:
    """Cut by our own rules, with the parts in any order and one of them twice."""
    parts = cut(text, reference, profile)
    submits = [_submit(part) for part in parts]
    random.shuffle(submits)
    handset = Handset()
    shown = [_show(handset, submit) for submit in [submits[0], *submits] if len(parts) > 1 or submit is submits[0]]
    whole = [sms for sms in shown if sms is not None]
    assert {sms.text for sms in whole} == {text}
    assert whole[0].parts == len(parts)


@given(st.binary(max_size=200), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=4))
def test_no_octets_trouble_a_telephone(data: bytes, coding: int, esm_class: int, reference: bytes) -> None:
    """Any header, any coding, any parameters: a piece and a text come out."""
    tlvs = ((Tag.SAR_MSG_REF_NUM, reference), (Tag.SAR_TOTAL_SEGMENTS, b"\2"), (Tag.SAR_SEGMENT_SEQNUM, data[:1]))
    for submit in (
        SubmitSm(esm_class=esm_class, data_coding=coding, short_message=data),
        SubmitSm(esm_class=esm_class, data_coding=coding, short_message=data, tlvs=tlvs),
        SubmitSm(esm_class=esm_class, data_coding=coding, tlvs=((Tag.MESSAGE_PAYLOAD, data),)),
    ):
        piece = read_piece(submit)
        assert 1 <= piece.part <= piece.parts
        decode_text(piece.data, piece.coding).encode("utf-8")


def test_parts_may_be_joined_by_parameters() -> None:
    """sar_msg_ref_num and its kin (SMPP 3.4, 5.3.2.22 to 5.3.2.24)."""
    handset = Handset()
    submits = [
        SubmitSm(
            destination_addr="84901234567",
            short_message=text,
            tlvs=(
                make_tlv(Tag.SAR_MSG_REF_NUM, 300),
                make_tlv(Tag.SAR_TOTAL_SEGMENTS, 2),
                make_tlv(Tag.SAR_SEGMENT_SEQNUM, part),
            ),
        )
        for part, text in ((2, b"world"), (1, b"hello "))
    ]
    assert _show(handset, submits[0], "b") is None
    sms = _show(handset, submits[1], "a")
    assert sms == Sms("84901234567", "", "hello world", 5, 2, ("a", "b"))


def test_a_long_text_may_come_as_payload() -> None:
    """message_payload stands in for short_message; the carrier cuts it."""
    text = "Xin chào " * 100
    submit = SubmitSm(data_coding=8, tlvs=((Tag.MESSAGE_PAYLOAD, text.encode("utf-16-be")),))
    sms = _show(Handset(), submit)
    assert sms is not None
    assert (sms.text, sms.parts) == (text, 1)


def test_octets_are_read_by_their_coding() -> None:
    """GSM unpacked, Latin-1, UCS-2, binary; octets beyond the GSM alphabet are read as Latin-1."""
    assert decode_text(b"\0\x1b\x65", 0) == "@€"
    assert decode_text(b"\xe9", 0) == "é"
    assert decode_text(b"\xe9@", 3) == "é@"
    assert decode_text(b"\x1e\xbf", 8) == "ế"
    assert decode_text(b"\x1e\xbf", 0x18) == "ế"
    assert decode_text(b"\x01\xff", 4) == "01ff"


def test_other_headers_are_passed_over() -> None:
    """A port address before the joining element, and a header that joins nothing."""
    ports = b"\x05\x04\x0b\x84\x23\xf0"
    both = SubmitSm(esm_class=0x40, short_message=b"\x0b" + ports + b"\x00\x03\x07\x02\x01text")
    assert read_piece(both) == Piece(b"text", 0, 1, 2, "8:07")
    alone = SubmitSm(esm_class=0x40, short_message=b"\x06" + ports + b"text")
    assert read_piece(alone) == Piece(b"text", 0)


def test_another_text_under_the_same_reference_begins_anew() -> None:
    """References wrap: what is left of an old message must not end up in a new one."""
    old, new = cut("a" * 300, 7), cut("b" * 300, 7)
    handset = Handset()
    assert _show(handset, _submit(old[0])) is None
    assert _show(handset, _submit(new[0])) is None
    sms = _show(handset, _submit(new[1]))
    assert sms is not None
    assert sms.text == "b" * 300


def test_parts_for_different_telephones_do_not_mix() -> None:
    """The same reference is used for many receivers."""
    parts = cut("c" * 300, 7)
    handset = Handset()
    assert _show(handset, _submit(parts[0], "84900000001")) is None
    assert _show(handset, _submit(parts[1], "84900000002")) is None
