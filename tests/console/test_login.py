"""The console of production: who logs in, what his role shows him, and what nobody does without."""

import asyncio
from pathlib import Path

import pytest
from tests.console.stand import PASSWORD, Stand, arrive, concrete, stand
from tests.rooms.accept.shop import PHONES, TEXT

from bocau.console.web.gate import Throttle
from bocau.core.lifecycle import AttemptState
from bocau.core.role import RIGHTS, Right, Role

MINUTE_MS = 60_000


def test_nobody_sees_a_page_without_logging_in(tmp_path: Path) -> None:
    """Every path there is: pages lead to the log-in, forms change nothing (promise S9)."""

    async def scenario(one: Stand) -> None:
        sent = await one.place.send()
        closed = [row for row in one.door.routes if row.needs is not None]
        assert len(closed) >= 5
        for row in closed:
            visitor = one.visitor()
            await visitor.get("/console/login")
            path = concrete(row.path.pattern)
            reply = await (visitor.get(path) if row.method == "GET" else visitor.post(path))
            assert reply.status in (204, 303), path
            if reply.status == 303:
                assert reply.headers["location"].startswith("/console/login"), path
            assert TEXT.encode() not in reply.raw
            assert sent.smsid.encode() not in reply.raw

    stand(tmp_path, scenario, guarded=True)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_goes_as_far_as_its_rights(tmp_path: Path, role: Role) -> None:
    """Every path, for every role; one that goes too far is refused, in words."""

    async def scenario(one: Stand) -> None:
        visitor = await arrive(one, role)
        for row in one.door.routes:
            if row.needs is None:
                continue
            path = concrete(row.path.pattern)
            reply = await (visitor.get(path) if row.method == "GET" else visitor.post(path))
            assert (reply.status == 403) == (row.needs not in RIGHTS[role]), path

    stand(tmp_path, scenario, guarded=True)


def test_rights_only_grow_with_the_role() -> None:
    """And support never sees a text."""
    viewer, support, operator, admin = (RIGHTS[role] for role in Role)
    assert viewer < support < operator < admin
    assert Right.TEXTS not in support


def test_who_logs_in_comes_back_to_where_he_was(tmp_path: Path) -> None:
    """With a new session, so that one that somebody else knew is worth nothing."""

    async def scenario(one: Stand) -> None:
        await arrive(one, Role.VIEWER)
        visitor = one.visitor()
        reply = await visitor.get("/console/messages/0a")
        assert reply.headers["location"] == "/console/login?back=/console/messages/0a"
        await visitor.get(reply.headers["location"])
        before = visitor.cookies["bocau_console"]
        reply = await visitor.post("/console/login", name="viewer", password=PASSWORD, back="/console/messages/0a")
        assert reply.headers["location"] == "/console/messages/0a"
        assert visitor.cookies["bocau_console"] != before
        (line,) = await one.place.store.audit(1)
        assert (line.actor, line.act) == ("viewer", "console.login")

    stand(tmp_path, scenario, guarded=True)


@pytest.mark.parametrize(("name", "password"), [("viewer", "wrong"), ("nobody", PASSWORD), ("", ""), ("viewer", "")])
def test_a_wrong_password_and_a_wrong_name_are_told_alike(tmp_path: Path, name: str, password: str) -> None:
    """What was typed as a name stays; nothing of it is logged."""

    async def scenario(one: Stand) -> None:
        await arrive(one, Role.VIEWER)
        visitor = one.visitor()
        await visitor.get("/console/login")
        reply = await visitor.post("/console/login", name=name, password=password)
        assert reply.status == 403
        assert b"This name and password do not belong together." in reply.body
        assert f'value="{name}"'.encode() in reply.body
        assert (await visitor.get("/console/")).status == 303
        said = one.place.log_lines()
        assert "console.refuse" in said
        assert "nobody" not in said

    stand(tmp_path, scenario, guarded=True)


def test_wrong_tries_are_slowed_down_and_forgiven(tmp_path: Path) -> None:
    """After five the right password must wait too; after the wait it is taken."""

    async def scenario(one: Stand) -> None:
        await arrive(one, Role.VIEWER)
        visitor = one.visitor()
        await visitor.get("/console/login")
        statuses = [(await visitor.post("/console/login", name="viewer", password="wrong")).status for _ in range(6)]
        assert statuses == [403] * 5 + [429]
        assert (await visitor.post("/console/login", name="viewer", password=PASSWORD)).status == 429
        one.place.world.seconds += 2
        assert (await visitor.post("/console/login", name="viewer", password=PASSWORD)).status == 303

    stand(tmp_path, scenario, guarded=True)


def test_somebody_elses_tries_do_not_keep_a_person_out() -> None:
    """The waits are for an address, and for a name from an address."""

    class World:
        seconds = 0.0

        def monotonic(self) -> float:
            return self.seconds

    throttle = Throttle(World())  # type: ignore[arg-type]
    for _ in range(200):
        throttle.failed("203.0.113.9", "admin")
    assert 0 < throttle.wait_seconds("203.0.113.9", "admin") <= 900
    assert throttle.wait_seconds("203.0.113.9", "other") > 0
    assert throttle.wait_seconds("198.51.100.1", "admin") == 0


