"""`dspx diff` and `dspx show`: saved programs, straight from their files."""

from __future__ import annotations

from typing import Annotated

import typer

from dspx.cli.printing import JsonOption, print_json
from dspx.cli.state_views import diff_as_json, show_diff, show_state, state_as_json
from dspx.core.state import read
from dspx.core.state_diff import diff_states

_File = Annotated[str, typer.Argument(metavar="FILE", help="A program saved by program.save('….json').")]


def show(
    file: _File,
    demos: Annotated[bool, typer.Option("--demos", help="Show all demos.")] = False,
    json: JsonOption = False,
) -> None:
    """Show a saved program: where it came from, its leaves, instructions and demos."""
    saved = read(file)
    if json:
        print_json(state_as_json(saved))
    else:
        show_state(saved, file, all_demos=demos)


def diff(a: _File, b: _File, json: JsonOption = False) -> None:
    """Show what differs between two saved programs. Exit code 0: the same; 1: they differ; 2: an error."""
    found = diff_states(read(a), read(b))
    if json:
        print_json(diff_as_json(found))
    else:
        show_diff(found, a, b)
    raise typer.Exit(1 if found else 0)
