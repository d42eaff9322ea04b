"""Fills docs/reference/esms.md from wire/esms: `python -m tools.render_codes [--check]`."""

import ast

from tools.marked import ROOT, finish, table

from bocau.wire.esms import answers, codes, operations, registration
from bocau.wire.esms.callback import CallbackValues, callback_query
from bocau.wire.esms.codes_vi import IN_VIETNAMESE
from bocau.wire.esms.operations import Kind
from bocau.wire.esms.status import SendReport

PAGE = "docs/reference/esms.md"
SMSID = "02f1a6b3c4400000a1b2c3d4e5f60718000"
DOOR = (
    *(f"src/bocau/accept/{name}.py" for name in ("checks", "door", "mismatch", "registering")),
    "src/bocau/wire/esms/answers.py",
)
ASKS = {
    Kind.SEND: "a send",
    Kind.STATUS: "the state of a request",
    Kind.BALANCE: "the balance",
    Kind.REGISTER: "to register a template",
}


def operation_table() -> str:
    """Operations that are served, with every path they stand under."""
    rows = []
    for row in operations.TABLE:
        if row.kind is Kind.UNSUPPORTED:
            continue
        arguments = "/{ApiKey}/{SecretKey}" if row.takes else ""
        paths = " and ".join(f"`/MainService.svc/{folder}/{row.name}`" for folder in row.folders)
        paths += f", also `{row.name}{arguments}`" if arguments else ""
        rows.append((paths, ", ".join(row.methods), ASKS[row.kind]))
    return table(("path", "methods", "asks for"), rows)


def unsupported_list() -> str:
    """Operations that are known by name only."""
    return ", ".join(f"`{row.name}`" for row in operations.TABLE if row.kind is Kind.UNSUPPORTED)


def bodies() -> str:
    """One of every body, made by the code that makes them."""
    text, refused = codes.text, answers.refused
    done = SendReport(SMSID, 5, 1, 0, 8_500_000, 1, 1)
    told = callback_query(CallbackValues(done, "login-77", "2", 2, "0901234567"))
    decided = registration.decision_query(52353, registration.Decision.REGISTERED, "BOCAU")
    rows = [
        ("send accepted", answers.accepted(SMSID)),
        ("send refused", refused(codes.AUTHORIZE_FAILED, text(codes.AUTHORIZE_FAILED))),
        ("RequestId used", refused(codes.DUPLICATE, text(codes.DUPLICATE), send_status=5)),
        ("template mismatch", refused(codes.TEMPLATE_MISMATCH, text(codes.TEMPLATE_MISMATCH), smsid=SMSID)),
        ("state found", answers.send_status(done)),
        ("state of an unknown id", answers.send_status_not_found(SMSID)),
        ("state, wrong keys", answers.send_status_refused("101", SMSID)),
        ("balance", answers.balance(366_935_000, 7)),
        ("balance, wrong keys", answers.balance_refused("101")),
        ("template taken for registration", registration.registered(52353)),
        ("template not taken", registration.registration_refused(codes.REGISTRATION_PENDING)),
        ("HTTP 400, 404, 405", answers.infrastructure_error()),
        ("HTTP 413", answers.infrastructure_error("Request too large")),
        ("HTTP 503", answers.infrastructure_error("Service unavailable")),
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
        "unsupported": unsupported_list(),
        "bodies": bodies(),
        "codes": code_table(),
        "codes in Vietnamese": vietnamese_table(),
        "other codes": other_codes(),
    }
    finish(PAGE, blocks, "render_codes")


if __name__ == "__main__":
    main()
