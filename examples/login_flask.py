"""A log-in by one-time code, with Flask and bocau.client.

    flask --app examples/login_flask run

ESMS_BASE_URL, ESMS_API_KEY and ESMS_SECRET_KEY say whom to call: `bocau dev` here, a bocau or eSMS in production.
Nothing else differs. Its test is tests/examples/test_login.py.
"""

import hmac
import secrets

from flask import Flask, Response, request, session

from bocau.client import Client, EsmsError, InvalidPhone

TEXT = "{code} la ma dang nhap Bocau cua ban"
"""As it is registered for the brandname."""


def create_app() -> Flask:
    """The application; made for each process, so that a test can set the environment first."""
    app = Flask(__name__)
    app.secret_key = secrets.token_bytes(32)
    esms = Client()
    waiting: dict[str, tuple[str, str]] = {}  # in an application of several processes this is a database

    @app.post("/ask")
    def ask() -> Response:
        """Send a code to a phone."""
        phone, code = request.form["phone"], f"{secrets.randbelow(1_000_000):06d}"
        try:
            esms.send_otp(phone, code, text=TEXT, brandname="Bocau")
        except InvalidPhone:
            return Response("This is no mobile number.", 400)
        except EsmsError:
            app.logger.exception("no code could be sent")
            return Response("We cannot send a code just now.", 503)
        ticket = secrets.token_urlsafe()
        waiting[ticket] = (phone, code)
        session["ticket"] = ticket
        return Response("We have sent you a code.")

    @app.post("/enter")
    def enter() -> Response:
        """Log in with the code; it is good for one try."""
        phone, code = waiting.pop(session.get("ticket", ""), ("", ""))
        if not code or not hmac.compare_digest(code.encode(), request.form["code"].encode()):
            return Response("This is not the code.", 403)
        session["phone"] = phone
        return Response(f"Welcome, {phone}.")

    app.extensions["esms"] = esms
    return app
