"""From a text to the parts that carriers take, and how many there will be (esms-api 8.4, promises 4.5).

One part holds 160 septets or 70 UTF-16 units. Several parts lose room to the header that joins them (TS 23.040,
9.2.3.24): with an 8-bit reference 153 and 67 remain, with a 16-bit reference 152 and 66. A customer pays by the 8-bit
counts, whatever the carrier's profile; the few texts between the two limits take one part more on the wire.
"""

from typing import Final, Literal, NamedTuple

from bocau.wire.gsm.alphabet import ESCAPE, GsmError, decode, encode, septets

__all__ = [
    "LATIN1_CODING",
    "MOST_PARTS",
    "UCS2_CODING",
    "Alphabet",
    "Measure",
    "Part",
    "Profile",
    "cut",
    "encode_part",
    "measure",
    "sar_parameters",
    "split",
    "user_data_headers",
]

Alphabet = Literal["gsm", "ucs2"]

MOST_PARTS: Final = 255
"""The header counts parts in one octet."""
LATIN1_CODING: Final = 3
"""data_coding of Latin-1 (SMPP 3.4, 5.2.19)."""
UCS2_CODING: Final = 8
"""data_coding of UCS-2, big-endian (SMPP 3.4, 5.2.19)."""

_SAR_REFERENCE: Final = 0x020C
_SAR_TOTAL: Final = 0x020E
_SAR_INDEX: Final = 0x020F
_MESSAGE_PAYLOAD: Final = 0x0424
_SEPTETS_ALONE: Final = 160
_UNITS_ALONE: Final = 70
_UDHI: Final = 0x40
_HIGH_SURROGATES: Final = range(0xD8, 0xDC)


class Measure(NamedTuple):
    """What a text costs: its alphabet, its length and its number of parts."""

    alphabet: Alphabet
    units: int
    """Septets of the GSM alphabet, an extension sign being two; or UTF-16 units, an emoji being two."""
    parts: int
    """At least 1. With an 8-bit reference, exactly as many as `split` makes; may exceed MOST_PARTS."""


class Profile(NamedTuple):
    """How one carrier wants its octets."""

    octets: Literal["gsm", "latin-1"] = "gsm"
    """Text of the GSM alphabet goes out as unpacked septets, or as Latin-1 that the carrier converts."""
    sixteen_bit: bool = False
    """The joining header holds a 16-bit reference instead of an 8-bit one."""
    data_coding: int = 0
    """Of text of the GSM alphabet: 0 is the carrier's default, LATIN1_CODING says so aloud. UCS-2 is always 8."""
    joining: Literal["udh", "sar", "payload"] = "udh"
    """How the parts of a long text are told to belong together: a header in each, sar_* parameters beside each, or not
    at all: the whole text goes in one message_payload, and the carrier cuts it (promises 4.5)."""


class Part(NamedTuple):
    """One short_message, ready for a PDU."""

    data: bytes
    """The header, if any, and the text; at most 160 octets, and 140 for UCS-2."""
    data_coding: int
    udhi: bool
    """The data begins with a user data header."""
    tlvs: tuple[tuple[int, bytes], ...] = ()
    """Optional parameters that join it to the others, or that hold the text in place of the data."""

    @property
    def esm_class(self) -> int:
        """The SMPP esm_class: 0x40 with a header, else 0 (SMPP 3.4, 5.2.12)."""
        return _UDHI if self.udhi else 0


_PLAIN: Final = Profile()


def measure(text: str) -> Measure:
    """Alphabet, length and number of parts of a text, in the cheapest alphabet that holds it. Text is NFC already.

    Raises GsmError for a lone surrogate.
    """
    octets = septets(text)
    if octets is not None:
        units = len(octets)
        if units <= _SEPTETS_ALONE:
            return tuple.__new__(Measure, ("gsm", units, 1))  # as Measure(...), at half its cost
        return Measure("gsm", units, len(_split_septets(octets, 153)))
    octets = _ucs2(text)
    units = len(octets) // 2
    return Measure("ucs2", units, 1 if units <= _UNITS_ALONE else len(_split_units(octets, 67)))


def split(text: str, alphabet: Alphabet, *, sixteen_bit: bool = False) -> list[bytes]:
    """The text of each part without header: unpacked septets, or UTF-16 big-endian.

    Neither an escape and its code nor a surrogate pair is ever parted. Raises GsmError if the alphabet cannot hold
    the text.
    """
    if alphabet == "gsm":
        octets = encode(text)
        return [octets] if len(octets) <= _SEPTETS_ALONE else _split_septets(octets, 152 if sixteen_bit else 153)
    octets = _ucs2(text)
    return [octets] if len(octets) <= 2 * _UNITS_ALONE else _split_units(octets, 66 if sixteen_bit else 67)


