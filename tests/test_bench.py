"""The bench: what it promises to print, and that nothing is lost in it. Its figures are nobody's business here."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bench.keys import CLASSES, probe_keys, welch

ROOT = Path(__file__).resolve().parents[1]
MESSAGES = 200
FEW = ["--messages", str(MESSAGES), "--connections", "8", "--receipt-delay", "0.1"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the bench reads /proc")

WHOLE = {
    "accept_ms",
    "accept_per_s",
    "accepted",
    "bench_cpu_us",
    "callback_lost",
    "callbacks",
    "called_twice",
    "calls_astray",
    "connections",
    "cpu_us",
    "end_to_end_per_s",
    "idle_rss_mb",
    "lost",
    "messages",
    "peak_rss_mb",
    "pinned",
    "rate",
    "receipt_delay_s",
    "receipts_put_off",
    "receipts_taken",
    "refused",
    "runs_cpu_us",
    "sent_twice",
    "submit_per_s",
    "tell_ms",
    "window",
}
NONE_OF = ("refused", "lost", "sent_twice", "callback_lost", "called_twice", "calls_astray")


def bench(*words: str) -> tuple[str, dict[str, Any]]:
    """Run the bench as a person does: what it printed, and its JSON line, which comes last."""
    done = subprocess.run([sys.executable, "-m", "bench", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return done.stdout, result


def test_the_bench_prints_every_figure_and_loses_nothing(tmp_path: Path) -> None:
    """Numbers that are kept and compared must not change their names, and a run that loses messages proves nothing."""
    file = tmp_path / "figures.json"
    printed, result = bench(*FEW, "--iterations", "200", "--rounds", "1", "--json", str(file))
    assert {*WHOLE, "stages"} == set(result)
    assert result["accepted"] == result["receipts_taken"] == MESSAGES
    assert [result[fault] for fault in NONE_OF] == [0] * len(NONE_OF)
    assert set(result["cpu_us"]) == {"whole", "loop", "writer", "other", "kernel"}
    assert json.loads(file.read_text("utf-8")) == result
    for stage in result["stages"]:
        assert stage["us"] >= 0
        assert stage["name"] in printed


def test_the_budgets_of_the_stages_add_up_to_the_budget_of_a_message() -> None:
    """A stage that is left out, or counted twice, would hide what a message costs."""
    _, result = bench("stages", "--iterations", "100", "--rounds", "1")
    assert sum(stage["budget"] for stage in result["stages"] if not stage["part"]) == 160


def test_requests_without_a_callback_bring_none() -> None:
    """The budget without callbacks is held apart, so it must be measurable apart."""
    _, result = bench("whole", *FEW, "--no-callbacks")
    assert result["accepted"] == result["receipts_taken"] == MESSAGES
    assert not result["callbacks"]
    assert result["tell_ms"] == {"p50": 0.0, "p99": 0.0}


def test_a_profile_names_the_functions_of_the_gateway() -> None:
    """The profile is of the loop's thread, from the first request on."""
    _, result = bench("profile", *FEW, "--top", "500")
    assert any(row["where"].startswith("src/bocau/accept/") for row in result["profile"])


def test_welch_tells_a_shift_from_noise() -> None:
    """A known value; the sign names the slower one; equal samples without spread differ by nothing."""
    assert welch([1, 2, 3, 4, 5], [2, 3, 4, 5, 6]) == pytest.approx(-1.0)
    assert welch([2, 3, 4, 5, 6], [1, 2, 3, 4, 5]) == pytest.approx(1.0)
    assert welch([7, 7], [7, 7]) == 0
    assert welch([8, 8], [7, 7]) == float("inf")


def test_the_four_classes_of_wrong_keys_are_timed_against_each_other() -> None:
    """Every pair has a figure; whether they leak is for a long run to say, on a quiet machine."""
    probe = asyncio.run(probe_keys(50, None))
    assert set(probe.microseconds) == set(CLASSES)
    assert len(probe.pairs) == 6


def test_questions_are_asked_in_a_store_that_has_grown() -> None:
    """Each has a line and a figure; a small store is enough to see that it works."""
    printed, result = bench("questions", "--rows", "3000", "--rounds", "1")
    assert len(result["questions"]) == 11
    for one in result["questions"]:
        assert one["name"] in printed
        assert 0 <= one["loop_ms"] <= one["ms"] + 1
