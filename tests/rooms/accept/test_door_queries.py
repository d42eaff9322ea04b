"""The door's questions, and what it must not tell: status, balance, keys, logs."""

import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.rooms.accept.doorway import (
    DAY,
    JSON_PATH,
    STATUS_PATH,
    Doorway,
    Reply,
    doorway,
    golden,
    http,
    query,
    status_body,
)
from tests.rooms.accept.shop import KEY, NOW, SECRET, TEXT, Stock, key_of

from bocau.core.lifecycle import AttemptState
from bocau.core.message import AnswerKind, Recourse, Uncertain

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


def test_a_possible_duplicate_is_told_in_a_header(tmp_path: Path) -> None:
    """The body has no member for it, and stays what the API says (promises 4.1)."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send()).smsid
        (message,) = place.rows()
        await place.submit(message, AnswerKind.UNCERTAIN, recourse=Recourse(uncertain=Uncertain.RESEND_ONCE))
        assert "x-bocau-possible-duplicate" not in (await place.status(smsid)).headers
        await place.store.claim(place.world.now, {"otp": 1, "other": 1}, frozenset())
        await place.submit(message, number=2)
        reply = await place.status(smsid)
        assert reply.body == status_body(smsid, 0, 7, 0, "850.0000", 1, 1)
        assert reply.headers["x-bocau-possible-duplicate"] == "1"

    doorway(tmp_path, scenario)


def test_another_account_s_id_is_answered_like_an_unknown_one(tmp_path: Path) -> None:
    """S3: the same bytes, so that nobody learns which ids exist."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send()).smsid
        foreign = await place.status(smsid, key_of(2))
        assert foreign.body == golden("send_status_105.json", smsid)
        unknown = smsid[:-4] + ("0" if smsid[-4] != "0" else "1") + smsid[-3:]
        same = nameless(foreign).replace(smsid.encode(), unknown.encode())
        assert nameless(await place.status(unknown, key_of(2))) == nameless(await place.status(unknown)) == same

    doorway(tmp_path, scenario, Stock(), Stock())


@pytest.mark.parametrize("smsid", ["", "x", "0" * 35, "g" * 35, "f" * 32 + "001", "6b1f0f3f-9a7d-4b0f", "f" * 200])
def test_an_id_that_is_none_is_105(tmp_path: Path, smsid: str) -> None:
    """It is repeated as it was asked."""

    async def scenario(place: Doorway) -> None:
        assert (await place.status(smsid)).body == golden("send_status_105.json", smsid)

    doorway(tmp_path, scenario)


def test_the_status_is_asked_in_any_form(tmp_path: Path) -> None:
    """Any case of the id, RefId or SMSID, by GET or POST; bad keys get two members."""

    async def scenario(place: Doorway) -> None:
        smsid = (await place.send()).smsid
        upper = smsid.upper()
        assert (await place.status(upper)).body == status_body(upper, 0, 2, 0, "850.0000", 1, 0)
        wanted = status_body(smsid, 0, 2, 0, "850.0000", 1, 0)
        keys = {"apikey": KEY, "Secretkey": SECRET}
        for name in ("RefId", "REFID", "SMSID"):
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


# Secrets


def nameless(reply: Reply) -> bytes:
    """An answer without the name that each refused request gets."""
    return re.sub(rb"X-Bocau-Request: [0-9]+-[0-9]+\r\n", b"", reply.raw)


def test_four_kinds_of_wrong_keys_are_the_same_bytes(tmp_path: Path) -> None:
    """S4: wrong secret, unknown key, disabled key, and missing or empty ones, at every operation."""
    wrong = [(KEY, "wrong"), ("unknown", SECRET), (key_of(2), SECRET), (key_of(2), "wrong"), ("", ""), ("é", "é")]
    locked = (key_of(3), "wrong")

    async def scenario(place: Doorway) -> None:
        sends, statuses, balances, paths = set(), set(), set(), set()
        for key, secret in (*wrong, locked):
            sends.add(nameless(await place.send(ApiKey=key, SecretKey=secret)))
            statuses.add(nameless(await place.status("6b1f", quote(key), quote(secret))))
            balances.add(nameless(await place.balance(key, secret)))
            if key:
                target = f"/MainService.svc/json/GetBalance/{quote(key)}/{quote(secret)}"
                paths.add(nameless(await place.request("GET", target)))
        sends.add(nameless(await place.request("POST", JSON_PATH, b'{"ApiKey":null}')))
        sends.add(nameless(await place.request("POST", JSON_PATH)))
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
