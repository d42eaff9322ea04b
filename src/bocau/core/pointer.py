"""JSON pointers (RFC 6901): one plain value out of a tree."""

from collections.abc import Mapping

__all__ = ["value_at"]


def value_at(tree: object, pointer: str) -> str:
    """The plain value at a pointer as text; empty if there is none."""
    for step in pointer.removeprefix("/").split("/"):
        word = step.replace("~1", "/").replace("~0", "~")
        if isinstance(tree, Mapping):
            tree = tree.get(word)
        elif isinstance(tree, list) and word.isdecimal() and int(word) < len(tree):
            tree = tree[int(word)]
        else:
            return ""
    if isinstance(tree, bool):
        return "true" if tree else "false"
    return str(tree) if isinstance(tree, str | int | float) else ""
