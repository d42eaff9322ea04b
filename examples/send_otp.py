"""Sends a one-time code and waits for its outcome. Standard library only.

    python examples/send_otp.py 0901234567

BOCAU_URL, BOCAU_API_KEY and BOCAU_SECRET_KEY say whom to call; `bocau dev` is the default. Exit code 0: delivered.
"""

import json
import os
import secrets
import sys
import time
import urllib.request
import uuid

URL = os.environ.get("BOCAU_URL", "http://127.0.0.1:8484")
KEYS = {
    "ApiKey": os.environ.get("BOCAU_API_KEY", "bocau-dev"),
    "SecretKey": os.environ.get("BOCAU_SECRET_KEY", "bocau-dev-secret"),
}
FINISHED, REJECTED = 5, 4


def call(operation: str, **members: str) -> dict[str, object]:
    """Post one operation and return the members of its answer."""
    body = json.dumps({**KEYS, **members}).encode()
    with urllib.request.urlopen(f"{URL}/MainService.svc/json/{operation}", body, timeout=15) as answer:
        found: dict[str, object] = json.load(answer)
    return found


def send_otp(phone: str) -> str:
    """Send a fresh code. Returns the SMSID. A repeat after a lost answer must use the same RequestId."""
    code = f"{secrets.randbelow(10_000):04d}"
    answer = call(
        "SendMultipleMessage_V4_post_json/",
        Phone=phone,
        Content=f"{code} la ma xac minh dang ky Baotrixemay cua ban",
        Brandname="Baotrixemay",
        SmsType="2",
        RequestId=f"login-{uuid.uuid4()}",
    )
    if answer["CodeResult"] != "100":
        sys.exit(f"refused: {answer['CodeResult']} {answer.get('ErrorMessage', '')}")
    return str(answer["SMSID"])


def wait_for_outcome(smsid: str, seconds: float) -> dict[str, object]:
    """Ask for the state until it is final or the time is over; the last answer."""
    end = time.monotonic() + seconds
    while True:
        status = call("GetSendStatus", RefId=smsid)
        if status.get("SendStatus") in (FINISHED, REJECTED) or time.monotonic() > end:
            return status
        time.sleep(0.2)


def main() -> None:
    """Send, wait, tell."""
    smsid = send_otp(sys.argv[1] if len(sys.argv) > 1 else "0901234567")
    print("accepted", smsid, flush=True)
    status = wait_for_outcome(smsid, seconds=10)
    delivered = status.get("SendSuccess") == 1
    print("delivered" if delivered else f"not delivered: {status}")
    sys.exit(0 if delivered else 1)


if __name__ == "__main__":
    main()
