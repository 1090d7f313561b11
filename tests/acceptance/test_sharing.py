"""Many callers at once: equal questions are asked once, and LM objects on one endpoint share what it takes."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import dspx
from dspx.testing.server import Server

MANY = 64


def program_for(server: Server) -> dspx.Predict:
    program = dspx.Predict("question -> answer: int")
    program.lm = server.lm("schema")
    return program


def ask_from_threads(program: dspx.Predict, count: int) -> list[object]:
    together = threading.Barrier(count)

    def one(_: int) -> object:
        together.wait(10)
        return program(question="the same").answer

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(dspx.bind_context(one), range(count)))


async def ask_from_tasks(program: dspx.Predict, count: int) -> list[object]:
    predictions = await asyncio.gather(*(program.acall(question="the same") for _ in range(count)))
    return [prediction.answer for prediction in predictions]


def test_equal_calls_from_64_threads_are_one_request() -> None:
    with Server(latency=0.2) as server:
        assert len(set(ask_from_threads(program_for(server), MANY))) == 1
        assert server.stats.requests == 1


def test_equal_calls_from_64_tasks_are_one_request() -> None:
    with Server(latency=0.2) as server:
        assert len(set(asyncio.run(ask_from_tasks(program_for(server), MANY)))) == 1
        assert server.stats.requests == 1


def test_equal_calls_from_threads_tasks_and_loops_together_are_one_request() -> None:
    async def all_of_them(program: dspx.Predict) -> list[object]:
        answers = await asyncio.gather(
            asyncio.to_thread(ask_from_threads, program, 24),
            asyncio.to_thread(lambda: asyncio.run(ask_from_tasks(program, 16))),
            ask_from_tasks(program, 24),
        )
        return [answer for some in answers for answer in some]

    with Server(latency=0.2) as server:
        with dspx.track_usage() as usage:
            answers = asyncio.run(all_of_them(program_for(server)))
        assert len(answers) == MANY
        assert len(set(answers)) == 1
        assert server.stats.requests == 1
        assert (usage.calls, usage.cache_hits) == (1, MANY - 1)


def test_one_failure_reaches_everybody_who_waited_and_is_not_kept() -> None:
    with Server(model="schema", faults=[400 + 1, None], latency=0.2) as server:
        program = program_for(server)

        def one(_: int) -> object:
            try:
                return program(question="the same").answer
            except dspx.LMError as error:
                return type(error)

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(one, range(8))) == {dspx.LMAuthError}
        assert server.stats.requests == 1
        assert program(question="the same").answer is not None


# ---------------------------------------------------------------- 200 LM objects


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0


def until(server: Server, few: int, seconds: float = 8.0) -> int:
    """How many connections stay once the surplus has had time to go."""
    end = time.monotonic() + seconds
    while server.stats.open_connections > few and time.monotonic() < end:
        time.sleep(0.05)
    return server.stats.open_connections


def test_200_lms_used_one_after_the_other_take_one_connection() -> None:
    with Server(model="echo") as server:
        server.lm("echo")("warm")
        before = open_files()
        lms = [server.lm("echo", temperature=i / 200) for i in range(200)]
        for lm in lms:
            lm("hello")
        assert server.stats.requests == 201
        assert server.stats.connections == 1
        assert open_files() - before <= 4


@pytest.mark.slow
def test_200_lms_used_by_64_threads_keep_four_connections_at_most() -> None:
    with Server(model="echo", latency=0.02) as server:
        lms = [server.lm("echo", cache=False) for _ in range(200)]
        before = open_files()
        with ThreadPoolExecutor(MANY) as pool:
            list(pool.map(lambda lm: lm("hello"), lms))
        assert server.stats.peak > 16
        assert until(server, 4) <= 4
        assert open_files() - before <= 2 * 4 + 4  # the server's ends are in this process too


@pytest.mark.slow
def test_200_lms_used_by_64_tasks_keep_four_connections_at_most() -> None:
    async def use(lms: list[dspx.LM], server: Server) -> int:
        turns = asyncio.Semaphore(MANY)

        async def one(lm: dspx.LM) -> None:
            async with turns:
                await lm.acall("hello")

        await asyncio.gather(*(one(lm) for lm in lms))
        end = time.monotonic() + 8
        while server.stats.open_connections > 4 and time.monotonic() < end:
            await asyncio.sleep(0.05)
        left = server.stats.open_connections
        await lms[0].acall("again")
        assert server.stats.connections <= MANY
        return left

    with Server(model="echo", latency=0.02) as server:
        lms = [server.lm("echo", cache=False) for _ in range(200)]
        assert asyncio.run(use(lms, server)) <= 4
        assert server.stats.peak > 16
        assert until(server, 0) == 0  # with their loop they all go
