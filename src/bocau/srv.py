"""SRV records from the DNS: `ports.ServiceNames` for the real network.

dnspython does it: pure Python, long and well kept, with what a query of our own would lack (resolv.conf, retries over
several servers, TCP for long answers, checks of the answer). It takes a while to import, so it stands in a file of its
own that only a process that places calls imports, and in the extra `voice`.
"""

from typing import Final

from dns import asyncresolver, exception, resolver
from dns.rdtypes.IN.SRV import SRV

from bocau.ports import Service

__all__ = ["DnsServices"]

_SECONDS: Final = 5.0
_MOST: Final = 32


class DnsServices:
    """Asks the DNS servers that the system names, or those of a resolver that is handed in."""

    def __init__(self, servers: asyncresolver.Resolver | None = None) -> None:
        """Reads the system's settings unless `servers` is given. Raises OSError if there are none."""
        try:
            self._servers = servers or asyncresolver.Resolver()
        except exception.DNSException as error:
            raise OSError(f"no DNS servers: {type(error).__name__}") from error

    async def services(self, name: str) -> list[Service]:
        """The SRV records of a name, within 5 s; none if there is no such name. Raises OSError."""
        try:
            answer = await self._servers.resolve(name, "SRV", lifetime=_SECONDS, search=False)
        except (resolver.NXDOMAIN, resolver.NoAnswer):
            return []
        except exception.DNSException as error:
            raise OSError(f"no answer from the DNS: {type(error).__name__}") from error
        found = [one for one in answer if isinstance(one, SRV)][:_MOST]
        # A single record with the target "." says that the service is not offered (RFC 2782).
        hosts = [(one, one.target.to_text(omit_final_dot=True)) for one in found]
        return [Service(one.priority, one.weight, host, one.port) for one, host in hosts if host not in (".", "")]
