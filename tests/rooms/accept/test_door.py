"""The door over real sockets with a real store behind it: bodies to the byte, and what is left in the store."""

import asyncio
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.rooms.accept.doorway import BALANCE, JSON_PATH, PLAIN, Doorway, Reply, doorway, golden, http
from tests.rooms.accept.faults import ACCOUNT_FAULTS, LIMIT, TAKEN, cases, label, members_of, read_order, stock_with
from tests.rooms.accept.shop import KEY, NOW, PHONES, POLICY, SECRET, TEXT, VND, Stock, key_of

from bocau.core.lifecycle import AttemptState, State
from bocau.core.message import AnswerKind

SMSID = re.compile("[0-9a-f]{32}[0-9]{3}")
INVALID = b'{"error":"Invalid request"}'
UNAVAILABLE = golden("error_503.json")
DAY = 86_400_000
GET_PATH = "/MainService.svc/json/SendMultipleMessage_V4_get"
STATUS_PATH = "/MainService.svc/json/GetSendStatus"
PRICE = 850


def query(**members: str) -> str:
    """A plain send as a query."""
    return "&".join(f"{name}={quote(value)}" for name, value in {**PLAIN, **members}.items())


def status_body(smsid: str, *values: object) -> bytes:
    """GetSendStatus of (failed, status, success, price, receivers, sent)."""
    names = ("SendFailed", "SendStatus", "SendSuccess", "TotalPrice", "TotalReceiver", "TotalSent")
    counts = ",".join(f'"{name}":{value}' for name, value in zip(names, values, strict=True))
    return f'{{"CodeResponse":"100","SMSID":"{smsid}",{counts}}}'.encode()


# Bodies


def test_an_accepted_send_is_answered_to_the_byte(tmp_path: Path) -> None:
    """Status line, type, length and the body of the sample; the SMSID has its documented form."""

    async def scenario(place: Doorway) -> None:
        reply = await place.send()
        assert SMSID.fullmatch(reply.smsid)
        assert reply.body == golden("100.json", reply.smsid)
        assert reply.raw == (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 86\r\n\r\n"
            + reply.body
        )
        (message,) = place.rows()
        assert (message.smsid, message.content, message.phone) == (reply.smsid, TEXT, PHONES[2])

    doorway(tmp_path, scenario)


@pytest.mark.parametrize(
    ("members", "body", "reason"),
    [
        ({"SecretKey": "x"}, golden("101.json"), "ApiKey or SecretKey is wrong"),
        ({"Brandname": ""}, golden("104.json"), "Brandname is missing"),
        ({"SmsType": 23}, golden("118.json"), "SmsType '23' is not supported; 2 and 8 are"),
        (
            {"Phone": "0901"},
            b'{"CodeResult":"108","CountRegenerate":0,"ErrorMessage":"The phone number 0901 is not valid."}',
            "Phone is not a Vietnamese mobile number",
        ),
        (
            {"Content": None},
            b'{"CodeResult":"110","CountRegenerate":0,"ErrorMessage":"Content is invalid"}',
            "Content is missing",
        ),
        (
            {"SmsType": ""},
            b'{"CodeResult":"300","CountRegenerate":0,"ErrorMessage":"SmsType is required"}',
            "SmsType is missing",
        ),
    ],
    ids=["101", "104", "118", "108", "110", "300"],
)
def test_a_refusal_is_answered_with_200_and_its_body_to_the_byte(
    tmp_path: Path, members: dict[str, object], body: bytes, reason: str
) -> None:
    """The precise cause goes into a header; nothing is stored."""

    async def scenario(place: Doorway) -> None:
        reply = await place.send(**members)
        assert (reply.status, reply.body) == (200, body)
        assert reply.headers["x-bocau-reason"] == reason
        assert not place.rows()

    doorway(tmp_path, scenario)


