"""The numbering that the settings ask for: the table shipped, and the operator's own over it."""

import pathlib

from bocau.core.numbering import Numbering, NumberingError, parse, shipped
from bocau.settings.sections import Settings

__all__ = ["read_numbering"]


def read_numbering(settings: Settings) -> Numbering:
    """The numbering in force: the table shipped, with the operator's own laid over it. Raises NumberingError."""
    name = settings.accept.telco_table
    if not name:
        return shipped()
    try:
        text = pathlib.Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise NumberingError(f"{name} cannot be read: {why}") from error
    try:
        return parse(text, shipped())
    except NumberingError as error:
        raise NumberingError(f"{name}: {error}") from error
