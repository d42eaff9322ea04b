"""The door over real sockets with a real store behind it: bodies to the byte, in every form of a request."""

import json
import re
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from msgspec.structs import astuple
from tests.rooms.accept.doorway import GET_PATH, INVALID, JSON_PATH, PLAIN, STATUS_PATH, Doorway, doorway, golden, query
from tests.rooms.accept.shop import KEY, PHONES, POLICY, SECRET, TEXT, Stock

SMSID = re.compile("[0-9a-f]{32}[0-9]{3}")


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


def test_a_request_that_is_turned_away_has_a_name_of_its_own_in_its_answer_and_in_the_log(tmp_path: Path) -> None:
    """So that a customer's question finds the line; what is accepted has its SMSID, and no header more."""

    async def scenario(place: Doorway) -> None:
        first, second = await place.send(SmsType="9"), await place.request("POST", JSON_PATH, b"{")
        marks = [reply.headers["x-bocau-request"] for reply in (first, second)]
        assert marks == [f"{place.store.epoch}-1", f"{place.store.epoch}-2"]
        lines = place.log_lines()
        assert f'"code":"118","reason":"SmsType \'9\' is not supported; 2 and 8 are","request":"{marks[0]}"' in lines
        assert f'"event":"request.malformed","reason":"the body is not a JSON object","request":"{marks[1]}"' in lines
        assert not any(name.startswith("x-bocau") for name in (await place.send()).headers)

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
        assert {astuple(message)[9:14] for message in place.rows()} == {("otp", "BOCAU", PHONES[2], 2, TEXT)}

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
            "/MainService.svc/xml/GetTemplate",
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


def test_pages_of_named_sites_may_read_answers_and_no_others(tmp_path: Path) -> None:
    """Off by default; results, refusals and broken requests alike, and a browser's question before its POST."""
    site, other = "Origin: https://shop.example\r\n", "Origin: https://evil.example\r\n"

    async def scenario(place: Doorway) -> None:
        body = json.dumps(PLAIN).encode()
        for path, sent, status in (
            (JSON_PATH, body, 200),
            (JSON_PATH, b"{", 400),
            ("/MainService.svc/json/x", b"", 404),
        ):
            reply = await place.request("POST", path, sent, site)
            assert reply.status == status
            assert reply.headers["access-control-allow-origin"] == "https://shop.example"
            assert "X-Bocau-Reason" in reply.headers["access-control-expose-headers"]
            assert reply.headers["vary"] == "Origin"
            for header in (other, ""):
                assert not [name for name in (await place.request("POST", path, sent, header)).headers if "acc" in name]
        asked = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n"
        reply = await place.request("OPTIONS", JSON_PATH, b"", site + asked)
        assert reply.status == 204
        assert reply.headers["access-control-allow-methods"] == "POST, OPTIONS"
        assert reply.headers["access-control-allow-headers"] == "content-type"
        assert "access-control-allow-credentials" not in reply.headers

    doorway(tmp_path, scenario, policy=POLICY._replace(origins=("https://shop.example",)))


def test_without_a_setting_no_page_may_read_answers_and_with_a_star_every_one(tmp_path: Path) -> None:
    """XML answers too."""

    async def scenario(place: Doorway, opened: bool) -> None:
        path = f"/MainService.svc/xml/GetBalance/{KEY}/{SECRET}"
        reply = await place.request("GET", path, b"", "Origin: http://localhost:3000\r\n")
        assert reply.headers["content-type"] == "application/xml; charset=utf-8"
        assert (reply.headers.get("access-control-allow-origin") == "http://localhost:3000") is opened

    for opened in (False, True):
        folder = tmp_path / str(opened)
        folder.mkdir()
        origins = ("*",) if opened else ()
        doorway(folder, partial(scenario, opened=opened), policy=POLICY._replace(origins=origins))


SAMPLE = """{
    "ApiKey": "KEY", "SecretKey": "SECRET",
    "Content": "4821 la ma // dang nhap",
    "Phone": 0901234567,
    "Brandname": "BOCAU",
    "SmsType": "8", // 8: fixed number
    "IsUnicode": 0,
    "campaignid": ten chien dich,
    "CallbackUrl": https://shop.example/hook?a=1,
    "SendDate": 2027-01-15 18:30:00, // when
}"""


@pytest.mark.parametrize("mends", [False, True])
def test_samples_of_the_documents_are_read_only_if_a_setting_says_so(tmp_path: Path, mends: bool) -> None:
    """With their remarks, bare values and last comma they are no JSON (esms-api 1.3)."""
    body = SAMPLE.replace('"KEY"', f'"{KEY}"').replace('"SECRET"', f'"{SECRET}"')

    async def scenario(place: Doorway) -> None:
        reply = await place.request("POST", JSON_PATH, body.encode())
        assert reply.status == (200 if mends else 400)
        if mends:
            assert reply.code == "100"
            (message,) = place.rows()
            assert (message.content, message.phone) == ("4821 la ma // dang nhap", "0901234567")
            assert (message.campaign_id, message.callback_url) == ("ten chien dich", "https://shop.example/hook?a=1")
            assert message.state == "scheduled"

    doorway(tmp_path, scenario, policy=POLICY._replace(json_repair=mends))


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
            for reply in (whole, head):
                reply.headers.pop("x-bocau-request", "")  # each has a name of its own
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
        b"<RQST><APIKEY>K</APIKEY>",
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
    """64 KiB for a send; a list of receivers, as XML, 1 MiB, which is all that the listener takes."""

    async def scenario(place: Doorway) -> None:
        room = 65_536 - len(json.dumps({**PLAIN, "x": ""}))
        assert (await place.request("POST", JSON_PATH, json.dumps({**PLAIN, "x": "y" * room}).encode())).code == "100"
        for size in (room + 1, 1 << 20):
            reply = await place.request("POST", JSON_PATH, json.dumps({**PLAIN, "x": "y" * size}).encode())
            assert (reply.status, reply.body) == (413, b'{"error":"Request too large"}')
        for body, status in ((b"Content=" + b"%E1" * 30_000, 413), (b"\n<RQST>" + b" " * 90_000 + b"</RQST>", 200)):
            assert (await place.request("POST", "/MainService.svc/json/SendMultipleMessage_V4", body)).status == status
        assert len(place.rows()) == 1

    doorway(tmp_path, scenario)
