"""What one tenant does to another's waits (promises P18), in virtual time: the ratio of the 99th percentiles.

The carrier is the scarce thing: 20 parts a second by contract. The quiet tenant sends a burst of codes now and then;
the loud one does its worst. What processor time it costs is not seen here.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from tests.simulation.disorder import UNLIMITED
from tests.simulation.town import BRAND, CARRIER, SHOP, Town
from tests.simulation.world import BEGIN_MS, Network, Weather, play

from bocau.provision import Profile
from bocau.settings.sections import Callback, Carrier, Schedule
from bocau.settings.values import Secret

_RAM: Final = "/dev/shm"
_PER_SECOND: Final = 20
_TURNS: Final = 2
_BURST: Final = 20
_BURSTS: Final = 12
_EVERY_SECONDS: Final = 5.0
CODE: Final = "{code} la ma dang nhap Bocau cua ban"
HELLO: Final = "Bocau xin chao {code}, cam on ban"
_TEXTS: Final = ((BRAND, "{P1,20} la ma dang nhap Bocau cua ban"), (BRAND, "Bocau xin chao {P1,20}, cam on ban"))
QUIET: Final = Profile("quiet", "quiet", "quiet-secret", (BRAND,), _TEXTS, ((2, 850),), 1_000_000_000)
LOUD: Final = Profile("loud", "loud", "loud-secret", (BRAND,), _TEXTS, ((2, 850),), 1_000_000_000)


class Street(Town):
    """Two tenants behind one gateway."""

    def __init__(self, network: Network, folder: Path) -> None:
        super().__init__(network, folder, magic=False)
        self.profiles = (QUIET, LOUD)
        self._disk_seconds = 0.0
        self._angry_host = 0.0
        link = Carrier(
            name="north",
            host=CARRIER,
            port=2775,
            system_id="sim",
            password=Secret("pw"),
            window=100,
            throughput_per_second=_PER_SECOND,
        )
        self.settings = msgspec.structs.replace(
            self.settings,
            carrier=(link,),
            limits=UNLIMITED,
            schedule=Schedule(other_ttl_seconds=600, otp_ttl_seconds=600),
            callback=Callback(allowed_networks=("10.0.0.0/8",), waits_seconds=(0, 1, 1, 1, 1), timeout_seconds=5.0),
        )
        self._numbers = 0

    def ask(self, who: Profile, text: str, receivers: int = 1, callback: bool = False) -> asyncio.Task[None]:
        """One request to numbers that nobody else is sent to."""
        first = self._numbers
        self._numbers += receivers
        phones = tuple(f"09{one:04d}7777" for one in range(first, self._numbers))
        body = {
            "ApiKey": who.api_key,
            "SecretKey": who.secret_key,
            "Content": text.format(code=f"{first:06d}"),
            "Phone": ",".join(phones),
            "Brandname": BRAND,
            "SmsType": "2",
            "RequestId": f"{who.account}-{first}",
            "CallbackUrl": "http://shop.example:8080/hook" if callback else "",
        }
        return self.customer.run(self._persist(first, body, phones, who.account, 0))

    def waits(self, who: Profile) -> list[float]:
        """From 100 to the submit of each message, in seconds, shortest first."""
        lines = (json.loads(line) for line in self.journal_file.read_bytes().splitlines())
        at = {line["phone"]: line["at_ms"] for line in lines if line["event"] == "submit"}
        accepted = {
            f"84{phone[1:]}": BEGIN_MS + (sent.accepted_seconds - 1000.0) * 1000
            for sent in self.sent
            if sent.code == who.account
            for phone in sent.phones
        }
        return sorted((at[phone] - moment) / 1000 for phone, moment in accepted.items())


Noise = Callable[[Street], Coroutine[Any, Any, None]]


async def _nothing(street: Street) -> None:
    """The loud tenant is away."""


async def _bulk(street: Street) -> None:
    """Thousands of messages that are no codes."""
    for _ in range(20):
        await street.ask(LOUD, HELLO, receivers=200)


async def _codes(street: Street) -> None:
    """Thousands of codes: of the same class as the quiet tenant's."""
    for _ in range(20):
        await street.ask(LOUD, CODE, receivers=200)


async def _slow_host(street: Street) -> None:
    """Messages whose callback host never answers, so that calls pile up; the carrier is not scarce because of them."""
    street.network.block("10.0.0.1", SHOP)
    for _ in range(60):
        street.ask(LOUD, CODE, callback=True)
        await street.customer.world.sleep(1.0)


async def _bad_templates(street: Street) -> None:
    """Two hundred texts a second that fit no template."""
    for number in range(200):
        for _ in range(20):
            street.customer.run(street._ask(_refused(number)))
        await street.customer.world.sleep(0.1)


def _refused(number: int) -> bytes:
    members: Mapping[str, str] = {
        "ApiKey": LOUD.api_key,
        "SecretKey": LOUD.secret_key,
        "Content": f"a text that nobody registered {number}",
        "Phone": "0901234567",
        "Brandname": BRAND,
        "SmsType": "2",
    }
    return json.dumps(members).encode()


def p99_of_the_quiet(noise: Noise) -> float:
    """The quiet tenant's bursts beside some noise."""

    async def story(network: Network) -> Street:
        network.weather = Weather(0.0002, 0.001, 0.0)
        street = Street(network, Path(folder))
        await street.open()
        await street.start_gateway()
        beside = asyncio.ensure_future(noise(street))
        await street.customer.world.sleep(2.0)
        for _ in range(_BURSTS):
            for _ in range(_BURST):
                street.ask(QUIET, CODE)
            await street.customer.world.sleep(_EVERY_SECONDS)
        await beside
        await street.customer.world.sleep(30.0)
        await street.close()
        return street

    with tempfile.TemporaryDirectory(dir=_RAM if Path(_RAM).is_dir() else None) as folder:
        waits = play(story, 1).waits(QUIET)
    assert len(waits) == _BURST * _BURSTS
    return waits[len(waits) * 99 // 100]


@pytest.mark.parametrize(
    ("noise", "most"),
    [(_bulk, 1.5), (_codes, 2.0), (_slow_host, 1.5), (_bad_templates, 1.1)],
    ids=["bulk", "codes", "slow host", "bad templates"],
)
def test_a_loud_tenant_at_most_doubles_a_quiet_one_s_waits(noise: Noise, most: float) -> None:
    """P18: against one's own class it is half of the carrier, so twice the wait, and the turns that are under way;
    against anything else it is hardly felt."""
    quiet = p99_of_the_quiet(_nothing)
    loud = p99_of_the_quiet(noise)
    print(f"\n{noise.__name__}: {quiet:.2f} s alone, {loud:.2f} s beside it, ratio {loud / quiet:.2f}")
    assert quiet > 0.8 * _BURST / _PER_SECOND
    assert loud <= most * quiet + (_TURNS + 0.1) / _PER_SECOND
