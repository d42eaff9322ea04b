"""Limits outlive the process: a real gateway is killed, and neither numbers nor money begin anew."""

import asyncio
from pathlib import Path

import pytest
from tests.system.ends import FAST
from tests.system.load import Order, ask
from tests.system.processes import Stage

_TEXT = "{} la ma xac minh dang ky Baotrixemay cua ban"
_LIMITS = {
    "BOCAU_LIMITS__NUMBER_PER_10_MINUTES": "2",
    "BOCAU_LIMITS__ACCOUNT_VND_PER_DAY": str(4 * 850),
}


@pytest.mark.slow
def test_a_kill_resets_no_count_and_no_cap(tmp_path: Path) -> None:
    """Two messages to a number and no more, four a day and no more, before the kill and after it (promises F1)."""

    async def codes(stage: Stage, phone: str, count: int, series: str) -> list[str]:
        orders = [Order(f"{series}-{number}", (phone,), _TEXT.format(f"{series}{number}")) for number in range(count)]
        return [(await ask(stage.api_port, order)).code for order in orders]

    async def scenario() -> None:
        async with Stage(tmp_path, {**FAST, **_LIMITS}) as stage:
            await stage.start()
            assert await codes(stage, "0901234567", 3, "a") == ["100", "100", "99"]
            stage.kill()
            await stage.start()
            assert await codes(stage, "0901234567", 1, "b") == ["99"]
            assert await codes(stage, "0911234567", 2, "c") == ["100", "100"]
            assert await codes(stage, "0981234567", 1, "d") == ["103"]
            stage.kill()
            await stage.start()
            assert await codes(stage, "0981234567", 1, "e") == ["103"]
            assert await stage.stop() == 0
            accounts, keys = stage.look("SELECT spent FROM account", "SELECT used_ms, spent FROM api_key")
        assert accounts == [(4 * 850 * 10_000,)]
        ((used, spent),) = keys
        assert used is not None, "a clean end notes when keys were used"
        assert spent == 4 * 850 * 10_000

    async def bounded() -> None:
        async with asyncio.timeout(90):
            await scenario()

    asyncio.run(bounded())
