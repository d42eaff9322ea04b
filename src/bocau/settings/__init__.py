"""Typed settings: read once, checked whole, frozen.

    settings = read_settings(find_file(), os.environ, {"api.port": "8080"})

Only `app` and the command line import this; rooms are handed the plain values they need.
"""

from bocau.settings.development import development
from bocau.settings.numbering import read_numbering
from bocau.settings.read import SEARCH, environment_name, find_file, read_settings
from bocau.settings.rules import carriers_of, check_listeners, check_production
from bocau.settings.sections import (
    CAPTURE,
    DEVELOPMENT_KEY,
    SIMULATOR,
    VOICE,
    Accept,
    Admin,
    Api,
    Callback,
    Carrier,
    Dispatch,
    Inbound,
    Log,
    Route,
    Schedule,
    Settings,
    Staging,
    Store,
    Trunk,
    Voice,
)
from bocau.settings.show import Row, effective, reference
from bocau.settings.tls import BadTls, tls_context, trunk_authority
from bocau.settings.trunk_rules import can_call, channel_of
from bocau.settings.values import BadSettings, Origin, Problem, Secret

__all__ = [
    "CAPTURE",
    "DEVELOPMENT_KEY",
    "SEARCH",
    "SIMULATOR",
    "VOICE",
    "Accept",
    "Admin",
    "Api",
    "BadSettings",
    "BadTls",
    "Callback",
    "Carrier",
    "Dispatch",
    "Inbound",
    "Log",
    "Origin",
    "Problem",
    "Route",
    "Row",
    "Schedule",
    "Secret",
    "Settings",
    "Staging",
    "Store",
    "Trunk",
    "Voice",
    "can_call",
    "carriers_of",
    "channel_of",
    "check_listeners",
    "check_production",
    "development",
    "effective",
    "environment_name",
    "find_file",
    "read_numbering",
    "read_settings",
    "reference",
    "tls_context",
    "trunk_authority",
]
