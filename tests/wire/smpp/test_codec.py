"""Every PDU survives the wire, and no bytes do harm."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.smpp import codec
from bocau.wire.smpp.codec import MAX_PDU_SIZE, Frame, Framer, decode, encode
from bocau.wire.smpp.fields import LAYOUTS, Field, decode_body
from bocau.wire.smpp.pdu import (
    RESPONSE_BIT,
    BadBody,
    Body,
    BrokenFrame,
    Command,
    DeliverSm,
    DistributionList,
    Empty,
    Failure,
    FieldError,
    MessageIdResp,
    Pdu,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    Unknown,
)
from bocau.wire.smpp.status import Status

CHARACTERS = st.characters(min_codepoint=1, max_codepoint=255)
U8 = st.integers(0, 255)
U32 = st.integers(0, 0xFFFFFFFF)
TLVS = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=12)), max_size=3).map(tuple)


def texts(limit: int) -> st.SearchStrategy[str]:
    return st.text(CHARACTERS, max_size=limit - 1)


SME = st.builds(SmeAddress, U8, U8, texts(21))
DESTINATIONS = st.lists(SME | st.builds(DistributionList, texts(21)), max_size=5).map(tuple)
FAILURES = st.lists(st.builds(Failure, U8, U8, texts(21), U32), max_size=5).map(tuple)
SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    "short_message": st.binary(max_size=254),
    "dest_addresses": DESTINATIONS,
    "unsuccess_smes": FAILURES,
}


def values(field: Field) -> st.SearchStrategy[Any]:
    if field.name in SPECIAL:
        return SPECIAL[field.name]
    is_number = field.encode.__name__ == "_encode_number"
    return st.integers(0, 256**field.limit - 1) if is_number else texts(field.limit)


@st.composite
def pdus(draw: st.DrawFn) -> Pdu:
    """Any PDU that can be said, of any command in the table or outside it."""
    command = draw(st.sampled_from(sorted(LAYOUTS)))
    layout = LAYOUTS[command]
    body = layout.make([*(draw(values(field)) for field in layout.fields), draw(TLVS)])
    return Pdu(command, draw(U32), draw(U32), body)


def shorts(kind: Callable[..., Any]) -> st.SearchStrategy[Any]:
    layout = LAYOUTS[Command.SUBMIT_SM]
    return st.builds(kind, *(values(field) for field in layout.fields), TLVS)


def one(data: bytes) -> Frame:
    (frame,) = Framer().feed(data)
    return frame


@given(pdus())
def test_every_pdu_comes_back_as_it_was_sent(pdu: Pdu) -> None:
    """decode(encode(x)) == x, for each command and any status."""
    assert decode(one(encode(pdu))) == pdu


@given(st.integers(0, 0xFFFFFFFF).filter(lambda c: c not in LAYOUTS), U32, U32, st.binary(max_size=40))
def test_a_pdu_of_an_unknown_command_survives_octet_for_octet(
    command: int, status: int, sequence: int, body: bytes
) -> None:
    """What we do not know we do not lose."""
    pdu = Pdu(command, status, sequence, Unknown(body))
    assert decode(one(encode(pdu))) == pdu


@given(shorts(SubmitSm), U32)
def test_the_fast_submit_is_the_table_s_submit(body: SubmitSm, sequence: int) -> None:
    """Both ways of encoding and decoding agree on every regular value."""
    octets = codec.encode_submit_sm(sequence, body)
    assert octets == encode(Pdu(Command.SUBMIT_SM, 0, sequence, body))
    assert codec.decode_submit_sm(one(octets)) == body


@given(shorts(DeliverSm), U32)
def test_the_fast_deliver_is_the_table_s_deliver(body: DeliverSm, sequence: int) -> None:
    """Both ways of encoding and decoding agree on every regular value."""
    octets = codec.encode_deliver_sm(sequence, body)
    assert octets == encode(Pdu(Command.DELIVER_SM, 0, sequence, body))
    decoded = codec.decode_deliver_sm(one(octets))
    assert decoded == body
    assert type(decoded) is DeliverSm


def outcome(act: Callable[[], object]) -> object:
    try:
        return act()
    except BadBody as bad:
        return (bad.command, bad.sequence, bad.status, bad.reason)


@given(shorts(DeliverSm), st.data())
def test_the_fast_decoders_agree_with_the_table_on_damaged_bodies(body: DeliverSm, data: st.DataObject) -> None:
    """Cut or changed anywhere, a body gives the same value or the same complaint."""
    octets = bytearray(encode(Pdu(Command.DELIVER_SM, 0, 9, body))[16:])
    for _ in range(data.draw(st.integers(0, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(U8)
    cut = bytes(octets[: data.draw(st.integers(0, len(octets)))])
    frame = Frame(Command.DELIVER_SM, 0, 9, cut)
    assert outcome(lambda: codec.decode_deliver_sm(frame)) == outcome(lambda: decode(frame).body)


@given(st.sampled_from((0, Status.THROTTLED)), st.binary(max_size=70))
def test_the_fast_answer_id_is_the_table_s_answer_id(status: int, body: bytes) -> None:
    """The id of a submit_sm_resp is read the same way on both paths, whatever stands there."""
    frame = Frame(Command.SUBMIT_SM_RESP, status, 1, body)
    table = decode(frame).body
    assert isinstance(table, MessageIdResp)
    assert codec.decode_answer_id(frame) == table.message_id


@given(U32, U32)
def test_the_fast_deliver_answer_is_the_table_s(status: int, sequence: int) -> None:
    """Its empty message_id is there with every status."""
    expected = encode(Pdu(Command.DELIVER_SM_RESP, status, sequence, MessageIdResp()))
    assert codec.encode_deliver_sm_resp(status, sequence) == expected
    assert len(expected) == 17


@pytest.mark.parametrize(
    "wrong",
    [
        {"service_type": "abcdef"},
        {"source_addr": "x" * 21},
        {"source_addr": "a\0b"},
        {"source_addr": "Việt"},
        {"source_addr_ton": 256},
        {"dest_addr_npi": -1},
        {"destination_addr": "8" * 21},
        {"schedule_delivery_time": "0" * 17},
        {"validity_period": "0" * 17},
        {"registered_delivery": 0x110000},
        {"short_message": b"x" * 255},
        {"tlvs": ((0x10000, b""),)},
        {"tlvs": ((-1, b""),)},
        {"tlvs": ((0x424, b"x" * 65536),)},
        {"tlvs": ((0x424, b"x" * 65500),)},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_value_that_does_not_fit_is_refused_on_both_paths_alike(wrong: dict[str, Any]) -> None:
    """FieldError, with the same words, and nothing is cut to size behind the caller's back."""
    body = SubmitSm(destination_addr="84901234567")._replace(**wrong)
    with pytest.raises(FieldError) as fast:
        codec.encode_submit_sm(1, body)
    with pytest.raises(FieldError) as table:
        encode(Pdu(Command.SUBMIT_SM, 0, 1, body))
    assert str(fast.value) == str(table.value)


