"""The two long-running commands: `bocau dev` and `bocau serve`."""

import asyncio
import contextlib
import gc
import os
import pathlib
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import msgspec

from bocau.app import FIRST_USER, Gateway, Kit, UnsafeLeftover
from bocau.cli.first_message import FirstMessage
from bocau.cli.overhearing import make_ear
from bocau.cli.stage import Stage
from bocau.console.namespaces import NO_FAULTS
from bocau.ports import World
from bocau.provision import DEVELOPMENT, PROFILES
from bocau.settings import (
    DEVELOPMENT_KEY,
    SIMULATOR,
    BadSettings,
    BadTls,
    Settings,
    check_listeners,
    check_production,
    development,
    find_file,
    read_settings,
)
from bocau.simulator.hearing import Hearing
from bocau.simulator.moments import read_moment
from bocau.simulator.phone import Phone, PhoneSettings, Recording
from bocau.simulator.rules import Rules
from bocau.simulator.scripts import Scripts
from bocau.simulator.smsc import Smsc
from bocau.simulator.tape import CALLS_FOLDER, Tape
from bocau.steady import SteadyWorld
from bocau.store.contract import StoreBroken, StoreInUse
from bocau.store.pepper import PepperProblem
from bocau.telemetry import Lines, Log, LogEvent, capture_process, loop_fault_handler, make_log, style_for
from bocau.world import RealWorld

__all__ = ["dev", "serve"]

_NO_START: Final = 1
_FATAL: Final = 3


def dev(
    *,
    data: pathlib.Path | None = None,
    ephemeral: bool = False,
    api_port: int = 8484,
    admin_port: int = 8485,
    smsc_port: int = 2775,
    phone_port: int = 0,
    carrier_at: str = "",
    database_url: str = "",
    profile: str = "dev",
    first_message: bool = True,
    log_level: str = "info",
    clock: str = "",
) -> int:
    """Run a gateway with a simulated carrier on this machine. Returns the exit code.

    `carrier_at` (HOST:PORT) names an SMSC elsewhere instead of the simulated one, `database_url` a PostgreSQL instead
    of a file. `clock` is the moment that the gateway's clock shows at first (moments.read_moment).
    """
    try:
        ahead_ms = _ahead_ms(clock, ephemeral)
    except ValueError as error:
        return _complain(f"--clock: {error}")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bocau-")) if ephemeral else data or pathlib.Path(".bocau")
    host, _, port = carrier_at.rpartition(":")
    try:
        smsc, phone = (int(port), None) if carrier_at else (smsc_port, phone_port)
        base = development(folder, api_port, admin_port, smsc, phone)
        given = {"carrier.simulator.host": host} if carrier_at else {}
        if database_url:
            given["store.database_url"] = database_url
        settings = read_settings(None, os.environ, given, base)
        problems = check_listeners(settings)
        if problems:
            raise BadSettings(tuple(problems))
        return _run(_Development(settings, profile, bool(carrier_at), first_message, log_level, ahead_ms).main)
    except BadSettings as bad:
        return _complain(str(bad))
    finally:
        if ephemeral:
            shutil.rmtree(folder, ignore_errors=True)


def _ahead_ms(clock: str, ephemeral: bool) -> int:
    """How far the gateway's clock is from the machine's. Raises ValueError."""
    if not clock:
        return 0
    now_ms = RealWorld().now_ms()
    ahead_ms = read_moment(clock, now_ms) - now_ms
    if ahead_ms < 0 and not ephemeral:
        raise ValueError(f"{clock} is over, and in a store time does not go back; with --ephemeral it may")
    return ahead_ms


def serve(*, config: pathlib.Path | None = None) -> int:
    """Run a gateway in production. Returns the exit code; refuses leftovers of development."""
    # Until the gateway takes it over: a reload that is asked for now must not end the process that is to do it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    file = find_file(config)
    if file is None:
        return _complain("no bocau.toml here or in /etc/bocau; name one with --config (docs/how-to/production.md)")
    try:
        settings = read_settings(file, os.environ)
    except BadSettings as bad:
        return _complain(str(bad))
    problems = check_production(settings)
    for problem in problems:
        print(problem, file=sys.stderr)
    if any(problem.fatal for problem in problems):
        return _complain("not started: the lines above say what to change")
    return _run(_Production(settings, file).main)


