"""SRTP and SRTCP: the vectors of RFC 3711, what libsrtp is tested with, and two ends back to back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.aes import blocks
from bocau.wire.rtp import packet, rtcp
from bocau.wire.rtp.packet import BadPacket, RtpPacket
from bocau.wire.rtp.srtp import MASTER_SIZE, Opener, Sealer, _Keys, _stream

MASTER = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6")
OTHER = bytes(range(MASTER_SIZE))
PAYLOAD = bytes(range(160))


def rtp(sequence: int, ssrc: int = 7) -> bytes:
    """One packet with 20 ms."""
    return packet.encode(RtpPacket(8, sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, ssrc, PAYLOAD))


def test_the_key_stream_is_that_of_the_specification() -> None:
    """RFC 3711, appendix B.2, at both ends of its list."""
    salt = int.from_bytes(bytes.fromhex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000"), "big")
    enciphered = blocks(bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C"))
    assert _stream(enciphered, salt, 48).hex().upper() == (
        "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0"
    )


def test_keys_are_derived_as_specified() -> None:
    """RFC 3711, appendix B.3: key, salt and authentication key, each of its label."""
    derive, salt = blocks(MASTER[:16]), int.from_bytes(MASTER[16:], "big")

    def made(label: int, size: int) -> str:
        return _stream(derive, (salt ^ label << 48) << 16, size).hex().upper()

    assert made(0, 16) == "C61E7A93744F39EE10734AFE3FF7A087"
    assert made(2, 14) == "30CBBC08863D8C85D49DB34A9AE1"
    assert made(1, 20) == "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"


def test_a_packet_is_sealed_as_by_others() -> None:
    """The packet that libsrtp checks itself with."""
    plain = bytes.fromhex("800f1234decafbadcafebabe" + "ab" * 16)
    sealed = Sealer(blocks, MASTER).seal(plain)
    assert sealed.hex() == "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"
    assert Opener(blocks, MASTER).open(sealed) == plain


@pytest.mark.parametrize("begin", [0, 30_000, 65_530, 65_535])
def test_a_stream_is_opened_across_the_wrap_of_its_numbers(begin: int) -> None:
    """With losses and packets out of order; the index behind the number goes on counting."""
    sealer, opener = Sealer(blocks, MASTER), Opener(blocks, MASTER)
    sent = [(number, sealer.seal(rtp(number))) for number in range(begin, begin + 70_000)]
    for at in range(0, len(sent) - 4, 997):
        for number, sealed in (sent[at], sent[at + 2], sent[at + 1]):
            assert opener.open(sealed) == rtp(number)


def test_a_packet_is_heard_once() -> None:
    """A repetition, by the network or by somebody on the way, is dropped, within the window and before it."""
    sealer, opener = Sealer(blocks, MASTER), Opener(blocks, MASTER)
    sent = [sealer.seal(rtp(number)) for number in range(100)]
    for sealed in sent:
        opener.open(sealed)
    for sealed in (sent[99], sent[60], sent[0]):
        with pytest.raises(BadPacket, match="came before"):
            opener.open(sealed)


@given(st.integers(0, 181), st.integers(1, 255))
def test_a_packet_that_was_changed_is_not_heard_and_changes_nothing(at: int, change: int) -> None:
    """Whichever octet: the next true one is opened as if nothing had been."""
    sealer, opener = Sealer(blocks, MASTER), Opener(blocks, MASTER)
    opener.open(sealer.seal(rtp(1)))
    sealed = bytearray(sealer.seal(rtp(2)))
    true = bytes(sealed)
    sealed[at] ^= change
    with pytest.raises(BadPacket):
        opener.open(bytes(sealed))
    assert opener.open(true) == rtp(2)


@given(st.binary(max_size=300))
def test_garbage_raises_the_one_exception(data: bytes) -> None:
    """Nobody who lacks the key gets further."""
    opener = Opener(blocks, MASTER)
    for read in (opener.open, opener.open_report):
        with pytest.raises(BadPacket):
            read(data)


def test_another_key_opens_nothing() -> None:
    """Neither sound nor reports; and each key is whole."""
    sealer, opener = Sealer(blocks, MASTER), Opener(blocks, OTHER)
    report = rtcp.encode(rtcp.Compound(7, None, (), "us", False))
    with pytest.raises(BadPacket, match="not authentic"):
        opener.open(sealer.seal(rtp(1)))
    with pytest.raises(BadPacket, match="not authentic"):
        opener.open_report(sealer.seal_report(report))
    with pytest.raises(ValueError, match="29 octets"):
        Sealer(blocks, OTHER[:-1])


def test_reports_are_opened_once_each() -> None:
    """SRTCP has an index of its own in each packet."""
    sealer, opener = Sealer(blocks, MASTER), Opener(blocks, MASTER)
    report = rtcp.encode(rtcp.Compound(7, None, (), "us", False))
    sealed = [sealer.seal_report(report) for _ in range(3)]
    assert len(set(sealed)) == 3
    assert [opener.open_report(one) for one in sealed] == [report] * 3
    assert report[8:] not in sealed[0]
    with pytest.raises(BadPacket, match="came before"):
        opener.open_report(sealed[1])


def test_sources_and_extensions_stay_readable() -> None:
    """Only the payload is enciphered (RFC 3711 3.1)."""
    plain = bytes.fromhex("9108000100000000 00000007 00000009 BEDE0001 00000000".replace(" ", "")) + PAYLOAD
    keys = _Keys(blocks, MASTER, 0)
    sealed = plain[:24] + keys.crypt(PAYLOAD, 7, 1)
    assert Opener(blocks, MASTER).open(sealed + keys.tag(sealed, bytes(4))) == plain
