"""One catalogue of words: everything that a page says is there in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from jinja2 import Environment, nodes

import bocau.console
from bocau.console import telling
from bocau.console.web.vietnamese import VIETNAMESE
from bocau.core.lifecycle import State
from bocau.dispatch.breaker import Phase

HOME = Path(bocau.console.__file__).parent
SAID_LATER = (
    # The door says them of a page that it turns away, and the frame translates them.
    r'Turned\([0-9]+, "([^"]+)"\)',
    r'plain\([a-z_.]+, "([^"]+)", "[^"]+"\)',
    r'plain\([a-z_.]+, "([^"]+)", str\(',
    r'plain\([a-z_.]+, "[^"]+", "([^"]+)"\)',
)
TABLES = (telling._ATTEMPT_WORDS, telling._RECEIPT_WORDS, telling._ENDS, telling._MONEY)
KINDS = frozenset(re.findall(r'Moment\(\s*[a-z_.]+, "([a-z ]+)"', (HOME / "telling.py").read_text("utf-8")))
CALLBACKS = ("waiting", "done", "given_up")
LINKS = ("bound", "partly bound", "works", "partly works", "down", "running", "paused", "draining", *Phase)
"""What a link says of itself; its page translates it."""
STANDING = ("active", "locked", "disabled", "expired", "kept", "waiting", "done", "given_up")
"""Of accounts, keys, brandnames, and messages from subscribers."""
HANGERS = ("caller", "callee")
REFUSALS = ("This is no address that can be called: http or https, a host, and a path.",)
"""Of an act, said beside the field."""


def in_templates() -> Iterator[str]:
    """Phrases that templates hand to `_`."""
    environment = Environment()  # noqa: S701 - nothing is rendered
    for file in sorted((HOME / "templates").glob("*.html")):
        for call in environment.parse(file.read_text("utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_" and isinstance(call.args[0], nodes.Const):
                yield call.args[0].value


def in_code() -> Iterator[str]:
    """Phrases that code hands to a `say`, and those that are said later."""
    for file in sorted(HOME.rglob("*.py")):
        text = file.read_text("utf-8")
        for pattern in SAID_LATER:
            yield from re.findall(pattern, text)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name == "say":
                    yield str(node.args[0].value)


def said() -> set[str]:
    """Everything."""
    tables = [phrase for table in TABLES for phrase in table.values()]
    own = (telling.POSSIBLE_DUPLICATE,)
    return {
        *in_templates(),
        *in_code(),
        *tables,
        *own,
        *KINDS,
        *State,
        *CALLBACKS,
        *LINKS,
        *STANDING,
        *HANGERS,
        *REFUSALS,
    }


def test_every_phrase_is_there_in_vietnamese() -> None:
    """A page in two languages at once is nobody's."""
    assert len(said()) > 80
    assert said() - VIETNAMESE.keys() == set()


def test_the_catalogue_has_nothing_that_nobody_says() -> None:
    """What is left over from a page that changed goes."""
    assert VIETNAMESE.keys() - said() == set()


def test_translations_have_the_same_places_and_are_not_empty() -> None:
    """A value that finds no place would be left out, one too many would break the page."""

    def places(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    for english, vietnamese in VIETNAMESE.items():
        assert vietnamese.strip(), english
        assert places(english) == places(vietnamese), english
        assert english[:1].isspace() == vietnamese[:1].isspace(), english
