"""Fills docs/reference/command-line.md from the commands' own help: `python -m tools.render_commands [--check]`."""

from collections.abc import Iterator
from typing import get_args

from tools.marked import finish, table
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from bocau.cli.main import app

PAGE = "docs/reference/command-line.md"
NOT_OURS = frozenset({"--help", "--install-completion", "--show-completion"})


def commands(group: TyperGroup, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    """Every command that does something, with the words that lead to it, in the order of `--help`."""
    for name, command in group.commands.items():
        here = (*path, name)
        if isinstance(command, TyperGroup):
            yield from commands(command, here)
        elif isinstance(command, TyperCommand):
            yield here, command


def section(path: tuple[str, ...], command: TyperCommand) -> str:
    """One command."""
    arguments = [p for p in command.params if isinstance(p, TyperArgument)]
    options = [p for p in command.params if isinstance(p, TyperOption) and not NOT_OURS.intersection(p.opts)]
    usage = " ".join([*path, *(_bare(argument) for argument in arguments), *["[OPTIONS]"] * bool(options)])
    rows = [(f"`{_bare(argument)}`", _sentence(argument.help)) for argument in arguments]
    rows += [(_spelled(option), _about(option)) for option in options]
    pieces = [f"## `{' '.join(path)}`", _paragraphs(command.help), f"```text\n{usage}\n```"]
    return "\n\n".join(pieces + [table(("given", "meaning"), rows)] * bool(rows))


def _bare(argument: TyperArgument) -> str:
    return (argument.metavar or (argument.name or "").upper()).strip("[]")


def _spelled(option: TyperOption) -> str:
    both = " / ".join(f"`{word}`" for word in (*option.opts, *option.secondary_opts))
    return f"{both} `{option.metavar}`" if option.metavar else both


def _about(option: TyperOption) -> str:
    found = _sentence(option.help)
    words = get_args(option.type_descriptor.annotation)
    if words and all(isinstance(word, str) for word in words):
        found += f" One of {', '.join(f'`{word}`' for word in words)}."
    if option.default not in (None, "", False, True):
        found += f" Default: `{option.default}`."
    if option.envvar:
        found += f" Variable: `{option.envvar}`."
    return f"{found} Required." if option.required else found


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


def _paragraphs(text: str | None) -> str:
    return "\n\n".join(" ".join(piece.split()) for piece in (text or "").split("\n\n"))


def page() -> str:
    """All commands."""
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    return "\n\n".join(section(path, command) for path, command in commands(root, ("bocau",)))


def main() -> None:
    """Write the page, or check it."""
    finish(PAGE, {"commands": page()}, "render_commands")


if __name__ == "__main__":
    main()