def test_a_locked_account_is_143_to_its_own_keys(tmp_path: Path) -> None:
    """The reason names the account; a name with signs that no header may hold does no harm."""

    async def scenario(place: Doorway) -> None:
        assert (await place.send()).headers["x-bocau-reason"] == "account shop-1 is locked"
        place.tamper("UPDATE account SET name = 'cửa\r\nX-Evil: \u2028hàng'")
        await place.reload()
        reply = await place.send()
        assert reply.code == "143"
        assert reply.headers["x-bocau-reason"] == r"account c\u1eeda\x0d\x0aX-Evil: \u2028h\xe0ng is locked"
        assert "x-evil" not in reply.headers

    doorway(tmp_path, scenario, Stock(state="locked"))


def test_a_short_balance_with_an_odd_account_name_is_still_answered(tmp_path: Path) -> None:
    """The refusal comes after the commit, where nobody would catch an error."""

    async def scenario(place: Doorway) -> None:
        place.tamper("UPDATE account SET name = 'a\nb'")
        await place.reload()
        await place.leave_dong(0)
        reply = await place.send()
        assert (reply.code, reply.headers["x-bocau-reason"]) == ("103", r"the balance of account a\x0ab is too low")

    doorway(tmp_path, scenario)


def test_operations_known_by_name_only_are_118(tmp_path: Path) -> None:
    """Zalo, Viber, SOAP and the like, whatever they carry (5.4)."""

    async def scenario(place: Doorway) -> None:
        for path in ("json/SendZaloMessage_V6/zalo_uid/", "json/ZNS/GetQuota", "json/Send_Multiple_Sms_OTT"):
            reply = await place.request("POST", f"/MainService.svc/{path}", b"<anything/>")
            assert (reply.status, reply.body) == (200, golden("118.json"))
        assert (await place.request("GET", "/MainService.svc?wsdl")).body == golden("118.json")

    doorway(tmp_path, scenario)


# Forms of a request


def test_paths_are_found_in_every_spelling(tmp_path: Path) -> None:
    """Slash or none, any case, doubled slashes, the absolute form, foreign query parameters; and no redirect."""
    body = json.dumps(PLAIN).encode()
    targets = [
        JSON_PATH,
        JSON_PATH.rstrip("/"),
        JSON_PATH.lower(),
        JSON_PATH.upper(),
        "/MainService.svc/JSON/SendMultipleMessage_V4_post_json",
        "//MainService.svc///json//SendMultipleMessage_V4_post_json//",
        "/MainService.svc/xml/SendMultipleMessage_V4_post_json",
        f"http://rest.esms.vn{JSON_PATH}",
        f"https://api.esms.vn:443{JSON_PATH.rstrip('/')}?n8n=nqdev",
        f"{JSON_PATH}?n8n=nqdev#there",
    ]

    async def scenario(place: Doorway) -> None:
        for target in targets:
            reply = await place.request("POST", target, body)
            assert reply.body == golden("100.json", reply.smsid), target
        assert len(place.rows()) == len(targets)

    doorway(tmp_path, scenario)


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "Content-Type: application/json; charset=utf-8\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: application/text/plain\r\n",
        "Content-Type: text/xml\r\n",
        "Content-Type:\r\n",
        "Authorization: Basic eDp5\r\nCookie: ASP.NET_SessionId=1\r\nAccept: application/xml\r\n",
    ],
)
def test_the_first_byte_decides_and_not_the_content_type(tmp_path: Path, headers: str) -> None:
    """JSON and forms under every label, with a byte order mark and blanks around them."""
    body = json.dumps(PLAIN).encode()
    form = query().replace("%20", "+").encode()

    async def scenario(place: Doorway) -> None:
        for data in (body, b"\xef\xbb\xbf" + body, b" \r\n" + body + b"\n", form, b"\xef\xbb\xbf" + form):
            assert (await place.request("POST", JSON_PATH, data, headers)).code == "100"
        assert {message.content for message in place.rows()} == {TEXT}
        assert len(place.rows()) == 5

    doorway(tmp_path, scenario)


