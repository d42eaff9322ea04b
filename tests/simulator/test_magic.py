"""Every magic number, over real sockets, on both loops."""

import pytest
from tests.rooms.scenario import run
from tests.simulator.stage import sms, stage

from bocau.simulator.rules import MAGIC, OTHER
from bocau.wire.gsm.parts import cut
from bocau.wire.smpp.events import Delivered, SubmitAnswered
from bocau.wire.smpp.pdu import DeliverSm
from bocau.wire.smpp.receipt import ReceiptState
from bocau.wire.smpp.status import Status
from bocau.wire.smpp.tlv import Tag, find_tlv

_DELAY = 0.31  # the ordinary delay and a grain more
_COVERED = {f"{number:04}" for number in range(29)}


def test_every_magic_number_has_a_test_here() -> None:
    """A row that is added gets a test, too."""
    assert set(MAGIC) - {OTHER} == _COVERED


@pytest.mark.parametrize("ending", ["0000", "0006", "4711"])
def test_most_numbers_are_delivered_after_the_ordinary_delay(ending: str) -> None:
    """0000, 0006 and every number without a meaning."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            answer = await esme.answer(sms(ending))
            assert answer.status == Status.OK
            scene.world.advance(0.29)
            await esme.settle()
            assert esme.heard(Delivered) == 0
            scene.world.advance(0.02)
            receipt = await esme.receipt()
            assert receipt.state is ReceiptState.DELIVERED
            assert receipt.message_id == answer.message_id
            assert [one.text for one in scene.smsc.inbox] == ["hello"]

    run(scenario)


@pytest.mark.parametrize(("ending", "seconds"), [("0001", 2.0), ("0014", 60.0)])
def test_a_late_receipt_comes_at_its_time_and_not_before(ending: str, seconds: float) -> None:
    """0001 after 2 s, 0014 after 60 s."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            await esme.answer(sms(ending))
            scene.world.advance(seconds - 0.01)
            await esme.settle()
            assert esme.heard(Delivered) == 0
            scene.world.advance(0.02)
            assert (await esme.receipt()).state is ReceiptState.DELIVERED

    run(scenario)


@pytest.mark.parametrize(
    ("ending", "state", "error"),
    [("0002", ReceiptState.UNDELIVERED, "001"), ("0008", ReceiptState.EXPIRED, "002")],
)
def test_a_failure_is_receipted_and_reaches_no_telephone(ending: str, state: ReceiptState, error: str) -> None:
    """0002 undelivered, 0008 expired."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            assert (await esme.answer(sms(ending))).status == Status.OK
            scene.world.advance(_DELAY)
            receipt = await esme.receipt()
            assert (receipt.state, receipt.error) == (state, error)
            assert not scene.smsc.inbox

    run(scenario)


def test_silence_after_the_answer_lasts() -> None:
    """0003: accepted, and nothing is heard of it again."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            assert (await esme.answer(sms("0003"))).message_id
            scene.world.advance(7 * 86400)
            await esme.settle()
            assert esme.heard(Delivered) == 0

    run(scenario)


def test_the_same_receipt_can_come_twice() -> None:
    """0004."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            answer = await esme.answer(sms("0004"))
            scene.world.advance(_DELAY)
            first, second = await esme.receipt(), await esme.receipt()
            assert first == second
            assert first.message_id == answer.message_id

    run(scenario)


def test_a_throttled_number_is_taken_at_the_fourth_try() -> None:
    """0005: counted for each number by itself, and anew after forget_tries."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            statuses = [(await esme.answer(sms("0005"))).status for _ in range(5)]
            assert statuses == [Status.THROTTLED] * 3 + [Status.OK] * 2
            other = sms("0005")._replace(destination_addr="84907770005")
            assert (await esme.answer(other)).status == Status.THROTTLED
            scene.smsc.forget_tries()
            assert (await esme.answer(sms("0005"))).status == Status.THROTTLED

    run(scenario)


