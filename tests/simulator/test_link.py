"""A connection that stalls, with a transport that only takes notes."""

import asyncio

from tests.simulator.stage import HandWorld, sms

from bocau.simulator.rules import Rules
from bocau.simulator.smsc import Smsc, SmscSettings
from bocau.wire.smpp.codec import Framer, encode, encode_deliver_sm_resp, encode_submit_sm
from bocau.wire.smpp.pdu import Bind, Command, Pdu


class NotingTransport(asyncio.Transport):
    """Keeps what is written and what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.asked: list[str] = []

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.written.append(data)

    def is_closing(self) -> bool:
        return "close" in self.asked or "abort" in self.asked

    def pause_reading(self) -> None:
        self.asked.append("pause")

    def resume_reading(self) -> None:
        self.asked.append("resume")

    def close(self) -> None:
        self.asked.append("close")

    def abort(self) -> None:
        self.asked.append("abort")

    def commands(self) -> list[int]:
        """The command ids of everything written so far, which is then forgotten."""
        found = [frame.command for data in self.written for frame in Framer().feed(data)]
        self.written.clear()
        return found


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_peer_that_does_not_read_is_not_read_from() -> None:
    """No receipts are handed over either, until it reads again (fault F22)."""

    async def scenario() -> None:
        smsc = Smsc(HandWorld(), Rules(0), SmscSettings(), None, lambda sms: None)
        link, transport = smsc._new_link(), NotingTransport()
        link.connection_made(transport)
        link.data_received(encode(Pdu(Command.BIND_TRANSCEIVER, 0, 1, Bind("acme"))))
        link.pause_writing()
        link.data_received(encode_submit_sm(2, sms()))
        await _turns()
        assert transport.asked == ["pause"]
        assert transport.commands() == [Command.BIND_TRANSCEIVER_RESP, Command.SUBMIT_SM_RESP]
        assert smsc.waiting == 1
        link.resume_writing()
        await _turns()
        assert transport.asked == ["pause", "resume"]
        assert transport.commands() == [Command.DELIVER_SM]
        link.connection_lost(None)
        await smsc.close()

    asyncio.run(scenario())


def test_a_close_that_does_not_come_to_an_end_is_cut() -> None:
    """The last bytes may never be taken; the connection goes all the same after a while."""

    async def scenario() -> None:
        world = HandWorld()
        smsc = Smsc(world, Rules(0), SmscSettings(), None, lambda sms: None)
        link, transport = smsc._new_link(), NotingTransport()
        link.connection_made(transport)
        link.data_received(b"\xff" * 16)
        await _turns()
        assert transport.asked == ["close"]
        assert transport.commands() == [Command.GENERIC_NACK]
        for _ in range(12):
            world.advance(0.51)
            await _turns()
        assert transport.asked[:2] == ["close", "abort"]
        link.connection_lost(None)
        await smsc.close()
        assert smsc.counts.garbage == 1

    asyncio.run(scenario())


def test_an_acknowledgement_of_nothing_is_passed_over() -> None:
    """An unknown sequence number does no harm (fault F27)."""

    async def scenario() -> None:
        smsc = Smsc(HandWorld(), Rules(0), SmscSettings(), None, lambda sms: None)
        link, transport = smsc._new_link(), NotingTransport()
        link.connection_made(transport)
        link.data_received(encode(Pdu(Command.BIND_TRANSCEIVER, 0, 1, Bind("acme"))))
        link.data_received(encode_deliver_sm_resp(0, 4711))
        await _turns()
        assert smsc.counts.acknowledged == 0
        assert not transport.is_closing()
        link.connection_lost(None)
        await smsc.close()

    asyncio.run(scenario())
