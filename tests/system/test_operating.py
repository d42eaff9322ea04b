"""What an operator does to a running `bocau serve`, by its commands and by a signal, with a carrier behind TLS."""

import asyncio
import json
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.cli.shell import Shell
from tests.console.stand import Visitor
from tests.system.processes import Child, free_port
from typer.testing import Result

FILE = """\
[api]
port = {api}
[admin]
port = {admin}
[store]
path = "{folder}/bocau.db"
[[carrier]]
name = "north"
host = "127.0.0.1"
port = {smsc}
system_id = "us"
password = "pw"
window = {window}
tls = true
tls_ca = "carrier.pem"
tls_server_name = "smsc.example"
[[carrier]]
name = "up"
kind = "relay"
url = "http://127.0.0.1:9"
api_key = "k"
secret_key = "s"
[[route]]
name = "all"
carriers = {carriers}
"""
LISTENING = re.compile(r"listening on 127\.0\.0\.1:([0-9]+)")


class Site:
    """A folder with a settings file, a simulated carrier behind TLS, and a gateway; everything a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "bocau.toml"
        self.ports = {"api": free_port(), "admin": free_port(), "smsc": 0}
        certify(folder / "carrier.pem", "smsc.example")
        smsc = ["-m", "bocau.cli.simulator_command", "--port", "0", "--account", "us:pw", "--tls", "carrier.pem"]
        self.carrier = Child("carrier", smsc, folder, {})
        self.gateway = Child("gateway", ["-m", "bocau", "serve", "--config", str(self.file)], folder, {})

    def write(self, window: int = 8, carriers: str = '["north", "up"]') -> None:
        """Change the settings."""
        text = FILE.format(folder=self.folder, window=window, carriers=carriers, **self.ports)
        self.file.write_text(text)
        self.file.chmod(0o600)

    async def start(self) -> None:
        """Wait until the gateway is bound."""
        self.gateway.start()
        await self.gateway.says(re.compile('"event":"link.bind"'))

    async def command(self, *words: str) -> Result:
        """One command, typed beside the running gateway."""
        return await asyncio.to_thread(Shell().run, *words, "--config", str(self.file))

    async def json(self, *words: str) -> Any:  # noqa: ANN401 - whatever the command says
        """What a command that works says to programs."""
        done = await self.command(*words, "--json")
        assert done.exit_code == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def close(self) -> None:
        """Nothing stays."""
        for child in (self.gateway, self.carrier):
            if child.running:
                child.kill()


def certify(file: Path, name: str) -> None:
    """A self-made certificate for a name, with its key in the same file."""
    made = [
        "-out",
        str(file),
        "-keyout",
        f"{file}.key",
        "-subj",
        f"/CN={name}",
        "-addext",
        f"subjectAltName=DNS:{name}",
    ]
    how = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    subprocess.run([*how, *made], check=True, capture_output=True)
    key = Path(f"{file}.key")
    file.write_text(file.read_text() + key.read_text())
    key.unlink()


def play(folder: Path, scenario: Any) -> None:  # noqa: ANN401 - a coroutine function of a site
    """A scenario with a carrier that listens and a settings file that names it."""

    async def whole() -> None:
        site = Site(folder)
        try:
            site.carrier.start()
            site.ports["smsc"] = int((await site.carrier.says(LISTENING))[1])
            site.write()
            async with asyncio.timeout(90):
                await scenario(site)
        finally:
            site.close()

    asyncio.run(whole())


def test_a_drained_link_says_so_and_stays_drained_over_a_restart(tmp_path: Path) -> None:
    """Every kind of carrier is listed with its halt and its breaker; drain counts what is out; resume ends it."""

    async def scenario(site: Site) -> None:
        await site.start()
        rows = {row["link"]: row for row in await site.json("link", "list")}
        assert (rows["north"]["kind"], rows["north"]["state"], rows["north"]["halt"]) == ("smpp", "bound", "running")
        assert (rows["up"]["kind"], rows["up"]["address"], rows["up"]["breaker"]) == ("relay", "127.0.0.1:9", "closed")
        drained = await site.json("link", "drain", "north")
        assert (drained["state"], drained["outstanding"], drained["waiting_otp"]) == ("draining", 0, 0)
        said = (await site.command("link", "drain", "north")).stdout
        assert said == ("north is draining: 0 parts are unanswered, 0 codes and 0 other messages wait for it.\n")
        assert (await site.json("link", "pause", "up"))["state"] == "paused"
        assert await site.gateway.stop() == 0
        await site.start()
        assert (await site.json("link", "show", "north"))["halt"] == "draining"
        assert (await site.json("link", "show", "up"))["halt"] == "paused"
        assert (await site.json("link", "resume", "north"))["state"] == "running"
        noted = [(line["act"], line["subject"]) for line in await site.json("audit") if line["actor"] != "gateway"]
        assert noted == [
            ("carrier.halt", "north: running"),
            ("carrier.halt", "up: paused"),
            ("carrier.halt", "north: draining"),
            ("carrier.halt", "north: draining"),
        ]
        unknown = await site.command("link", "pause", "nobody")
        assert (unknown.exit_code, unknown.stderr) == (1, 'There is no link "nobody". There are: north, up.\n')
        traceless = await site.command("link", "trace", "up")
        assert "does not speak SMPP" in traceless.stderr

    play(tmp_path, scenario)


def test_a_reload_by_command_and_by_signal_takes_what_is_sound_and_nothing_else(tmp_path: Path) -> None:
    """A broken file is named with line and key, and the old settings stay; a signal during the start waits for it."""

    async def scenario(site: Site) -> None:
        gateway = site.gateway
        gateway.start()
        await gateway.says(re.compile('"event":"store.open"'))
        assert gateway._process is not None
        gateway._process.send_signal(signal.SIGHUP)
        await gateway.says(re.compile('"event":"link.bind"'))
        await gateway.says(re.compile('"event":"settings.reload"'))
        site.write(carriers='["north", "nobody"]')
        broken = await site.command("reload")
        line = site.file.read_text().splitlines().index('carriers = ["north", "nobody"]') + 1
        assert broken.exit_code == 1
        assert f"bocau.toml:{line}: [route.all] carriers" in broken.stderr
        # With the folder named, the file is not read here, and what is wrong with it is the gateway's own word.
        asked = await asyncio.to_thread(Shell().run, "reload", "--data", str(site.folder))
        assert asked.exit_code == 1
        assert "The old settings stay." in asked.stderr
        assert f"bocau.toml:{line}: [route.all] carriers" in asked.stderr
        assert (await gateway.says(re.compile('"event":"settings.refuse"'))) is not None
        site.write(window=16)
        reloaded = await site.json("reload")
        assert (reloaded["carriers"], reloaded["routes"], reloaded["restart"]) == (["north"], False, [])
        assert (await site.json("link", "show", "north"))["window"].endswith("of 16")
        site.write(window=16, carriers='["north"]')
        gateway._process.send_signal(signal.SIGHUP)
        await gateway.says(re.compile('"event":"settings.reload","carriers":\\[\\],"routes":true'))
        noted = [(line["actor"], line["subject"]) for line in await site.json("audit") if "reload" in line["act"]]
        assert [noted[0], noted[-1]] == [("SIGHUP", ""), ("SIGHUP", "")]
        assert noted[1][0] != "SIGHUP"
        assert noted[1][1] == "north"
        assert await gateway.stop() == 0
        assert "Traceback" not in gateway.said()

    play(tmp_path, scenario)


def test_a_check_with_connections_speaks_tls_to_the_carrier_and_knows_its_name(tmp_path: Path) -> None:
    """A certificate of another name is a problem before the first bind."""

    async def scenario(site: Site) -> None:
        found = (await site.command("check", "--connect")).stdout
        assert "[carrier.north]" not in found, found
        text = site.file.read_text()
        site.file.write_text(text.replace("smsc.example", "other.example"))
        wrong = await site.command("check", "--connect")
        assert wrong.exit_code == 1
        assert "[carrier.north] host: the certificate of other.example does not hold: " in wrong.stdout

    play(tmp_path, scenario)


PASSWORD = re.compile(r"^  ([a-z2-7]{4}(?:-[a-z2-7]{4}){5})$", re.MULTILINE)


def test_the_first_start_lets_an_admin_in_to_the_console_and_tells_the_password_once(tmp_path: Path) -> None:
    """Random, never a default, good for a log-in, not in the log, and not told again (promise S9)."""

    async def scenario(site: Site) -> None:
        await site.start()
        password = (await site.gateway.says(PASSWORD))[1]
        log_in = Visitor(site.ports["admin"])
        assert (await log_in.get("/console/")).headers["location"] == "/console/login?back=/console/"
        await log_in.get("/console/login")
        assert (await log_in.post("/console/login", name="admin", password="admin")).status == 403
        assert (await log_in.post("/console/login", name="admin", password=password)).status == 303
        assert (await log_in.get("/console/")).status == 200
        assert (await log_in.get("/test")).status == 404
        lines = [line for line in site.gateway.log.read_text().splitlines() if line.startswith("{")]
        assert password not in "".join(lines)
        await site.gateway.stop()
        await site.start()
        assert site.gateway.log.read_text().count(password) == 1
        assert len(PASSWORD.findall(site.gateway.log.read_text())) == 1

    play(tmp_path, scenario)