def test_many_at_once_are_told_to_wait(tmp_path: Path) -> None:
    """A password takes a third of a second to check: nobody may queue a hundred."""

    async def scenario(one: Stand) -> None:
        await arrive(one, Role.VIEWER)
        visitor = one.visitor()
        await visitor.get("/console/login")
        tries = [visitor.post("/console/login", name=f"n{number}", password="x") for number in range(14)]
        statuses = sorted([reply.status for reply in await asyncio.gather(*tries)])
        assert statuses[0] == 403
        assert statuses[-1] == 429

    stand(tmp_path, scenario, guarded=True)


@pytest.mark.parametrize(
    ("steps_min", "stays"),
    [((29,) * 24, True), ((31,), False), ((29,) * 25, False)],
)
def test_a_session_ends_by_silence_and_by_age(tmp_path: Path, steps_min: tuple[int, ...], stays: bool) -> None:
    """After half an hour of silence, and after twelve hours (S9)."""

    async def scenario(one: Stand) -> None:
        visitor = await arrive(one, Role.VIEWER)
        for minutes in steps_min:
            one.place.world.now += minutes * MINUTE_MS
            reply = await visitor.get("/console/")
        assert (reply.status == 200) == stays

    stand(tmp_path, scenario, guarded=True)


def test_a_page_that_looks_by_itself_is_no_sign_of_life(tmp_path: Path) -> None:
    """A forgotten tab does not keep a session open, and is told that there is nothing any more."""

    async def scenario(one: Stand) -> None:
        visitor = await arrive(one, Role.VIEWER)
        for _ in range(3):
            one.place.world.now += 11 * MINUTE_MS
            reply = await visitor.get("/console/live")
        assert (reply.status, reply.body) == (204, b"")
        assert (await visitor.get("/console/")).status == 303

    stand(tmp_path, scenario, guarded=True)


def test_who_logs_out_is_out(tmp_path: Path) -> None:
    """Also for whoever kept the cookie."""

    async def scenario(one: Stand) -> None:
        visitor, thief = await arrive(one, Role.VIEWER), one.visitor()
        thief.cookies = dict(visitor.cookies)
        assert (await thief.get("/console/")).status == 200
        reply = await visitor.post("/console/logout")
        assert reply.headers["location"] == "/console/login"
        assert (await thief.get("/console/")).status == 303
        assert (await visitor.get("/console/")).status == 303

    stand(tmp_path, scenario, guarded=True)


def test_behind_tls_the_session_stays_with_tls(tmp_path: Path) -> None:
    """The browser says with the form that it came so."""

    async def scenario(one: Stand) -> None:
        await arrive(one, Role.VIEWER)
        visitor = one.visitor()
        visitor.host = "console.example"
        await visitor.get("/console/login")
        headers = "Origin: https://console.example\r\nSec-Fetch-Site: same-origin\r\n"
        reply = await visitor.post("/console/login", headers, name="viewer", password=PASSWORD)
        assert reply.status == 303
        assert reply.headers["set-cookie"].endswith("; HttpOnly; SameSite=Strict; Secure")

    stand(tmp_path, scenario, guarded=True)


@pytest.mark.parametrize("role", list(Role))
def test_numbers_and_texts_are_masked_until_they_are_revealed(tmp_path: Path, role: Role) -> None:
    """One request at a time, as far as the role goes, for ten minutes, and it stands in the audit."""

    async def scenario(one: Stand) -> None:
        sent = await one.place.send(Phone=PHONES[1])
        other = await one.place.send(Phone=PHONES[3])
        (message, _) = one.place.rows()
        await one.place.submit(message)
        await one.place.report(message, AttemptState.DELIVERED)
        visitor = await arrive(one, role)
        path = f"/console/messages/{sent.smsid}"
        for place in ("/console/", "/console/live", path, f"{path}/story", f"/console/?q={PHONES[1]}"):
            raw = (await visitor.get(place)).body.decode()
            assert "4821" not in raw, place
            assert PHONES[1] not in raw.replace(f'value="{PHONES[1]}"', ""), place
        before = await one.place.store.audit(100)
        await visitor.post(f"{path}/reveal")
        page = (await visitor.get(path)).body.decode()
        assert (PHONES[1] in page) == (Right.PHONES in RIGHTS[role])
        assert ("4821" in page) == (Right.TEXTS in RIGHTS[role])
        lines = (await one.place.store.audit(100))[: -len(before)]
        assert [(line.actor, line.act) for line in lines] == (
            [(role.value, "message.reveal")] if Right.PHONES in RIGHTS[role] else []
        )
        assert PHONES[3] not in (await visitor.get(f"/console/messages/{other.smsid}")).body.decode()
        one.place.world.seconds += 601
        assert PHONES[1] not in (await visitor.get(path)).body.decode()

    stand(tmp_path, scenario, guarded=True)


@pytest.mark.parametrize("role", list(Role))
def test_texts_are_searched_by_those_who_may_read_them_and_it_is_noted(tmp_path: Path, role: Role) -> None:
    """Else a search would say what a text has in it."""

    async def scenario(one: Stand) -> None:
        sent = await one.place.send()
        visitor = await arrive(one, role)
        before = len(await one.place.store.audit(100))
        page = await visitor.get("/console/?q=4821")
        reads = Right.TEXTS in RIGHTS[role]
        assert (sent.smsid.encode() in page.body) == reads
        assert len(await one.place.store.audit(100)) - before == (1 if reads else 0)
        assert "4821" not in str(await one.place.store.audit(100))

    stand(tmp_path, scenario, guarded=True)
