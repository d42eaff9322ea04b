"""Keys with scopes and dates, limits, addresses, block lists, ledger and audit from the command line."""

import asyncio
import csv
import io
import json
from datetime import datetime
from pathlib import Path

import pytest
from tests.cli.shell import Shell, directory

from bocau.core.directory import Scope
from bocau.store.contract import Clerk
from bocau.store.sqlite import SqliteStore
from bocau.world import RealWorld

HOUR = 3_600_000


def sign_in(desk: Shell, pair: dict[str, str], after_hours: float = 0) -> bool:
    """Whether a pair of keys is taken, now or later."""
    assert desk.data is not None
    now_ms = RealWorld().now_ms() + int(after_hours * HOUR)
    return directory(desk.data).sign_in(pair["api_key"], pair["secret_key"], now_ms) is not None


# Keys


def test_a_key_is_made_for_one_thing_one_brandname_and_some_time(desk: Shell) -> None:
    """What the door sees is what was asked for, and the list shows it."""
    made = desk.json("key", "create", "bocau-dev", "--scope=send", "--brandname=Bocau", "--hours=24")
    assert desk.data is not None
    key = directory(desk.data).sign_in(made["api_key"], made["secret_key"], RealWorld().now_ms())
    assert key is not None
    assert (key.scopes, key.brandname) == (frozenset({Scope.SEND}), "Bocau")
    assert sign_in(desk, made, 23.9)
    assert not sign_in(desk, made, 24.1)
    row = next(row for row in desk.json("key", "list", "bocau-dev") if row["api_key"] == made["api_key"])
    assert (row["scopes"], row["brandname"], row["last_used"]) == ("send", "Bocau", None)
    assert datetime.fromisoformat(row["expires"]).tzinfo is not None


def test_a_scope_or_brandname_that_is_none_is_refused(desk: Shell) -> None:
    """With what there is."""
    assert "send, query" in desk.fails("key", "create", "bocau-dev", "--scope=sned")
    assert "Baotrixemay" in desk.fails("key", "create", "bocau-dev", "--brandname=Baotrixemai")
    assert len(desk.json("key", "list", "bocau-dev")) == 1


def test_a_rotation_leaves_both_keys_for_a_while(desk: Shell) -> None:
    """The new one may do and come from what the old one may; the old one ends."""
    old = desk.json("key", "create", "bocau-dev", "--scope=query")
    desk.ok("account", "allow-ip", "bocau-dev", "203.0.113.7", "--api-key", old["api_key"])
    new = desk.json("key", "rotate", old["api_key"], "--overlap-hours=48")
    assert sign_in(desk, old)
    assert sign_in(desk, new)
    assert sign_in(desk, old, 47.9)
    assert not sign_in(desk, old, 48.1)
    assert sign_in(desk, new, 10_000)
    assert desk.data is not None
    key = directory(desk.data).sign_in(new["api_key"], new["secret_key"], 0)
    assert key is not None
    assert (key.scopes, [str(network) for network in key.networks]) == (frozenset({Scope.QUERY}), ["203.0.113.7/32"])


def test_a_rotation_never_gives_a_key_more_time_than_it_had(desk: Shell) -> None:
    """And one that is over is not rotated."""
    short = desk.json("key", "create", "bocau-dev", "--hours=1")
    desk.ok("key", "rotate", short["api_key"])
    assert not sign_in(desk, short, 1.1)
    desk.ok("key", "disable", short["api_key"])
    assert "not active" in desk.fails("key", "rotate", short["api_key"])
    assert "There is no key nobody" in desk.fails("key", "rotate", "nobody")


# Accounts


def test_an_account_shows_its_limits_and_where_they_come_from(desk: Shell) -> None:
    """Settings first, then its own, and back."""

    def number_day() -> tuple[int, str]:
        rows = {row["limit"]: row for row in desk.json("account", "show", "bocau-dev")["limits"]}
        return rows["number-day"]["value"], rows["number-day"]["from"]

    assert number_day() == (0, "settings"), "the store of a bocau dev, which limits nothing"
    desk.ok("account", "limit", "bocau-dev", "number-day", "3")
    assert number_day() == (3, "account")
    desk.ok("account", "limit", "bocau-dev", "number-day", "0")
    assert number_day() == (0, "account")
    assert "none" in desk.ok("account", "show", "bocau-dev")
    desk.ok("account", "limit", "bocau-dev", "number-day", "default")
    assert number_day() == (0, "settings"), "the store of a bocau dev, which limits nothing"
    shown = desk.json("account", "show", "bocau-dev")
    assert (shown["account"], shown["spent_today_vnd"], shown["allowed_networks"]) == ("bocau-dev", 0, [])
    assert shown["balance_vnd"] == 10_000_000


@pytest.mark.parametrize(
    "words", [("number-days", "3"), ("number-day", "1.5"), ("number-day", "101"), ("number-day", "x")]
)
def test_a_limit_that_cannot_be_is_refused(desk: Shell, words: tuple[str, str]) -> None:
    """With its bounds, or the nearest name."""
    said = desk.fails("account", "limit", "bocau-dev", *words)
    assert "number-day" in said


