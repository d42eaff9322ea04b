"""Where a trunk is: its SRV records, else its addresses (RFC 3263, 2782)."""

import ipaddress
import random  # noqa: TID251 - the type only
from collections.abc import Sequence
from typing import Final, NamedTuple

from bocau.deliver.sip.trunk import Trunk
from bocau.ports import Service, ServiceNames, World

__all__ = ["Target", "in_order", "targets"]

_SERVICES: Final = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}
_PORTS: Final = {"udp": 5060, "tcp": 5060, "tls": 5061}
_MOST: Final = 16


class Target(NamedTuple):
    """One place to reach a trunk at."""

    host: str
    """An address."""
    port: int


async def targets(world: World, names: ServiceNames | None, trunk: Trunk) -> list[Target]:
    """All places of a trunk in the order to try them. Raises OSError if there is none.

    SRV is asked for if the trunk says so; without a record its host and port count, as they do for an address.
    """
    port = trunk.port or _PORTS[trunk.transport]
    if _is_address(trunk.host):
        return [Target(trunk.host, port)]
    if trunk.srv and names is not None:
        services = await names.services(f"{_SERVICES[trunk.transport]}.{trunk.host}")
        found = [
            Target(host, service.port)
            for service in in_order(services, world.random)
            for host in await _addresses(world, service.host, service.port)
        ]
        if found:
            return found[:_MOST]
    return [Target(host, port) for host in await world.resolve(trunk.host, port)][:_MOST]


async def _addresses(world: World, host: str, port: int) -> list[str]:
    """The addresses of one record; none for one that leads nowhere, so that the others count."""
    try:
        return await world.resolve(host, port)
    except OSError:
        return []


def in_order(services: Sequence[Service], chance: random.Random) -> list[Service]:
    """By priority; within one, drawn by weight without putting back (RFC 2782)."""
    ordered: list[Service] = []
    for priority in sorted({service.priority for service in services}):
        left = [service for service in services if service.priority == priority]
        while left:
            # A weight of 0 has a small chance all the same.
            picked = chance.choices(left, [max(service.weight, 0.1) for service in left])[0]
            left.remove(picked)
            ordered.append(picked)
    return ordered


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
