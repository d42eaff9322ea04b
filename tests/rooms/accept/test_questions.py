"""The door's questions beside status and balance: receivers, brandnames, templates, reports, prices, calls."""

import asyncio
import json
import re
import sqlite3
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from tests.rooms.accept.doorway import DAY, GET_PATH, GOLDEN, STATUS_PATH, Doorway, Reply, doorway, golden, query
from tests.rooms.accept.shop import KEY, NOW, PHONES, POLICY, SECRET, TEXT, VND, Stock, key_of

from bocau.core.directory import BrandnameRow, PriceRow
from bocau.core.lifecycle import AttemptState
from bocau.core.message import AnswerKind, SentPage, SentRange
from bocau.wire.esms.catalogue import CATALOGUE
from bocau.wire.esms.catalogue import SMSID as EXAMPLE_SMSID
from bocau.wire.esms.operations import TABLE, Kind

SERVICE = "/MainService.svc/json/"
SERVED = [row for row in TABLE if row.kind is not Kind.UNSUPPORTED]


async def ask(place: Doorway, name: str, key: str = KEY, folder: str = "json", **values: str) -> Reply:
    """One question by GET where the operation is one, else by a JSON body."""
    row = next(row for row in TABLE if row.name == name)
    members = {"ApiKey": key, "SecretKey": SECRET, **values}
    path = f"/MainService.svc/{folder}/{name}"
    if "GET" in row.methods:
        return await place.request("GET", f"{path}?{urlencode(members, quote_via=quote)}")
    return await place.request("POST", path, json.dumps(members).encode())


# The table as a whole


SENDING = (Kind.SEND, Kind.CALL_CODE, Kind.CALL_TEMPLATE, Kind.CALL_RECORDING, Kind.SEND_CODE, Kind.REGISTER)
"""What a locked account may not do."""

EXAMPLE = Stock(
    templates=((1, "BOCAU", 2, "{P1,8} la ma dang nhap BOCAU cua ban", "otp"),),
    call_templates=("Ma dang nhap cua ban la {code}",),
    recordings=("welcome",),
)
"""The account that the examples of the reference fit."""