def _complain(text: str) -> int:
    print(text, file=sys.stderr)
    return _NO_START


def _run(main: Callable[[], Awaitable[int]]) -> int:
    """Run on uvloop where it is to be had."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop

    async def body() -> int:
        return await main()

    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(body())


def _log_of(settings: Settings, world: World, level: str) -> Log:
    lines = Lines(sys.stdout)
    log = make_log(lines, world.now_ms, level, style_for(settings.log.format, sys.stdout.isatty()))
    capture_process(log)
    asyncio.get_running_loop().set_exception_handler(loop_fault_handler(log))
    return log


class _Run:
    """One gateway until a signal, or until its store may not be written any more."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.world: World = RealWorld()
        self._fatal: BaseException | None = None

    async def until_stopped(self, gateway: Gateway, ready: Callable[[], Awaitable[None]]) -> int:
        """Start, tell, wait, drain."""
        loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        self._stopped = stopped
        try:
            await gateway.start()
        except (StoreInUse, StoreBroken, PepperProblem, UnsafeLeftover, BadTls, OSError) as error:
            return _complain(_startup_text(error))
        _calm_the_collector()
        telling = asyncio.ensure_future(ready())
        await stopped.wait()
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        if self._fatal is not None:
            gateway.log.error(LogEvent.STORE_FAIL, exc_info=self._fatal)
            sys.stdout.flush()
            os._exit(_FATAL)  # closing the store in order would write to it once more
        await gateway.stop()
        return 0

    def on_fatal(self, error: BaseException) -> None:
        """The store may not be written any more: end the process at once (promises P16)."""
        self._fatal = error
        self._stopped.set()


def read_for_production(file: pathlib.Path) -> Settings:
    """The settings that a running gateway may take over. Raises BadSettings, for leftovers of development too."""
    settings = read_settings(file, os.environ)
    fatal = [problem for problem in check_production(settings) if problem.fatal]
    if fatal:
        raise BadSettings(fatal)
    return settings


class _Production(_Run):
    def __init__(self, settings: Settings, file: pathlib.Path) -> None:
        super().__init__(settings)
        self._file = file
        self._ready = asyncio.Event()
        self._reloads: set[asyncio.Task[None]] = set()

    async def main(self) -> int:
        log = _log_of(self.settings, self.world, self.settings.log.level)
        gateway = Gateway(
            self.settings,
            self.world,
            log,
            self.on_fatal,
            refused_keys=(DEVELOPMENT_KEY, *(profile.api_key for profile in PROFILES.values())),
            log_style=style_for(self.settings.log.format, sys.stdout.isatty()),
            reread=partial(read_for_production, self._file),
        )

        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload, gateway)

        async def tell() -> None:
            self._ready.set()
            password = await gateway.first_console_user()
            if password is not None:
                _tell_first_user(gateway.admin.port, password)

        return await self.until_stopped(gateway, tell)

    def _reload(self, gateway: Gateway) -> None:
        """SIGHUP. What is wrong with the new settings is in the log, and the old ones stay. One that comes during the
        start is done after it."""

        async def reload() -> None:
            await self._ready.wait()
            try:
                await gateway.reload("SIGHUP")
            except BadSettings:
                return
            except Exception as error:
                gateway.log.error(LogEvent.FAULT, exc_info=error)

        task = asyncio.ensure_future(reload())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)


