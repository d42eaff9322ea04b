"""The carrier as a process of its own."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.simulator.stage import sms

from bocau.cli.simulator_command import main
from bocau.wire.smpp.codec import Framer, encode, encode_submit_sm
from bocau.wire.smpp.pdu import Bind, Command, Pdu


@contextmanager
def _running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The program and the port that it prints; killed at the end if it still runs."""
    command = [sys.executable, "-m", "bocau.cli.simulator_command", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            host, port = process.stdout.readline().removeprefix("listening on ").rsplit(":", 1)
            assert host == "127.0.0.1"
            yield process, int(port)
        finally:
            process.kill()


async def _talk(port: int, count: int) -> list[int]:
    """Bind, submit once, and hear so many PDUs; their command ids."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(encode(Pdu(Command.BIND_TRANSCEIVER, 0, 1, Bind("acme", "pa:ss"))))
    commands: list[int] = []
    framer = Framer()
    async with asyncio.timeout(20):
        while len(commands) < count:
            data = await reader.read(65536)
            if not data:
                break
            commands += [frame.command for frame in framer.feed(data) if not frame.status]
            if commands == [Command.BIND_TRANSCEIVER_RESP]:
                writer.write(encode_submit_sm(2, sms()))
    writer.close()
    return commands


def test_it_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """It says where it listens, takes a message, writes its journal, and ends cleanly at SIGTERM."""
    path = tmp_path / "journal.jsonl"
    options = ("--journal", str(path), "--delay", "0.01", "--account", "acme:pa:ss", "--seed", "1", "--full-text")
    with _running(*options) as (process, port):
        heard = asyncio.run(_talk(port, 3))
        assert heard == [Command.BIND_TRANSCEIVER_RESP, Command.SUBMIT_SM_RESP, Command.DELIVER_SM]
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=20)
        assert (process.returncode, out, errors) == (0, "", "")
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line["event"] for line in lines[:6]] == ["listen", "bind", "submit", "answer", "shown", "receipt"]
    assert lines[2]["text"] == "hello"
    assert lines[-1]["event"] == "stop"


def test_a_port_in_use_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """No stack trace."""
    with _running() as (_, port):
        assert main(["--port", str(port)]) == 1
    assert capsys.readouterr().err.startswith("cannot start: ")


@pytest.mark.parametrize(
    "arguments", [["--account", "nocolon"], ["--account", ":x"], ["--system-errors", "2"], ["--delay", "-1"]]
)
def test_bad_options_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything listens."""
    with pytest.raises(SystemExit):
        main(arguments)
    assert "error: argument --" in capsys.readouterr().err


def test_the_help_has_the_magic_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """Every one with its meaning."""
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert "0005  throttled" in out
    assert "other  delivered" in out


def test_a_script_may_name_networks_and_templates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The carrier alone knows neither; one that is none is told before anything listens."""
    script = tmp_path / "faults.toml"
    script.write_text('[[fault]]\nact = "refuse"\nnetwork = "viettel"\ntemplate = "{P1,6} la ma"\n')
    with _running("--script", str(script)):
        pass
    script.write_text('[[fault]]\nact = "refuse"\nnetwork = "vietel"\n')
    assert main(["--port", "0", "--script", str(script)]) == 1
    assert "there is no network 'vietel'; there are Viettel" in capsys.readouterr().err
