"""`bocau send`, `bocau status` and `bocau wait-ready` against a scripted gateway."""

import json
import socket

import pytest
from tests.cli.shell import Heard, Shell, Stub

from bocau.cli.api_calls import patiently

SEND = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
STATUS = "/MainService.svc/json/GetSendStatus"
SMSID = "0378b189d5800000f4aaf3cf9ac206d4000"
ACCEPTED = f'{{"CodeResult":"100","CountRegenerate":0,"SMSID":"{SMSID}"}}'
TEXT = ("--phone", "0901234567", "--content", "4821 la ma")


def status_body(status: int, succeeded: int = 0, failed: int = 0) -> str:
    return (
        f'{{"CodeResponse":"100","SMSID":"{SMSID}","SendFailed":{failed},"SendStatus":{status},'
        f'"SendSuccess":{succeeded},"TotalPrice":850.0000,"TotalReceiver":1,"TotalSent":1}}'
    )


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Polling without pauses."""
    monkeypatch.setattr("bocau.cli.api_calls._POLL_SECONDS", 0.0)


def nobody() -> str:
    """An address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_a_send_posts_the_documented_members_with_the_development_keys(shell: Shell, gateway: Stub) -> None:
    """Members without a value stay away."""
    gateway.answer(SEND, ACCEPTED)
    shown = shell.ok("send", *TEXT, "--url", gateway.url)
    assert gateway.heard == [
        Heard(
            "POST",
            SEND,
            {
                "ApiKey": "bocau-dev",
                "SecretKey": "bocau-dev-secret",
                "Phone": "0901234567",
                "Content": "4821 la ma",
                "SmsType": "2",
                "Brandname": "Baotrixemay",
            },
        )
    ]
    assert SMSID in shown
    assert f"bocau status {SMSID}" in shown


def test_every_option_of_a_send_has_its_member(shell: Shell, gateway: Stub) -> None:
    """Also keys and address from the environment."""
    gateway.answer(SEND, ACCEPTED)
    customer = Shell(environment={"BOCAU_URL": gateway.url + "/", "BOCAU_API_KEY": "k", "BOCAU_SECRET_KEY": "s"})
    options = ["--request-id", "r", "--callback-url", "http://x/", "--send-date", "2030-01-01 08:00:00"]
    customer.ok("send", *TEXT, "--brandname", "Bocau", *options, "--sandbox", "--unicode")
    assert gateway.heard[0].members == {
        "ApiKey": "k",
        "SecretKey": "s",
        "Phone": "0901234567",
        "Content": "4821 la ma",
        "SmsType": "2",
        "Brandname": "Bocau",
        "RequestId": "r",
        "CallbackUrl": "http://x/",
        "SendDate": "2030-01-01 08:00:00",
        "Sandbox": "1",
        "IsUnicode": "1",
    }


def test_a_send_of_type_8_has_no_brandname(shell: Shell, gateway: Stub) -> None:
    """It goes out under a number of the network."""
    gateway.answer(SEND, ACCEPTED)
    shell.ok("send", *TEXT, "--type", "8", "--url", gateway.url)
    assert "Brandname" not in gateway.heard[0].members


def test_json_is_the_answer_as_it_came(shell: Shell, gateway: Stub) -> None:
    """Byte for byte, accepted or not."""
    gateway.answer(SEND, ACCEPTED)
    assert shell.ok("send", *TEXT, "--url", gateway.url, "--json") == ACCEPTED + "\n"
    refused = '{"CodeResult":"101","CountRegenerate":0,"ErrorMessage":"Authorize Failed"}'
    gateway.answer(SEND, refused)
    shell.run("send", *TEXT, "--url", gateway.url)
    result = shell.run("send", *TEXT, "--url", gateway.url, "--json")
    assert (result.exit_code, result.stdout, result.stderr) == (1, refused + "\n", "")


def test_a_refusal_is_explained(shell: Shell, gateway: Stub) -> None:
    """Code, name, text, the gateway's own reason in its own signs, cause and fix."""
    reason = "text differs: expected 'B\\u1ea3o tr\\xec', got 'x\\x1b'"
    body = '{"CodeResult":"146","CountRegenerate":0,"ErrorMessage":"Sai template Brandname CSKH","SMSID":"1"}'
    gateway.answer(SEND, body, headers={"X-Bocau-Reason": reason})
    result = shell.run("send", *TEXT, "--url", gateway.url)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:3] == [
        "Refused  code 146, template mismatch",
        "Message  Sai template Brandname CSKH",
        "Reason   text differs: expected 'Bảo trì', got 'x\\x1b'",
    ]
    assert "register a template for it" in result.stdout


