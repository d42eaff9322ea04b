"""A carrier account: what answers mean, when receipts are acknowledged, and an end without loose threads."""

import json

import pytest
from tests.rooms.deliver.stage import CarrierStage, run_account
from tests.simulation.world import BEGIN_MS

from bocau.core.lifecycle import AttemptState, Event
from bocau.core.message import AnswerKind, AttemptKey
from bocau.store.contract import Recorded
from bocau.wire.smpp.codec import Framer, decode, encode
from bocau.wire.smpp.extras import named_extras
from bocau.wire.smpp.network import NetworkField
from bocau.wire.smpp.pdu import Command, DataSm, DeliverSm, Pdu
from bocau.wire.smpp.status import Status

RECEIPT = DeliverSm(source_addr="84900000001", destination_addr="BOCAU", esm_class=4)


def news(message_id: str, stat: str = "DELIVRD", err: str = "000", phone: str = "84900000001") -> DeliverSm:
    """A receipt."""
    text = f"id:{message_id} sub:001 dlvrd:001 submit date:2611220600 done date:2611220601 stat:{stat} err:{err} text:"
    return RECEIPT._replace(source_addr=phone, short_message=text.encode())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status.OK, AnswerKind.TAKEN),
        (Status.THROTTLED, AnswerKind.TEMPORARY),
        (Status.QUEUE_FULL, AnswerKind.TEMPORARY),
        (Status.SYSTEM_ERROR, AnswerKind.TEMPORARY),
        (Status.INVALID_DESTINATION, AnswerKind.PERMANENT),
        (Status.INVALID_SOURCE, AnswerKind.PERMANENT),
    ],
)
def test_an_answer_is_recorded_by_what_its_status_means(status: int, kind: AnswerKind) -> None:
    """F25: taken, not now, never."""

    async def scenario(stage: CarrierStage) -> None:
        stage.carrier.answer_status = status
        stage.submit(1)
        await stage.pass_time(1.0)
        (answer,) = stage.store.answers
        assert (answer.key, answer.kind, answer.status) == (AttemptKey(1, 1, 1), kind, status)
        assert (answer.carrier_id, answer.match_key) == (("m1", "m1") if kind is AnswerKind.TAKEN else ("", ""))
        later = answer.wake_ms - answer.at_ms
        assert later == 0 if kind is AnswerKind.TAKEN else 800 <= later <= 1200
        throttled = status in (Status.THROTTLED, Status.QUEUE_FULL)
        assert stage.meters.throttled == throttled
        assert stage.account.room == (0 if throttled else 4)
        await stage.pass_time(5.0)
        assert (stage.account.room, stage.account.outstanding) == (4, 0)
        assert "room" in stage.hints

    run_account(scenario)


@pytest.mark.parametrize(
    ("event", "said", "requeued"),
    [
        (Event.HOLD, ["message.hold"], False),
        (Event.DOUBT, ["message.doubt"], False),
        (Event.RESEND, ["message.resend"], True),
        (Event.FAIL_OVER, ["message.fail_over"], True),
        (Event.POSTPONE, [], True),
    ],
)
def test_what_an_answer_left_open_is_told(event: Event, said: list[str], requeued: bool) -> None:
    """An operator finds each message that may have arrived, or arrived twice; mere delays are only counted."""

    async def scenario(stage: CarrierStage) -> None:
        stage.store.recorded = Recorded(None, None, event=event)
        stage.submit(7)
        await stage.pass_time(1.0)
        lines = [json.loads(line) for line in stage.said.getvalue().splitlines()]
        assert [one["event"] for one in lines if one.get("message_id") == 7] == said
        assert stage.meters.requeued.get(event, 0) == int(requeued)

    run_account(scenario)


@pytest.mark.parametrize(("route_class", "held_ms"), [("otp", 600_000), ("other", 3_600_000)])
def test_an_answer_that_does_not_come_is_uncertain_until_its_deadline(route_class: str, held_ms: int) -> None:
    """F20, P6; then the late answer says taken (F21)."""

    async def scenario(stage: CarrierStage) -> None:
        stage.carrier.answer_status = None
        stage.submit(1, route_class=route_class)
        await stage.pass_time(11.0)
        (answer,) = stage.store.answers
        assert answer.kind is AnswerKind.UNCERTAIN
        assert answer.wake_ms - answer.at_ms == held_ms
        stage.carrier.peer.answer(stage.carrier.peer.submits[0])
        await stage.pass_time(1.0)
        assert [one.kind for one in stage.store.answers] == [AnswerKind.UNCERTAIN, AnswerKind.TAKEN]
        assert stage.meters.late_answers == 1

    run_account(scenario)


