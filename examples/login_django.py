"""A log-in by one-time code, with Django and bocau.client, in one file.

    python examples/login_django.py runserver 127.0.0.1:8000

ESMS_BASE_URL, ESMS_API_KEY and ESMS_SECRET_KEY say whom to call: `bocau dev` here, a bocau or eSMS in production.
Nothing else differs. Its test is tests/examples/test_login.py.
"""

import hmac
import secrets
import sys

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

from bocau.client import Client, EsmsError, InvalidPhone

TEXT = "{code} la ma dang nhap Bocau cua ban"
"""As it is registered for the brandname."""

settings.configure(
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_hex(32),
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
)

esms = Client()
waiting: dict[str, tuple[str, str]] = {}
"""Phone and code by ticket; in an application of several processes this is a model."""


def ask(request: HttpRequest) -> HttpResponse:
    """Send a code to a phone."""
    phone, code = request.POST.get("phone", ""), f"{secrets.randbelow(1_000_000):06d}"
    try:
        esms.send_otp(phone, code, text=TEXT, brandname="Bocau")
    except InvalidPhone:
        return HttpResponse("This is no mobile number.", status=400)
    except EsmsError:
        return HttpResponse("We cannot send a code just now.", status=503)
    ticket = secrets.token_urlsafe()
    waiting[ticket] = (phone, code)
    request.session["ticket"] = ticket
    return HttpResponse("We have sent you a code.")


def enter(request: HttpRequest) -> HttpResponse:
    """Log in with the code; it is good for one try."""
    phone, code = waiting.pop(request.session.get("ticket", ""), ("", ""))
    if not code or not hmac.compare_digest(code.encode(), request.POST.get("code", "").encode()):
        return HttpResponse("This is not the code.", status=403)
    request.session["phone"] = phone
    return HttpResponse(f"Welcome, {phone}.")


urlpatterns = [path("ask", ask), path("enter", enter)]

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
