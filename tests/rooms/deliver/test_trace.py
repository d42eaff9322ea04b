"""The last PDUs of a link: kept, shown without what must not be seen, and written for other tools (promises S1)."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.deliver.stage import LinkStage, run_link, submit

from bocau.deliver.show import members, octets, redacted
from bocau.deliver.trace import Seen, Trace
from bocau.wire.smpp.capture import Captured, pcap
from bocau.wire.smpp.codec import Frame, Framer, decode, encode
from bocau.wire.smpp.pdu import Bind, Command, DeliverSm, Pdu, SubmitSm, Unknown

PHONE, CODE, PASSWORD = "84901888484", b"204816", "pa55word"
RECEIPT = b"id:12ab sub:001 dlvrd:001 submit date:2701150800 done date:2701150801 stat:DELIVRD err:000 text:Ma 204816"


def seen(pdu: Pdu) -> Seen:
    """As a link keeps it."""
    (frame,) = Framer().feed(encode(pdu))
    return Seen(1.0, True, frame)


PDUS = [
    Pdu(Command.BIND_TRANSCEIVER, 0, 1, Bind("acme", PASSWORD)),
    Pdu(Command.SUBMIT_SM, 0, 2, SubmitSm(source_addr="BOCAU", destination_addr=PHONE, short_message=b"Ma " + CODE)),
    Pdu(Command.SUBMIT_SM, 0, 3, SubmitSm(destination_addr=PHONE, tlvs=((0x0424, CODE), (0x0381, b"\1\1\1" + CODE)))),
    Pdu(Command.DELIVER_SM, 0, 4, DeliverSm(source_addr=PHONE, esm_class=4, short_message=RECEIPT)),
    Pdu(Command.DELIVER_SM, 0, 5, DeliverSm(source_addr=f"+{PHONE}", short_message=CODE)),
]


@pytest.mark.parametrize("pdu", PDUS, ids=lambda pdu: str(pdu.sequence))
def test_what_is_shown_holds_no_text_no_password_and_no_whole_number(pdu: Pdu) -> None:
    """Neither as members nor as octets; what stays is enough to find a fault by."""
    one = seen(pdu)
    for told in (json.dumps(members(one, 0)).encode(), octets(one)):
        assert CODE not in told
        assert PHONE.encode() not in told
        assert PASSWORD.encode() not in told
    whole = octets(one, full=True)
    assert whole == encode(pdu)
    assert CODE in whole or PASSWORD.encode() in whole


def test_a_receipt_keeps_what_it_says_up_to_the_customer_s_text() -> None:
    """Id, dates and state are what one looks for; a vendor's parameter stays readable."""
    body = DeliverSm(
        source_addr=PHONE, esm_class=4, short_message=RECEIPT, tlvs=((0x1403, b"VTL"), (0x001E, b"12ab\0"))
    )
    told = members(seen(Pdu(Command.DELIVER_SM, 0, 4, body)), 0)
    assert told["short_message"] == RECEIPT.decode().removesuffix("Ma 204816") + "*" * 9
    assert told["parameters"] == {"0x1403": "VTL", "receipted_message_id": "12ab"}
    assert told["source_addr"] == "849****484"


def test_a_user_data_header_stays_and_its_text_goes() -> None:
    """Which part it was is no secret."""
    body = SubmitSm(esm_class=0x40, short_message=b"\5\0\3\x07\2\1" + CODE)
    changed = redacted(Pdu(Command.SUBMIT_SM, 0, 1, body)).body
    assert isinstance(changed, SubmitSm)
    assert changed.short_message == b"\5\0\3\x07\2\1******"


@given(st.integers(0, 0xFFFFFFFF), st.binary(max_size=80))
def test_whatever_passed_can_be_shown(command: int, body: bytes) -> None:
    """A trace is read when something is wrong: it must not be what fails."""
    one = Seen(0.0, False, Frame(command, 0, 1, body))
    json.dumps(members(one, 0))
    json.dumps(members(one, 0, full=True))
    (frame,) = Framer().feed(octets(one))
    assert frame.command == command
    assert octets(one, full=True)[16:] == body


def test_an_unknown_body_is_not_shown() -> None:
    """Nobody knows what stands in it."""
    pdu = redacted(Pdu(0x00010200, 0, 1, Unknown(CODE)))
    assert pdu.body == Unknown(bytes(len(CODE)))


def test_a_trace_keeps_the_newest_and_both_ways() -> None:
    """The oldest go; nothing is decoded before it is asked for."""
    trace = Trace(3)
    trace.sent([encode(PDUS[0]), encode(PDUS[1])], 1.0)
    trace.seen((2.0, Frame(Command.SUBMIT_SM_RESP, 0, 2, b"x\0")))
    trace.sent([encode(PDUS[2])], 3.0)
    assert [(one.at, one.ours, one.frame.sequence) for one in trace.pdus()] == [
        (1.0, True, 2),
        (2.0, False, 2),
        (3.0, True, 3),
    ]
    assert [one.frame.sequence for one in trace.pdus(1)] == [3]
    assert Trace(0).pdus() == []


def test_a_link_remembers_what_passed_over_all_its_connections() -> None:
    """Also what came before the connection broke: that is what one wants to see."""

    async def scenario(stage: LinkStage) -> None:
        stage.us.call(stage.link.submit, submit(1), 1)
        await stage.pass_time(1.0)
        stage.carrier.peer.transport.abort()
        await stage.pass_time(5.0)
        passed = [(one.ours, decode(one.frame).command) for one in stage.link.trace.pdus()]
        bind = [(True, Command.BIND_TRANSCEIVER), (False, Command.BIND_TRANSCEIVER_RESP)]
        assert passed == [*bind, (True, Command.SUBMIT_SM), (False, Command.SUBMIT_SM_RESP), *bind]

    run_link(scenario)


def test_a_capture_is_read_by_tshark(tmp_path: Path) -> None:
    """Every PDU, in both directions, on any port."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("the tshark program is not installed")
    file = tmp_path / "link.pcap"
    pdus = [Captured(1_800_000_000_000 + n, n % 2 == 0, octets(seen(pdu))) for n, pdu in enumerate(PDUS)]
    file.write_bytes(pcap(pdus, 2775))
    fields = ["-e", "smpp.command_id", "-e", "smpp.sequence_number", "-e", "ip.checksum.status"]
    command = [tshark, "-r", str(file), "-o", "ip.check_checksum:TRUE", "-T", "fields", *fields]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    rows = [line.split("\t") for line in said.splitlines()]
    assert [(int(row[0], 16), int(row[1])) for row in rows] == [(pdu.command, pdu.sequence) for pdu in PDUS]
    assert {row[2] for row in rows} == {"1"}
