"""One link from its dial to its end: what it notices, what it loses, and how it comes back (P12, F19 to F24)."""

import asyncio
import itertools

import pytest
from tests.rooms.deliver.stage import THEM, US, LinkStage, run_link, submit

from bocau.wire.smpp.events import Delivered, SubmitAnswered, SubmitTimedOut
from bocau.wire.smpp.pdu import DeliverSm
from bocau.wire.smpp.status import Status

WAIT = 1.0


def began(stage: LinkStage) -> list[float]:
    """When each connection came, in seconds since the first."""
    times = [peer.began for peer in stage.carrier.peers]
    return [round(at - times[0], 3) for at in times]


def test_a_bound_link_has_its_window_free_and_says_so() -> None:
    """The owner is told once that there is room."""

    async def scenario(stage: LinkStage) -> None:
        assert (stage.link.free_slots, stage.link.outstanding, stage.link.why) == (4, 0, "")
        assert (stage.owner.bound, stage.meters.binds) == (1, 1)

    run_link(scenario)


def test_all_parts_of_a_turn_leave_in_one_write() -> None:
    """A write for each part would cost more than the parts."""

    async def scenario(stage: LinkStage) -> None:
        writes = 0
        write = stage.network.pieces

        def counted(data: bytes) -> list[bytes]:
            nonlocal writes
            writes += 1
            return write(data)

        stage.carrier.answer_status = None
        stage.network.pieces = counted  # type: ignore[method-assign]
        for number in range(4):
            stage.us.call(stage.link.submit, submit(number), number)
        await stage.pass_time(WAIT)
        assert (len(stage.carrier.peer.submits), writes) == (4, 1)

    run_link(scenario)


def test_an_answer_frees_its_slot_and_names_its_part() -> None:
    """The token comes back with the carrier's id."""

    async def scenario(stage: LinkStage) -> None:
        stage.us.call(stage.link.submit, submit(1), "one")
        await stage.pass_time(WAIT)
        assert stage.owner.events == [SubmitAnswered("one", 0, "m1", False)]
        assert stage.link.free_slots == 4

    run_link(scenario)


# Coming up


def test_a_refused_connection_is_tried_again_with_jittered_back_off() -> None:
    """P12: from a second, doubling, to a minute; never a hot loop."""

    async def scenario(stage: LinkStage) -> list[float]:
        waits: list[float] = []
        chance = stage.us.world.random.random

        def noted() -> float:
            waits.append(stage.seconds)
            return chance()

        stage.us.world.random.random = noted  # type: ignore[method-assign]
        stage.us.call(stage.link.start)
        await stage.pass_time(600.0)
        assert stage.link.why.startswith("cannot connect")
        assert stage.said.getvalue().count("link.lose") == 1
        return [later - earlier for earlier, later in itertools.pairwise(waits)]

    gaps = run_link(scenario, opened=False)
    for gap, ceiling in zip(gaps, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60], strict=False):
        assert ceiling / 2 <= gap <= ceiling + 0.1
    assert len(set(gaps)) == len(gaps)


def test_a_passing_refusal_of_the_bind_backs_off_and_a_lasting_one_waits_longest() -> None:
    """F24: a system error may pass in a second; a wrong password needs a person."""

    async def scenario(stage: LinkStage) -> None:
        await stage.carrier.machine.run(stage.carrier.listen())
        stage.carrier.bind_status = Status.SYSTEM_ERROR
        stage.us.call(stage.link.start)
        await stage.pass_time(8.0)
        soon = len(stage.carrier.peers)
        assert 3 <= soon <= 6
        stage.carrier.bind_status = Status.INVALID_PASSWORD
        await stage.pass_time(30.0)
        before = len(stage.carrier.peers)
        await stage.pass_time(119.0)
        assert 1 <= len(stage.carrier.peers) - before <= 2
        assert stage.link.why == "bind refused: ESME_RINVPASWD"
        assert '"level":"error","event":"link.refuse"' in stage.said.getvalue()
        stage.carrier.bind_status = Status.OK
        await stage.pass_time(61.0)
        assert stage.link.bound

    run_link(scenario, opened=False)


def test_a_bind_that_is_never_answered_is_given_up() -> None:
    """The connection alone is worth nothing."""

    async def scenario(stage: LinkStage) -> None:
        await stage.carrier.machine.run(stage.carrier.listen())
        stage.carrier.bind_status = None
        stage.us.call(stage.link.start)
        await stage.pass_time(11.0)
        assert stage.carrier.peers[0].lost
        stage.carrier.bind_status = 0
        await stage.pass_time(15.0)
        assert stage.link.bound

    run_link(scenario, opened=False)


