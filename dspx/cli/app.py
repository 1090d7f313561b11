"""The commands, put together; and how a command ends.

Exit codes: 0 done (or: no difference), 1 a difference or a problem was found, 2 it could not be done.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from dspx.cli import cache, datasets, executions, files, programs, runs, sandbox, stores
from dspx.cli.failing import Commands, debugging
from dspx.version import __version__

app = typer.Typer(
    name="dspx",
    cls=Commands,
    help="Runs, programs and saved state, from the command line.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(runs.app, name="runs")
app.add_typer(programs.app, name="programs")
app.add_typer(executions.app, name="executions")
app.add_typer(datasets.app, name="datasets")
app.add_typer(stores.app, name="store")
app.command("diff")(files.diff)
app.command("show")(files.show)
app.add_typer(sandbox.app, name="sandbox")
app.add_typer(cache.app, name="cache")


def run(arguments: Sequence[str]) -> int:
    """Run a command line, `--debug` anywhere in it, and give its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # what was stored may be more than a terminal can show
    with debugging("--debug" in arguments):
        try:
            app([argument for argument in arguments if argument != "--debug"], standalone_mode=True)
        except SystemExit as ended:
            return _flushed(ended.code if isinstance(ended.code, int) else 2 if ended.code else 0)
    return 0


def _flushed(code: int) -> int:
    """What was printed is on its way; a reader that has gone (`dspx runs list | head`) is no failure."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"dspx {__version__}")
        raise typer.Exit


@app.callback()
def _root(  # pyright: ignore[reportUnusedFunction]
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="On an error, print the traceback too.")] = False,
) -> None:
    pass