def test_one_silent_submit_in_a_full_window_leaves_the_others_their_answers() -> None:
    """F20: under load the window is always full; the link must not be given up for one part."""

    async def scenario(stage: CarrierStage) -> None:
        stage.carrier.answer_status = None
        stage.submit(1)
        await stage.pass_time(9.0)
        for number in (2, 3, 4):
            stage.submit(number)
        await stage.pass_time(3.0)
        assert stage.account.room == 0
        for event in stage.carrier.peer.submits[1:]:
            stage.carrier.peer.answer(event)
        await stage.pass_time(0.1)
        taken = [(number, 1, AnswerKind.TAKEN) for number in (2, 3, 4)]
        assert stage.store.kinds() == [(1, 1, AnswerKind.UNCERTAIN), *taken]

    run_account(scenario)


def test_a_lost_link_leaves_uncertain_what_it_had_written() -> None:
    """F19."""

    async def scenario(stage: CarrierStage) -> None:
        stage.carrier.answer_status = None
        stage.submit(1)
        stage.submit(2, 2)
        await stage.pass_time(0.5)
        stage.carrier.peer.transport.abort()
        await stage.pass_time(0.1)
        assert stage.store.kinds() == [
            (1, 1, AnswerKind.UNCERTAIN),
            (2, 1, AnswerKind.UNCERTAIN),
            (2, 2, AnswerKind.UNCERTAIN),
        ]

    run_account(scenario)


def test_a_link_that_went_between_the_intent_and_the_bytes_takes_nothing() -> None:
    """Nothing left our buffer: free to try again."""

    async def scenario(stage: CarrierStage) -> None:
        stage.carrier.peer.transport.abort()
        await stage.pass_time(0.1)
        assert stage.account.room == 0
        stage.submit(1)
        await stage.pass_time(0.1)
        assert stage.store.kinds() == [(1, 1, AnswerKind.TEMPORARY)]
        assert (stage.account.room, stage.meters.submitted) == (0, 0)

    run_account(scenario)


def test_parts_beyond_the_window_are_put_off() -> None:
    """A message longer than the window comes back for the rest."""

    async def scenario(stage: CarrierStage) -> None:
        idle = [stage.account.idle]
        stage.submit(1, 3)
        idle.append(stage.account.idle)
        await stage.pass_time(1.0)
        assert idle == [True, False]
        assert stage.store.kinds() == [(1, 1, AnswerKind.TAKEN), (1, 2, AnswerKind.TAKEN), (1, 3, AnswerKind.TEMPORARY)]
        assert (stage.account.room, stage.account.idle) == (2, True)

    run_account(scenario, window=2)


def test_a_part_that_fits_no_pdu_is_refused_for_good() -> None:
    """It would fit no PDU the next time either."""

    async def scenario(stage: CarrierStage) -> None:
        stage.submit(1, text=b"x" * 300)
        await stage.pass_time(0.1)
        assert stage.store.kinds() == [(1, 1, AnswerKind.PERMANENT)]
        assert stage.account.room == 4

    run_account(scenario)


def test_the_links_of_an_account_share_the_parts_and_the_slots() -> None:
    """The emptier link gets the next part; one that is lost takes only its own slots."""

    async def scenario(stage: CarrierStage) -> None:
        assert (stage.account.room, stage.account.bound, stage.account.window) == (8, 2, 8)
        stage.carrier.answer_status = None
        for number in range(6):
            stage.submit(number)
        await stage.pass_time(0.5)
        assert sorted(len(peer.submits) for peer in stage.carrier.peers) == [3, 3]
        assert stage.account.room == 2
        stage.carrier.peers[0].transport.abort()
        await stage.pass_time(0.1)
        assert (stage.account.room, stage.account.bound) == (1, 1)
        assert stage.account.why
        assert len(stage.store.answers) == 3

    run_account(scenario, binds=2)


def test_reserved_slots_are_not_offered_twice() -> None:
    """Reserve, release, submit: the sum is kept."""

    async def scenario(stage: CarrierStage) -> None:
        account = stage.account
        account.reserve(3)
        assert account.room == 1
        account.release(2)
        assert account.room == 3
        account.release(1)
        assert account.room == 4

    run_account(scenario)


# Receipts


def test_a_receipt_is_acknowledged_after_its_commit_and_not_before() -> None:
    """P7: until then it is the carrier's."""

    async def scenario(stage: CarrierStage) -> None:
        stage.store.commit_seconds = 3.0
        peer = stage.carrier.peer
        peer.session.deliver(news("m77"), "one", 0.0)
        peer.flush()
        await stage.pass_time(2.5)
        assert peer.session.outstanding == 1
        await stage.pass_time(1.0)
        assert peer.session.outstanding == 0
        (receipt,) = stage.store.receipts
        assert (receipt.carrier_id, receipt.state, receipt.phone) == ("m77", AttemptState.DELIVERED, "0900000001")

    run_account(scenario)


