"""The code sandbox: CPU time, of the guest and of this process, to start one and to run code in it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from benchmarks.cases import AtMost, case
from benchmarks.side import Side


def _cpu(pid: int) -> float:
    """Seconds of CPU that the guest and this process have used; wall time where /proc does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return time.perf_counter()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + time.process_time()


def _sandbox(side: Side) -> Any:
    def make() -> Any:
        made = side.api.PythonInterpreter(tools={"add": lambda a, b: a + b})
        made.execute("add(1, 1)")
        return made

    return side.once("sandbox", make)


def _per_execution(side: Side, code: str) -> float:
    sandbox = _sandbox(side)
    pid = sandbox._guest.pid
    count = side.pick(300, 100, 3)
    before = _cpu(pid)
    for number in range(count):
        sandbox.execute(code, {"n": number})
    return (_cpu(pid) - before) / count


@case(
    "sandbox.start", "start a code sandbox and run `1 + 1` (CPU)", target=AtMost(1.2), heavy=True, dspy=False
)
def start(side: Side) -> float:
    _sandbox(side)  # so that the snapshot is there
    own = time.process_time()
    with side.api.PythonInterpreter() as sandbox:
        sandbox.execute("1 + 1")
        return _cpu(sandbox._guest.pid) - own


@case(
    "sandbox.execute",
    "  run one line in it",
    full_title="run one line in a code sandbox (CPU)",
    target=AtMost(0.010),
    dspy=False,
)
def execute(side: Side) -> float:
    return _per_execution(side, "n + 1")


@case(
    "sandbox.tool",
    "  with a call of a tool",
    full_title="run one line with a call of a tool in a code sandbox (CPU)",
    target=AtMost(0.010),
    dspy=False,
)
def tool(side: Side) -> float:
    return _per_execution(side, "add(n, 1)")
