"""The gateway of the bench's calls: `python -m bench.calling FOLDER PHONE_PORT SMSC_PORT CALLS`.

A production start in all but its settings and account, which are made here. It prints its port, and once standard input
closes how its calls ended, as one JSON line.
"""

import asyncio
import contextlib
import gc
import json
import sqlite3
import sys
from pathlib import Path

import uvloop

from bocau.app import Gateway
from bocau.provision import BENCH
from bocau.settings import VOICE, Settings
from bocau.settings.sections import Admin, Api, Carrier, Limits, Route, Store, Trunk, Voice
from bocau.settings.values import Secret
from bocau.telemetry import Lines, make_log
from bocau.world import RealWorld

__all__: list[str] = []

_LOOK_SECONDS = 0.1


def _settings(folder: Path, phone_port: int, smsc_port: int, calls: int) -> Settings:
    """One trunk that takes all calls in one worker, one SMSC, no limits of accounts."""
    texts = Carrier(name="texts", host="127.0.0.1", port=smsc_port, system_id="bench", password=Secret("bench"))
    return Settings(
        api=Api(port=0),
        admin=Admin(port=0),
        store=Store(path=str(folder / "bocau.db")),
        limits=Limits(**dict.fromkeys(Limits.__struct_fields__, 0)),
        carrier=(texts,),
        route=(Route(name="codes", carrier=VOICE, sms_type=8), Route(name="rest", carrier="texts", sms_type=2)),
        trunk=(Trunk(name="callee", host="127.0.0.1", port=phone_port, max_calls=calls, calls_per_second=25.0),),
        voice=Voice(
            engines=("builtin",), packs_folder=str(folder / "packs"), cache_folder=str(folder / "speech"), repeats=2
        ),
    )


async def _serve(folder: Path, phone_port: int, smsc_port: int, calls: int) -> None:
    world, broken = RealWorld(), asyncio.Event()
    log = make_log(Lines(sys.stderr), world.now_ms, "warning")
    settings = _settings(folder, phone_port, smsc_port, calls)
    gateway = Gateway(settings, world, log, lambda _: broken.set(), (BENCH,))
    await gateway.start()
    gc.collect()
    gc.freeze()
    while not gateway.fleet.ships[VOICE].room:  # noqa: ASYNC110 - a bench looks from outside
        await asyncio.sleep(_LOOK_SECONDS)
    print(gateway.api.port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await gateway.stop()
    with contextlib.closing(sqlite3.connect(folder / "bocau.db")) as db:
        print(json.dumps(dict(db.execute("SELECT status, count(*) FROM call_record GROUP BY 1"))), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(Path(sys.argv[1]), *map(int, sys.argv[2:5])))
