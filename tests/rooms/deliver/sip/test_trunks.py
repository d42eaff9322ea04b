"""Trunks on a simulated network: failover, registration, streams, strangers, caps."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator

import pytest
from tests.rooms.deliver.sip.exchange import CALM, PROMPT, SPOKEN, THEM, TRUNK, US, Calls, simulated
from tests.rooms.deliver.sip.test_names import Names
from tests.simulation.world import Machine, Network, play

from bocau.deliver.sip.engine import CallEngine, EngineSettings
from bocau.deliver.sip.link import LinkState
from bocau.deliver.sip.order import CallLimits, CallStatus, Retry, Utterance
from bocau.deliver.sip.trunk import Trunk
from bocau.ports import Service
from bocau.simulator.phone import Phone, PhoneSettings
from bocau.simulator.phone_rules import PHONES
from bocau.telemetry import Lines, make_log

_S = CallStatus
OTHER = "10.0.0.3"


@contextlib.asynccontextmanager
async def exchange(
    network: Network, trunks: list[Trunk], settings: EngineSettings | None = None, names: Names | None = None
) -> AsyncIterator[tuple[Calls, dict[str, Phone]]]:
    """Phones at THEM and OTHER on port 5060, an engine at US with these trunks."""
    network.weather = CALM
    phones: dict[str, Phone] = {}
    machines: list[Machine] = []
    for host in (THEM, OTHER):
        machines.append(network.machine(host, host))
        phones[host] = Phone(machines[-1].world, PhoneSettings(host=host, port=5060))
        await machines[-1].run(phones[host].start())
    us = network.machine("us", US)
    log = io.StringIO()
    engine = CallEngine(us.world, trunks, settings or EngineSettings(), make_log(Lines(log), us.world.now_ms), names)
    engine.start()
    try:
        yield Calls(engine, phones[THEM], log), phones
    finally:
        await engine.stop()
        for phone in phones.values():
            await phone.stop()


FIRST = TRUNK._replace(port=5060)
SECOND = FIRST._replace(name="south", host=OTHER, priority=1)


@pytest.mark.parametrize(("ending", "trunks"), [("0025", 2), ("0032", 2), ("0033", 2), ("0006", 1), ("0023", 1)])
def test_a_trunk_that_cannot_is_followed_by_the_next(ending: str, trunks: int) -> None:
    """At once, over each trunk at most once; what concerns the callee alone is final."""

    async def run(network: Network) -> None:
        async with exchange(network, [SECOND, FIRST]) as (calls, phones):
            result = await calls.call(ending)
            assert result.trunks == trunks
            assert result.trunk == ("south" if trunks == 2 else "north")
            assert calls.told.count("ended") == 1
            assert [len(phone.recordings) for phone in phones.values()] == [1, trunks - 1]

    play(run)


def test_a_trunk_that_failed_rests() -> None:
    """The next call takes the other one first; an answer there is final."""

    async def run(network: Network) -> None:
        async with exchange(network, [FIRST, SECOND]) as (calls, phones):
            well = phones[OTHER].settings._replace(table={"other": PHONES["other"]})
            phones[OTHER].settings = well
            first = calls.place("0025")
            await asyncio.sleep(0.3)
            assert (await calls.call("1234")).trunk == "south"
            assert (await calls.end(first)).status is _S.ANSWERED
            assert [len(phone.recordings) for phone in phones.values()] == [1, 2]

    play(run)


def test_an_answered_call_is_never_placed_again() -> None:
    """Whatever becomes of it (fault F32): here both machines of the trunk die while it speaks."""

    async def run(network: Network) -> None:
        async with exchange(network, [FIRST, SECOND]) as (calls, phones):
            call_id = calls.place("1234")
            await asyncio.sleep(0.6)
            network.block(US, THEM)
            result = await calls.end(call_id)
            assert (result.status, result.retry, result.trunks) == (_S.ANSWERED, Retry.NONE, 1)
            assert phones[OTHER].recordings == []

    play(run)


def test_records_of_the_dns_lead_to_the_trunk_and_a_silent_address_is_left() -> None:
    """The first record's host is dead: the call fails there, the next one takes the second address."""

    async def run(network: Network) -> None:
        network.names = {"dead.example": ["10.0.0.99"], "live.example": [THEM]}
        names = Names(_sip=[Service(1, 0, "dead.example", 5060), Service(2, 0, "live.example", 5060)])
        trunk = TRUNK._replace(host="trunk.example", srv=True)
        async with exchange(network, [trunk], names=names) as (calls, _):
            first = await calls.call("1234")
            assert first.retry is Retry.NEXT_TRUNK_BACK_OFF
            assert (await calls.call("1234")).status is _S.ANSWERED

    play(run)