def test_the_example_of_every_operation_is_answered_as_the_reference_says(tmp_path: Path) -> None:
    """The page, the OpenAPI document and the collection show it, so it must be true; only ids differ."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send()).smsid
        await place.leave_dong(1_000_000)
        for row in SERVED:
            entry = CATALOGUE[row.kind]
            example = {
                p.name: p.example for p in entry.parameters if p.example and p.name not in ("ApiKey", "SecretKey")
            }
            before = place.inside()
            reply = await ask(place, row.name, **{k: v.replace(EXAMPLE_SMSID, smsid) for k, v in example.items()})
            assert reply.status == 200
            wanted = json.loads(entry.bodies[0][1].replace(EXAMPLE_SMSID.encode(), smsid.encode()))
            told = reply.members
            assert list(told) == list(wanted), row.name
            if len(place.rows()) > len(before.messages):
                assert told["SMSID"] != smsid
                told["SMSID"] = smsid
                place.forget(before)
            for item in told.get("SentData", ()):
                assert 0 < item["SmsId"] < 2**53
                item["SmsId"] = 29_028_845
            assert told == wanted, row.name

    doorway(tmp_path, scenario, EXAMPLE)


def test_wrong_keys_get_the_body_of_the_reference(tmp_path: Path) -> None:
    """Each operation has its own form of it."""

    async def scenario(place: Doorway) -> None:
        for row in SERVED:
            bodies = [body for case, body in CATALOGUE[row.kind].bodies if case == "wrong keys"]
            reply = await ask(place, row.name, SecretKey="wrong", RefId=EXAMPLE_SMSID, SMSID="", message="{OTP}")
            assert [reply.body] == bodies, row.name

    doorway(tmp_path, scenario)


def test_a_locked_account_may_ask_and_not_send(tmp_path: Path) -> None:
    """143 to everything that would become a message or a template, with the right keys; questions are answered."""

    async def scenario(place: Doorway) -> None:
        for row in SERVED:
            reply = await ask(place, row.name, Phone=PHONES[2], Content=TEXT, SmsType="2", Code="4821", message="{OTP}")
            locked = "143" in (reply.members.get("CodeResult"), reply.members.get("CodeResponse"))
            assert locked == (row.kind in SENDING), row.name

    doorway(tmp_path, scenario, Stock(state="locked"))


def test_the_xml_on_the_page_is_accepted(tmp_path: Path) -> None:
    """It stands there to be copied."""
    page = (Path(__file__).resolve().parents[3] / "docs/reference/esms.md").read_text("utf-8")
    (body,) = re.findall(r"^```xml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)

    async def scenario(place: Doorway) -> None:
        reply = await place.request("POST", f"{SERVICE}SendMultipleMessage_V4/", body.encode())
        assert reply.body == golden("100.json", reply.smsid)

    doorway(tmp_path, scenario, EXAMPLE)


# Tenant walls: for every operation, what another account's things look like

PROBES: dict[str, dict[str, str]] = {
    "SendMultipleMessage_V4_post_json": {"RequestId": "taken", "Brandname": "ACME"},
    "SendMultipleMessage_V4_get": {"RequestId": "taken", "Brandname": "ACME"},
    "SendMultipleMessage_V4_post": {"RequestId": "taken", "Brandname": "ACME"},
    "SendMultipleMessage_V4": {"RequestId": "taken", "Brandname": "ACME"},
    "SendMultipleMessage_V2": {"RequestId": "taken", "Brandname": "ACME"},
    "VoiceOTP": {"RequestId": "taken", "Code": "4821", "Phone": "x"},
    "MakeCallTemplate_V2": {"TemplateId": "1", "VariableListStr": "482193"},
    "MakeCallRecord_V2": {"TemplateId": "1"},
    "MakeCall": {"ApiCode": "1"},
    "SendMessageAutoGenCode_V4_get": {"RequestId": "taken", "Brandname": "ACME", "message": "{OTP}"},
    "CheckCodeGen_V4_get": {"Phone": PHONES[2], "Code": "{code}"},
    "GetSendStatus": {"RefId": "{smsid}"},
    "GetSmsReceiverStatus_get": {"RefId": "{smsid}"},
    "GetSmsReceiverStatus_V2": {"SMSID": "{smsid}"},
    "GetBalance_json": {},
    "GetBalance": {},
    "GetListBrandname": {},
    "GetListBrandnameV2": {},
    "GetTemplate": {"Brandname": "ACME"},
    "SubServicePreviewJson": {"Brandname": "ACME", "ServiceType": "2", "Content": "{code:8} la ma"},
    "GetSmsSentData_V1": {"From": "2027-01-01 00:00:00", "To": "2027-02-01 00:00:00", "SmsType": "2"},
    "GetSmsSentData_V2": {
        "From": "2027-01-01 00:00:00",
        "To": "2027-02-01 00:00:00",
        "SmsType": "2",
        "Page": "1",
        "PageSize": "9",
    },
    "SummaryMultipleMessage_V4_get": {"Brandname": "ACME"},
    "SummaryMultipleSMSBrandname": {"Brandname": "ACME"},
}
"""Operation -> what names a thing that the other account has. An operation without a line here fails the next test."""

ACME = Stock(
    brandnames=((2, "ACME", "active"), (1, "ACME", "active")),
    templates=tuple((telco, "ACME", telco, "{P1,8} la ma dang nhap BOCAU cua ban", "otp") for telco in PHONES),
    call_templates=("Ma cua ban la {code}",),
    recordings=("welcome",),
)
BARE = Stock(brandnames=(), templates=(), prices=())


def test_every_operation_has_a_probe_of_its_walls() -> None:
    """A new one cannot be forgotten."""
    assert set(PROBES) == {row.name for row in SERVED}


def test_another_account_s_things_are_answered_like_nothing(tmp_path: Path) -> None:
    """S3: the same question is put where the thing exists for another account, and where it exists for nobody."""

    async def scenario(place: Doorway, smsid: str, code: str) -> dict[str, bytes]:
        found = {}
        for row in SERVED:
            probe = {
                name: value.format(smsid=smsid, code=code, OTP="{OTP}") for name, value in PROBES[row.name].items()
            }
            reply = await ask(place, row.name, **{"Phone": PHONES[2], "Content": TEXT, "SmsType": "2", **probe})
            found[row.name] = reply.raw.replace(smsid.encode(), b"0" * 35).replace(code.encode(), b"000000")
        return found

    async def nothing(place: Doorway) -> None:
        answers.append(await scenario(place, "0" * 35, "000000"))

    async def something(place: Doorway) -> None:
        sent = await place.send(Brandname="ACME", RequestId="taken", ApiKey=key_of(2))
        generated = {"Brandname": "ACME", "message": "{OTP} la ma dang nhap BOCAU cua ban", "Phone": PHONES[2]}
        assert (await ask(place, "SendMessageAutoGenCode_V4_get", key=key_of(2), **generated)).code == "100"
        code = place.rows()[-1].content.split()[0]
        answers.append(await scenario(place, sent.smsid, code))
        right = await ask(place, "CheckCodeGen_V4_get", key=key_of(2), Phone=PHONES[2], Code=code)
        assert right.code == "100", "its owner's code is still good"

    answers: list[dict[str, bytes]] = []
    for number, play in enumerate((nothing, something)):
        (tmp_path / str(number)).mkdir()
        doorway(tmp_path / str(number), play, BARE, ACME)
    for name in PROBES:
        assert answers[0][name] == answers[1][name], name


# Receivers


def test_the_receivers_are_listed_with_what_became_of_each(tmp_path: Path) -> None:
    """One delivered, one refused by the carrier, one still with us."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send(Phone=",".join(PHONES[n] for n in (1, 2, 3)))).smsid
        first, second, _ = place.rows()
        await place.submit(first)
        await place.report(first, AttemptState.DELIVERED)
        await place.submit(second, AnswerKind.PERMANENT)
        reply = await ask(place, "GetSmsReceiverStatus_get", RefId=smsid)
        listed = [
            (row["NetworkName"], row["Phone"], row["IsSent"], row["SentResult"], row["Retry"])
            for row in reply.members["ReceiverList"]
        ]
        assert listed == [
            ("Viettel", PHONES[1], True, True, 0),
            ("Mobifone", PHONES[2], True, False, 0),
            ("Vinaphone", PHONES[3], False, False, 0),
        ]
        dated = (await ask(place, "GetSmsReceiverStatus_V2", SMSID=smsid.upper())).members
        assert dated.pop("ReceiverStatus") == [
            {"Phone": PHONES[n], "SentTime": f"/Date({NOW}+0700)/", "Status": status}
            for n, status in ((1, 5), (2, 5), (3, 2))
        ]
        assert dated == reply.members
        place.world.now += 7 * DAY + 1
        assert (await ask(place, "GetSmsReceiverStatus_get", RefId=smsid)).body == golden("receivers_105.json")

    doorway(tmp_path, scenario)


