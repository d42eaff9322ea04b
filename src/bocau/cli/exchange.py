"""`bocau template import` and `export`: templates from and to files, and from a live service of the eSMS API."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bocau.cli.options import Config, Data, Json, Named
from bocau.cli.output import Trouble, document, plain, told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bocau.cli.desk import Desk
    from bocau.cli.importing import Plan, Wanted

__all__ = ["export_templates", "import_templates"]

_KEY: Final = "ESMS_API_KEY"
_SECRET: Final = "ESMS_SECRET_KEY"  # noqa: S105 - the name of a variable


def import_templates(
    account: Named,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="JSON or TOML, as export writes it.")] = None,
    from_esms: Annotated[bool, typer.Option("--from-esms", help="From a live service instead of a file.")] = False,
    url: Annotated[str, typer.Option("--url", help="Address of that service.")] = "https://rest.esms.vn",
    apply: Annotated[bool, typer.Option("--apply", help="Write it; else only show what would be new.")] = False,
    as_json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Take over brandnames and templates. Nothing is removed here.

    With --from-esms, the keys come from the variables ESMS_API_KEY and ESMS_SECRET_KEY, else they are asked for. They
    are for that service and are kept nowhere.
    """
    with told(as_json):
        from bocau.cli.desk import at_desk
        from bocau.cli.importing import plan, write

        wanted = _wanted(file, from_esms, url)

        async def act(desk: "Desk") -> "Plan":
            owner = await desk.account(account)
            found = plan(wanted, await desk.store.read_directory(), owner)
            if apply:
                await write(desk, owner, found)
            return found

        found = at_desk(data, config, act)
        if as_json:
            document(_as_document(account, found, apply))
        else:
            print("\n".join(map(plain, _as_lines(found, apply))))


def _wanted(file: Path | None, from_esms: bool, url: str) -> "list[Wanted]":
    from bocau.cli.importing import from_file, from_service

    if from_esms == (file is not None):
        raise Trouble("Give a FILE, or --from-esms.")
    return from_file(file) if file is not None else from_service(url, *_keys())


def _keys() -> tuple[str, str]:
    """The two keys of the other service: never arguments, which every user of the machine can see. Raises Trouble."""
    import os
    import sys

    found = [os.environ.get(name, "") for name in (_KEY, _SECRET)]
    for at, label in enumerate(("ApiKey", "SecretKey")):
        if not found[at] and sys.stdin.isatty():
            found[at] = str(typer.prompt(label, hide_input=True, err=True))
    if not all(found):
        raise Trouble(f"The keys of the service are missing: set the variables {_KEY} and {_SECRET}.")
    return found[0], found[1]


def _as_document(account: str, found: "Plan", applied: bool) -> dict[str, object]:
    return {
        "account": account,
        "applied": applied,
        "new_brandnames": found.brandnames,
        "new_templates": [one._asdict() for one in found.templates],
        "known": found.known,
        "left_out": found.left_out,
        "only_here": [{"id": row.id, "brandname": row.brandname, "telco": row.telco} for row in found.only_here],
    }


def _as_lines(found: "Plan", applied: bool) -> "Iterator[str]":
    yield from (f"+ brandname {name}" for name in found.brandnames)
    yield from (f"+ {line}" for line in _gathered((one.brandname, one.text, one.telco) for one in found.templates))
    yield from (f"  {line} (only here, stays)" for line in _gathered(_places(found)))
    yield from (f"! brandname {name} is left out: {why}" for name, why in found.left_out.items())
    new = len(found.templates)
    if not new:
        yield f"Nothing is new; {found.known} templates are known."
        return
    counts = f"{len(found.brandnames)} brandnames and {new} templates are new, {found.known} are known"
    yield f"{counts}, and they are written." if applied else f"{counts}, and nothing is written. Do it with --apply."


def _places(found: "Plan") -> "Iterator[tuple[str, str, int]]":
    return ((row.brandname, row.content, row.telco) for row in found.only_here)


def _gathered(rows: "Iterable[tuple[str, str, int]]") -> "Iterator[str]":
    """One line for each text, with its networks."""
    from bocau.cli.desk import network

    found: dict[tuple[str, str], list[int]] = {}
    for name, text, telco in rows:
        found.setdefault((name, text), []).append(telco)
    for (name, text), telcos in found.items():
        yield f"{name} on {', '.join(map(network, sorted(telcos)))}: {text}"


def export_templates(
    account: Named,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Where to; - is standard output.")] = "-",
    data: Data = None,
    config: Config = None,
) -> None:
    """Write the templates of an account as JSON, in the form that import reads."""
    with told(False):
        import json

        from bocau.cli.desk import at_desk
        from bocau.cli.importing import to_document

        async def act(desk: "Desk") -> dict[str, object]:
            owner = await desk.account(account)
            rows = (await desk.store.read_directory()).templates
            return to_document(row for row in rows if row.account_id == owner.id)

        text = json.dumps(at_desk(data, config, act), ensure_ascii=False, indent=2) + "\n"
        if file == "-":
            print(text, end="")
            return
        try:
            Path(file).write_text(text, "utf-8")
        except OSError as error:
            raise Trouble(f"{file} cannot be written: {error.strerror}.") from error
