"""Fills the table in docs/quickstart.md from simulator/rules.py: `python -m tools.render_magic [--check]`."""

from tools.marked import finish, table

from bocau.simulator.rules import OTHER, magic_table

PAGE = "docs/quickstart.md"


def main() -> None:
    """Write the page, or check it."""
    rows = [("any other" if ending == OTHER else f"`{ending}`", meaning) for ending, meaning in magic_table()]
    finish(PAGE, {"magic": table(("number ends in", "what happens"), rows)}, "render_magic")


if __name__ == "__main__":
    main()
