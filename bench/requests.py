"""The request of the bench: its body, and the bytes of a whole HTTP request."""

import json

from bocau.provision import BENCH

__all__ = ["ACCEPTED", "CALLBACK_PATH", "PATH", "body", "call_body", "http_request", "phone_of"]

PATH = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
CALLBACK_PATH = "/cb/"
"""What follows it in the path of a callback is the number of its message, in seven digits."""
ACCEPTED = b'"CodeResult":"100"'


def phone_of(number: int) -> str:
    """The receiver of a message: a mobile number, each its own."""
    return f"090{number % 10_000_000:07d}"


def body(number: int, sink_port: int, series: str = "bench") -> bytes:
    """The JSON body of a message; its text begins with its number. With `sink_port` 0 it asks for no callback."""
    members = {
        "ApiKey": BENCH.api_key,
        "Content": f"{number:07d} la ma xac minh dang ky Baotrixemay cua ban",
        "Phone": phone_of(number),
        "SecretKey": BENCH.secret_key,
        "Brandname": "Baotrixemay",
        "SmsType": "2",
        "IsUnicode": "0",
        "Sandbox": "0",
        "campaignid": "bench",
        "RequestId": f"{series}-{number:07d}",
    }
    if sink_port:
        members["CallbackUrl"] = f"http://127.0.0.1:{sink_port}{CALLBACK_PATH}{number:07d}?from=bench"
    return json.dumps(members).encode()


def call_body(number: int) -> bytes:
    """The JSON body of a message that is called: a code of six digits."""
    members = {
        "ApiKey": BENCH.api_key,
        "Content": f"{number:06d}",
        "Phone": phone_of(number),
        "SecretKey": BENCH.secret_key,
        "SmsType": "8",
    }
    return json.dumps(members).encode()


def http_request(content: bytes) -> bytes:
    """The whole request, on a connection that is kept."""
    head = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
    return b"%b%d\r\n\r\n%b" % (head.encode(), len(content), content)