def test_a_receipt_that_cannot_be_stored_is_left_to_the_carrier() -> None:
    """RX_T_APPN: keep it, come again."""

    async def scenario(stage: CarrierStage) -> None:
        stage.store.faults = 1
        peer = stage.carrier.peer
        peer.session.deliver(news("m77"), "one", 0.0)
        peer.flush()
        await stage.pass_time(1.0)
        (answered,) = [event for event in peer.events if type(event).__name__ == "DeliverAnswered"]
        assert getattr(answered, "status", 0) == Status.TEMPORARY_APPLICATION_ERROR
        assert not stage.store.receipts

    run_account(scenario)


def test_a_receipt_stored_after_its_connection_ended_is_not_acknowledged_on_the_next() -> None:
    """P7: the carrier hands it over again; its number means another one there."""

    async def scenario(stage: CarrierStage) -> None:
        stage.store.commit_seconds = 3.0
        first = stage.carrier.peer
        first.session.deliver(news("m1"), "first", 0.0)
        first.flush()
        await stage.pass_time(0.1)
        first.transport.abort()
        await stage.pass_time(1.5)
        second = stage.carrier.peer
        assert second is not first
        stage.store.commit_seconds = 30.0
        second.session.deliver(news("m2"), "second", 0.0)
        second.flush()
        await stage.pass_time(5.0)
        assert len(stage.store.receipts) == 1
        assert second.session.outstanding == 1
        stage.store.commit_seconds = 0.01

    run_account(scenario, enquire_seconds=100.0)


def test_an_intermediate_receipt_changes_nothing_and_is_acknowledged() -> None:
    """ENROUTE is no news."""

    async def scenario(stage: CarrierStage) -> None:
        peer = stage.carrier.peer
        peer.session.deliver(news("m1", "ENROUTE"), "one", 0.0)
        peer.flush()
        await stage.pass_time(1.0)
        assert [receipt.state for receipt in stage.store.receipts] == [None]
        assert peer.session.outstanding == 0

    run_account(scenario)


def test_what_a_carrier_adds_to_a_receipt_is_handed_on() -> None:
    """Whether or not memory knows its submission."""

    async def scenario(stage: CarrierStage) -> None:
        stage.submit(1)
        await stage.pass_time(1.0)
        peer = stage.carrier.peer
        for message_id in ("m1", "other"):
            peer.session.deliver(news(message_id)._replace(tlvs=((0x1403, b"45204"),)), "one", 0.0)
            peer.flush()
            await stage.pass_time(0.5)
        assert [named_extras(receipt.extras) for receipt in stage.store.receipts] == [{"0x1403": "45204"}] * 2

    run_account(scenario)


def test_the_networks_that_a_carrier_names_are_told() -> None:
    """Of receipts and of messages from subscribers; a word that means nothing teaches nothing."""

    async def scenario(stage: CarrierStage) -> None:
        peer = stage.carrier.peer
        named = ((0x1403, b"X"),)
        for message in (
            news("m1")._replace(tlvs=named),
            DeliverSm(source_addr="84900000002", destination_addr="1900", short_message=b"STOP", tlvs=named),
            DeliverSm(source_addr="1900", destination_addr="1901", short_message=b"STOP", tlvs=named),
            news("m2")._replace(tlvs=((0x1403, b"nowhere"),)),
            news("m3"),
        ):
            peer.session.deliver(message, "one", 0.0)
            peer.flush()
            await stage.pass_time(0.5)
        assert stage.networks == [("0900000001", 5), ("0900000002", 5)]

    run_account(scenario, network=NetworkField.of("0x1403"), networks={"X": 5})


def test_the_attempt_of_a_recent_id_is_remembered_once() -> None:
    """The first receipt spares the store a look-up; the second asks it."""

    async def scenario(stage: CarrierStage) -> None:
        stage.submit(1)
        await stage.pass_time(1.0)
        peer = stage.carrier.peer
        for _ in range(2):
            peer.session.deliver(news("m1"), "one", 0.0)
            peer.flush()
            await stage.pass_time(0.5)
        first, second = stage.store.receipts
        assert (first.hint, second.hint) == (AttemptKey(1, 1, 1), None)
        assert first.match_keys == ("m1",)

    run_account(scenario)


