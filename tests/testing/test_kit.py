"""The test kit as an application's tests use it, against a real gateway with its simulated carrier."""

import io
import json
import threading
import wave
from datetime import UTC, datetime, timedelta

import pytest
from tests.testing.hooks import Host, a_host

from bocau.client import AuthorizeFailed, Client, DuplicateRequest, TemplateMismatch, parse_callback
from bocau.testing.kit import Bocau, KitError, Message, _Api, open_namespace
from bocau.testing.server import Server

TEXT = "{code} la ma dang nhap Bocau cua ban"


def send(bocau: Bocau, phone: str, code: str = "482193", request_id: str | None = None, callback_url: str = "") -> str:
    sent = bocau.client.send_otp(
        phone, code, text=TEXT, brandname="Bocau", request_id=request_id, callback_url=callback_url
    )
    return sent.smsid


def test_a_code_is_waited_for(bocau: Bocau) -> None:
    """The whole of it: the application sends, the test gets the code."""
    phone = bocau.phone()
    smsid = send(bocau, phone)
    assert bocau.wait_otp(phone) == "482193"
    message = bocau.messages()[0]
    assert (message.smsid, message.phone, message.code) == (smsid, phone, "482193")


def test_each_message_is_given_once(bocau: Bocau) -> None:
    """Two log-ins, two codes, in their order."""
    phone = bocau.phone()
    send(bocau, phone, "1111")
    send(bocau, phone, "2222")
    assert [bocau.wait_otp(phone), bocau.wait_otp(phone)] == ["1111", "2222"]
    bocau.assert_no_sms(phone)


def test_what_was_passed_over_is_given_later(bocau: Bocau) -> None:
    """Whatever the order in which a test asks, however many it has had."""
    phone, others = bocau.phone(), [bocau.phone() for _ in range(3)]
    send(bocau, phone, "1111")
    send(bocau, phone, "2222")
    for other in others:
        send(bocau, other)
    assert bocau.wait_sms(phone, text="2222").code == "2222"
    assert bocau.wait_otp(phone) == "1111"
    assert sorted(bocau.wait_sms().phone for _ in others) == sorted(others)
    bocau.assert_no_sms()


def test_a_wait_that_began_before_ends_with_the_message(bocau: Bocau) -> None:
    """A long poll: nobody asks again and again."""
    phone, found = bocau.phone(), list[Message]()
    waiting = threading.Thread(target=lambda: found.append(bocau.wait_sms(phone, until="delivered", timeout=10)))
    waiting.start()
    send(bocau, phone)
    waiting.join(15)
    assert [message.state for message in found] == ["delivered"]


def test_a_failed_wait_tells_what_came_and_what_was_refused(bocau: Bocau) -> None:
    """Everything that the person needs, in the assertion itself."""
    other = bocau.phone()
    send(bocau, other, "7777")
    bocau.wait_otp(other)
    bocau.inject("undelivered network=viettel")
    with pytest.raises(TemplateMismatch):
        bocau.client.send("0901888484", "Ma cua ban la 482193", brandname="Bocau")
    with pytest.raises(AssertionError) as failed:
        bocau.wait_otp("0901888484", timeout=0)
    said = str(failed.value)
    assert said.startswith("no one-time code for 0901888484 within 0 s\n")
    assert f"{other}  Bocau  '7777 la ma dang nhap Bocau cua ban'" in said
    assert "\n  0901888484  'Ma cua ban la 482193'\n      146 Sai template Brandname CSKH: template " in said
    assert said.count("Ma cua ban la 482193") == 1
    assert said.endswith("faults in force:\n  undelivered network=viettel  (about 0, struck 0)")


def test_an_sms_that_should_not_be_is_shown(bocau: Bocau) -> None:
    """The assertion has the text."""
    send(bocau, "0901888484")
    with pytest.raises(AssertionError, match="482193 la ma dang nhap"):
        bocau.assert_no_sms("0901888484")
    bocau.assert_no_sms("0901888485")


