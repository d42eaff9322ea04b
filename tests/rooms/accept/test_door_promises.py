"""What the door promises: one acceptance for a RequestId, exact money, no trace of a sandbox, nothing half-written."""

import asyncio
from pathlib import Path

import pytest
from tests.rooms.accept.doorway import (
    BALANCE,
    DAY,
    GET_PATH,
    PRICE,
    UNAVAILABLE,
    Doorway,
    Reply,
    doorway,
    golden,
    query,
    status_body,
)
from tests.rooms.accept.faults import (
    ACCOUNT_FAULTS,
    ELSEWHERE,
    LIMIT,
    TAKEN,
    cases,
    label,
    members_of,
    read_order,
    stock_with,
)
from tests.rooms.accept.shop import NOW, PHONES, POLICY, VND, Stock, key_of

from bocau.core.directory import NetworkRow
from bocau.core.lifecycle import AttemptState, State

# RequestId


def test_a_used_request_id_is_124_with_the_first_smsid_in_a_header(tmp_path: Path) -> None:
    """The body tells the status of the first message now; another text under the same id is 124 too (4.11)."""

    async def scenario(place: Doorway) -> None:
        first = await place.send(RequestId=" login-77 ")
        assert first.code == "100"
        for members in ({}, {"Content": "BOCAU cam on ban"}, {"Phone": PHONES[1]}):
            reply = await place.send(RequestId="login-77", **members)
            assert reply.body == golden("124.json").replace(b'"SendStatus":"5"', b'"SendStatus":"2"')
            assert reply.headers["x-bocau-smsid"] == first.smsid
        (message,) = place.rows()
        await place.submit(message)
        assert (await place.send(RequestId="login-77")).members["SendStatus"] == "7"
        await place.report(message, AttemptState.DELIVERED)
        assert (await place.send(RequestId="login-77")).body == golden("124.json")
        assert (await place.send(RequestId="LOGIN-77")).code == "100", "compared exactly"
        assert (await place.send()).code == (await place.send()).code == "100", "none is no check"

    doorway(tmp_path, scenario)


def test_a_request_id_blocks_for_24_hours_and_for_its_account_only(tmp_path: Path) -> None:
    """Then it is free again."""

    async def scenario(place: Doorway) -> None:
        assert (await place.send(RequestId="r")).code == "100"
        assert (await place.send(RequestId="r", ApiKey=key_of(2))).code == "100"
        place.world.now += DAY - 1
        assert (await place.send(RequestId="r")).code == "124"
        place.world.now += 1
        assert (await place.send(RequestId="r")).code == "100"
        assert (await place.send(RequestId="r")).code == "124"

    doorway(tmp_path, scenario, Stock(), Stock())


def test_a_used_request_id_goes_before_177_146_102_and_103(tmp_path: Path) -> None:
    """Step 7 comes before the rest; what comes earlier still wins."""
    stock = Stock(templates=tuple(row for row in Stock().templates if row[2] != 3), prices=((2, 1, 850), (2, 2, 850)))

    async def scenario(place: Doorway) -> None:
        first = await place.send(RequestId="r")
        late: list[dict[str, str]] = [{"Phone": PHONES[3]}, {"Phone": PHONES[4]}, {"Content": "no template"}]
        for members in late:
            assert (await place.send(**members)).code in ("177", "102", "146")
            for sandbox in ("0", "1"):
                reply = await place.send(RequestId="r", Sandbox=sandbox, **members)
                assert (reply.code, reply.headers["x-bocau-smsid"]) == ("124", first.smsid)
        await place.leave_dong(0)
        assert [(await place.send(RequestId="r", Sandbox=sandbox)).code for sandbox in "01"] == ["124", "124"]
        assert [(await place.send(Sandbox=sandbox)).code for sandbox in "01"] == ["103", "103"]
        early: list[dict[str, str]] = [{"SecretKey": "x"}, {"Phone": "1"}, {"Content": ""}, {"Brandname": "x"}]
        assert [(await place.send(RequestId="r", **members)).code for members in early] == ["101", "108", "110", "104"]

    doorway(tmp_path, scenario, stock)


