"""Every scripted fault over real sockets, as a peer hears it."""

import asyncio
from typing import Any

import msgspec
import pytest
from tests.rooms.scenario import run
from tests.simulator.stage import Esme, Stage, sms, stage

from bocau.simulator.rules import IdStyle, Spoiled
from bocau.simulator.script import ACTS, BIND_ACTS, Fault, Script
from bocau.wire.smpp.events import BindRefused, Closed, Delivered, PeerUnbound, SubmitAnswered
from bocau.wire.smpp.extras import named_extras
from bocau.wire.smpp.pdu import DeliverSm
from bocau.wire.smpp.receipt import ReceiptState, read_receipt
from bocau.wire.smpp.status import Status
from bocau.wire.smpp.tlv import Tag, find_tlv

_DELAY = 0.31
_TRIED_HERE = {
    *("ids", "receipts", "other_bind", "form", "extras", "echo", "unswapped", "astray"),
    *("spoiled_receipt", "spoiled_answer", "unbind", "freeze", "refuse_bind"),
}
_TRIED_BY_THEIR_NUMBERS = {
    *("refuse", "throttle", "silence", "disconnect", "slow", "no_receipt", "undelivered", "expired"),
    *("twice", "late", "receipt_first", "hex_id"),
}
"""The same plans are those of magic numbers, see test_magic; that the acts lead to them tells test_script."""


def test_every_act_has_its_test() -> None:
    """A fault that is added gets a test, too."""
    assert {*ACTS, *BIND_ACTS} == _TRIED_HERE | _TRIED_BY_THEIR_NUMBERS


def fault_of(members: dict[str, object]) -> Fault:
    """A fault as a file has it."""
    return msgspec.convert(members, Fault)


def play(fault: Fault, scenario: Any) -> None:  # noqa: ANN401 - a coroutine function of stage and peer
    """With one peer bound and the fault in force."""

    async def go() -> None:
        async with stage() as scene:
            scene.smsc.script = Script((fault,))
            await scenario(scene, await scene.bind())

    run(go)


async def next_delivered(scene: Stage, esme: Esme) -> DeliverSm:
    """The PDU of the receipt that is due next."""
    scene.world.advance(_DELAY)
    message = (await esme.expect(Delivered)).message
    assert isinstance(message, DeliverSm)
    return message


@pytest.mark.parametrize("answer", [style for style in IdStyle if style is not IdStyle.NONE])
@pytest.mark.parametrize("receipt", [style for style in IdStyle if style is not IdStyle.NONE])
def test_ids_are_one_number_in_many_writings(answer: IdStyle, receipt: IdStyle) -> None:
    """Base, case and zeros differ; the number does not."""

    async def scenario(scene: Stage, esme: Esme) -> None:
        said = (await esme.answer(sms())).message_id
        scene.world.advance(_DELAY)
        told = (await esme.receipt()).message_id
        bases = {IdStyle.DECIMAL: 10, IdStyle.PADDED: 10}
        assert int(said, bases.get(answer, 16)) == int(told, bases.get(receipt, 16))
        assert (said == told) == (answer is receipt)

    play(Fault(act="ids", answer_id=answer, receipt_id=receipt), scenario)


def test_an_answer_and_a_receipt_may_have_no_id() -> None:
    """Taken, and nothing to match it by."""

    async def scenario(scene: Stage, esme: Esme) -> None:
        answer = await esme.answer(sms())
        assert (answer.status, answer.message_id) == (Status.OK, "")
        scene.world.advance(_DELAY)
        assert (await esme.receipt()).message_id == ""

    play(Fault(act="ids", answer_id=IdStyle.NONE, receipt_id=IdStyle.NONE), scenario)


def test_receipts_may_contradict_each_other_in_words_of_the_carriers_own() -> None:
    """As many as there are states, so far apart, in this order."""

    async def scenario(scene: Stage, esme: Esme) -> None:
        await esme.answer(sms())
        heard = []
        for _ in range(3):
            scene.world.advance(5.0)
            receipt = await esme.receipt()
            heard.append((receipt.state, receipt.error))
            assert esme.heard(Delivered) == 0
        assert heard == [
            (ReceiptState.DELIVERED, "000"),
            (ReceiptState.UNDELIVERED, "001"),
            (ReceiptState.ENROUTE, "001"),
        ]

    states = (ReceiptState.DELIVERED, ReceiptState.UNDELIVERED, ReceiptState.ENROUTE)
    play(Fault(act="receipts", states=states, seconds=5.0), scenario)


