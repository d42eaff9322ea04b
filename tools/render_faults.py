"""Fills the tables of faults in docs/how-to/test-otp-flows.md: `python -m tools.render_faults [--check]`."""

from tools.marked import finish, table

from bocau.simulator.fault_lines import ACT_MEANINGS, NAME_MEANINGS

PAGE = "docs/how-to/test-otp-flows.md"


def main() -> None:
    """Write the page, or check it."""
    blocks = {
        "acts": table(("act", "what happens"), [(f"`{name}`", meaning) for name, meaning in ACT_MEANINGS.items()]),
        "names": table(("name", "what it says"), [(f"`{name}`", meaning) for name, meaning in NAME_MEANINGS.items()]),
    }
    finish(PAGE, blocks, "render_faults")


if __name__ == "__main__":
    main()
