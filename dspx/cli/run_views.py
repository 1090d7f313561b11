"""Runs, for people to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from dspx.cli.printing import (
    console,
    counted,
    print_facts,
    print_heading,
    print_table,
    print_text,
    short,
    visible,
)
from dspx.cli.run_report import Interval, Origin, PairedRuns, RunReport
from dspx.cli.state_views import flattened
from dspx.cli.times import ago, date, duration
from dspx.store import Rollout, Run

_CANDIDATES_SHOWN = 15


def show_runs(runs: Sequence[Run]) -> None:
    """One line per run."""
    columns = ["id", "kind~", "name~", "status", "score>", "gain>", "calls>", "cost>", "created", "tags~"]
    print_table("", columns, [_row(run) for run in runs], "No runs.")


def show_report(report: RunReport, *, everything: bool = False) -> None:
    """Status, best candidate, what it took, where candidates came from, what failed last."""
    run = report.run
    print_facts(_facts(report))
    if run.config:
        print_heading("config")
        print_facts(
            dict(flattened(run.config)) if isinstance(run.config, Mapping) else {"": short(run.config)}
        )
    if run.budget_spent:
        print_heading("spent")
        print_facts(spending(run.budget_spent))
    if report.candidate:
        print_heading(f"best candidate {(report.best_hash or '')[:8]}")
        print_facts({name: _value(value, everything) for name, value in report.candidate.items()})
    if report.origins:
        print_heading("candidates")
        _show_origins(report, everything)
    if report.failures:
        print_heading(f"last errors ({report.summary.errors} of {report.summary.rollouts} rollouts failed)")
        for rollout in report.failures:
            print_text(f"  {rollout.example_key[:12]}  {error_text(rollout.error)}", "red")


def show_comparison(paired: PairedRuns) -> None:
    """The verdict first, then the figures and what was asked for differently."""
    print_text(paired.verdict, "bold")
    if paired.difference is not None:
        print_facts(
            {
                paired.a.run.id: f"{paired.a_score:g}",
                paired.b.run.id: f"{paired.b_score:g}",
                "difference": f"{paired.difference:+g}{_between(paired.ci95, signed=True)}",
                "examples": f"{paired.n}: won {paired.wins}, lost {paired.losses}, tied {paired.ties}",
            }
        )
    if paired.differences:
        print_heading("asked for differently")
        rows = [(name, short(a, 40), short(b, 40)) for name, (a, b) in paired.differences.items()]
        print_table("", ["", paired.a.run.id, paired.b.run.id], rows, "")


def spending(spent: Any) -> dict[str, Any]:
    """What a run took, in its units."""
    if not isinstance(spent, Mapping):
        return {"spent": short(spent)}
    units = {"cost": lambda v: f"${v:.4f}", "seconds": duration}
    return {
        name.replace("_", " "): units[name](value) if name in units else f"{value:,}"
        for name, value in spent.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def error_text(error: Any) -> str:
    """An error as it was kept, in a line."""
    if isinstance(error, Mapping):
        kind, message = error.get("type") or error.get("kind"), error.get("message")
        if message is not None:
            return short(f"{kind}: {message}" if kind else message, 200)
    return short(error, 200)


# ---------------------------------------------------------------- pieces


def _row(run: Run) -> list[Any]:
    best = run.best if isinstance(run.best, Mapping) else {}
    spent = run.budget_spent if isinstance(run.budget_spent, Mapping) else {}
    gain = best.get("gain") if isinstance(best.get("gain"), Mapping) else {}
    points, cost = (gain or {}).get("points"), spent.get("cost")
    return [
        run.id,
        run.kind,
        run.name,
        run.status,
        best.get("score"),
        f"{points:+g}" if isinstance(points, (int, float)) else None,
        spent.get("lm_calls"),
        f"${cost:.4f}" if isinstance(cost, (int, float)) else None,
        ago(run.created),
        ", ".join(run.tags),
    ]


def _facts(report: RunReport) -> dict[str, Any]:
    run, summary = report.run, report.summary
    took = (run.finished - run.started) if run.finished and run.started else None
    return {
        "run": run.id,
        "kind": f"{run.kind} {run.name}".strip(),
        "status": run.status,
        "score": _score(report),
        "gain": _gain(report.best.get("gain")),
        "note": "nothing better than the program given was found"
        if report.best.get("kept_student")
        else None,
        "metric": run.metric,
        "seed": run.seed,
        "rollouts": f"{summary.rollouts}, of which {summary.errors} failed"
        if summary.errors
        else summary.rollouts,
        "asks": summary.asks or None,
        "created": date(run.created),
        "took": duration(took),
        "fork of": f"{run.parent} at {run.forked_at}" if run.parent else None,
        "dataset": run.dataset_hash[:12],
        "program": run.program_hash[:12],
        "tags": ", ".join(run.tags),
    }


def _score(report: RunReport) -> str | None:
    if report.score is None:
        return None
    examples = f" on {report.n} examples" if report.n else ""
    return f"{report.score:g}{_between(report.ci95)}{examples}"


def _gain(gain: Any) -> str | None:
    if not isinstance(gain, Mapping) or not isinstance(gain.get("points"), (int, float)):
        return None
    ci95 = gain.get("ci95")
    interval = _between((ci95[0], ci95[1]), signed=True) if isinstance(ci95, (list, tuple)) else ""
    before = f" over {gain['baseline']:g}" if isinstance(gain.get("baseline"), (int, float)) else ""
    return f"{gain['points']:+g} points{interval}{before}"


def _between(interval: Interval | None, *, signed: bool = False) -> str:
    if interval is None:
        return ""
    low, high = (f"{end:+g}" if signed else f"{end:g}" for end in interval)
    return f" (95 % sure: {low} to {high})"


def _value(value: Any, everything: bool) -> str:
    """Instructions as they are, lists (demos) by number unless all is wanted."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        lines = [counted(len(value), "demo"), *(short(item, 160) for item in value)]
        return "\n".join(lines) if everything else lines[0]
    return short(value, 160)


