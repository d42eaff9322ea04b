"""What a person reads: figures in columns."""

from collections.abc import Sequence
from typing import Any

from bench.keys import Probe
from bench.profiling import Spent
from bench.questions import Asked
from bench.stage import Stage

__all__ = ["call_table", "key_table", "profile_table", "question_table", "stage_table", "whole_table"]

_OVER = "above"


def whole_table(result: dict[str, Any]) -> str:
    """The end-to-end run."""
    cpu, accept, tell = result["cpu_us"], result["accept_ms"], result["tell_ms"]
    where = "gateway alone on its core" if result["pinned"] else "not pinned"
    rows = [
        ("messages", f"{result['accepted']} accepted, {result['refused']} refused, {result['lost']} lost"),
        ("", f"{result['sent_twice']} sent twice, {result['callback_lost']} callbacks lost"),
        ("CPU per message", f"{cpu['whole']} us   of it in the kernel {cpu['kernel']} us   ({where})"),
        ("  by thread", f"loop {cpu['loop']} us, writer {cpu['writer']} us, others {cpu['other']} us"),
        ("of this bench", f"{result['bench_cpu_us']} us: load, carrier and sink together"),
        ("accepted", f"{result['accept_per_s']} a second; p50 {accept['p50']} ms, p99 {accept['p99']} ms"),
        ("end to end", f"{result['end_to_end_per_s']} a second"),
        ("receipt to callback", f"p50 {tell['p50']} ms, p99 {tell['p99']} ms"),
        ("memory", f"{result['idle_rss_mb']} MB idle, {result['peak_rss_mb']} MB at the peak"),
    ]
    if len(result["runs_cpu_us"]) > 1:
        rows.insert(3, ("  all runs", ", ".join(f"{us}" for us in result["runs_cpu_us"]) + " us"))
    title = f"end to end: {result['connections']} connections, window {result['window']}"
    title += f", {result['rate']:g} a second offered" if result["rate"] else ", as fast as it goes"
    return "\n".join([title, *(f"  {name:<21}{text}" for name, text in rows)])


def stage_table(stages: Sequence[Stage]) -> str:
    """Stages beside their budgets; those above are flagged."""
    rows = [(f"{'  ' if one.part else ''}{one.name}", one.us, one.budget, _OVER if one.above else "") for one in stages]
    whole = [one for one in stages if not one.part]
    budget, spent = sum(one.budget or 0 for one in whole), round(sum(one.us for one in whole), 1)
    rows.append(("sum", spent, budget, _OVER if spent > budget else ""))
    lines = [f"  {'stage':<52}{'CPU us':>9}{'budget':>9}"]
    lines += [
        f"  {name:<52}{us:>9.1f}{'' if limit is None else f'{limit:g}':>9}  {flag}" for name, us, limit, flag in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def call_table(result: dict[str, Any]) -> str:
    """The run of calls, beside what is wanted of it."""
    heard, gap = result["heard"], result["heard"]["gap_ms"]
    quiet, busy = result["accept_quiet_ms"], result["accept_busy_ms"]
    rows = [
        ("calls", f"{result['asked']} asked for, {heard['hung_up']} spoken to the end, {heard['at_once']} at once"),
        ("", f"as they were recorded: {', '.join(f'{n} {status}' for status, n in result['ended'].items())}"),
        ("CPU of the worker", f"{result['cpu_ms_per_call_second']} ms for a second of a call (wanted: 1.5 at most)"),
        ("  of the gateway", f"{result['gateway_cpu_s']} s in all, beside {result['worker_cpu_s']} s of the worker"),
        (
            "gaps between packets",
            f"p50 {gap['p50']} ms, p99 {gap['p99']} ms, p99.9 {gap['p99.9']} ms, most {gap['max']} ms",
        ),
        ("", f"(wanted: p99 below 40) over {heard['packets']} packets, {heard['lost']} lost"),
        ("", f"the far end's own pace, for comparison: p99 {heard['own_tick_p99_ms']} ms between ticks of 20"),
        ("accepting a text", f"p50 {quiet['p50']} ms, p99 {quiet['p99']} ms without calls"),
        ("", f"p50 {busy['p50']} ms, p99 {busy['p99']} ms beside them (wanted: not doubled)"),
    ]
    title = f"{result['calls']} calls by one worker, {result['text_rate']:g} texts a second beside them"
    return "\n".join([title, *(f"  {name:<21}{text}" for name, text in rows)])


def profile_table(spent: Sequence[Spent]) -> str:
    """Functions by own time."""
    lines = [f"  {'own us':>8}{'with calls':>12}{'calls':>9}  per message, of the loop's thread, under the profiler"]
    lines += [f"  {one.own_us:>8.2f}{one.whole_us:>12.2f}{one.calls:>9.2f}  {one.where}" for one in spent]
    return "\n".join(lines)


def key_table(probe: Probe) -> str:
    """Classes of wrong keys, and whether their times differ."""
    lines = [f"  {'class':<40}{'us':>9}"]
    lines += [f"  {name:<40}{us:>9.2f}" for name, us in probe.microseconds.items()]
    lines += ["", f"  {'against each other':<40}{'Welch t':>9}"]
    lines += [f"  {f'{p.one}, {p.other}':<40}{p.t:>9.2f}{'  above' if p.above else ''}" for p in probe.pairs]
    return "\n".join(lines)


def question_table(asked: Sequence[Asked]) -> str:
    """Questions and what they cost."""
    lines = [f"  {'question':<52}{'CPU ms':>9}{'at once':>9}"]
    lines += [f"  {one.name:<52}{one.ms:>9.2f}{one.loop_ms:>9.2f}" for one in asked]
    return "\n".join(lines)