# The status of a call


def test_a_reference_id_gets_the_shape_of_a_call(tmp_path: Path) -> None:
    """Waiting, then answered; unknown and wrong keys in their own shapes (4.1)."""

    async def scenario(place: Doorway) -> None:
        reply = await ask(place, "VoiceOTP", Phone=PHONES[2], Code="482193")
        assert reply.body == golden("call.json", reply.smsid)
        assert [(m.sms_type, m.content, m.brandname) for m in place.rows()] == [(8, "482193", "")]
        waiting = await ask(place, "GetSendStatus", ReferenceId=reply.smsid)
        assert waiting.body == golden("call_status_waiting.json", reply.smsid)
        (message,) = place.rows()
        await place.submit(message)
        await place.report(message, AttemptState.DELIVERED)
        answered = await ask(place, "GetSendStatus", ReferenceId=reply.smsid)
        assert answered.body == golden("call_status.json", reply.smsid)
        unknown = await ask(place, "GetSendStatus", ReferenceId="x")
        assert unknown.body == golden("call_status_105.json", "x")
        wrong = await ask(place, "GetSendStatus", ReferenceId="x", SecretKey="x")
        assert wrong.body == golden("call_status_101.json")

    doorway(tmp_path, scenario)


# Brandnames and templates


def test_only_active_brandnames_are_listed_and_once_for_each_type(tmp_path: Path) -> None:
    """With keys in the path, as the documents have it."""

    async def scenario(place: Doorway) -> None:
        for name, wanted in (("GetListBrandname", "brandnames"), ("GetListBrandnameV2", "brandnames_numbered")):
            reply = await place.request("GET", f"{SERVICE}{name}/{KEY}/{SECRET}")
            assert reply.body == golden(f"{wanted}.json")
            assert (await place.request("GET", f"{SERVICE}{name}/{KEY}/x")).body == golden("brandnames_101.json")

    brandnames = ((2, "BOCAU", "active"), (1, "BOCAU", "active"), (2, "OLD", "disabled"))
    doorway(tmp_path, scenario, Stock(brandnames=brandnames))


