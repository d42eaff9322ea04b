"""Both clients against a server that misbehaves on purpose: one set of tests for the two."""

import asyncio
import json
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.stand import HANG_UP, Stand, answer, standing

from bocau.client import (
    BY_CODE,
    AsyncClient,
    AuthorizeFailed,
    Client,
    DuplicateRequest,
    EsmsError,
    NoAnswer,
    TemplateMismatch,
)
from bocau.client.calls import Call, Calls, Options, read_address
from bocau.client.patience import Patience
from bocau.client.replies import Reply, read_sent, read_status
from bocau.wire.esms.codes import CODES
from bocau.wire.esms.operations import TABLE

Ask = Callable[..., Any]
Tls = ssl.SSLContext | None
SMSID = "02f1a6b3c4400000a1b2c3d4e5f60718000"
TAKEN = answer(f'{{"CodeResult":"100","CountRegenerate":0,"SMSID":"{SMSID}"}}')
SEEN = '{"CodeResult":"124","CountRegenerate":0,"ErrorMessage":"Request exist 1","SendStatus":"5"}'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
BALANCE = answer('{"Balance":36693.5,"CodeResponse":"100","UserID":9999}')


def ordinary(
    url: str, method: str, *values: Any, retries: int = 2, times: int = 1, tls: Tls = None, **named: Any
) -> Any:
    with Client(url, "K", "S", retries=retries, seconds=5, tls=tls) as client:
        for _ in range(times):
            found = getattr(client, method)(*values, **named)
    return found


def awaited(
    url: str, method: str, *values: Any, retries: int = 2, times: int = 1, tls: Tls = None, **named: Any
) -> Any:
    async def ask() -> Any:
        async with AsyncClient(url, "K", "S", retries=retries, seconds=5, tls=tls) as client:
            for _ in range(times):
                found = await getattr(client, method)(*values, **named)
        return found

    return asyncio.run(ask())