def _show_origins(report: RunReport, everything: bool) -> None:
    """A tree from parents to children: the best ones and those that lead to them, or all."""
    by_hash = {origin.hash: origin for origin in report.origins}
    shown = set(by_hash) if everything else _worth_showing(report, by_hash)
    children: dict[str | None, list[Origin]] = {}
    for origin in by_hash.values():
        if origin.hash in shown:
            parent = next((name for name in origin.parents if name in shown and name != origin.hash), None)
            children.setdefault(parent, []).append(origin)
    tree = Tree("", hide_root=True)
    placed: set[str] = set()
    _grow(tree, children, None, report.best_hash, placed)
    for origin in by_hash.values():  # a circle of parents hangs from nothing
        if origin.hash in shown and origin.hash not in placed:
            tree.add(_label(origin, report.best_hash))
    console().print(tree)
    if len(by_hash) > len(shown):
        print_text(f"… and {len(by_hash) - len(shown)} more (--all shows them)", "dim")


def _grow(
    tree: Tree,
    children: Mapping[str | None, list[Origin]],
    parent: str | None,
    best: str | None,
    placed: set[str],
) -> None:
    stack = [(tree, origin) for origin in reversed(children.get(parent, []))]
    while stack:
        branch, origin = stack.pop()
        if origin.hash in placed:
            continue
        placed.add(origin.hash)
        below = branch.add(_label(origin, best))
        stack += [(below, child) for child in reversed(children.get(origin.hash, []))]


def _worth_showing(report: RunReport, by_hash: Mapping[str, Origin]) -> set[str]:
    ranked = sorted(by_hash.values(), key=lambda o: -1.0 if o.score is None else o.score, reverse=True)
    wanted = [report.best_hash or "", *(origin.hash for origin in ranked[:_CANDIDATES_SHOWN])]
    shown: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in by_hash and name not in shown:
            shown.add(name)
            wanted += by_hash[name].parents[:1]
    return shown


def _label(origin: Origin, best: str | None) -> str:
    score = "not scored" if origin.score is None else f"{origin.score:g} on {origin.n}"
    also = f" with {', '.join(parent[:8] for parent in origin.parents[1:])}" if origin.parents[1:] else ""
    parts = [origin.hash[:8], score, origin.how + also, ", ".join(origin.changes)]
    text = escape(visible("  ".join(part for part in parts if part.strip())))
    return f"[bold green]{text}  ← best[/bold green]" if origin.hash == best else text


def failures_as_json(failures: Sequence[Rollout]) -> list[dict[str, Any]]:
    """Failed rollouts, for programs."""
    return [{"example": r.example_key, "candidate": r.candidate_hash, "error": r.error} for r in failures]
