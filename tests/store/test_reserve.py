"""Room on the disk is kept for what is under way (promises P15, M3)."""

from pathlib import Path

import pytest

from bocau.store.sqlite.reserve import Reserve, judge

MIB = 1 << 20
SIZE = 64 * MIB


@pytest.mark.parametrize(
    ("free", "held", "refuses", "then"),
    [
        (500, 64, False, (False, 64)),
        (64, 64, False, (False, 64)),
        (63, 64, False, (True, 64)),
        (79, 64, True, (True, 64)),
        (80, 64, True, (False, 64)),
        (16, 64, True, (True, 64)),
        (15, 64, True, (True, 0)),
        (15, 0, True, (True, 0)),
        (80, 0, True, (False, 0)),
        (96, 0, False, (False, 16)),
        (500, 60, False, (False, 64)),
    ],
)
def test_what_follows_from_a_look(free: int, held: int, refuses: bool, then: tuple[bool, int]) -> None:
    """Refused below the reserve, taken again a quarter above it, given up below a quarter of it; MiB."""
    verdict = judge(free * MIB, held * MIB, SIZE, refuses=refuses)
    assert (verdict.refuses, verdict.held // MIB) == then


def test_the_file_grows_in_steps_is_given_up_and_comes_back(tmp_path: Path) -> None:
    """Real bytes: what it gives up can be written at once."""
    path, room = tmp_path / "bocau.db", [200 * MIB]
    file = tmp_path / "bocau.db.reserve"
    reserve = Reserve(str(path), 40 * MIB, lambda: room[0])
    sizes = []
    for _ in range(4):
        assert reserve.look() == ""
        sizes.append(file.stat().st_size // MIB)
    assert sizes == [16, 32, 40, 40]
    assert file.stat().st_blocks * 512 >= 40 * MIB
    assert file.stat().st_mode & 0o777 == 0o600
    room[0] = 39 * MIB
    assert "39 MiB free" in reserve.look()
    assert file.exists()
    room[0] = 5 * MIB
    assert reserve.look()
    assert not file.exists()
    room[0] = 49 * MIB
    assert reserve.look(), "not yet: it would be refused again at once"
    room[0] = 200 * MIB
    assert reserve.look() == ""
    assert file.stat().st_size == 16 * MIB


def test_a_disk_without_room_for_the_file_is_no_fault(tmp_path: Path) -> None:
    """Nor a folder that may not be written."""
    (tmp_path / "bocau.db.reserve").mkdir()
    reserve = Reserve(str(tmp_path / "bocau.db"), 40 * MIB, lambda: 10_000 * MIB)
    assert reserve.look() == ""


def test_without_a_reserve_nothing_is_looked_at(tmp_path: Path) -> None:
    """0 MiB."""

    def never() -> int:
        raise AssertionError

    assert Reserve(str(tmp_path / "bocau.db"), 0, never).look() == ""
