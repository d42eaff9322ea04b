"""`bocau template test`: the checks of the door on one text, and what they found, for people."""

from typing import Final, NamedTuple

from bocau.accept.checks import Draft, check
from bocau.app import policy_of
from bocau.cli.desk import BRANDNAME_TYPE, find_account, network
from bocau.cli.output import Vnd, plain
from bocau.core.directory import DirectoryRows, KeyRow, RegisteredTemplate, build, hash_secret, nearest_registered
from bocau.core.numbering import Numbering
from bocau.core.refusal import Refusal
from bocau.core.template import normalise
from bocau.settings import Settings
from bocau.wire.esms import codes
from bocau.wire.esms.send import SendRequest
from bocau.wire.gsm.parts import measure

__all__ = ["Trial", "rehearse", "sentences"]

_NO_KEY: Final = b""
"""The rehearsal signs in with a key of its own making, in a directory of its own."""
_BEFORE: Final = 50
_AFTER: Final = 50


class Trial(NamedTuple):
    """What is tried."""

    account: str
    brandname: str
    text: str
    phone: str
    unicode: bool


def rehearse(
    trial: Trial, rows: DirectoryRows, settings: Settings, numbering: Numbering, now_ms: int
) -> dict[str, object]:
    """What the door would answer, as a document. Raises Trouble for an unknown account."""
    owner = find_account(rows.accounts, trial.account)
    key = KeyRow("rehearsal", owner.id, hash_secret(_NO_KEY, b"rehearsal"), "active")
    directory = build(rows._replace(keys=(key,)), _NO_KEY, numbering)
    request = SendRequest(
        key.api_key,
        "rehearsal",
        trial.text,
        trial.phone,
        trial.brandname,
        str(BRANDNAME_TYPE),
        trial.unicode,
    )
    draft = check(request, directory, policy_of(settings), now_ms)
    if isinstance(draft, Refusal):
        return _refused(draft)
    telco = draft.receivers[0].telco
    brandname = draft.account.brandname(BRANDNAME_TYPE, draft.brandname)
    registered = () if brandname is None else brandname.templates.get(telco, ())
    return _judged(draft, registered, telco)


def _refused(refusal: Refusal) -> dict[str, object]:
    """Refused before any template was looked at."""
    row = codes.CODES[refusal.code]
    return {"accepted": False, "code": row.code, "name": row.name, "reason": refusal.reason, "fix": row.fix}


def _judged(draft: Draft, registered: tuple[RegisteredTemplate, ...], telco: int) -> dict[str, object]:
    """The text came as far as the templates."""
    size = measure(draft.content)
    document: dict[str, object] = {
        "accepted": draft.rejected is None,
        "code": codes.ACCEPTED if draft.rejected is None else codes.TEMPLATE_MISMATCH,
        "brandname": draft.brandname,
        "telco": telco,
        "network": network(telco),
        "text": draft.content,
        "alphabet": size.alphabet,
        "units": size.units,
        "parts": size.parts,
    }
    text = normalise(draft.content)
    if draft.rejected is None:
        match = next(row for row in registered if row.template.match_normalised(text))
        return document | {"price_vnd": Vnd(draft.receivers[0].price), "template": _shown(match)}
    found = nearest_registered(registered, text)
    if found is None:
        return document
    row, difference = found
    return document | {
        "nearest": _shown(row),
        "position": difference.position,
        "expected": difference.expected,
        "got": difference.got,
        "compared": text,
    }


def _shown(row: RegisteredTemplate) -> dict[str, object]:
    return {"id": row.id, "class": row.route_class, "text": row.template.text}


def sentences(verdict: dict[str, object]) -> list[str]:
    """The document in words, line by line."""
    if "network" not in verdict:
        lines = [f"Refused: code {verdict['code']}, {verdict['name']}", f"{verdict['reason']}", f"{verdict['fix']}"]
        return [plain(line) for line in lines]
    where = f"{verdict['brandname']} on {verdict['network']}"
    lines = []
    template, near = verdict.get("template"), verdict.get("nearest")
    if isinstance(template, dict):
        lines.append(f"Accepted: follows template {template['id']} of {where} (class {template['class']})")
        lines.append(f"  {template['text']}")
    elif isinstance(near, dict):
        lines.append(
            f"Refused: code 146, differs from template {near['id']} of {where} at character {verdict['position']}"
        )
        lines.append(f"  {near['text']}")
        lines.extend(_pointed(str(verdict["compared"]), verdict["position"]))
        lines.append(
            f'expected "{verdict["expected"]}", got "{verdict["got"]}"' if verdict["expected"] else _too_long(verdict)
        )
    units = "septets" if verdict["alphabet"] == "gsm" else "UTF-16 units"
    parts = "1 part" if verdict["parts"] == 1 else f"{verdict['parts']} parts"
    price = f", {verdict['price_vnd']} VND" if "price_vnd" in verdict else ""
    lines.append(f"The text takes {parts}: {verdict['units']} {units} in {verdict['alphabet']}{price}")
    return [plain(line) for line in lines]


def _too_long(verdict: dict[str, object]) -> str:
    return f'expected the text to end, got "{verdict["got"]}"'


def _pointed(text: str, position: object) -> list[str]:
    """The text around the first character that differs, and a mark below it."""
    at = position - 1 if isinstance(position, int) else 0
    begin = max(0, text.rfind("\n", 0, at) + 1, at - _BEFORE)
    line = text[begin : at + _AFTER].partition("\n")[0]
    return [f"  {line}", f"  {' ' * (at - begin)}^"]
