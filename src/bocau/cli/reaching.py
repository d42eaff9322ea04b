"""`bocau check --connect`: can every carrier be reached from here, and does its certificate bear its name?"""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from bocau.ports import World
from bocau.settings import BadTls, Carrier, Origin, Problem, Settings, tls_context

__all__ = ["reach"]

_SECONDS: Final = 5.0
_PORTS: Final = {"http": 80, "https": 443}


class _Target(NamedTuple):
    host: str
    port: int
    tls: ssl.SSLContext | None
    name: str
    """What its certificate must bear."""


async def reach(settings: Settings, world: World, tls: ssl.SSLContext | None = None) -> list[Problem]:
    """Try every carrier at once, 5 s each; a problem for each that cannot be reached. Nothing is sent to it.

    `tls` is the trust for HTTPS, the system's unless given; an SMPP carrier's is made of its own settings.
    """
    trust = tls or ssl.create_default_context()
    tries = (_try(number, row, settings, world, trust) for number, row in enumerate(settings.carrier))
    return _found(await asyncio.gather(*tries))


def _found(results: Iterable[Problem | None]) -> list[Problem]:
    return [problem for problem in results if problem is not None]


async def _try(number: int, row: Carrier, settings: Settings, world: World, trust: ssl.SSLContext) -> Problem | None:
    try:
        key, target = _target(number, row, settings, trust)
    except BadTls:
        return None  # files that cannot be used are named by the check of the settings
    try:
        async with asyncio.timeout(_SECONDS):
            transport = await world.dial(
                asyncio.Protocol,
                target.host,
                target.port,
                tls=target.tls,
                server_hostname=target.name if target.tls else None,
            )
    except ssl.SSLCertVerificationError as error:
        why = f"the certificate of {target.name} does not hold: {error.verify_message}"
    except ssl.SSLError as error:
        why = f"{target.host} does not speak TLS on port {target.port}: {error.reason or error}"
    except TimeoutError:
        why = f"{target.host}:{target.port} does not answer within {_SECONDS:g} s"
    except OSError as error:
        why = f"{target.host}:{target.port} cannot be reached: {error.strerror or error}"
    else:
        transport.abort()
        return None
    origin = settings.origins.get(("carrier", number, key), Origin("default"))
    return Problem(origin, f"[carrier.{row.name}]", key, why)


def _target(number: int, row: Carrier, settings: Settings, trust: ssl.SSLContext) -> tuple[str, _Target]:
    """The key that names the host, and how it is dialled. Raises BadTls."""
    if row.kind == "smpp":
        own = tls_context(row, number, settings)
        return "host", _Target(row.host, row.port, own, row.tls_server_name or row.host)
    parts = urlsplit(row.url)
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    return "url", _Target(host, parts.port or _PORTS[parts.scheme], trust if secure else None, host)
