"""`bocau check --connect`: can every carrier be reached from here, and does its certificate bear its name?"""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from bocau.ports import World
from bocau.settings import Carrier, Origin, Problem, Settings

__all__ = ["reach"]

_SECONDS: Final = 5.0
_PORTS: Final = {"http": 80, "https": 443}


class _Target(NamedTuple):
    host: str
    port: int
    tls: bool


async def reach(settings: Settings, world: World, tls: ssl.SSLContext | None = None) -> list[Problem]:
    """Try every carrier at once, 5 s each; a problem for each that cannot be reached. Nothing is sent to it.

    `tls` is the system's trust unless given.
    """
    trust = tls or ssl.create_default_context()
    tries = (_try(number, row, settings, world, trust) for number, row in enumerate(settings.carrier))
    return _found(await asyncio.gather(*tries))


def _found(results: Iterable[Problem | None]) -> list[Problem]:
    return [problem for problem in results if problem is not None]


async def _try(number: int, row: Carrier, settings: Settings, world: World, trust: ssl.SSLContext) -> Problem | None:
    key, target = _target(row)
    try:
        async with asyncio.timeout(_SECONDS):
            transport = await world.dial(
                asyncio.Protocol,
                target.host,
                target.port,
                tls=trust if target.tls else None,
                server_hostname=target.host if target.tls else None,
            )
    except ssl.SSLCertVerificationError as error:
        why = f"the certificate of {target.host} does not hold: {error.verify_message}"
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


def _target(row: Carrier) -> tuple[str, _Target]:
    """The key that names the host, and the host."""
    if row.kind == "smpp":
        return "host", _Target(row.host, row.port, tls=False)
    parts = urlsplit(row.url)
    return "url", _Target(parts.hostname or "", parts.port or _PORTS[parts.scheme], tls=parts.scheme == "https")