@pytest.mark.parametrize(
    "spell", [str.upper, str.lower, str.title, str.swapcase], ids=lambda spell: str(spell.__name__)
)
def test_names_of_parameters_are_found_in_any_case(tmp_path: Path, spell: object) -> None:
    """In JSON, form and query; numbers and booleans stand for their text."""
    assert callable(spell)
    members = {spell(name): value for name, value in {**PLAIN, "Sandbox": 0, "RequestId": None, "x": [1]}.items()}
    plain = {name: value for name, value in members.items() if isinstance(value, str)}

    async def scenario(place: Doorway) -> None:
        encoded = "&".join(f"{name}={quote(value)}" for name, value in plain.items())
        for reply in (
            await place.request("POST", JSON_PATH, json.dumps(members).encode()),
            await place.request("POST", JSON_PATH, encoded.encode()),
            await place.request("GET", f"{GET_PATH}?&{encoded}"),
            await place.request("POST", GET_PATH, json.dumps(members).encode()),
        ):
            assert reply.code == "100"
        assert {message[9:14] for message in place.rows()} == {("otp", "BOCAU", PHONES[2], 2, TEXT)}

    doorway(tmp_path, scenario)


def test_a_get_ignores_its_body_and_a_body_wins_over_the_query(tmp_path: Path) -> None:
    """One client puts JSON into a GET; it is neither read nor a fault."""

    async def scenario(place: Doorway) -> None:
        assert (await place.request("GET", f"{GET_PATH}?{query()}", b'{"ApiKey":"x"}')).code == "100"
        assert (await place.request("GET", f"{GET_PATH}?{query()}", b"<not read>")).code == "100"
        body = json.dumps({"Phone": PHONES[1]}).encode()
        assert (await place.request("POST", f"{JSON_PATH}?{query()}", body)).code == "100"
        assert [message.phone for message in place.rows()] == [PHONES[2], PHONES[2], PHONES[1]]

    doorway(tmp_path, scenario)


def test_vietnamese_text_arrives_in_every_coding(tmp_path: Path) -> None:
    """UTF-8 raw and escaped, in body and query; windows-1258 with a line in the log."""
    text = "Xin chào, mã của bạn: 4821"
    stock = Stock(templates=((1, "BOCAU", 2, "{P2,200}", "other"),))

    async def scenario(place: Doorway) -> None:
        members = {**PLAIN, "Content": text, "IsUnicode": "1"}
        for body in (json.dumps(members).encode(), json.dumps(members, ensure_ascii=False).encode()):
            assert (await place.request("POST", JSON_PATH, body)).code == "100"
        raw = f"{GET_PATH}?{query(IsUnicode='1')}&Content=".encode() + text.replace(" ", "%20").encode()
        assert (await place.request("GET", raw)).code == "100"
        old = query(IsUnicode="1").encode() + b"&Content=" + "so\u0301 dư 4821".encode("cp1258")
        assert (await place.request("POST", JSON_PATH, old)).code == "100"
        assert [message.content for message in place.rows()] == [text, text, text, "só dư 4821"]
        assert "the body was read as cp1258, not UTF-8" in place.log_lines()

    doorway(tmp_path, scenario, stock)


# What is no request of the API


def test_unknown_paths_are_404(tmp_path: Path) -> None:
    """Under the service and beside it, for any method."""

    async def scenario(place: Doorway) -> None:
        for target in (
            "/",
            "/favicon.ico",
            "/MainService.svc/json/Nothing",
            "/MainService.svc/json/",
            "/MainService.svc/xml/GetBalance/a/b",
            "/MainService.svc/json/GetBalance/a/b/c",
            "/json/SendMultipleMessage_V4_get",
            "/MainService.svc/json/GetBalance/%ff/b",
        ):
            for method in ("GET", "POST", "DELETE", "OPTIONS"):
                reply = await place.request(method, target)
                assert (reply.status, reply.body) == (404, INVALID), target

    doorway(tmp_path, scenario)


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        (JSON_PATH, "POST, OPTIONS"),
        ("/MainService.svc/json/GetBalance_json", "POST, OPTIONS"),
        (GET_PATH, "GET, POST, HEAD, OPTIONS"),
        (STATUS_PATH, "GET, POST, HEAD, OPTIONS"),
        ("/MainService.svc/json/GetBalance/k/s", "GET, POST, HEAD, OPTIONS"),
    ],
)
def test_other_methods_are_405_with_allow(tmp_path: Path, path: str, allow: str) -> None:
    """OPTIONS tells the same without a body."""

    async def scenario(place: Doorway) -> None:
        for method in ("PUT", "DELETE", "PATCH", "TRACE", *(() if "GET" in allow else ("GET", "HEAD"))):
            reply = await place.request(method, path)
            body = b"" if method == "HEAD" else INVALID
            assert (reply.status, reply.headers["allow"], reply.body) == (405, allow, body), method
        reply = await place.request("OPTIONS", path)
        assert (reply.status, reply.headers["allow"], reply.body) == (204, allow, b"")
        assert not place.rows()

    doorway(tmp_path, scenario)


