"""The console in a real browser: languages, themes, a phone's screen, the keyboard, and an accessibility check."""

import gzip
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.console.browser import CHROMIUM, Browser, Page
from tests.system.processes import free_port

from bocau.client import Client, TemplateMismatch

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium on PATH (Debian: apt-get install chromium)"
)

AXE = Path(__file__).with_name("axe.min.js.gz")
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
"""axe-core 4.14.1 of npm, axe.min.js (MPL-2.0): used here, not part of bocau."""
READY = re.compile(r'"event":"gateway.ready","api_port":([0-9]+),"admin_port":([0-9]+)')
TEXT = "4821 la ma dang nhap Bocau cua ban"


class Running(NamedTuple):
    """A `bocau dev` and where it is."""

    api: str
    console: str


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A development start with its first message."""
    data = tmp_path_factory.mktemp("dev")
    ports = ("--api-port", "0", "--admin-port", "0", "--smsc-port", "0")
    command = [sys.executable, "-m", "bocau", "dev", "--data", str(data), *ports]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            found = next(found for found in map(READY.search, iter(program.stdout.readline, "")) if found)
            yield Running(f"http://127.0.0.1:{found[1]}", f"http://127.0.0.1:{found[2]}/console/")
        finally:
            program.terminate()
            program.stdout.read()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One Chromium for all."""
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab of its own, in which nothing may go wrong."""
    opened = browser.page()
    yield opened
    assert opened.complaints == []


def send(running: Running, phone: str = "0901888484", text: str = TEXT) -> str:
    """A message; its SMSID."""
    with Client(running.api, "bocau-dev", "bocau-dev-secret") as client:
        return client.send(phone, text, brandname="Bocau").smsid


def wear(page: Page, language: str, theme: str) -> None:
    """Choose by the buttons that are on every page, as a person does."""
    if page.run("document.documentElement.lang") != language:
        page.act(f"document.querySelector('[name=language][value={language}]').click()")
    while page.run("document.documentElement.dataset.theme") != theme:
        page.act("document.querySelector('[name=theme]').click()")


def findings(page: Page) -> list[str]:
    """What axe has against the page, but for trifles."""
    if not page.run("typeof axe == 'object'"):
        page.run(gzip.decompress(AXE.read_bytes()).decode() + "; true")
    found = page.run("axe.run().then((said) => JSON.stringify(said.violations))")
    return [
        f"{one['id']}: {one['nodes'][0]['html']}"
        for one in json.loads(found)
        if one["impact"] in ("serious", "critical")
    ]


def test_axe_is_as_it_was_published() -> None:
    """It runs in a page with everything in it."""
    assert hashlib.sha256(gzip.decompress(AXE.read_bytes())).hexdigest() == AXE_SHA256


def test_opening_the_console_shows_the_first_message(running: Running, page: Page) -> None:
    """The page that `bocau dev` names, small enough for a bad line, and nothing red in the browser's console."""
    page.open(running.console)
    page.until("document.querySelector('tr.row .badge.delivered')")
    assert "la ma xac minh dang ky Baotrixemay cua ban" in page.text("#rows")
    assert page.bytes < 100_000
    foreign = page.run("performance.getEntries().filter((one) => one.name.startsWith('http')).map((one) => one.name)")
    assert [name for name in foreign if not name.startswith(running.console)] == []


def test_a_message_appears_by_itself_and_its_state_follows(running: Running, page: Page) -> None:
    """Within the same second, without a hand on the page."""
    page.open(running.console)
    page.until("document.querySelector('#live').dataset.mark")
    smsid = send(running)
    row = f"document.querySelector('a[href*=\"{smsid}\"]')?.closest('tr')"
    page.until(row, 1.5)
    assert page.text("tr.row .code") == "4821"
    page.until(f"{row}.querySelector('.badge').textContent == 'delivered'")
    page.until("!document.querySelector('#live').classList.contains('lost')")


def test_a_code_is_copied_by_a_key(running: Running, page: Page, browser: Browser) -> None:
    """Large on the page, one key away from the clipboard."""
    smsid = send(running)
    page.open(f"{running.console}messages/{smsid}")
    assert page.text("#code") == "4821"
    page.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }; true")
    page.press(["c"])
    page.until("window.copied == '4821' && document.querySelector('[data-copy]').textContent == 'copied'")


def test_an_open_message_goes_on_by_itself(running: Running, page: Page) -> None:
    """The number whose receipt comes after two seconds: the page says delivered without being loaded again."""
    page.open(f"{running.console}messages/{send(running, '0900000001')}")
    page.until("document.querySelector('.heading .badge').textContent != 'delivered'")
    page.until("document.querySelector('.heading .badge').textContent == 'delivered'")
    page.until("!document.querySelector('#story').hasAttribute('hx-get')")


def test_a_person_without_a_mouse_gets_around(running: Running, page: Page) -> None:
    """Keys lead to the search, along the rows, into a message and back."""
    smsid = send(running, "0912345678")
    page.open(running.console)
    page.press(["/"])
    page.press([*"0912345678"])
    page.act("document.querySelector('form.search').requestSubmit()")
    assert page.run("document.querySelectorAll('tr.row').length") == 1
    page.press(["j"])
    page.until(f"document.activeElement.href.includes('{smsid}')")
    page.act("document.activeElement.click()")
    assert "0912345678" in page.text("h1")
    page.leave_by("h")
    assert page.run("location.pathname") == "/console/"