@pytest.fixture(params=[ordinary, awaited], autouse=True)
def ask(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setattr(Patience, "wait_seconds", _no_wait(Patience.wait_seconds))
    found: Ask = request.param
    return found


def _no_wait(real: Callable[..., float | None]) -> Callable[..., float | None]:
    """The same decision without the waiting."""

    def decide(*values: Any, **named: Any) -> float | None:
        return None if real(*values, **named) is None else 0.0

    return decide


def body_of(stand: Stand, index: int) -> dict[str, str]:
    found: dict[str, str] = json.loads(stand.requests[index].partition("\r\n\r\n")[2])
    return found


def test_a_send_goes_out_as_documented_and_has_a_request_id(ask: Ask) -> None:
    """What eSMS documents, and no more; the RequestId is made up."""
    with standing(TAKEN) as stand:
        sent = ask(stand.url, "send", "0901888484", "482193 la ma", brandname="Bocau")
    assert stand.requests[0].startswith("POST /MainService.svc/json/SendMultipleMessage_V4_post_json/ HTTP/1.1\r\n")
    assert body_of(stand, 0) == {
        "ApiKey": "K",
        "SecretKey": "S",
        "Phone": "0901888484",
        "Content": "482193 la ma",
        "SmsType": "2",
        "Brandname": "Bocau",
        "RequestId": sent.request_id,
    }
    assert (sent.smsid, len(sent.request_id), sent.repeated) == (SMSID, 32, False)


def test_a_lost_answer_is_asked_for_again_under_the_same_request_id(ask: Ask) -> None:
    """The first try was accepted; 124 to the second says so, with the id of the first."""
    with standing(HANG_UP, answer(SEEN, headers=f"X-Bocau-SMSID: {SMSID}\r\n")) as stand:
        sent = ask(stand.url, "send", "0901888484", "x", brandname="Bocau")
    assert body_of(stand, 0)["RequestId"] == body_of(stand, 1)["RequestId"] == sent.request_id
    assert (sent.smsid, sent.repeated) == (SMSID, True)


def test_a_lost_answer_of_esms_leaves_the_id_empty(ask: Ask) -> None:
    """eSMS does not tell the first SMSID: it was accepted, and that is all there is to know."""
    with standing(HANG_UP, answer(SEEN)) as stand:
        sent = ask(stand.url, "send", "0901888484", "x", brandname="Bocau")
    assert (sent.smsid, sent.repeated) == ("", True)


def test_a_request_id_of_somebody_else_is_an_error(ask: Ask) -> None:
    """Without a try of our own before it, 124 means that the RequestId was used."""
    with (
        standing(answer(SEEN, headers=f"X-Bocau-SMSID: {SMSID}\r\n")) as stand,
        pytest.raises(DuplicateRequest) as caught,
    ):
        ask(stand.url, "send", "0901888484", "x", brandname="Bocau", request_id="order-77")
    assert (caught.value.smsid, caught.value.send_status, caught.value.code) == (SMSID, 5, "124")


def test_a_server_error_is_tried_again(ask: Ask) -> None:
    """503 says that nothing was stored."""
    with standing(answer('{"error":"x"}', "503 Service Unavailable"), TAKEN) as stand:
        assert ask(stand.url, "send", "0901888484", "x", brandname="Bocau").smsid == SMSID
    assert len(stand.requests) == 2


def test_patience_ends_with_the_request_id_to_go_on_with(ask: Ask) -> None:
    """Three tries; then the caller is told what to repeat it with."""
    with standing(HANG_UP, HANG_UP, HANG_UP) as stand, pytest.raises(NoAnswer) as caught:
        ask(stand.url, "send", "0901888484", "x", brandname="Bocau")
    assert len(stand.requests) == 3
    assert caught.value.request_id == body_of(stand, 0)["RequestId"]


def test_nobody_there_is_no_answer(ask: Ask) -> None:
    """A refused connection is told as such."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(NoAnswer, match="no answer"):
        ask(f"http://127.0.0.1:{port}", "balance", retries=1)


def test_a_code_is_checked_once(ask: Ask) -> None:
    """A second try would find the code used and call a right one wrong."""
    with standing(HANG_UP, HANG_UP) as stand, pytest.raises(NoAnswer):
        ask(stand.url, "check_code", "0901888484", "482193")
    assert len(stand.requests) == 1


def test_a_wrong_code_is_no_error(ask: Ask) -> None:
    """117 is an answer; everything else that is not 100 is raised."""
    wrong = '{"CodeResult":"117","CountRegenerate":0,"ErrorMessage":"0901888484, Content: 1 Code Invalid"}'
    with standing(answer(wrong)) as stand:
        assert ask(stand.url, "check_code", "0901888484", "482193") is False
    with standing(answer('{"CodeResult":"101","ErrorMessage":"Authorize Failed"}')) as stand:
        with pytest.raises(AuthorizeFailed):
            ask(stand.url, "check_code", "0901888484", "482193")


def test_the_connection_is_kept(ask: Ask) -> None:
    """Three calls, one connection."""
    with standing(BALANCE, BALANCE, BALANCE) as stand:
        assert ask(stand.url, "balance", times=3).amount == Decimal("36693.5")
    assert stand.connections == 1


def test_a_kept_connection_that_was_closed_is_replaced(ask: Ask) -> None:
    """Servers close what is quiet; it costs no try."""
    with standing(BALANCE, HANG_UP, BALANCE) as stand:
        assert ask(stand.url, "balance", times=2, retries=0).user_id == 9999
    assert stand.connections == 2


def test_answers_in_pieces_are_read(ask: Ask) -> None:
    """eSMS may send chunks."""
    rest = b'ance":36693,"CodeResponse":"100","UserID":9999}'
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = b'%b5\r\n{"Bal\r\n%x;x=y\r\n%b\r\n0\r\n\r\n' % (head, len(rest), rest)
    with standing(chunked, BALANCE) as stand:
        assert ask(stand.url, "balance").amount == Decimal(36693)


def test_a_template_mismatch_says_where(ask: Ask) -> None:
    """The reason of a bocau is part of the error."""
    refused = (
        f'{{"CodeResult":"146","CountRegenerate":0,"ErrorMessage":"Sai template Brandname CSKH","SMSID":"{SMSID}"}}'
    )
    with standing(answer(refused, headers="X-Bocau-Reason: at character 31: m\\xe3\r\n")) as stand:
        with pytest.raises(TemplateMismatch, match="at character 31: mã") as caught:
            ask(stand.url, "send", "0901888484", "x", brandname="Bocau")
    assert (caught.value.code, caught.value.smsid) == ("146", SMSID)


def test_a_code_that_nobody_knows_is_an_error_all_the_same(ask: Ask) -> None:
    """eSMS may add one tomorrow."""
    with standing(answer('{"CodeResult":"999","ErrorMessage":"new"}')) as stand, pytest.raises(EsmsError) as caught:
        ask(stand.url, "send", "0901888484", "x", brandname="Bocau")
    assert (type(caught.value), caught.value.code) == (EsmsError, "999")


@pytest.mark.parametrize("said", ["not json", "[1]", '"x"', ""])
def test_what_is_no_result_is_no_answer(ask: Ask, said: str) -> None:
    """A captive portal answers 200 too."""
    with standing(answer(said)) as stand, pytest.raises(NoAnswer, match="no result of the API"):
        ask(stand.url, "balance")


def test_dates_go_out_in_vietnam_time(ask: Ask) -> None:
    """Whatever zone the program thinks in."""
    with standing(TAKEN) as stand:
        ask(
            stand.url,
            "send",
            ["0901888484", "0901888485"],
            "x",
            brandname="B",
            send_at=datetime(2030, 1, 1, tzinfo=UTC),
        )
    assert body_of(stand, 0)["SendDate"] == "2030-01-01 07:00:00"
    assert body_of(stand, 0)["Phone"] == "0901888484,0901888485"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a self-made certificate for 127.0.0.1, in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    subprocess.run(
        f"{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=esms.example "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {cert}".split(),
        check=True,
        capture_output=True,
    )
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    return both


def test_tls_is_spoken_and_certificates_are_checked(ask: Ask, certificate: Path) -> None:
    """With a trusted certificate it works; with one that nobody vouches for, no key leaves."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with standing(BALANCE, tls=tls) as stand:
        trust = ssl.create_default_context(cafile=str(certificate))
        assert ask(stand.url, "balance", tls=trust).user_id == 9999
    with standing(BALANCE, tls=tls) as stand, pytest.raises(NoAnswer, match="certificate verify failed"):
        ask(stand.url, "balance", retries=0)
    assert stand.requests == []


def test_keys_in_a_path_are_quoted() -> None:
    """A slash in a key is no step of the path."""
    with standing(answer('{"CodeResponse":"100","ListBrandName":[{"Brandname":"Bocau","Type":2}]}')) as stand:
        with Client(stand.url, "K/1", "S?2") as client:
            assert [row.name for row in client.brandnames()] == ["Bocau"]
    assert stand.requests[0].startswith("GET /MainService.svc/json/GetListBrandname/K%2F1/S%3F2 HTTP/1.1")


def test_a_client_without_keys_says_which_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start, not at the first call."""
    monkeypatch.delenv("ESMS_API_KEY", raising=False)
    for kind in (Client, AsyncClient):
        with pytest.raises(ValueError, match="ESMS_API_KEY"):
            kind("http://127.0.0.1:1")


def test_the_environment_says_where_and_who(monkeypatch: pytest.MonkeyPatch) -> None:
    """One variable apart from production."""
    with standing(BALANCE) as stand:
        monkeypatch.setenv("ESMS_BASE_URL", f"{stand.url}/MainService.svc/json/")
        monkeypatch.setenv("ESMS_API_KEY", "K")
        monkeypatch.setenv("ESMS_SECRET_KEY", "S")
        with Client() as client:
            assert client.balance().user_id == 9999
    assert "POST /MainService.svc/json/GetBalance_json HTTP" in stand.requests[0]


def test_without_a_word_it_is_esms_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is of use without a bocau."""
    monkeypatch.delenv("ESMS_BASE_URL", raising=False)
    assert read_address(None).host == "rest.esms.vn"
    assert read_address(None).secure


@pytest.mark.parametrize("url", ["rest.esms.vn", "ftp://x", "http://", "http:///x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """At the start, with an example of one."""
    with pytest.raises(ValueError, match="is no address"):
        read_address(url)


def test_every_code_that_is_answered_has_its_error() -> None:
    """The client's table is its own, so that it needs nothing of the server; here the two are compared."""
    answered = {row.code for row in CODES.values() if row.emitted}
    assert set(BY_CODE) == answered - {"100", "117"}
    for code, kind in BY_CODE.items():
        assert (kind.__doc__ or "").startswith(f"{code}: ")


def test_every_call_stands_in_the_table_of_operations() -> None:
    """Paths and methods of the client are those that the server's table has."""
    calls, options = Calls("K", "S", ""), Options("r")
    made: list[Call[Any]] = [
        calls.send("1", "x", "B", sms_type=2, unicode=False, options=options),
        calls.voice_otp("1", "1234", options),
        calls.generate_code("1", "{OTP}", "B", {}, options),
        calls.check_code("1", "1234"),
        calls.status("x"),
        calls.receivers("x"),
        calls.balance(),
        calls.brandnames(),
        calls.templates("B", 2),
        calls.price("1", "x", "B", unicode=False),
    ]
    known = {(row.name, row.methods[0]) for row in TABLE}
    for call in made:
        name = call.target.partition("?")[0].removeprefix("/MainService.svc/json/").rstrip("/").partition("/")[0]
        assert (name, call.method) in known


@given(st.binary(max_size=200), st.sampled_from([200, 400, 404]), st.booleans())
def test_garbage_is_an_error_of_ours(body: bytes, status: int, retried: bool) -> None:
    """Whatever a server says, the caller meets EsmsError and nothing else."""
    for read in (read_sent, read_status):
        with pytest.raises(EsmsError):
            read(Reply(status, {}, body, "r", retried))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_odd_values_in_a_result_do_not_break_the_reader(value: object) -> None:
    """A count may come as text, as null, or as nonsense."""
    members = {"CodeResponse": "100", "SMSID": "x", "SendStatus": value, "TotalPrice": value, "SendSuccess": value}
    assert read_status(Reply(200, {}, json.dumps(members).encode())).smsid == "x"


def test_a_status_knows_of_possible_duplicates() -> None:
    """Told in a header of a bocau; another service has none, and garbage counts as none."""
    body = b'{"CodeResponse":"100","SMSID":"x"}'
    found = {
        said: read_status(Reply(200, {"x-bocau-possible-duplicate": said}, body)).possible_duplicates
        for said in ("2", "", "many", "-1")
    }
    assert found == {"2": 2, "": 0, "many": 0, "-1": 0}
    assert read_status(Reply(200, {}, body)).possible_duplicates == 0


def test_the_client_brings_nothing_of_the_server() -> None:
    """Neither a room nor a dependency; a program that only sends stays small."""
    code = (
        "import sys, bocau.client\n"
        "loaded = sorted(name for name in sys.modules if name.startswith('bocau'))\n"
        "assert all(name in ('bocau', 'bocau.client') or name.startswith('bocau.client.') for name in loaded), loaded\n"
        "assert not {'asyncio', 'msgspec', 'httptools', 'typer', 'rich', 'sqlite3'} & set(sys.modules)\n"
        "from bocau.client import AsyncClient\n"
        "assert 'msgspec' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
