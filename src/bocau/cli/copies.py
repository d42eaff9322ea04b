"""`bocau backup`, `bocau restore` and `bocau release`: a copy of the store, a copy in its place, and its first step."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import Trouble, document, listing, result, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk

__all__ = ["backup", "release", "restore"]

_PAUSE_SECONDS: Final = 0.002
_COLUMNS: Final = {"account": "Account", "class": "Class", "state": "State", "messages": "Messages", "oldest": "Oldest"}


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Name of the copy.")],
    force: Annotated[bool, typer.Option("--force", help="Replace an older file of that name.")] = False,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Copy the store to a file, also while its gateway runs. The copy shows one moment and is checked.

    Keep bocau.db.key too, in another place: without it no customer can sign in.
    """
    with told(as_json), _refusals():
        import time

        from bocau.cli.desk import at_desk, store_file, store_path
        from bocau.store.sqlite.copying import copy_store
        from bocau.world import RealWorld

        store_file(data, config)
        path = store_path(data, config)
        copied = copy_store(path, file, RealWorld().now_ms(), force=force, pause=lambda: time.sleep(_PAUSE_SECONDS))

        async def note(desk: "Desk") -> None:
            await desk.store.note("store.backup", f"{file.name}: {copied.messages} message(s)")

        at_desk(data, config, note)
        size = f"{copied.bytes / (1 << 20):.1f} MiB"
        sentence = f"{file}: {copied.messages} messages, {size}. Keep {path.name}.key too, in another place."
        result(as_json, {"file": str(file), "bytes": copied.bytes, "messages": copied.messages}, sentence)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A copy that `bocau backup` made.")],
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Put a copy in the place of the store, whose gateway must have stopped. The old store is kept beside it.

    The next start is in quarantine: it shows, takes receipts, and sends nothing until `bocau release`.
    """
    with told(as_json), _refusals():
        from bocau.cli.desk import at_desk, store_file
        from bocau.store.sqlite.copying import put_in_place
        from bocau.world import RealWorld

        path = store_file(data, config)
        aside = put_in_place(path, file, RealWorld().now_ms())

        async def note(desk: "Desk") -> None:
            await desk.store.note("store.restore", file.name)

        at_desk(data, config, note, warned=False)
        key = Path(f"{path}.key")
        said = [f"{path} is the copy {file.name} now."]
        if aside is not None:
            said.append(f"The store that was there is {aside.name}.")
        if not key.exists():
            said.append(f"Put {key.name} beside it: without it no customer can sign in.")
        said.append("Start the gateway; it sends nothing until `bocau release`.")
        result(as_json, {"store": str(path), "before": aside and str(aside), "key": key.exists()}, " ".join(said))


@contextmanager
def _refusals() -> Iterator[None]:
    """What the store says to a copy, as Trouble."""
    import sqlite3

    from bocau.store.sqlite import StoreBroken, StoreInUse
    from bocau.store.sqlite.copying import CopyRefused

    try:
        yield
    except (CopyRefused, StoreBroken, StoreInUse) as refused:
        text = str(refused)
        raise Trouble(f"{text[:1].upper()}{text[1:]}.") from refused
    except sqlite3.Error as error:
        raise Trouble(f"The copy could not be made: {error}.") from error
    except OSError as error:
        raise Trouble(f"{error.filename}: {error.strerror}.") from error


def release(
    send: Annotated[bool, typer.Option("--send", help="Let what waits go: it may have gone before.")] = False,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Take back what waits, with its money, then release.")
    ] = False,
    account: Annotated[str, typer.Option("--account", help="With --cancel: only of this account.")] = "",
    route_class: Annotated[
        Literal["otp", "other"] | None, typer.Option("--class", help="With --cancel: only of this class.")
    ] = None,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """End the quarantine of a store that was restored or copied.

    If nothing waits in it, it is released. Else say what becomes of that: --send, --cancel, or --cancel for some and
    --send for the others. A copy does not know what was sent after it was made.
    """
    with told(as_json):
        from bocau.cli.desk import at_desk

        if (account or route_class) and not cancel:
            raise Trouble("--account and --class say what --cancel takes back; give it too.")

        async def act(desk: "Desk") -> dict[str, object]:
            if await desk.store.quarantine() is None:
                return {"released": False, "cancelled": 0, "waiting": []}
            cancelled = 0
            if cancel:
                number = (await desk.account(account)).id if account else 0
                cancelled = await desk.store.cancel_unsent(number, route_class or "", desk.world.now_ms())
            waiting = await _waiting(desk)
            released = (send or not waiting) and await desk.store.end_quarantine()
            return {"released": released, "cancelled": cancelled, "waiting": waiting}

        done = at_desk(data, config, act, warned=False)
        _tell(done, as_json=as_json, asked=send or cancel)


async def _waiting(desk: "Desk") -> list[dict[str, object]]:
    names = {account.id: account.name for account in await desk.store.accounts()}
    return [
        {
            "account": names.get(group.account_id, str(group.account_id)),
            "class": group.route_class,
            "state": group.state,
            "messages": group.messages,
            "oldest": datetime.fromtimestamp(group.oldest_ms / 1000, UTC).isoformat(timespec="seconds"),
        }
        for group in await desk.store.unsent()
    ]


def _tell(done: dict[str, object], *, as_json: bool, asked: bool) -> None:
    """What became of it. Exit code 1 while the store stays in quarantine."""
    waiting = done["waiting"]
    stays = bool(waiting) and not done["released"]
    if as_json:
        document(done)
    else:
        if done["cancelled"]:
            print(f"{done['cancelled']} messages were taken back.")
        if stays and isinstance(waiting, list):
            print("These wait in the store, and may have been sent after the copy was made:")
            listing(False, waiting, _COLUMNS, "")
            print("The store stays in quarantine. Give --send to have them sent, or --cancel to take them back.")
        elif done["released"]:
            print("The quarantine is over; a running gateway sends within a second.")
        else:
            print("The store is not in quarantine.")
    if stays and not asked:
        raise typer.Exit(1)
