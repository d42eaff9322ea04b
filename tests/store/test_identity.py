"""A store knows itself from its copies: what was restored or copied starts in quarantine (promises P17)."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.store.engines import SqliteEngine
from tests.store.house import HOUR, NOON, PRICE, House
from tests.store.sweep import sweep

from bocau.core.ledger import EntryKind
from bocau.core.lifecycle import State
from bocau.store.contract import Quarantine
from bocau.store.sqlite import StoreBroken, StoreInUse, copying
from bocau.store.sqlite.copying import CopyRefused, copy_store, put_in_place


class Shelf:
    """A store in a folder of its own, and copies of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "site"
        self.folder.mkdir()
        self.engine = SqliteEngine(self.folder, threaded=False)
        self.path = Path(self.engine.path)
        self.copy = folder / "copy.db"

    def start(self, work: Callable[[House], None] | None = None, now: int = NOON) -> Quarantine | None:
        """One start, some work and a clean end; whether it was in quarantine."""
        house = House(self.engine, now)
        try:
            if work is not None:
                work(house)
            return house.run(house.store.quarantine())
        finally:
            house.close()
            sweep(self.engine.inspect())

    def keep(self) -> None:
        """A copy of the file, as any program makes it."""
        shutil.copy(self.path, self.copy)

    def put_back(self) -> None:
        """The copy in the place of the store, by the same means."""
        for tail in ("-wal", "-shm"):
            self.path.with_name(self.path.name + tail).unlink(missing_ok=True)
        shutil.copy(self.copy, self.path)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Nothing yet."""
    return Shelf(tmp_path)


def accepts(count: int, price: int = PRICE) -> Callable[[House], None]:
    """So many messages."""

    def work(house: House) -> None:
        for _ in range(count):
            house.accept(price=price)

    return work


def why(held: Quarantine | None) -> str:
    """The reason, which must be there."""
    assert held is not None
    return held.why


def test_a_store_that_goes_on_is_not_doubted(shelf: Shelf) -> None:
    """New, stopped, started again, killed: it is the same one."""
    assert shelf.start() is None
    assert shelf.start(now=NOON + HOUR) is None
    house = House(shelf.engine, NOON + 2 * HOUR)
    house.run(house.store.beat(house.now))
    house._loop.close()  # as a killed process: nothing is closed
    house.store._lock.close()  # type: ignore[attr-defined]
    assert shelf.start(now=NOON + 3 * HOUR) is None


def test_a_store_of_the_version_before_is_taken_as_it_is(shelf: Shelf) -> None:
    """Its first start with a mark has nothing to compare."""
    shelf.start()
    db = sqlite3.connect(shelf.path)
    db.execute("UPDATE store_identity SET store_id = '', beat = 0")
    db.commit()
    db.close()
    Path(f"{shelf.path}.mark").unlink()
    assert shelf.start(now=NOON + HOUR) is None


def test_an_older_copy_in_the_place_of_the_store_is_noticed(shelf: Shelf) -> None:
    """One start later the store had come further."""
    shelf.start()
    shelf.keep()
    shelf.start(now=NOON + HOUR)
    shelf.put_back()
    assert "older than the store that ran here last" in why(shelf.start(now=NOON + 2 * HOUR))


def test_a_copy_made_within_one_start_is_noticed_if_something_was_sent_since(shelf: Shelf) -> None:
    """The count grows while messages are sent, not only at starts."""

    def work(house: House) -> None:
        db = sqlite3.connect(shelf.path)
        copy = sqlite3.connect(shelf.copy)
        db.backup(copy)
        copy.close()
        db.close()
        house.run(house.store.beat(house.now))

    shelf.start(work)
    shelf.put_back()
    assert "older than the store that ran here last" in why(shelf.start(now=NOON + HOUR))


def test_a_copy_in_another_place_is_noticed(shelf: Shelf, tmp_path: Path) -> None:
    """No mark lies there."""
    shelf.start()
    elsewhere = Shelf(tmp_path / "site")
    shutil.copy(shelf.path, elsewhere.path)
    assert "no mark of its last start" in why(elsewhere.start(now=NOON + HOUR))
    assert shelf.start(now=NOON + HOUR) is None, "the one it was copied from goes on"


def test_a_copy_of_the_whole_folder_is_noticed(shelf: Shelf, tmp_path: Path) -> None:
    """The mark's own file is another one, and was made after the mark was written."""
    long_ago = 1_500_000_000_000
    shelf.start(now=long_ago)
    elsewhere = Shelf(tmp_path / "site")
    for file in shelf.folder.iterdir():
        if file.is_file():
            shutil.copy2(file, elsewhere.folder)
    assert "together with its folder" in why(elsewhere.start(now=long_ago + HOUR))


