"""From a text to parts: sizes, limits, headers and octets."""

from collections.abc import Callable
from pathlib import Path

import gsm0338
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bocau.wire.gsm.alphabet import GsmError, decode, encode, is_gsm
from bocau.wire.gsm.parts import (
    LATIN1_CODING,
    MOST_PARTS,
    UCS2_CODING,
    Part,
    Profile,
    cut,
    encode_part,
    measure,
    split,
    user_data_headers,
)

GOLDEN = Path(__file__).parent / "golden" / "parts.txt"
ORACLE = gsm0338.Codec()
SEPTETS = Profile()
SEPTETS_16 = Profile(sixteen_bit=True)
LATIN1 = Profile("latin-1", data_coding=LATIN1_CODING)
LATIN1_16 = Profile("latin-1", sixteen_bit=True, data_coding=LATIN1_CODING)
PROFILES = [SEPTETS, SEPTETS_16, LATIN1, LATIN1_16]

gsm_texts = st.text(st.sampled_from("abc 019@é\n€[]{}^|~\\"), max_size=700)
wide_texts = st.text(st.sampled_from("aạđ é€😀🙂₫\n"), max_size=320).filter(lambda text: not is_gsm(text))
texts = gsm_texts | wide_texts


def body(part: Part) -> bytes:
    """The octets of a part without its header."""
    return part.data[part.data[0] + 1 :] if part.udhi else part.data


def read(parts: list[Part]) -> str:
    """The text as a handset reads it."""
    readers: dict[int, Callable[[bytes], str]] = {
        0: decode,
        LATIN1_CODING: lambda octets: octets.decode("latin-1"),
        UCS2_CODING: lambda octets: octets.decode("utf-16-be"),
    }
    return "".join(readers[part.data_coding](body(part)) for part in parts)


@pytest.mark.parametrize(
    ("length", "parts"),
    [(0, 1), (1, 1), (160, 1), (161, 2), (306, 2), (307, 3), (459, 3), (460, 4), (612, 4), (613, 5)],
)
def test_gsm_text_is_counted_by_160_then_153(length: int, parts: int) -> None:
    """The limits of esms-api 8.4."""
    assert measure("a" * length) == ("gsm", length, parts)


@pytest.mark.parametrize(
    ("length", "parts"), [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4), (268, 4), (269, 5)]
)
def test_other_text_is_counted_by_70_then_67(length: int, parts: int) -> None:
    """The limits of esms-api 8.4."""
    assert measure("ạ" * length) == ("ucs2", length, parts)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 304, 2),
        ("a" * 305, 3),
        ("ạ" * 132, 2),
        ("ạ" * 133, 3),
    ],
)
def test_a_sixteen_bit_reference_leaves_152_and_66(text: str, parts: int) -> None:
    """One octet more of header is one septet or one UTF-16 unit less of text."""
    assert len(cut(text, 1, SEPTETS_16)) == parts


def test_an_escape_pair_moves_whole_to_the_next_part() -> None:
    """306 septets do not fit two parts if a pair lies across the boundary."""
    text = "a" * 152 + "€" + "a" * 152
    assert measure(text) == ("gsm", 306, 3)
    assert [len(piece) for piece in split(text, "gsm")] == [152, 153, 1]


def test_an_escape_pair_that_ends_a_part_stays() -> None:
    """A pair whose code is the 153rd septet fits."""
    text = "a" * 151 + "€" + "a" * 153
    assert measure(text) == ("gsm", 306, 2)


