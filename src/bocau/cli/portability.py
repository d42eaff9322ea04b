"""`bocau portability`: numbers that moved to another network."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bocau.cli.options import Config, Data, Json
from bocau.cli.output import Trouble, document, facts, listing, result, told

if TYPE_CHECKING:
    from bocau.cli.desk import Desk

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Portability: numbers that moved to another network.")

_BATCH: Final = 5_000
"""Rows of one transaction: a running gateway waits for it."""
_HEADING: Final = ("phone", "telco")
_COMPLAINTS: Final = 5
"""Bad lines that are quoted by number; the others are only counted."""

_Phone = Annotated[str, typer.Argument(metavar="PHONE", help="A number in any spelling.")]


@app.command("import")
def import_numbers(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with the columns phone and telco (id or name).")],
    replace: Annotated[bool, typer.Option("--replace", help="Forget all numbers that the file does not name.")] = False,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Take over numbers that moved. Network 0 forgets a number. A file with a bad line changes nothing."""
    with told(as_json):
        from bocau.cli.desk import at_desk

        moved = _read(file)
        rows = [(phone, telco) for phone, telco in sorted(moved.items()) if telco or not replace]

        async def act(desk: "Desk") -> None:
            if replace:
                await desk.store.clear_ported()
            for at in range(0, max(1, len(rows)), _BATCH):
                await desk.store.put_ported(rows[at : at + _BATCH], last=at + _BATCH >= len(rows))

        at_desk(data, config, act)
        forgotten = sum(not telco for telco in moved.values())
        value = {"file": str(file), "numbers": len(moved) - forgotten, "forgotten": forgotten, "replaced": replace}
        sentence = f"{len(moved) - forgotten} numbers are taken over from {file}"
        result(as_json, value, f"{sentence}{f', {forgotten} are forgotten' if forgotten else ''}.")


def _read(file: Path) -> dict[int, int]:
    """The numbers of a file without their leading 0, with their networks; of two lines the last counts."""
    import csv

    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.reader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise Trouble(f"{file} cannot be read: {why}.") from error
    first = tuple(cell.strip().lower() for cell in rows[0]) if rows else ()
    found, bad = _sorted_out(enumerate(rows[1:], 2) if first == _HEADING else enumerate(rows, 1))
    if bad:
        more = f" and {len(bad) - _COMPLAINTS} more" if len(bad) > _COMPLAINTS else ""
        raise Trouble(
            f"Nothing was imported: line {', '.join(map(str, bad[:_COMPLAINTS]))}{more} of {file} "
            "is no phone number with a network. A line looks like 0901234567,1 or 0901234567,Viettel."
        )
    return found


def _sorted_out(lines: Iterable[tuple[int, list[str]]]) -> tuple[dict[int, int], list[int]]:
    """The numbers, and which lines are none."""
    from bocau.core.phone import normalise

    names = _networks()
    found, bad = {}, []
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        phone = normalise(cells[0])
        telco = names.get(cells[1].strip().lower()) if len(cells) == len(_HEADING) else None
        if phone is None or telco is None:
            bad.append(number)
        else:
            found[int(phone)] = telco
    return found, bad


def _networks() -> Mapping[str, int]:
    from bocau.core.telcos import TELCOS

    names = {telco.receiver_name.lower(): number for number, telco in TELCOS.items()}
    return {"0": 0, **names, **{str(number): number for number in TELCOS}}


async def _walk(desk: "Desk", limit: int | None) -> list[tuple[int, int]]:
    """The first numbers that moved, or all."""
    found: list[tuple[int, int]] = []
    while limit is None or len(found) < limit:
        rows = await desk.store.ported(found[-1][0] if found else 0, _BATCH)
        if not rows:
            break
        found.extend(rows)
    return found[:limit]


