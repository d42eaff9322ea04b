"""The whole of it in one simulated world: a gateway, a carrier, a customer's callback host and customers who send.

Everybody outside the gateway keeps a log of their own (promises 7.6); `tests.simulation.oracle` joins them.
"""

import asyncio
import contextlib
import hashlib
import io
import json
import random
import sqlite3
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.simulation.world import BEGIN_MS, Machine, Network

from bocau.app import Gateway
from bocau.listener import Limits, Listener, Request
from bocau.provision import Profile
from bocau.settings.sections import Admin, Api, Callback, Carrier, Route, Schedule, Settings, Store
from bocau.settings.values import Secret
from bocau.simulator.journal import Journal
from bocau.simulator.rules import MAGIC, Rules
from bocau.simulator.smsc import Smsc, SmscSettings
from bocau.store.sqlite import SqliteStore
from bocau.telemetry import Lines, make_log

__all__ = ["BRAND", "CARRIER", "CUSTOMER", "GATEWAY", "SHOP", "TTL_SECONDS", "Heard", "Sent", "Town", "settings_for"]

GATEWAY: Final = "10.0.0.1"
CARRIER: Final = "10.0.0.2"
SHOP: Final = "10.0.0.3"
CUSTOMER: Final = "10.0.0.4"
BRAND: Final = "Bocau"
_API_PORT: Final = 8484
_LONG: Final = "{P1,20} la ma cua ban. " + "Khong dua ma nay cho bat ky ai, ke ca nhan vien cua chung toi. " * 3
TTL_SECONDS: Final = {"otp": 30, "other": 60}
PROFILE: Final = Profile(
    "sim",
    "sim",
    "sim-secret",
    (BRAND,),
    ((BRAND, "{P1,20} la ma dang nhap Bocau cua ban"), (BRAND, _LONG)),
    ((2, 850),),
    1_000_000,
)
_PATH: Final = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
_MOST_TRIES: Final = 12


def settings_for(folder: Path, chance: random.Random) -> Settings:
    """Short deadlines, so that an hour's patience is a minute's; the rest by chance."""
    return Settings(
        api=Api(host=GATEWAY, port=_API_PORT),
        admin=Admin(host=GATEWAY, port=8485),
        store=Store(path=str(folder / "bocau.db"), reserve_mib=0),
        schedule=Schedule(
            otp_ttl_seconds=TTL_SECONDS["otp"],
            other_ttl_seconds=TTL_SECONDS["other"],
            uncertain_otp_seconds=20,
            uncertain_other_seconds=60,
            receipt_seconds=70,
        ),
        carrier=(
            Carrier(
                name="north",
                host=CARRIER,
                port=2775,
                system_id="sim",
                password=Secret("pw"),
                window=chance.choice((2, 5, 30)),
                binds=chance.choice((1, 1, 2)),
                throughput_per_second=chance.choice((0, 0, 10, 40)),
                enquire_seconds=4.0,
                response_seconds=2.0,
                reconnect_first_seconds=0.5,
                reconnect_longest_seconds=4.0,
                reference_bits=chance.choice((8, 16)),
            ),
        ),
        route=(Route(name="all", carrier="north"),),
        callback=Callback(
            waits_seconds=(0, 1, 2, 4, 8),
            timeout_seconds=3.0,
            allowed_networks=("10.0.0.0/8",),
            secret=Secret("a-key-for-the-simulation"),
        ),
    )


class Heard(NamedTuple):
    """One GET at the callback host."""

    seconds: float
    smsid: str
    query: str
    status: int
    """What it was answered; 0: nothing."""


class Sent(NamedTuple):
    """One request as its customer remembers it."""

    request_id: str
    phones: tuple[str, ...]
    code: str
    callback: bool
    send_date_ms: int
    """0: at once."""
    smsid: str
    """Empty if it was never accepted."""
    accepted_seconds: float