def test_templates_are_listed_once_for_each_network_in_the_api_s_spelling(tmp_path: Path) -> None:
    """{code:8} was registered, {P1,8} is told; a brandname in any case, with BrandName as the table spells it."""
    stock = Stock(
        templates=((1, "BOCAU", 2, "{code:8} la ma", "otp"), (2, "BOCAU", 1, "{name:50} oi", "other")),
    )

    async def scenario(place: Doorway) -> None:
        body = json.dumps({"ApiKey": KEY, "SecretKey": SECRET, "BrandName": "bocau"}).encode()
        reply = await place.request("POST", f"{SERVICE}GetTemplate/", body)
        assert reply.members == {
            "BrandnameTemplates": [
                {"NetworkID": 2, "TempContent": "{P1,8} la ma", "TempId": 1},
                {"NetworkID": 1, "TempContent": "{P2,50} oi", "TempId": 2},
            ],
            "CodeResult": "100",
            "ErrorMessage": "success",
        }
        assert (await ask(place, "GetTemplate", Brandname="x")).body == golden("templates_104.json")
        eight = await ask(place, "GetTemplate", Brandname="BOCAU", SmsType="8")
        assert eight.members["BrandnameTemplates"] == [], "type 8 needs none"
        assert (await ask(place, "GetTemplate", Brandname="BOCAU", SmsType="23")).code == "118"

    doorway(tmp_path, scenario, stock)


# What was sent

RANGE = {"From": "2027-01-15 15:00:00", "To": "2027-01-15 15:00:09", "SmsType": "2"}


def test_the_report_tells_each_message_of_the_time_and_type(tmp_path: Path) -> None:
    """Both ends count; a rejected one costs nothing; other types and other times are not there."""

    async def scenario(place: Doorway) -> None:
        sends: list[dict[str, object]] = [
            {"campaignid": "log-in", "Content": TEXT},
            {"Content": "no such template"},
            {"SmsType": 8, "Content": "686868"},
            {"Phone": f"{PHONES[1]},{PHONES[2]}"},
        ]
        for offset, members in zip((0, 9_999, 5_000, 10_000), sends, strict=True):
            place.world.now = max(NOW + offset, place.world.now)
            await place.send(**members)
        (message, *_) = place.rows()
        await place.submit(message)
        await place.report(message, AttemptState.DELIVERED)
        told = (await ask(place, "GetSmsSentData_V1", **RANGE)).members
        rows = [(r["Campaign"], r["SellPrice"], r["SendResult"], r["SendStatus"]) for r in told["SentData"]]
        assert (told["CountTotal"], rows) == (2, [("log-in", 850, 1, 5), ("", 0, 0, 4)])
        first = told["SentData"][0]
        assert first["ReferenceId"] == message.smsid
        assert first["SentTime"] == f"/Date({NOW}+0700)/"
        later = {**RANGE, "To": "2027-01-15 15:00:10"}
        assert (await ask(place, "GetSmsSentData_V1", **later)).members["CountTotal"] == 4
        calls = await ask(place, "GetSmsSentData_V1", **{**later, "SmsType": "8"})
        assert [row["Content"] for row in calls.members["SentData"]] == ["686868"]
        early = {**RANGE, "From": "2026-01-15 15:00:00", "To": "2027-01-15 14:59:59"}
        assert (await ask(place, "GetSmsSentData_V1", **early)).body == golden("sent_empty.json")

    doorway(tmp_path, scenario)


def test_the_report_comes_in_pages(tmp_path: Path) -> None:
    """Counted from 1, 0 being 1; every message is on exactly one page; beyond the last there is nothing."""

    async def scenario(place: Doorway) -> None:
        await place.ask_all([place.sending(Content=f"{1000 + n} la ma dang nhap BOCAU cua ban") for n in range(7)])
        pages = []
        for page in range(5):
            reply = await ask(place, "GetSmsSentData_V2", Page=str(page), PageSize="3", **RANGE)
            assert reply.members["CountTotal"] == 7
            pages.append([row["Content"][:4] for row in reply.members["SentData"]])
        assert pages == [["1000", "1001", "1002"], ["1000", "1001", "1002"], ["1003", "1004", "1005"], ["1006"], []]
        whole = await ask(place, "GetSmsSentData_V2", Page="1", PageSize="999999", **RANGE)
        assert len(whole.members["SentData"]) == 7
        ids = [row["SmsId"] for row in whole.members["SentData"]]
        assert ids == sorted(set(ids))

    doorway(tmp_path, scenario)