def test_a_dial_into_a_black_hole_is_given_up_after_ten_seconds() -> None:
    """And tried again when the network heals."""

    async def scenario(stage: LinkStage) -> None:
        await stage.carrier.machine.run(stage.carrier.listen())
        stage.network.block(US, THEM)
        stage.us.call(stage.link.start)
        await stage.pass_time(10.5)
        assert stage.link.why.startswith("cannot connect")
        stage.network.heal()
        await stage.pass_time(5.0)
        assert stage.link.bound

    run_link(scenario, opened=False)


def test_a_fault_of_ours_while_connecting_is_told_and_does_not_end_the_link() -> None:
    """A link whose task dies silently would never come back."""

    async def scenario(stage: LinkStage) -> None:
        await stage.carrier.machine.run(stage.carrier.listen())
        dial, calls = stage.us.world.dial, 0

        async def broken(*values: object, **names: object) -> asyncio.Transport:
            nonlocal calls
            calls += 1
            if calls == 1:
                raise UnicodeError("label too long")
            return await dial(*values, **names)  # type: ignore[arg-type]

        stage.us.world.dial = broken  # type: ignore[method-assign]
        stage.us.call(stage.link.start)
        await stage.pass_time(5.0)
        assert stage.link.bound
        assert "gateway.fault" in stage.said.getvalue()

    run_link(scenario, opened=False)


# Going down


def test_what_never_left_is_told_apart_from_what_may_have_arrived() -> None:
    """F19: parts whose bytes went to the connection are uncertain; those still in our buffer were not taken."""

    async def scenario(stage: LinkStage) -> None:
        stage.carrier.answer_status = None
        for number in range(2):
            stage.us.call(stage.link.submit, submit(number), f"left{number}")
        await stage.pass_time(WAIT)

        def both() -> None:
            stage.link.submit(submit(9), "kept")
            stage.link.connection_lost(ConnectionResetError())

        transport = stage.link._transport
        assert transport is not None
        stage.us.call(both)
        transport.abort()
        assert (stage.owner.uncertain, stage.owner.unsent) == (["left0", "left1"], ["kept"])
        stage.link._transport = transport

    run_link(scenario)


def test_a_connection_cut_at_the_carrier_comes_back_within_seconds() -> None:
    """P12."""

    async def scenario(stage: LinkStage) -> None:
        stage.carrier.answer_status = None
        stage.us.call(stage.link.submit, submit(1), "one")
        await stage.pass_time(WAIT)
        stage.carrier.peer.transport.abort()
        await stage.pass_time(2.0)
        assert stage.owner.uncertain == ["one"]
        assert (stage.link.bound, stage.link.free_slots, stage.meters.losses) == (True, 4, 1)

    run_link(scenario)


@pytest.mark.parametrize(("enquire", "response"), [(30.0, 10.0), (10.0, 5.0)])
def test_a_half_open_link_is_noticed_in_time(enquire: float, response: float) -> None:
    """P12: silence for the interval, then no answer to the question."""

    async def scenario(stage: LinkStage) -> None:
        stage.network.block(US, THEM)
        await stage.pass_time(enquire + response + 1.0)
        assert stage.link.why == "enquire_link not answered"
        stage.network.heal()
        await stage.pass_time(15.0)
        assert stage.link.bound

    run_link(scenario, enquire_seconds=enquire, response_seconds=response)


def test_a_peer_that_takes_no_bytes_is_cut_off() -> None:
    """F22: a closing connection with a full buffer would never end by itself."""

    async def scenario(stage: LinkStage) -> None:
        peer = stage.carrier.peer
        peer.transport.pause_reading()
        stage.carrier.answer_status = None
        for number in range(600):
            stage.us.call(stage.link.submit, submit(number)._replace(short_message=b"x" * 160), number)
        await stage.pass_time(0.5)
        assert stage.link.free_slots == 0
        await stage.pass_time(30.0)
        assert len(stage.owner.uncertain) == 600
        assert len(stage.carrier.peers) == 2
        assert stage.link.bound

    run_link(scenario, window=1000, enquire_seconds=8.0, response_seconds=5.0)


def test_room_comes_back_when_the_connection_takes_bytes_again() -> None:
    """Back-pressure stops dispatch, and its end starts it."""

    async def scenario(stage: LinkStage) -> None:
        stage.carrier.peer.transport.pause_reading()
        for number in range(600):
            stage.us.call(stage.link.submit, submit(number)._replace(short_message=b"x" * 160), number)
        await stage.pass_time(0.5)
        told = stage.owner.bound
        assert stage.link.free_slots == 0
        stage.carrier.peer.transport.resume_reading()
        await stage.pass_time(1.0)
        assert stage.owner.bound == told + 1
        assert stage.link.free_slots == 1000

    run_link(scenario, window=1000)