def test_a_registration_is_made_kept_and_taken_back() -> None:
    """With the challenge answered; calls wait for it."""

    async def run(network: Network) -> None:
        trunk = FIRST._replace(register=True, register_seconds=100)
        async with exchange(network, [trunk]) as (calls, phones):
            assert (await calls.call("1234")).status is _S.ANSWERED
            assert calls.engine.trunks()[0].state is LinkState.UP
            await asyncio.sleep(100.0)
            assert len(phones[THEM].registered) == 2
            await calls.engine.stop()
            assert [one.rpartition("=")[2] for one in phones[THEM].registered] == ["100", "100", "0"]
            assert "link.register" in calls.log.getvalue()

    play(run)


def test_a_refused_registration_takes_no_calls_and_is_tried_again() -> None:
    """The trunk is down, calls go elsewhere, and the reason is told."""

    async def run(network: Network) -> None:
        trunk = FIRST._replace(register=True, password="wrong")
        async with exchange(network, [trunk, SECOND]) as (calls, phones):
            await asyncio.sleep(1.0)
            report = calls.engine.trunks()[0]
            assert (report.state, report.why) == (LinkState.DOWN, "not registered: 401 Unauthorized")
            assert (await calls.call("1234")).trunk == "south"
            assert phones[THEM].recordings == []
            assert "wrong" not in calls.log.getvalue()

    play(run)


@pytest.mark.parametrize("ending", ["1234", "0006", "0021", "0026", "0028", "0031", "0037", "0038"])
def test_calls_over_a_stream(ending: str) -> None:
    """TCP, cut anywhere: the same as over UDP."""

    async def scenario(calls: Calls) -> None:
        over_tcp = await calls.call(ending)
        statuses = {"0006": _S.BUSY, "0021": _S.NO_ANSWER}
        assert over_tcp.status is statuses.get(ending, _S.ANSWERED)
        assert calls.engine.trunks()[0].state is LinkState.UP

    simulated(scenario, TRUNK._replace(transport="tcp"), weather=CALM._replace(split=1.0))


def test_a_stream_that_breaks_takes_its_calls_along_and_comes_back() -> None:
    """A call that rang goes on elsewhere, one that spoke is over."""

    async def run(network: Network) -> None:
        trunks = [FIRST._replace(transport="tcp"), SECOND]
        async with exchange(network, trunks) as (calls, phones):
            rings, speaks = calls.place("0021"), calls.place("1234")
            await asyncio.sleep(0.8)
            network.cut(network.between(US, THEM)[0])
            spoken = await calls.end(speaks)
            assert (spoken.status, spoken.retry, spoken.trunks) == (_S.ANSWERED, Retry.NONE, 1)
            assert (await calls.end(rings)).trunk == "south"
            assert phones[OTHER].recordings[0].number.endswith("0021")
            await asyncio.sleep(3.0)
            assert calls.engine.trunks()[0].state is LinkState.UP
            assert (await calls.call("1234")).trunk == "north"

    play(run)


def test_a_stream_that_fell_silent_is_replaced() -> None:
    """A partition that no reset tells of: the call goes elsewhere after 5 s, the connection is given up."""

    async def run(network: Network) -> None:
        async with exchange(network, [FIRST._replace(transport="tcp"), SECOND]) as (calls, _):
            await asyncio.sleep(0.1)
            assert (await calls.call("0006")).trunk == "north"
            network.block(US, THEM)
            await asyncio.sleep(10.0)
            assert (await calls.call("1234")).trunk == "south"
            assert calls.engine.trunks()[0].state is LinkState.DOWN
            network.heal()
            await asyncio.sleep(60.0)
            assert (await calls.call("1234")).trunk == "north"

    play(run)


def test_a_closed_port_is_followed_by_the_next_trunk_at_once() -> None:
    """Nothing is waited for where nobody listens."""

    async def run(network: Network) -> None:
        trunks = [FIRST._replace(transport="tcp", port=5999), SECOND]
        async with exchange(network, trunks) as (calls, _):
            await asyncio.sleep(0.5)
            assert (await calls.call("1234")).trunk == "south"
            assert calls.engine.trunks()[0].why.startswith("cannot connect")
        async with exchange(network, trunks[:1]) as (calls, _):
            result = await calls.call("1234")
            assert (result.status, result.retry, result.trunks) == (_S.FAILED, Retry.NEXT_TRUNK_BACK_OFF, 0)

    play(run)