def test_a_refused_repetition_shows_the_first_smsid(shell: Shell, gateway: Stub) -> None:
    """It is in a header."""
    body = '{"CodeResult":"124","CountRegenerate":0,"ErrorMessage":"Request exist 1","SendStatus":"2"}'
    gateway.answer(SEND, body, headers={"X-Bocau-SMSID": SMSID})
    assert f"First SMSID  {SMSID}" in shell.run("send", *TEXT, "--url", gateway.url).stdout


def test_what_a_strange_server_says_cannot_steer_the_terminal(shell: Shell, gateway: Stub) -> None:
    """Control signs are replaced."""
    gateway.answer(SEND, json.dumps({"CodeResult": "999", "ErrorMessage": "a\x1b[2Jb"}))
    result = shell.run("send", *TEXT, "--url", gateway.url)
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout
    assert "code 999" in result.stdout


@pytest.mark.usefixtures("brisk")
def test_waiting_polls_until_the_outcome(shell: Shell, gateway: Stub) -> None:
    """And prints it below the answer."""
    gateway.answer(SEND, ACCEPTED)
    gateway.answer(STATUS, status_body(2))
    gateway.answer(STATUS, status_body(5, succeeded=1))
    shown = shell.ok("send", *TEXT, "--wait", "20", "--url", gateway.url)
    assert "delivered (SendStatus 5)" in shown
    assert "850.0000 VND" in shown
    assert [heard.path for heard in gateway.heard] == [SEND, STATUS, STATUS]
    assert gateway.heard[1].members["RefId"] == SMSID


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (status_body(5, failed=1), "not delivered"),
        (status_body(4, failed=1), "rejected"),
        (status_body(7), "waiting for its receipt"),
    ],
)
def test_waiting_fails_unless_the_message_is_delivered(shell: Shell, gateway: Stub, body: str, said: str) -> None:
    """The exit code is about the outcome."""
    gateway.answer(SEND, ACCEPTED)
    gateway.answer(STATUS, body)
    result = shell.run("send", *TEXT, "--wait", "0.01", "--url", gateway.url)
    assert result.exit_code == 1
    assert said in result.stdout
    assert ("No outcome within" in result.stderr) == ('"SendStatus":7' in body)


def test_waiting_with_json_is_one_document(shell: Shell, gateway: Stub) -> None:
    """Both answers as they came."""
    gateway.answer(SEND, ACCEPTED)
    gateway.answer(STATUS, status_body(5, succeeded=1))
    shown = shell.ok("send", *TEXT, "--wait", "20", "--json", "--url", gateway.url)
    assert shown == f'{{"send":{ACCEPTED},"status":{status_body(5, succeeded=1)}}}\n'


def test_nothing_is_waited_for_in_the_sandbox(shell: Shell, gateway: Stub) -> None:
    """A sandbox id is never found."""
    gateway.answer(SEND, ACCEPTED)
    assert "sandbox" in shell.ok("send", *TEXT, "--sandbox", "--wait", "20", "--url", gateway.url)
    assert len(gateway.heard) == 1


def test_a_status_is_told_in_words_or_as_it_came(shell: Shell, gateway: Stub) -> None:
    """The keys are in the body, not in the address, and the id is never cut."""
    gateway.answer(STATUS, status_body(7))
    shown = shell.ok("status", SMSID, "--url", gateway.url)
    assert SMSID in shown.splitlines()[0]
    assert "handed to the network" in shown
    assert gateway.heard[0].members == {"ApiKey": "bocau-dev", "SecretKey": "bocau-dev-secret", "RefId": SMSID}
    assert shell.ok("status", SMSID, "--url", gateway.url, "--json") == status_body(7) + "\n"


def test_a_status_tells_of_a_possible_duplicate(shell: Shell, gateway: Stub) -> None:
    """It stands in a header, because the API has no member for it."""
    gateway.answer(STATUS, status_body(5, succeeded=1))
    gateway.answer(STATUS, status_body(5, succeeded=1), headers={"X-Bocau-Possible-Duplicate": "1"})
    assert "possible duplicate" not in shell.ok("status", SMSID, "--url", gateway.url)
    assert "possible duplicate" in shell.ok("status", SMSID, "--url", gateway.url)


