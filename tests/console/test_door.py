"""Who may come in to the console, and what no other site can do in his name."""

from pathlib import Path

import pytest
from tests.console.stand import Stand, arrive, concrete, stand

from bocau.core.role import Role

HTTPS = "Origin: https://console.example\r\nSec-Fetch-Site: same-origin\r\n"


def test_the_bare_address_leads_to_the_messages(tmp_path: Path) -> None:
    """Who opens the address that `bocau dev` prints."""

    async def scenario(one: Stand) -> None:
        for path in ("/", "/console"):
            reply = await one.visitor().get(path)
            assert (reply.status, reply.headers["location"]) == (303, "/console/")

    stand(tmp_path, scenario)


def test_every_answer_forbids_what_is_inline_and_foreign(tmp_path: Path) -> None:
    """Pages, refusals and files alike; what holds texts is kept nowhere."""

    async def scenario(one: Stand) -> None:
        visitor = one.visitor()
        for path in ("/console/", "/console/nowhere", "/console/assets/console.js", "/console/live"):
            reply = await visitor.get(path)
            policy = reply.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
            assert "unsafe" not in policy
            assert reply.headers["x-content-type-options"] == "nosniff"
            kept = "immutable" if "assets" in path else "no-store"
            assert kept in reply.headers["cache-control"]

    stand(tmp_path, scenario)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_a_name_that_is_made_to_lead_here_is_turned_away(tmp_path: Path, host: str) -> None:
    """Else a page of that name could read the console of whoever opens it."""

    async def scenario(one: Stand) -> None:
        visitor = one.visitor()
        visitor.host = host
        reply = await visitor.get("/console/")
        assert reply.status == 421
        assert b"set-cookie" not in reply.raw.lower()

    stand(tmp_path, scenario)


@pytest.mark.parametrize("host", ["127.0.0.1:8485", "[::1]:8485", "localhost:8485", "Console.Example"])
def test_addresses_and_known_names_are_let_in(tmp_path: Path, host: str) -> None:
    """A name must be in the settings."""

    async def scenario(one: Stand) -> None:
        visitor = one.visitor()
        visitor.host = host
        assert (await visitor.get("/console/")).status == 200

    stand(tmp_path, scenario)


@pytest.mark.parametrize(
    "headers",
    [
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
    ],
)
def test_a_form_from_another_site_changes_nothing(tmp_path: Path, headers: str) -> None:
    """Even with the right token, which it cannot know (promise S9)."""

    async def scenario(one: Stand) -> None:
        visitor = one.visitor()
        await visitor.get("/console/")
        reply = await visitor.post("/console/look", headers, theme="dark")
        assert reply.status == 403
        assert "bocau_look" not in visitor.cookies

    stand(tmp_path, scenario)


@pytest.mark.parametrize("guarded", [False, True])
def test_no_form_is_taken_without_its_token(tmp_path: Path, guarded: bool) -> None:
    """Every path that takes a POST, with no token, a wrong one, another visitor's, and without a session (S9)."""

    async def scenario(one: Stand) -> None:
        visitor = await arrive(one, Role.ADMIN) if guarded else one.visitor()
        other = one.visitor()
        await visitor.get("/console/")
        await other.get("/console/login")
        await other.get("/console/")
        paths = [concrete(row.path.pattern) for row in one.door.routes if row.method == "POST"]
        assert len(paths) >= 2
        before = await one.place.store.audit(100)
        for path in paths:
            for token in ("", "0" * 64, other.token):
                assert (await visitor.post(path, token=token)).status == 403, (path, token)
            assert (await one.visitor().post(path, token=visitor.token)).status in (303, 403), path
        assert await one.place.store.audit(100) == before

    stand(tmp_path, scenario, guarded=guarded)


def test_language_and_theme_are_kept(tmp_path: Path) -> None:
    """Chosen once; before that, the language that the browser asks for."""

    async def scenario(one: Stand) -> None:
        visitor = one.visitor()
        page = await visitor.get("/console/", "Accept-Language: fr, vi;q=0.8, en;q=0.5\r\n")
        assert b'<html lang="vi" data-theme="auto">' in page.body
        reply = await visitor.post("/console/look", language="en", theme="dark", back="/console/live")
        assert (reply.status, reply.headers["location"]) == (303, "/console/live")
        page = await visitor.get("/console/", "Accept-Language: vi\r\n")
        assert b'<html lang="en" data-theme="dark">' in page.body
        await visitor.post("/console/look", language="xx", theme="<script>")
        assert visitor.cookies["bocau_look"] == "en.auto"

    stand(tmp_path, scenario)


def test_a_form_leads_back_to_the_console_only(tmp_path: Path) -> None:
    """An address in a form is no way out."""

    async def scenario(one: Stand) -> None:
        visitor = one.visitor()
        await visitor.get("/console/")
        for back in ("//evil.example/console/", "https://evil.example/", "/console/\r\nX: y", ""):
            reply = await visitor.post("/console/look", theme="dark", back=back)
            place = reply.headers["location"]
            assert (reply.status, place) == (303, "/console/"), back

    stand(tmp_path, scenario)


def test_cookies_stay_with_the_browser_and_behind_tls_with_tls(tmp_path: Path) -> None:
    """No script reads them, no other site sends them (S9)."""

    async def scenario(one: Stand) -> None:
        reply = await one.visitor().get("/console/")
        assert reply.headers["set-cookie"].endswith("; Path=/console; HttpOnly; SameSite=Strict")
        visitor = one.visitor()
        reply = await visitor.get("/console/", "Origin: https://127.0.0.1\r\n")
        assert reply.headers["set-cookie"].endswith("; Secure")

    stand(tmp_path, scenario)


def test_files_come_packed_to_whoever_can_unpack_them(tmp_path: Path) -> None:
    """And plain to the others."""

    async def scenario(one: Stand) -> None:
        visitor = one.visitor()
        packed = await visitor.get("/console/assets/htmx.min.js", "Accept-Encoding: gzip, br\r\n")
        plain = await visitor.get("/console/assets/htmx.min.js")
        assert packed.headers["content-encoding"] == "gzip"
        assert len(packed.body) < 15_000 < len(plain.body)
        for path in ("/console/assets/nothing.js", "/console/assets/../health.py", "/console/assets/%2e%2e/health.py"):
            assert (await visitor.get(path)).status == 404

    stand(tmp_path, scenario)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/console/", 405), ("GET", "/console/look", 405), ("PUT", "/console/", 405), ("GET", "/console/x", 404)],
)
def test_what_cannot_be_asked_is_said(tmp_path: Path, method: str, path: str, status: int) -> None:
    """In the viewer's language, on a page that leads back."""

    async def scenario(one: Stand) -> None:
        reply = await one.visitor()._ask(method, path, b"", "Accept-Language: vi\r\n")
        assert reply.status == status
        assert "Không thực hiện được" in reply.body.decode()

    stand(tmp_path, scenario)


@pytest.mark.parametrize(
    "cookie",
    ["bocau_look=\x80\xff", "bocau_console=x; bocau_look=vi.pink", "=;;;=", 'a="\\', "bocau_console=" + "g" * 64],
)
def test_odd_cookies_are_nobodys(tmp_path: Path, cookie: str) -> None:
    """They are taken for none."""

    async def scenario(one: Stand) -> None:
        reply = await one.visitor().get("/console/", f"Cookie: {cookie}\r\n")
        assert reply.status == 200

    stand(tmp_path, scenario)
