"""The line locator: where tomllib says what, it says where."""

import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bocau.settings.lines import lines_of

ROOT = Path(__file__).resolve().parents[2]

SAMPLE = '''\
# a comment with [brackets] and "quotes"
top = 1
"quoted key" = 2   # says = nothing

[api]
port = 8484
host = "not # a comment"
text = """
[carrier]
port = 1
"""
raw = \'\'\'
x = "\'\'\'
waits = [
  0,  # first
  "]", [1,
  2],
]
a.b."c.d" = 3

[[carrier]]
name = "one"

  [[carrier]]
  name = "two"
  inline = {x = 1, "y z" = {z = [1, 2]}}

[carrier.deep]
er = 4

[[carrier.list]]
v = 5
'''


def test_every_kind_of_place_is_found() -> None:
    """Tables, arrays of tables, dotted and quoted keys, items of arrays, inline tables."""
    lines = lines_of(SAMPLE)
    assert lines["top",] == 2
    assert lines["quoted key",] == 3
    assert lines["api",] == 5
    assert lines["api", "port"] == 6
    assert lines["api", "text"] == 8
    assert lines["api", "raw"] == 12
    assert lines["api", "waits"] == 14
    assert [lines["api", "waits", n] for n in range(3)] == [15, 16, 16]
    assert lines["api", "waits", 2, 1] == 17
    assert lines["api", "a", "b", "c.d"] == 19
    assert lines["carrier",] == 21
    assert lines["carrier", 0] == 21
    assert lines["carrier", 0, "name"] == 22
    assert lines["carrier", 1] == 24
    assert lines["carrier", 1, "inline", "y z", "z"] == 26
    assert lines["carrier", 1, "deep", "er"] == 29
    assert lines["carrier", 1, "list", 0, "v"] == 32


def test_strings_hide_everything_that_looks_like_toml() -> None:
    """Quotation marks at the end of a long string, escapes, and a line that only looks like a header."""
    text = 'a = """x""\\""""\nb = "\\"[t]"\nc = \'\'\'y\'\'\'\'\nd = \'\'\ne = ""\nf = """"q"""\ng = 1\n'
    tomllib.loads(text)
    lines = lines_of(text)
    assert [lines[key,] for key in "abcdefg"] == [1, 2, 3, 4, 5, 6, 7]


@given(st.text(max_size=200))
@example("\n[a")
def test_any_text_ends_the_walk(text: str) -> None:
    """A text that is not TOML gives some lines or none, and no exception."""
    lines_of(text)


_KEYS = st.sampled_from(["a", "b-1", "c_2", '"d e"', "'f.g'", '"h\\u0041"'])
_FILLERS = st.sampled_from(["", "\n", "# x = [1]\n", "  \n\t# '''\n"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A TOML text in which the value of every key is the number of its own line."""
    lines: list[str] = []

    def pairs() -> None:
        for key in draw(st.lists(_KEYS, unique=True, max_size=4)):
            lines.extend(draw(_FILLERS).splitlines())
            here = len(lines) + 1
            shape = draw(st.integers(0, 4))
            lines.extend(
                {
                    0: [f"{key} = {here}"],
                    1: [f"{key} = [{here}, # no", f" {here + 1}", ", ]"],
                    2: [f"{key} = {{x = {here}, 'y' = [{here}]}} # z"],
                    3: [f"{key}.k .'l' = {here}"],
                    4: [f"{key} = [{{m = {here}}},", f"{{m={here + 1}}}]"],
                }[shape]
            )

    pairs()
    for number in range(draw(st.integers(0, 3))):
        lines.append(f"[ table-{number} ]")
        pairs()
        for _ in range(draw(st.integers(0, 2))):
            lines.append(f"[[table-{number}.'l i']]")
            pairs()
    return "\n".join(lines) + "\n"


def leaves(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], int]]:
    """Every number in a tree with its path."""
    if isinstance(value, int):
        return [(path, value)]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [leaf for key, item in items for leaf in leaves(item, (*path, key))]


STARTS = ("", '"', '"' * 3, "'" * 3, 'a="""', "a='''", 'a="', "a=[", "a={", "[")
UNITS = ('"', "'", '"' * 3, "'" * 3, '"a', "\\", '\\"', '""x', "''x", "#", " ", '""\\"')


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("start", STARTS)
def test_a_string_that_is_not_closed_is_given_up_after_one_look(start: str, unit: str) -> None:
    """Nothing is tried in a second way, so that a long one costs microseconds and not hours."""
    began = time.process_time()
    lines_of(start + unit * (3_000 // len(unit)))
    assert time.process_time() - began < 5


@given(documents())
def test_every_value_is_found_on_its_line(text: str) -> None:
    """In generated documents, the locator agrees with tomllib about every value."""
    lines = lines_of(text)
    for path, line in leaves(tomllib.loads(text)):
        assert lines[path] == line, path


def test_a_real_file_is_walked_to_its_end() -> None:
    """The project's own pyproject.toml: every value tomllib sees has a line."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    lines = lines_of(text)
    tree = tomllib.loads(text)
    assert lines["tool", "ruff", "lint", "mccabe", "max-complexity"] == 1 + text.splitlines().index(
        "max-complexity = 12"
    )
    assert all(("tool", name) in lines for name in tree["tool"])
