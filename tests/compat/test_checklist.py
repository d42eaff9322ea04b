"""The conformance checklist of the API (esms-api, section 6), at the real door: one test or more for each line."""

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rooms.accept.doorway import GOLDEN, JSON_PATH, PLAIN, SAMPLE_SMSID, Doorway, Reply, doorway, golden, http
from tests.rooms.accept.shop import KEY, PHONES, SECRET, Stock
from tests.store.engines import SqliteEngine

from bocau.core.lifecycle import AttemptState, State
from bocau.core.message import CallbackTry, Message
from bocau.report.callbacks import CallbackPolicy, judge, url_of
from bocau.settings.sections import Callback

FORM_PATH = "/MainService.svc/json/SendMultipleMessage_V4_post/"
GET_PATH = "/MainService.svc/json/SendMultipleMessage_V4_get"
STATUS_PATH = "/MainService.svc/json/GetSendStatus"
RECORDED = sorted(GOLDEN.glob("type2_*.http"))
ROOMY = Stock(templates=(*Stock().templates, (99, "BOCAU", 2, "{P2,300}", "other")))
"""An account whose texts are free."""

SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "ApiKey": ("Apikey", "APIKEY"),
    "SecretKey": ("Secretkey", "SECRETKEY"),
    "Brandname": ("BrandName", "BRANDNAME"),
    "SmsType": ("SMSTYPE", "Smstype"),
    "IsUnicode": ("Unicode", "UNICODE", "ISUNICODE"),
    "Sandbox": ("SandBox", "sandbox", "IsSandbox"),
    "campaignid": ("Campaignid", "CampaignId", "CAMPAIGNID"),
    "RequestId": ("RequestID", "REQUESTID"),
    "CallbackUrl": ("CallBackUrl", "CallbackURL", "CALLBACKURL"),
    "SendDate": ("SENDDATE",),
    "Content": ("CONTENT",),
    "Phone": ("PHONE",),
}
"""Names as documents and clients write them."""

WHOLE: Mapping[str, str] = {
    **PLAIN,
    "IsUnicode": "1",
    "Sandbox": "0",
    "campaignid": "log-in",
    "CallbackUrl": "https://shop.example/hook?shop=9",
    "SendDate": "2027-01-15 18:30:00",
}
"""Every member that the pages of the API name, but for RequestId, which may be used only once."""


def recorded(path: Path) -> bytes:
    """A request of the golden folder as it goes over the wire."""
    head, _, body = path.read_bytes().partition(b"\n\n")
    length = f"\r\nContent-Length: {len(body)}".encode() if body else b""
    return head.rstrip(b"\n").replace(b"\n", b"\r\n") + length + b"\r\n\r\n" + body


def stored(message: Message) -> Message:
    """A message without what differs between any two: its ids."""
    return replace(message, id=0, head=0, smsid="")


def form(members: Mapping[str, str]) -> bytes:
    """Members as a form, with a plus for a space."""
    return "&".join(f"{name}={quote_plus(value)}" for name, value in members.items()).encode()


def document(members: Mapping[str, str], root: str = "RQST", change: Callable[[str], str] = str.upper) -> bytes:
    """Members as XML, the numbers as customers of a list, each wrapped once more as one client does it."""
    inside = "".join(
        f"<{change(name)}>{escape(value, {chr(13): '&#13;'})}</{change(name)}>"
        for name, value in members.items()
        if name != "Phone"
    )
    numbers = members["Phone"].split(",")
    customers = "".join(f"<item><CUSTOMER><PHONE>{number}</PHONE></CUSTOMER></item>" for number in numbers)
    return f'<?xml version="1.0"?>\n<{root}>{inside}<CONTACTS>{customers}</CONTACTS></{root}>'.encode()