def test_reports_are_made_one_at_a_time(tmp_path: Path) -> None:
    """Ten asked for at once, while a status is answered beside them."""

    async def scenario(place: Doorway) -> None:
        read, running, most = place.store.sent, 0, 0

        async def sent(wanted: SentRange) -> SentPage:
            nonlocal running, most
            running += 1
            most = max(most, running)
            for _ in range(5):
                await asyncio.sleep(0)
            running -= 1
            return await read(wanted)

        place.store.sent = sent  # type: ignore[method-assign]
        asked = [ask(place, "GetSmsSentData_V1", **RANGE) for _ in range(10)]
        replies = await asyncio.gather(*asked, place.status("x"))
        assert [reply.status for reply in replies] == [200] * 11
        assert most == 1

    doorway(tmp_path, scenario)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"From": ""}, "From is invalid"),
        ({"From": "2027-13-01 00:00:00"}, "From is invalid"),
        ({"To": "tomorrow"}, "To is invalid"),
        ({"Page": ""}, "Page is invalid"),
        ({"Page": "-1"}, "Page is invalid"),
        ({"Page": "9" * 30}, "Page is invalid"),
        ({"PageSize": "0"}, "PageSize is invalid"),
        ({"PageSize": "x"}, "PageSize is invalid"),
        ({"SmsType": ""}, None),
        ({"SmsType": "x"}, "SmsType is not supported"),
        ({"From": "2100-12-31 23:59:59", "To": "2100-12-31 23:59:59"}, None),
        ({"From": "2000-01-01 00:00:00", "To": "2000-01-01 00:00:00", "Page": "9999999"}, None),
    ],
)
def test_a_report_of_what_is_none_is_refused(tmp_path: Path, change: dict[str, str], text: str | None) -> None:
    """With the parameter's name; times at the ends of the calendar are times."""

    async def scenario(place: Doorway) -> None:
        reply = await ask(place, "GetSmsSentData_V2", **{**RANGE, "Page": "1", "PageSize": "9", **change})
        assert reply.members.get("ErrorMessage") == text
        assert (reply.status, reply.code == "100") == (200, text is None)

    doorway(tmp_path, scenario)


# Prices


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"Content": f"BOCAU cam on {'x' * 40}", "Phone": PHONES[1]},
        {"Phone": ",".join([PHONES[1], PHONES[2], "84" + PHONES[2][1:]])},
        {"SmsType": "8", "Content": "686868"},
        {"Content": "mã số của bạn", "IsUnicode": "1"},
        {"Content": "x" * 400, "IsUnicode": "0"},
    ],
)
def test_a_price_is_what_the_send_holds(tmp_path: Path, members: dict[str, str]) -> None:
    """The same numbers, parts and price list; with networks of different prices."""
    templates = tuple((telco, "BOCAU", telco, "{P2,500}", "other") for telco in PHONES)
    stock = Stock(templates=templates, prices=((2, 0, 850), (2, 1, 520), (8, 0, 600)))

    async def scenario(place: Doorway) -> None:
        values = {"Phone": PHONES[2], "Content": TEXT, "SmsType": "2", "Brandname": "BOCAU", **members}
        told = (await ask(place, "SummaryMultipleMessage_V4_get", **values)).members
        assert not place.rows()
        assert (await place.send(**values)).code == "100"
        rows = place.rows()
        assert told["TotalPrice"] * VND == sum(message.price for message in rows) > 0
        assert told["TotalReceiver"] == len(rows)

    doorway(tmp_path, scenario, stock)


def test_a_price_is_refused_as_a_send_would_be_but_for_the_template(tmp_path: Path) -> None:
    """104 without CountRegenerate; no price list is 102; the text need not follow a template."""

    async def scenario(place: Doorway) -> None:
        given = {"Phone": PHONES[2], "Content": "no template says so", "SmsType": "2", "Brandname": "BOCAU"}
        ok = await ask(place, "SummaryMultipleMessage_V4_get", **given)
        assert ok.body == golden("price.json")
        for change, code in (
            ({"Brandname": "x"}, "104"),
            ({"Phone": "1"}, "108"),
            ({"Content": ""}, "110"),
            ({"SmsType": "23"}, "118"),
            ({"SmsType": ""}, "300"),
            ({"Phone": PHONES[4]}, "102"),
        ):
            reply = await ask(place, "SummaryMultipleMessage_V4_get", **{**given, **change})
            assert reply.code == code
            assert "CountRegenerate" not in reply.members
        wrong = await ask(place, "SummaryMultipleMessage_V4_get", SecretKey="x")
        assert wrong.body == golden("sent_101.json")

    doorway(tmp_path, scenario, Stock(prices=((2, 2, 850),)))


