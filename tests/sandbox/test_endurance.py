"""Much code, for long, and side by side."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from dspx.errors import CodeExecutionError, SandboxError
from dspx.runtime.bridge import run
from dspx.runtime.fanout import fan_out
from dspx.sandbox import PythonInterpreter
from dspx.sandbox.install import Installation

HOSTILE = [
    "raise {error}({number})",
    "raise {error}",
    "import sys\nsys.exit({number})",
    "import os\nos._exit({number})",
    "import os\nos.abort()",
    "{number} / 0",
    "[][{number}]",
    "def f(): f()\nf()",
    "'x' * {number} * 10**9",
    "print('{{' * {number})\n{{}}['missing']",
    "import os\nos.write(1, b'{{\"jsonrpc\": {number}')\n1 / 0",
    "class A:\n    def __repr__(self): raise {error}\nraise ValueError(A())",
    "class E(Exception):\n    __str__ = None\nraise E({number})",
    "import js\njs.missing({number})",
    "import sys\nsys.setrecursionlimit(1)",
    "async def f(): raise {error}\nawait f()",
    "import asyncio\nasyncio.ensure_future(asyncio.sleep({number}))\nawait asyncio.sleep(0)\n1 / 0",
    "def (",
    "'\\ud800'.encode()",
    "exec('raise {error}')",
    "open('/sandbox/{number}')",
    "import sys\nsys.stdout = sys.stderr = None\nprint(1 / 0)",
    "import builtins\nbuiltins.print = None\nprint({number})",
    "del __builtins__\nopen('x')",
]
ERRORS = (
    "ValueError",
    "KeyboardInterrupt",
    "SystemExit",
    "GeneratorExit",
    "BaseException",
    "MemoryError",
    "StopIteration",
)


@pytest.mark.slow
def test_two_hundred_hostile_pieces_of_code_are_all_answered(installation: Installation) -> None:
    chance = random.Random(4)
    answered = 0
    with PythonInterpreter(timeout=10) as sandbox:
        for _ in range(200):
            code = chance.choice(HOSTILE).format(error=chance.choice(ERRORS), number=chance.randrange(1, 99))
            try:
                sandbox.execute(code)
            except (CodeExecutionError, SyntaxError):
                pass
            answered += 1
        sandbox.shutdown()
        assert sandbox.execute("1 + 1") == 2
    assert answered == 200


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_thousand_executions_leave_processes_and_memory_as_they_were(installation: Installation) -> None:
    with PythonInterpreter(timeout=20, tools={"add": lambda a, b: a + b}) as sandbox:
        for number in range(100):
            sandbox.execute("add(n, 1)", {"n": number})
        guest = sandbox._guest
        assert guest is not None
        before = _memory(guest.pid), _memory(os.getpid()), _children()
        for number in range(1000):
            assert sandbox.execute("print(n)\nadd(n, 1)", {"n": number}) == number + 1
        after = _memory(guest.pid), _memory(os.getpid()), _children()
        assert sandbox._guest is guest
    assert after[2] == before[2]
    assert after[0] < before[0] + 40_000, f"the guest grew from {before[0]} to {after[0]} kB"
    assert after[1] < before[1] + 10_000, f"the host grew from {before[1]} to {after[1]} kB"


@pytest.mark.slow
def test_eight_sandboxes_work_side_by_side(installation: Installation) -> None:
    async def work(number: int) -> int:
        with PythonInterpreter(timeout=60) as sandbox:
            sandbox.execute("kept = n", {"n": number})
            return sandbox.execute("sum(range(10_000)) + kept")

    before = _children()
    outcomes = run(fan_out(work, range(8), workers=8))
    assert [outcome.value for outcome in outcomes] == [49_995_000 + number for number in range(8)]
    assert _children() <= before


def test_dropped_interpreters_end_their_processes(installation: Installation) -> None:
    sandbox = PythonInterpreter()
    sandbox.execute("1")
    guest = sandbox._guest
    assert guest is not None
    process = guest._process._process
    del sandbox, guest
    assert process.poll() is not None


def test_a_process_that_dies_between_executions_is_started_again(installation: Installation) -> None:
    with PythonInterpreter() as sandbox:
        sandbox.execute("1")
        assert sandbox._guest is not None
        sandbox._guest.kill()
        assert sandbox.execute("2") == 2


def test_an_error_of_the_sandbox_itself_is_no_error_of_the_code(installation: Installation) -> None:
    with PythonInterpreter(tools={"class": print}) as sandbox, pytest.raises(SandboxError) as raised:
        sandbox.execute("1")
    assert not isinstance(raised.value, CodeExecutionError)


def _memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def _children() -> int:
    """The guests that this process has running."""
    count = 0
    for entry in Path("/proc").iterdir() if Path("/proc").exists() else ():
        try:
            stat = (entry / "stat").read_text() if entry.name.isdigit() else ""
        except OSError:
            continue
        fields = stat.rpartition(")")[2].split()
        count += bool(fields) and int(fields[1]) == os.getpid() and fields[0] != "Z"
    return count
