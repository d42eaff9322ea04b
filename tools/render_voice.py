"""Fills the tables in docs/discussions/voice.md from the code: `python -m tools.render_voice [--check]`."""

from collections.abc import Mapping

from tools.marked import finish, table

from bocau.deliver.sip.outcome import BY_CAUSE, BY_STATUS, Verdict
from bocau.simulator.phone_rules import phone_table
from bocau.wire.sip.reason import CAUSES

PAGE = "docs/discussions/voice.md"


def grouped(table_of: Mapping[int, Verdict]) -> dict[Verdict, list[int]]:
    """The numbers of each verdict, in the order of the table."""
    groups: dict[Verdict, list[int]] = {}
    for number, verdict in table_of.items():
        groups.setdefault(verdict, []).append(number)
    return groups


def main() -> None:
    """Write the page, or check it."""
    statuses = [
        (", ".join(map(str, numbers)), f"`{verdict.status.value}`", verdict.retry.value)
        for verdict, numbers in grouped(BY_STATUS).items()
    ]
    causes = [
        (
            ", ".join(f"{number} ({CAUSES[number]})" for number in numbers),
            f"`{verdict.status.value}`",
            verdict.retry.value,
        )
        for verdict, numbers in grouped(BY_CAUSE).items()
    ]
    phones = [("any other" if ending == "other" else f"`{ending}`", meaning) for ending, meaning in phone_table()]
    parts = {
        "statuses": table(("SIP status", "outcome", "again"), statuses),
        "causes": table(("Q.850 cause", "outcome", "again"), causes),
        "phones": table(("number ends in", "what the phone does"), phones),
    }
    finish(PAGE, parts, "render_voice")


if __name__ == "__main__":
    main()
