"""`bocau console-user`: who may log in to the console, and as what."""

import re
import sys
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import Trouble, document, facts, listing, result, told

if TYPE_CHECKING:
    from pathlib import Path

    from bocau.cli.desk import Desk

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Console users: who may log in to the console of `bocau serve`.")

_FORM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_Name = Annotated[str, typer.Argument(metavar="NAME", help="What the person logs in with.")]
_Role = Annotated[
    Literal["viewer", "support", "operator", "admin"],
    typer.Option(
        "--role",
        help="viewer sees no numbers and texts, support may see numbers, operator texts too, and acts on links and "
        "callbacks, admin everything.",
    ),
]
_Ask = Annotated[
    bool, typer.Option("--ask", help="Read the password from the terminal or standard input, else one is made up.")
]


@app.command("list")
def list_users(as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """List who may log in. Passwords are stored only as hashes and cannot be shown."""
    with told(as_json):
        from datetime import UTC, datetime

        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> list[dict[str, object]]:
            return [
                {
                    "name": user.name,
                    "role": user.role,
                    "changed": datetime.fromtimestamp(user.changed_ms / 1000, UTC).isoformat(timespec="seconds"),
                }
                for user in await desk.store.console_users()
            ]

        headings = {"name": "Name", "role": "Role", "changed": "Changed"}
        listing(as_json, at_desk(data, config, act), headings, "Nobody yet. `bocau serve` makes the first, an admin.")


@app.command("add")
def add(
    name: _Name,
    role: _Role = "viewer",
    ask: _Ask = False,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Let somebody in. The password is printed once, now, and never again."""
    with told(as_json):
        if _FORM.fullmatch(name) is None:
            raise Trouble("A name has letters, digits and . _ @ - and begins with a letter or digit.")
        password = _put(name, role, ask, data, config, new=True)
        _print(name, role, password, ask, as_json)


@app.command("passwd")
def passwd(name: _Name, ask: _Ask = False, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Give somebody another password. Where they are logged in, they are no longer."""
    with told(as_json):
        password = _put(name, None, ask, data, config, new=False)
        _print(name, None, password, ask, as_json)


@app.command("remove")
def remove(name: _Name, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Let somebody in no longer, at once."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> None:
            if not await desk.store.delete_console_user(name):
                raise _nobody(name)

        at_desk(data, config, act)
        result(as_json, {"name": name, "removed": True}, f"{name} cannot log in any more.")


def _put(name: str, role: str | None, ask: bool, data: "Path | None", config: "Path | None", *, new: bool) -> str:
    """Add or change somebody; the password."""
    from bocau.cli.desk import at_desk
    from bocau.console.passwords import SALT_SIZE, hash_password, made_up
    from bocau.store.contract import ConsoleUser
    from bocau.world import RealWorld

    token = RealWorld().token
    password = _asked() if ask else made_up(token)
    kept = hash_password(password, token(SALT_SIZE))

    async def act(desk: "Desk") -> None:
        known, now_ms = await desk.store.console_user(name), desk.world.now_ms()
        if new and known is not None:
            raise Trouble(f"There is a user {name} already; `bocau console-user passwd {name}` gives another password.")
        if not new and known is None:
            raise _nobody(name)
        its_role = role or (known.role if known is not None else "")
        await desk.store.put_console_user(ConsoleUser(name, its_role, kept, now_ms, now_ms))

    at_desk(data, config, act)
    return password


def _nobody(name: str) -> Trouble:
    return Trouble(f"There is no user {name}. `bocau console-user list` shows them all.")


def _asked() -> str:
    """A password that somebody chose. Raises Trouble."""
    from bocau.console.passwords import SHORTEST

    if sys.stdin.isatty():
        chosen = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    else:
        chosen = sys.stdin.readline().rstrip("\n")
    if len(chosen) < SHORTEST:
        raise Trouble(f"A password has {SHORTEST} characters or more; a few words do.")
    return chosen


def _print(name: str, role: str | None, password: str, ask: bool, as_json: bool) -> None:
    shown = {} if ask else {"password": password}
    if as_json:
        document({"name": name, **({"role": role} if role else {}), **shown})
    elif ask:
        print(f"{name} can log in.")
    else:
        facts([("Name", name), ("Password", password)])
        print("Only a hash of it is stored: hand it over now, it is not shown again.")
