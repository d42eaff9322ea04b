"""The command line as a whole: help, version, codes, settings, and the two commands that run a gateway."""

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.cli.shell import Shell

from bocau import __version__
from bocau.cli import main
from bocau.simulator.phone_rules import phone_table
from bocau.simulator.rules import magic_table
from bocau.wire.esms.codes import CODES

GOOD = """\
[[carrier]]
name = "viettel"
host = "smsc.example.net"
system_id = "shop"
password = "geheim"

[[route]]
name = "all"
carrier = "viettel"

[callback]
secret = "0123456789abcdef"

[accept]
type8_channel = "sms"
"""


def bocau(*words: str, environment: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bocau", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


def test_the_module_runs_as_a_program() -> None:
    """`python -m bocau`."""
    done = bocau("version", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"version": __version__}


def test_help_needs_none_of_the_gateway() -> None:
    """What makes a command heavy is imported when the command runs."""
    program = "import sys, bocau.cli.main; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    loaded = set(done.stdout.split())
    heavy = {"rich", "asyncio", "msgspec", "sqlite3", "http.client", "bocau.app", "bocau.settings", "bocau.store"}
    assert "bocau.cli.main" in loaded
    assert not heavy & loaded


@pytest.mark.parametrize("words", [(), ("account",), ("send",), ("template", "test"), ("config",), ("voice", "pack")])
def test_every_command_has_help(shell: Shell, words: tuple[str, ...]) -> None:
    """With -h too."""
    assert shell.ok(*words, "--help") == shell.ok(*words, "-h")


def test_a_mistyped_command_is_met_with_the_nearest(shell: Shell) -> None:
    """Usage errors have exit code 2."""
    result = shell.run("acount")
    assert result.exit_code == 2
    assert "account" in result.stderr


def test_the_version_is_told(shell: Shell) -> None:
    """As a command and as an option."""
    assert shell.ok("version") == shell.ok("--version") == f"bocau {__version__}\n"


def test_a_code_is_explained(shell: Shell) -> None:
    """One in full, or all in a table whose lines are not cut."""
    shown = shell.ok("codes", "146")
    assert "Sai template Brandname CSKH" in shown
    assert CODES["146"].fix in shown
    assert shell.json("codes", "146")["en"]["name"] == "template mismatch"
    assert "sai mẫu tin" in shell.ok("codes", "146", "--lang", "vi")
    table = shell.ok("codes").splitlines()
    assert len(table) == len(CODES) + 2
    assert any("Each request has at least 30 numbers to be approved" in line for line in table)
    assert [row["code"] for row in shell.json("codes")] == list(CODES)
    assert "no code 4711" in shell.fails("codes", "4711")


def test_a_good_file_is_fit(shell: Shell, tmp_path: Path) -> None:
    """Exit code 0."""
    file = tmp_path / "bocau.toml"
    file.write_text(GOOD)
    file.chmod(0o600)
    assert "is fit" in shell.ok("check")
    assert shell.json("check", "--config", str(file)) == {"file": str(file), "ok": True, "problems": []}


def test_warnings_are_told_and_do_not_count(shell: Shell, tmp_path: Path) -> None:
    """They have their line too."""
    file = tmp_path / "bocau.toml"
    file.write_text(GOOD.replace('secret = "0123456789abcdef"', 'secret = ""'))
    file.chmod(0o600)
    shown = shell.ok("check")
    assert "bocau.toml:12: [callback] secret" in shown
    assert "(warning)" in shown
    assert shell.json("check")["problems"][0]["fatal"] is False


def test_problems_are_told_with_file_and_line(shell: Shell, tmp_path: Path) -> None:
    """All at once, with exit code 1."""
    (tmp_path / "bocau.toml").write_text(
        GOOD.replace('carrier = "viettel"', 'carrier = "vietel"') + "[api]\nprot = 1\n"
    )
    result = shell.run("check")
    assert result.exit_code == 1
    assert 'bocau.toml:9: [route.all] carrier: no carrier is called "vietel"; did you mean "viettel"?' in result.stdout
    assert "bocau.toml:17: [api] prot" in result.stdout
    result = shell.run("check", "--json")
    assert result.exit_code == 1
    assert [problem["place"] for problem in json.loads(result.stdout)["problems"]] == ["bocau.toml:9", "bocau.toml:17"]


def test_leftovers_of_development_are_problems(shell: Shell, tmp_path: Path) -> None:
    """As at a production start."""
    file = tmp_path / "bocau.toml"
    file.write_text(GOOD.replace("viettel", "simulator"))
    file.chmod(0o600)
    assert "simulated carrier" in shell.run("check").stdout


def test_a_missing_file_is_told(shell: Shell) -> None:
    """Where it was looked for, or that the named one is not there."""
    assert "/etc/bocau/bocau.toml" in shell.fails("check")
    assert shell.run("check", "--config", "nowhere.toml").exit_code == 1


def test_settings_are_shown_with_their_origin_and_without_secrets(tmp_path: Path, shell: Shell) -> None:
    """File with line, variable or default."""
    (tmp_path / "bocau.toml").write_text(GOOD)
    shown = Shell(environment={"BOCAU_API__PORT": "9000"}).json("config", "show")
    rows = {row["key"]: (row["value"], row["source"]) for row in shown}
    assert rows["api.port"] == ("9000", "BOCAU_API__PORT")
    assert rows["carrier.viettel.system_id"] == ('"shop"', "bocau.toml:4")
    assert rows["admin.port"] == ("8485", "default")
    assert "geheim" not in shell.ok("config", "show")
    assert "bocau.toml:4" in shell.ok("config", "show")


class Running(ModuleType):
    """Stands for the module that runs gateways."""

    def __init__(self) -> None:
        super().__init__("bocau.cli.running")
        self.called: list[tuple[str, dict[str, object]]] = []

    def dev(self, **given: object) -> int:
        self.called.append(("dev", given))
        return 0

    def serve(self, **given: object) -> int:
        self.called.append(("serve", given))
        return 3


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Running:
    stand_in = Running()
    monkeypatch.setitem(sys.modules, "bocau.cli.running", stand_in)
    return stand_in


def test_dev_needs_no_option(shell: Shell, running: Running) -> None:
    """Everything has a default."""
    shell.ok("dev")
    defaults: dict[str, object] = {
        "data": None,
        "ephemeral": False,
        "api_port": 8484,
        "admin_port": 8485,
        "smsc_port": 2775,
    }
    defaults |= {"carrier_at": "", "database_url": "", "profile": "dev", "first_message": True, "log_level": "info"}
    defaults |= {"clock": ""}
    assert running.called == [("dev", defaults)]


def test_dev_and_serve_hand_their_options_on(shell: Shell, running: Running) -> None:
    """And end with the exit code they are given."""
    ports = ("--api-port", "1", "--admin-port", "2", "--smsc-port", "3", "--host-carrier", "smsc.example.net:2775")
    database = ("--database-url", "postgresql://db/bocau")
    options = ("--profile", "bench", "--no-first-message", "--log-level", "debug", "--clock", "+24h")
    shell.ok("dev", "--data", "x", *ports, *database, *options)
    assert running.called[0][1] == {
        "data": Path("x"),
        "ephemeral": False,
        "api_port": 1,
        "admin_port": 2,
        "smsc_port": 3,
        "carrier_at": "smsc.example.net:2775",
        "database_url": "postgresql://db/bocau",
        "profile": "bench",
        "first_message": False,
        "log_level": "debug",
        "clock": "+24h",
    }
    assert shell.run("serve", "--config", "y").exit_code == 3
    assert running.called[1] == ("serve", {"config": Path("y")})


@pytest.mark.parametrize(
    "words",
    [
        ("--host-carrier", "smsc.example.net"),
        ("--host-carrier", "x:y"),
        ("--api-port", "65536"),
        ("--profile", "prod"),
        ("--log-level", "loud"),
        ("--ephemeral", "--data", "x"),
    ],
)
def test_dev_refuses_what_it_cannot_use(shell: Shell, running: Running, words: tuple[str, ...]) -> None:
    """A usage error, before anything starts."""
    assert shell.run("dev", *words).exit_code == 2
    assert not running.called


def test_a_fault_of_our_own_is_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With the way to the traceback, and an exit code of its own."""

    def broken() -> None:
        raise LookupError("lost")

    monkeypatch.setattr(main, "app", broken)
    monkeypatch.setattr(sys, "argv", ["bocau"])
    with pytest.raises(SystemExit) as ended:
        main.run()
    assert ended.value.code == 70
    said = capsys.readouterr().err
    assert "LookupError: lost" in said
    assert "BOCAU_TRACEBACK=1" in said
    monkeypatch.setenv("BOCAU_TRACEBACK", "1")
    with pytest.raises(LookupError):
        main.run()


def test_magic_numbers_are_shown(shell: Shell) -> None:
    """All of them, for people and for programs; a program gets whole numbers."""
    said = shell.ok("magic")
    for ending, meaning in (*magic_table(), *phone_table()):
        assert f"{ending if ending.isdecimal() else 'any other'}" in said
        assert meaning in said
    rows = shell.json("magic")
    assert {
        "channel": "sms",
        "ending": "0002",
        "number": "0901230002",
        "meaning": "undelivered: UNDELIV, error 001",
    } in rows
    assert [row["ending"] for row in rows if row["channel"] == "call"] == [ending for ending, _ in phone_table()]