class Town:
    """Everybody. `play` is the whole story; afterwards the logs tell it."""

    def __init__(self, network: Network, folder: Path, *, magic: bool = True) -> None:
        """With `magic` off the carrier delivers everything and answers quickly."""
        self.network = network
        self.magic = magic
        self.folder = folder
        self.chance = random.Random(f"{network.seed}:town")
        self.settings = settings_for(folder, self.chance)
        self.profiles: tuple[Profile, ...] = (PROFILE,)
        self.heard: list[Heard] = []
        self.sent: list[Sent] = []
        self.crashes: list[float] = []
        """Moments at which the gateway died or was stopped."""
        self.shop_cuts: list[float] = []
        """Moments at which an answer of the callback host may have been lost."""
        self.clock_was_set = False
        self.changing = False
        """The gateway is being restarted."""
        self.gateway: Gateway | None = None
        self.trouble: list[str] = []
        """What the gateway should never say."""
        self.log = io.StringIO()
        self._lives = 0
        self._machine: Machine | None = None
        self._angry_host = 0.25
        self._disk_seconds = self.chance.choice((0.0, 0.003, 0.02))
        self._wall_offset_ms = 0
        self.carrier = network.machine("carrier", CARRIER)
        self.shop = network.machine("shop", SHOP)
        self.customer = network.machine("customer", CUSTOMER)
        network.names["shop.example"] = [SHOP]
        self.journal_file = folder / "carrier.jsonl"

    @property
    def seconds(self) -> float:
        """Virtual time."""
        return self.network.loop.time()

    # The others

    async def open(self) -> None:
        """Carrier and callback host stand ready before the gateway starts."""
        self.journal = Journal(self.journal_file)
        errors = 0.02 if self.magic else 0.0
        rules = Rules(delay_seconds=self.chance.choice((0.05, 0.5, 2.0)), system_errors=errors)
        settings = SmscSettings(response_seconds=3.0, enquire_seconds=5.0, retry_seconds=0.5)
        self.smsc = await self.carrier.run(
            Smsc.start(self.carrier.world, CARRIER, 2775, rules, settings=settings, journal=self.journal)
        )
        self.shop_door = await self.shop.run(
            Listener.start(self.shop.world, self._on_call, SHOP, 8080, Limits(), self._on_shop_fault)
        )

    def _on_shop_fault(self, error: Exception) -> None:
        self.trouble.append(f"the shop: {error!r}")

    def _on_call(self, request: Request) -> None:
        """The shop's server: fine, or out of sorts, or silent."""
        query = request.target.partition(b"?")[2].decode("ascii")
        smsid = query.partition("SMSID=")[2].partition("&")[0]
        status = 200
        if self.chance.random() < self._angry_host:
            status = self.chance.choice((500, 503, 404, 0))
        self.heard.append(Heard(self.seconds, smsid, query, status))
        if status:
            request.respond(status, b"ok")

    def calm_shop(self) -> None:
        """From now on it answers 200."""
        self._angry_host = 0.0

    # The gateway

    async def start_gateway(self) -> None:
        """A new process on the same store."""
        self._lives += 1
        self._machine = machine = self.network.machine(f"gateway{self._lives}", GATEWAY)
        machine.world.offset_ms = self._wall_offset_ms
        log = make_log(Lines(self.log), machine.world.now_ms, "info")
        self.gateway = Gateway(self.settings, machine.world, log, self._on_fatal, self.profiles, threaded=False)
        await machine.run(self.gateway.start())
        self._slow_down(self.gateway)

    def _slow_down(self, gateway: Gateway) -> None:
        """F8: a transaction waits for its disk before it is on it, so that a crash can fall between."""
        commit, loop, mean = gateway.store._commit, self.network.loop, self._disk_seconds
        hand_over = commit._hand_over

        def later() -> None:
            hiccup = 1.5 if self.chance.random() < 0.005 else 0.0
            loop.call_later(self.chance.expovariate(1 / mean) + hiccup, hand_over)

        if mean:
            commit._hand_over = later  # type: ignore[method-assign]

    def _on_fatal(self, error: BaseException) -> None:
        self.trouble.append(f"the store: {error!r}")

    def crash_gateway(self) -> None:
        """As kill -9: the next start finds what was committed."""
        assert self.gateway is not None
        assert self._machine is not None
        self.crashes.append(self.seconds)
        self._machine.kill()
        store = self.gateway.store
        assert isinstance(store, SqliteStore)
        store._writer.close()
        store._reader.close()
        assert store._lock is not None
        store._lock.close()
        self.gateway = None

    async def stop_gateway(self) -> None:
        """As SIGTERM."""
        assert self.gateway is not None
        assert self._machine is not None
        self.crashes.append(self.seconds)
        await self._machine.run(self.gateway.stop())
        await asyncio.sleep(0.5)
        self._machine.kill()
        self.gateway = None

    def step_clock(self, milliseconds: int) -> None:
        """The gateway's wall clock is set."""
        self._wall_offset_ms += milliseconds
        if self._machine is not None:
            self._machine.world.offset_ms = self._wall_offset_ms

    # Customers

    def request(self, number: int) -> asyncio.Task[None]:
        """A customer sends a request, and repeats it until it is answered for good."""
        chance = self.chance
        endings = [ending for ending in MAGIC if ending != "other"] if self.magic else ["7777"]
        count = chance.choice((1, 1, 1, 1, 3))
        phones = tuple(
            f"09{(number * 3 + index) % 10_000:04d}{chance.choice([*endings, '7777', '7777', '7777', '7777'])}"
            for index in range(count)
        )
        code = f"{number:06d}"
        plain = chance.random() < 0.7
        text = f"{code} la ma dang nhap Bocau cua ban" if plain else _LONG.replace("{P1,20}", code)
        send_date_ms = 0
        if chance.random() < 0.1:
            # Whole seconds, Vietnam time, more than a minute ahead.
            ahead = BEGIN_MS + round((self.seconds - 1000.0) * 1000) + chance.randrange(65_000, 90_000)
            send_date_ms = ahead // 1000 * 1000
        body = {
            "ApiKey": PROFILE.api_key,
            "SecretKey": PROFILE.secret_key,
            "Content": text,
            "Phone": ",".join(phones),
            "Brandname": BRAND,
            "SmsType": "2",
            "RequestId": f"r{number}",
            "CallbackUrl": "http://shop.example:8080/hook" if chance.random() < 0.9 else "",
            "SendDate": _vietnam(send_date_ms) if send_date_ms else "",
        }
        return self.customer.run(self._persist(number, body, phones, code, send_date_ms))

    async def _persist(
        self, number: int, body: dict[str, str], phones: tuple[str, ...], code: str, send_date_ms: int
    ) -> None:
        smsid, at = "", 0.0
        for _ in range(_MOST_TRIES):
            answer = await self._ask(json.dumps(body).encode())
            smsid = answer.get("SMSID", "")
            if smsid:
                at = self.seconds
                break
            if answer:
                self.trouble.append(f"request {number} was answered {answer}")
                break
            await asyncio.sleep(self.chance.uniform(0.1, 1.0))
        self.sent.append(Sent(f"r{number}", phones, code, bool(body["CallbackUrl"]), send_date_ms, smsid, at))

    async def _ask(self, body: bytes) -> dict[str, str]:
        """The answer's members, with the SMSID of a repeated request; {} if nothing certain came."""
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(4.0):
                return await self._exchange(body)
        return {}

    async def _exchange(self, body: bytes) -> dict[str, str]:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport = await self.customer.world.dial(lambda: protocol, GATEWAY, _API_PORT)
        try:
            head = f"POST {_PATH} HTTP/1.1\r\nHost: gateway\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            transport.write(head.encode("ascii") + body)
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
            members: dict[str, Any] = json.loads(await reader.readexactly(int(headers["content-length"])))
        finally:
            transport.abort()
        if lines[0].split(" ")[1] == "503":
            return {}
        if members.get("CodeResult") == "124":
            return {"SMSID": headers["x-bocau-smsid"]}
        return {name: str(value) for name, value in members.items()}

    # The end

    async def settle(self, patience_seconds: float) -> None:
        """Let time pass until nothing is open."""
        limit = self.seconds + patience_seconds
        settled = False
        while not settled and self.seconds < limit:
            await self.customer.world.sleep(5.0)
            settled = self._settled()

    def _settled(self) -> bool:
        """Whether nothing is open in the store."""
        if self.gateway is None:
            return False
        assert isinstance(self.gateway.store, SqliteStore)
        row = self.gateway.store._reader.execute(
            "SELECT (SELECT count(*) FROM message WHERE wake_ms IS NOT NULL)"
            " + (SELECT count(*) FROM callback WHERE due_ms IS NOT NULL)"
        ).fetchone()
        return bool(row[0] == 0)

    def attempt_states(self) -> Counter[str]:
        """How many attempts stand where, in the file of a gateway that has ended."""
        db = sqlite3.connect(self.folder / "bocau.db")
        try:
            return Counter(dict(db.execute("SELECT state, count(*) FROM attempt GROUP BY state").fetchall()))
        finally:
            db.close()

    async def close(self) -> None:
        """Everybody goes home."""
        await self.stop_gateway()
        await self.carrier.run(self.smsc.close())
        await self.shop.run(self.shop_door.close(0.0))
        self.journal.close()

    def digest(self) -> str:
        """Every event of every witness, with its time."""
        told = hashlib.sha256(self.journal_file.read_bytes())
        for row in (*self.heard, *self.sent):
            told.update(repr(row).encode())
        told.update(self.log.getvalue().replace(str(self.folder), "").encode())
        return told.hexdigest()


def _vietnam(at_ms: int) -> str:
    """A moment as SendDate writes it."""
    return datetime.fromtimestamp(at_ms // 1000 + 7 * 3600, UTC).strftime("%Y-%m-%d %H:%M:%S")