def test_charts_are_drawn_of_what_came(running: Running, page: Page) -> None:
    """The last minute of the chart has the message that was just sent, and the table its network."""
    send(running)
    page.open(f"{running.console}charts?hours=1")
    page.until("document.querySelector('#charts').dataset.drawn == 60")
    assert page.run("document.querySelectorAll('.chart canvas').length") == 2
    assert page.run("fetch('/console/charts/data?hours=1').then((a) => a.json()).then((d) => d.accepted.at(-1) > 0)")
    assert "Mobifone" in page.text(".scrolls table")


def test_a_refused_text_is_explained_and_registered_by_a_button(running: Running, page: Page) -> None:
    """The number beside "Refused" rises by itself; the page says where the text departs; the next send goes through."""
    text = "7731 la ma rieng cua Bocau"
    page.open(running.console)
    with Client(running.api, "bocau-dev", "bocau-dev-secret") as client:
        with pytest.raises(TemplateMismatch):
            client.send("0901888484", text, brandname="Bocau")
        page.until("document.querySelector('#refused').textContent > 0", 2)
        page.act("document.querySelector('nav a[href$=refused]').click()")
        assert "differs at character" in page.text("article dl")
        page.act("document.querySelector('article form button').click()")
        assert "Registered for Bocau" in page.text("[role=status]")
        assert client.send("0901888484", text, brandname="Bocau").smsid


def test_a_customer_is_called_again_by_a_button(running: Running, page: Page) -> None:
    """His host was down; the next try stands in the story a moment later."""
    with Client(running.api, "bocau-dev", "bocau-dev-secret") as client:
        smsid = client.send("0901888484", TEXT, brandname="Bocau", callback_url="http://127.0.0.1:9/hook").smsid
    page.open(f"{running.console}messages/{smsid}")
    tries = "[...document.querySelectorAll('.timeline li')].filter((one) => one.innerText.includes(' ms')"
    tries += " && one.querySelector('.what').innerText == 'called').length"
    page.until(f"{tries} == 1")
    page.act("document.querySelector('form[action$=callback] button').click()")
    page.until(f"{tries} == 2")


PAGES = ("links", "links/simulator", "callbacks", "refused", "charts", "accounts", "accounts/1", "templates", "inbound")
WORDS = {"en": ("Messages", "What happened"), "vi": ("Tin nhắn", "Diễn biến")}


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_sound_in_each_language_and_theme(
    running: Running, page: Page, language: str, theme: str
) -> None:
    """Axe finds nothing serious, and the page speaks the language and wears the theme that was chosen."""
    smsid = send(running)
    page.open(running.console)
    wear(page, language, theme)
    dark = page.run("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    assert dark == (theme == "dark")
    messages, happened = WORDS[language]
    for path, word in (
        ("", messages),
        (f"messages/{smsid}", happened),
        ("?q=nothing&state=failed", messages),
        *((path, "") for path in PAGES),
    ):
        page.open(running.console + path)
        assert word in page.text("main"), path
        assert findings(page) == [], path


@pytest.mark.parametrize("path", ["", "messages/{smsid}", *PAGES])
def test_a_phone_shows_everything_without_scrolling_aside(running: Running, page: Page, path: str) -> None:
    """On 360 points of width."""
    smsid = send(running)
    page.resize(360, 740)
    page.open(running.console + path.format(smsid=smsid))
    assert page.run("document.documentElement.scrollWidth") <= 360
    assert findings(page) == []


SETTINGS = """\
[api]
port = {api}
[admin]
port = {admin}
[store]
path = "{folder}/bocau.db"
[[carrier]]
name = "north"
host = "127.0.0.1"
port = 9
system_id = "us"
password = "pw"
[[route]]
name = "all"
carrier = "north"
"""
PASSWORD = re.compile(r"^  ([a-z2-7-]{29})$", re.MULTILINE)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The console of a `bocau serve` that begins, and the password of its first admin."""
    ports = {"api": free_port(), "admin": free_port()}
    file, said = tmp_path / "bocau.toml", tmp_path / "said"
    file.write_text(SETTINGS.format(folder=tmp_path, **ports))
    file.chmod(0o600)
    command = [sys.executable, "-m", "bocau", "serve", "--config", str(file)]
    with said.open("w") as stream, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stream) as program:
        assert program.stdout is not None
        try:
            found = None
            while found is None:
                assert program.stdout.readline(), said.read_text()
                found = PASSWORD.search(said.read_text())
            yield f"http://127.0.0.1:{ports['admin']}/console/", found[1]
        finally:
            program.terminate()
            program.stdout.read()


def test_the_console_of_production_lets_in_who_logs_in(guarded: tuple[str, str], browser: Browser) -> None:
    """With the password of the first start; every page is sound, and after the log-out there is none."""
    console, password = guarded
    page = browser.page()
    page.open(f"{console}accounts")
    assert page.run("location.pathname") == "/console/login"
    assert findings(page) == []
    page.run("document.querySelector('#name').value = 'admin'; true")
    page.run(f"document.querySelector('#password').value = '{password}'; true")
    page.act("document.querySelector('form').requestSubmit()")
    assert page.run("location.pathname") == "/console/accounts"
    for path in ("", "links/north", "callbacks", "charts", "accounts", "templates", "inbound"):
        page.open(console + path)
        assert findings(page) == [], path
    page.act("document.querySelector('form[action$=logout] button').click()")
    page.open(console)
    assert page.run("location.pathname") == "/console/login"
    assert page.complaints == []