def test_of_fifty_equal_requests_in_one_turn_exactly_one_is_accepted(tmp_path: Path) -> None:
    """P3: one piece on one connection, so that all of them join one transaction; then fifty connections."""

    async def scenario(place: Doorway) -> None:
        commits = place.store.commits[0]
        replies = await place.ask_all([place.sending(RequestId="r1")] * 50)
        assert place.store.commits[0] == commits + 1
        await one_of(replies)
        await one_of(await asyncio.gather(*[place.send(RequestId="r2") for _ in range(50)]))
        assert sorted(message.request_id for message in place.rows()) == ["r1", "r2"]
        assert (await place.store.balance(1))[0] == (BALANCE - 2 * PRICE) * VND
        assert len(place.lane) == 2
        assert place.lane.room("otp") == 1000 - 2, "the others' places are free again"

    async def one_of(replies: list[Reply]) -> None:
        codes = [reply.code for reply in replies]
        assert (codes.count("100"), codes.count("124")) == (1, 49)
        first = replies[codes.index("100")].smsid
        assert {reply.headers["x-bocau-smsid"] for reply in replies if reply.code == "124"} == {first}
        assert {reply.members["SendStatus"] for reply in replies if reply.code == "124"} == {"2"}

    doorway(tmp_path, scenario)


def test_a_refused_request_does_not_use_its_request_id(tmp_path: Path) -> None:
    """Row R: 103 and 146 may be repeated with the same id, and so may everything before them."""

    async def scenario(place: Doorway) -> None:
        await place.leave_dong(0)
        assert (await place.send(RequestId="r")).code == "103"
        await place.leave_dong(PRICE)
        assert (await place.send(RequestId="r", Content="no template")).code == "146"
        assert (await place.send(RequestId="r", Brandname="x")).code == "104"
        assert (await place.send(RequestId="r")).code == "100"

    doorway(tmp_path, scenario)


# The order


def test_the_whole_order_of_codes_holds_at_the_door(tmp_path: Path) -> None:
    """Every cell of the golden file, with a RequestId that is really taken and accounts that are really poor."""

    async def scenario(place: Doorway) -> None:
        keys = {}
        for faults in sorted({names & ACCOUNT_FAULTS for names in cases()}, key=sorted):
            account = await place.open_account(stock_with(faults)._replace(state="active", networks=()))
            keys[faults] = key_of(account)
            await place.reload()
            taken = await place.send(ApiKey=keys[faults], SmsType=8, Content="4821", RequestId=TAKEN)
            assert taken.code == "100"
            if "103" in faults:
                await place.leave_dong(0, account)
            if "140" in faults:
                await place.store.put_network(NetworkRow(account, "", ELSEWHERE))
            if "143" in faults:
                await place.store.set_account_state(account, "locked")
        await place.reload()
        found = {}
        for names in cases():
            members = {"ApiKey": keys[names & ACCOUNT_FAULTS], **(members_of(names) or {})}
            reply = await place.send(**members)
            found[names] = label(reply.code, reply.members["ErrorMessage"])
        assert found == read_order()

    doorway(tmp_path, scenario, policy=POLICY._replace(max_receivers=LIMIT))


# Sandbox


def test_a_sandbox_request_is_answered_as_a_real_one_and_leaves_no_trace(tmp_path: Path) -> None:
    """A fresh SMSID that nobody knows; no row, no money, no RequestId, no work."""

    async def scenario(place: Doorway) -> None:
        assert (await place.send(RequestId="real")).code == "100"
        place.lane.take()
        before = place.inside()
        smsids = set()
        for value in (1, "1", True, "true"):
            reply = await place.send(Sandbox=value, RequestId="r", CallbackUrl="https://shop.example/hook")
            assert reply.body == golden("100.json", reply.smsid)
            smsids.add(reply.smsid)
        assert len(smsids) == 4
        assert (await place.send(Sandbox=1, Content="no template")).code == "146"
        assert (await place.send(Sandbox=1, RequestId="real")).code == "124"
        assert (await place.send(Sandbox=1, Phone=f"{PHONES[1]},{PHONES[2]}")).code == "100"
        for smsid in smsids:
            assert (await place.status(smsid)).body == golden("send_status_105.json", smsid)
        assert place.inside() == before
        assert (len(place.lane), place.meters.sandbox, place.meters.accepted) == (0, 5, 1)
        assert (await place.send(RequestId="r")).code == "100", "the sandbox does not use a RequestId"

    doorway(tmp_path, scenario)


def test_the_sandbox_tells_the_refusals_of_the_store_too(tmp_path: Path) -> None:
    """124, 146 and 103, with the bodies of the real call."""

    async def scenario(place: Doorway) -> None:
        first = await place.send(RequestId="r")
        reply = await place.send(RequestId="r", Sandbox="1")
        assert reply.body == golden("124.json").replace(b'"SendStatus":"5"', b'"SendStatus":"2"')
        assert reply.headers["x-bocau-smsid"] == first.smsid
        reply = await place.send(Content="no template", Sandbox="1")
        assert reply.body == golden("146.json", reply.smsid)
        assert (await place.status(reply.smsid)).body == golden("send_status_105.json", reply.smsid)
        await place.leave_dong(PRICE * 2 - 1)
        assert (await place.send(Sandbox="1")).code == "100"
        assert (await place.send(Sandbox="1", Phone=f"{PHONES[1]},{PHONES[2]}")).code == "103"

    doorway(tmp_path, scenario)


