"""XML bodies: requests to plain parameters, answers to elements (esms-api 1.4, 3.1; promises, section 3).

The parser never sees a document type, an entity of anybody's making or a reference to another file: a text with `<!`
in it is refused before it is read. Everything that cannot be decoded raises `Malformed` and nothing else.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.parsers import expat

import msgspec

from bocau.wire.esms.names import MAX_ELEMENTS, MAX_XML_DEPTH, Malformed, Vocabulary

__all__ = ["as_xml", "read_xml"]

_CONTACTS: Final = "contacts"
_PHONE: Final = "phone"
_BARE_AMPERSAND: Final = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)")
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def read_xml(text: str, vocabulary: Vocabulary) -> dict[str, str]:
    """The parameters in a document: the children of its root, whatever the root is called, by canonical name.

    Every PHONE at any depth under CONTACTS is a receiver; several become one text, parted by commas, which goes before
    a PHONE beside CONTACTS. A document that is not well-formed is read once more with its bare `&` escaped, because
    clients put texts in as they are. Namespaces and attributes do not matter. Raises Malformed.
    """
    if "<!" in text:
        raise Malformed("the body has a document type, a comment or a CDATA section")
    reader = _read(text, vocabulary)
    if reader is None and text.count("&") < MAX_ELEMENTS:
        reader = _read(_BARE_AMPERSAND.sub("&amp;", text), vocabulary)
    if reader is None:
        raise Malformed("the body is not well-formed XML")
    if reader.phones and vocabulary.fold(_PHONE):
        reader.values[_PHONE] = ",".join(reader.phones)
    return reader.values


def _read(text: str, vocabulary: Vocabulary) -> "_Reader | None":
    """A document that was read whole; None if it is not well-formed. Raises Malformed for what is beyond the caps."""
    reader = _Reader(vocabulary)
    parser = expat.ParserCreate(encoding="utf-8")  # whatever the document declares: the text was decoded before
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    fault = ""
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError:
        return None
    except Malformed as error:
        fault = str(error)
    if fault:  # raised outside the handler, so that nothing of the parser hangs on to it
        raise Malformed(fault)
    return reader


class _Reader:
    """Collects the text of leaves as the parser walks."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.values: dict[str, str] = {}
        self.phones: list[str] = []
        self._vocabulary = vocabulary
        self._path: list[str] = []
        self._pieces: list[str] = []
        self._elements = 0
        self._leaf = False

    def start(self, name: str, _attributes: Mapping[str, str]) -> None:
        """An element begins; what stood before it in its parent is the text of no leaf."""
        self._elements += 1
        if len(self._path) == MAX_XML_DEPTH or self._elements > MAX_ELEMENTS:
            raise Malformed("the body is nested too deeply or has too many elements")
        self._path.append(name.rpartition(":")[2].lower())
        self._pieces.clear()
        self._leaf = True

    def characters(self, text: str) -> None:
        """Text, which counts if a leaf ends after it."""
        self._pieces.append(text)

    def end(self, _name: str) -> None:
        """An element ends."""
        name, depth, leaf = self._path[-1], len(self._path), self._leaf
        if depth == 2:
            self._child(name, leaf)
        elif depth > 2 and leaf and name == _PHONE and self._path[1] == _CONTACTS:
            self.phones.append("".join(self._pieces).strip())
        self._path.pop()
        self._leaf = False

    def _child(self, name: str, leaf: bool) -> None:
        """A child of the root: a parameter, the list of receivers, or foreign."""
        known = self._vocabulary.fold(name)
        if known is None:
            return
        if not leaf:
            raise Malformed("a plain value was expected")
        self.values[known] = "".join(self._pieces)


_MEMBERS: Final = msgspec.json.Decoder(dict[str, Any], float_hook=str)


def as_xml(body: bytes, root: str, order: Sequence[str]) -> bytes:
    """An answer that was made as JSON, as a document: the members named in `order`, in that order, where it has them.

    Numbers keep their digits. A sign that XML 1.0 cannot carry becomes U+FFFD. Raises KeyError for a member that has
    no place: nothing is dropped unseen.
    """
    members = _MEMBERS.decode(body)
    for name in members.keys() - set(order):
        raise KeyError(name)
    inside = "".join(f"<{name}>{_escaped(members[name])}</{name}>" for name in order if name in members)
    return f"<{root}>{inside}</{root}>".encode()


def _escaped(value: object) -> str:
    """A plain value as character data."""
    return _ILLEGAL.sub("\ufffd", str(value)).translate(_ESCAPES)
