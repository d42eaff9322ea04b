"""Takes callbacks, checks their signature, prints what they say. Standard library only.

    python examples/receive_callback.py [PORT]

BOCAU_CALLBACK_SECRET is the gateway's setting callback.secret; the default is that of `bocau dev`.
"""

import base64
import hashlib
import hmac
import os
import sys
import time
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SECRET = os.environ.get("BOCAU_CALLBACK_SECRET", "bocau-dev-callback-signing-key")
OLDEST_SECONDS = 300


def is_ours(secret: str, path_and_query: str, headers: Message) -> bool:
    """Whether a callback comes from our gateway, and is not an old one played again."""
    event, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (moment.isascii() and moment.isdigit()) or abs(time.time() - int(moment)) > OLDEST_SECONDS:
        return False
    signed = f"{event}.{moment}.{path_and_query}".encode()
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    given = headers.get("webhook-signature", "").encode().split()
    return any(hmac.compare_digest(one, expected) for one in given)


class Hook(BaseHTTPRequestHandler):
    """Answers GET with 204, or 403 if the signature does not fit."""

    def do_GET(self) -> None:
        """One callback. Answer first, work later: a slow answer is a failed try."""
        ours = is_ours(SECRET, self.path, self.headers)
        self.send_response(204 if ours else 403)
        self.end_headers()
        if not ours:
            print("refused: the signature does not fit", flush=True)
            return
        told = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
        outcome = "delivered" if told.get("SendSuccess") == told.get("TotalReceiver") else "not delivered to all"
        print(outcome, told.get("SMSID"), "RequestId:", told.get("RequestId", "-"), flush=True)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the request line holds a phone number."""


def main() -> None:
    """Listen until Ctrl-C."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    with ThreadingHTTPServer(("127.0.0.1", port), Hook) as server:
        print(f"listening at http://127.0.0.1:{server.server_port}/", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