# Money


def test_the_last_unit_is_spent_exactly_once(tmp_path: Path) -> None:
    """103 comes at the first dong that is missing; fifty at once for the last seven get seven."""

    async def scenario(place: Doorway) -> None:
        await place.leave_dong(PRICE - 1)
        reply = await place.send()
        assert reply.body == (
            b'{"CodeResult":"103","CountRegenerate":0,"ErrorMessage":"Not enough balance to send message"}'
        )
        assert reply.headers["x-bocau-reason"] == "the balance of account shop-1 is too low"
        await place.leave_dong(PRICE)
        assert [(await place.send()).code for _ in range(2)] == ["100", "103"]
        await place.store.set_credit_limit(1, PRICE * VND)
        assert [(await place.send()).code for _ in range(2)] == ["100", "103"]
        await place.leave_dong(6 * PRICE)
        codes = [reply.code for reply in await place.ask_all([place.sending()] * 50)]
        assert (codes.count("100"), codes.count("103")) == (7, 43)
        assert (await place.store.balance(1))[0] == -PRICE * VND

    doorway(tmp_path, scenario)


def test_a_list_is_held_whole_or_not_at_all(tmp_path: Path) -> None:
    """Money for two of three receivers sends to none."""

    async def scenario(place: Doorway) -> None:
        phones = ",".join(PHONES[telco] for telco in (1, 2, 3))
        await place.leave_dong(3 * PRICE - 1)
        assert (await place.send(Phone=phones)).code == "103"
        assert not place.rows()
        await place.leave_dong(3 * PRICE)
        reply = await place.send(Phone=f"{phones},12345")
        assert reply.code == "100"
        assert [message.phone for message in place.rows()] == [PHONES[1], PHONES[2], PHONES[3]]
        assert (await place.store.balance(1))[0] == 0
        assert (await place.status(reply.smsid)).body == status_body(reply.smsid, 1, 2, 0, "2550.0000", 4, 0)
        assert place.meters.accepted == 3, "messages, not requests"

    doorway(tmp_path, scenario)


# 146


def test_a_146_is_stored_as_rejected_and_can_be_queried(tmp_path: Path) -> None:
    """Its SMSID is in the body; no charge, no callback, no work; the reason names template and place."""

    async def scenario(place: Doorway) -> None:
        reply = await place.send(Content="4821 la ma dang ky BOCAU cua ban", CallbackUrl="https://shop.example/hook")
        assert reply.body == golden("146.json", reply.smsid)
        reason = 'template 2 (Mobifone) differs at character 17: expected "nhap"'
        assert reply.headers["x-bocau-reason"] == f'{reason}, got "ky"'
        assert (place.rows()[0].reason, '"ky"' in place.log_lines()) == (reason, False)
        assert (await place.status(reply.smsid)).body == status_body(reply.smsid, 1, 4, 0, "0.0000", 1, 0)
        (message,) = place.rows()
        assert (message.state, message.owner, message.wake_ms, message.callback_url) == ("rejected", 0, None, "")
        assert message.final_ms == NOW
        assert (await place.store.balance(1))[0] == BALANCE * VND
        assert (len(place.lane), place.lane.room("otp")) == (0, 1000)
        assert not place.inside().request_keys

    doorway(tmp_path, scenario)


# Work


def test_a_message_due_now_is_handed_on_and_a_scheduled_one_waits_in_the_store(tmp_path: Path) -> None:
    """The lane gets exactly what is committed; a full lane leaves it to the store."""

    async def scenario(place: Doorway) -> None:
        await place.send(SendDate="2027-01-15 16:00:00")
        assert len(place.lane) == 0
        await place.send()
        await place.send()
        await place.send()
        scheduled, first, second, third = place.rows()
        assert (scheduled.state, scheduled.release_ms, scheduled.owner) == (State.SCHEDULED, NOW + 3_600_000, 0)
        assert list(place.lane.items) == [first, second]
        assert [message.owner for message in (first, second, third)] == [place.store.epoch, place.store.epoch, 0]
        assert not place.lane.reserve(first.account_id, first.route_class, 1), "the consumer catches up with the store"

    doorway(tmp_path, scenario, places=3)


def test_a_client_that_hangs_up_before_its_answer_has_sent_all_the_same(tmp_path: Path) -> None:
    """The commit does not wait for anybody to listen; a retry with the same RequestId is 124."""

    async def scenario(place: Doorway) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", place.listener.port)
        writer.write(place.sending(RequestId="r"))
        await writer.drain()
        writer.transport.abort()
        while place.listener.connections or not place.rows():
            await place.world.sleep(0)
        assert (await place.send(RequestId="r")).code == "124"
        assert len(place.lane) == 1

    doorway(tmp_path, scenario)


