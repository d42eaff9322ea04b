"""`bocau key`: the pairs of ApiKey and SecretKey that customers send."""

import re
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bocau.cli.options import Config, Data, Json, Named
from bocau.cli.output import Trouble, document, facts, listing, result, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Keys: what customers sign in with.")

_FORM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,63}")
_KEY_BYTES: Final = 16
_SECRET_BYTES: Final = 20

_KeyName = Annotated[str, typer.Argument(metavar="API_KEY", help="The ApiKey.")]


@app.command("list")
def list_keys(account: Named, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """List the keys of an account. Secrets are stored only as hashes and cannot be shown."""
    with told(as_json):
        from bocau.cli.desk import at_desk, find_account

        async def act(desk: "Desk") -> list[dict[str, object]]:
            rows = await desk.store.read_directory()
            owner = find_account(rows.accounts, account)
            return [{"api_key": key.api_key, "state": key.state} for key in rows.keys if key.account_id == owner.id]

        empty = f"Account {account} has no key yet. Make one: bocau key create {account}"
        listing(as_json, at_desk(data, config, act), {"api_key": "ApiKey", "state": "State"}, empty)


@app.command("create")
def create(
    account: Named,
    api_key: Annotated[
        str | None, typer.Option("--api-key", metavar="KEY", help="The ApiKey to use, else one is made up.")
    ] = None,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Create a key. The SecretKey is printed once, now, and never again."""
    with told(as_json):
        from bocau.cli.desk import at_desk, find_account
        from bocau.core.directory import KeyRow, hash_secret
        from bocau.world import RealWorld

        world = RealWorld()
        key = world.token(_KEY_BYTES).hex().upper() if api_key is None else api_key
        secret = world.token(_SECRET_BYTES).hex().upper()
        _check_form(key)

        async def act(desk: "Desk") -> None:
            rows = await desk.store.read_directory()
            owner = find_account(rows.accounts, account)
            if any(row.api_key == key for row in rows.keys):
                raise Trouble(f"There is a key {key} already. Disable it, or choose another --api-key.")
            hashed = hash_secret(_read_pepper(desk), secret.encode())
            await desk.store.put_key(KeyRow(key, owner.id, hashed, "active"), world.now_ms())

        at_desk(data, config, act)
        if as_json:
            document({"account": account, "api_key": key, "secret_key": secret, "state": "active"})
            return
        facts([("ApiKey", key), ("SecretKey", secret)])
        print("Only a hash of the SecretKey is stored: keep it now, it is not shown again.")


def _check_form(key: str) -> None:
    from bocau.settings import DEVELOPMENT_KEY

    if _FORM.fullmatch(key) is None:
        raise Trouble(
            "An ApiKey has 3 to 64 letters, digits, points, dashes and underscores, the first a letter or digit."
        )
    if key.startswith(DEVELOPMENT_KEY):
        raise Trouble(
            f'Keys that begin with "{DEVELOPMENT_KEY}" are those of `bocau dev`; production refuses them. '
            "Choose another --api-key."
        )


def _read_pepper(desk: "Desk") -> bytes:
    """The key that secrets are hashed under. The gateway made it with the store; a new one would fit no gateway."""
    from bocau.store import pepper

    file = desk.path.with_name(f"{desk.path.name}.key")
    if not file.is_file():
        raise Trouble(
            f"{file} is missing, and without it no secret can be checked. Restore it from the backup of the store."
        )
    return pepper.read_or_make(str(desk.path), desk.world.token(pepper.SIZE))


@app.command("disable")
def disable(api_key: _KeyName, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Disable a key: requests with it are answered 101."""
    _set_state(api_key, "disabled", as_json, data, config)


@app.command("enable")
def enable(api_key: _KeyName, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Let a disabled key sign in again, with the secret it had."""
    _set_state(api_key, "active", as_json, data, config)


def _set_state(api_key: str, state: str, as_json: bool, data: Data, config: Config) -> None:
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> None:
            rows = await desk.store.read_directory()
            found = next((key for key in rows.keys if key.api_key == api_key), None)
            if found is None:
                raise Trouble(f"There is no key {api_key}. `bocau key list ACCOUNT` shows those of an account.")
            await desk.store.put_key(found._replace(state=state), desk.world.now_ms())

        at_desk(data, config, act)
        result(as_json, {"api_key": api_key, "state": state}, f"Key {api_key} is {state}.")