@pytest.mark.parametrize(
    "message",
    [
        DeliverSm(source_addr="84900000001", destination_addr="1900", short_message=b"STOP"),
        DataSm(source_addr="84900000001", destination_addr="1900", tlvs=((0x0424, b"STOP"),)),
    ],
)
def test_a_message_from_a_subscriber_is_kept_whole_and_acknowledged(message: DeliverSm | DataSm) -> None:
    """Whichever PDU it comes in, and the link stays up."""

    async def scenario(stage: CarrierStage) -> None:
        command = Command.DATA_SM if isinstance(message, DataSm) else Command.DELIVER_SM
        peer = stage.carrier.peer
        peer.transport.write(encode(Pdu(command, 0, 77, message)))
        await stage.pass_time(1.0)
        (kept,) = stage.store.inbounds
        (frame,) = Framer().feed(kept.raw)
        assert (kept.sender, kept.recipient, kept.part, kept.parts) == ("84900000001", "1900", 1, 1)
        assert decode(frame).body == message
        assert (stage.account.bound, stage.meters.losses, stage.meters.strays) == (1, 0, 1)
        assert peer.session.counters.unknown_responses + peer.session.counters.unknown_commands >= 1

    run_account(scenario)


# Faults of the store and the end


def test_an_answer_that_cannot_be_stored_is_offered_until_it_is() -> None:
    """Only memory knows it."""

    async def scenario(stage: CarrierStage) -> None:
        stage.store.faults = 3
        stage.submit(1)
        await stage.pass_time(5.0)
        assert stage.store.kinds() == [(1, 1, AnswerKind.TAKEN)]
        assert stage.account._recorder.unrecorded == 0
        assert stage.said.getvalue().count("store.fail") == 3

    run_account(scenario)


def test_a_stop_waits_until_every_answer_is_recorded() -> None:
    """P13: the last answers are as good as the first."""

    async def scenario(stage: CarrierStage) -> None:
        stage.store.commit_seconds = 2.0
        for number in range(4):
            stage.submit(number)
        await stage.us.run(stage.account.stop(20.0))
        assert [kind for _, _, kind in stage.store.kinds()] == [AnswerKind.TAKEN] * 4

    run_account(scenario, stop=False)


def test_a_stop_has_an_end_though_the_store_takes_nothing() -> None:
    """A dead store must not keep the process; the next start finds the attempts uncertain."""

    async def scenario(stage: CarrierStage) -> None:
        stage.store.faults = 10**6
        stage.submit(1)
        await stage.pass_time(0.5)
        before = stage.us.world.now_ms()
        await stage.us.run(stage.account.stop(20.0))
        assert stage.us.world.now_ms() - before <= 31_000
        said = stage.said.getvalue().count("store.fail")
        await stage.pass_time(60.0)
        assert stage.said.getvalue().count("store.fail") == said

    run_account(scenario, stop=False)


def test_what_is_lost_at_the_stop_is_recorded_before_it_ends() -> None:
    """A carrier that says nothing any more: uncertain, in the store, not in memory."""

    async def scenario(stage: CarrierStage) -> None:
        stage.carrier.answer_status = None
        stage.submit(1)
        await stage.pass_time(0.1)
        stage.carrier.deaf = True
        await stage.us.run(stage.account.stop(2.0))
        assert stage.store.kinds() == [(1, 1, AnswerKind.UNCERTAIN)]
        assert stage.store.answers[0].at_ms >= BEGIN_MS

    run_account(scenario, stop=False)


# What is odd, and what is kept


def test_a_message_of_more_octets_than_we_would_write_is_kept_and_the_link_stays() -> None:
    """The length octet allows 255, the specification 254: refusing it would bring it back on every new connection."""

    async def scenario(stage: CarrierStage) -> None:
        body = b"\0\1\1849\0\5\0X\0" + bytes(9) + b"\xff" + b"a" * 255
        raw = (16 + len(body)).to_bytes(4, "big") + b"\0\0\0\5\0\0\0\0\0\0\0\x09" + body
        stage.carrier.peer.transport.write(raw)
        await stage.pass_time(1.0)
        assert [kept.raw for kept in stage.store.inbounds] == [raw]
        assert (stage.account.bound, stage.meters.losses) == (1, 0)

    run_account(scenario)


def test_a_receipt_that_memory_does_not_know_brings_what_an_inference_needs() -> None:
    """4.1: sender, date, our reference if the carrier echoes it, and the whole PDU."""

    async def scenario(stage: CarrierStage) -> None:
        text = b"id:77 submit date:2701151500 done date:2701151501 stat:DELIVRD err:000"
        body = DeliverSm(
            source_addr="84901234567",
            destination_addr="BOCAU",
            esm_class=4,
            short_message=text,
            tlvs=((0x0204, b"\x12\x34"), (0x1403, b"VTL")),
        )
        raw = encode(Pdu(Command.DELIVER_SM, 0, 9, body))
        stage.carrier.peer.transport.write(raw)
        await stage.pass_time(1.0)
        (receipt,) = stage.store.receipts
        assert (receipt.phone, receipt.sender, receipt.reference) == ("0901234567", "BOCAU", 0x1234)
        assert receipt.submitted_ms == 1_800_000_000_000
        assert (receipt.raw, receipt.sure) == (raw, False)

    run_account(scenario)
