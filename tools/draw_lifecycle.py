"""Draws docs/discussions/lifecycle.md from core/lifecycle.py: `python -m tools.draw_lifecycle [--check]`."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from tools.marked import finish, table

from bocau.core.lifecycle import (
    ATTEMPT_BEGINS,
    ATTEMPT_TRANSITIONS,
    FINAL,
    MESSAGE_BEGINS,
    MESSAGE_TRANSITIONS,
    AttemptState,
    Transition,
)

PAGE = "docs/discussions/lifecycle.md"
ATTEMPT_PREFIX = "attempt_"


def diagram(begins: Iterable[StrEnum], rows: Sequence[Transition], ends: Iterable[StrEnum]) -> str:
    """A Mermaid state diagram. Events that lead from one state to the same other one share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for source in row.sources:
            arrows.setdefault((source.value, row.target.value), []).append(plain(row.event))
    lines = ["stateDiagram-v2", *(f"    [*] --> {state.value}" for state in begins)]
    lines += [f"    {source} --> {target}: {', '.join(events)}" for (source, target), events in arrows.items()]
    lines += [f"    {state} --> [*]" for state in sorted(end.value for end in ends)]
    return "```mermaid\n" + "\n".join(lines) + "\n```"


def listing(rows: Sequence[Transition]) -> str:
    """The table of transitions with their reasons."""
    cells = [(plain(row.event), ", ".join(row.sources), row.target.value, row.reason) for row in rows]
    return table(("event", "from", "to", "reason"), cells)


def plain(event: StrEnum) -> str:
    """The verb alone: events of attempts are stored with a prefix."""
    return event.value.removeprefix(ATTEMPT_PREFIX)


def without_way_out(states: Iterable[StrEnum], rows: Sequence[Transition]) -> list[StrEnum]:
    """States that no transition leaves."""
    left = {source for row in rows for source in row.sources}
    return [state for state in states if state not in left]


def main() -> None:
    """Write the page, or check it."""
    blocks = {
        "message diagram": diagram(MESSAGE_BEGINS, MESSAGE_TRANSITIONS, FINAL),
        "message table": listing(MESSAGE_TRANSITIONS),
        "attempt diagram": diagram(
            ATTEMPT_BEGINS, ATTEMPT_TRANSITIONS, without_way_out(AttemptState, ATTEMPT_TRANSITIONS)
        ),
        "attempt table": listing(ATTEMPT_TRANSITIONS),
    }
    finish(PAGE, blocks, "draw_lifecycle")


if __name__ == "__main__":
    main()
