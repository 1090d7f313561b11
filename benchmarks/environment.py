"""Where DSPy lives: an environment of its own, made on first use, so that nothing of it mixes with ours."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

VARIABLE = "DSPX_BENCH_DSPY_PYTHON"
VERSION = "3.4.1"
ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv-dspy"


def dspy_python() -> str:
    """An interpreter that has DSPy: the one the variable names, else `.venv-dspy`, made when it is missing."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    python = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (FOLDER / ".installed").exists():
        _install(python)
    return str(python)


OPTIMIZING = ("optuna>=4", "gepa==0.1.4")
"""What DSPy's optimizers need besides DSPy."""


def optimizing_python() -> str:
    """An interpreter that has DSPy and what its optimizers need, which is added to `.venv-dspy` when it is missing."""
    python = dspy_python()
    found = subprocess.run([python, "-c", "import optuna, gepa"], stderr=subprocess.DEVNULL, check=False)
    if found.returncode:
        if os.environ.get(VARIABLE):
            sys.exit(f"DSPy's optimizers need {' and '.join(OPTIMIZING)} in the environment of {python}.")
        subprocess.run([python, "-m", "pip", "install", "--quiet", *OPTIMIZING], check=True)
    return python


def _install(python: Path) -> None:
    print(f"Installing dspy=={VERSION} into {FOLDER.name} (once; about 300 MB) …", file=sys.stderr)
    venv.create(FOLDER, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, f"dspy=={VERSION}"], check=True)
    (FOLDER / ".installed").touch()
