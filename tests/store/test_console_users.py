"""Who may use the console, and who is logged in."""

from tests.store.house import NOON, House

from bocau.store.contract import ConsoleUser

ADA = ConsoleUser("ada", "operator", "a hash", NOON, NOON)


def test_a_user_is_found_until_removed(house: House) -> None:
    """With role and hash; a name that is nobody's is nobody's."""
    store = house.store
    assert house.run(store.console_user("ada")) is None
    assert house.run(store.put_console_user(ADA)) is True
    assert house.run(store.console_user("ada")) == ADA
    assert house.run(store.console_users()) == [ADA]
    assert house.run(store.delete_console_user("ada")) is True
    assert house.run(store.delete_console_user("ada")) is False
    assert house.run(store.console_users()) == []


def test_the_first_user_is_made_once(house: House) -> None:
    """Two nodes that start on a new store do not both print a password."""
    store = house.store
    assert house.run(store.put_console_user(ADA, first=True)) is True
    assert house.run(store.put_console_user(ADA._replace(name="bob"), first=True)) is False
    assert [user.name for user in house.run(store.console_users())] == ["ada"]


def test_a_session_is_its_users_until_he_leaves(house: House) -> None:
    """Its last sign of life only goes forward."""
    store = house.store
    house.run(store.put_console_user(ADA))
    house.run(store.open_console_session("t1", "ada", NOON))
    found = house.run(store.console_session("t1"))
    assert found is not None
    assert (found.name, found.role, found.created_ms, found.seen_ms) == ("ada", "operator", NOON, NOON)
    house.run(store.touch_console_session("t1", NOON + 5))
    house.run(store.touch_console_session("t1", NOON + 3))
    found = house.run(store.console_session("t1"))
    assert found is not None
    assert found.seen_ms == NOON + 5
    house.run(store.close_console_session("t1"))
    assert house.run(store.console_session("t1")) is None


def test_a_new_password_or_role_ends_all_sessions(house: House) -> None:
    """Whoever has the old one is out; so is somebody who was removed."""
    store = house.store
    for change in (store.put_console_user(ADA), store.delete_console_user("ada")):
        house.run(store.put_console_user(ADA))
        house.run(store.open_console_session(f"t{id(change)}", "ada", NOON))
        house.run(change)
        assert house.run(store.console_session(f"t{id(change)}")) is None


def test_sessions_older_than_a_day_are_forgotten(house: House) -> None:
    """By the next log-in."""
    store = house.store
    house.run(store.put_console_user(ADA))
    house.run(store.open_console_session("t1", "ada", NOON))
    house.run(store.open_console_session("t2", "ada", NOON + 86_400_001))
    assert house.run(store.console_session("t1")) is None
    assert house.run(store.console_session("t2")) is not None


def test_acts_are_in_the_audit_in_their_own_name(house: House) -> None:
    """Who logged in, who did what; what nobody has to read of later is not in it."""
    store = house.store
    house.run(store.put_console_user(ADA))
    house.run(store.open_console_session("t1", "ada", NOON))
    house.run(store.touch_console_session("t1", NOON + 1))
    house.run(store.note_act("ada", "link.pause", "north"))
    lines = house.run(store.audit(3))
    assert [(line.actor, line.act, line.subject) for line in lines[:2]] == [
        ("ada", "link.pause", "north"),
        ("ada", "console.login", "ada"),
    ]
    assert lines[2].subject == "ada: operator"
    assert "a hash" not in str(lines)
