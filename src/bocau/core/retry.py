"""When something is tried again: a decision value, made from counts and chance that are handed in."""

from collections.abc import Sequence

__all__ = ["backoff_seconds", "callback_wait_ms", "postpone_ms"]


def backoff_seconds(failures: int, chance: float, first: float = 1.0, longest: float = 60.0) -> float:
    """Wait before the next connection try: doubling from `first` to `longest`, with full jitter in the upper half.

    `failures` counts from 1; `chance` is uniform in [0, 1).
    """
    ceiling: float = min(longest, first * (1 << min(failures - 1, 16)))
    return ceiling * (0.5 + chance / 2)


def postpone_ms(tries: int, chance: float) -> int:
    """Wait before a temporarily refused message is offered again: 1 s doubling to 30 s, +-20 %."""
    return round(min(30_000, 1_000 * (1 << min(tries - 1, 10))) * (0.8 + 0.4 * chance))


def callback_wait_ms(tries: int, waits_seconds: Sequence[int], jitter_percent: int, chance: float) -> int | None:
    """Wait after the `tries`-th failed try of a callback, or None when it was the last one (esms-api 3.2, P19).

    `waits_seconds` holds the wait before each try, the first (usually 0) included; its length is the number of tries.
    """
    if tries >= len(waits_seconds):
        return None
    spread = jitter_percent / 100
    return round(waits_seconds[tries] * 1000 * (1 - spread + 2 * spread * chance))