def test_head_is_answered_as_get_without_a_body_and_changes_nothing(tmp_path: Path) -> None:
    """RFC 9110, 9.3.2 and 9.2.1: it is safe, so a send is only tried as in the sandbox."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send(RequestId="r1")).smsid
        for target in (
            f"{STATUS_PATH}?RefId={smsid}&ApiKey={KEY}&SecretKey={SECRET}",
            f"/MainService.svc/json/GetBalance/{KEY}/{SECRET}",
            f"{GET_PATH}?{query(Brandname='x')}",
            f"{GET_PATH}?{query(RequestId='r1')}",
        ):
            whole, head = await place.request("GET", target), await place.request("HEAD", target)
            assert (head.status, head.headers, head.body) == (200, whole.headers, b""), target
        before = place.inside()
        reply = await place.request("HEAD", f"{GET_PATH}?{query(RequestId='r2')}", b"ignored")
        assert (reply.status, reply.headers["content-length"], reply.body) == (200, "86", b"")
        assert place.inside() == before

    doorway(tmp_path, scenario)


@pytest.mark.parametrize(
    "body",
    [
        b"[1,2]",
        b"<RQST><APIKEY>K</APIKEY></RQST>",
        b"{",
        b'{"ApiKey":}',
        b'{"ApiKey":{"a":1}}',
        b'{"ApiKey":"\\ud800"}',
        b'{"ApiKey":"a\\u0000b"}',
        b'{"a":' + b"[" * 40 + b"]" * 40 + b"}",
        b"hello",
        b"\xff\xfe{\x00}\x00",
        b"ApiKey=%00",
        b"&a=1" * 201,
        b'{"Phone":123456789012345678901}',
    ],
)
def test_a_body_that_cannot_be_read_is_400(tmp_path: Path, body: bytes) -> None:
    """One shape for all; nothing changes, and the log says what kind of thing was wrong."""

    async def scenario(place: Doorway) -> None:
        before = place.inside()
        reply = await place.request("POST", JSON_PATH, body)
        assert (reply.status, reply.body) == (400, golden("error_400.json"))
        assert place.inside() == before
        assert '"event":"request.malformed","reason":"' in place.log_lines()
        assert place.meters.malformed == 1

    doorway(tmp_path, scenario)


def test_a_body_that_is_too_large_is_413(tmp_path: Path) -> None:
    """64 KiB for a send; the listener itself takes no more than 1 MiB."""

    async def scenario(place: Doorway) -> None:
        room = 65_536 - len(json.dumps({**PLAIN, "x": ""}))
        assert (await place.request("POST", JSON_PATH, json.dumps({**PLAIN, "x": "y" * room}).encode())).code == "100"
        for size in (room + 1, 1 << 20):
            reply = await place.request("POST", JSON_PATH, json.dumps({**PLAIN, "x": "y" * size}).encode())
            assert (reply.status, reply.body) == (413, b'{"error":"Request too large"}')
        assert len(place.rows()) == 1

    doorway(tmp_path, scenario)


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
        assert place.lane.room == 1000 - 2, "the others' places are free again"

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
            account = await place.open_account(stock_with(faults)._replace(state="active"))
            keys[faults] = key_of(account)
            await place.reload()
            taken = await place.send(ApiKey=keys[faults], SmsType=8, Content="4821", RequestId=TAKEN)
            assert taken.code == "100"
            if "103" in faults:
                await place.leave_dong(0, account)
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
        assert reply.headers["x-bocau-reason"] == "text differs from template 2 at character 17: expected 'nhap'"
        assert (await place.status(reply.smsid)).body == status_body(reply.smsid, 1, 4, 0, "0.0000", 1, 0)
        (message,) = place.rows()
        assert (message.state, message.owner, message.wake_ms, message.callback_url) == ("rejected", 0, None, "")
        assert message.final_ms == NOW
        assert (await place.store.balance(1))[0] == BALANCE * VND
        assert (len(place.lane), place.lane.room) == (0, 1000)
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
        assert not place.lane.open, "the consumer catches up with the store first"

    doorway(tmp_path, scenario, places=2)


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


# GetSendStatus


def test_the_status_follows_the_message(tmp_path: Path) -> None:
    """At once after the 100, with the carrier, delivered; numbers are number tokens (3.5)."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send()).smsid
        assert (await place.status(smsid)).body == status_body(smsid, 0, 2, 0, "850.0000", 1, 0)
        (message,) = place.rows()
        await place.submit(message)
        assert (await place.status(smsid)).body == status_body(smsid, 0, 7, 0, "850.0000", 1, 1)
        await place.report(message, AttemptState.DELIVERED)
        assert (await place.status(smsid)).body == golden("send_status.json", smsid)

    doorway(tmp_path, scenario)


