"""Programs that run in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def start(code: str, *arguments: object, **environment: str | None) -> subprocess.Popen[str]:
    """Python at work on `code`, which finds `arguments` in sys.argv[1:]. A variable that is None is unset."""
    variables: dict[str, str] = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name, value in environment.items():
        if value is None:
            variables.pop(name, None)
        else:
            variables[name] = value
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=variables,
        cwd=ROOT,
    )


def output_of(process: subprocess.Popen[str], seconds: float = 60.0) -> str:
    """What it printed; it has to end well and to say nothing on stderr."""
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    assert not err, err
    return out.strip()