def test_calls_at_once_and_starts_are_capped() -> None:
    """Of a trunk and of the engine; the others wait their turn, and too many do not even wait."""

    async def run(network: Network) -> None:
        trunk = FIRST._replace(max_calls=2, calls_per_second=10.0)
        settings = EngineSettings(max_calls=5, max_waiting=6)
        async with exchange(network, [trunk], settings) as (calls, phones):
            ids = [calls.place("1234", limits=CallLimits(listen=0.0, start=30.0)) for _ in range(8)]
            most = 0
            while calls.engine.active:
                await asyncio.sleep(0.01)
                most = max(most, calls.engine.trunks()[0].active)
                open_now = [one for one in phones[THEM].recordings if not one.over.is_set()]
                assert len(open_now) <= 3
            results = [await calls.end(call_id) for call_id in ids]
            assert most == 2
            assert [result.status for result in results].count(_S.ANSWERED) == 6
            assert [result.reason for result in results].count("too many calls wait") == 2

    play(run)


def test_a_call_that_finds_no_free_line_in_time_fails() -> None:
    """A code that comes too late is of no use."""

    async def run(network: Network) -> None:
        async with exchange(network, [FIRST._replace(max_calls=1)]) as (calls, _):
            long = calls.place("1234", prompt=Utterance(SPOKEN * 9, SPOKEN * 9))
            result = await calls.call("1234", limits=CallLimits(start=2.0))
            assert (result.reason, result.trunks) == ("no line was free in time", 0)
            assert (await calls.end(long)).status is _S.ANSWERED

    play(run)


def test_strangers_are_not_heard() -> None:
    """A BYE and sound from an address that is not the trunk's change nothing."""

    async def run(network: Network) -> None:
        async with exchange(network, [FIRST]) as (calls, phones):
            call_id = calls.place("1234")
            await asyncio.sleep(0.5)
            stranger = await network.machine("x", "10.9.9.9").world.open_datagram(asyncio.DatagramProtocol, "", 7)
            for socket in list(network.sockets):
                if socket[0] == US:
                    stranger.sendto(b"BYE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP x\r\n\r\n", socket)
                    stranger.sendto(b"\x80\x65" + bytes(10) + b"\1\x8a\0\1", socket)
            result = await calls.end(call_id)
            assert (result.status, result.keys) == (_S.ANSWERED, "")
            assert result.media.strangers == 4
            assert calls.engine._trunks["north"].link.strangers == 2
            assert SPOKEN in phones[THEM].recordings[-1].octets

    play(run)


def test_incoming_calls_and_pings_are_answered_and_nothing_else_happens() -> None:
    """403 to an INVITE, 200 to the trunk's OPTIONS."""

    class Ears(asyncio.DatagramProtocol):
        heard: list[bytes]

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.heard.append(data.split(b"\r\n")[0])

    async def run(network: Network) -> None:
        async with exchange(network, [FIRST]) as (calls, _):
            await asyncio.sleep(0.1)
            ears = Ears()
            ears.heard = []
            trunk = await network.machine("t", THEM).world.open_datagram(lambda: ears, "", 5062)
            ours = calls.engine._trunks["north"].link.sent_by
            for method in ("INVITE", "OPTIONS", "REFER", "ACK", "BYE", "WHAT"):
                lines = ["sip:us SIP/2.0", f"Via: SIP/2.0/UDP {THEM}:5062;branch=z9", "From: <sip:a@b>;tag=1"]
                lines += ["To: <sip:us>", "Call-ID: c", f"CSeq: 1 {method}", "", ""]
                trunk.sendto(f"{method} {chr(13)}".encode().strip() + b" " + "\r\n".join(lines).encode(), ours)
                await asyncio.sleep(0.1)
            answers = [line.split(b" ")[1].decode() for line in ears.heard]
            assert answers == ["403", "200", "403", "481", "501"]
            assert calls.engine.active == 0

    play(run)


def test_the_address_that_the_trunk_sees_goes_into_contact() -> None:
    """Learnt from rport and received, or set (RFC 3581)."""

    async def run(network: Network) -> None:
        trunks = [FIRST._replace(learn_public=True), SECOND._replace(public_host="203.0.113.5", local_port=5088)]
        async with exchange(network, trunks) as (calls, _):
            await calls.call("0006")
            links = calls.engine._trunks
            assert links["north"].link.seen_at == links["north"].link.sent_by
            assert links["south"].link.contact_at == ("203.0.113.5", 5088)
            assert PROMPT.seconds == 1.6

    play(run)
