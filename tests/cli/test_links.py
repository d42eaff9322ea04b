"""`bocau link` and `bocau inbound`, against a scripted gateway and a real store."""

import asyncio
import base64
import json
import stat
from pathlib import Path

import pytest
from tests.cli.shell import Shell, Stub

from bocau.cli.desk import who_types
from bocau.console.control import Doorplate, hang_doorplate
from bocau.core.message import InboundIn
from bocau.store.contract import OutcomeDeadlines
from bocau.store.sqlite import SqliteStore
from bocau.wire.smpp.codec import encode
from bocau.wire.smpp.pdu import Command, DeliverSm, Pdu

LINE = {
    "link": "north",
    "kind": "smpp",
    "address": "smsc:2775",
    "state": "bound",
    "binds": "1 of 1",
    "window": "0 of 64",
    "halt": "draining",
    "breaker": "closed",
    "breaker_why": "",
    "waiting_otp": 1,
    "waiting_bulk": 2,
    "why": "",
}
SHOWN = {
    **LINE,
    "limit_per_second": 12.5,
    "submitted": 3,
    "answers": {"taken": 2, "temporary": 1, "permanent": 0},
    "throttled": 1,
    "late_answers": 0,
    "receipts": 2,
    "sent_once_more": 4,
    "answer_ms": {"p50": 4.0, "p99": 9.0},
    "receipt_ids": {"form": "receipt_hex", "from": "learned", "contradicting_rows": 0},
    "bind": [
        {
            "bind": 1,
            "mode": "transceiver",
            "state": "bound",
            "why": "",
            "outstanding": 0,
            "connections": 2,
            "stray_answers": 0,
            "bad_bodies": 0,
        }
    ],
}
PDU = {
    "bind": 1,
    "at_ms": 1_800_000_000_123,
    "from": "us",
    "command": "submit_sm",
    "status": "ESME_ROK",
    "sequence": 7,
    "octets": 60,
    "destination_addr": "849****567",
    "esm_class": 0,
    "parameters": {"user_message_reference": 9},
}


@pytest.fixture
def plated(desk: Shell, gateway: Stub) -> Shell:
    """A store whose gateway is the scripted one."""
    assert desk.data is not None
    hang_doorplate(str(desk.data / "bocau.db"), Doorplate(gateway.url, "ab" * 32))
    return desk


def test_links_are_listed(plated: Shell, gateway: Stub) -> None:
    """For people in a table, for programs as they came; the token goes along."""
    gateway.answer("/control/link/list", json.dumps([LINE]))
    assert "north   smpp   smsc:2775   bound" in plated.ok("link", "list")
    assert plated.json("link", "list") == [LINE]


def test_a_link_is_shown_in_plain_words(plated: Shell, gateway: Stub) -> None:
    """What a person wants to know first stands first."""
    gateway.answer("/control/link/show", json.dumps(SHOWN))
    said = plated.ok("link", "show", "north")
    assert "slowed to 12.5 parts a second, the carrier asked for less" in said
    assert "2 taken, 1 temporary" in said
    assert "receipt_hex (learned)" in said
    assert "4 possible duplicates" in said
    assert "draining" in said
    assert gateway.heard[-1].members == {"link": "north", "actor": who_types()}


def test_a_carrier_without_binds_is_shown_too(plated: Shell, gateway: Stub) -> None:
    """A relay has no binds and no ids to learn; the rest is the same."""
    smpp_only = ("limit_per_second", "receipt_ids", "bind")
    relay = {key: value for key, value in SHOWN.items() if key not in smpp_only} | {"kind": "relay", "binds": ""}
    gateway.answer("/control/link/show", json.dumps(relay))
    said = plated.ok("link", "show", "north")
    assert "2 taken, 1 temporary" in said
    assert "Speed" not in said


