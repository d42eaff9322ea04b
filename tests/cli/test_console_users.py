"""`bocau console-user`: who may log in to the console."""

import asyncio

from tests.cli.shell import Shell

from bocau.console.passwords import is_password
from bocau.store.contract import Clerk, ConsoleUser
from bocau.store.sqlite import SqliteStore


def kept(desk: Shell, name: str) -> ConsoleUser | None:
    """What the store has of somebody."""

    assert desk.data is not None
    path = str(desk.data / "bocau.db")

    async def read() -> ConsoleUser | None:
        store = await SqliteStore.administrate(path, Clerk("test", lambda: 0))
        try:
            return await store.console_user(name)
        finally:
            await store.close(0)

    return asyncio.run(read())


def test_a_user_is_added_shown_changed_and_removed(desk: Shell) -> None:
    """The password that is printed is the one that counts."""
    assert "bocau serve" in desk.ok("console-user", "list")
    made = desk.json("console-user", "add", "ada", "--role", "operator")
    user = kept(desk, "ada")
    assert user is not None
    assert user.role == "operator"
    assert is_password(made["password"], user.password)
    assert "not shown again" in desk.ok("console-user", "passwd", "ada")
    again = kept(desk, "ada")
    assert again is not None
    assert again.role == "operator"
    assert not is_password(made["password"], again.password)
    (row,) = desk.json("console-user", "list")
    assert (row["name"], row["role"]) == ("ada", "operator")
    assert "password" not in row
    assert "ada" in desk.ok("console-user", "remove", "ada")
    assert kept(desk, "ada") is None


def test_what_cannot_be_done_is_said(desk: Shell) -> None:
    """With the command that helps."""
    desk.ok("console-user", "add", "ada")
    assert "passwd ada" in desk.fails("console-user", "add", "ada")
    assert "console-user list" in desk.fails("console-user", "passwd", "bob")
    assert "console-user list" in desk.fails("console-user", "remove", "bob")
    assert "letters" in desk.fails("console-user", "add", "<ada>")
