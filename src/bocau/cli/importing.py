"""Templates from elsewhere: a file, or a live service of the eSMS API; what is new in them, and writing it."""

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from bocau.cli.api_calls import Answer, call, post
from bocau.cli.desk import BRANDNAME_TYPE
from bocau.cli.output import Trouble
from bocau.core.brandname import judge_name
from bocau.core.directory import AccountRow, BrandnameRow, DirectoryRows, TemplateRow
from bocau.core.telcos import TELCOS
from bocau.core.template import TemplateError, canonical, is_otp, parse
from bocau.core.text import has_forbidden_controls, nfc

if TYPE_CHECKING:
    from bocau.cli.desk import Desk

__all__ = ["Plan", "Wanted", "from_document", "from_file", "from_service", "plan", "to_document", "write"]

_KEYS: Final = ("CodeResponse", "CodeResult")
"""Either may name the code, whatever the page says (esms-api 7, row N)."""


class Wanted(NamedTuple):
    """A template somewhere else."""

    brandname: str
    telco: int
    text: str
    """Normalised."""
    route_class: str


class Plan(NamedTuple):
    """What taking them over would do."""

    brandnames: tuple[str, ...]
    """To register."""
    templates: tuple[Wanted, ...]
    """To register."""
    known: int
    """Registered here already, in whatever spelling of their placeholders."""
    only_here: tuple[TemplateRow, ...]
    """Of the same brandnames, not over there; they stay."""
    left_out: Mapping[str, str]
    """Brandnames that no message could leave with, and why."""


# Sources


def from_file(file: Path) -> list[Wanted]:
    """The templates of a JSON file, or of a TOML file by its name. Raises Trouble."""
    try:
        text = file.read_text("utf-8")
        value = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # of the JSON, of the TOML, of the UTF-8
        raise Trouble(f"{file} cannot be read: {error}.") from error
    return from_document(value, str(file))


def from_document(value: object, where: str) -> list[Wanted]:
    """The templates of a document as `to_document` makes it. Raises Trouble."""
    try:
        rows = value["template"]  # type: ignore[index]
        return [
            _wanted(row["brandname"], telco, row["text"], row.get("class", ""))
            for row in rows
            for telco in row.get("telcos", tuple(TELCOS))
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise Trouble(
            f"{where} is no list of templates: it has one `template` after the other, each with brandname and text, "
            "and telcos and class where they are not all networks and what the text says."
        ) from error


def to_document(rows: Iterable[TemplateRow]) -> dict[str, object]:
    """Templates as a file has them: one entry for each text, with its networks."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for row in rows:
        found.setdefault((row.brandname, row.content, row.route_class), []).append(row.telco)
    entries = [
        {"brandname": name, "text": text, "telcos": sorted(telcos), "class": route_class}
        for (name, text, route_class), telcos in found.items()
    ]
    return {"template": entries}


def from_service(url: str, api_key: str, secret_key: str) -> list[Wanted]:
    """The templates of an account at a service of the eSMS API, through GetListBrandname and GetTemplate.

    Keys stand in the path of the first call: the API has no other form of it. Raises Trouble.
    """
    path = f"/MainService.svc/json/GetListBrandname/{quote(api_key, safe='')}/{quote(secret_key, safe='')}"
    listed = _checked(call("GET", url, path), "GetListBrandname")
    names = [
        row["Brandname"]
        for row in _rows(listed, "ListBrandName")
        if str(row.get("Type")) == str(BRANDNAME_TYPE) and isinstance(row.get("Brandname"), str)
    ]
    found = []
    for name in dict.fromkeys(names):
        asked = {"ApiKey": api_key, "SecretKey": secret_key, "SmsType": str(BRANDNAME_TYPE), "Brandname": name}
        answer = _checked(post(url, "GetTemplate/", asked), f"GetTemplate of {name}")
        found += [
            _wanted(name, row.get("NetworkID"), row.get("TempContent"), "")
            for row in _rows(answer, "BrandnameTemplates")
        ]
    return found


def _checked(answer: Answer, what: str) -> Mapping[str, Any]:
    """The members of an answer with code 100. Raises Trouble."""
    members = answer.members
    code = next((str(members[key]) for key in _KEYS if key in members), "")
    if code == "101":
        raise Trouble(f"The service does not know these keys ({what}: 101).")
    if answer.status != 200 or code != "100":
        said = f"code {code}" if code else f"HTTP {answer.status} without a code"
        raise Trouble(f"The service gave no list: {what} was answered with {said}. Nothing was imported.")
    return members


def _rows(members: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    rows = members.get(key)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _wanted(brandname: object, telco: object, text: object, route_class: object) -> Wanted:
    """One template. Raises Trouble for one that cannot be."""
    if not (isinstance(brandname, str) and isinstance(text, str) and route_class in ("", "otp", "other")):
        raise Trouble(f"Nothing was imported: a template of {brandname!r} is no text, or its class is none.")
    number = int(telco) if isinstance(telco, str) and telco.isascii() and telco.isdigit() else telco
    if not isinstance(number, int) or number not in TELCOS:
        raise Trouble(f"Nothing was imported: {brandname} has a template on network {telco!r}, which does not exist.")
    if has_forbidden_controls(text):
        raise Trouble(f"Nothing was imported: a template of {brandname} has signs that no message can carry.")
    try:
        content = parse(text).text
    except TemplateError as error:
        raise Trouble(f"Nothing was imported: a text of {brandname} cannot be a template: {error}.") from error
    chosen = str(route_class) or ("otp" if is_otp(content) else "other")
    return Wanted(nfc(brandname.strip()), number, content, chosen)


# The difference


def plan(wanted: Sequence[Wanted], rows: DirectoryRows, account: AccountRow) -> Plan:
    """What is new of it for an account. Templates that differ only in the spelling of placeholders are the same."""
    own = [row for row in rows.templates if (row.account_id, row.sms_type) == (account.id, BRANDNAME_TYPE)]
    have = {(row.brandname, row.telco, canonical(row.content)) for row in own}
    names = {row.name for row in rows.brandnames if (row.account_id, row.sms_type) == (account.id, BRANDNAME_TYPE)}
    left_out = {one.brandname: "; ".join(judge_name(one.brandname).impossible) for one in wanted}
    left_out = {name: why for name, why in left_out.items() if why}
    suitable = [one for one in wanted if one.brandname not in left_out]
    there = {(one.brandname, one.telco, canonical(one.text)): one for one in suitable}
    fresh = [one for key, one in there.items() if key not in have]
    asked_for = {one.brandname for one in wanted}
    return Plan(
        tuple(dict.fromkeys(one.brandname for one in fresh if one.brandname not in names)),
        tuple(fresh),
        len(there) - len(fresh),
        tuple(
            row
            for row in own
            if row.brandname in asked_for and (row.brandname, row.telco, canonical(row.content)) not in there
        ),
        left_out,
    )


async def write(desk: "Desk", account: AccountRow, found: Plan) -> None:
    """Register what is new."""
    now_ms = desk.world.now_ms()
    for name in found.brandnames:
        await desk.store.put_brandname(BrandnameRow(account.id, BRANDNAME_TYPE, name, "active"), now_ms)
    for one in found.templates:
        row = TemplateRow(0, account.id, BRANDNAME_TYPE, one.brandname, one.telco, one.text, one.route_class)
        await desk.store.put_template(row, now_ms)
