"""The command line: `dspx runs list`, `dspx diff a.json b.json`, `dspx --help`."""

from __future__ import annotations

import sys

_NEEDED = ("click", "rich", "shellingham", "typer")


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    try:
        from dspx.cli.app import run
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in _NEEDED:
            raise
        print(f'dspx: the command line needs {name}: pip install "dspx[cli]"', file=sys.stderr)
        sys.exit(2)
    sys.exit(run(sys.argv[1:]))