def test_a_copy_that_went_its_own_way_is_not_taken_for_the_store(shelf: Shelf, tmp_path: Path) -> None:
    """It has another name since it was released, however far it came."""
    shelf.start()
    elsewhere = Shelf(tmp_path / "site")
    shutil.copy(shelf.path, elsewhere.path)

    def let_go(house: House) -> None:
        assert house.run(house.store.end_quarantine())
        for _ in range(9):
            house.run(house.store.beat(house.now))

    elsewhere.start(let_go, now=NOON + HOUR)
    assert elsewhere.start(now=NOON + 2 * HOUR) is None, "released, it is a store like any other"
    elsewhere.keep()
    shutil.copy(elsewhere.copy, shelf.copy)
    shelf.put_back()
    assert "of another store" in why(shelf.start(now=NOON + 3 * HOUR))


def test_a_quarantine_outlives_starts_until_it_is_ended_once(shelf: Shelf, tmp_path: Path) -> None:
    """It says since when; ending it leaves lines in the audit."""
    shelf.start()
    elsewhere = Shelf(tmp_path / "site")
    shutil.copy(shelf.path, elsewhere.path)
    elsewhere.start(now=NOON + HOUR)
    held = elsewhere.start(now=NOON + 2 * HOUR)
    assert held is not None
    assert held.since_ms == NOON + HOUR

    def let_go(house: House) -> None:
        assert house.run(house.store.end_quarantine())
        assert not house.run(house.store.end_quarantine())
        acts = [line.act for line in house.run(house.store.audit(100))]
        assert acts.count("store.release") == acts.count("store.quarantine") == 1

    assert elsewhere.start(let_go, now=NOON + 3 * HOUR) is None


def test_what_waits_is_shown_by_group_and_taken_back_by_group(shelf: Shelf, tmp_path: Path) -> None:
    """With its money, and a duty to tell its customer; what was begun stays in doubt, what ended stays as it is."""

    def work(house: House) -> None:
        other = house.new_account("other", 10 * PRICE)
        for _ in range(3):
            house.accept()
        house.accept(route_class="other", send_in=HOUR, state=State.SCHEDULED)
        house.accept(account=other)
        house.sending()
        house.sent("a1")

    shelf.start(work)
    elsewhere = Shelf(tmp_path / "site")
    shutil.copy(shelf.path, elsewhere.path)

    def choose(house: House) -> None:
        groups = house.run(house.store.unsent())
        names = {row.id: row.name for row in house.run(house.store.accounts())}
        assert sorted((names[one.account_id], *one[1:4]) for one in groups) == [
            ("other", "otp", "queued", 1),
            ("shop", "other", "scheduled", 1),
            ("shop", "otp", "queued", 3),
        ]
        assert all(one.oldest_ms == NOON for one in groups)
        mine = next(number for number, name in names.items() if name == "shop")
        assert house.run(house.store.cancel_unsent(mine, "otp", house.now)) == 3
        assert sorted(names[one.account_id] for one in house.run(house.store.unsent())) == ["other", "shop"]
        assert house.run(house.store.cancel_unsent(0, "", house.now)) == 2
        assert house.run(house.store.unsent()) == []
        inside = elsewhere.engine.inspect()
        states = sorted(message.state for message in inside.messages.values())
        assert states == ["cancelled"] * 5 + ["sent", "uncertain"]
        assert sum(row.kind == EntryKind.RELEASE for row in inside.ledger) == 5
        assert len(inside.callbacks) == 5

    elsewhere.start(choose, now=NOON + HOUR)


def test_nothing_is_taken_back_from_a_store_that_sends(shelf: Shelf) -> None:
    """A gateway may have it in hand."""

    def work(house: House) -> None:
        house.accept()
        with pytest.raises(ValueError, match="not in quarantine"):
            house.run(house.store.cancel_unsent(0, "", house.now))

    shelf.start(work)


def test_more_than_one_step_is_taken_back_whole(shelf: Shelf, tmp_path: Path) -> None:
    """However many wait."""
    shelf.start(accepts(1003, price=0))
    elsewhere = Shelf(tmp_path / "site")
    shutil.copy(shelf.path, elsewhere.path)

    def work(house: House) -> None:
        assert house.run(house.store.cancel_unsent(0, "", house.now)) == 1003

    elsewhere.start(work, now=NOON + HOUR)


# Copies made by ourselves


def backup(shelf: Shelf, *, force: bool = False, pause: Callable[[], None] = lambda: None) -> int:
    """How many messages are in the copy."""
    return copy_store(shelf.path, shelf.copy, NOON, force=force, pause=pause).messages


