"""`dspx executions`: single calls of programs, and how they went together."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from dspx.cli.opening import DEFAULT, StoreOption, opened
from dspx.cli.printing import (
    JsonOption,
    print_facts,
    print_heading,
    print_json,
    print_table,
    print_text,
    short,
)
from dspx.cli.run_views import error_text
from dspx.cli.state_views import flattened
from dspx.cli.times import ago, date, duration, moment
from dspx.store import Execution, ExecutionSummary

app = typer.Typer(help="Calls of programs that were kept: what went in, what came out.", no_args_is_help=True)

_Program = Annotated[str | None, typer.Option(help="Only of this program.")]
_ProgramVersion = Annotated[int | None, typer.Option("--program-version", help="Only of this version of it.")]
_Since = Annotated[str | None, typer.Option(metavar="TIME", help="Only since then: 2h, 7d, 2026-01-31.")]
_Session = Annotated[str | None, typer.Option(help="Only of this session.")]
_Of = Annotated[str | None, typer.Option("--run", help="Only of this run.")]


@app.command("list")
def list_executions(
    program: _Program = None,
    version: _ProgramVersion = None,
    status: Annotated[
        Literal["pending", "running", "completed", "failed"] | None, typer.Option(help="Only in this status.")
    ] = None,
    since: _Since = None,
    session: _Session = None,
    run: _Of = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    store: StoreOption = DEFAULT,
    json: JsonOption = False,
) -> None:
    """List executions, the newest first."""
    with opened(store) as kept:
        found = kept.executions.query(
            program=program,
            version=version,
            status=status,
            since=moment(since),
            session=session,
            run=run,
            limit=limit,
        )
    if json:
        print_json(found)
        return
    columns = ["id", "program", "status", "took>", "cost>", "started", "inputs~", "outputs~"]
    print_table("", columns, [_row(one) for one in found], "No executions.")


@app.command("show")
def show_execution(
    id: Annotated[str, typer.Argument(metavar="ID")], store: StoreOption = DEFAULT, json: JsonOption = False
) -> None:
    """Show one execution, and those within it."""
    with opened(store) as kept:
        found = kept.executions.find(id)
        within = kept.executions.query(parent_id=id, limit=None)
    if json:
        print_json({"execution": found, "within": within})
        return
    print_facts(_facts(found))
    for title, value in (("inputs", found.inputs), ("outputs", found.outputs)):
        if value is not None:
            print_heading(title)
            print_facts(value if isinstance(value, dict) else {"": short(value, 2_000)})
    if found.error is not None:
        print_heading("error")
        print_text(error_text(found.error), "red")
    if within:
        print_heading("within it")
        for one in reversed(within):
            print_text(f"  {one.module or one.id}  {one.status}  {duration(one.duration) or ''}  {one.id}")


@app.command("stats")
def stats(
    program: _Program = None,
    version: _ProgramVersion = None,
    since: _Since = None,
    session: _Session = None,
    run: _Of = None,
    store: StoreOption = DEFAULT,
    json: JsonOption = False,
) -> None:
    """Success rate, latency and cost."""
    with opened(store) as kept:
        found = kept.executions.summary(
            program=program, version=version, since=moment(since), session=session, run=run
        )
    if json:
        print_json(found)
    else:
        print_facts(_summary(found))


def _program_of(execution: Execution) -> str | None:
    if execution.program is None:
        return execution.module or None
    return execution.program + (f" {execution.program_version}" if execution.program_version else "")


def _row(execution: Execution) -> list[Any]:
    return [
        execution.id,
        _program_of(execution),
        execution.status,
        duration(execution.duration),
        None if execution.cost is None else f"${execution.cost:.4f}",
        ago(execution.started),
        _in_a_line(execution.inputs),
        _in_a_line(execution.outputs if execution.error is None else error_text(execution.error)),
    ]


def _in_a_line(value: Any) -> str | None:
    return None if value is None else short(value, 60)


def _facts(execution: Execution) -> dict[str, Any]:
    usage = execution.usage if isinstance(execution.usage, dict) else {}
    return {
        "execution": execution.id,
        "program": _program_of(execution),
        "module": execution.module,
        "signature": execution.signature,
        "status": execution.status,
        "started": date(execution.started),
        "took": duration(execution.duration),
        "cost": None if execution.cost is None else f"${execution.cost:.4f}",
        "usage": ", ".join(f"{name} {value}" for name, value in flattened(usage)),
        "route": execution.route,
        "session": execution.session,
        "run": execution.run,
        "within": execution.parent_id,
        "trace id": execution.trace_id,
        "tags": ", ".join(execution.tags),
    }


def _summary(found: ExecutionSummary) -> dict[str, Any]:
    rate = found.success_rate
    return {
        "executions": found.executions,
        "completed": found.completed,
        "failed": found.failed,
        "success rate": None if rate is None else f"{100 * rate:.1f} %",
        "took, half of them": duration(found.p50),
        "took, 95 %": duration(found.p95),
        "took, 99 %": duration(found.p99),
        "cost": None if found.cost is None else f"${found.cost:.4f}",
    }
