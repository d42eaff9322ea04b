"""`bocau show` and `bocau tail`: what is remembered, in words."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.shell import Shell

from bocau.client import Client, TemplateMismatch
from bocau.console.telling import POSSIBLE_DUPLICATE, Shown, headline, moments
from bocau.store.contract import AttemptLine, CallbackLine, LedgerLine, Story, StoryLine, TryLine

NOON = 1_800_000_000_000
SMSID = "02f1a6b3c4400000a1b2c3d4e5f60718000"
PORT = re.compile(r'"event":"gateway.ready","api_port":([0-9]+)')


def line(state: str = "delivered", **changes: object) -> StoryLine:
    """A message with everything in it."""
    return StoryLine(
        *(7, 1, SMSID, "order-77", 2, "otp", "Bocau", "0901888484", 1, "4821 la ma dang nhap Bocau cua ban"),
        *(1, 8_500_000, "http://shop.vn/hook?token=secret", state, "", 1, "viettel-1"),
        *(NOON, NOON, NOON, NOON + 300_000, NOON + 900, True),
    )._replace(**changes)  # type: ignore[arg-type]


STORY = Story(
    (line(),),
    (
        AttemptLine(7, 1, 1, 1, "viettel-1", "refused", "", 0x58, "", NOON + 5, NOON + 20, None),
        AttemptLine(7, 1, 2, 1, "viettel-1", "delivered", "123", 0, "000", NOON + 30, NOON + 40, NOON + 900),
    ),
    CallbackLine("waiting", 1, NOON + 31_000, NOON + 900),
    (TryLine(1, NOON + 901, 12, 502, "bad gateway"),),
    (LedgerLine(7, "hold", -8_500_000, "", NOON), LedgerLine(7, "capture", 0, "", NOON + 900)),
)


def test_the_life_of_a_message_is_told_in_order() -> None:
    """From the request to the next try of its callback."""
    assert [(moment.at_ms - NOON, moment.what, moment.words) for moment in moments(STORY, Shown(True, True))] == [
        (0, "accepted", "a request of type 2, RequestId order-77; all checks passed; a one-time code"),
        (0, "money", "850 VND held"),
        (5, "submit", "to viettel-1"),
        (20, "answer", "refused (status 0x00000058)"),
        (30, "submit", "to viettel-1, try 2"),
        (40, "answer", "taken as 123"),
        (900, "callback", "due, to http://shop.vn/hook"),
        (900, "receipt", "delivered"),
        (900, "end", "delivered"),
        (900, "money", "what was held is charged"),
        (901, "called", "try 1: HTTP 502, 12 ms"),
        (31_000, "next call", "try 2"),
    ]


def test_a_possible_duplicate_is_told_on_the_first_lines() -> None:
    """Whoever reads the story of a message that came twice sees why."""
    assert dict(headline(line(repeated=True), Shown(True, True)))["Note"] == POSSIBLE_DUPLICATE
    assert "Note" not in dict(headline(line(), Shown(True, True)))


def test_what_a_carrier_adds_to_a_receipt_is_told_with_it() -> None:
    """By name, and whether the receipt could only be guessed to belong there."""
    attempt = STORY.attempts[1]._replace(extras=b"\x14\x03\x00\x0545204", inferred=True)
    told = moments(STORY._replace(attempts=(attempt,)), Shown(True, True))
    (words,) = [moment.words for moment in told if moment.what == "receipt"]
    assert words.startswith("delivered, 0x1403 45204; it could be about no other message")


def test_numbers_and_texts_are_hidden_unless_they_are_asked_for() -> None:
    """Neither the headline nor a moment tells them."""
    hidden = str(headline(line(), Shown(False, False))) + str(moments(STORY, Shown(False, False)))
    assert "0901888484" not in hidden
    assert "4821" not in hidden
    assert "token=secret" not in hidden
    assert "0901888484" in str(headline(line(), Shown(True, True)))


def test_a_scheduled_message_has_its_release_ahead() -> None:
    """What is still to come stands in the list too."""
    waiting = line("scheduled", release_ms=NOON + 3_600_000, final_ms=None, taken=False)
    told = moments(Story((waiting,), (), None, (), ()), Shown(True, True))
    assert [moment.what for moment in told] == ["accepted", "deadline", "release"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str]]:
    """The folder of a running gateway with a delivered and a rejected message, and their SMSIDs."""
    data = tmp_path_factory.mktemp("running")
    ports = ("--api-port", "0", "--admin-port", "0", "--smsc-port", "0")
    command = [sys.executable, "-m", "bocau", "dev", "--data", str(data), *ports, "--no-first-message"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            port = next(found[1] for found in map(PORT.search, iter(program.stdout.readline, "")) if found)
            with Client(f"http://127.0.0.1:{port}", "bocau-dev", "bocau-dev-secret") as client:
                sent = client.send("0901888484", "4821 la ma dang nhap Bocau cua ban", brandname="Bocau")
                while not client.status(sent.smsid).finished:
                    continue
                with pytest.raises(TemplateMismatch) as refused:
                    client.send("0901888484", "Ma cua ban", brandname="Bocau")
            yield data, sent.smsid, refused.value.smsid
        finally:
            program.terminate()
            program.stdout.read()


def test_a_request_is_shown_from_the_store_of_a_running_gateway(store: tuple[Path, str, str]) -> None:
    """In words for a person, as one document for a program."""
    data, delivered, rejected = store
    shell = Shell(data)
    said = shell.ok("show", delivered)
    assert "0901888484 (Viettel)" in said or "0901888484 (Mobifone)" in said
    assert re.search(r"answer +taken as [0-9]+", said)
    assert re.search(r"end +delivered", said)
    found = shell.json("show", delivered)
    assert [moment["what"] for moment in found["moments"]][-1] in ("end", "money", "receipt")
    assert "refused" in shell.ok("show", rejected)


def test_an_id_of_nobody_is_said_so(store: tuple[Path, str, str]) -> None:
    """With where to look."""
    assert "There is no request" in Shell(store[0]).fails("show", SMSID)


def test_the_newest_messages_are_listed(store: tuple[Path, str, str]) -> None:
    """A line each, and an object each for a program."""
    data, delivered, rejected = store
    shell = Shell(data)
    said = shell.ok("tail", "--no-follow").splitlines()
    assert ["delivered" in said[0], "rejected" in said[1]] == [True, True]
    assert "Bocau: 4821 la ma dang nhap Bocau cua ban" in said[0]
    objects = [json.loads(one) for one in shell.ok("tail", "--no-follow", "--json").splitlines()]
    assert [one["smsid"] for one in objects] == [delivered, rejected]
    assert shell.ok("tail", "--no-follow", "--lines", "0") == ""


def test_callbacks_are_asked_for_by_command(store: tuple[Path, str, str]) -> None:
    """An address is tried once; a request that nobody is told of cannot be called again."""
    shell = Shell(store[0])
    said = shell.json("callback", "sample", "http://127.0.0.1:9/hook")
    assert said["status"] == 0
    assert said["url"].startswith("http://127.0.0.1:9/hook?SMSID=")
    assert "Answer" in shell.ok("callback", "sample", "http://127.0.0.1:9/hook")
    assert "no address" in shell.fails("callback", "sample", "ftp://127.0.0.1/")
    assert "nobody is to be told" in shell.fails("callback", "resend", store[1])