# Faults of ours


def test_what_cannot_be_stored_is_503_and_nothing_of_it_is_there(tmp_path: Path) -> None:
    """The last write of an admission fails: no message, no RequestId, no money; afterwards service goes on."""

    async def scenario(place: Doorway) -> None:
        assert (await place.send()).code == "100"
        before = place.inside()
        place.tamper(
            "CREATE TRIGGER broken BEFORE UPDATE OF balance ON account BEGIN SELECT RAISE(ABORT, 'broken'); END"
        )
        for members in ({"RequestId": "r"}, {}, {"Phone": f"{PHONES[1]},{PHONES[2]}"}):
            reply = await place.send(**members)
            assert (reply.status, reply.body) == (503, UNAVAILABLE)
        assert place.inside() == before
        assert (len(place.lane), place.lane.room("otp")) == (1, 999)
        assert place.meters.unavailable == 3
        assert '"event":"request.unavailable"' in place.log_lines()
        place.tamper("DROP TRIGGER broken")
        assert (await place.send(RequestId="r")).code == "100"
        assert not place.engine.faults

    doorway(tmp_path, scenario)


def test_one_request_that_cannot_be_stored_does_not_cost_the_others_of_its_transaction(tmp_path: Path) -> None:
    """They share a commit and nothing else."""

    async def scenario(place: Doorway) -> None:
        place.tamper(
            "CREATE TRIGGER broken BEFORE INSERT ON message WHEN NEW.request_id = 'bad' "
            "BEGIN SELECT RAISE(ABORT, 'broken'); END"
        )
        ids = ["a", "bad", "b", "", "bad"]
        replies = await place.ask_all([place.sending(RequestId=request_id) for request_id in ids])
        assert [reply.status for reply in replies] == [200, 503, 200, 200, 503]
        assert [message.request_id for message in place.rows()] == ["a", "b", ""]
        assert (await place.store.balance(1))[0] == (BALANCE - 3 * PRICE) * VND

    doorway(tmp_path, scenario)


def test_a_store_that_is_broken_for_good_answers_503_to_everything(tmp_path: Path) -> None:
    """The first error is told once, so that the process can end (P16); no send is accepted after it."""

    async def scenario(place: Doorway) -> None:
        place.tamper("ALTER TABLE ledger RENAME TO gone")
        replies = [await place.send(), *await place.ask_all([place.sending()] * 3)]
        assert {(reply.status, reply.body) for reply in replies} == {(503, UNAVAILABLE)}
        assert len(place.engine.faults) == 1
        place.tamper("ALTER TABLE gone RENAME TO ledger")
        assert (await place.send()).status == 503
        assert not place.rows()

    doorway(tmp_path, scenario)


@pytest.mark.parametrize("table", ["request_key", "account", "message"])
def test_a_question_that_the_store_cannot_answer_is_503(tmp_path: Path, table: str) -> None:
    """Sandbox, a late refusal with a RequestId, balance and status read the store outside of a transaction."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send(RequestId="first")).smsid
        place.tamper(f"ALTER TABLE {table} RENAME TO gone")
        questions = {
            "request_key": [
                place.send(RequestId="r", Sandbox=1),
                place.send(RequestId="r", Phone="0951234567"),
            ],
            "account": [place.balance(), place.send(Sandbox=1)],
            "message": [place.status(smsid), place.send(RequestId="first", Sandbox=1)],
        }
        for name, asked in questions.items():
            for question in asked:
                if name == table:
                    reply = await question
                    assert (reply.status, reply.body) == (503, UNAVAILABLE)
                else:
                    question.close()
        place.tamper(f"ALTER TABLE gone RENAME TO {table}")
        assert (await place.balance()).status == (await place.status(smsid)).status == 200

    doorway(tmp_path, scenario)


def test_a_closed_door_takes_no_sends_and_still_answers_questions(tmp_path: Path) -> None:
    """While the gateway stops: sends and sandbox 503, status and balance as ever."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send()).smsid
        place.door.closed = True
        before = place.inside()
        for reply in (
            await place.send(),
            await place.send(Sandbox=1),
            await place.send(SecretKey="x"),
            await place.request("GET", f"{GET_PATH}?{query()}"),
        ):
            assert (reply.status, reply.body) == (503, UNAVAILABLE)
        assert (await place.status(smsid)).members["CodeResponse"] == "100"
        assert (await place.balance()).members["CodeResponse"] == "100"
        assert place.inside() == before

    doorway(tmp_path, scenario)
