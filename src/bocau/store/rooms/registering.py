"""Writes of registrations: a template is asked for, an operator decides, the customer is told."""

from collections.abc import Sequence

from bocau.core.directory import TemplateRow
from bocau.core.message import RegistrationDue
from bocau.core.registration import APPROVED, MOST_PENDING, REFUSED, Registration
from bocau.store.queries import Queries
from bocau.store.work import Asking, Work

__all__ = ["ask", "decide", "read_due"]


async def ask(db: Work, q: Queries, asked: Registration) -> int | None:
    """Store it; its id, or None if the same one waits already, or as many as may."""
    row = await db.row(q["insert_registration"], (*asked[1:], MOST_PENDING))
    return None if row is None else int(row[0])


async def decide(
    db: Work,
    q: Queries,
    registration_id: int,
    templates: Sequence[TemplateRow] | None,
    reason: str,
    now_ms: int,
) -> bool:
    """Approve, with the templates to register, or refuse, with None. False: it does not wait for a decision."""
    state = REFUSED if templates is None else APPROVED
    row = await db.row(q["decide_registration"], (registration_id, state, reason, now_ms))
    if row is None:
        return False
    for template in templates or ():
        await db.row(q["put_template"], (*template[1:], now_ms))
    account_id, url = row
    if url:
        await db.change(q["insert_callback"], (-registration_id, account_id, 0, now_ms, now_ms))
    return True


async def read_due(db: Asking, q: Queries, callback_id: int, tries: int, now_ms: int) -> RegistrationDue | None:
    """What a claimed callback of a decision tells."""
    row = await db.row(q["registration_decision"], (-callback_id,))
    if row is None:
        return None
    account_id, url, state, brandname = row
    return RegistrationDue(callback_id, account_id, url, -callback_id, state == APPROVED, brandname, tries, now_ms)