def call(bocau: Bocau, phone: str, code: str) -> str:
    return bocau.client.voice_otp(phone, code).smsid


def test_a_spoken_code_is_what_the_phone_heard(bocau: Bocau) -> None:
    """The digits come out of the sound, while the call goes on; a phone that is busy is told as such."""
    first, second, busy = bocau.phone(), bocau.phone(), bocau.phone("0006")
    smsid = call(bocau, first, "482193")
    call(bocau, second, "7710")
    call(bocau, busy, "1234")
    heard = bocau.wait_call(first)
    assert (heard.smsid, heard.code, heard.codes, heard.status) == (smsid, "482193", ("482193",), "ANSWERED")
    with wave.open(io.BytesIO(heard.wav)) as sound:
        assert sound.getframerate() == 8_000
        assert sound.getnframes() / 8_000 > 3
    assert bocau.wait_otp(second, timeout=30) == "7710"
    assert bocau.wait_call(busy, until="over").status == "BUSY"
    bocau.assert_no_sms()
    with pytest.raises(AssertionError) as failed:
        bocau.wait_call(first, timeout=0)
    assert str(failed.value).startswith(f"no call for {first} within 0 s\n")
    assert f"{busy}  call  BUSY  heard no code" in str(failed.value)
    assert f"{first}  call  ANSWERED  heard 482193" in str(failed.value)


def test_an_sms_is_no_call(bocau: Bocau, bocau_server: Server) -> None:
    """Who waits for a call waits on; who asks for the sound of what was not said is told so, and that of others too."""
    send(bocau, "0901888484")
    bocau.wait_sms("0901888484")
    with pytest.raises(AssertionError, match="no call for 0901888484"):
        bocau.wait_call("0901888484", timeout=0)
    assert bocau.calls() == []
    path = f"/test/namespaces/bocau-dev/calls/{bocau.messages()[0].id}.wav"
    with pytest.raises(KitError, match="No phone heard a call of this message"):
        _Api(bocau_server.admin).ask("GET", path)


def test_two_namespaces_do_not_see_each_other(bocau: Bocau, bocau_server: Server) -> None:
    """The same phone, the same RequestId, two tests at the same time."""
    other = open_namespace(bocau_server.admin)
    try:
        send(bocau, "0901888484", "1111", request_id="same")
        send(other, "0901888484", "2222", request_id="same")
        assert (bocau.wait_otp("0901888484"), other.wait_otp("0901888484")) == ("1111", "2222")
        other.inject("refuse")
        send(bocau, "0901888484", "3333")
        assert bocau.wait_otp("0901888484") == "3333"
    finally:
        other.close()
    with Client(other.base_url, other.api_key, other.secret_key) as late, pytest.raises(AuthorizeFailed):
        late.balance()


def test_time_passes_for_one_test_alone(bocau: Bocau, bocau_server: Server) -> None:
    """A scheduled message goes, and a RequestId is free again; that of another test is not."""
    other = open_namespace(bocau_server.admin)
    try:
        send(other, "0901888484", request_id="order")
        tomorrow = datetime.now(UTC) + timedelta(hours=20)
        phone = bocau.phone()
        bocau.client.send(phone, TEXT.format(code="5555"), brandname="Bocau", request_id="order", send_at=tomorrow)
        with pytest.raises(AssertionError, match="scheduled"):
            bocau.wait_otp(phone, timeout=0)
        bocau.advance(hours=25)
        assert bocau.wait_otp(phone) == "5555"
        send(bocau, phone, request_id="order")
        with pytest.raises(DuplicateRequest):
            send(other, "0901888484", request_id="order")
    finally:
        other.close()


def test_a_message_that_no_carrier_takes_expires(bocau: Bocau) -> None:
    """Throttled until its time-to-live is over."""
    phone = bocau.phone()
    bocau.inject({"act": "throttle", "per_second": 0})
    send(bocau, phone)
    bocau.advance(hours=1)
    with pytest.raises(AssertionError):
        bocau.wait_sms(phone, timeout=0)
    assert _state(bocau, phone, "expired") == "expired"


