"""Fills docs/reference/esms.md from wire/esms: `python -m tools.render_codes [--check]`."""

import ast
import json

from tools.marked import ROOT, finish, table

from bocau.wire.esms import answers, codes, operations, registration, reports
from bocau.wire.esms.callback import CallbackValues, callback_query
from bocau.wire.esms.catalogue import CATALOGUE, SMSID
from bocau.wire.esms.codes_vi import IN_VIETNAMESE
from bocau.wire.esms.markup import as_xml
from bocau.wire.esms.operations import Kind, Operation
from bocau.wire.esms.reports import XML_SHAPES
from bocau.wire.esms.status import SendReport

PAGE = "docs/reference/esms.md"
DOOR = (
    *(
        f"src/bocau/accept/{name}.py"
        for name in ("checks", "door", "generated", "mismatch", "questions", "registering")
    ),
    "src/bocau/wire/esms/reports.py",
)


def operation_table() -> str:
    """Operations that are served, with every path they stand under."""
    rows = []
    for row in operations.TABLE:
        if row.kind is Kind.UNSUPPORTED:
            continue
        arguments = "/{ApiKey}/{SecretKey}" if row.takes else ""
        paths = " and ".join(f"`/MainService.svc/{folder}/{row.name}`" for folder in row.folders)
        paths += f", also `{row.name}{arguments}`" if arguments else ""
        rows.append((paths, ", ".join(row.methods), CATALOGUE[row.kind].title))
    return table(("path", "methods", "asks for"), rows)


def unsupported_list() -> str:
    """Operations that are known by name only."""
    return ", ".join(f"`{row.name}`" for row in operations.TABLE if row.kind is Kind.UNSUPPORTED)


def entry(kind: Kind) -> str:
    """One kind of operation: its parameters, a request to copy, and every shape of its answer."""
    found = CATALOGUE[kind]
    rows = [row for row in operations.TABLE if row.kind is kind]
    names = ", ".join(f"`{row.name}`" for row in rows)
    parameters = [
        (f"`{p.name}`", "yes" if p.required else "no", p.meaning, f"`{p.example}`" if p.example else "")
        for p in found.parameters
    ]
    parts = [f"### {found.title[0].upper()}{found.title[1:]}", names + "."]
    parts += [found.note] if found.note else []
    parts += [table(("parameter", "needed", "meaning", "example"), parameters), f"```sh\n{curl(rows[0])}\n```"]
    parts += [f"{case}:\n\n```json\n{body.decode()}\n```" for case, body in found.bodies]
    return "\n\n".join(parts)


def curl(row: Operation) -> str:
    """The example as a command: a GET where the operation is one, else a JSON body."""
    given = {p.name: p.example for p in CATALOGUE[row.kind].parameters if p.example}
    address = f"http://127.0.0.1:8484/MainService.svc/json/{row.name}"
    if "GET" in row.methods:
        values = " ".join(f"--data-urlencode '{name}={value}'" for name, value in given.items())
        return f"curl -sG {address} {values}"
    return f"curl -s {address} -d '{json.dumps(given)}'"


def reference() -> str:
    """All of them, by group."""
    return "\n\n".join(entry(kind) for kind in Kind if kind is not Kind.UNSUPPORTED)


def bodies() -> str:
    """What goes with no operation in particular."""
    done = SendReport(SMSID, 5, 1, 0, 8_500_000, 1, 1)
    told = callback_query(CallbackValues(done, "login-77", "2", 2, "0901234567"))
    document = as_xml(answers.accepted(SMSID), *XML_SHAPES[Kind.SEND])
    decided = registration.decision_query(52353, registration.Decision.REGISTERED, "BOCAU")
    rows = [
        ("HTTP 400, 404, 405", answers.infrastructure_error()),
        ("HTTP 413", answers.infrastructure_error("Request too large")),
        ("HTTP 503", answers.infrastructure_error("Service unavailable")),
        ("send accepted, under /xml/", document),
        ("balance, under /xml/", as_xml(reports.balance(366_935_000, 7), *XML_SHAPES[Kind.BALANCE])),
        ("state found, under /xml/", as_xml(reports.send_status(done), *XML_SHAPES[Kind.STATUS])),
        ("callback, query string", told.encode()),
        ("callback of a registration, query string", decided.encode()),
    ]
    return "\n\n".join(f"{name}:\n\n```text\n{body.decode()}\n```" for name, body in rows)


def answered() -> set[str]:
    """The codes that the door's source names."""
    found = {codes.ACCEPTED}
    for file in DOOR:
        for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "codes":
                value = getattr(codes, node.attr, None)
                found |= {value} if isinstance(value, str) else set()
    return found


def code_table() -> str:
    """Codes that this version answers."""
    now = answered()
    rows = [
        (f"`{row.code}`", row.name, f"`{row.text}`" if row.text else "", row.cause, row.fix)
        for row in codes.CODES.values()
        if row.code in now
    ]
    return table(("code", "name", "text", "cause", "what to do"), rows)


def vietnamese_table() -> str:
    """The same in Vietnamese."""
    now = answered()
    rows = [(f"`{code}`", *told) for code, told in IN_VIETNAMESE.items() if code in now]
    return table(("mã", "tên", "nguyên nhân", "cách xử lý"), rows)


def other_codes() -> str:
    """Codes that clients know and this version never answers."""
    now = answered()
    rows = [(f"`{row.code}`", row.name, row.applies_to) for row in codes.CODES.values() if row.code not in now]
    return table(("code", "name", "belongs to"), rows)


def main() -> None:
    """Write the page, or check it."""
    blocks = {
        "operations": operation_table(),
        "reference": reference(),
        "unsupported": unsupported_list(),
        "bodies": bodies(),
        "codes": code_table(),
        "codes in Vietnamese": vietnamese_table(),
        "other codes": other_codes(),
    }
    finish(PAGE, blocks, "render_codes")


if __name__ == "__main__":
    main()
