"""/errors on the admin listener: every code of the API with cause and fix, for programs and for people."""

from collections.abc import Iterator
from html import escape
from typing import Final

import msgspec

from bocau.wire.esms.codes import CODES, Code
from bocau.wire.esms.codes_vi import IN_VIETNAMESE

__all__ = ["as_html", "as_json", "entry", "wants_html"]

_HEAD: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Codes of the eSMS API</title>
<meta name="viewport" content="width=device-width">
<h1>Codes of the eSMS API</h1>
<p>CodeResult and ErrorMessage as bocau answers them, with cause and fix. Codes in brackets are never answered by this
version; clients know them all the same.</p>
<table border="1" cellpadding="6">
<tr><th>Code</th><th>Text</th><th>Applies to</th><th>Cause and fix</th><th lang="vi">Nguyên nhân và cách xử lý</th></tr>
"""
_TAIL: Final = "</table>\n</html>\n"


def entry(row: Code) -> dict[str, object]:
    """A code as a document, in both languages."""
    vietnamese = IN_VIETNAMESE[row.code]
    return {
        "code": row.code,
        "text": row.text,
        "applies_to": row.applies_to,
        "answered": row.emitted,
        "en": {"name": row.name, "cause": row.cause, "fix": row.fix},
        "vi": vietnamese._asdict(),
    }


def as_json() -> bytes:
    """All codes as one JSON array."""
    return msgspec.json.encode([entry(row) for row in CODES.values()])


def as_html() -> bytes:
    """All codes as a page that needs nothing else; every code is an anchor."""
    return f"{_HEAD}{''.join(_lines())}{_TAIL}".encode()


def _lines() -> Iterator[str]:
    for row in CODES.values():
        vietnamese = IN_VIETNAMESE[row.code]
        number = escape(row.code if row.emitted else f"({row.code})")
        cells = (f"{row.name}. {row.cause}", row.fix), (f"{vietnamese.name}. {vietnamese.cause}", vietnamese.fix)
        english, local = ("<br>".join(escape(text[:1].upper() + text[1:]) for text in pair) for pair in cells)
        yield (
            f'<tr id="{escape(row.code)}"><td>{number}</td><td>{escape(row.text)}</td><td>{escape(row.applies_to)}</td>'
            f'<td>{english}</td><td lang="vi">{local}</td></tr>\n'
        )


def wants_html(accept: bytes) -> bool:
    """Whether an Accept header names HTML and does not name JSON before it, as browsers send it."""
    kinds = [kind.partition(b";")[0].strip().lower() for kind in accept.split(b",")]
    html = next((at for at, kind in enumerate(kinds) if kind in (b"text/html", b"application/xhtml+xml")), None)
    return html is not None and b"application/json" not in kinds[:html]
