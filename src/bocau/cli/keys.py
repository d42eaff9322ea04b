"""`bocau key`: the pairs of ApiKey and SecretKey that customers send."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from bocau.cli.options import Config, Data, Json, Named
from bocau.cli.output import Trouble, Vnd, document, facts, listing, result, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk
    from bocau.core.directory import KeyRow

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Keys: what customers sign in with.")

_FORM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,63}")
_KEY_BYTES: Final = 16
_SECRET_BYTES: Final = 20
_HOUR_MS: Final = 3_600_000
_LONGEST_HOURS: Final = 10 * 366 * 24

_KeyName = Annotated[str, typer.Argument(metavar="API_KEY", help="The ApiKey.")]


@app.command("list")
def list_keys(account: Named, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """List the keys of an account. Secrets are stored only as hashes and cannot be shown."""
    with told(as_json):
        from bocau.cli.desk import at_desk, find_account

        async def act(desk: "Desk") -> list[dict[str, object]]:
            rows, now_ms = await desk.store.read_directory(), desk.world.now_ms()
            owner = find_account(rows.accounts, account)
            uses = {use.api_key: use for use in (await desk.store.use_today(owner.id, now_ms)).keys}
            return [
                {
                    "api_key": key.api_key,
                    "state": "expired" if key.expires_ms is not None and key.expires_ms <= now_ms else key.state,
                    "scopes": key.scopes,
                    "brandname": key.brandname or None,
                    "expires": _moment(key.expires_ms),
                    "last_used": _moment(uses[key.api_key].used_ms),
                    "spent_today_vnd": Vnd(uses[key.api_key].spent_today),
                }
                for key in rows.keys
                if key.account_id == owner.id
            ]

        headings = {
            "api_key": "ApiKey",
            "state": "State",
            "scopes": "Scopes",
            "brandname": "Brandname",
            "expires": "Expires",
            "last_used": "Last used",
            "spent_today_vnd": "VND today",
        }
        empty = f"Account {account} has no key yet. Make one: bocau key create {account}"
        listing(as_json, at_desk(data, config, act), headings, empty)


def _moment(at_ms: int | None) -> str | None:
    from datetime import UTC, datetime

    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


@app.command("create")
def create(
    account: Named,
    api_key: Annotated[
        str | None, typer.Option("--api-key", metavar="KEY", help="The ApiKey to use, else one is made up.")
    ] = None,
    scopes: Annotated[
        str, typer.Option("--scope", metavar="SCOPES", help="What it may do: send, query, or both with a comma.")
    ] = "query,send",
    brandname: Annotated[
        str | None, typer.Option("--brandname", help="The only brandname it may send from; then no type 8.")
    ] = None,
    hours: Annotated[
        int | None, typer.Option("--hours", min=1, max=_LONGEST_HOURS, help="It expires so many hours from now.")
    ] = None,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Create a key. The SecretKey is printed once, now, and never again."""
    with told(as_json):
        from bocau.cli.desk import BRANDNAME_TYPE, at_desk, find_account, find_brandname
        from bocau.core.directory import KeyRow

        pair, allowed = _new_pair(api_key), _read_scopes(scopes)
        _check_form(pair.api_key)

        async def act(desk: "Desk") -> None:
            rows, now_ms = await desk.store.read_directory(), desk.world.now_ms()
            owner = find_account(rows.accounts, account)
            if any(row.api_key == pair.api_key for row in rows.keys):
                raise Trouble(f"There is a key {pair.api_key} already. Disable it, or choose another --api-key.")
            if brandname is not None:
                find_brandname(rows, owner, brandname, BRANDNAME_TYPE)
            expires_ms = None if hours is None else now_ms + hours * _HOUR_MS
            hashed = _hash(desk, pair)
            row = KeyRow(pair.api_key, owner.id, hashed, "active", allowed, brandname or "", expires_ms)
            await desk.store.put_key(row, now_ms)

        at_desk(data, config, act)
        _print_pair(account, pair, as_json)


class _Pair(NamedTuple):
    """A new ApiKey and its SecretKey."""

    api_key: str
    secret: str


def _new_pair(api_key: str | None) -> _Pair:
    from bocau.world import RealWorld

    token = RealWorld().token
    return _Pair(api_key or token(_KEY_BYTES).hex().upper(), token(_SECRET_BYTES).hex().upper())


def _hash(desk: "Desk", pair: _Pair) -> bytes:
    from bocau.core.directory import hash_secret

    return hash_secret(_read_pepper(desk), pair.secret.encode())


def _read_scopes(text: str) -> str:
    """The scopes as they are stored. Raises Trouble."""
    from bocau.core.directory import Scope

    given = {word.strip() for word in text.split(",")}
    if not given <= set(Scope):
        raise Trouble(f'"{text}" names no scope: give {", ".join(Scope)}, or both with a comma.')
    return ",".join(sorted(given))


def _print_pair(account: str, pair: _Pair, as_json: bool) -> None:
    if as_json:
        document({"account": account, "api_key": pair.api_key, "secret_key": pair.secret, "state": "active"})
        return
    facts([("ApiKey", pair.api_key), ("SecretKey", pair.secret)])
    print("Only a hash of the SecretKey is stored: keep it now, it is not shown again.")


@app.command("rotate")
def rotate(
    api_key: _KeyName,
    overlap: Annotated[
        int, typer.Option("--overlap-hours", min=0, max=_LONGEST_HOURS, help="For so long the old key is taken too.")
    ] = 168,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Make a second key that may do the same, and let the old one expire after an overlap."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        pair = _new_pair(None)

        async def act(desk: "Desk") -> str:
            rows, now_ms = await desk.store.read_directory(), desk.world.now_ms()
            old = _find(rows.keys, api_key)
            ends_ms = now_ms + overlap * _HOUR_MS
            if old.state != "active" or (old.expires_ms is not None and old.expires_ms <= now_ms):
                raise Trouble(f"Key {api_key} is not active, so there is nothing to overlap. Create a new key instead.")
            new = old._replace(api_key=pair.api_key, secret_hash=_hash(desk, pair), expires_ms=None)
            dated = old._replace(expires_ms=ends_ms if old.expires_ms is None else min(ends_ms, old.expires_ms))
            own = [row for row in rows.networks if row.api_key == api_key]
            for network in own:
                await desk.store.put_network(network._replace(api_key=pair.api_key))
            await desk.store.rotate_key(dated, new, now_ms)
            return next(account.name for account in rows.accounts if account.id == old.account_id)

        account = at_desk(data, config, act)
        _print_pair(account, pair, as_json)
        if not as_json:
            print(f"Key {api_key} is taken for {overlap} more hours.")


def _find(keys: "Iterable[KeyRow]", api_key: str) -> "KeyRow":
    """The key of that name. Raises Trouble."""
    found = next((key for key in keys if key.api_key == api_key), None)
    if found is None:
        raise Trouble(f"There is no key {api_key}. `bocau key list ACCOUNT` shows those of an account.")
    return found


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
            await desk.store.put_key(_find(rows.keys, api_key)._replace(state=state), desk.world.now_ms())

        at_desk(data, config, act)
        result(as_json, {"api_key": api_key, "state": state}, f"Key {api_key} is {state}.")
