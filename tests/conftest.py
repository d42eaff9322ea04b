"""What every test shares: hypothesis without deadlines, a long profile for make fuzz, and who runs beside whom.

`make test` runs on every core. What starts processes or lets real seconds pass, and looks at what becomes of it, is
disturbed by its like: such tests belong to a group, whose tests run one after the other on one core.
"""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", deadline=None, max_examples=20_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")

pytest_plugins = ["pytester"]
"""For the tests of our own plug-in."""

_GROUPS: Final[Mapping[str, str]] = {
    "system": "processes",
    "test_bench.py": "processes",
    "testing": "processes",
    "compat": "gateway",
    "examples": "gateway",
    "sip": "calls",
    "rooms/deliver/voice": "calls",
    "simulator/test_phone.py": "calls",
}
"""By the beginning of their paths."""


class Grouped(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist tells no types
    """Every test on its own to whichever core is free, but for groups, which stay on one core. The largest go first.

    The marks of `--dist loadgroup` would say the same, but come to nothing with the pytest of today.
    """

    def _split_scope(self, nodeid: str) -> str:
        place = nodeid.partition("::")[0].removeprefix("tests/")
        return next((group for beginning, group in _GROUPS.items() if place.startswith(beginning)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Grouped:  # noqa: ANN401 - the log of pytest-xdist
    """Who hands tests to the cores, whatever `--dist` says."""
    return Grouped(config, log)