def test_an_unbind_of_the_carrier_waits_for_its_answers_and_gives_the_rest_up() -> None:
    """F23: what it still answers counts; the link takes nothing new and comes back."""

    async def scenario(stage: LinkStage) -> None:
        stage.carrier.answer_status = None
        for number in range(3):
            stage.us.call(stage.link.submit, submit(number), number)
        await stage.pass_time(0.1)
        peer = stage.carrier.peer
        peer.session.unbind(stage.network.loop.time())
        peer.flush()
        await stage.pass_time(0.1)
        assert stage.link.free_slots == 0
        peer.answer(peer.submits[1])
        await stage.pass_time(0.1)
        assert stage.owner.events == [SubmitAnswered(1, 0, "m1", False)]
        await stage.pass_time(8.0)
        assert stage.owner.uncertain == [0, 2]
        assert stage.link.bound

    run_link(scenario)


# Answers that do not come


def test_a_late_answer_settles_what_its_time_out_left_open() -> None:
    """F20, F21: the slot stays taken until then."""

    async def scenario(stage: LinkStage) -> None:
        stage.carrier.answer_status = None
        stage.us.call(stage.link.submit, submit(1), "one")
        await stage.pass_time(11.0)
        assert stage.owner.events == [SubmitTimedOut("one")]
        assert (stage.link.free_slots, stage.link.bound) == (3, True)
        stage.carrier.peer.answer(stage.carrier.peer.submits[0])
        await stage.pass_time(1.0)
        assert stage.owner.events[1:] == [SubmitAnswered("one", 0, "m1", True)]
        assert stage.link.free_slots == 4

    run_link(scenario)


def test_one_answer_that_does_not_come_costs_no_other_part_its_answer() -> None:
    """F20: with a full window the connection must stay: the others are on their way."""

    async def scenario(stage: LinkStage) -> None:
        stage.carrier.answer_status = None
        stage.us.call(stage.link.submit, submit(0), "silent")
        await stage.pass_time(9.0)
        for number in range(3):
            stage.us.call(stage.link.submit, submit(1 + number), number)
        await stage.pass_time(3.0)
        assert stage.link.free_slots == 0
        for event in stage.carrier.peer.submits[1:]:
            stage.carrier.peer.answer(event)
        await stage.pass_time(1.0)
        assert not stage.owner.uncertain
        assert (len(stage.carrier.peers), stage.link.free_slots) == (1, 3)

    run_link(scenario)


def test_a_window_that_is_half_lost_is_drained_and_replaced() -> None:
    """Slots that wait in vain come back only with a new connection; nobody else's answer is lost for it."""

    async def scenario(stage: LinkStage) -> None:
        stage.carrier.answer_status = None
        for number in range(2):
            stage.us.call(stage.link.submit, submit(number), f"silent{number}")
        await stage.pass_time(9.5)
        stage.us.call(stage.link.submit, submit(5), "quick")
        await stage.pass_time(1.0)
        assert stage.link.free_slots == 0
        assert len(stage.carrier.peers) == 1
        stage.carrier.peer.answer(stage.carrier.peer.submits[-1])
        await stage.pass_time(3.0)
        assert SubmitAnswered("quick", 0, "m1", False) in stage.owner.events
        assert sorted(map(str, stage.owner.uncertain)) == ["silent0", "silent1"]
        assert (len(stage.carrier.peers), stage.link.free_slots) == (2, 4)

    run_link(scenario)


def test_a_carrier_that_answers_nothing_gets_a_new_connection() -> None:
    """All slots wait in vain, though it still answers questions."""

    async def scenario(stage: LinkStage) -> None:
        stage.carrier.answer_status = None
        for number in range(4):
            stage.us.call(stage.link.submit, submit(number), number)
        await stage.pass_time(13.0)
        assert len(stage.carrier.peers) == 2
        assert stage.said.getvalue().count("not answered any more") == 1

    run_link(scenario)


# Acknowledgements