@pytest.mark.parametrize(
    ("kind", "state", "values"),
    [
        (AnswerKind.PERMANENT, None, (1, 5, 0, "0.0000", 1, 1)),
        (AnswerKind.TAKEN, AttemptState.UNDELIVERED, (1, 5, 0, "0.0000", 1, 1)),
        (AnswerKind.TAKEN, AttemptState.EXPIRED, (1, 5, 0, "0.0000", 1, 1)),
        (AnswerKind.UNCERTAIN, None, (0, 7, 0, "850.0000", 1, 1)),
        (AnswerKind.TEMPORARY, None, (0, 2, 0, "850.0000", 1, 0)),
    ],
)
def test_the_status_of_what_did_not_go_well(
    tmp_path: Path, kind: AnswerKind, state: AttemptState | None, values: tuple[object, ...]
) -> None:
    """A failure is finished and costs nothing; an answer that never came is still on its way."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send()).smsid
        (message,) = place.rows()
        await place.submit(message, kind)
        if state is not None:
            await place.report(message, state)
        assert (await place.status(smsid)).body == status_body(smsid, *values)

    doorway(tmp_path, scenario)


def test_another_account_s_id_is_answered_like_an_unknown_one(tmp_path: Path) -> None:
    """S3: the same bytes, so that nobody learns which ids exist."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send()).smsid
        foreign = await place.status(smsid, key_of(2))
        assert foreign.body == golden("send_status_105.json", smsid)
        unknown = smsid[:-4] + ("0" if smsid[-4] != "0" else "1") + smsid[-3:]
        assert (await place.status(unknown, key_of(2))).raw == foreign.raw.replace(smsid.encode(), unknown.encode())
        assert (await place.status(unknown)).raw == foreign.raw.replace(smsid.encode(), unknown.encode())

    doorway(tmp_path, scenario, Stock(), Stock())


@pytest.mark.parametrize("smsid", ["", "x", "0" * 35, "g" * 35, "f" * 32 + "001", "6b1f0f3f-9a7d-4b0f", "f" * 200])
def test_an_id_that_is_none_is_105(tmp_path: Path, smsid: str) -> None:
    """It is repeated as it was asked."""

    async def scenario(place: Doorway) -> None:
        assert (await place.status(smsid)).body == golden("send_status_105.json", smsid)

    doorway(tmp_path, scenario)