def test_a_receipt_can_overtake_the_answer() -> None:
    """0007: the receipt has the id that the answer will have."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            esme.submit(sms("0007"))
            receipt = await esme.receipt()
            assert esme.heard(SubmitAnswered) == 0
            scene.world.advance(0.11)
            answer = await esme.expect(SubmitAnswered)
            assert answer.message_id == receipt.message_id

    run(scenario)


def test_a_rejected_number_gets_no_id() -> None:
    """0009."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            answer = await esme.answer(sms("0009"))
            assert (answer.status, answer.message_id) == (Status.INVALID_DESTINATION, "")
            assert scene.smsc.counts.taken == 0

    run(scenario)


def test_a_submit_can_stay_unanswered_while_others_are_answered() -> None:
    """0010."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            esme.submit(sms("0010"))
            assert (await esme.answer(sms())).token == sms().destination_addr
            scene.world.advance(3600)
            await esme.settle()
            assert esme.session.outstanding == 1

    run(scenario)


def test_a_connection_can_end_instead_of_the_answer() -> None:
    """0011: what was answered before is still heard, what follows in the same bytes is lost, and then it works."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            now = scene.world.monotonic()
            for ending in ("0000", "0011", "1234"):
                esme.session.submit(sms(ending), ending, now)
            esme.flush()
            await esme.closed.wait()
            assert (await esme.expect(SubmitAnswered)).token == "0000"
            assert esme.heard(SubmitAnswered) == 0
            assert esme.session.connection_lost() == ["0011", "1234"]
            again = await scene.bind()
            assert (await again.answer(sms("0011"))).status == Status.OK
            assert scene.smsc.counts.submits == 3

    run(scenario)


def test_a_system_error_passes() -> None:
    """0012: once, then taken."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            assert (await esme.answer(sms("0012"))).status == Status.SYSTEM_ERROR
            assert (await esme.answer(sms("0012"))).status == Status.OK

    run(scenario)


def test_a_receipt_can_have_the_id_in_another_base() -> None:
    """0013: decimal in the answer, hexadecimal in the receipt."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            answer = await esme.answer(sms("0013"))
            scene.world.advance(_DELAY)
            receipt = await esme.receipt()
            assert receipt.message_id != answer.message_id
            assert int(receipt.message_id, 16) == int(answer.message_id)

    run(scenario)


def test_the_second_part_of_a_long_message_can_fail_alone() -> None:
    """0015: the other parts are delivered, and no telephone shows the message; a short one is delivered."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            ids = []
            for part in cut("x" * 400, 9):
                long = sms("0015", esm_class=part.esm_class, short_message=part.data)
                ids.append((await esme.answer(long)).message_id)
            scene.world.advance(_DELAY)
            states = {receipt.message_id: receipt.state for receipt in [await esme.receipt() for _ in ids]}
            delivered, undelivered = ReceiptState.DELIVERED, ReceiptState.UNDELIVERED
            assert [states[one] for one in ids] == [delivered, undelivered, delivered]
            assert not scene.smsc.inbox
            await esme.answer(sms("0015"))
            assert [one.text for one in scene.smsc.inbox] == ["hello"]

    run(scenario)


def test_a_receipt_can_be_all_parameters() -> None:
    """0016: no text at all."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            answer = await esme.answer(sms("0016"))
            scene.world.advance(_DELAY)
            message = (await esme.expect(Delivered)).message
            assert isinstance(message, DeliverSm)
            assert message.short_message == b""
            assert find_tlv(message.tlvs, Tag.RECEIPTED_MESSAGE_ID) == answer.message_id.encode() + b"\0"
            assert find_tlv(message.tlvs, Tag.MESSAGE_STATE) == b"\2"

    run(scenario)


def test_a_receipt_can_be_oddly_spelled() -> None:
    """0017: still readable."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            answer = await esme.answer(sms("0017"))
            scene.world.advance(_DELAY)
            receipt = await esme.receipt()
            assert (receipt.message_id, receipt.state) == (answer.message_id, ReceiptState.DELIVERED)
            assert (receipt.error, receipt.done, receipt.submitted) == ("000", "2511220600", "2511220600")

    run(scenario)


def test_one_part_of_a_long_message_can_be_refused_once_or_for_good() -> None:
    """0018 and 0019: the others are taken, and of the first the missing part is taken when it comes again."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            for ending, answers, again in (
                ("0018", [Status.OK, Status.SYSTEM_ERROR, Status.OK], Status.OK),
                ("0019", [Status.OK, Status.INVALID_DESTINATION, Status.OK], Status.INVALID_DESTINATION),
            ):
                parts = [sms(ending, esm_class=part.esm_class, short_message=part.data) for part in cut("x" * 400, 9)]
                assert [(await esme.answer(part)).status for part in parts] == answers
                assert (await esme.answer(parts[1])).status == again

    run(scenario)


