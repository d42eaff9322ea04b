"""The documents say what the code says: links lead somewhere, commands and settings exist, tables are fresh."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperArgument, TyperGroup
from typer.main import get_command

from bocau.cli.main import app
from bocau.settings import check_production, read_settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(page for folder in ("docs", "changes", "examples") for page in (ROOT / folder).rglob("*.md")),
    ]
)
TOOLS = (
    *(
        "draw_lifecycle",
        "render_codes",
        "render_commands",
        "render_faults",
        "render_magic",
        "render_metrics",
        "render_postman",
    ),
    "render_voice",
)
KINDS = ("added", "changed", "fixed", "removed")

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
COMMAND = re.compile(r"bocau(?: (.*))?")
SECRET_FILE = re.compile(r'^(?:password|secret)_file = "([^"/]+)"$', re.MULTILINE)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual viewers make them."""
    prose = FENCE.sub("", page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(prose)}


def blocks(page: Path, language: str) -> list[str]:
    return [body for found, body in FENCE.findall(page.read_text("utf-8")) if found == language]


def told_commands(page: Path) -> Iterator[list[str]]:
    """The words of every bocau command of a page's sh blocks, long lines joined, without their comments."""
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            found = COMMAND.fullmatch(line.strip())
            if found:
                yield shlex.split(found[1] or "", comments=True)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    """A page that was moved takes its links with it, anchors included."""
    for link in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link} names no heading"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_that_a_page_tells_exists(page: Path) -> None:
    """Each word leads to a command, each option is one of its own, and no argument is missing."""
    for words in told_commands(page):
        command = get_command(app)
        rest = list(words)
        while isinstance(command, TyperGroup) and rest:
            assert rest[0] in command.commands, f"bocau {shlex.join(words)}"
            command = command.commands[rest.pop(0)]
        assert not isinstance(command, TyperGroup), f"bocau {shlex.join(words)} is not whole"
        given = [word.partition("=")[0] for word in rest if word.startswith("--")]
        known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        assert set(given) <= known, f"bocau {shlex.join(words)}"
        wanted = sum(isinstance(one, TyperArgument) and one.required for one in command.params)
        assert len([word for word in rest if not word.startswith("--")]) >= wanted, f"bocau {shlex.join(words)}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_settings_example_can_be_used(page: Path, tmp_path: Path) -> None:
    """An example that a reader copies is read as it stands; files of secrets are made for it."""
    for number, block in enumerate(blocks(page, "toml")):
        for secret in SECRET_FILE.findall(block):
            (tmp_path / secret).write_text("s3cr3t-enough-to-sign" if "callback" in secret else "s3cr3t")
        file = tmp_path / f"{number}.toml"
        file.write_text(block, "utf-8")
        read_settings(file, {})


def test_the_smallest_production_file_starts_without_a_complaint(tmp_path: Path) -> None:
    """The first example of the production page passes every check of a production start."""
    example = blocks(ROOT / "docs/how-to/production.md", "toml")[0]
    file = tmp_path / "bocau.toml"
    file.write_text(example, "utf-8")
    for secret, text in (("viettel-1.password", "s3cr3t"), ("callback.key", "a key of twenty signs")):
        (tmp_path / secret).write_text(text, "utf-8")
        (tmp_path / secret).chmod(0o640)
    file.chmod(0o640)
    assert check_production(read_settings(file, {})) == []


@pytest.mark.parametrize("tool", TOOLS)
def test_generated_parts_are_fresh(tool: str) -> None:
    """What a page shows of the code is what the code says; the failure names the command that renews it."""
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-m", f"tools.{tool}", "--check"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_every_document_is_on_the_index() -> None:
    """A page that nobody can find might as well not be there."""
    index = (ROOT / "docs/index.md").read_text("utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        path = str(page.relative_to(ROOT / "docs"))
        assert path == "index.md" or f"({path})" in index


def test_every_contradiction_of_the_documents_is_told_once() -> None:
    """Rows A to AM of the list that the compatibility page says it holds."""
    page = (ROOT / "docs/discussions/compatibility.md").read_text("utf-8")
    rows = re.findall(r"^\| .* \| ([A-Z]{1,2}) \|$", page, re.MULTILINE)
    letters = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
    assert sorted(rows) == sorted([*letters, *(f"A{letter}" for letter in letters[:13])])


def test_fragments_are_named_for_topic_and_kind() -> None:
    """The change log is put together by these names."""
    for page in (ROOT / "changes").iterdir():
        words = page.name.split(".")
        assert page.name == "README.md" or (len(words) == 3 and words[1] in KINDS and words[2] == "md"), page.name
        assert page.name == "README.md" or re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", words[0]), page.name
