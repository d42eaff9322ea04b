"""Room 3: the intent before the bytes, never more than there is room for, and nothing lost on the way (P5, P11)."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.dispatch.desk import Desk, message, run

from bocau.core.message import Past, Recourse
from bocau.dispatch.loop import NO_ROUTE
from bocau.dispatch.outlet import Halt
from bocau.dispatch.plan import Choice, Route, RouteTable


def test_no_byte_leaves_before_the_intent_is_stored() -> None:
    """P5: for every message the commit comes first."""

    async def scenario(desk: Desk) -> None:
        desk.store.commit_seconds = None
        desk.accept(message(1), message(2))
        await desk.pass_time(10.0)
        assert len(desk.store.intents) == 2
        assert not desk.north.sent
        desk.store.commit()

    assert run(scenario).log == ["intent 1", "north submits 1", "intent 2", "north submits 2"]


def test_a_message_that_is_not_ours_any_more_does_not_leave() -> None:
    """Another owner has it, or it is too old: its slots come back, and it is forgotten here."""

    async def scenario(desk: Desk) -> None:
        desk.store.refused = {1}
        desk.accept(message(1), message(2))
        await desk.pass_time(5.0)

    desk = run(scenario)
    assert desk.north.numbers == [2]
    assert (desk.north.reserved, desk.dispatcher.lane.room("otp")) == (0, 100)


def test_only_as_many_begin_as_the_carrier_has_slots() -> None:
    """An intent without a slot would only add to what a crash leaves uncertain (P6)."""

    async def scenario(desk: Desk) -> None:
        desk.accept(*[message(number) for number in range(1, 11)])
        await desk.pass_time(1.0)
        assert desk.north.numbers == [1, 2, 3]
        assert len(desk.store.intents) == 3
        desk.north.answer(2)
        await desk.pass_time(1.0)
        assert desk.north.numbers == [1, 2, 3, 4, 5]

    assert run(scenario, window=3).north.least_room == 0


def test_a_long_message_waits_for_all_its_slots_and_is_not_overtaken() -> None:
    """Its parts leave together; what came later stays behind it."""

    async def scenario(desk: Desk) -> None:
        desk.accept(message(1), message(2, parts=3), message(3))
        await desk.pass_time(1.0)
        assert desk.north.numbers == [1]
        desk.north.answer()
        await desk.pass_time(1.0)
        assert desk.north.numbers == [1, 2]
        assert [part.part for part in desk.north.sent[1][1].parts] == [1, 2, 3]
        desk.north.answer(3)
        await desk.pass_time(1.0)

    assert run(scenario, window=3).north.numbers == [1, 2, 3]


def test_a_message_longer_than_the_window_goes_to_an_idle_carrier_and_blocks_nobody() -> None:
    """There will never be enough slots; the carrier puts off what does not fit."""

    async def scenario(desk: Desk) -> None:
        desk.accept(message(1), message(2, parts=4), message(3))
        await desk.pass_time(1.0)
        assert desk.north.numbers == [1]
        desk.north.answer()
        await desk.pass_time(1.0)
        assert desk.north.numbers == [1, 2]
        desk.north.answer(4)
        await desk.pass_time(1.0)

    assert run(scenario, window=2).north.numbers == [1, 2, 3]


def test_a_carrier_that_is_down_gets_nothing() -> None:
    """It begins when the link comes up."""

    async def scenario(desk: Desk) -> None:
        desk.north.up = False
        desk.accept(message(1), message(2, parts=4))
        await desk.pass_time(5.0)
        assert not desk.store.intents
        desk.north.up = True
        desk.dispatcher.notify()
        await desk.pass_time(1.0)

    assert run(scenario).north.numbers == [1, 2]


def test_carriers_do_not_wait_for_each_other() -> None:
    """A full one holds only its own."""

    async def scenario(desk: Desk) -> None:
        desk.north.up = False
        desk.accept(message(1), message(2, brandname="SOUTH"), message(3), message(4, brandname="SOUTH"))
        await desk.pass_time(1.0)

    assert run(scenario).south.numbers == [2, 4]


def test_a_message_without_a_route_is_parked_in_the_store() -> None:
    """Settings may change; until then it waits there, and is not claimed again and again (F38)."""

    async def scenario(desk: Desk) -> None:
        desk.accept(message(1, telco=5), message(2, brandname="NOWHERE"))
        await desk.pass_time(1.0)
        assert desk.store.claims[-1][1] == {NO_ROUTE}

    desk = run(scenario)
    assert desk.store.handed_back == [(1, NO_ROUTE), (2, NO_ROUTE)]
    assert (desk.meters.unroutable, desk.dispatcher.lane.room("otp")) == (2, 100)


def test_a_message_that_the_store_cannot_take_back_is_offered_again() -> None:
    """It is still ours there: forgotten here, it would lie until it is too old."""

    async def scenario(desk: Desk) -> None:
        desk.store.faults = 2
        desk.accept(message(1, telco=5))
        await desk.pass_time(5.0)

    desk = run(scenario)
    assert [number for number, _ in desk.store.handed_back] == [1]
    assert desk.dispatcher.lane.room("otp") == 100


def test_one_carrier_may_fill_only_its_share_of_the_memory() -> None:
    """A dead one must not keep the messages of the others out."""

    async def scenario(desk: Desk) -> None:
        desk.north.up = False
        desk.accept(*[message(number) for number in range(1, 14)])
        await desk.pass_time(0.1)
        assert desk.store.handed_back == [(11, "all"), (12, "all"), (13, "all")]
        assert desk.accept(message(20, brandname="SOUTH"))
        await desk.pass_time(0.1)

    assert run(scenario, ready=20).south.numbers == [20]


def test_what_is_parked_for_a_dead_carrier_is_not_claimed_until_it_has_room() -> None:
    """A long backlog of one carrier costs the others nothing."""

    async def scenario(desk: Desk) -> None:
        desk.north.up = False
        desk.accept(*[message(number) for number in range(1, 14)])
        await desk.pass_time(5.0)
        assert desk.store.claims[-1][1] == {"all"}
        desk.north.up = True
        await desk.pass_time(1.0)
        assert desk.north.numbers == [1, 2, 3], "a few to see whether it works"
        desk.north.answer(3)
        await desk.pass_time(1.0)
        assert desk.store.claims[-1][1] == frozenset()
        assert desk.north.numbers == list(range(1, 11))

    run(scenario, ready=20)


def test_a_full_lane_shuts_and_opens_when_the_store_has_no_more() -> None:
    """What waits in the store goes first."""

    async def scenario(desk: Desk) -> None:
        desk.north.up = False
        assert desk.accept(*[message(number) for number in range(1, 5)])
        assert desk.dispatcher.lane.room("otp") == 16
        desk.store.waiting = [message(number, brandname="SOUTH") for number in range(10, 13)]
        assert not desk.accept(*[message(number) for number in range(20, 40)])
        assert not desk.accept(message(7))
        desk.north.up = True
        desk.dispatcher.notify()
        await desk.pass_time(1.0)
        assert (desk.north.numbers, desk.south.numbers) == ([1, 2, 3, 4], [10, 11, 12])
        assert desk.accept(message(8))
        await desk.pass_time(1.0)

    assert run(scenario, ready=20).north.numbers[-1] == 8


def test_a_fault_of_the_store_costs_a_second_and_no_slot() -> None:
    """Nothing of the intent was stored, so nothing left and it is offered again."""

    async def scenario(desk: Desk) -> None:
        desk.store.faults = 2
        desk.accept(message(1), message(2))
        await desk.pass_time(0.5)
        assert not desk.north.sent
        assert desk.north.reserved == 0
        await desk.pass_time(1.0)

    desk = run(scenario)
    assert sorted(desk.north.numbers) == [1, 2]
    assert (desk.north.reserved, desk.dispatcher.lane.room("otp")) == (0, 100)
    assert desk.said.getvalue().count("store.fail") == 2


def test_a_message_tried_before_sends_only_the_parts_that_nobody_has() -> None:
    """P5, F28: the parts taken stay taken; the number of the try goes on."""

    async def scenario(desk: Desk) -> None:
        desk.store.parts = {1: (2,)}
        desk.accept(message(1, parts=3, tries=2))
        await desk.pass_time(1.0)

    desk = run(scenario)
    (intent,) = desk.store.intents
    assert (intent.parts, intent.total, intent.number) == ((2,), 3, 3)
    assert [part.part for part in desk.north.sent[0][1].parts] == [2]
    assert (desk.north.reserved, desk.north.used) == (0, 1)


def test_slots_are_reserved_while_the_store_is_asked_which_parts_are_left() -> None:
    """Many that were put off come back at once: they do not all see the same free slots."""

    async def scenario(desk: Desk) -> None:
        desk.store.parts = dict.fromkeys(range(1, 9), (1,))
        desk.store.commit_seconds = 0.2
        desk.accept(*[message(number, tries=1) for number in range(1, 9)])
        await desk.pass_time(5.0)

    desk = run(scenario, window=3)
    assert sorted(desk.north.numbers) == [1, 2, 3]
    assert desk.north.least_room == 0


def test_messages_that_were_put_off_keep_to_the_pace() -> None:
    """P11: a throttled burst does not come back as a burst."""

    async def scenario(desk: Desk) -> None:
        desk.store.parts = dict.fromkeys(range(1, 31), (1,))
        desk.store.commit_seconds = 0.3
        desk.accept(*[message(number, tries=1) for number in range(1, 31)])
        await desk.pass_time(10.0)

    desk = run(scenario, window=100, per_second=5, ready=400)
    times = [at for at, _ in desk.north.sent]
    assert len(times) == 30
    assert all(later - earlier >= 1.0 - 1e-9 for earlier, later in zip(times, times[5:], strict=False))


def test_a_slow_disk_does_not_crowd_the_parts_of_two_seconds_into_one() -> None:
    """P11: what counts is when the parts leave."""

    async def scenario(desk: Desk) -> None:
        for number in range(1, 61):
            desk.accept(message(number))
            # One commit takes a second, the next is quick.
            desk.store.commit_seconds = 1.0 if number % 10 < 5 else 0.01
            await desk.pass_time(0.1)
        await desk.pass_time(30.0)

    desk = run(scenario, window=100, per_second=5, ready=400)
    times = [at for at, _ in desk.north.sent]
    assert len(times) == 60
    assert all(later - earlier >= 1.0 - 1e-9 for earlier, later in zip(times, times[5:], strict=False))


def test_a_paced_queue_wakes_by_itself() -> None:
    """Nobody has to answer or ask for the next one to go."""

    async def scenario(desk: Desk) -> None:
        desk.accept(*[message(number) for number in range(1, 11)])
        await desk.pass_time(11.0)

    desk = run(scenario, window=100, per_second=1)
    assert desk.north.numbers == list(range(1, 11))
    assert all(later - earlier <= 1.1 for (earlier, _), (later, _) in pairwise(desk.north.sent))


def test_a_message_whose_parts_the_store_cannot_tell_is_offered_again() -> None:
    """A fault while it asks loses neither the message nor its slots."""

    async def scenario(desk: Desk) -> None:
        desk.store.parts = {1: (1, 2)}
        desk.store.faults = 1
        desk.accept(message(1, parts=2, tries=1))
        await desk.pass_time(0.5)
        assert desk.north.reserved == 0
        await desk.pass_time(2.0)

    desk = run(scenario)
    assert desk.north.numbers == [1]
    assert (desk.north.reserved, desk.dispatcher.lane.room("otp")) == (0, 100)


def test_after_a_stop_nothing_begins_and_what_was_begun_is_waited_for() -> None:
    """P13: an intent on its way to the disk ends before the links are drained."""

    async def scenario(desk: Desk) -> None:
        desk.store.commit_seconds = None
        desk.store.parts = {2: (1,)}
        desk.accept(message(1), message(2, tries=1))
        await desk.pass_time(0.0005)
        desk.dispatcher.stopping = True
        desk.accept(message(3))
        assert not desk.dispatcher.quiet
        await desk.pass_time(1.0)
        assert not desk.dispatcher.quiet
        desk.store.commit()
        assert desk.dispatcher.quiet

    assert sorted(run(scenario).north.numbers) == [1, 2]


# Several carriers


def test_while_a_carrier_is_open_its_route_goes_through_the_next_one() -> None:
    """What waited for it moves, and it is told as a decision: nothing had left."""

    async def scenario(desk: Desk) -> None:
        desk.north.up = False
        lot = [message(number, brandname="BOTH") for number in range(1, 4)]
        bulk = [message(number, brandname="BOTH", route_class="other", account=2) for number in range(4, 6)]
        desk.accept(*lot)
        desk.accept(*bulk)
        desk.accept(message(9))
        await desk.pass_time(2.0)
        assert not desk.south.sent, "a link may come back soon"
        await desk.pass_time(2.0)
        assert sorted(desk.south.numbers) == [1, 2, 3, 4, 5]
        desk.accept(message(6, brandname="BOTH"))
        await desk.pass_time(0.1)
        assert desk.south.numbers[-1] == 6
        desk.north.up = True
        await desk.pass_time(1.0)

    desk = run(scenario)
    assert desk.north.numbers == [9], "it has no other way, so it waited"
    assert desk.meters.moved == {"otp": 3, "other": 2}
    said = desk.said.getvalue()
    assert '"event":"carrier.open"' in said
    assert '"otp_moved":3,"bulk_moved":2,"moved_to":"south"' in said


def test_a_carrier_that_fails_is_opened_at_once_and_tried_with_a_few_messages() -> None:
    """Five failures in a row; after the rest three messages show whether it works."""

    async def scenario(desk: Desk) -> None:
        for _ in range(5):
            desk.north.pulse.miss()
        desk.accept(*[message(number, brandname="BOTH") for number in range(1, 4)])
        await desk.pass_time(1.0)
        assert desk.south.numbers == [1, 2, 3]
        await desk.pass_time(15.0)
        desk.accept(*[message(number, brandname="BOTH") for number in range(4, 9)])
        await desk.pass_time(0.2)
        assert desk.north.numbers == [4, 5, 6]
        await desk.pass_time(1.0)
        desk.north.answer(3)
        await desk.pass_time(1.0)
        desk.accept(message(9, brandname="BOTH"))
        await desk.pass_time(0.1)

    desk = run(scenario)
    assert desk.north.numbers[-1] == 9
    assert desk.meters.breaker == {"open": 1, "half-open": 1, "closed": 1}


def test_a_message_refused_for_good_goes_to_the_carrier_that_is_left() -> None:
    """All of it anew, and then nobody is left."""

    async def scenario(desk: Desk) -> None:
        desk.store.pasts = {1: Past("north", bound=False, barred=frozenset({"north"}), put_off=())}
        desk.accept(message(1, parts=2, tries=1, brandname="BOTH"))
        await desk.pass_time(1.0)

    desk = run(scenario)
    (intent,) = desk.store.intents
    assert (intent.carrier, intent.parts, intent.number, intent.anew) == ("south", (1, 2), 2, True)
    assert desk.south.sent[0][1].recourse == Recourse(elsewhere=False)


def test_a_message_whose_carrier_has_a_part_stays_with_it() -> None:
    """Even when that carrier is open: it waits (promises 4.5)."""

    async def scenario(desk: Desk) -> None:
        desk.north.up = False
        await desk.pass_time(4.0)
        desk.store.pasts = {1: Past("north", bound=True, barred=frozenset(), put_off=("north",))}
        desk.store.parts = {1: (2,)}
        desk.accept(message(1, parts=2, tries=1, brandname="BOTH"))
        await desk.pass_time(1.0)
        assert not desk.store.intents
        desk.north.up = True
        await desk.pass_time(1.0)

    desk = run(scenario)
    (intent,) = desk.store.intents
    assert (intent.carrier, intent.parts, intent.anew) == ("north", (2,), False)


def test_a_message_that_every_carrier_refused_waits_for_other_routes() -> None:
    """It is parked, not tried for ever."""

    async def scenario(desk: Desk) -> None:
        desk.store.pasts = {1: Past("south", bound=False, barred=frozenset({"north", "south"}), put_off=())}
        desk.accept(message(1, tries=2, brandname="BOTH"))
        await desk.pass_time(1.0)

    assert run(scenario).store.handed_back == [(1, NO_ROUTE)]


def test_a_halted_carrier_gets_nothing_and_what_waited_goes_elsewhere() -> None:
    """Its window goes on; let go, it is fed again."""

    async def scenario(desk: Desk) -> None:
        desk.accept(*[message(number, brandname="BOTH") for number in range(1, 4)], message(4))
        await desk.pass_time(0.1)
        assert desk.north.numbers == [1, 2]
        desk.dispatcher.halt("north", Halt.DRAINING)
        await desk.pass_time(0.1)
        assert desk.south.numbers == [3]
        assert desk.dispatcher.states()[0].outstanding == 2
        desk.north.answer(2)
        await desk.pass_time(1.0)
        assert desk.north.numbers == [1, 2]
        desk.dispatcher.halt("north", Halt.NONE)
        await desk.pass_time(0.1)

    assert run(scenario, window=2).north.numbers == [1, 2, 4]


def test_after_new_routes_what_waits_is_chosen_for_anew() -> None:
    """F38: of a route that is gone the messages are parked; of one that came they go."""

    async def scenario(desk: Desk) -> None:
        desk.north.up = False
        desk.accept(message(1), message(2, brandname="SOUTH", telco=5))
        await desk.pass_time(0.1)
        desk.dispatcher.equip(RouteTable([Route("new", (Choice("south"),), telcos=(1,))]), desk.outlets)
        desk.accept(message(3, telco=5))
        await desk.pass_time(1.0)

    desk = run(scenario)
    assert desk.south.numbers == [2, 1]
    assert desk.store.handed_back == [(3, NO_ROUTE)]


def test_a_carrier_that_asks_for_less_speed_is_left_alone_for_a_second() -> None:
    """P11: all that waits for it slows down, not the one message that was told so."""

    async def scenario(desk: Desk) -> None:
        desk.accept(message(1))
        await desk.pass_time(0.1)
        desk.north.pulse.throttles += 1
        desk.accept(message(2), message(3))
        await desk.pass_time(0.9)
        assert desk.north.numbers == [1]
        await desk.pass_time(0.3)

    assert run(scenario).north.numbers == [1, 2, 3]


def test_the_last_slots_are_for_one_time_codes() -> None:
    """Bulk that fills the window does not make a code wait for an answer."""

    async def scenario(desk: Desk) -> None:
        desk.accept(*[message(number, route_class="other") for number in range(1, 7)])
        await desk.pass_time(0.1)
        assert desk.north.numbers == [1, 2, 3]
        desk.accept(message(9))
        await desk.pass_time(0.1)

    assert run(scenario, window=4, kept=1).north.numbers == [1, 2, 3, 9]


_ACTS = st.lists(
    st.tuples(
        st.sampled_from(["accept", "again", "long", "lost", "claim", "fault", "answer", "down", "up", "wait"]),
        st.integers(1, 5),
    ),
    max_size=40,
)


@settings(max_examples=60)
@given(_ACTS, st.sampled_from([0, 3, 50]))
def test_places_slots_and_turns_balance_whatever_fails(acts: list[tuple[str, int]], per_second: int) -> None:
    """When all is quiet nothing is reserved, nothing is held, and every message left once or went back."""

    async def scenario(desk: Desk) -> None:
        number, wanted = 0, set()
        for act, count in acts:
            for _ in range(count):
                number += 1
                one = message(number, 3 if act == "long" else 1, tries=act == "again", telco=5 if act == "lost" else 1)
                desk.store.parts[number] = tuple(range(1, one.parts + 1))
                if act == "claim":
                    desk.store.waiting.append(one)
                    wanted.add(number)
                elif act in ("accept", "again", "long", "lost") and desk.accept(one):
                    wanted.add(number)
            if act == "fault":
                desk.store.faults += count
            elif act == "answer":
                desk.north.answer(min(count, desk.north.used))
            elif act in ("down", "up"):
                desk.north.up = act == "up"
            elif act == "wait":
                await desk.pass_time(count / 10)
        desk.north.up = True
        for _ in range(400):
            desk.north.answer(desk.north.used)
            await desk.pass_time(1.0)
        assert desk.dispatcher.lane.room("otp") == 20
        assert desk.north.reserved == 0
        assert desk.dispatcher.quiet
        assert desk.dispatcher.waiting == 0
        back = [number for number, _ in desk.store.handed_back]
        assert sorted(desk.north.numbers + back) == sorted(wanted)

    run(scenario, window=4, per_second=per_second, ready=20)


def test_the_store_is_told_which_codes_go_out_as_texts() -> None:
    """Type 8 to a carrier of texts: a recording among them must not go (esms-api 4.1)."""

    async def scenario(desk: Desk) -> None:
        desk.outlets["south"].calls = True
        desk.accept(message(1, sms_type=8))
        desk.accept(message(2, sms_type=8, brandname="SOUTH"))
        desk.accept(message(3))
        await desk.pass_time(0.1)
        assert {one.message_id: one.as_text for one in desk.store.intents} == {1: True, 2: False, 3: False}

    run(scenario)
