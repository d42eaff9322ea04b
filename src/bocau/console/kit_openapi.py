"""The test API in the OpenAPI document of a development start."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

__all__ = ["KIT_PATHS", "KIT_TAG", "kit_paths"]

KIT_TAG: Final = "Test API"
"""Development only, on the admin listener."""


class _Entry(NamedTuple):
    method: str
    path: str
    title: str
    query: Mapping[str, str] = MappingProxyType({})
    """Parameters by name, with their meaning."""
    body: Mapping[str, object] | None = None
    """An example of the body."""
    answer: str = "application/json"
    """What kind of thing it is."""


_ONE: Final = "/test/namespaces/{namespace}"
_AFTER: Final = {"after": "Only messages with a larger id."}


def _fault_entries(place: str, whose: str) -> tuple[_Entry, ...]:
    return (
        _Entry("get", f"{place}/faults", f"Faults in force {whose}, how many messages each was about and struck"),
        _Entry(
            "post",
            f"{place}/faults",
            f"Put faults {whose} in force, in place of those before, or, with keep, behind them",
            body={
                "faults": ["throttle per_second=5 network=viettel after_messages=2", {"act": "late", "seconds": 40}],
                "seed": 7,
                "keep": False,
            },
        ),
        _Entry("delete", f"{place}/faults", f"No faults {whose} any more"),
        _Entry("delete", f"{place}/faults/{{number}}", f"One fault {whose} less"),
    )


KIT_PATHS: Final = (
    _Entry("get", "/test", "Where the API listens, and refused requests with keys that are nobody's"),
    _Entry("get", "/test/clock", "What the clock of the gateway shows"),
    _Entry("post", "/test/clock", "Move the clock of the whole gateway ahead", body={"advance_seconds": 86_400}),
    _Entry(
        "post",
        "/test/namespaces",
        "A new namespace: an account with keys of its own",
        body={"templates": [{"brandname": "Shop", "text": "{P1,6} la ma cua ban"}], "balance": 1_000_000},
    ),
    _Entry("get", _ONE, "Everything that happened in a namespace"),
    _Entry("delete", _ONE, "Delete it: its keys are refused from now on"),
    _Entry("post", f"{_ONE}/reset", "As new: messages and refusals forgotten, RequestIds free, faults over", body={}),
    _Entry(
        "post",
        f"{_ONE}/templates",
        "Register a template on every network",
        body={"brandname": "Shop", "text": "{P1,6} la ma cua ban"},
    ),
    _Entry(
        "get",
        f"{_ONE}/messages",
        "Its messages, oldest first, 1,000 at most",
        {"phone": "Only to this number.", **_AFTER},
    ),
    _Entry("get", f"{_ONE}/messages/{{smsid}}", "One request, with attempts and callback"),
    _Entry("get", f"{_ONE}/calls", "Its calls, and what the phone heard of each", {"phone": "Only to this number."}),
    _Entry(
        "get", f"{_ONE}/calls/{{id}}.wav", "What the phone heard in the newest call of a message", answer="audio/wav"
    ),
    _Entry(
        "get",
        f"{_ONE}/wait",
        "Wait for a message or a call (long poll)",
        {
            "phone": "To this number.",
            "text": "With this in its text.",
            "code": "1: with a one-time code in its text.",
            "channel": "sms or call; both if it is missing.",
            "until": "accepted, sent (the default: a carrier took it; a phone heard the code) or delivered; "
            "with channel=call: answered, heard (the default) or over.",
            "seconds": "How long, up to 60; 5 if it is missing.",
            **_AFTER,
            "except": "Ids of messages that were seen, parted by commas.",
        },
    ),
    _Entry("get", f"{_ONE}/refusals", "Requests with its key that were refused, and why"),
    *_fault_entries(_ONE, "of a namespace"),
    *_fault_entries("/test", "for all messages"),
    _Entry("post", f"{_ONE}/clock", "Let time pass for this namespace alone", body={"advance_seconds": 86_400}),
)


def kit_paths() -> dict[str, Any]:
    """The paths as OpenAPI has them."""
    paths: dict[str, Any] = {}
    for entry in KIT_PATHS:
        paths.setdefault(entry.path, {"servers": [{"url": "http://127.0.0.1:8485"}]})[entry.method] = _operation(entry)
    return paths


def _operation(entry: _Entry) -> dict[str, Any]:
    steps = re.findall(r"{(\w+)}", entry.path)
    found: dict[str, Any] = {
        "operationId": f"{entry.method}{entry.path}".replace("/", "_").replace("{", "").replace("}", ""),
        "summary": entry.title,
        "tags": [KIT_TAG],
        "parameters": [
            *({"name": step, "in": "path", "required": True, "schema": {"type": "string"}} for step in steps),
            *(
                {"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}}
                for name, meaning in entry.query.items()
            ),
        ],
        "responses": {
            status: {"description": text, "content": {kind: {"schema": {}}}}
            for status, text, kind in (
                ("200", "Done.", entry.answer),
                ("400", "A value is wrong.", "application/json"),
                ("404", "There is none.", "application/json"),
            )
        },
    }
    if entry.body is not None:
        found["requestBody"] = {"content": {"application/json": {"schema": {"type": "object"}, "example": entry.body}}}
    return found