def test_an_unknown_id_fails_with_cause_and_fix(shell: Shell, gateway: Stub) -> None:
    """Exit code 1, in words and as JSON."""
    gateway.answer(STATUS, '{"CodeResponse":"105","SMSID":"x"}')
    result = shell.run("status", "x", "--url", gateway.url)
    assert result.exit_code == 1
    assert "code 105, id unknown" in result.stdout
    assert shell.run("status", "x", "--url", gateway.url, "--json").exit_code == 1


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (503, '{"error":"Service unavailable"}', "Nothing was accepted: try again."),
        (404, "<html>", "Is this the address of the customers' API?"),
        (400, '{"error":"Invalid request"}', "could not read the request"),
        (200, "[]", "Is this the address of the customers' API?"),
    ],
)
def test_an_answer_without_a_result_is_told_in_a_sentence(
    shell: Shell, gateway: Stub, status: int, body: str, said: str
) -> None:
    """With what to do next; for a program as an object on standard error."""
    gateway.answer(SEND, body, status)
    assert said in shell.fails("send", *TEXT, "--url", gateway.url)
    assert said in json.loads(shell.fails("send", *TEXT, "--url", gateway.url, "--json"))["error"]


def test_a_gateway_that_is_not_there_is_told(shell: Shell) -> None:
    """Nothing can have been sent, so nothing is said about it."""
    said = shell.fails("send", *TEXT, "--url", nobody())
    assert "Nobody listens at" in said
    assert "accepted" not in said


@pytest.mark.parametrize(("words", "said"), [((), "would be harmless"), (("--request-id", "r"), "once is enough")])
def test_a_gateway_that_hangs_up_leaves_a_doubt(shell: Shell, gateway: Stub, words: tuple[str, ...], said: str) -> None:
    """The message may have been accepted, and the person is told what is safe."""
    gateway.answer(SEND, "", status=0)
    assert said in shell.fails("send", *TEXT, *words, "--url", gateway.url)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8484", "ftp://x", "http://", "http://[::1", "http://x:99999"])
def test_an_address_that_is_none_is_refused(shell: Shell, url: str) -> None:
    """Before anything is sent."""
    assert "is no address" in shell.fails("status", "1", "--url", url)


def test_half_a_pair_of_keys_is_refused(shell: Shell) -> None:
    """The development secret never goes out with somebody's key."""
    assert "--secret-key" in shell.fails("status", "1", "--api-key", "k")
    assert "--api-key" in shell.fails("status", "1", "--secret-key", "s")


def test_patience_ends_with_the_time_and_asks_at_least_once() -> None:
    """The last pause is cut to the end."""
    moment = 100.0
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        nonlocal moment
        pauses.append(seconds)
        moment += seconds

    answers = iter(range(100))
    last = patiently(lambda: next(answers), lambda answer: False, 0.5, lambda: moment, sleep)
    assert pauses == pytest.approx([0.2, 0.2, 0.1])
    assert last == 3
    assert patiently(lambda: 7, lambda answer: False, 0.0, lambda: moment, sleep) == 7


@pytest.mark.usefixtures("brisk")
def test_wait_ready_waits_for_200(shell: Shell, gateway: Stub) -> None:
    """A gateway that says why it is not ready is asked again."""
    gateway.answer("/readyz", '{"ready":false}', 503)
    gateway.answer("/readyz", '{"ready":true}')
    assert "Ready" in shell.ok("wait-ready", "--url", gateway.url)
    assert shell.ok("wait-ready", "--url", gateway.url, "--json") == '{"ready":true}\n'
    assert len(gateway.heard) == 3


def test_wait_ready_gives_the_reason_when_the_time_is_over(shell: Shell, gateway: Stub) -> None:
    """Of a gateway that is not ready, and of one that is not there."""
    gateway.answer("/readyz", '{"ready":false,"links":"0 of 1 bound"}', 503)
    assert "0 of 1 bound" in shell.fails("wait-ready", "--timeout", "0", "--url", gateway.url)
    assert "Nobody listens" in shell.fails("wait-ready", "--timeout", "0", "--url", nobody())