def test_an_advertisement_is_priced_with_room_for_its_opt_out(tmp_path: Path) -> None:
    """122 characters are one part, 123 are two, 268 two, 269 three (8.4); in XML, as the page has it."""

    async def scenario(place: Doorway) -> None:
        await place.store.put_brandname(BrandnameRow(1, 1, "BOCAU", "active"), NOW)
        await place.store.put_price(PriceRow(1, 1, 0, 400 * VND))
        await place.reload()
        for length, parts in ((122, 1), (123, 2), (268, 2), (269, 3)):
            body = (
                f"<RQST><APIKEY>{KEY}</APIKEY><SECRETKEY>{SECRET}</SECRETKEY><CONTENT>{'x' * length}</CONTENT>"
                f"<BRANDNAME>BOCAU</BRANDNAME><CONTACTS><CUSTOMER><PHONE>{PHONES[1]}</PHONE></CUSTOMER><CUSTOMER>"
                f"<PHONE>{PHONES[2]}</PHONE></CUSTOMER></CONTACTS></RQST>"
            ).encode()
            told = (await place.request("POST", f"{SERVICE}SummaryMultipleSMSBrandname/", body)).members
            assert (told["TotalPrice"], told["TotalReceiver"]) == (2 * 400 * parts, 2)
        wrong = await ask(place, "SummaryMultipleSMSBrandname", SecretKey="x")
        assert wrong.body == golden("price_advertising_101.json")

    doorway(tmp_path, scenario)


# Calls by template


def test_a_call_by_template_says_its_text_with_the_values_in_their_places(tmp_path: Path) -> None:
    """It becomes a message of type 8, with everything that a send may have, and is answered as calls are."""

    async def scenario(place: Doorway) -> None:
        given = {"Phone": PHONES[2], "TemplateId": "1", "VariableListStr": "An||482193", "RequestId": "one"}
        reply = await ask(place, "MakeCallTemplate_V2", **given)
        assert reply.body == golden("call.json", reply.smsid)
        (message,) = place.rows()
        assert (message.sms_type, message.content, message.price) == (8, "Chao An, ma cua ban la 482193.", 600 * VND)
        assert (await ask(place, "MakeCallTemplate_V2", **given)).code == "124"
        for change, code, text in (
            ({"TemplateId": "2"}, "104", "Template not found"),
            ({"TemplateId": "x"}, "104", "Template not found"),
            ({"TemplateId": "9" * 40}, "104", "Template not found"),
            ({"VariableListStr": "482193"}, "110", "VariableListStr is invalid"),
            ({"VariableListStr": ""}, "110", "VariableListStr is invalid"),
            ({"VariableListStr": "An||x", "RequestId": ""}, "110", "VariableListStr is invalid"),
            ({"Phone": "x", "RequestId": ""}, "108", "The phone number x is not valid."),
            ({"SecretKey": "x"}, "101", "Authorize Failed"),
        ):
            refused = await ask(place, "MakeCallTemplate_V2", **{**given, **change})
            assert refused.members == {"CodeResult": code, "ErrorMessage": text}
        assert len(place.rows()) == 1

    doorway(tmp_path, scenario, Stock(call_templates=("Chao {name}, ma cua ban la {code}.",)))


def test_a_call_by_recording_plays_what_was_registered(tmp_path: Path) -> None:
    """A message of type 8 whose text is the name; beside it stands what to play, and in which manner."""

    async def scenario(place: Doorway) -> None:
        given = {"Phone": PHONES[2], "TemplateId": "1", "RequestId": "one"}
        reply = await ask(place, "MakeCallRecord_V2", **given)
        assert reply.body == golden("call.json", reply.smsid)
        assert (await ask(place, "MakeCallRecord_V2", **given)).code == "124"
        (message,) = place.rows()
        assert (message.sms_type, message.content, message.price) == (8, "welcome", 600 * VND)
        assert orders(place) == [(message.id, 1, "", 0)]
        for change, code in (({"TemplateId": "2"}, "106"), ({"Phone": "x"}, "108"), ({"SecretKey": "x"}, "101")):
            assert (await ask(place, "MakeCallRecord_V2", **{**given, "RequestId": "", **change})).code == code
        assert (await ask(place, "MakeCallRecord_V2", **{**given, "RequestId": "", "Sandbox": "1"})).code == "100"
        assert len(place.rows()) == len(orders(place)) == 1

    doorway(tmp_path, scenario, Stock(recordings=("welcome",)))