def test_the_status_is_asked_in_any_form(tmp_path: Path) -> None:
    """Any case of the id, RefId, ReferenceId or SMSID, by GET or POST; bad keys get two members."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send()).smsid
        upper = smsid.upper()
        assert (await place.status(upper)).body == status_body(upper, 0, 2, 0, "850.0000", 1, 0)
        wanted = status_body(smsid, 0, 2, 0, "850.0000", 1, 0)
        keys = {"apikey": KEY, "Secretkey": SECRET}
        for name in ("RefId", "REFID", "ReferenceId", "SMSID"):
            body = json.dumps({**keys, name: f" {smsid} "}).encode()
            assert (await place.request("POST", f"{STATUS_PATH}/", body)).body == wanted
            target = f"/mainservice.svc/JSON/getsendstatus/?&{name}={smsid}&APIKEY={KEY}&SECRETKEY={SECRET}"
            assert (await place.request("GET", target)).body == wanted
        assert (await place.status(smsid, secret="x")).body == golden("send_status_101.json", smsid)
        assert (await place.request("GET", f"{STATUS_PATH}?RefId=%00")).status == 400

    doorway(tmp_path, scenario)


def test_the_status_is_kept_for_seven_days(tmp_path: Path) -> None:
    """Then the id is unknown."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send()).smsid
        place.world.now += 7 * DAY
        assert (await place.status(smsid)).members["CodeResponse"] == "100"
        place.world.now += 1
        assert (await place.status(smsid)).body == golden("send_status_105.json", smsid)

    doorway(tmp_path, scenario)


# GetBalance


def test_the_balance_is_answered_in_both_forms(tmp_path: Path) -> None:
    """Keys in the body or in the path, percent-encoded where needed; whole dong without decimals."""

    async def scenario(place: Doorway) -> None:
        await place.leave_dong(36_693)
        wanted = golden("balance.json").replace(b"9999", b"1")
        assert (await place.balance()).body == wanted
        for target in (
            f"/MainService.svc/json/GetBalance/{KEY}/{SECRET}",
            f"/mainservice.svc/JSON/getbalance/{KEY}/{SECRET}/",
            f"/MainService.svc/json/GetBalance/{KEY.replace('-', '%2D')}/{SECRET}",
            f"/MainService.svc/json/GetBalance?apikey={KEY}&secretkey={SECRET}",
        ):
            assert (await place.request("GET", target)).body == wanted
        assert (await place.request("POST", "/MainService.svc/json/GetBalance_json/", query().encode())).body == wanted
        await place.store.top_up(1, 5_000, "half a dong", NOW)
        assert (await place.balance()).body == wanted.replace(b"36693", b"36693.5")
        await place.leave_dong(0)
        assert (await place.balance()).body == wanted.replace(b"36693", b"0")

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
        assert (len(place.lane), place.lane.room) == (1, 999)
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


# Secrets


def test_four_kinds_of_wrong_keys_are_the_same_bytes(tmp_path: Path) -> None:
    """S4: wrong secret, unknown key, disabled key, and missing or empty ones, at every operation."""
    wrong = [(KEY, "wrong"), ("unknown", SECRET), (key_of(2), SECRET), (key_of(2), "wrong"), ("", ""), ("é", "é")]
    locked = (key_of(3), "wrong")

    async def scenario(place: Doorway) -> None:
        sends, statuses, balances, paths = set(), set(), set(), set()
        for key, secret in (*wrong, locked):
            sends.add((await place.send(ApiKey=key, SecretKey=secret)).raw)
            statuses.add((await place.status("6b1f", quote(key), quote(secret))).raw)
            balances.add((await place.balance(key, secret)).raw)
            if key:
                target = f"/MainService.svc/json/GetBalance/{quote(key)}/{quote(secret)}"
                paths.add((await place.request("GET", target)).raw)
        sends.add((await place.request("POST", JSON_PATH, b'{"ApiKey":null}')).raw)
        sends.add((await place.request("POST", JSON_PATH)).raw)
        assert len(sends) == len(statuses) == 1
        assert sends.pop().endswith(b"\r\n\r\n" + golden("101.json"))
        assert statuses.pop().endswith(b'\r\n\r\n{"CodeResponse":"101","SMSID":"6b1f"}')
        assert len(balances | paths) == 1
        assert balances.pop().endswith(b"\r\n\r\n" + golden("balance_101.json"))
        assert not place.rows()

    doorway(tmp_path, scenario, Stock(), Stock(key_state="disabled"), Stock(state="locked"))


