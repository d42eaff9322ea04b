"""Who stands at the door of a development start: refusals are kept, and every message has its owner."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.rooms.accept.doorway import Doorway, doorway, http
from tests.rooms.accept.shop import KEY, SECRET, TEXT

from bocau.console.witness import Refused, Witness
from bocau.listener import Limits, Listener


class Watch:
    """A door with a witness before it, and what that told."""

    def __init__(self, place: Doorway) -> None:
        self.place = place
        self.refused: list[Refused] = []
        self.accepted: list[str] = []
        self.witness = Witness(place.world, place.door.handle, self.refused.append, self.accepted.append)


def watched(folder: Path, scenario: Callable[[Watch], Awaitable[None]]) -> None:
    """Play a scenario at a door with a witness."""

    async def whole(place: Doorway) -> None:
        watch, plain = Watch(place), place.listener
        place.listener = await Listener.start(
            place.world, watch.witness.handle, "127.0.0.1", 0, Limits(), place.faults.append
        )
        try:
            await scenario(watch)
        finally:
            await place.listener.close(0)
            place.listener = plain

    doorway(folder, whole)


def test_what_is_accepted_has_its_owner(tmp_path: Path) -> None:
    """By receiver and text, whole or in part, as the carrier has them."""

    async def scenario(watch: Watch) -> None:
        await watch.place.send(Phone="0901888484", Content=TEXT)
        await watch.place.send(Phone="0901888484", Content="mã khác", ApiKey="other")
        watch.accepted.clear()
        sent = await watch.place.send(Phone="0901888484", Content=TEXT)

        def owner(phone: str, text: str) -> str:
            seen = watch.witness.sender_of(phone, text)
            return seen.api_key if seen else ""

        assert owner("84901888484", TEXT[:9]) == KEY
        assert owner("84901888484", "ma khac") == "other"
        assert owner("84901888484", "nobody wrote this") == KEY
        assert owner("84901888485", TEXT[:9]) == ""
        seen = watch.witness.request(sent.members["SMSID"])
        assert seen is not None
        assert (seen.api_key, seen.content) == (KEY, TEXT)
        assert seen.brandname
        assert watch.witness.request("nobody's") is None
        assert watch.accepted == [KEY]

    watched(tmp_path, scenario)


def test_a_refusal_is_kept_with_its_reason(tmp_path: Path) -> None:
    """Whatever form it came in; the answer itself is the same as without a witness."""

    async def scenario(watch: Watch) -> None:
        answer = await watch.place.send(Content="Ma cua ban")
        contacts = "<CONTACTS><CUSTOMER><PHONE>0901888484</PHONE></CUSTOMER></CONTACTS>"
        xml = f"<RQST><APIKEY>nobody</APIKEY><CONTENT>x</CONTENT>{contacts}</RQST>"
        await watch.place.ask(http("POST", "/MainService.svc/xml/SendMultipleMessage_V4", xml.encode()))
        await watch.place.ask(http("POST", "/MainService.svc/json/SendMultipleMessage_V4_post_json/", b"{"))
        first, second, third = watch.refused
        assert (first.code, first.api_key, first.content) == (answer.code, KEY, "Ma cua ban")
        assert first.reason == answer.headers["x-bocau-reason"]
        assert first.message == answer.members["ErrorMessage"]
        assert (second.api_key, second.code, second.message) == ("nobody", "101", "Authorize Failed")
        assert (third.api_key, third.code, third.operation) == ("", "400", "SendMultipleMessage_V4_post_json")
        assert watch.accepted == []

    watched(tmp_path, scenario)


def test_a_question_passes_unseen(tmp_path: Path) -> None:
    """A wrong key of a question is no message that did not come."""

    async def scenario(watch: Watch) -> None:
        assert (await watch.place.balance()).status == 200
        assert (await watch.place.balance(secret="wrong")).members["CodeResponse"] == "101"
        assert (await watch.place.request("GET", "/nothing")).status == 404
        assert watch.refused == []

    watched(tmp_path, scenario)


def test_a_generated_code_has_its_owner_by_its_receiver(tmp_path: Path) -> None:
    """Its text is not known before the code is."""

    async def scenario(watch: Watch) -> None:
        target = f"SendMessageAutoGenCode_V4_get?ApiKey={KEY}&SecretKey={SECRET}&Phone=0901888484&message=%7BOTP%7D"
        await watch.place.request("GET", f"/MainService.svc/json/{target}&Brandname=Baotrixemay")
        seen = watch.witness.sender_of("84901888484", "anything")
        assert seen is not None
        assert (seen.api_key, seen.content) == (KEY, "")

    watched(tmp_path, scenario)
