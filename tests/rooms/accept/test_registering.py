"""A customer asks for a template at the door."""

import json
from pathlib import Path

import pytest
from tests.rooms.accept.doorway import Doorway, Reply, doorway
from tests.rooms.accept.shop import KEY, POLICY, SECRET, Stock

from bocau.core.message import RegistrationDue
from bocau.core.registration import MOST_PENDING

PATH = "/MainService.svc/json/SubServicePreviewJson/"
ASK = {
    "ApiKey": KEY,
    "SecretKey": SECRET,
    "Content": "BOCAU: {code:6} la ma cua {name:20}",
    "Brandname": "BOCAU",
    "ServiceType": 2,
    "SmsType": "2",
    "CallbackUrl": "https://shop.example/hook",
}


async def ask(place: Doorway, **members: object) -> Reply:
    """Ask, with some members changed."""
    return await place.request("POST", PATH, json.dumps({**ASK, **members}).encode())


def refused(code: str, text: str) -> bytes:
    """The body of a no."""
    return f'{{"CodeResult":"{code}","ErrorMessage":"{text}"}}'.encode()


@pytest.mark.parametrize(
    ("members", "code", "text"),
    [
        ({"SecretKey": "x", "ServiceType": 3}, "101", "Authorize Failed"),
        ({"ServiceType": 3, "SmsType": 9}, "301", "ServiceType is not supported"),
        ({"ServiceType": None}, "301", "ServiceType is not supported"),
        ({"SmsType": "", "Content": ""}, "300", "SmsType is required"),
        ({"SmsType": "1", "Content": ""}, "118", "SmsType is not supported"),
        ({"Content": " ", "Brandname": "x"}, "110", "Content is invalid"),
        ({"Content": "{P1,0} la ma"}, "110", "Content is invalid"),
        ({"Content": "x" * 2001}, "110", "Content is invalid"),
        ({"Brandname": "Nobody"}, "104", "Brand name code is not exist"),
        ({"Brandname": ""}, "104", "Brand name code is not exist"),
    ],
)
def test_what_is_wrong_is_refused_in_order(tmp_path: Path, members: dict[str, object], code: str, text: str) -> None:
    """Keys, service type, type, text, brandname; nothing is stored, the cause is told."""

    async def scenario(place: Doorway) -> None:
        reply = await ask(place, **members)
        assert (reply.status, reply.body) == (200, refused(code, text))
        assert reply.headers["x-bocau-reason"]
        assert not place.inside().registrations

    doorway(tmp_path, scenario)


def test_a_locked_account_and_a_disabled_brandname_register_nothing(tmp_path: Path) -> None:
    """143 and 104."""

    async def scenario(place: Doorway) -> None:
        assert (await ask(place)).code == "143"
        await place.store.set_account_state(1, "active")
        await place.reload()
        assert (await ask(place)).code == "104"

    doorway(tmp_path, scenario, Stock(state="locked", brandnames=((2, "BOCAU", "disabled"),)))


def test_a_template_is_taken_and_waits(tmp_path: Path) -> None:
    """The exact body; the same again is 199; the brandname in any case is the registered one; it sends nothing yet."""

    async def scenario(place: Doorway) -> None:
        reply = await ask(place, Brandname="bocau")
        wanted = b'{"CodeResult":"100","ErrorMessage":"ViHAT is moderating your template","ServicePreviewId":1}'
        assert (reply.status, reply.body) == (200, wanted)
        again = await ask(place)
        assert again.body == refused("199", "Request is processing")
        assert "wait for a decision already" in again.headers["x-bocau-reason"]
        (waiting,) = await place.store.pending_templates()
        assert (waiting.brandname, waiting.content) == ("BOCAU", ASK["Content"])
        await place.reload()
        assert (await place.send(Content="BOCAU: 482100 la ma cua An")).code == "146"
        assert '"event":"template.ask"' in place.log_lines()
        assert "la ma cua" not in place.log_lines().replace("expected", "")

    doorway(tmp_path, scenario)


def test_an_account_asks_for_a_bounded_number(tmp_path: Path) -> None:
    """Beyond it 199, until something is decided; a repeated or superfluous question leaves no line in the audit."""

    async def scenario(place: Doorway) -> None:
        for number in range(MOST_PENDING):
            assert (await ask(place, Content=f"BOCAU {number}: {{code:6}}")).code == "100"
        lines = len(await place.store.audit(1_000))
        assert (await ask(place)).code == "199"
        assert (await ask(place, Content="BOCAU 0: {code:6}")).code == "199"
        assert not await place.store.decide_template(9_999, None, "", place.world.now)
        assert len(await place.store.audit(1_000)) == lines
        assert await place.store.decide_template(1, None, "no", place.world.now)
        assert (await ask(place)).code == "100"
        newest = [line.act for line in (await place.store.audit(1_000))[:2]]
        assert newest == ["template.ask", "template.decide"]

    doorway(tmp_path, scenario)


def test_with_auto_approve_it_sends_at_once(tmp_path: Path) -> None:
    """On every network; the callback is due; the answer is the same."""

    async def scenario(place: Doorway) -> None:
        assert (await ask(place)).members["ErrorMessage"] == "ViHAT is moderating your template"
        await place.reload()
        assert (await place.send(Content="BOCAU: 482100 la ma cua An")).code == "100"
        (due,) = await place.store.claim_callbacks(place.world.now, 10)
        assert isinstance(due, RegistrationDue)
        assert (due.url, due.registration_id, due.approved) == (ASK["CallbackUrl"], 1, True)
        assert (await ask(place)).code == "100", "what was decided may be asked again"

    doorway(tmp_path, scenario, policy=POLICY._replace(auto_approve=True))


def test_a_callback_url_that_cannot_be_called_is_ignored(tmp_path: Path) -> None:
    """As in a send."""

    async def scenario(place: Doorway) -> None:
        assert (await ask(place, CallbackUrl="ftp://shop.example")).code == "100"
        assert place.inside().registrations == {1: ("pending", "")}

    doorway(tmp_path, scenario)


def test_a_closed_door_takes_no_template(tmp_path: Path) -> None:
    """503 while the gateway stops; wrong keys are still wrong keys."""

    async def scenario(place: Doorway) -> None:
        place.door.closed = True
        assert (await ask(place)).status == 503
        assert (await ask(place, SecretKey="x")).code == "101"
        assert (await place.request("GET", PATH)).status == 405

    doorway(tmp_path, scenario)
