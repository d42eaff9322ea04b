"""A whole account at a carrier that takes only so much (P11): it slows, it loses nothing, it does not turn hot."""

from collections import deque

from tests.rooms.deliver.stage import CarrierStage, run_account

from bocau.core.message import AnswerKind
from bocau.wire.smpp.events import Submitted
from bocau.wire.smpp.status import Status


class Feeder:
    """Dispatch in small: messages wait here; refused ones come back after a while, as the store would give them."""

    def __init__(self, stage: CarrierStage, messages: int) -> None:
        self.stage = stage
        self.waiting = deque(range(messages))
        self.submits = 0
        self.taken: set[int] = set()
        self.seen = 0

    def feed(self) -> None:
        """As much as there is room for."""
        while self.waiting and self.stage.account.room > 0:
            self.stage.submit(self.waiting.popleft())
            self.submits += 1

    def collect(self) -> None:
        """Look at what was recorded meanwhile."""
        fresh, self.seen = self.stage.store.answers[self.seen :], len(self.stage.store.answers)
        for answer in fresh:
            number = answer.key.message_id
            if answer.kind is AnswerKind.TAKEN:
                assert number not in self.taken, "submitted again after it was taken"
                self.taken.add(number)
            else:
                assert answer.kind is AnswerKind.TEMPORARY
                wait = (answer.wake_ms - answer.at_ms) / 1000
                self.stage.network.loop.call_later(wait, self.waiting.append, number)


def limit(stage: CarrierStage, per_second: int) -> list[float]:
    """Have the carrier take so many a second and throttle the rest; the moments at which it took one."""
    peer = stage.carrier.peer
    taken: list[float] = []
    stage.carrier.answer_status = None
    receive = peer.data_received

    def strict(data: bytes) -> None:
        before = len(peer.submits)
        receive(data)
        now = stage.us.world.monotonic()
        for event in peer.submits[before:]:
            answer(event, now)
        peer.flush()

    def answer(event: Submitted, now: float) -> None:
        busy = len([at for at in taken if now - at < 1.0]) >= per_second
        peer.answer(event, Status.THROTTLED if busy else 0)
        if not busy:
            taken.append(now)

    peer.data_received = strict  # type: ignore[method-assign]
    return taken


def test_a_throttled_account_slows_down_and_loses_nothing() -> None:
    """Every message is taken once; of the submits of a long hour only few are refused."""

    async def scenario(stage: CarrierStage) -> None:
        taken = limit(stage, 20)
        feeder = Feeder(stage, 600)
        for _ in range(1200):
            feeder.feed()
            await stage.pass_time(0.1)
            feeder.collect()
            if len(feeder.taken) == 600:
                break
        assert feeder.taken == set(range(600))
        assert len(taken) == 600
        assert stage.meters.throttled == feeder.submits - 600
        assert stage.meters.throttled < 300, "it does not learn"
        assert stage.said.getvalue().count('"event":"link.throttle"') < 10, "a line for each"

    run_account(scenario, window=50)


def test_a_carrier_that_throttles_everything_is_asked_now_and_then() -> None:
    """No hot loop: after the first window a handful of parts a minute."""

    async def scenario(stage: CarrierStage) -> None:
        limit(stage, 0)
        feeder = Feeder(stage, 1000)
        for _ in range(600):
            feeder.feed()
            await stage.pass_time(0.1)
            feeder.collect()
        assert feeder.taken == set()
        assert 10 <= feeder.submits <= 50 + 120
        assert stage.account.pace_per_second is not None
        assert stage.account.pace_per_second < 30

    run_account(scenario, window=50)


def test_room_comes_back_without_anything_else_happening() -> None:
    """Nobody but the clock can tell dispatch that the tempo allows the next part."""

    async def scenario(stage: CarrierStage) -> None:
        stage.carrier.answer_status = Status.QUEUE_FULL
        stage.submit(1)
        await stage.pass_time(0.1)
        assert stage.account.room == 0
        stage.hints.clear()
        await stage.pass_time(3.0)
        assert "room" in stage.hints
        assert stage.account.room > 0

    run_account(scenario)


def test_each_bind_keeps_to_its_own_contract_and_wakes_dispatch() -> None:
    """Two binds of five a second take ten, then ask again when the second is over."""

    async def scenario(stage: CarrierStage) -> None:
        for number in range(10):
            assert stage.account.room == 10 - number
            stage.submit(number)
        assert stage.account.room == 0
        stage.hints.clear()
        await stage.pass_time(0.5)
        assert stage.account.room == 0
        await stage.pass_time(0.6)
        assert stage.account.room == 10
        assert stage.hints.count("room") >= 2
        assert [len(peer.submits) for peer in stage.carrier.peers] == [5, 5]

    run_account(scenario, binds=2, window=50, per_bind_second=5)


def test_a_pair_submits_on_its_transmitter_and_hears_receipts_on_its_receiver() -> None:
    """P7: another bind than the one that submitted."""

    async def scenario(stage: CarrierStage) -> None:
        assert (stage.account.bound, stage.account.wanted, stage.account.window) == (2, 2, 4)
        assert [link.mode for link in stage.account.links] == ["transmitter", "receiver"]
        for number in range(4):
            stage.submit(number)
        await stage.pass_time(0.5)
        assert sorted(len(peer.submits) for peer in stage.carrier.peers) == [0, 4]
        assert stage.account.room == 4

    run_account(scenario, bind_mode="pair")