def test_a_copy_shows_one_moment_however_much_is_written_meanwhile(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is made in one go: steps begun anew with every commit would never end under load."""
    monkeypatch.setattr(copying, "_STEP_PAGES", 8)

    def work(house: House) -> None:
        for _ in range(700):
            house.accept()
        steps: list[int] = []

        def meanwhile() -> None:
            assert len(steps) < 200, "it begins anew with every commit"
            steps.append(house.accept().id)

        assert backup(shelf, pause=meanwhile) == 700
        assert 10 < len(steps) < 100
        assert len(house.engine.inspect().messages) == 700 + len(steps)

    shelf.start(work)
    copy = sqlite3.connect(shelf.copy)
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert copy.execute("SELECT count(*) FROM message").fetchone() == (700,)
    assert (
        copy.execute("SELECT sum(amount) FROM ledger").fetchone()
        == copy.execute("SELECT sum(balance) FROM account").fetchone()
    )
    copy.close()
    assert shelf.copy.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in shelf.copy.parent.iterdir() if file.name.startswith("copy")] == ["copy.db"]


def test_a_copy_is_in_quarantine_wherever_it_is_started(shelf: Shelf) -> None:
    """Even in the place it was made in, before anything else was sent."""
    shelf.start()
    backup(shelf)
    shelf.put_back()
    assert "a copy that `bocau backup` made" in why(shelf.start(now=NOON + HOUR))


def test_a_copy_is_never_made_over_something_by_mistake(shelf: Shelf) -> None:
    """Each with its reason; what is there stays."""
    shelf.start()
    before = shelf.path.read_bytes()
    for target in (shelf.path, shelf.path.with_name(f"{shelf.path.name}-wal"), Path(f"{shelf.path}.key")):
        with pytest.raises(CopyRefused, match="name of the store"):
            copy_store(shelf.path, target, NOON, force=True, pause=lambda: None)
    with pytest.raises(CopyRefused, match="is a folder"):
        copy_store(shelf.path, shelf.copy.parent, NOON, force=True, pause=lambda: None)
    with pytest.raises(CopyRefused, match="there is no folder"):
        copy_store(shelf.path, shelf.copy / "deep.db", NOON, force=False, pause=lambda: None)
    shelf.copy.write_bytes(b"yesterday")
    with pytest.raises(CopyRefused, match="is there already"):
        backup(shelf)
    assert shelf.copy.read_bytes() == b"yesterday"
    backup(shelf, force=True)
    assert shelf.copy.read_bytes().startswith(b"SQLite format 3")
    assert shelf.path.read_bytes() == before


def test_a_copy_that_could_not_be_made_leaves_nothing(shelf: Shelf) -> None:
    """Neither a half one nor a changed old one."""
    shelf.start(accepts(300))
    shelf.copy.write_bytes(b"yesterday")

    def fall_over() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        backup(shelf, force=True, pause=fall_over)
    assert shelf.copy.read_bytes() == b"yesterday"
    assert not list(shelf.copy.parent.glob("copy.db.*"))


def test_a_copy_is_put_in_place_with_the_old_store_kept_aside(shelf: Shelf) -> None:
    """The old one's log goes with it: beside the copy it would be written into it."""
    shelf.start(accepts(3))
    backup(shelf)
    house = House(shelf.engine, NOON + HOUR)
    house.accept()
    house.accept()
    with pytest.raises(StoreInUse):
        put_in_place(shelf.path, shelf.copy, NOON)
    for tail in ("", "-wal"):
        shutil.copy(f"{shelf.path}{tail}", f"{shelf.copy}.killed{tail}")
    house.close()
    for tail in ("", "-wal"):
        shutil.copy(f"{shelf.copy}.killed{tail}", f"{shelf.path}{tail}")
    aside = put_in_place(shelf.path, shelf.copy, NOON + 2 * HOUR)
    assert aside is not None
    assert not Path(f"{shelf.path}-wal").exists()
    old = sqlite3.connect(aside)
    assert old.execute("SELECT count(*) FROM message").fetchone() == (5,)
    old.close()
    assert why(shelf.start(now=NOON + 3 * HOUR))
    assert len(shelf.engine.inspect().messages) == 3


def test_only_a_whole_copy_of_ours_is_put_in_place(shelf: Shelf, tmp_path: Path) -> None:
    """And what is refused leaves the store as it is."""
    shelf.start()
    plain = tmp_path / "plain.db"
    shutil.copy(shelf.path, plain)
    for file, match in (
        (shelf.path, "is the store itself"),
        (tmp_path / "none.db", "there is no file"),
        (plain, "not in quarantine"),
    ):
        with pytest.raises(CopyRefused, match=match):
            put_in_place(shelf.path, file, NOON)
    shelf.copy.write_bytes(b"no database" * 1000)
    with pytest.raises(CopyRefused, match="no store that"):
        put_in_place(shelf.path, shelf.copy, NOON)
    backup(shelf, force=True)
    content = bytearray(shelf.copy.read_bytes())
    content[5 * 4096 : 7 * 4096] = b"\xa5" * 8192
    shelf.copy.write_bytes(content)
    with pytest.raises((CopyRefused, StoreBroken)):
        put_in_place(shelf.path, shelf.copy, NOON)
    assert shelf.start(now=NOON + HOUR) is None


def test_a_mark_that_is_damaged_counts_as_none(shelf: Shelf) -> None:
    """Doubt is on the safe side."""
    shelf.start()
    Path(f"{shelf.path}.mark").write_text("{")
    assert "no mark" in why(shelf.start(now=NOON + HOUR))


def test_a_folder_that_takes_no_mark_is_no_place_for_a_store(shelf: Shelf) -> None:
    """A start that could not be told from a copy's is refused with the reason."""
    Path(f"{shelf.path}.mark").mkdir()
    with pytest.raises(StoreBroken, match="mark"):
        asyncio.run(shelf.engine.open(NOON))