def every_send(members: Mapping[str, str]) -> Iterator[bytes]:
    """One request in every form of section 3.1, at its own operation and at others."""
    text = json.dumps(members).encode()
    query = "&".join(f"{name}={quote(value)}" for name, value in members.items())
    yield http("POST", JSON_PATH, text, "Content-Type: application/json\r\n")
    yield http("POST", JSON_PATH.replace("/json/", "/xml/"), text)
    yield http("POST", FORM_PATH, form(members), "Content-Type: application/x-www-form-urlencoded\r\n")
    yield http("POST", FORM_PATH, text)
    yield http("POST", JSON_PATH, form(members))
    yield http("GET", f"{GET_PATH}?{query}")
    yield http("GET", f"{GET_PATH}/?&{query.replace('%20', '+')}&Email=&IsFlash=0")
    yield http("POST", GET_PATH, text)
    yield http("POST", f"{JSON_PATH}?{query}")
    for name, folder in product(("SendMultipleMessage_V4", "SendMultipleMessage_V2"), ("json", "xml")):
        yield http("POST", f"/MainService.svc/{folder}/{name}/", document(members), "Content-Type: text/xml\r\n")
    yield http("POST", "/MainService.svc/xml/SendMultipleMessage_V4", document(members, "item", str.lower))
    yield http("POST", JSON_PATH, document(members, "ApiModel", str))
    yield http("POST", JSON_PATH.replace("/json/", "/xml/"), document(members, "ApiModel", str))
    yield http("POST", "/MainService.svc/xml/SendMultipleMessage_V4/", text)
    yield http("POST", f"{GET_PATH}?n8n=nqdev", document(members))


# 1. Bodies of 2.3 byte-exact, with the SMSID as the only variable.


def test_line_1_the_six_bodies_are_exact(tmp_path: Path) -> None:
    """Accepted, unknown brandname, bad keys, used RequestId (of a finished message), template, connection error."""

    async def scenario(place: Doorway) -> None:
        accepted = await place.send(RequestId="login-77")
        assert accepted.body.replace(accepted.smsid.encode(), SAMPLE_SMSID.encode()) == golden("100.json")
        (message,) = place.rows()
        await place.submit(message)
        await place.report(message, AttemptState.DELIVERED)
        assert (await place.send(RequestId="login-77")).body == golden("124.json")
        assert (await place.send(Brandname="Nobody")).body == golden("104.json")
        assert (await place.send(SecretKey="wrong")).body == golden("101.json")
        mismatch = await place.send(Content="no such template")
        assert mismatch.body.replace(mismatch.smsid.encode(), SAMPLE_SMSID.encode()) == golden("146.json")
        broken = await place.request("POST", JSON_PATH, b"{")
        assert (broken.status, broken.body) == (400, golden("error_400.json"))
        second = await place.send(SmsType=8, Content="686868", Brandname=None)
        assert second.body == golden("100.json", second.smsid), "type 8 too (row G)"

    doorway(tmp_path, scenario)


# 2. Every send form of 3.1 gives the same stored message for the same input.


def test_line_2_every_form_gives_the_same_message(tmp_path: Path) -> None:
    """JSON, form, GET and XML, at their own operations and at each other's."""

    async def scenario(place: Doorway) -> None:
        for text in ("Xin chào, mã số của bạn: 4821", "50% & more = a+b #1?", '{P1,8} \\ "x"\n2nd line'):
            replies = [await place.ask(request) for request in every_send({**WHOLE, "Content": text})]
            assert {reply.code for reply in replies} == {"100"}
            messages = [stored(message) for message in place.rows()]
            assert len(messages) == len(replies)
            assert len(set(messages)) == 1, text
            assert messages[0].content == text
            place.tamper("DELETE FROM message", "DELETE FROM ledger WHERE kind = 'hold'")
            place.tamper("UPDATE account SET balance = (SELECT sum(amount) FROM ledger)")

    doorway(tmp_path, scenario, ROOMY)


TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("&<>+%\"'\r\n"),
    max_size=60,
)
"""Texts that every form can carry: XML has no control characters."""


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, st.sampled_from(["0901234567", "84 90 123 4567", "0901234567,0981234567", "x"]), st.sampled_from("01"))
def test_line_2_whatever_the_text_every_form_stores_the_same(
    tmp_path_factory: pytest.TempPathFactory, content: str, phones: str, flag: str
) -> None:
    """Or refuses it with the same code: one door, one set of checks."""
    members = {**WHOLE, "Content": f"a{content}", "Phone": phones, "IsUnicode": flag}

    async def scenario(place: Doorway) -> None:
        replies = [await place.ask(request) for request in every_send(members)]
        assert {reply.status for reply in replies} == {200}
        assert len({reply.code for reply in replies}) == 1
        rows = [stored(message) for message in place.rows()]
        assert len(set(rows)) in (0, len(rows) // len(replies))
        assert bool(rows) == (replies[0].code in ("100", "146"))

    doorway(tmp_path_factory.mktemp("door"), scenario, ROOMY)


def test_line_2_what_clients_were_seen_to_send_is_the_documented_message(tmp_path: Path) -> None:
    """The recorded requests differ in path, case, type and form, and in nothing that is stored."""
    found: dict[str, Message] = {}
    for path in RECORDED:
        folder = tmp_path / path.stem
        folder.mkdir()

        async def scenario(place: Doorway, path: Path = path) -> None:
            reply = await place.ask(recorded(path))
            assert reply.body == golden("100.json", reply.smsid), path.stem
            (message,) = place.rows()
            found[path.stem] = stored(message)

        doorway(folder, scenario)
    assert len(found) == len(RECORDED) > 8
    assert set(found.values()) == {found["type2_documented"]}


# 3. Upper-case, lower-case and documented spellings of all names give the same result.


def respelled() -> Iterator[dict[str, str]]:
    """Every member in each of its spellings, the others as documented."""
    for name, others in SPELLINGS.items():
        for spelling in (name.upper(), name.lower(), *others):
            yield {(spelling if key == name else key): value for key, value in {**WHOLE, "RequestId": ""}.items()}
    for change in (str.upper, str.lower, str.swapcase):
        yield {change(key): value for key, value in WHOLE.items()}


def test_line_3_spellings_of_names_do_not_matter(tmp_path: Path) -> None:
    """In JSON, form and query."""

    async def scenario(place: Doorway) -> None:
        count = 0
        for members in ({**WHOLE}, *respelled()):
            query = form(members).decode()
            for request in (
                http("POST", JSON_PATH, json.dumps(members).encode()),
                http("POST", FORM_PATH, form(members)),
                http("GET", f"{GET_PATH}?{query}"),
            ):
                assert (await place.ask(request)).code == "100", members
                count += 1
        messages = {stored(message) for message in place.rows()}
        assert len(place.rows()) == count > 100
        assert len(messages) == 1

    doorway(tmp_path, scenario)


def test_line_3_spellings_of_names_do_not_matter_to_queries(tmp_path: Path) -> None:
    """GetSendStatus and GetBalance."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send()).smsid
        wanted, money = (await place.status(smsid)).body, (await place.balance()).body
        for change in (str.upper, str.lower, str.title, str.swapcase):
            keys = {change("ApiKey"): KEY, change("SecretKey"): SECRET}
            asked = form({change("RefId"): smsid, **keys}).decode()
            assert (await place.request("GET", f"{STATUS_PATH}?{asked}")).body == wanted
            body = json.dumps(keys).encode()
            assert (await place.request("POST", "/MainService.svc/json/GetBalance_json", body)).body == money

    doorway(tmp_path, scenario)


# 4. SmsType, Sandbox, IsUnicode as string and as number give the same result.


def test_line_4_strings_and_numbers_are_the_same(tmp_path: Path) -> None:
    """Row E: the sample quotes the type and not the flags, clients send about as many of one as of the other."""
    text = "mã 4821"

    async def scenario(place: Doorway) -> None:
        values: list[dict[str, object]] = [
            {"SmsType": kind, "IsUnicode": flag, "Sandbox": sandbox}
            for kind, flag, sandbox in product(("2", 2, 2.0), ("1", 1, True, "true"), ("0", 0, False, None, ""))
        ]
        for members in values:
            assert (await place.send(Content=text, **members)).code == "100"
        assert {stored(message).content for message in place.rows()} == {text}
        assert len({stored(message) for message in place.rows()}) == 1
        assert len(place.rows()) == len(values)
        for kind, sandbox in product(("2", 2), ("1", 1, True)):
            assert (await place.send(SmsType=kind, Sandbox=sandbox)).code == "100"
        assert len(place.rows()) == len(values), "the sandbox stores nothing"
        for kind in ("8", 8, 8.0):
            assert (await place.send(SmsType=kind, Content="686868", Phone=901234567)).code == "100"
        eights = place.rows()[len(values) :]
        assert {(message.sms_type, message.phone) for message in eights} == {(8, PHONES[2])}

    doorway(tmp_path, scenario, ROOMY)


# 5. With and without slash; /JSON/; double slash; missing and wrong Content-Type; BOM.


def test_line_5_paths_types_and_marks_do_not_matter(tmp_path: Path) -> None:
    """Every path with every type, with and without a byte order mark."""
    paths = (
        JSON_PATH,
        JSON_PATH.rstrip("/"),
        JSON_PATH.replace("/json/", "/JSON/"),
        JSON_PATH.replace("/json/", "/json//"),
        JSON_PATH.lower(),
        f"http://rest.esms.vn{JSON_PATH}",
    )
    types = (
        "",
        "Content-Type: application/json\r\n",
        "Content-Type: application/text/plain\r\n",
        "Content-Type: x\r\n",
    )
    body = json.dumps(PLAIN).encode()

    async def scenario(place: Doorway) -> None:
        for path, kind, mark in product(paths, types, (b"", b"\xef\xbb\xbf")):
            reply = await place.request("POST", path, mark + body, kind)
            assert reply.body == golden("100.json", reply.smsid), (path, kind, mark)
        assert len({stored(message) for message in place.rows()}) == 1
        for path in ("/mainservice.svc/JSON//getbalance/{}/{}/", "/MainService.svc/json/GetBalance/{}/{}"):
            reply = await place.request("GET", path.format(KEY, SECRET))
            assert reply.members["CodeResponse"] == "100"

    doorway(tmp_path, scenario)


# 6. CodeResult is a string in every reply, CountRegenerate a number.


def check_shape(reply: Reply) -> None:
    """Types and order of the members of a send's reply (1.2), and no space between them."""
    members = reply.members
    assert isinstance(members["CodeResult"], str)
    assert re.fullmatch("[0-9]{2,3}", members["CodeResult"])
    assert members["CountRegenerate"] == 0
    assert type(members["CountRegenerate"]) is int
    assert list(members) == sorted(members), "ordinal order"
    assert all(isinstance(members[name], str) for name in members if name != "CountRegenerate")
    assert reply.body == json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode()
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert int(reply.headers["content-length"]) == len(reply.body)
    assert not set(members) - {"CodeResult", "CountRegenerate", "ErrorMessage", "SMSID", "SendStatus"}
    assert ("SMSID" in members) == (members["CodeResult"] in ("100", "146"))
    assert ("SendStatus" in members) == (members["CodeResult"] == "124")


def test_line_6_codes_are_strings_and_counts_are_numbers_in_every_reply(tmp_path: Path) -> None:
    """HTTP status 200 for each of them, or a client never reads it."""
    stock = Stock(templates=tuple(row for row in Stock().templates if row[2] != 3), prices=((2, 1, 1), (2, 2, 850)))
    sends: list[dict[str, object]] = [
        {"RequestId": "r"},
        {"RequestId": "r"},
        {"SecretKey": "x"},
        {"SmsType": None},
        {"SmsType": 23},
        {"Phone": 'a"b\\ế'},
        {"Phone": ",".join(f"09{index:08d}" for index in range(1001))},
        {"SmsType": 8, "Phone": f"{PHONES[1]},{PHONES[2]}"},
        {"Content": ""},
        {"SendDate": "x"},
        {"Brandname": "x"},
        {"RequestId": "r" * 121},
        {"Phone": PHONES[3]},
        {"Content": "x"},
        {"Phone": PHONES[4]},
    ]

    async def scenario(place: Doorway) -> None:
        replies = [await place.send(**members) for members in sends]
        await place.leave_dong(0)
        replies.append(await place.send())
        await place.store.set_account_state(1, "locked")
        await place.reload()
        replies.append(await place.send())
        replies.append(await place.request("POST", "/MainService.svc/json/SendZaloMessage_V6", b"{}"))
        for reply in replies:
            assert reply.status == 200
            check_shape(reply)
        told = "100 124 101 300 118 108 120 163 110 110 104 159 177 146 102 103 143 118"
        assert " ".join(reply.code for reply in replies) == told

    doorway(tmp_path, scenario, stock)


# 7. Concurrent duplicates of one RequestId: exactly one 100, others 124.


@pytest.mark.parametrize("group", range(3))
def test_line_7_of_concurrent_duplicates_exactly_one_is_accepted(tmp_path: Path, group: int) -> None:
    """Whatever forms they come in, in one turn of the loop."""
    members = {**WHOLE, "RequestId": f"group-{group}"}
    requests = list(every_send(members)) * 6

    async def scenario(place: Doorway) -> None:
        replies = await place.ask_all(requests[group:] + requests[:group])
        codes = [reply.code for reply in replies]
        assert (codes.count("100"), codes.count("124")) == (1, len(requests) - 1)
        assert len(place.rows()) == 1

    doorway(tmp_path, scenario)


# 8. No 100 is ever lost by a kill at any moment. (Processes are killed in earnest in tests/system/test_kill.py.)


def test_line_8_what_was_answered_100_is_there_after_a_kill_at_that_moment(tmp_path: Path) -> None:
    """The bytes on the disk when each answer arrives are opened by another start, which finds the message."""

    async def scenario(place: Doorway) -> None:
        for number in range(5):
            reply = await place.send(RequestId=f"r-{number}")
            image = SqliteEngine(tmp_path / f"image-{number}", threaded=False)
            Path(image.path).parent.mkdir()
            for tail in ("", "-wal"):
                shutil.copy(place.engine.path + tail, image.path + tail)
            store = await image.open(place.world.now)
            found = await store.summary(1, reply.smsid, 0)
            assert found is not None
            assert (found.smsid, found.state) == (reply.smsid, State.QUEUED)
            assert await store.seen(1, f"r-{number}", place.world.now) is not None
            await store.close(place.world.now)

    doorway(tmp_path, scenario)


# 9. Callback parameters in the order of 3.2, TotalPrice with 4 decimals, at most 5 attempts.


def test_line_9_the_callback_has_the_documented_query_and_five_tries_in_all(tmp_path: Path) -> None:
    """The whole way: sent with a CallbackUrl, delivered, and a customer's host that never answers 200."""
    policy = CallbackPolicy(Callback().schedule_seconds(), 0, 10.0, 1, 1, ())

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send(RequestId="login-77", CallbackUrl="https://shop.example/hook?shop=9")).smsid
        (message,) = place.rows()
        await place.submit(message)
        await place.report(message, AttemptState.DELIVERED)
        tries = 0
        while due := next(iter(await place.store.claim_callbacks(place.world.now, 10)), None):
            tries += 1
            assert url_of(due, policy).encode() == golden("callback_delivered.txt", smsid)
            verdict, again_ms = judge(due.tries, 503, place.world.now, policy, 0.5)
            await place.tried(CallbackTry(due.id, 1, due.tries + 1, place.world.now, 5, 503, "busy", verdict, again_ms))
            place.world.now = again_ms or place.world.now + 86_400_000
        assert tries == 5
        assert [row.state for row in place.inside().callbacks.values()] == ["given_up"]

    doorway(tmp_path, scenario)


# 10. GetSendStatus numbers are numbers; 7-day limit; unknown id 105.


def test_line_10_the_status_has_number_tokens_a_limit_of_seven_days_and_105(tmp_path: Path) -> None:
    """Members in the order of the page, TotalPrice with four decimals."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send()).smsid
        (message,) = place.rows()
        await place.submit(message)
        await place.report(message, AttemptState.DELIVERED)
        reply = await place.status(smsid)
        assert reply.body == golden("send_status.json", smsid)
        assert [type(value) for value in reply.members.values()] == [str, str, int, int, int, float, int, int]
        place.world.now += 7 * 86_400_000
        assert (await place.status(smsid)).body == golden("send_status.json", smsid)
        place.world.now += 1
        assert (await place.status(smsid)).body == golden("send_status_105.json", smsid)
        assert (await place.status("nothing")).body == golden("send_status_105.json", "nothing")
        assert (await place.status(smsid, secret="x")).body == golden("send_status_101.json", smsid)

    doorway(tmp_path, scenario)
