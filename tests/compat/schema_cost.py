"""Loaded into Schemathesis by test_schema: what a request costs the gateway, whatever was generated.

Its own process is watched through /proc. What else it does meanwhile (messages accepted before go out) counts too.
"""

import os
from pathlib import Path
from typing import Any

import schemathesis

STAT = Path("/proc") / os.environ["BOCAU_GATEWAY_PID"] / "stat"
TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
MOST_SECONDS = 0.1
"""Of CPU for one request (the bound that the API's bad input is held to)."""


def spent() -> float:
    """CPU seconds of the gateway so far, by all its threads."""
    user, system = STAT.read_text("ascii").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) * TICK_SECONDS


began: dict[str, float] = {}


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, object]) -> None:
    """Look at the clock."""
    began["at"] = spent()


@schemathesis.check
def cpu_cost(context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]) -> None:
    """At most 100 ms."""
    cost = spent() - began["at"]
    assert cost <= MOST_SECONDS, f"{cost * 1000:.0f} ms of CPU for one request"
