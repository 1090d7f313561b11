"""The command line: `dspx runs list`, `dspx diff a.json b.json`, `dspx --help`."""

from __future__ import annotations

import sys

_NEEDED = ("click", "rich", "shellingham", "typer")


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    try:
        from dspx.cli.app import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        print(f'dspx: the command line needs {error.name}: pip install "dspx[cli]"', file=sys.stderr)
        sys.exit(2)
    sys.exit(run(sys.argv[1:]))
