"""The GSM alphabet, held against an independent codec."""

import gsm0338
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.gsm.alphabet import GsmError, count, decode, encode, is_gsm, septets

ORACLE = gsm0338.Codec()
EVERY_CHARACTER = [chr(code) for code in range(0x10000) if not 0xD800 <= code <= 0xDFFF]


def oracle_encodes(character: str) -> bytes | None:
    try:
        octets, _ = ORACLE.encode(character)
    except UnicodeEncodeError:
        return None
    return bytes(octets)


GSM_SIGNS = [c for c in EVERY_CHARACTER if c != "\x1b" and oracle_encodes(c) is not None]
gsm_text = st.text(st.sampled_from(GSM_SIGNS))


def test_each_character_is_encoded_as_the_independent_codec_does() -> None:
    """All characters of the basic plane agree; the escape is no character for us."""
    for character in EVERY_CHARACTER:
        expected = None if character == "\x1b" else oracle_encodes(character)
        assert septets(character) == expected, f"U+{ord(character):04X}"
        assert is_gsm(character) == (expected is not None)


def test_the_alphabet_has_137_signs() -> None:
    """127 in the default table without the escape, and ten in the extension."""
    assert len(GSM_SIGNS) == 137
    assert is_gsm("".join(GSM_SIGNS))


@given(gsm_text)
def test_what_is_encoded_decodes_to_itself(text: str) -> None:
    """Nothing is lost, and the independent codec reads our octets."""
    octets = encode(text)
    assert decode(octets) == text
    assert ORACLE.decode(octets)[0] == text
    assert count(text) == len(octets)


@given(st.text())
def test_any_text_is_encoded_or_refused_with_one_exception(text: str) -> None:
    """GsmError and the three questions agree about every text."""
    found = septets(text)
    assert is_gsm(text) == (found is not None)
    if found is None:
        with pytest.raises(GsmError):
            encode(text)
    else:
        assert encode(text) == found


@given(st.binary())
def test_any_octets_are_decoded_or_refused_with_one_exception(octets: bytes) -> None:
    """Septets always decode, whatever escapes they hold; higher octets never do."""
    if octets.isascii():
        assert is_gsm(decode(octets))
    else:
        with pytest.raises(GsmError):
            decode(octets)


@pytest.mark.parametrize("sign", list("^{}\\[~]|€\f"))
def test_extension_signs_count_twice(sign: str) -> None:
    """An escape and a code."""
    assert count(sign) == 2
    assert encode(sign)[0] == 0x1B


@pytest.mark.parametrize("sign", ["·", "“", "₫", "`", "ç", "ạ", "ê", "\t", "\0", "\x1b", "\u200b", "😀"])
def test_one_foreign_sign_makes_the_whole_text_foreign(sign: str) -> None:
    """A dot, a quote, a currency sign: all look harmless and cost a customer money."""
    assert not is_gsm("Ma cua ban la 4821" + sign)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"a\x1b", "a "),
        (b"\x1b\x1ba", " a"),
        (b"\x1bA", "A"),
        (b"\x1b\x00", "@"),
        (b"\x1b\x1b\x1be", " €"),
    ],
)
def test_odd_escapes_decode_as_a_handset_shows_them(octets: bytes, text: str) -> None:
    """TS 23.038, 6.2.1.1: an unknown escaped code is its default sign, an escape alone a space."""
    assert decode(octets) == text