def test_addresses_are_added_and_taken_back(desk: Shell) -> None:
    """In their usual form; a host inside a network is a mistake."""
    made = desk.json("account", "allow-ip", "bocau-dev", "203.0.113.7", "2001:db8::/32")
    assert made["allowed_networks"] == ["2001:db8::/32", "203.0.113.7/32"]
    assert desk.json("account", "show", "bocau-dev")["allowed_networks"] == made["allowed_networks"]
    left = desk.json("account", "allow-ip", "bocau-dev", "203.0.113.7", "--remove")
    assert left["allowed_networks"] == ["2001:db8::/32"]
    assert "not on the list" in desk.fails("account", "allow-ip", "bocau-dev", "203.0.113.7", "--remove")
    assert "host bits" in desk.fails("account", "allow-ip", "bocau-dev", "203.0.113.7/24")
    assert "has no key" in desk.fails("account", "allow-ip", "bocau-dev", "203.0.113.7", "--api-key=other")


# Block lists


def test_numbers_and_words_are_blocked_for_all_or_for_one(desk: Shell) -> None:
    """As they were written, they are brought to one form; the door has them."""
    desk.ok("block", "number", "add", "+84 901 234 567", "0901.234.567", "0912345678")
    desk.ok("block", "word", "add", "Vay TIỀN", "--account", "bocau-dev")
    assert desk.data is not None
    account = directory(desk.data).accounts[1]
    assert account.blocked_numbers == (frozenset({"0901234567", "0912345678"}),)
    assert account.blocked_words[0].find("can VAY-tien") == "vay tien"
    assert desk.json("block", "word", "list") == [{"word": "vay tien", "account": "bocau-dev"}]
    assert "all accounts" in desk.ok("block", "number", "list")
    assert desk.json("block", "number", "remove", "84901234567")["changed"] == 1
    assert desk.json("block", "number", "list") == [{"number": "0912345678", "account": None}]
    assert desk.json("block", "number", "list", "--account", "bocau-dev") == []


def test_a_list_is_imported_whole_or_not_at_all(desk: Shell, tmp_path: Path) -> None:
    """With the line that is wrong."""
    file = tmp_path / "numbers.txt"
    file.write_text("# complaints\n0901234567\n\n0901 234 568\n0901234567\n", "utf-8")
    assert desk.json("block", "number", "import", str(file)) == {
        "kind": "number",
        "account": None,
        "given": 2,
        "changed": 2,
    }
    file.write_text("0909999999\nnobody\n", "utf-8")
    said = desk.fails("block", "number", "import", str(file))
    assert "line 2" in said
    assert "Nothing was blocked" in said
    assert len(desk.json("block", "number", "list")) == 2
    assert "cannot be read" in desk.fails("block", "number", "import", str(tmp_path / "none.txt"))


@pytest.mark.parametrize(("kind", "value"), [("number", "19001234"), ("number", "+14155550100"), ("word", "!?")])
def test_what_could_never_be_found_is_not_blocked(desk: Shell, kind: str, value: str) -> None:
    """A number that is none, a word without a letter."""
    assert value in desk.fails("block", kind, "add", value)


# Books


def fill(desk: Shell) -> None:
    """Two top-ups of one account, one in August and one in September of 2026, in Vietnam."""

    async def act() -> None:
        assert desk.data is not None
        moments = iter((1_788_195_599_999, 1_788_195_600_000))
        store = await SqliteStore.administrate(str(desk.data / "bocau.db"), Clerk("test", RealWorld().now_ms))
        account = await store.create_account("shop", 0)
        for moment, cause in zip(moments, ("august", "=september"), strict=True):
            await store.top_up(account, 8_500_000, cause, moment)
        await store.close(0)

    asyncio.run(act())


def test_a_month_of_the_ledger_is_exported(desk: Shell) -> None:
    """To the millisecond of Vietnam's midnight, for one account or all, as a table that a spreadsheet cannot run."""
    fill(desk)
    assert [row["cause"] for row in desk.json("ledger", "shop")] == ["=september", "august"]
    assert [row["cause"] for row in desk.json("ledger", "shop", "--month=2026-08")] == ["august"]
    assert [row["cause"] for row in desk.json("ledger", "--since=2026-09-01", "--until=2026-10-01")] == ["=september"]
    assert desk.json("ledger", "shop", "--kind=hold") == []
    assert {row["account"] for row in desk.json("ledger")} == {"bocau-dev", "shop"}
    rows = list(csv.DictReader(io.StringIO(desk.ok("ledger", "shop", "--csv"))))
    assert [row["cause"] for row in rows] == ["'=september", "august"]
    assert [row["amount_vnd"] for row in rows] == ["850", "850"]
    assert rows[0]["at"] == "2026-08-31T17:00:00.000+00:00"


@pytest.mark.parametrize(
    "words", [("--month=2026-13",), ("--since=1.9.2026",), ("--since=2026-09-02", "--until=2026-09-01"), ("--kind=x",)]
)
def test_a_date_that_is_none_is_refused(desk: Shell, words: tuple[str, ...]) -> None:
    """With how one looks."""
    assert desk.fails("ledger", *words)


def test_the_audit_says_who_did_what(desk: Shell) -> None:
    """The newest first; by the user who typed; no secret in it."""
    made = desk.json("key", "create", "bocau-dev")
    desk.ok("account", "lock", "bocau-dev")
    lines = desk.json("audit")
    assert [line["act"] for line in lines[:2]] == ["account.state", "key.put"]
    assert lines[0]["subject"] == "account 1: locked"
    assert lines[0]["actor"] not in ("", "gateway")
    assert lines[-1]["actor"] == "gateway"
    assert made["secret_key"] not in json.dumps(lines)
    assert datetime.fromisoformat(lines[0]["at"]).year > 2020
    assert "account.state" in desk.ok("audit", "--limit=1")
