"""Calls or texts for SmsType 8: each account has its channel, and routes are made to fit it. Pure.

This is done once per configuration, so that choosing a route stays two look-ups.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from bocau.dispatch.plan import Order, Route

__all__ = ["Channel", "Channels", "by_channel"]

_TYPES: Final = (2, 8)
_CALLED: Final = 8


class Channel(StrEnum):
    """How SmsType 8 reaches the phone (esms-api 2.6). Never by both at once."""

    VOICE = "voice"
    """By a call alone."""
    SMS = "sms"
    """By a text alone."""
    VOICE_THEN_SMS = "voice_then_sms"
    """By a call; by a text where the call was not answered."""


class Channels(NamedTuple):
    """The channels of all accounts."""

    default: str
    own: Mapping[int, str]
    """By account id, where it differs."""
    accounts: frozenset[int]
    """All accounts."""


def by_channel(routes: Sequence[Route], channels: Channels, voice: str) -> list[Route]:
    """The routes with every way of a message of type 8 that its account's channel forbids taken out.

    `voice` names the carrier of calls. A route for several kinds of messages becomes several, with a sign of the
    channel behind their name; one that is left without a carrier is gone, so that a later one may take the message.
    """
    made: list[Route] = []
    called = any(choice.carrier == voice for route in routes for choice in route.choices)
    if not called and not channels.own and channels.default == Channel.SMS:
        return list(routes)
    for route in routes:
        types = route.sms_types or _TYPES
        others = tuple(kind for kind in types if kind != _CALLED)
        if others:
            made += _without(route._replace(sms_types=others), voice)
        if _CALLED in types:
            made += _called(route, channels, voice)
    return made


def _called(route: Route, channels: Channels, voice: str) -> list[Route]:
    """The routes of type 8 that one route becomes, one for each channel that some account has."""
    made: list[Route] = []
    differing = [channel for channel in Channel if channel in channels.own.values() and channel != channels.default]
    for channel in differing:
        mine = tuple(sorted(account for account, own in channels.own.items() if own == channel))
        name = f"{route.name} ({channel.value})"
        made += _fit(route._replace(name=name, sms_types=(_CALLED,), accounts=_both(route, mine)), channel, voice)
    rest = None
    if differing:
        others = {account for account, own in channels.own.items() if own in differing}
        rest = tuple(sorted(channels.accounts - others))
    name = f"{route.name} (8)" if route.sms_types != (_CALLED,) else route.name
    accounts = route.accounts if rest is None else _both(route, rest)
    plain = route._replace(name=name, sms_types=(_CALLED,), accounts=accounts)
    return made + _fit(plain, Channel(channels.default), voice)


def _both(route: Route, accounts: tuple[int, ...]) -> tuple[int, ...]:
    """Those of the accounts that the route is for."""
    return accounts if route.accounts is None else tuple(one for one in accounts if one in route.accounts)


def _fit(route: Route, channel: Channel, voice: str) -> list[Route]:
    calls = [choice for choice in route.choices if choice.carrier == voice]
    texts = [choice for choice in route.choices if choice.carrier != voice]
    kept = {Channel.VOICE: calls, Channel.SMS: texts, Channel.VOICE_THEN_SMS: [*calls, *texts]}[channel]
    order = Order.LISTED if channel is Channel.VOICE_THEN_SMS else route.order
    return [route._replace(choices=tuple(kept), order=order)] if kept else []


def _without(route: Route, voice: str) -> list[Route]:
    """The route for what is never called."""
    kept = tuple(choice for choice in route.choices if choice.carrier != voice)
    return [route._replace(choices=kept)] if kept else []
