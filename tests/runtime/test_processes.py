"""Other programs: started, spoken to in lines, and gone for certain."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator

import pytest

from dspx.runtime.bridge import run
from dspx.runtime.processes import LineProcess, output_of

ECHO = "import sys\nfor line in sys.stdin: print('said ' + line, end='', flush=True)"


def start(code: str, **options: int) -> LineProcess:
    return LineProcess([sys.executable, "-c", code], env=dict(os.environ), **options)


@pytest.fixture
def echo() -> Iterator[LineProcess]:
    process = start(ECHO)
    yield process
    process.kill()


def test_a_line_is_answered_by_a_line(echo: LineProcess) -> None:
    run(echo.send(b"hello"))
    assert run(echo.receive(20)) == b"said hello"


def test_async_code_waits_without_blocking_its_loop(echo: LineProcess) -> None:
    async def main() -> bytes | None:
        waiting = asyncio.ensure_future(echo.receive(20))
        await asyncio.sleep(0)
        assert not waiting.done()
        await echo.send(b"hello")
        return await waiting

    assert asyncio.run(main()) == b"said hello"


def test_waiting_ends_with_its_time(echo: LineProcess) -> None:
    with pytest.raises(TimeoutError):
        run(echo.receive(0.05))
    run(echo.send(b"later"))
    assert run(echo.receive(20)) == b"said later"


def test_sending_to_one_who_does_not_read_ends_with_its_time() -> None:
    process = start("import time; time.sleep(600)")
    try:
        with pytest.raises(TimeoutError):
            run(process.send(b"x" * 10_000_000, 0.2))
    finally:
        process.kill()


def test_the_end_is_none_and_sending_after_it_a_broken_pipe() -> None:
    process = start("print('last')")
    assert run(process.receive(20)) == b"last"
    assert run(process.receive(20)) is None
    with pytest.raises(BrokenPipeError):
        run(process.send(b"x" * 10_000_000))
    process.kill()
    assert not process.alive


def test_killing_takes_the_children_along() -> None:
    process = start(
        "import subprocess, sys\nc = subprocess.Popen(['sleep', '600'])\nprint(c.pid, flush=True)\nc.wait()"
    )
    child = int(run(process.receive(20)) or 0)
    process.kill()
    process.kill()
    for _ in range(200):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            break
        with open(f"/proc/{child}/stat") as stat:
            if stat.read().rpartition(")")[2].split()[0] == "Z":
                break
        time.sleep(0.01)
    else:
        pytest.fail("the child is still there")


def test_a_flood_is_held_back_and_a_line_without_end_ends_the_reading() -> None:
    process = start("import sys\nwhile True: sys.stdout.write('x' * 1000)", line_limit=100_000)
    assert run(process.receive(20)) is None
    process.kill()
    process = start("for n in range(100_000): print(n)")
    assert [run(process.receive(20)) for _ in range(2000)] == [str(n).encode() for n in range(2000)]
    process.kill()


def test_what_it_said_last_is_kept() -> None:
    process = start("import sys; sys.stderr.write('a' * 100_000 + 'the reason'); sys.exit(3)")
    assert run(process.receive(20)) is None
    assert process.last_words.endswith("the reason")
    assert len(process.last_words) <= 8192
    process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="bounded where the system can")
def test_memory_can_be_bounded() -> None:
    process = start(
        "input()\ntry:\n    x = bytearray(10**9)\nexcept MemoryError:\n    print('no')", data_limit=1 << 28
    )
    run(process.send(b""))
    assert run(process.receive(20)) == b"no"
    process.kill()


def test_a_program_that_is_not_there_is_an_os_error() -> None:
    with pytest.raises(OSError, match="nowhere"):
        LineProcess(["/nowhere/at/all"], env={})


def test_the_output_of_a_short_program() -> None:
    assert (
        output_of([sys.executable, "-c", "print('é')"], env={"PYTHONIOENCODING": "utf-8"}, seconds=20)
        == "é\n"
    )
    with pytest.raises(OSError, match="status 3: because"):
        output_of(
            [sys.executable, "-c", "import sys; print('because', file=sys.stderr); sys.exit(3)"], seconds=20
        )
    with pytest.raises(OSError, match=r"still running after 0\.1 s"):
        output_of([sys.executable, "-c", "import time; time.sleep(600)"], seconds=0.1)