@pytest.mark.parametrize(
    "pdu",
    [
        Pdu(Command.SUBMIT_SM, 0, 1, MessageIdResp("1")),
        Pdu(Command.SUBMIT_SM, 0, 1, Unknown(b"")),
        Pdu(0x12345, 0, 1, MessageIdResp("1")),
        Pdu(Command.ENQUIRE_LINK, 0, 1 << 32, Empty()),
        Pdu(Command.SUBMIT_MULTI, 0, 1, SubmitMulti(dest_addresses=(SmeAddress(),) * 255)),
        Pdu(Command.SUBMIT_MULTI_RESP, 0, 1, SubmitMultiResp(unsuccess_smes=(Failure(),) * 255)),
    ],
)
def test_a_pdu_that_cannot_be_is_refused(pdu: Pdu) -> None:
    """A body of another command, or a header beyond 32 bits, is our own mistake and says so."""
    with pytest.raises(FieldError):
        encode(pdu)


def submit_octets(short_message: bytes = b"") -> bytes:
    return encode(Pdu(Command.SUBMIT_SM, 0, 1, SubmitSm(short_message=short_message)))[16:]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", Status.INVALID_SERVICE_TYPE),
        (b"toolong\0", Status.INVALID_SERVICE_TYPE),
        (b"\0\5", Status.INVALID_COMMAND_LENGTH),
        (b"\0\5\0" + b"x" * 30, Status.INVALID_SOURCE),
        (b"\0\5\0X\0\1\1" + b"8" * 21 + b"\0", Status.INVALID_DESTINATION),
        (b"\0\5\0X\0\1\1" + b"8\0" + b"\0\0\0" + b"s" * 20, Status.INVALID_SCHEDULE),
        (b"\0\5\0X\0\1\1" + b"8\0" + b"\0\0\0\0" + b"v" * 20, Status.INVALID_EXPIRY),
        (submit_octets()[:-1], Status.INVALID_MESSAGE_LENGTH),
        (submit_octets(short_message=b"hello")[:-1], Status.INVALID_MESSAGE_LENGTH),
        (submit_octets() + b"\x04", Status.INVALID_TLV_STREAM),
        (submit_octets() + b"\x04\x24\0\5hell", Status.INVALID_TLV_STREAM),
    ],
)
def test_a_bad_body_names_the_status_to_answer_with(body: bytes, status: int) -> None:
    """The sender learns which field was wrong."""
    with pytest.raises(BadBody) as caught:
        decode(Frame(Command.SUBMIT_SM, 0, 7, body))
    assert (caught.value.command, caught.value.sequence, caught.value.status) == (Command.SUBMIT_SM, 7, status)


