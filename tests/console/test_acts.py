"""What an operator does from a page goes through the acts that commands use, and stands in the audit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.console.stand import ACTS, Stand, arrive, stand

from bocau.core.lifecycle import AttemptState
from bocau.core.role import Role
from bocau.ports import Act, ActRefused

LINK: dict[str, Any] = {
    "link": "north",
    "kind": "smpp",
    "address": "smsc.example:2775",
    "state": "bound",
    "binds": "2 of 2",
    "window": "3 of 128",
    "why": "",
    "halt": "running",
    "breaker": "closed",
    "breaker_why": "",
    "waiting_otp": 4,
    "waiting_bulk": 1,
    "submitted": 907,
    "answers": {"taken": 900, "temporary": 7},
    "throttled": 5,
    "late_answers": 0,
    "receipts": 899,
    "sent_once_more": 0,
    "answer_ms": {"p50": 12, "p99": 80},
    "limit_per_second": 20.0,
    "receipt_ids": {"form": "receipt_hex", "from": "learned", "contradicting_rows": 0},
    "bind": [{"bind": 1, "mode": "transceiver", "state": "bound", "why": "", "outstanding": 3, "connections": 1}],
}
PDU: dict[str, Any] = {
    "bind": 1,
    "at_ms": 1_800_000_000_000,
    "from": "us",
    "command": "submit_sm",
    "status": "ESME_ROK",
    "sequence": 7,
    "octets": 99,
    "destination_addr": "8490****567",
    "short_message": "****",
    "data_coding": 0,
}


class Fleet:
    """Links as their desk tells of them, and what was asked of them."""

    def __init__(self, one: Stand) -> None:
        self.link = dict(LINK)
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        looks = ("link/list", "link/show", "link/trace")
        for name in ("link/list", *ACTS):
            one.acts[name] = Act(self._answering(name), changes=name not in looks)

    def _answering(self, name: str) -> Any:  # noqa: ANN401 - what an act runs
        async def run(members: Mapping[str, Any]) -> object:
            self.asked.append((name, members))
            if members.get("link", "north") != "north" or members.get("url") == "nonsense":
                raise ActRefused("There is no such thing.")
            found: dict[str, object] = {"link/list": [self.link], "link/show": self.link, "link/trace": [PDU]}
            sampled = {"url": "http://shop.example/?SMSID=0", "status": 502, "answer": "<b>no</b>", "milliseconds": 12}
            return found.get(name, sampled)

        return run


def test_a_link_shows_its_figures_and_its_last_pdus(tmp_path: Path) -> None:
    """What an operator looks for at two in the morning."""

    async def scenario(one: Stand) -> None:
        Fleet(one)
        visitor = one.visitor()
        assert b'href="/console/links/north"' in (await visitor.get("/console/links")).body
        page = (await visitor.get("/console/links/north")).body.decode()
        for expected in (
            "3 of 128",
            "half within 12 ms, 99 of 100 within 80 ms",
            "4 codes, 1 others",
            "slowed to 20.0 parts a second",
            "900 taken, 7 temporary",
            "destination_addr=8490****567 short_message=****",
        ):
            assert expected in page, expected
        assert (await visitor.get("/console/links/south")).status == 404

    stand(tmp_path, scenario)


@pytest.mark.parametrize("act", ["pause", "drain", "resume"])
def test_a_link_is_halted_and_let_go_in_the_operators_name(tmp_path: Path, act: str) -> None:
    """By the same act as the command's, with a line in the audit; a viewer has no button for it."""

    async def scenario(one: Stand) -> None:
        fleet = Fleet(one)
        fleet.link["halt"] = "running" if act != "resume" else "paused"
        visitor = await arrive(one, Role.OPERATOR)
        button = f'action="/console/links/north/{act}"'.encode()
        assert button in (await visitor.get("/console/links/north")).body
        reply = await visitor.post(f"/console/links/north/{act}")
        assert (reply.status, reply.headers["location"]) == (303, "/console/links/north")
        assert fleet.asked[-1] == (f"link/{act}", {"link": "north"})
        (line,) = await one.place.store.audit(1)
        assert (line.actor, line.act, line.subject) == ("operator", f"link.{act}", "north")
        viewer = await arrive(one, Role.VIEWER)
        assert button not in (await viewer.get("/console/links/north")).body

    stand(tmp_path, scenario, guarded=True)


def test_a_callback_is_called_again_from_its_message(tmp_path: Path) -> None:
    """One button, where the tries are listed; what the act refuses is said beside it."""

    async def scenario(one: Stand) -> None:
        fleet = Fleet(one)
        visitor = one.visitor()
        sent = await one.place.send(CallbackUrl="http://shop.example/hook")
        path = f"/console/messages/{sent.smsid}"
        assert b"call again now" not in (await visitor.get(path)).body
        (message,) = one.place.rows()
        await one.place.submit(message)
        await one.place.report(message, AttemptState.DELIVERED)
        assert b"call again now" in (await visitor.get(path)).body
        assert (await visitor.post(f"{path}/callback")).status == 303
        assert fleet.asked[-1] == ("callback/resend", {"smsid": sent.smsid})

        async def refuse(members: Mapping[str, Any]) -> object:
            raise ActRefused("It is being called just now.")

        one.acts["callback/resend"] = Act(refuse, changes=True)
        reply = await visitor.post(f"{path}/callback")
        assert reply.status == 409
        assert b"It is being called just now." in reply.body

    stand(tmp_path, scenario)


def test_an_address_is_tried_and_its_answer_shown(tmp_path: Path) -> None:
    """Inert; what cannot be called is said beside the field, which keeps what was typed."""

    async def scenario(one: Stand) -> None:
        fleet = Fleet(one)
        visitor = one.visitor()
        await visitor.get("/console/callbacks")
        reply = await visitor.post("/console/callbacks", url="http://shop.example/")
        assert reply.status == 200
        assert b"HTTP 502" in reply.body
        assert b"&lt;b&gt;no&lt;/b&gt;" in reply.body
        assert fleet.asked[-1] == ("callback/sample", {"url": "http://shop.example/"})
        reply = await visitor.post("/console/callbacks", url="nonsense")
        assert reply.status == 400
        assert b'value="nonsense"' in reply.body
        assert b"There is no such thing." in reply.body

    stand(tmp_path, scenario)
