"""Writes of registrations: a template is asked for, an operator decides, the customer is told."""

import sqlite3
from collections.abc import Sequence

from bocau.core.directory import TemplateRow
from bocau.core.message import RegistrationDue
from bocau.core.registration import APPROVED, MOST_PENDING, REFUSED, Registration
from bocau.store.queries import Queries

__all__ = ["ask", "decide", "read_due"]


def ask(db: sqlite3.Connection, q: Queries, asked: Registration) -> int | None:
    """Store it; its id, or None if the same one waits already, or as many as may."""
    row = db.execute(q["insert_registration"], (*asked[1:], MOST_PENDING)).fetchone()
    return None if row is None else int(row[0])


def decide(
    db: sqlite3.Connection,
    q: Queries,
    registration_id: int,
    templates: Sequence[TemplateRow] | None,
    reason: str,
    now_ms: int,
) -> bool:
    """Approve, with the templates to register, or refuse, with None. False: it does not wait for a decision."""
    state = REFUSED if templates is None else APPROVED
    row = db.execute(q["decide_registration"], (registration_id, state, reason, now_ms)).fetchone()
    if row is None:
        return False
    for template in templates or ():
        db.execute(q["put_template"], (*template[1:], now_ms)).fetchone()
    account_id, url = row
    if url:
        db.execute(q["insert_callback"], (-registration_id, account_id, 0, now_ms, now_ms))
    return True


def read_due(db: sqlite3.Connection, q: Queries, callback_id: int, tries: int, now_ms: int) -> RegistrationDue | None:
    """What a claimed callback of a decision tells."""
    row = db.execute(q["registration_decision"], (-callback_id,)).fetchone()
    if row is None:
        return None
    account_id, url, state, brandname = row
    return RegistrationDue(callback_id, account_id, url, -callback_id, state == APPROVED, brandname, tries, now_ms)
