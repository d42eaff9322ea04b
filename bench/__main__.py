"""`python -m bench`: CPU per message by stage and end to end, for people as tables, for programs as one JSON line."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import uvloop

from bench.calls import BrokenCalls, CallOptions, measure_calls
from bench.keys import LEAKS_FROM, probe_keys
from bench.process import Cores, choose_cores, pin
from bench.profiling import profile_loop
from bench.questions import measure_questions
from bench.stage import Effort, Stage
from bench.stages import measure_stages
from bench.table import call_table, key_table, profile_table, question_table, stage_table, whole_table
from bench.whole import Broken, Options, measure

__all__ = ["main"]


def main(words: list[str] | None = None) -> int:
    """Run the command line. Returns the exit code: 1 if a run came to nothing or keys leak, 2 if it lost a message."""
    given = _parser().parse_args(words)
    if sys.platform != "linux":
        print("the bench reads CPU time from /proc and needs Linux", file=sys.stderr)
        return 1
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            result = runner.run(_COMMANDS[given.command](given, choose_cores()))
        except (Broken, BrokenCalls) as broken:
            print(broken, file=sys.stderr)
            return 1
    line = json.dumps(result)
    print(line)
    if given.json is not None:
        given.json.write_text(f"{line}\n", "utf-8")
    if any(abs(pair["t"]) >= LEAKS_FROM for pair in result.get("welch", ())):
        return 1
    return (
        2
        if result.get("lost") or result.get("lost_calls") or result.get("sent_twice") or result.get("callback_lost")
        else 0
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    add = parser.add_argument
    add("command", nargs="?", choices=sorted(_COMMANDS), default="all", help="all (the default): whole, then stages")
    add("--messages", type=_count, default=20_000)
    add("--connections", type=_count, default=64, help="HTTP connections, one request at a time on each")
    add("--receipt-delay", type=float, default=1.0, metavar="SECONDS", help="from the submit to its receipt")
    add("--no-callbacks", action="store_true", help="requests without a CallbackUrl")
    add("--window", type=_count, default=64, help="submits without an answer")
    add("--rate", type=float, default=0.0, help="messages offered a second; 0: as many as the connections take")
    add("--repeat", type=_count, default=1, help="runs; the one with the least CPU is shown")
    add("--iterations", type=_count, default=20_000, help="of each stage, in each round")
    add("--rounds", type=_count, default=3, help="of each stage; the least counts")
    add("--calls", type=_count, default=200, help="calls at once")
    add("--rows", type=_count, default=1_000_000, help="messages in the store that questions are put to")
    add("--top", type=_count, default=30, help="functions of a profile")
    add("--folder", type=Path, help="where stores are made; else the place for temporary files")
    add("--json", type=Path, metavar="FILE", help="write the JSON line here too")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _options(given: argparse.Namespace) -> Options:
    return Options(
        given.messages,
        min(given.connections, given.messages),
        given.receipt_delay,
        not given.no_callbacks,
        given.window,
        given.rate,
        given.folder,
    )


async def _whole(given: argparse.Namespace, cores: Cores) -> dict[str, Any]:
    """The run with the least CPU of all."""
    runs = [await measure(_options(given), cores) for _ in range(given.repeat)]
    result = min(runs, key=lambda run: float(run["cpu_us"]["whole"]))
    for fault in ("refused", "lost", "sent_twice", "callback_lost", "called_twice", "calls_astray"):
        result[fault] = max(run[fault] for run in runs)  # a fault of any run is a fault
    result["runs_cpu_us"] = [run["cpu_us"]["whole"] for run in runs]
    print(whole_table(result), end="\n\n")
    return result


async def _stages(given: argparse.Namespace, cores: Cores) -> dict[str, Any]:
    stages = await measure_stages(Effort(given.iterations, given.rounds), cores, given.folder)
    print(stage_table(stages), end="\n\n")
    return {"stages": [_row(one) for one in stages]}


def _row(stage: Stage) -> dict[str, Any]:
    return {**stage._asdict(), "above": stage.above}


async def _all(given: argparse.Namespace, cores: Cores) -> dict[str, Any]:
    return {**await _whole(given, cores), **await _stages(given, cores)}


async def _profile(given: argparse.Namespace, cores: Cores) -> dict[str, Any]:
    result, spent = await profile_loop(_options(given), cores, given.top)
    print(profile_table(spent), end="\n\n")
    return {**result, "profile": [one._asdict() for one in spent]}


async def _questions(given: argparse.Namespace, _: Cores) -> dict[str, Any]:
    asked = await measure_questions(given.rows, given.rounds, given.folder)
    print(question_table(asked), end="\n\n")
    return {"questions": [one._asdict() for one in asked]}


async def _keys(given: argparse.Namespace, cores: Cores) -> dict[str, Any]:
    pin(cores.gateway)
    probe = await probe_keys(given.iterations, given.folder)
    print(key_table(probe), end="\n\n")
    return {"keys_us": probe.microseconds, "welch": [pair._asdict() for pair in probe.pairs]}


async def _calls(given: argparse.Namespace, _: Cores) -> dict[str, Any]:
    result = await measure_calls(CallOptions(given.calls, given.rate or 100.0, given.folder))
    print(call_table(result), end="\n\n")
    return result


_COMMANDS = {
    "calls": _calls,
    "keys": _keys,
    "all": _all,
    "whole": _whole,
    "stages": _stages,
    "profile": _profile,
    "questions": _questions,
}

if __name__ == "__main__":
    sys.exit(main())