def test_a_delivery_is_not_acknowledged_on_the_next_connection() -> None:
    """P7: there the same sequence number is another receipt, which is not stored yet."""

    async def scenario(stage: LinkStage) -> None:
        receipt = DeliverSm(source_addr="849", short_message=b"id:1 stat:DELIVRD", esm_class=4)
        first = stage.carrier.peer
        first.session.deliver(receipt, "first", 0.0)
        first.flush()
        await stage.pass_time(0.1)
        (event,) = stage.owner.events
        assert isinstance(event, Delivered)
        connection = stage.link.connection
        first.transport.abort()
        await stage.pass_time(2.0)
        second = stage.carrier.peer
        assert second is not first
        second.session.deliver(receipt, "second", 0.0)
        second.flush()
        await stage.pass_time(0.1)
        stage.us.call(stage.link.answer, connection, event.sequence, 0)
        await stage.pass_time(0.5)
        assert second.session.outstanding == 1
        stage.us.call(stage.link.answer, stage.link.connection, event.sequence, 0)
        await stage.pass_time(0.5)
        assert second.session.outstanding == 0

    run_link(scenario)


def test_an_acknowledgement_ends_an_unbind_that_waited_for_it() -> None:
    """A receipt that is being stored when we unbind is answered before the connection closes."""

    async def scenario(stage: LinkStage) -> None:
        receipt = DeliverSm(source_addr="849", short_message=b"id:1 stat:DELIVRD", esm_class=4)
        peer = stage.carrier.peer
        peer.session.deliver(receipt, "one", 0.0)
        peer.flush()
        await stage.pass_time(0.1)
        (event,) = stage.owner.events
        assert isinstance(event, Delivered)
        stopping = stage.us.run(stage.link.stop(20.0))
        await stage.pass_time(1.0)
        assert not peer.lost
        stage.us.call(stage.link.answer, stage.link.connection, event.sequence, 0)
        await stage.pass_time(1.0)
        assert peer.session.outstanding == 0
        assert stopping.done()
        assert peer.lost

    run_link(scenario)


# Stopping


def test_a_stop_waits_for_answers_then_unbinds() -> None:
    """P13: nothing is uncertain if the carrier answers."""

    async def scenario(stage: LinkStage) -> None:
        stage.carrier.answer_status = None
        for number in range(3):
            stage.us.call(stage.link.submit, submit(number), number)
        await stage.pass_time(0.1)
        stopping = stage.us.run(stage.link.stop(20.0))
        await stage.pass_time(3.0)
        peer = stage.carrier.peer
        for event in peer.submits:
            peer.answer(event)
        await stage.pass_time(1.0)
        assert stopping.done()
        assert [type(event).__name__ for event in peer.events][-1] == "UnbindRequested"
        assert not stage.owner.uncertain
        assert len(stage.owner.events) == 3

    run_link(scenario)


def test_a_stop_does_not_wait_for_answers_that_are_overdue() -> None:
    """They are recorded as uncertain already; a slot lost days ago must not cost every stop its patience."""

    async def scenario(stage: LinkStage) -> None:
        stage.carrier.answer_status = None
        stage.us.call(stage.link.submit, submit(1), "silent")
        await stage.pass_time(11.0)
        before = stage.seconds
        await stage.us.run(stage.link.stop(20.0))
        assert stage.seconds - before < 6.0
        assert stage.owner.uncertain == ["silent"]

    run_link(scenario)


def test_a_stop_has_an_end_though_the_carrier_says_nothing() -> None:
    """After its seconds the connection is cut, and what was open is told before the stop returns."""

    async def scenario(stage: LinkStage) -> None:
        stage.carrier.answer_status = None
        stage.carrier.answers_unbind = False
        stage.us.call(stage.link.submit, submit(1), "silent")
        await stage.pass_time(0.1)
        stage.carrier.deaf = True
        before = stage.seconds
        await stage.us.run(stage.link.stop(3.0))
        assert stage.seconds - before == pytest.approx(3.0, abs=0.1)
        assert stage.owner.uncertain == ["silent"]

    run_link(scenario)


@pytest.mark.parametrize("after", [0.0, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.01])
def test_a_link_may_be_stopped_at_any_moment_of_its_start(after: float) -> None:
    """While it dials, while it binds: no connection and no task is left behind."""

    async def scenario(stage: LinkStage) -> None:
        await stage.carrier.machine.run(stage.carrier.listen())
        stage.us.call(stage.link.start)
        await stage.pass_time(after)
        await stage.us.run(stage.link.stop(5.0))
        await stage.pass_time(90.0)
        assert len(stage.carrier.peers) <= 1
        assert all(peer.lost for peer in stage.carrier.peers)
        assert not stage.link.bound
        assert not stage.network.ends

    run_link(scenario, opened=False)


def test_a_link_may_be_stopped_while_it_waits_to_dial_again() -> None:
    """The wait is not waited for."""

    async def scenario(stage: LinkStage) -> None:
        stage.us.call(stage.link.start)
        await stage.pass_time(100.0)
        before = stage.seconds
        await stage.us.run(stage.link.stop(20.0))
        assert stage.seconds == before

    run_link(scenario, opened=False)
