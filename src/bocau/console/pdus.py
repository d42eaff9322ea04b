"""A PDU of a link's trace in one line of words, for command line and console. Pure."""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["fields_of"]

_HEAD: Final = frozenset({"at_ms", "from", "command", "status", "sequence", "octets", "bind", "parameters"})


def fields_of(pdu: Mapping[str, Any]) -> str:
    """What it carries behind its head: fields and parameters that say something."""
    fields = {key: value for key, value in pdu.items() if key not in _HEAD and value not in (0, "")}
    return " ".join(f"{key}={value}" for key, value in (fields | pdu.get("parameters", {})).items())
