"""The desk of the command line: the store opened beside a running gateway, and what is looked up there by name."""

import asyncio
import os
import pwd
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from bocau.accept.ported import read_ported
from bocau.cli.output import Trouble, warn
from bocau.core import money
from bocau.core.directory import AccountRow, BrandnameRow, DirectoryRows
from bocau.core.learned import Learned
from bocau.core.nearest import did_you_mean
from bocau.core.numbering import Numbering
from bocau.core.telcos import TELCOS
from bocau.settings import BadSettings, Settings, development, find_file, read_numbering, read_settings
from bocau.store.contract import Clerk, StoreBroken, StoreFault
from bocau.store.opening import StorePlace, open_beside
from bocau.store.pepper import PepperProblem
from bocau.store.rooms.store import RoomStore
from bocau.world import RealWorld

__all__ = [
    "BRANDNAME_TYPE",
    "Desk",
    "at_desk",
    "find_account",
    "find_brandname",
    "network",
    "read_amount",
    "read_file",
    "read_telcos",
    "store_file",
    "store_path",
    "who_types",
]

T = TypeVar("T")

BRANDNAME_TYPE: Final = 2
"""The one SmsType that has brandnames; type 8 goes out under a number of the network."""

_STORE: Final = "bocau.db"


class _Place(NamedTuple):
    path: Path
    settings: Settings


class Desk(NamedTuple):
    """What an act of administration works with."""

    store: RoomStore
    path: Path
    """The store's file, or where the marks of this node are."""
    settings: Settings
    """Those of the gateway that owns the store, as far as they are known here; of a data folder, of its `bocau dev`."""
    world: RealWorld

    async def account(self, name: str) -> AccountRow:
        """The account of that name. Raises Trouble."""
        return find_account(await self.store.accounts(), name)

    async def numbering(self) -> Numbering:
        """Which network a number belongs to, for the gateway of this store."""
        most = self.settings.accept.learned_numbers
        learned = Learned(most)
        learned.load(reversed(await self.store.learned_networks(most)))
        table = read_numbering(self.settings).with_learned(learned)
        return table.with_ported(await read_ported(self.store, self.world))


def at_desk(data: Path | None, config: Path | None, act: Callable[[Desk], Awaitable[T]], *, warned: bool = True) -> T:
    """Open the store of a data folder, of a settings file, or of the settings in force, and run one act on it.

    A store in quarantine is warned of, unless it is what the act is about. Raises Trouble for everything that a person
    can put right.
    """
    return asyncio.run(_sit(_find(data, config), act, warned=warned))


def read_file(config: Path | None) -> tuple[Path | None, Settings]:
    """The settings file in force and what it says with the environment. Raises Trouble with every problem found."""
    file = find_file(config)
    return file, _read(file, Settings())


def _read(file: Path | None, base: Settings) -> Settings:
    """A file and the environment over settings to begin with. Raises Trouble with every problem found."""
    try:
        return read_settings(file, os.environ, base=base)
    except BadSettings as bad:
        raise Trouble(f"The settings cannot be used:\n{bad}") from bad


def store_path(data: Path | None, config: Path | None) -> Path:
    """The store's file of a data folder, of a settings file, or of the settings in force. Raises Trouble."""
    return _find(data, config).path


def store_file(data: Path | None, config: Path | None) -> Path:
    """The same, whether or not there is a file yet. Raises Trouble for a store that is no file."""
    place = _place(data, config)
    if place.settings.store.database_url.reveal():
        raise Trouble("The store is on PostgreSQL: copy and restore it with its own tools, pg_basebackup or pg_dump.")
    return place.path


def _place(data: Path | None, config: Path | None) -> _Place:
    if data is not None and config is not None:
        raise Trouble("--data and --config both name a store; give one of them.")
    if data is not None:
        return _Place(data / _STORE, _read(None, development(data)))
    settings = read_file(config)[1]
    return _Place(Path(settings.store.path), settings)


def _find(data: Path | None, config: Path | None) -> _Place:
    place = _place(data, config)
    if place.settings.store.database_url.reveal():
        return place
    try:
        there = place.path.is_file()
    except OSError as error:
        raise Trouble(f"The store {place.path} cannot be reached: {error.strerror}.") from error
    if not there:
        raise Trouble(
            f"There is no store at {place.path} yet. Start the gateway once (bocau dev, or bocau serve), "
            "or say where the store is with --data DIR or --config FILE."
        )
    return place


