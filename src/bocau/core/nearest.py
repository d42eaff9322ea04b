"""The word that was probably meant."""

import difflib
from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that names the closest known word, or nothing if none is close."""
    words = list(known)
    close = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    if not close and len(word) > 2:
        close = [w for w in words if w.startswith(word.lower())][:1]
    return f'; did you mean "{close[0]}"?' if close else ""
