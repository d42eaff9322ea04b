"""Receipts in every disorder that promises F26 names: each finds its message, and none finds another one's.

`make disorder` plays 50,000 messages; `make test` a thousand. BOCAU_DISORDER and BOCAU_DISORDER_SEED choose otherwise.
"""

import os
import tempfile
from pathlib import Path
from typing import Final

import pytest
from tests.simulation.disorder import Figures, Muddle, broken, figures
from tests.simulation.world import Network, play

MESSAGES: Final = int(os.environ.get("BOCAU_DISORDER", "1000"))
SEED: Final = int(os.environ.get("BOCAU_DISORDER_SEED", "1"))
_PATIENCE_SECONDS: Final = 900.0
_RAM: Final = "/dev/shm"


@pytest.mark.timeout(3_600)
def test_every_receipt_finds_its_message_whatever_the_order() -> None:
    """P7: early, late, twice, contradicting, on other binds, in other writings, after restarts and crashes; with a lost
    answer too. Nothing is left over, nothing is another's, nothing is sent twice."""

    async def story(network: Network) -> Muddle:
        town = Muddle(network, Path(folder), MESSAGES)
        await town.begin()
        await town.send_all()
        await town.settle(_PATIENCE_SECONDS)
        await town.close()
        return town

    with tempfile.TemporaryDirectory(dir=_RAM if Path(_RAM).is_dir() else None) as folder:
        town = play(story, SEED)
        found = list(broken(town))
        assert not found, "\n".join([f"{len(found)} in all", *found[:20]])
        _is_disorder(figures(town))


def _is_disorder(seen: Figures) -> None:
    """The run was what it says, or it proves nothing."""
    print(f"\nseed {SEED}: {seen}")
    assert seen.parts > 0.8 * MESSAGES == 0.8 * seen.messages
    assert seen.receipts > 1.5 * seen.parts
    assert seen.early > 0.1 * seen.parts
    assert seen.elsewhere > 0.3 * seen.receipts
    assert seen.contradicting > 0.1 * seen.parts
    assert seen.lost_answers >= seen.inferred > 0
