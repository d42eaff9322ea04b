"""`bocau block`: numbers and words that nothing is accepted for."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import Trouble, listing, result, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk
    from bocau.core.directory import BlockedRow

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Block lists: numbers and words that nothing is accepted for.")

_EVERYBODY = "all accounts"

_Whose = Annotated[
    str | None, typer.Option("--account", metavar="ACCOUNT", help="The list of this account; else that of all.")
]
_Values = Annotated[list[str], typer.Argument(metavar="VALUE...", help="One or several.")]
_File = Annotated[Path, typer.Argument(metavar="FILE", help="One value a line; empty lines and # lines are skipped.")]


def _number(text: str) -> str:
    from bocau.core.phone import normalise

    found = normalise(text)
    if found is None:
        raise Trouble(f'"{text}" is no Vietnamese mobile number.')
    return found


def _word(text: str) -> str:
    from bocau.core.words import plain_word

    try:
        return plain_word(text)
    except ValueError as error:
        raise Trouble(f'"{text}": {error}.') from error


def _lists(kind: str, called: str, plain: Callable[[str], str]) -> typer.Typer:
    """The four commands of one kind of list."""
    group = typer.Typer(no_args_is_help=True, help=f"Blocked {called}s.")

    def add(
        values: _Values, account: _Whose = None, as_json: Json = False, data: Data = None, config: Config = None
    ) -> None:
        with told(as_json):
            _change(kind, account, [plain(value) for value in values], True, as_json, (data, config))

    def remove(
        values: _Values, account: _Whose = None, as_json: Json = False, data: Data = None, config: Config = None
    ) -> None:
        with told(as_json):
            _change(kind, account, [plain(value) for value in values], False, as_json, (data, config))

    def load(
        file: _File, account: _Whose = None, as_json: Json = False, data: Data = None, config: Config = None
    ) -> None:
        with told(as_json):
            _change(kind, account, _read(file, plain), True, as_json, (data, config))

    def show(account: _Whose = None, as_json: Json = False, data: Data = None, config: Config = None) -> None:
        with told(as_json):
            _show(kind, called, account, as_json, (data, config))

    add.__doc__ = f"Block {called}s. Those that are blocked already stay so."
    remove.__doc__ = f"Take {called}s off the list."
    load.__doc__ = f"Block every {called} of a file, in one act; nothing is blocked if a line is none."
    show.__doc__ = f"List the blocked {called}s: all lists, or that of one account."
    group.command("add")(add)
    group.command("remove")(remove)
    group.command("list")(show)
    group.command("import")(load)
    return group


def _read(file: Path, plain: Callable[[str], str]) -> list[str]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{file} cannot be read: {error}.") from error
    found = []
    for number, line in enumerate(map(str.strip, lines), 1):
        if line and not line.startswith("#"):
            try:
                found.append(plain(line))
            except Trouble as trouble:
                raise Trouble(f"{file}, line {number}: {trouble} Nothing was blocked.") from trouble
    return found


def _change(
    kind: str,
    account: str | None,
    values: Iterable[str],
    on: bool,
    as_json: bool,
    place: tuple[Path | None, Path | None],
) -> None:
    from bocau.cli.desk import at_desk
    from bocau.core.directory import BlockedRow

    wanted = list(dict.fromkeys(values))

    async def act(desk: "Desk") -> int:
        owner = 0 if account is None else (await desk.account(account)).id
        rows = [BlockedRow(owner, kind, value) for value in wanted]
        if not rows:
            return 0
        return await (desk.store.block(rows, desk.world.now_ms()) if on else desk.store.unblock(rows))

    changed = at_desk(*place, act)
    what = "blocked now" if on else "taken off the list"
    sentence = f"{changed} of {len(wanted)} {what}, for {account or _EVERYBODY}."
    result(as_json, {"kind": kind, "account": account, "given": len(wanted), "changed": changed}, sentence)


def _show(kind: str, called: str, account: str | None, as_json: bool, place: tuple[Path | None, Path | None]) -> None:
    from bocau.cli.desk import at_desk, find_account

    async def act(desk: "Desk") -> list[dict[str, object]]:
        rows = await desk.store.read_directory()
        names: dict[int, str | None] = {0: None, **{row.id: row.name for row in rows.accounts}}
        wanted = None if account is None else find_account(rows.accounts, account).id

        def fits(row: "BlockedRow") -> bool:
            return row.kind == kind and wanted in (None, row.account_id)

        return [{kind: row.value, "account": names[row.account_id]} for row in rows.blocked if fits(row)]

    found = at_desk(*place, act)
    shown = found if as_json else [{**row, "account": row["account"] or _EVERYBODY} for row in found]
    listing(as_json, shown, {kind: called.capitalize(), "account": "For"}, f"No {called} is blocked.")


app.add_typer(_lists("number", "number", _number), name="number")
app.add_typer(_lists("word", "word", _word), name="word")