def user_data_headers(reference: int, total: int, index: int, *, sixteen_bit: bool) -> bytes:
    """The header that joins part `index` (from 1) of `total` (TS 23.040, 9.2.3.24.1 and 9.2.3.24.8).

    Six octets with an 8-bit reference, seven with a 16-bit one; of a larger reference the low bits are used. Raises
    GsmError unless 1 <= index <= total <= 255.
    """
    if not 1 <= index <= total <= MOST_PARTS:
        raise GsmError(f"no header for part {index} of {total}")
    if sixteen_bit:
        return bytes((6, 8, 4, reference >> 8 & 0xFF, reference & 0xFF, total, index))
    return bytes((5, 0, 3, reference & 0xFF, total, index))


def cut(text: str, reference: int, profile: Profile = _PLAIN) -> list[Part]:
    """All parts of a text for one carrier; one part has no header. Text is NFC already.

    Under a Latin-1 profile a text with € or Greek letters, which Latin-1 lacks, goes as UCS-2: nothing is replaced,
    but it may take more parts than were measured. Raises GsmError for a lone surrogate or more than MOST_PARTS parts.
    """
    pieces, data_coding = _pieces(text, profile)
    total = len(pieces)
    if total == 1:
        return [tuple.__new__(Part, (pieces[0], data_coding, False, ()))]  # as Part(...), at half its cost
    if profile.joining == "payload":
        return [Part(b"", data_coding, False, ((_MESSAGE_PAYLOAD, b"".join(pieces)),))]
    if total > MOST_PARTS:
        raise GsmError(f"{total} parts; a header counts to {MOST_PARTS}")
    if profile.joining == "sar":
        return [
            Part(piece, data_coding, False, sar_parameters(reference, total, index))
            for index, piece in enumerate(pieces, 1)
        ]
    wide = profile.sixteen_bit
    return [
        Part(user_data_headers(reference, total, index, sixteen_bit=wide) + piece, data_coding, True)
        for index, piece in enumerate(pieces, 1)
    ]


def sar_parameters(reference: int, total: int, index: int) -> tuple[tuple[int, bytes], ...]:
    """The parameters that join part `index` (from 1) of `total` (SMPP 3.4, 5.3.2.22 to 5.3.2.24)."""
    return (
        (_SAR_REFERENCE, (reference & 0xFFFF).to_bytes(2, "big")),
        (_SAR_TOTAL, bytes((total,))),
        (_SAR_INDEX, bytes((index,))),
    )


def encode_part(text: str, reference: int, index: int, profile: Profile = _PLAIN) -> Part:
    """Part `index` (from 1) of a text, the same bytes as in `cut`: for offering one part again. Raises GsmError."""
    parts = cut(text, reference, profile)
    if not 1 <= index <= len(parts):
        raise GsmError(f"no part {index} of {len(parts)}")
    return parts[index - 1]


def _pieces(text: str, profile: Profile) -> tuple[list[bytes], int]:
    """The parts without headers, and their data_coding."""
    octets = septets(text)
    if octets is None:
        return split(text, "ucs2", sixteen_bit=profile.sixteen_bit), UCS2_CODING
    pieces = [octets]
    if len(octets) > _SEPTETS_ALONE:
        pieces = _split_septets(octets, 152 if profile.sixteen_bit else 153)
    if profile.octets == "latin-1":
        # Room is still counted in septets: that is what the carrier makes of it.
        try:
            pieces = [decode(piece).encode("latin-1") for piece in pieces]
        except UnicodeEncodeError:
            return split(text, "ucs2", sixteen_bit=profile.sixteen_bit), UCS2_CODING
    return pieces, profile.data_coding


def _ucs2(text: str) -> bytes:
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        raise GsmError("text has a lone surrogate") from None


def _split_septets(octets: bytes, room: int) -> list[bytes]:
    """Pieces of at most `room` septets; an escape that would end a piece begins the next."""
    pieces = []
    start = 0
    size = len(octets)
    while start < size:
        end = start + room
        if end < size and octets[end - 1] == ESCAPE:
            end -= 1
        pieces.append(octets[start:end])
        start = end
    return pieces


def _split_units(octets: bytes, room: int) -> list[bytes]:
    """Pieces of at most `room` UTF-16 units; a high surrogate that would end a piece begins the next."""
    pieces = []
    start = 0
    size = len(octets)
    while start < size:
        end = start + 2 * room
        if end < size and octets[end - 2] in _HIGH_SURROGATES:
            end -= 2
        pieces.append(octets[start:end])
        start = end
    return pieces
