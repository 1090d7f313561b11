"""`dspx runs`: list, show, compare, fork, export, import, prune."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from dspx.cli.opening import DEFAULT, StoreOption, opened
from dspx.cli.printing import JsonOption, counted, print_json, print_text
from dspx.cli.run_report import PairedRuns, RunReport, compare_runs, find_run, read_report
from dspx.cli.run_views import failures_as_json, show_comparison, show_report, show_runs
from dspx.cli.times import moment

app = typer.Typer(help="Optimizations and evaluations, as kept in a store.", no_args_is_help=True)

_Run = Annotated[str, typer.Argument(metavar="RUN", help="Its id, or enough of its beginning.")]
_Kind = Annotated[Literal["study", "evaluation"] | None, typer.Option(help="Only runs of this kind.")]
_Status = Annotated[
    Literal["pending", "running", "completed", "failed", "interrupted"] | None,
    typer.Option(help="Only runs in this status."),
]
_Name = Annotated[str | None, typer.Option(help="Only runs of this name (an optimizer's, say).")]
_Since = Annotated[str | None, typer.Option(metavar="TIME", help="Only since then: 2h, 7d, 2026-01-31.")]


@app.command("list")
def list_runs(
    store: StoreOption = DEFAULT,
    kind: _Kind = None,
    status: _Status = None,
    name: _Name = None,
    tag: Annotated[str | None, typer.Option(help="Only runs with this tag.")] = None,
    since: _Since = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    json: JsonOption = False,
) -> None:
    """List runs, the newest first."""
    with opened(store) as kept:
        found = kept.runs.find_all(
            kind=kind, status=status, name=name, tag=tag, since=moment(since), limit=limit
        )
    if json:
        print_json(found)
    else:
        show_runs(found)


@app.command("show")
def show_run(
    run: _Run,
    store: StoreOption = DEFAULT,
    everything: Annotated[
        bool, typer.Option("--all", help="All candidates, and the best one's demos.")
    ] = False,
    errors: Annotated[int, typer.Option(min=0, help="How many of the last errors to show.")] = 5,
    json: JsonOption = False,
) -> None:
    """Show what a run was asked for, what it found, what that took, and what failed."""
    with opened(store) as kept:
        report = read_report(kept, find_run(kept, run), errors=errors)
    if json:
        print_json(_report_as_json(report))
    else:
        show_report(report, everything=everything)


@app.command("compare")
def compare(
    a: _Run,
    b: _Run,
    store: StoreOption = DEFAULT,
    everything: Annotated[
        bool, typer.Option("--all", help="Average over all candidates instead of comparing the best ones.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Compare the best candidates of two runs on the examples that both ran, paired."""
    with opened(store) as kept:
        paired = compare_runs(kept, find_run(kept, a), find_run(kept, b), all_candidates=everything)
    if json:
        print_json(_paired_as_json(paired))
    else:
        show_comparison(paired)


@app.command("fork")
def fork(
    run: _Run,
    at: Annotated[
        int | None,
        typer.Option(metavar="N", help="Keep its first N rollouts and asks; all of them if left out."),
    ] = None,
    id: Annotated[
        str | None, typer.Option("--id", help="The id of the new run; made up if left out.")
    ] = None,
    store: StoreOption = DEFAULT,
    json: JsonOption = False,
) -> None:
    """Begin a new run from what had happened in one by then. Its id goes to an optimizer as run_id=."""
    with opened(store) as kept:
        made = kept.runs.fork(find_run(kept, run).id, at=at, new_id=id)
    if json:
        print_json(made)
    else:
        print(made.id)


@app.command("export")
def export(
    run: _Run,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to; - is the standard output.")] = "-",
    store: StoreOption = DEFAULT,
) -> None:
    """Write a run as lines of JSON: itself, its candidates, rollouts and asks."""
    with opened(store) as kept:
        found = find_run(kept, run)
        if file == "-":
            for line in kept.runs.export(found.id):
                sys.stdout.write(line + "\n")
            return
        written = sum(1 for _ in kept.runs.export(found.id, file))
    print_text(f"{found.id}: {written} lines in {file}")


@app.command("import")
def import_run(
    file: Annotated[str, typer.Argument(metavar="FILE", help="What export wrote; - is the standard input.")],
    id: Annotated[str | None, typer.Option("--id", help="Another id for it.")] = None,
    create: Annotated[bool, typer.Option("--create", help="Make the store if there is none.")] = False,
    store: StoreOption = DEFAULT,
) -> None:
    """Read a run that export wrote: all of it or nothing."""
    source: Any = sys.stdin if file == "-" else Path(file)
    with opened(store, create=create) as kept:
        print(kept.runs.import_(source, new_id=id).id)


@app.command("prune")
def prune(
    runs: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="Only these.")] = None,
    before: Annotated[str | None, typer.Option(metavar="TIME", help="Only older: 30d, 2026-01-31.")] = None,
    status: _Status = None,
    name: _Name = None,
    keep: Annotated[int, typer.Option(min=0, help="Except so many of the newest.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    store: StoreOption = DEFAULT,
) -> None:
    """Remove the runs that meet all conditions. A run that a process works on stays."""
    with opened(store) as kept:
        ids = [find_run(kept, run).id for run in runs] if runs else None
        asked: dict[str, Any] = {"before": moment(before), "status": status, "name": name, "keep": keep}
        doomed = kept.runs.prune(ids, **asked, dry_run=True)
        for run_id in doomed:
            print(run_id)
        if dry_run or not doomed:
            print_text(
                f"{counted(len(doomed), 'run')} would be removed."
                if doomed
                else "No run meets all conditions."
            )
            return
        if not yes:
            typer.confirm(f"Remove {counted(len(doomed), 'run')} with all rollouts?", abort=True, err=True)
        removed = kept.runs.prune(doomed)
    print_text(f"{counted(len(removed), 'run')} removed.")


def _report_as_json(report: RunReport) -> dict[str, Any]:
    summary = report.summary
    return {
        "run": report.run,
        "best": {
            "hash": report.best_hash,
            "candidate": report.candidate,
            "score": report.score,
            "ci95": report.ci95,
            "n": report.n,
            "gain": report.best.get("gain"),
        },
        "rollouts": summary.rollouts,
        "errors": summary.errors,
        "asks": summary.asks,
        "last_place": summary.last_sequence,
        "cost": {"rollouts": summary.rollout_cost, "asks": summary.ask_cost},
        "seconds": summary.seconds,
        "candidates": report.origins,
        "last_errors": failures_as_json(report.failures),
    }


def _paired_as_json(paired: PairedRuns) -> dict[str, Any]:
    names = ("n", "a_score", "b_score", "difference", "ci95", "p_value", "wins", "losses", "ties", "verdict")
    differences = {name: {"a": a, "b": b} for name, (a, b) in paired.differences.items()}
    sides = {"a": paired.a.run.id, "b": paired.b.run.id}
    return {**sides, **{name: getattr(paired, name) for name in names}, "differences": differences}