@pytest.mark.parametrize(
    ("body", "message_id"),
    [
        (b"", ""),
        (b"\0", ""),
        (b"abc\0", "abc"),
        (b"abc", "abc"),
        (b"x" * 200 + b"\0", "x" * 200),
        (b"abc\0\4\x24\0", "abc"),
    ],
    ids=["no body", "empty", "usual", "no NUL", "overlong", "broken tail"],
)
def test_a_sloppy_answer_is_still_understood(body: bytes, message_id: str) -> None:
    """Nobody can be told that an answer was wrong, so what can be read of it is."""
    frame = Frame(Command.SUBMIT_SM_RESP, 0, 1, body)
    assert codec.decode_answer_id(frame) == message_id
    assert decode(frame).body == MessageIdResp(message_id)


def test_a_destination_of_no_known_kind_is_a_bad_body() -> None:
    """dest_flag is 1 or 2."""
    body = encode(Pdu(Command.SUBMIT_MULTI, 0, 1, SubmitMulti(dest_addresses=(DistributionList("x"),))))[16:]
    with pytest.raises(BadBody) as caught:
        decode(Frame(Command.SUBMIT_MULTI, 0, 1, body.replace(b"\2x", b"\3x")))
    assert caught.value.status == Status.INVALID_DESTINATION_COUNT


def test_an_answer_with_an_endless_id_is_a_bad_body() -> None:
    """Leniency has a bound."""
    with pytest.raises(BadBody):
        codec.decode_answer_id(Frame(Command.SUBMIT_SM_RESP, 0, 1, b"x" * 256))


@given(st.sampled_from(sorted(LAYOUTS)), st.binary(max_size=80))
def test_garbage_in_a_body_raises_nothing_but_bad_body(command: int, body: bytes) -> None:
    """A complaint names the PDU it is about, and what is accepted can be said again."""
    value = outcome(lambda: decode_body(command, 5, body))
    if type(value) is tuple:
        assert value[:2] == (command, 5)
    elif not command & RESPONSE_BIT and len(getattr(value, "short_message", b"")) < 255:
        assert decode_body(command, 5, encode(Pdu(command, 0, 5, cast("Body", value)))[16:]) == value


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_garbage_in_the_stream_raises_nothing_but_broken_frame(chunks: list[bytes]) -> None:
    """Whatever comes, in whatever pieces."""
    framer = Framer()
    try:
        for chunk in chunks:
            for frame in framer.feed(chunk):
                outcome(lambda frame=frame: decode(frame))  # type: ignore[misc]
    except BrokenFrame:
        pass


@given(st.lists(pdus(), min_size=1, max_size=3), st.lists(st.integers(0, 400), max_size=6))
def test_a_stream_cut_anywhere_gives_the_same_pdus(sent: list[Pdu], cuts: list[int]) -> None:
    """Where TCP cuts the stream means nothing."""
    stream = b"".join(encode(pdu) for pdu in sent)
    framer = Framer()
    edges = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    found = [decode(frame) for left, right in pairwise(edges) for frame in framer.feed(stream[left:right])]
    assert found == sent


@pytest.mark.parametrize("length", [0, 15, MAX_PDU_SIZE + 1, 0xFFFFFFFF])
def test_a_length_out_of_bounds_breaks_the_frame_after_the_good_ones(length: int) -> None:
    """The PDUs before the break are handed out first."""
    good = encode(Pdu(Command.ENQUIRE_LINK, 0, 1, Empty()))
    frames = Framer().feed(good + length.to_bytes(4, "big") + bytes(12))
    assert next(frames).command == Command.ENQUIRE_LINK
    with pytest.raises(BrokenFrame):
        next(frames)


def test_the_longest_pdu_passes_byte_by_byte() -> None:
    """65,536 octets, one at a time, are one PDU."""
    tlvs = ((0x0424, b"x" * 65000), (0x1500, b"y" * (MAX_PDU_SIZE - 16 - 65000 - 8 - len(submit_octets()))))
    octets = codec.encode_submit_sm(1, SubmitSm(tlvs=tlvs))
    assert len(octets) == MAX_PDU_SIZE
    framer = Framer()
    frames = [frame for octet in octets for frame in framer.feed(bytes((octet,)))]
    assert [codec.decode_submit_sm(frame).tlvs for frame in frames] == [tlvs]
