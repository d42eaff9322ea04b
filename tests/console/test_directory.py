"""Accounts, templates and messages from subscribers in the console."""

import asyncio
from pathlib import Path

import pytest
from tests.console.stand import Stand, arrive, stand

from bocau.core.message import InboundIn
from bocau.core.role import Role


def test_an_account_shows_its_keys_brandnames_templates_and_money(tmp_path: Path) -> None:
    """And no secret, since nobody has it."""

    async def scenario(one: Stand) -> None:
        await one.place.send()
        visitor = one.visitor()
        assert b'href="/console/accounts/1"' in (await visitor.get("/console/accounts")).body
        page = (await visitor.get("/console/accounts/1")).body.decode()
        for expected in ("K-4f1d", "BOCAU", "la ma dang nhap BOCAU cua ban", "top_up", "hold", "-850"):
            assert expected in page, expected
        assert "S-9a2c" not in page
        assert (await visitor.get("/console/accounts/99")).status == 404

    stand(tmp_path, scenario)


@pytest.mark.parametrize(
    ("sample", "word"),
    [
        ("4821 la ma cua ban", "follows"),
        ("4821 la so cua ban", "From character 9 on it differs."),
        ("", "1 part at the shortest"),
    ],
)
def test_a_template_is_tried_before_it_is_registered(tmp_path: Path, sample: str, word: str) -> None:
    """Whether a text follows it, and from where on it does not; what it costs; and what was typed stays."""

    async def scenario(one: Stand) -> None:
        visitor = one.visitor()
        await visitor.get("/console/templates")
        reply = await visitor.post("/console/templates", template="{P1,8} la ma cua ban", sample=sample)
        assert reply.status == 200
        page = reply.body.decode()
        assert word in page
        assert "{P1,8} la ma cua ban</textarea>" in page

    stand(tmp_path, scenario)


@pytest.mark.parametrize("template", ["", "{P1,8", "\0", "{P1,8}" * 300])
def test_what_can_be_no_template_is_explained_or_looked_over(tmp_path: Path, template: str) -> None:
    """Nothing typed breaks the page, or is lost."""

    async def scenario(one: Stand) -> None:
        visitor = one.visitor()
        await visitor.get("/console/templates")
        reply = await visitor.post("/console/templates", template=template, sample="x")
        assert reply.status in (200, 400)
        assert (b'role="alert"' in reply.body) == (reply.status == 400)

    stand(tmp_path, scenario)


def test_what_subscribers_wrote_is_masked_in_production(tmp_path: Path) -> None:
    """Their numbers and words are people's data too."""

    async def scenario(one: Stand) -> None:
        told: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        now = one.place.world.now
        one.place.store.inbound(InboundIn("north", b"", now, "84901234567", "8088", "", 1, 1), told.set_result)
        assert await told is None
        page = (await (await arrive(one, Role.VIEWER)).get("/console/inbound")).body.decode()
        assert "8088" in page
        assert "84901234567" not in page

    stand(tmp_path, scenario, guarded=True)