@pytest.mark.parametrize("channel", ["sms", "voice_then_sms"])
def test_no_recording_is_taken_that_could_go_out_as_a_text(tmp_path: Path, channel: str) -> None:
    """Its name would reach people. The account's own channel counts before the setting."""

    async def scenario(place: Doorway) -> None:
        given = {"Phone": PHONES[2], "TemplateId": "1"}
        assert (await ask(place, "MakeCallRecord_V2", **given)).code == "106"
        assert place.rows() == []
        await place.store.set_type8_channel(1, "voice")
        await place.reload()
        assert (await ask(place, "MakeCallRecord_V2", **given)).code == "100"

    doorway(tmp_path, scenario, Stock(recordings=("welcome",)), policy=POLICY._replace(type8_channel=channel))


def test_voice_and_speed_are_kept_with_the_call(tmp_path: Path) -> None:
    """Those that are documented; of others, and of calls without a wish, only that a call was asked for."""

    async def scenario(place: Doorway) -> None:
        for voice, speed in (("Male", "-3"), ("", "+3"), ("robot", "4"), ("", ""), ("ngoclam", "0")):
            reply = await ask(place, "VoiceOTP", Phone=PHONES[2], Code="482193", Voice=voice, Speed=speed)
            assert reply.code == "100"
        assert (await place.send(SmsType="8")).code == "100", "a send is told as one, so it leaves nothing"
        wishes = [("male", -3), ("", 0), ("", 0), ("", 0), ("ngoclam", 0)]
        assert orders(place) == [
            (row.id, 0, *wish) for row, wish in zip(place.rows(), (*wishes, None), strict=True) if wish
        ]

    doorway(tmp_path, scenario)


def orders(place: Doorway) -> list[tuple[object, ...]]:
    """How calls are to be made, as the store has it."""
    db = sqlite3.connect(place.engine.path)
    rows = db.execute("SELECT message_id, recording_id, voice, speed FROM call_order ORDER BY message_id").fetchall()
    db.close()
    return rows


def test_a_composed_send_enters_like_any_other(tmp_path: Path) -> None:
    """Nothing of an account is told to a locked one, a foreign address, a key without the scope, or one too fast."""

    async def scenario(place: Doorway) -> None:
        wrong = {"Phone": PHONES[2], "TemplateId": "99", "message": "no place for a code"}
        operations = ("MakeCallTemplate_V2", "MakeCallRecord_V2", "SendMessageAutoGenCode_V4_get")
        for number, code in ((1, "140"), (2, "101"), (3, "143")):
            for name in operations:
                assert (await ask(place, name, ApiKey=key_of(number), **wrong)).code == code, (name, number)
        for name, code in zip((*operations, *operations), ("104", "106", "110", "160", "160", "160"), strict=True):
            assert (await ask(place, name, ApiKey=key_of(4), **wrong)).code == code

    locked, slow = Stock(state="locked"), Stock(limits=(("requests-per-second", 3),))
    doorway(tmp_path, scenario, Stock(networks=("203.0.113.0/24",)), Stock(scopes="query"), locked, slow)


def test_what_is_refused_after_the_keys_says_why(tmp_path: Path) -> None:
    """Questions too carry a reason and are counted by their code; a text is called by the name it came under."""

    async def scenario(place: Doorway) -> None:
        window = {"From": "2027-01-15", "To": "x", "Page": "1", "PageSize": "9"}
        for name, members, code in (
            ("GetSendStatus", {"RefId": "0" * 35}, "105"),
            ("GetSmsReceiverStatus_get", {"RefId": "0" * 35}, "105"),
            ("GetTemplate", {"Brandname": "x"}, "104"),
            ("GetTemplate", {"SmsType": "24"}, "118"),
            ("GetSmsSentData_V2", window, "110"),
            ("SummaryMultipleMessage_V4_get", {}, "300"),
            ("CheckCodeGen_V4_get", {"Phone": PHONES[2], "Code": "1234"}, "117"),
            ("CheckCodeGen_V4_get", {"Phone": "x", "Code": "1234"}, "117"),
            ("MakeCall", {"ApiCode": "x"}, "104"),
            ("VoiceOTP", {"Phone": PHONES[2], "Code": "x"}, "110"),
        ):
            before = place.meters.refused[code]
            reply = await ask(place, name, **members)
            assert code in (reply.members.get("CodeResult"), reply.members.get("CodeResponse")), name
            assert reply.headers["x-bocau-reason"]
            assert place.meters.refused[code] == before + 1
        assert reply.members["ErrorMessage"] == "Code is invalid"

    doorway(tmp_path, scenario)