async def _sit(place: _Place, act: Callable[[Desk], Awaitable[T]], *, warned: bool) -> T:
    world = RealWorld()
    try:
        where = StorePlace(*place.settings.store.place())._replace(path=str(place.path))
        store = await open_beside(where, Clerk(who_types(), world.now_ms))
    except (StoreBroken, sqlite3.Error) as error:
        raise Trouble(f"The store cannot be opened: {error}.") from error
    try:
        held = await store.quarantine()
        if held is not None and warned:
            warn(f"{place.path} is in quarantine: {held.why}. Nothing is sent from it; see `bocau release`.")
        return await act(Desk(store, place.path, place.settings, world))
    except StoreFault as fault:
        raise Trouble(_said(place.path, fault)) from fault
    except (ValueError, PepperProblem, sqlite3.Error) as error:
        raise Trouble(_sentence(str(error))) from error
    except OSError as error:
        raise Trouble(f"{error.filename or place.path}: {error.strerror}.") from error
    finally:
        await store.close(world.now_ms())


def who_types() -> str:
    """Who types, for the audit: the user of the operating system, and who became it."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid {os.getuid()}"
    behind = os.environ.get("SUDO_USER", "")
    return f"{name} (sudo {behind[:32]})" if behind.isprintable() and behind else name


def _said(path: Path, fault: StoreFault) -> str:
    if getattr(fault.__cause__, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
        return "The store was busy for too long and nothing was changed; try again."
    return f"The store {path} could not be changed: {fault}."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def find_account(accounts: list[AccountRow] | tuple[AccountRow, ...], name: str) -> AccountRow:
    """The account of a name, in its exact spelling. Raises Trouble with the nearest name."""
    found = next((account for account in accounts if account.name == name), None)
    if found is None:
        meant = did_you_mean(name, [account.name for account in accounts])
        raise Trouble(f'There is no account "{name}"{meant or "."} `bocau account list` shows them all.')
    return found


def find_brandname(rows: DirectoryRows, account: AccountRow, name: str, sms_type: int) -> BrandnameRow:
    """The brandname of an account, in its exact spelling. Raises Trouble with the nearest name."""
    own = [row for row in rows.brandnames if row.account_id == account.id and row.sms_type == sms_type]
    found = next((row for row in own if row.name == name), None)
    if found is None:
        meant = did_you_mean(name, [row.name for row in own]) or "."
        # The nearest name may differ only in case, which did_you_mean folds on one side only.
        same = next((row.name for row in own if row.name.casefold() == name.casefold()), None)
        meant = f'; did you mean "{same}"?' if same else meant
        raise Trouble(
            f'Account {account.name} has no brandname "{name}" for type {sms_type}{meant} '
            f"`bocau brandname list {account.name}` shows them all."
        )
    return found


def network(telco: int) -> str:
    """The name of a network for people; 0 stands for all."""
    return TELCOS[telco].receiver_name if telco else "all"


def read_telcos(text: str) -> tuple[int, ...]:
    """The networks of an argument: `all` (given as 0), or ids and names parted by commas. Raises Trouble."""
    if text.strip().lower() == "all":
        return (0,)
    names = {telco.receiver_name.lower(): number for number, telco in TELCOS.items()}
    known = {**names, **{str(number): number for number in TELCOS}}
    found = []
    for word in text.lower().split(","):
        telco = known.get(word.strip())
        if telco is None:
            listed = ", ".join(f"{number} {telco.receiver_name}" for number, telco in TELCOS.items())
            raise Trouble(f'"{word.strip()}" is no network. Give "all", or some of: {listed}.')
        found.append(telco)
    return tuple(dict.fromkeys(found))


def read_amount(text: str, *, signed: bool = False) -> int:
    """An amount of VND as an argument has it, in 1/10,000 VND. Raises Trouble."""
    negative = signed and text.startswith("-")
    try:
        amount = money.parse(text[1:] if negative else text)
    except money.MoneyError:
        raise Trouble(f'"{text}" is no amount: write dong in digits, such as 500000 or 850.5.') from None
    return -amount if negative else amount
