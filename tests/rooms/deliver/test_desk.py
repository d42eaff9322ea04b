"""What an operator asks about links: list, show, trace, test."""

import base64
import json
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
from tests.rooms.deliver.stage import CarrierStage, run_account

from bocau.deliver.desk import LinkDesk
from bocau.ports import ActRefused
from bocau.wire.smpp.pdu import DeliverSm
from bocau.wire.smpp.receipt import Receipt, ReceiptState, receipt_text
from bocau.wire.smpp.status import Status


class Operator:
    """Somebody with the acts of one carrier account."""

    def __init__(self, stage: CarrierStage) -> None:
        self.stage = stage
        self.desk = LinkDesk(
            stage.us.world, {"north": stage.account}, {"north": stage.meters}, lambda _: {"halt": "running"}
        )

    async def ask(self, act: str, **members: object) -> Any:  # noqa: ANN401 - whatever the act says
        """One act; what it says must be fit for JSON."""
        asked = cast("Coroutine[Any, Any, object]", self.desk.acts[act].run({"link": "north", **members}))
        value = await self.stage.us.run(asked)
        return json.loads(json.dumps(value))


def operate(scenario: Callable[[Operator], Coroutine[Any, Any, None]], **settings: object) -> None:
    """A scenario at a bound account."""

    async def whole(stage: CarrierStage) -> None:
        await scenario(Operator(stage))

    run_account(whole, stop=True, **settings)


def test_a_list_has_a_line_for_each_account() -> None:
    """Enough to see which one is in trouble, and why."""

    async def scenario(one: Operator) -> None:
        (row,) = await one.ask("link/list")
        assert row == {
            "link": "north",
            "kind": "smpp",
            "address": "10.0.0.2:2775",
            "state": "bound",
            "binds": "2 of 2",
            "window": "0 of 8",
            "why": "",
            "halt": "running",
        }
        one.stage.carrier.bind_status = Status.SYSTEM_ERROR
        one.stage.carrier.peer.transport.abort()
        await one.stage.pass_time(3.0)
        (row,) = await one.ask("link/list")
        assert (row["state"], row["binds"], row["why"]) == ("partly bound", "1 of 2", "bind refused: ESME_RSYSERR")

    operate(scenario, binds=2)


def test_one_link_tells_its_binds_its_speed_and_its_ids() -> None:
    """What the carrier answered, how long it took, whether it asked for less."""

    async def scenario(one: Operator) -> None:
        stage = one.stage
        stage.submit(1)
        await stage.pass_time(1.0)
        found = await one.ask("link/show")
        assert (found["submitted"], found["answers"]["taken"], found["limit_per_second"]) == (1, 1, None)
        assert 0 < found["answer_ms"]["p50"] <= found["answer_ms"]["p99"]
        assert found["receipt_ids"] == {"form": None, "from": "not yet known", "contradicting_rows": 0}
        assert [(bind["mode"], bind["state"]) for bind in found["bind"]] == [("transceiver", "bound")]
        stage.carrier.answer_status = Status.THROTTLED
        stage.submit(2)
        await stage.pass_time(0.1)
        found = await one.ask("link/show")
        assert (found["throttled"], found["limit_per_second"]) == (1, 0.5)

    operate(scenario)


def test_an_unknown_link_is_refused_with_the_names_there_are() -> None:
    """A person mistypes."""

    async def scenario(one: Operator) -> None:
        for act in ("link/show", "link/trace", "link/test"):
            with pytest.raises(ActRefused, match=r'no link "nort". There are: north'):
                await one.ask(act, link="nort")
        with pytest.raises(ActRefused, match="whole number"):
            await one.ask("link/trace", last=0)

    operate(scenario)


def test_a_trace_hides_what_a_full_one_shows() -> None:
    """In the order of passing, with the moment by the wall clock, and as a capture file too."""

    async def scenario(one: Operator) -> None:
        one.stage.submit(1, text=b"code 204816")
        await one.stage.pass_time(1.0)
        rows = await one.ask("link/trace")
        assert [row["command"] for row in rows[-2:]] == ["submit_sm", "submit_sm_resp"]
        now = one.stage.us.world.now_ms()
        assert all(now - 5_000 < row["at_ms"] <= now for row in rows)
        assert "204816" not in json.dumps(rows)
        assert one.desk.acts["link/trace-full"].changes, "looking at everything is noted"
        assert "code 204816" in json.dumps(await one.ask("link/trace-full"))
        assert len(await one.ask("link/trace", last=1)) == 1
        capture = base64.b64decode((await one.ask("link/trace", form="pcap"))["pcap"])
        assert capture[:4] == b"\xa1\xb2\xc3\xd4"
        assert b"204816" not in capture

    operate(scenario)