def test_one_part_of_a_long_message_can_stay_unanswered() -> None:
    """0020: its neighbours are answered all the same."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            first, second, third = [
                sms("0020", esm_class=part.esm_class, short_message=part.data) for part in cut("x" * 400, 9)
            ]
            assert (await esme.answer(first)).status == Status.OK
            esme.submit(second)
            assert (await esme.answer(third)).status == Status.OK

    run(scenario)


def test_a_queue_can_stay_full() -> None:
    """0021: however often it is tried."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            for _ in range(5):
                assert (await esme.answer(sms("0021"))).status == Status.QUEUE_FULL

    run(scenario)


def test_so_many_of_a_number_are_taken_in_a_second() -> None:
    """0022: the rest is throttled, in any second and not only by the clock's."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            first = [(await esme.answer(sms("0022"))).status for _ in range(7)]
            assert first == [Status.OK] * 5 + [Status.THROTTLED] * 2
            scene.world.advance(0.99)
            assert (await esme.answer(sms("0022"))).status == Status.THROTTLED
            scene.world.advance(0.02)
            assert (await esme.answer(sms("0022"))).status == Status.OK
            assert (await esme.answer(sms("0000"))).status == Status.OK

    run(scenario)


def test_an_answer_can_break_off_in_the_middle() -> None:
    """0023: it was taken all the same, and the receipt finds its way to the next bind."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            esme.submit(sms("0023"))
            await esme.closed.wait()
            assert esme.heard(SubmitAnswered) == 0
            again = await scene.bind()
            scene.world.advance(_DELAY)
            assert (await again.receipt()).state is ReceiptState.DELIVERED

    run(scenario)


def test_ids_can_differ_in_base_case_and_zeros() -> None:
    """0024: upper-case hexadecimal in the answer, twenty decimal digits in the receipt."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            answer = await esme.answer(sms("0024"))
            scene.world.advance(_DELAY)
            receipt = await esme.receipt()
            assert len(receipt.message_id) == 20
            assert int(receipt.message_id) == int(answer.message_id, 16)
            assert answer.message_id == answer.message_id.upper() != receipt.message_id

    run(scenario)


def test_receipts_can_contradict_each_other() -> None:
    """0025: undelivered, then delivered."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            await esme.answer(sms("0025"))
            scene.world.advance(_DELAY)
            states = [(await esme.receipt()).state for _ in range(2)]
            assert states == [ReceiptState.UNDELIVERED, ReceiptState.DELIVERED]

    run(scenario)


def test_a_receipt_can_take_another_bind() -> None:
    """0026: whichever the submit came on."""

    async def scenario() -> None:
        async with stage() as scene:
            one, other = await scene.bind(), await scene.bind()
            for sender, hearer in ((one, other), (other, one)):
                await sender.answer(sms("0026"))
                scene.world.advance(_DELAY)
                await hearer.receipt()
                assert sender.heard(Delivered) == 0

    run(scenario)


def test_an_answer_can_come_twice() -> None:
    """0027: the second one answers nothing."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            await esme.answer(sms("0027"))
            await esme.settle()
            assert esme.heard(SubmitAnswered) == 0
            assert esme.session.counters.unknown_responses == 3  # two of them are those of `settle`

    run(scenario)


def test_a_receipt_can_name_the_network() -> None:
    """0028: in a parameter of the carrier's own."""

    async def scenario() -> None:
        async with stage() as scene:
            esme = await scene.bind()
            await esme.answer(sms("0028"))
            scene.world.advance(_DELAY)
            event = await esme.expect(Delivered)
            assert find_tlv(event.message.tlvs, 0x1403) == b"45204"

    run(scenario)
