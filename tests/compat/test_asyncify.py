from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

import dspx
from dspx.compat.asyncify import asyncify, run_async, syncify


class Sync(dspx.Module):
    def forward(self, x: int) -> Any:
        return x + 1, threading.get_ident(), dspx.settings.get("mark")


class Async(dspx.Module):
    async def aforward(self, x: int) -> int:
        await asyncio.sleep(0)
        return x + 1


def test_asyncify_runs_a_sync_program_on_another_thread_with_the_callers_settings():
    async def main() -> Any:
        with dspx.context(mark="here"):
            return await asyncify(Sync())(x=1)

    value, thread, mark = asyncio.run(main())
    assert (value, mark) == (2, "here")
    assert thread != threading.get_ident()


def test_asyncify_takes_a_plain_function():
    assert asyncio.run(asyncify(lambda x: x * 2)(21)) == 42  # type: ignore[arg-type]


def test_asyncified_programs_run_async_max_workers_at_a_time():
    now, most, lock = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1

    async def main() -> None:
        with dspx.context(async_max_workers=3):
            await asyncio.gather(*[asyncify(work)(number) for number in range(20)])

    asyncio.run(main())
    assert most == 3


def test_a_cancelled_call_gives_its_place_to_the_next():
    released = threading.Event()

    async def main() -> int:
        with dspx.context(async_max_workers=1):
            first = asyncio.ensure_future(asyncify(released.wait)(2))
            waiting = [asyncio.ensure_future(asyncify(lambda: 1)()) for _ in range(3)]
            await asyncio.sleep(0.01)
            waiting[0].cancel()
            first.cancel()
            return sum(await asyncio.gather(*waiting[1:]))

    assert asyncio.run(main()) == 2
    released.set()


def test_errors_of_the_program_come_through():
    def fails() -> None:
        raise KeyError("boom")

    with pytest.raises(KeyError, match="boom"):
        asyncio.run(asyncify(fails)())


def test_syncify_gives_an_async_program_a_forward():
    program = Async()
    assert syncify(program) is program
    assert program.forward(x=1) == program(x=1) == 2


def test_syncify_can_leave_the_program_as_it_is():
    program = Async()
    wrapped = syncify(program, in_place=False)
    assert wrapped is not program
    assert wrapped(x=1) == 2
    assert "forward" not in vars(program)


def test_a_syncified_program_works_inside_a_running_loop():
    program = syncify(Async())

    async def notebook() -> int:
        return program(x=1)

    assert asyncio.run(notebook()) == 2


def test_run_async_gives_the_result_or_the_error():
    async def fails() -> None:
        await asyncio.sleep(0)
        raise KeyError("boom")

    with pytest.raises(KeyError, match="boom"):
        run_async(fails())