def test_no_recording_and_no_old_code_is_known(tmp_path: Path) -> None:
    """Of an account that registered none, and of a register that is not kept; wrong keys come first."""

    async def scenario(place: Doorway) -> None:
        for name, body in (("MakeCallTemplate_V2", "104"), ("MakeCall", "104"), ("MakeCallRecord_V2", "106")):
            assert (await ask(place, name, Phone=PHONES[2], TemplateId="1")).body == golden(f"call_{body}.json")
            assert (await ask(place, name, SecretKey="x")).body == golden("call_101.json")
        assert (await ask(place, "VoiceOTP", SecretKey="x")).body == golden("call_101.json")
        assert (await ask(place, "VoiceOTP", Phone=PHONES[2], Code="x")).code == "110"
        assert not place.rows()

    doorway(tmp_path, scenario)


# XML


def test_under_xml_the_answer_is_xml(tmp_path: Path) -> None:
    """Of sends, balance and status, found or not, refused or not."""

    async def scenario(place: Doorway) -> None:
        def wanted(name: str, smsid: str) -> bytes:
            text = (GOLDEN / f"{name}.xml").read_bytes().removesuffix(b"\n")
            return text.replace(b"6b1f0f3f9a7d4b0fb1a7b0c4f2d9e811042", smsid.encode())

        path = "/MainService.svc/xml/SendMultipleMessage_V4"
        sent = await place.request("POST", path, query(RequestId="one").encode())
        smsid = str(sent.members["SMSID"])
        assert sent.body == wanted("send_100", smsid)
        assert sent.headers["content-type"] == "application/xml; charset=utf-8"
        (message,) = place.rows()
        await place.submit(message)
        await place.report(message, AttemptState.DELIVERED)
        assert (await place.request("POST", path, query(RequestId="one").encode())).body == wanted("send_124", "")
        mismatch = await place.request("POST", path, query(Content="x").encode())
        assert mismatch.body == wanted("send_146", str(mismatch.members["SMSID"]))
        status = await ask(place, "GetSendStatus", folder="xml", RefId=smsid)
        assert status.body == wanted("send_status", smsid)
        unknown = await ask(place, "GetSendStatus", folder="xml", RefId="0" * 35)
        assert unknown.body == wanted("send_status_105", "0" * 35)
        await place.leave_dong(36_693)
        for target in (f"GetBalance/{KEY}/{SECRET}", f"GetBalance?ApiKey={KEY}&SecretKey={SECRET}"):
            reply = await place.request("GET", f"/MainService.svc/xml/{target}")
            assert reply.body == wanted("balance", "").replace(b"9999", b"1")
        wrong = await place.request("GET", f"/MainService.svc/xml/GetBalance/{KEY}/x")
        assert wrong.body == wanted("balance_101", "")

    doorway(tmp_path, scenario)


def test_under_xml_json_comes_back_to_who_wants_it(tmp_path: Path) -> None:
    """A JSON body, or an Accept with JSON and without XML; nothing but results becomes XML."""

    async def scenario(place: Doorway) -> None:
        path = "/MainService.svc/xml/SendMultipleMessage_V4"
        body = query(Sandbox="1").encode()
        for accept, markup in (
            ("", True),
            ("Accept: */*\r\n", True),
            ("Accept: application/json\r\n", False),
            ("Accept: Application/JSON, */*\r\n", False),
            ("Accept: application/json, application/xml\r\n", True),
            ("Accept: text/xml\r\n", True),
        ):
            reply = await place.request("POST", path, body, accept)
            assert ("xml" in reply.headers["content-type"]) == markup, accept
            assert reply.code == "100"
        posted = await place.request("POST", path, b'\xef\xbb\xbf {"ApiKey":"x"}')
        assert posted.body == golden("101.json")
        broken = await place.request("POST", path, b"<RQST>")
        assert (broken.status, broken.body) == (400, golden("error_400.json"))
        assert (await place.request("GET", f"{GET_PATH.replace('json', 'xml')}?x=1")).status == 404
        advertising = await place.request("POST", "/MainService.svc/xml/SendMultipleSMSBrandname/", b"<RQST/>")
        assert advertising.members["CodeResult"] == "118"
        assert "xml" in advertising.headers["content-type"]

    doorway(tmp_path, scenario)


@pytest.mark.parametrize("days", [1, 30])
def test_how_long_a_request_can_be_asked_about_is_a_setting(tmp_path: Path, days: int) -> None:
    """accept.query_days."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send()).smsid
        place.world.now += days * DAY
        assert (await place.status(smsid)).members["CodeResponse"] == "100"
        place.world.now += 1
        assert (await place.request("GET", f"{STATUS_PATH}?RefId={smsid}&{query()}")).members["CodeResponse"] == "105"

    doorway(tmp_path, scenario, policy=POLICY._replace(query_window_ms=days * DAY))