def test_a_receipt_may_call_its_state_as_it_likes() -> None:
    """A vendor's word."""

    async def scenario(scene: Stage, esme: Esme) -> None:
        await esme.answer(sms())
        scene.world.advance(_DELAY)
        assert (await esme.receipt()).stat == "NOROUTES"

    play(Fault(act="receipts", states=(ReceiptState.UNDELIVERED,), word="NOROUTES", seconds=0), scenario)


def test_a_receipt_may_take_another_bind() -> None:
    """Never that of its submit, however often; the only one there is, if there is no other."""

    async def scenario(scene: Stage, esme: Esme) -> None:
        await esme.answer(sms())
        await next_delivered(scene, esme)
        other = await scene.bind()
        for _ in range(6):
            await esme.answer(sms())
        scene.world.advance(_DELAY)
        for _ in range(6):
            await other.receipt()
        assert esme.heard(Delivered) == 0

    play(Fault(act="other_bind"), scenario)


def test_a_receipt_may_have_parameters_of_the_carriers_own() -> None:
    """As the script says."""

    async def scenario(scene: Stage, esme: Esme) -> None:
        await esme.answer(sms())
        assert (await next_delivered(scene, esme)).tlvs == ((0x1403, b"45204"),)
        assert named_extras(b"\x14\x03\x00\x0545204") == {"0x1403": "45204"}

    play(Fault(act="extras", tlvs="0x1403:3435323034"), scenario)


def test_a_receipt_may_echo_our_reference() -> None:
    """user_message_reference, where the submit had one."""

    async def scenario(scene: Stage, esme: Esme) -> None:
        await esme.answer(sms(tlvs=((int(Tag.USER_MESSAGE_REFERENCE), b"\x12\x34"),)))
        assert find_tlv((await next_delivered(scene, esme)).tlvs, Tag.USER_MESSAGE_REFERENCE) == b"\x12\x34"
        await esme.answer(sms())
        assert (await next_delivered(scene, esme)).tlvs == ()

    play(Fault(act="echo"), scenario)


@pytest.mark.parametrize(
    ("act", "addresses"),
    [("unswapped", ("Bocau", "84901230000")), ("astray", ("84901230001", "Bocau"))],
)
def test_a_receipt_may_have_odd_addresses(act: str, addresses: tuple[str, str]) -> None:
    """As the submit had them, or of another phone."""

    async def scenario(scene: Stage, esme: Esme) -> None:
        await esme.answer(sms())
        message = await next_delivered(scene, esme)
        assert (message.source_addr, message.destination_addr) == addresses

    play(Fault(act=act), scenario)


@pytest.mark.parametrize("form", ["text", "both", "parameters", "odd"])
def test_a_receipt_may_be_written_in_any_form(form: str) -> None:
    """Read back all the same."""

    async def scenario(scene: Stage, esme: Esme) -> None:
        answer = await esme.answer(sms())
        receipt = read_receipt(await next_delivered(scene, esme))
        assert receipt is not None
        assert (receipt.message_id, receipt.state) == (answer.message_id, ReceiptState.DELIVERED)

    play(fault_of({"act": "form", "form": form}), scenario)


@pytest.mark.parametrize("how", ["stray", "twice", "outbind"])
def test_an_answer_may_come_with_more_than_was_asked_for(how: str) -> None:
    """One that is nobody's, the same twice, an outbind: what is over is counted and passed over."""

    async def scenario(_scene: Stage, esme: Esme) -> None:
        before = esme.session.counters.unknown_responses + esme.session.counters.ignored
        assert (await esme.answer(sms())).message_id
        await asyncio.sleep(0)
        await esme.settle()
        assert esme.heard(SubmitAnswered) == 0
        # `settle` itself asks twice under numbers that are nobody's.
        assert esme.session.counters.unknown_responses + esme.session.counters.ignored == before + 3
        assert not esme.closed.is_set()

    play(fault_of({"act": "spoiled_answer", "spoiled": how}), scenario)


@pytest.mark.parametrize("how", ["length", "garbage"])
def test_an_answer_may_be_no_pdu_at_all(how: str) -> None:
    """The frame is broken: nothing behind it can be read, so the link ends."""

    async def scenario(_scene: Stage, esme: Esme) -> None:
        esme.submit(sms())
        closed = await esme.expect(Closed)
        assert closed.reason.startswith("broken frame")
        esme.close()

    play(fault_of({"act": "spoiled_answer", "spoiled": how}), scenario)