def test_a_trace_is_one_line_a_pdu(plated: Shell, gateway: Stub) -> None:
    """Zeros left out."""
    gateway.answer("/control/link/trace", json.dumps([PDU]))
    said = plated.ok("link", "trace", "north", "--last", "5")
    assert said == "08:00:00.123 1 -> submit_sm #7 destination_addr=849****567 user_message_reference=9\n"
    assert gateway.heard[-1].members == {"link": "north", "last": 5, "actor": who_types()}


def test_a_full_trace_is_another_act(plated: Shell, gateway: Stub) -> None:
    """The gateway's log notes it."""
    gateway.answer("/control/link/trace-full", "[]")
    assert "No PDU has passed yet" in plated.ok("link", "trace", "north", "--full")


def test_a_capture_is_written_for_its_owner_alone(plated: Shell, gateway: Stub, tmp_path: Path) -> None:
    """It may hold what a full trace holds."""
    gateway.answer("/control/link/trace", json.dumps({"pcap": base64.b64encode(b"capture").decode()}))
    file = tmp_path / "north.pcap"
    plated.ok("link", "trace", "north", "--pcap", str(file))
    assert file.read_bytes() == b"capture"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "cannot be written" in plated.fails("link", "trace", "north", "--pcap", str(tmp_path / "no" / "x.pcap"))


def test_a_test_that_fails_fails(plated: Shell, gateway: Stub) -> None:
    """With exit code 1, so that a script can act on it."""
    step = {"name": "bind", "ok": False, "milliseconds": 3.5, "said": "the carrier refuses the log-in: ESME_RINVPASWD"}
    gateway.answer("/control/link/test", json.dumps({"link": "north", "ok": False, "steps": [step]}))
    result = plated.run("link", "test", "north", "--to", "0901234567", "--sender", "BOCAU")
    assert result.exit_code == 1
    assert "refuses the log-in" in result.stdout
    assert gateway.heard[-1].members == {
        "link": "north",
        "to": "0901234567",
        "sender": "BOCAU",
        "text": "",
        "actor": who_types(),
    }


def test_what_the_gateway_refuses_is_told_in_its_words(plated: Shell, gateway: Stub) -> None:
    """And a token of another start in ours."""
    gateway.answer("/control/link/show", '{"error":"There is no link \\"x\\". There are: north."}', 409)
    assert plated.fails("link", "show", "x") == 'There is no link "x". There are: north.\n'
    gateway.answer("/control/link/list", '{"error":"token"}', 401)
    assert "was not started on this store" in plated.fails("link", "list")
    gateway.answer("/control/link/trace", "<html>", 500)
    assert "answered HTTP 500" in plated.fails("link", "trace", "north")


def test_without_a_gateway_it_says_so(desk: Shell) -> None:
    """Not a traceback, not an empty list."""
    assert "No gateway runs on" in desk.fails("link", "list")


def test_messages_from_subscribers_are_listed_with_their_text(desk: Shell) -> None:
    """Read from the store, whether or not a gateway runs."""
    assert desk.ok("inbound") == "Nobody has written yet.\n"

    async def write() -> None:
        deadlines = OutcomeDeadlines(1, 1, 1)
        store = await SqliteStore.gateway(
            f"{desk.data}/bocau.db", node=0, now_ms=0, deadlines=deadlines, on_fatal=print, threaded=False
        )
        raw = encode(Pdu(Command.DELIVER_SM, 0, 1, DeliverSm(short_message="Dừng".encode("utf-16-be"), data_coding=8)))
        done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        store.inbound(InboundIn("north", raw, 1_800_000_000_000, "84901", "1900", "", 1, 1), done.set_result)
        assert await done is None
        await store.close(0)

    asyncio.run(write())
    (row,) = desk.json("inbound")
    assert (row["sender"], row["recipient"], row["text"], row["told"]) == ("84901", "1900", "Dừng", "kept")
    assert "Dừng" in desk.ok("inbound", "--limit", "1")