def test_a_surrogate_pair_moves_whole_to_the_next_part() -> None:
    """134 units do not fit two parts if an emoji lies across the boundary."""
    text = "ạ" * 66 + "😀" + "ạ" * 66
    assert measure(text) == ("ucs2", 134, 3)
    assert [len(piece) // 2 for piece in split(text, "ucs2")] == [66, 67, 1]


def test_emoji_count_as_two_units() -> None:
    """35 of them fill a part."""
    assert measure("😀" * 35) == ("ucs2", 70, 1)
    assert measure("😀" * 36) == ("ucs2", 72, 2)


def by_hand(text: str) -> tuple[str, int]:
    """Alphabet and number of parts, by the rules of esms-api 8.4 one sign at a time, over a table of another author."""
    try:
        sizes = [len(ORACLE.encode(sign)[0]) for sign in text]
        alphabet, alone, each = "gsm", 160, 153
    except UnicodeEncodeError:
        sizes = [len(sign.encode("utf-16-be")) // 2 for sign in text]
        alphabet, alone, each = "ucs2", 70, 67
    if sum(sizes) <= alone:
        return alphabet, 1
    parts, room = 1, each
    for size in sizes:
        if size > room:
            parts, room = parts + 1, each
        room -= size
    return alphabet, parts


@given(texts | st.text(max_size=400))
def test_the_parts_are_those_that_are_counted_by_hand(text: str) -> None:
    """An independent count, sign by sign, for any text."""
    # The other table takes the escape for a sign of its own; to us it only announces one.
    assume(not any("\ud800" <= sign <= "\udfff" or sign == "\x1b" for sign in text))
    found = measure(text)
    assert (found.alphabet, found.parts) == by_hand(text)


@given(texts)
def test_measure_counts_exactly_the_parts_that_are_made(text: str) -> None:
    """A customer pays for what a carrier takes."""
    found = measure(text)
    pieces = split(text, found.alphabet)
    assert found.parts == len(pieces) == len(cut(text, 7))
    assert found.units == sum(map(len, pieces)) // (1 if found.alphabet == "gsm" else 2)


@given(texts, st.booleans())
def test_split_parts_join_to_the_text_and_each_reads_alone(text: str, sixteen_bit: bool) -> None:
    """No pair is torn: every piece decodes by itself, with the independent codec too."""
    alphabet = measure(text).alphabet
    pieces = split(text, alphabet, sixteen_bit=sixteen_bit)
    if alphabet == "gsm":
        assert "".join(ORACLE.decode(piece)[0] for piece in pieces) == text
    else:
        assert "".join(piece.decode("utf-16-be") for piece in pieces) == text


@given(texts, st.sampled_from(PROFILES), st.integers(0, 0xFFFF))
def test_every_part_fits_and_says_how_it_is_joined(text: str, profile: Profile, reference: int) -> None:
    """140 octets on the air, header included, whatever the profile; and the text comes back."""
    parts = cut(text, reference, profile)
    assert read(parts) == text
    for index, part in enumerate(parts, 1):
        assert part.udhi == (len(parts) > 1)
        assert part.esm_class == (0x40 if part.udhi else 0)
        header = len(part.data) - len(body(part))
        if part.data_coding == UCS2_CODING:
            assert len(part.data) <= 140
        else:
            septets = len(encode(read([part])))
            assert -(-header * 8 // 7) + septets <= 160
        if part.udhi:
            wide = profile.sixteen_bit
            assert part.data[:header] == user_data_headers(reference, len(parts), index, sixteen_bit=wide)
        assert encode_part(text, reference, index, profile) == part


def test_gsm_text_that_latin_1_lacks_goes_as_ucs2_under_that_profile() -> None:
    """The carrier could not read € in Latin-1, and nothing is replaced."""
    assert cut("5 €", 1, LATIN1) == [Part("5 €".encode("utf-16-be"), UCS2_CODING, False)]
    assert cut("5 £", 1, LATIN1) == [Part(b"5 \xa3", LATIN1_CODING, False)]


def test_latin_1_parts_are_cut_by_septets() -> None:
    """The carrier turns the octets into septets, where a bracket is two."""
    parts = cut("[" * 81, 1, LATIN1)
    assert [len(body(part)) for part in parts] == [76, 5]


@pytest.mark.parametrize(("total", "index"), [(2, 0), (2, 3), (256, 1), (0, 0)])
def test_a_header_that_cannot_be_is_refused(total: int, index: int) -> None:
    """Parts count from 1 to at most 255."""
    with pytest.raises(GsmError):
        user_data_headers(1, total, index, sixteen_bit=False)


def test_a_text_of_more_parts_than_a_header_counts_is_refused() -> None:
    """Measured it is, cut it is not."""
    text = "a" * (153 * MOST_PARTS)
    assert len(cut(text, 1)) == MOST_PARTS
    assert measure(text + "a").parts == MOST_PARTS + 1
    with pytest.raises(GsmError):
        cut(text + "a", 1)


def test_a_part_that_is_not_there_is_refused() -> None:
    """The only part of a short text is number 1."""
    with pytest.raises(GsmError):
        encode_part("a", 1, 2)
    with pytest.raises(GsmError):
        encode_part("a", 1, 0)


def test_a_lone_surrogate_is_refused() -> None:
    """It is no text; the door refuses it before."""
    for text in ("\ud83d", "a\ude00"):
        with pytest.raises(GsmError):
            measure(text)
        with pytest.raises(GsmError):
            cut(text, 1)


def test_text_outside_the_asked_alphabet_is_refused() -> None:
    """Nothing is replaced in silence."""
    with pytest.raises(GsmError):
        split("ạ", "gsm")


def rendered() -> str:
    """Every kind of part in hexadecimal, as the golden file has it."""
    cases = [
        ("one part, septets", "4821 @ {a}", 0x1234, SEPTETS),
        ("one part, Latin-1", "4821 @ {é}", 0x1234, LATIN1),
        ("one part, UCS-2", "Mã 4821 😀", 0x1234, SEPTETS),
        ("two parts, septets, 8-bit reference", "a" * 152 + "€" + "b" * 20, 0x1234, SEPTETS),
        ("two parts, septets, 16-bit reference", "a" * 160 + "b", 0x1234, SEPTETS_16),
        ("two parts, Latin-1, 8-bit reference", "é" * 160 + "b", 0x1234, LATIN1),
        ("two parts, UCS-2, 8-bit reference", "ạ" * 66 + "😀" + "bcd", 0x1234, SEPTETS),
        ("two parts, UCS-2, 16-bit reference", "ạ" * 70 + "b", 0x1234, SEPTETS_16),
    ]
    lines = []
    for title, text, reference, profile in cases:
        lines.append(f"# {title}, reference {reference:#06x}")
        for part in cut(text, reference, profile):
            lines.append(f"data_coding {part.data_coding}, esm_class {part.esm_class:#04x}, {len(part.data)} octets")
            octets = part.data.hex(" ")
            lines += [octets[start : start + 96].strip() for start in range(0, len(octets), 96)]
        lines.append("")
    return "\n".join(lines)


def test_the_octets_of_each_kind_of_part_are_as_recorded() -> None:
    """What carriers receive changes only by a reviewed act."""
    assert rendered() == GOLDEN.read_text("utf-8")


def test_parts_may_be_joined_by_parameters_instead_of_headers() -> None:
    """The text is cut at the same places, so that a customer pays for what goes out."""
    text = "a" * 400
    headers, parameters = cut(text, 0x1234), cut(text, 0x1234, Profile(joining="sar"))
    assert [part.data[6:] for part in headers] == [part.data for part in parameters]
    assert [part.esm_class for part in parameters] == [0, 0, 0]
    assert parameters[1].tlvs == ((0x020C, b"\x12\x34"), (0x020E, b"\x03"), (0x020F, b"\x02"))


def test_a_long_text_may_go_whole_in_one_payload() -> None:
    """The carrier cuts it (promises 4.5); a text of one part stays where it always is."""
    profile = Profile(joining="payload")
    (long,) = cut("Đ" * 200, 7, profile)
    assert (long.data, long.data_coding, long.udhi) == (b"", 8, False)
    assert long.tlvs == ((0x0424, ("Đ" * 200).encode("utf-16-be")),)
    (short,) = cut("4821", 7, profile)
    assert (short.data, short.tlvs) == (b"4821", ())