@app.command("list")
def list_numbers(
    limit: Annotated[int, typer.Option("--limit", metavar="COUNT", min=1, help="How many are shown.")] = 100,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """List the first numbers that moved, in order."""
    with told(as_json):
        from bocau.cli.desk import at_desk, network

        async def act(desk: "Desk") -> list[dict[str, object]]:
            rows = await _walk(desk, limit)
            return [{"phone": f"0{phone}", "telco": telco, "network": network(telco)} for phone, telco in rows]

        empty = "No number is known to have moved. Take them over from a file: bocau portability import FILE"
        listing(as_json, at_desk(data, config, act), {"phone": "Phone", "telco": "Telco", "network": "Network"}, empty)


@app.command("export")
def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to; - is standard output.")] = "-",
    data: Data = None,
    config: Config = None,
) -> None:
    """Write all numbers that moved as CSV, in the form that import reads."""
    with told(False):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> list[tuple[int, int]]:
            return await _walk(desk, None)

        text = "".join(_lines(at_desk(data, config, act)))
        if file == "-":
            print(text, end="")
            return
        try:
            Path(file).write_text(text, "utf-8")
        except OSError as error:
            raise Trouble(f"{file} cannot be written: {error.strerror}.") from error


def _lines(rows: Iterable[tuple[int, int]]) -> Iterator[str]:
    yield f"{','.join(_HEADING)}\n"
    yield from (f"0{phone},{telco}\n" for phone, telco in rows)


@app.command("lookup")
def lookup(phone: _Phone, as_json: Json = False, data: Data = None, config: Config = None) -> None:
    """Say which network a number belongs to, and why."""
    with told(as_json):
        from bocau.cli.desk import at_desk
        from bocau.core.phone import normalise

        number = normalise(phone)
        if number is None:
            raise Trouble(f'"{phone}" is no Vietnamese mobile number.')

        async def act(desk: "Desk") -> dict[str, object]:
            table = await desk.numbering()
            telco, by_prefix = table.telco_of(number), table.telco_by_prefix(number)
            learned = await desk.store.learned_network(int(number))
            return {
                "phone": number,
                "telco": telco,
                "network": _named(telco),
                "moved": bool(table.ported.get(number)),
                "learned_network": _named(learned.telco) if learned else None,
                "learned_from": learned.source if learned else None,
                "learned_ms": learned.seen_ms if learned else None,
                "prefix_network": _named(by_prefix),
                "table": table.version,
            }

        found = at_desk(data, config, act)
        if as_json:
            document(found)
            return
        facts(
            [
                ("Phone", found["phone"]),
                ("Network", found["network"]),
                ("Because", _why(found)),
                ("Prefix", found["prefix_network"]),
                ("Table", found["table"]),
            ]
        )


def _named(telco: int) -> str | None:
    from bocau.cli.desk import network

    return network(telco) if telco else None


def _why(found: dict[str, object]) -> str:
    """What the network of a number is known from."""
    if found["moved"]:
        return "the table of moved numbers says so"
    if found["learned_from"]:
        return _seen(found["learned_from"], found["learned_ms"])
    return "of its prefix"


def _seen(source: object, seen_ms: object) -> str:
    from bocau.core.learned import LOOKUP

    who = "the lookup service said so" if source == LOOKUP else f"carrier {source} named it"
    return f"{who}, {_day(seen_ms)}"


def _day(at_ms: object) -> str:
    from datetime import UTC, datetime

    assert isinstance(at_ms, int)  # noqa: S101 - it comes with its source
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


@app.command("learned")
def learned(
    limit: Annotated[int, typer.Option("--limit", metavar="COUNT", min=1, help="How many are shown.")] = 100,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """List numbers whose network a carrier named or the lookup service told, the newest first.

    What you import goes before all of it.
    """
    with told(as_json):
        from bocau.cli.desk import at_desk

        async def act(desk: "Desk") -> list[dict[str, object]]:
            return [
                {
                    "phone": f"0{row.phone}",
                    "telco": row.telco,
                    "network": _named(row.telco),
                    "source": row.source,
                    "seen": _day(row.seen_ms),
                }
                for row in await desk.store.learned_networks(limit)
            ]

        columns = {"phone": "Phone", "telco": "Telco", "network": "Network", "source": "From", "seen": "Seen"}
        listing(as_json, at_desk(data, config, act), columns, "No network of a number was learned yet.")
