"""`dspx programs`: list, show, diff, and their lifecycle: promote, rollback, archive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import typer

from dspx.cli.opening import DEFAULT, StoreOption, opened
from dspx.cli.printing import JsonOption, print_facts, print_json, print_table, print_text, short
from dspx.cli.state_views import diff_as_json, show_diff, show_state
from dspx.cli.times import date
from dspx.core.state import SavedState, saved_state
from dspx.core.state_diff import diff_states
from dspx.errors import StateError
from dspx.store import ProgramVersion

app = typer.Typer(help="Programs by name and version, and which one is in production.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(metavar="NAME")]
_Version = Annotated[int, typer.Argument(metavar="VERSION", min=1)]


@app.command("list")
def list_programs(
    name: Annotated[str | None, typer.Option(help="Only versions of this program.")] = None,
    status: Annotated[
        Literal["draft", "optimizing", "production", "archived"] | None,
        typer.Option(help="Only in this status."),
    ] = None,
    store: StoreOption = DEFAULT,
    json: JsonOption = False,
) -> None:
    """List programs, version by version."""
    with opened(store) as kept:
        found = kept.programs.find_all(name, status=status)
    if json:
        print_json(found)
        return
    rows = [(p.name, p.version, p.status, p.parent, date(p.created), ", ".join(p.tags)) for p in found]
    columns = ["name", "version>", "status", "made from>", "created", "tags~"]
    print_table("", columns, rows, "No programs.")


@app.command("show")
def show_program(
    name: _Name,
    version: Annotated[int | None, typer.Option(min=1, help="Left out: production, else the latest.")] = None,
    demos: Annotated[bool, typer.Option("--demos", help="Show all demos.")] = False,
    store: StoreOption = DEFAULT,
    json: JsonOption = False,
) -> None:
    """Show a version: its status, its leaves, instructions and demos."""
    with opened(store) as kept:
        found = kept.programs.find(name, version) if version else None
        found = found or kept.programs.production(name) or kept.programs.find(name)
    if json:
        print_json(found)
        return
    print_facts(_facts(found))
    try:
        show_state(_state_of(found), f"\n{found.name} version {found.version}", all_demos=demos)
    except StateError:
        print_text(short(found.state, 2_000))


@app.command("diff")
def diff(
    name: _Name, a: _Version, b: _Version, store: StoreOption = DEFAULT, json: JsonOption = False
) -> None:
    """Show what differs between two versions. Exit code 0: the same; 1: they differ; 2: an error."""
    with opened(store) as kept:
        first, second = kept.programs.find(name, a), kept.programs.find(name, b)
    found = diff_states(_state_of(first), _state_of(second))
    if json:
        print_json(diff_as_json(found))
    else:
        show_diff(found, f"{name} version {a}", f"{name} version {b}")
    raise typer.Exit(1 if found else 0)


@app.command("promote")
def promote(name: _Name, version: _Version, store: StoreOption = DEFAULT) -> None:
    """Bring a version into production. The one there is archived."""
    with opened(store) as kept:
        moved = kept.programs.promote(name, version)
    instead = f", in place of version {moved.succeeded}" if moved.succeeded else ""
    print_text(f"{name} version {version} is in production{instead}.")


@app.command("rollback")
def rollback(name: _Name, store: StoreOption = DEFAULT) -> None:
    """Bring back the version that the one in production took over from."""
    with opened(store) as kept:
        before = kept.programs.production(name)
        back = kept.programs.rollback(name)
    gone = f"; version {before.version} is archived" if before else ""
    print_text(f"{name} version {back.version} is in production again{gone}.")


@app.command("archive")
def archive(name: _Name, version: _Version, store: StoreOption = DEFAULT) -> None:
    """Put a version away for good. Archiving the one in production leaves none there."""
    with opened(store) as kept:
        kept.programs.move(name, version, "archived")
    print_text(f"{name} version {version} is archived.")


def _facts(program: ProgramVersion) -> dict[str, object]:
    return {
        "status": program.status,
        "made from": f"version {program.parent}" if program.parent else None,
        "took over from": f"version {program.succeeded}" if program.succeeded else None,
        "created": date(program.created),
        "tags": ", ".join(program.tags),
    }


def _state_of(program: ProgramVersion) -> SavedState:
    where = f"{program.name} version {program.version}"
    if not isinstance(program.state, Mapping):
        raise StateError(f"{where} holds a {type(program.state).__name__}, not a program's state.")
    return saved_state(program.state, where)