def test_a_test_walks_the_way_without_touching_what_works() -> None:
    """Name, connection, bind, sign of life; a connection of its own, ended in order."""

    async def scenario(one: Operator) -> None:
        stage = one.stage
        found = await one.ask("link/test")
        assert found["ok"]
        assert [step["name"] for step in found["steps"]] == ["name", "TCP", "bind", "enquire_link"]
        assert all(step["milliseconds"] >= 0 and step["said"] for step in found["steps"])
        await stage.pass_time(1.0)
        assert stage.carrier.peers[-1].lost
        assert (stage.account.bound, stage.meters.losses, len(stage.carrier.peers)) == (1, 0, 2)

    operate(scenario)


def test_a_test_stops_at_the_first_step_that_fails_and_says_why() -> None:
    """The carrier's word, not a number."""

    async def scenario(one: Operator) -> None:
        one.stage.carrier.bind_status = Status.INVALID_PASSWORD
        found = await one.ask("link/test", to="0901234567")
        assert not found["ok"]
        last = found["steps"][-1]
        assert (last["name"], last["ok"]) == ("bind", False)
        assert last["said"] == "the carrier refuses the log-in: ESME_RINVPASWD"

    operate(scenario)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["own link", "link in use"])
def test_a_test_sends_one_sms_and_waits_for_its_receipt_wherever_it_comes(elsewhere: bool) -> None:
    """The message is not in the store; a receipt on a link in use is."""

    async def scenario(one: Operator) -> None:
        stage = one.stage
        working = stage.carrier.peer

        def report() -> None:
            tester = stage.carrier.peers[-1]
            (submitted,) = tester.submits
            assert (submitted.submit.source_addr, submitted.submit.short_message) == ("BOCAU", b"hello")
            text = receipt_text(Receipt("m1", ReceiptState.DELIVERED, "000", "2701150801", "2701150800"))
            body = DeliverSm(source_addr="84901234567", esm_class=4, short_message=text.encode())
            peer = working if elsewhere else tester
            peer.session.deliver(body, None, stage.us.world.monotonic())
            peer.flush()

        stage.network.loop.call_later(2.0, report)
        found = await one.ask("link/test", to="0901234567", sender="BOCAU", text="hello")
        assert [step["name"] for step in found["steps"]][-2:] == ["SMS", "receipt"]
        assert found["ok"], found
        where = "a link in use" if elsewhere else "the test's own link"
        assert found["steps"][-1]["said"] == f"DELIVRD, over {where}"
        assert stage.store.answers == []
        assert len(stage.store.receipts) == elsewhere
        assert stage.account.expected == {}

    operate(scenario)


def test_a_test_stores_the_receipts_of_others_that_come_to_it() -> None:
    """P7: whichever link a carrier picks, nothing is lost."""

    async def scenario(one: Operator) -> None:
        stage = one.stage

        def report() -> None:
            text = receipt_text(Receipt("other", ReceiptState.DELIVERED, "000"))
            body = DeliverSm(source_addr="84907654321", esm_class=4, short_message=text.encode())
            tester = stage.carrier.peers[-1]
            tester.session.deliver(body, "token", stage.us.world.monotonic())
            tester.flush()

        stage.network.loop.call_later(2.0, report)
        found = await one.ask("link/test", to="0901234567")
        assert [receipt.carrier_id for receipt in stage.store.receipts] == ["other"]
        assert (found["ok"], found["steps"][-1]["said"]) == (False, "nothing came within 60 s")

    operate(scenario)


@pytest.mark.parametrize("wrong", [{"to": "12"}, {"to": "0901234567", "text": "x" * 200}])
def test_a_test_refuses_what_cannot_be_sent(wrong: dict[str, str]) -> None:
    """Before anything is dialled."""

    async def scenario(one: Operator) -> None:
        with pytest.raises(ActRefused):
            await one.ask("link/test", **wrong)
        assert len(one.stage.carrier.peers) == 1

    operate(scenario)


def test_ids_are_learned_from_what_the_store_matched_and_kept() -> None:
    """4.3: after twenty the store is told, and the operator sees it."""

    async def scenario(one: Operator) -> None:
        stage = one.stage
        for number in range(21):
            stage.store.given.add(f"{1000 + number:x}")
            text = receipt_text(Receipt(str(1000 + number), ReceiptState.DELIVERED, "000"))
            body = DeliverSm(source_addr="84901234567", esm_class=4, short_message=text.encode())
            stage.carrier.peer.session.deliver(body, None, stage.us.world.monotonic())
            stage.carrier.peer.flush()
            await stage.pass_time(0.1)
        assert stage.store.learned == ["receipt_decimal"]
        found = await one.ask("link/show")
        assert found["receipt_ids"] == {"form": "receipt_decimal", "from": "learned", "contradicting_rows": 0}
        assert stage.store.receipts[-1].match_keys[0] == f"{1020:x}"
        assert (stage.store.receipts[0].sure, stage.store.receipts[-1].sure) == (False, True)

    operate(scenario, window=50)