def test_an_answer_may_break_off_in_the_middle() -> None:
    """Half a PDU, then the end of the connection; the carrier has the message, and reports on it to the next bind."""

    async def scenario(scene: Stage, esme: Esme) -> None:
        esme.submit(sms())
        await esme.closed.wait()
        assert esme.heard(SubmitAnswered) == 0
        again = await scene.bind()
        assert read_receipt(await next_delivered(scene, again)) is not None

    play(Fault(act="spoiled_answer", spoiled=Spoiled.HALF), scenario)


def test_an_answer_may_swallow_the_next_one() -> None:
    """Its length says more than there is: what follows is read as its end, and then nothing fits any more."""

    async def scenario(_scene: Stage, esme: Esme) -> None:
        esme.submit(sms())
        esme.submit(sms("0001"))
        assert (await esme.expect(Closed)).reason.startswith("broken frame")
        esme.close()

    play(Fault(act="spoiled_answer", spoiled=Spoiled.TOO_LONG), scenario)


def test_an_answer_may_have_a_body_that_is_none() -> None:
    """Taken by its status, under an id that is nobody's; the link lives."""

    async def scenario(_scene: Stage, esme: Esme) -> None:
        answer = await esme.answer(sms())
        assert (answer.status, answer.message_id.isdecimal()) == (Status.OK, False)
        await esme.settle()

    play(Fault(act="spoiled_answer", spoiled=Spoiled.BODY), scenario)


def test_a_receipt_may_come_twice_under_one_sequence_number_and_then_as_it_should() -> None:
    """Each of the three is answered; only the last one counts for the carrier."""

    async def scenario(scene: Stage, esme: Esme) -> None:
        await esme.answer(sms())
        scene.world.advance(_DELAY)
        sequences = [(await esme.expect(Delivered)).sequence for _ in range(3)]
        assert sequences[0] == sequences[1] != sequences[2]
        await scene.until(lambda: scene.smsc.counts.acknowledged == 1)

    play(Fault(act="spoiled_receipt", spoiled=Spoiled.TWICE), scenario)


def test_a_receipt_may_break_off_in_the_middle_and_come_whole_on_the_next_bind() -> None:
    """Not acknowledged, so not forgotten."""

    async def scenario(scene: Stage, esme: Esme) -> None:
        await esme.answer(sms())
        scene.world.advance(_DELAY)
        await esme.closed.wait()
        assert esme.heard(Delivered) == 0
        again = await scene.bind()
        assert (await again.receipt()).state is ReceiptState.DELIVERED

    play(Fault(act="spoiled_receipt", spoiled=Spoiled.HALF), scenario)


def test_a_receipt_without_a_body_is_refused_and_the_link_lives() -> None:
    """Then it comes as it should."""

    async def scenario(scene: Stage, esme: Esme) -> None:
        await esme.answer(sms())
        scene.world.advance(_DELAY)
        assert (await esme.receipt()).state is ReceiptState.DELIVERED
        assert esme.session.counters.bad_bodies == 1
        assert not esme.closed.is_set()

    play(Fault(act="spoiled_receipt", spoiled=Spoiled.BODY), scenario)


def test_a_carrier_may_unbind_over_a_submit() -> None:
    """F23: it is not answered, and everything before it is."""

    async def scenario(_scene: Stage, esme: Esme) -> None:
        await esme.answer(sms())
        esme.submit(sms("0001"))
        await esme.expect(PeerUnbound)
        assert esme.heard(SubmitAnswered) == 0
        esme.close()

    play(Fault(act="unbind", after_messages=1), scenario)


def test_a_carrier_may_fall_silent_with_the_connection_open() -> None:
    """F22: no answer to anything, and no receipts either."""

    async def scenario(scene: Stage, esme: Esme) -> None:
        await esme.answer(sms())
        esme.submit(sms("0001"))
        esme.session.probe(scene.world.monotonic())
        esme.flush()
        scene.world.advance(60.0)
        for _ in range(50):
            await asyncio.sleep(0)
        assert esme.session.probing
        assert esme.heard(Delivered) == esme.heard(SubmitAnswered) == 0
        assert not esme.closed.is_set()
        esme.close()

    play(Fault(act="freeze", after_messages=1), scenario)


def test_a_carrier_may_refuse_binds() -> None:
    """F24: by a status, for a time."""

    async def scenario(scene: Stage, _esme: Esme) -> None:
        refused = await scene.connect()
        assert (await refused.expect(BindRefused)).status == Status.ALREADY_BOUND
        scene.world.advance(5.0)
        await scene.bind()

    async def go() -> None:
        async with stage() as scene:
            scene.smsc.script = Script((Fault(act="refuse_bind", status=Status.ALREADY_BOUND, for_seconds=5.0),))
            await scenario(scene, await scene.connect())

    run(go)
