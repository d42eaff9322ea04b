"""A gateway with voice workers in a process of its own: `python -m tests.system.calling FOLDER PHONE_PORT`."""

import asyncio
import sys
from pathlib import Path

from bocau.app import Gateway
from bocau.provision import Profile
from bocau.settings import VOICE, Settings
from bocau.settings.sections import Admin, Api, Callback, Route, Schedule, Store, Trunk, Voice
from bocau.settings.values import Secret
from bocau.telemetry import Lines, make_log
from bocau.world import RealWorld

PROFILE = Profile("shop", "key", "secret", (), (), ((8, 600),), 1_000_000)


def settings(folder: Path, phone_port: int) -> Settings:
    """One trunk to the phone; what nobody knows the end of is closed soon."""
    return Settings(
        api=Api(port=0),
        admin=Admin(port=0),
        store=Store(path=str(folder / "bocau.db")),
        schedule=Schedule(uncertain_otp_seconds=10),
        callback=Callback(allowed_networks=("127.0.0.0/8",)),
        route=(Route(name="codes", carrier=VOICE, sms_type=8),),
        trunk=(Trunk(name="phone", host="127.0.0.1", port=phone_port, user="bocau", password=Secret("bocau")),),
        voice=Voice(
            engines=("builtin",), packs_folder=str(folder / "packs"), cache_folder=str(folder / "speech"), gap_ms=100
        ),
    )


async def serve(folder: Path, phone_port: int) -> None:
    """Until it is killed."""
    world, broken = RealWorld(), asyncio.Event()
    log = make_log(Lines(sys.stdout), world.now_ms)
    gateway = Gateway(settings(folder, phone_port), world, log, lambda _: broken.set(), (PROFILE,))
    await gateway.start()
    await broken.wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