def test_no_key_text_or_whole_phone_reaches_the_log_or_a_header(tmp_path: Path) -> None:
    """S1: every kind of answer with canaries in all fields, also in the wrong ones, and faults with a cause."""
    secrets = [
        "938271",
        "0907654321",
        "84907654321",
        "907654321",
        "canary-key",
        "canary-secret",
        "la ma bi mat",
        SECRET,
    ]
    text, phone = "938271 la ma bi mat", "0907654321"
    requests: list[dict[str, object]] = [
        {"Phone": phone, "Content": text},
        {"ApiKey": "canary-key", "SecretKey": "canary-secret"},
        {"ApiKey": "canary-secret", "SecretKey": "canary-key"},
        {"Phone": text},
        {"Phone": phone, "Content": text, "SmsType": phone},
        {"SmsType": "938271"},
        {"Brandname": phone},
        {"Brandname": text},
        {"Brandname": "canary-secret"},
        {"SendDate": phone},
        {"Content": phone},
        {"RequestId": text * 20},
        {"CallbackUrl": f"x:{text}/{phone}"},
        {"Phone": f"{phone},{phone}1", "SmsType": 8, "Content": text},
        {"Phone": phone, "Content": TEXT, "RequestId": text},
        {"Phone": phone, "Content": TEXT, "RequestId": text},
        {"Phone": phone, "Content": TEXT, "Sandbox": 1},
        {"Phone": "0951234567", "RequestId": phone},
    ]

    async def scenario(place: Doorway) -> None:
        replies = [await place.send(**members) for members in requests]
        replies += [
            await place.request("POST", JSON_PATH, f'{{"Content":"{text}","Phone":"{phone}"'.encode()),
            await place.request("POST", JSON_PATH, f"Content={text}&Phone=%00{phone}".encode()),
            await place.request("POST", JSON_PATH, f"ApiKey=canary-key&Content={text}\xe9".encode("latin-1")),
            await place.request("GET", "/MainService.svc/json/GetBalance/canary-key/canary-secret"),
            await place.request("GET", "/MainService.svc/json/Get/canary-key/canary-secret"),
            await place.status(phone, "canary-key", "canary-secret"),
        ]
        place.tamper(
            "CREATE TRIGGER broken BEFORE INSERT ON message BEGIN SELECT RAISE(ABORT, 'broken'); END",
            "ALTER TABLE request_key RENAME TO gone",
        )
        replies.append(await place.send(Phone=phone, Content=TEXT, CallbackUrl=f"https://canary-key@{phone}/"))
        replies.append(await place.send(Phone=phone, Content=TEXT, RequestId=text, Sandbox=1))
        place.tamper("ALTER TABLE gone RENAME TO request_key")
        codes = {reply.code for reply in replies if b"CodeResult" in reply.body}
        assert codes >= {"100", "101", "104", "108", "110", "118", "124", "146", "159", "163", "177"}
        assert {reply.status for reply in replies} == {200, 400, 404, 503}
        heads = "\n".join(reply.raw.partition(b"\r\n\r\n")[0].decode() for reply in replies)
        log = place.log_lines()
        assert log.count("\n") > len(requests) - 4
        assert '"exception":' in log
        for secret in secrets:
            assert secret not in log, secret
            assert secret not in heads, secret

    doorway(tmp_path, scenario)


def test_a_warning_says_that_the_callback_url_is_ignored(tmp_path: Path) -> None:
    """The message goes out; the line names the account and does not quote the URL."""

    async def scenario(place: Doorway) -> None:
        assert (await place.send(CallbackUrl="gopher://shop.example/secret")).code == "100"
        assert place.rows()[0].callback_url == ""
        assert '"event":"request.warn"' in place.log_lines()
        assert '"account":"shop-1"' in place.log_lines()
        assert "gopher" not in place.log_lines()
        assert "shop.example" not in place.log_lines()

    doorway(tmp_path, scenario)


def test_every_refusal_is_counted_by_its_code(tmp_path: Path) -> None:
    """For the metric bocau_refused_requests_total."""

    async def scenario(place: Doorway) -> None:
        await place.ask_all([place.sending(**members) for members in ({}, {"SmsType": 9}, {"Brandname": "x"}, {})])
        await place.request("POST", JSON_PATH, http("GET", "/"))
        assert dict(place.meters.refused) == {"118": 1, "104": 1}
        assert (place.meters.requests, place.meters.accepted, place.meters.parts) == (5, 2, 2)

    doorway(tmp_path, scenario)