class _Development(_Run):
    def __init__(
        self, settings: Settings, profile: str, carrier_elsewhere: bool, first: bool, level: str, ahead_ms: int
    ) -> None:
        super().__init__(settings)
        self._ahead_ms = ahead_ms
        self._profile = PROFILES[profile]
        self._testable = self._profile is DEVELOPMENT  # the bench measures what a production start runs
        self._carrier_elsewhere = carrier_elsewhere
        self._first = first and self._profile is DEVELOPMENT and not carrier_elsewhere
        self._level = level

    async def main(self) -> int:
        terminal = sys.stdout.isatty()
        # A person at a terminal sees the stage, and from the log what is wrong; a program gets every line.
        quiet = terminal and self._level == "info"
        level = "warning" if quiet else self._level
        log = _log_of(self.settings, self.world, level)
        # Those that place calls write by the settings.
        log_row = msgspec.structs.replace(self.settings.log, level=level)
        self.settings = msgspec.structs.replace(self.settings, log=log_row)
        door_log = _log_of(self.settings, self.world, self._level)
        stage = Stage(sys.stdout, terminal, door_log)
        self.world = SteadyWorld(
            RealWorld(), self._ahead_ms
        )  # one clock for the gateway and its carrier, which the test API may move
        smsc = faults = phone = hearing = None
        if not self._carrier_elsewhere:
            row = self.settings.carrier[0]
            try:
                smsc = await Smsc.start(self.world, row.host, row.port, Rules(), on_sms=stage.sms)
            except OSError as error:
                return _complain(f"the simulated carrier cannot listen on port {row.port}: {error.strerror}")
            if self._testable:
                smsc.script = faults = Scripts(self.world.monotonic, self.world.now_ms)
            self.settings = msgspec.structs.replace(
                self.settings, carrier=(msgspec.structs.replace(row, port=smsc.port),)
            )
            try:
                phone, hearing = await self._take_calls(stage)
            except OSError as error:
                await smsc.close()
                return _complain(f"the simulated phone cannot listen: {error.strerror}")
        gateway = Gateway(
            self.settings,
            self.world,
            log,
            self.on_fatal,
            (self._profile,),
            door_log=door_log,
            kit=Kit(faults or NO_FAULTS, hearing) if self._testable else None,
            log_style=style_for(self.settings.log.format, terminal),
        )

        async def ready() -> None:
            clock_ms = self.world.now_ms() if self._ahead_ms else None
            stage.banner(gateway, self._profile, None if smsc is None else smsc.port, clock_ms)
            if self._first:
                await FirstMessage(self.world, gateway.api.port, stage).play()

        try:
            return await self.until_stopped(gateway, ready)
        finally:
            stage.goodbye()
            if smsc is not None:
                await smsc.close()
            if phone is not None:
                await phone.stop()

    async def _take_calls(self, stage: Stage) -> tuple[Phone, Hearing] | tuple[None, None]:
        """The simulated phone, with a trunk that leads to it, and what tells what it hears. Raises OSError."""
        rows = [row for row in self.settings.trunk if row.name == SIMULATOR]
        if not rows:
            return None, None
        row, tape = rows[0], Tape(pathlib.Path(self.settings.store.path).parent / CALLS_FOLDER)
        telling: set[asyncio.Task[None]] = set()

        def over(recording: Recording) -> None:
            tape.keep(recording)
            task = asyncio.ensure_future(stage.call(recording, hearing))
            telling.add(task)
            task.add_done_callback(telling.discard)

        user = PhoneSettings(row.host, row.port, row.user, row.password.reveal())
        phone = Phone(self.world, user, over)
        hearing = Hearing(phone.recording, partial(make_ear, self.settings), self.settings.voice.gap_ms / 1000)
        await phone.start()
        others = tuple(one for one in self.settings.trunk if one is not row)
        trunk = (msgspec.structs.replace(row, port=phone.port), *others)
        self.settings = msgspec.structs.replace(self.settings, trunk=trunk)
        return phone, hearing


def _tell_first_user(port: int, password: str) -> None:
    """To who started it, and not to the log, which other people keep and read."""
    lines = (
        f"The console is at port {port}, under /console/. Log in as {FIRST_USER} with the password",
        f"  {password}",
        f"It is not shown again; `bocau console-user passwd {FIRST_USER}` gives another one.",
    )
    print(*lines, sep="\n", file=sys.stderr, flush=True)


def _calm_the_collector() -> None:
    """What the start has made stays; looking it over again and again for cycles cost a tenth of the time under load."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _startup_text(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"cannot start: {error.strerror}{f' ({error.filename})' if error.filename else ''}"
    return f"cannot start: {error}"
