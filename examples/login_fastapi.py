"""A log-in by one-time code, with FastAPI and bocau.client.

    uvicorn login_fastapi:app --app-dir examples

ESMS_BASE_URL, ESMS_API_KEY and ESMS_SECRET_KEY say whom to call: `bocau dev` here, a bocau or eSMS in production.
Nothing else differs. Its test is tests/examples/test_login.py.
"""

import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from bocau.client import AsyncClient, EsmsError, InvalidPhone

TEXT = "{code} la ma dang nhap Bocau cua ban"
"""As it is registered for the brandname."""

waiting: dict[str, tuple[str, str]] = {}
"""Phone and code by ticket; in an application of several processes this is a database."""


class Ask(BaseModel):
    """Somebody wants to log in."""

    phone: str


class Enter(BaseModel):
    """Somebody has a code."""

    ticket: str
    code: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One client for the life of the application."""
    async with AsyncClient() as app.state.esms:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/ask")
async def ask(wanted: Ask) -> dict[str, str]:
    """Send a code to a phone."""
    code, ticket = f"{secrets.randbelow(1_000_000):06d}", secrets.token_urlsafe()
    try:
        await app.state.esms.send_otp(wanted.phone, code, text=TEXT, brandname="Bocau")
    except InvalidPhone:
        raise HTTPException(400, "This is no mobile number.") from None
    except EsmsError as error:
        raise HTTPException(503, "We cannot send a code just now.") from error
    waiting[ticket] = (wanted.phone, code)
    return {"ticket": ticket}


@app.post("/enter")
async def enter(given: Enter) -> dict[str, str]:
    """Log in with the code; it is good for one try."""
    phone, code = waiting.pop(given.ticket, ("", ""))
    if not code or not hmac.compare_digest(code.encode(), given.code.encode()):
        raise HTTPException(403, "This is not the code.")
    return {"welcome": phone}