def _state(bocau: Bocau, phone: str, wanted: str) -> str:
    """The state of the only message to a phone, once it is the wanted one, or what it is after some looks."""
    for _ in range(200):
        state = bocau.messages(phone)[0].state
        if state == wanted:
            break
    return state


def test_faults_are_for_the_messages_of_the_test(bocau: Bocau) -> None:
    """From the second message on, undelivered; the first and those of a mended carrier arrive."""
    bocau.inject({"act": "undelivered", "after_messages": 1})
    first, second, third = bocau.phone(), bocau.phone(), bocau.phone()
    send(bocau, first)
    bocau.wait_sms(first, until="delivered")
    send(bocau, second)
    bocau.wait_sms(second)
    bocau.inject()
    send(bocau, third)
    bocau.wait_sms(third, until="delivered")
    assert bocau.messages(second)[0].state in ("sent", "failed")


def test_a_fault_is_narrowed_by_network_and_template(bocau: Bocau) -> None:
    """The informant behind the carrier knows numbers and templates; what each fault did is told."""
    bocau.inject(
        "undelivered network=viettel template='{P1,20} la ma dang nhap Bocau cua ban'",
        "undelivered template=Other",
        seed=3,
    )
    viettel, other = "0981888484", "0901888484"
    send(bocau, viettel, "1111")
    bocau.client.send(viettel, "Bocau xin chao An, cam on ban da dang ky", brandname="Bocau")
    send(bocau, other, "2222")
    bocau.wait_sms(other, until="delivered")
    bocau.wait_sms(viettel, text="xin chao", until="delivered")
    assert [(fault["seen"], fault["struck"]) for fault in bocau.faults()] == [(1, 1), (0, 0)]
    bocau.inject("refuse", keep=True)
    assert [fault["line"].partition(" ")[0] for fault in bocau.faults()] == ["undelivered", "undelivered", "refuse"]
    for number, bad in ((458_458, "there is no template with the number"), ("{P1,0}", "template")):
        with pytest.raises(KitError, match=bad):
            bocau.inject(f"refuse template={number}")


def test_a_fault_that_is_none_is_explained(bocau: Bocau) -> None:
    """With the acts there are."""
    with pytest.raises(KitError, match="there is no act 'explode'; there are refuse, throttle"):
        bocau.inject("explode")


def let_time_pass(bocau: Bocau, host: Host) -> None:
    """Minutes, until the host is called. A try is stored a moment after it was answered."""
    for _ in range(100):
        bocau.advance(minutes=1)
        if host.called.acquire(timeout=0.1):
            return


def test_a_callback_is_tried_again_when_its_time_has_come(bocau: Bocau) -> None:
    """The host was down; after the wait it is told."""
    with a_host() as host:
        smsid = send(bocau, bocau.phone(), callback_url=f"http://127.0.0.1:{host.server_port}/hook")
        assert host.called.acquire(timeout=10)
        host.well = True
        let_time_pass(bocau, host)
    assert [parse_callback(query).smsid for query in host.came] == [smsid, smsid]


def test_a_callback_host_goes_wrong_for_one_test_alone(bocau: Bocau, bocau_server: Server) -> None:
    """It answers 502 without being asked, until the fault is over; that of another test is called at once."""
    other = open_namespace(bocau_server.admin)
    with a_host() as host:
        host.well = True
        url = f"http://127.0.0.1:{host.server_port}/hook"
        try:
            bocau.inject("callback_answer status=502 for_seconds=30")
            mine, theirs = send(bocau, bocau.phone(), callback_url=url), send(other, other.phone(), callback_url=url)
            assert host.called.acquire(timeout=10)
            [fault] = bocau.faults()
            for _ in range(200):
                if fault["struck"]:
                    break
                [fault] = bocau.faults()
            let_time_pass(bocau, host)
        finally:
            other.close()
    assert fault["struck"] == 1
    assert [parse_callback(query).smsid for query in host.came] == [theirs, mine]


