"""The PDUs as a person can read them: golden/*.txt holds the octets of each beside what its fields mean."""

from pathlib import Path

import pytest

from bocau.wire.smpp.codec import Framer, decode, encode
from bocau.wire.smpp.fields import LAYOUTS
from bocau.wire.smpp.pdu import COMMAND_NAMES, Pdu
from bocau.wire.smpp.status import status_name
from bocau.wire.smpp.tlv import TLVS, tlv_value

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.txt"))


def split(path: Path) -> tuple[bytes, list[str]]:
    """The octets and the field lines of a golden file: a title, `hex`, `fields`."""
    _, _, rest = path.read_text("utf-8").partition("\nhex\n")
    octets, _, fields = rest.partition("\nfields\n")
    return bytes.fromhex(octets), [line.strip() for line in fields.splitlines() if line.strip()]


def described(pdu: Pdu) -> list[str]:
    """The lines that tell a PDU."""
    lines = [
        f"command = {COMMAND_NAMES.get(pdu.command, hex(pdu.command))}",
        f"status = {status_name(pdu.status)}",
        f"sequence = {pdu.sequence}",
    ]
    *values, tlvs = pdu.body if pdu.command in LAYOUTS else (*pdu.body, ())
    names = [field.name for field in LAYOUTS[pdu.command].fields] if pdu.command in LAYOUTS else ["data"]
    for name, value in zip(names, values, strict=True):
        if isinstance(value, tuple):
            lines += [f"{name} {number} = {one!r}" for number, one in enumerate(value, 1)]
        else:
            lines.append(f"{name} = {value!r}")
    for tag, data in tlvs:
        name = TLVS[tag].name if tag in TLVS else "unknown"
        lines.append(f"tlv 0x{tag:04X} {name} = {tlv_value(tag, data)!r}")
    return lines


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_octets_of_a_golden_pdu_mean_what_stands_beside_them(path: Path) -> None:
    """Decoding gives the fields as written, and encoding gives the octets back."""
    octets, lines = split(path)
    (frame,) = Framer().feed(octets)
    pdu = decode(frame)
    assert described(pdu) == lines
    assert encode(pdu) == octets


def test_every_command_has_a_golden_file() -> None:
    """Whoever adds a PDU shows how it looks."""
    shown = {decode(next(Framer().feed(split(path)[0]))).command for path in GOLDEN}
    assert shown >= set(COMMAND_NAMES)