def test_a_reset_forgets(bocau: Bocau) -> None:
    """For those who share a namespace between the steps of one test."""
    send(bocau, "0901888484", request_id="same")
    bocau.reset()
    assert bocau.messages() == []
    send(bocau, "0901888484", request_id="same")
    assert bocau.wait_otp("0901888484") == "482193"


def test_the_ready_made_account_is_a_namespace_that_stays(bocau_server: Server) -> None:
    """Somebody who tries things with curl waits for them too; nobody deletes what all use."""
    opened = {"namespace": "bocau-dev", "api_key": "bocau-dev", "secret_key": "bocau-dev-secret"}
    ready = Bocau(_Api(bocau_server.admin), {**opened, "base_url": bocau_server.api})
    phone = ready.phone()
    send(ready, phone)
    assert ready.wait_otp(phone) == "482193"
    with pytest.raises(KitError, match="reset it instead"):
        ready.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("GET", "/test/nothing", None, "There is nothing here"),
        ("GET", "/test/namespaces/nobody", None, "no such namespace"),
        ("POST", "/test/clock", {"advance_seconds": -1}, "advance_seconds is a number"),
        ("POST", "/test/namespaces", {"templates": [{"brandname": "Shop"}]}, "text is missing"),
        ("POST", "/test/namespaces", {"templates": [{"brandname": "Shop", "text": "{P1,0}"}]}, "no template"),
        ("POST", "/test/namespaces", {"balance": "much"}, "balance is a whole number"),
        ("GET", "/test/namespaces/bocau-dev/wait?seconds=long", None, "seconds is a number"),
        ("GET", "/test/namespaces/bocau-dev/wait?until=tomorrow", None, "until is one of"),
        ("GET", "/test/namespaces/bocau-dev/wait?channel=fax", None, "channel is sms or call"),
        ("GET", "/test/namespaces/bocau-dev/wait?channel=call&until=sent", None, "until is one of heard, answered"),
        ("GET", "/test/namespaces/bocau-dev/wait?except=1,x", None, "except is a list of ids"),
        ("GET", "/test/namespaces/bocau-dev/messages/x", None, "No request of this namespace"),
        ("POST", "/test/namespaces/bocau-dev/faults", {"faults": "all"}, "faults is a list"),
        ("POST", "/test/namespaces/bocau-dev/faults", {"faults": ["late"], "keep": 1}, "keep is true or false"),
        ("DELETE", "/test/namespaces/bocau-dev/faults/999999999", None, "There is no fault 999999999"),
        ("POST", "/test/namespaces/bocau-dev/clock", [], "one JSON object"),
    ],
)
def test_what_is_wrong_is_told(bocau_server: Server, method: str, path: str, body: object, said: str) -> None:
    """In a sentence, whatever language the caller is written in."""
    with pytest.raises(KitError, match=said):
        _Api(bocau_server.admin).ask(method, path, body)


def test_own_templates_are_registered(bocau: Bocau) -> None:
    """Those that the application really sends."""
    bocau.register("Shop", "Shop: ma {P1,6}")
    phone = bocau.phone()
    bocau.client.send(phone, "Shop: ma 902817", brandname="Shop")
    assert bocau.wait_otp(phone) == "902817"


def test_the_environment_names_the_namespace(bocau: Bocau, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application's own code runs unchanged."""
    import os

    assert {name: os.environ[name] for name in bocau.environ} == bocau.environ


def test_the_test_api_is_in_the_document(bocau_server: Server) -> None:
    """Other languages generate a client from it."""
    import http.client
    from urllib.parse import urlsplit

    from openapi_spec_validator import validate

    parts = urlsplit(bocau_server.admin)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.request("GET", "/openapi.json")
    found = json.loads(connection.getresponse().read())
    connection.close()
    validate(found)
    assert "get" in found["paths"]["/test/namespaces/{namespace}/wait"]
