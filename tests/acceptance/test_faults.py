"""A thousand calls against a server that fails one time in five."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

import dspx
from dspx.errors import LMError
from dspx.lm.limit import Limiter, limiter_of
from dspx.testing.server import Fault, Faults, Server

OFTEN = dict.fromkeys(("server_error", "timeout", "reset", "reset_body", "truncated", "malformed"), 0.19 / 6)
CALLS = 1000
DEADLINE = 60.0


def hostile(seed: int = 1) -> Server:
    """One request in five meets a fault; few of them are 429s, since each costs a fifth of the concurrency."""
    return Server(model="schema", faults=Faults(rate_limit=0.01, retry_after=0.05, seed=seed, **OFTEN))


def limiter(server: Server) -> Limiter:
    return limiter_of((server.api_base, "none"))


def attempt(ask: Callable[[], object]) -> BaseException | None:
    try:
        ask()
    except LMError as error:
        return error
    return None


def check(server: Server, errors: list[BaseException | None], seconds: float) -> None:
    failed = [error for error in errors if error is not None]
    print(
        f"\n{CALLS - len(failed)} of {CALLS} in {seconds:.1f} s, {server.stats.requests} requests, "
        f"{server.stats.outcomes}, room for {limiter(server).concurrency:.0f}"
    )
    assert len(failed) <= CALLS // 1000, failed
    assert server.stats.failed > CALLS // 10
    assert limiter(server).in_flight == limiter(server).waiting == 0


@pytest.mark.slow
def test_of_a_thousand_calls_from_64_threads_999_succeed() -> None:
    with hostile() as server, ThreadPoolExecutor(64) as pool:
        program = dspx.Predict("question -> answer: int")
        program.lm = server.lm(timeout=1.0, deadline=DEADLINE)
        started = time.monotonic()
        errors = list(
            pool.map(lambda i: attempt(lambda: program(question=f"What is {i} times two?")), range(CALLS))
        )
        check(server, errors, time.monotonic() - started)


@pytest.mark.slow
def test_of_a_thousand_calls_from_200_tasks_999_succeed() -> None:
    async def ask_all(program: dspx.Predict) -> list[BaseException | None]:
        turns = asyncio.Semaphore(200)

        async def one(i: int) -> BaseException | None:
            async with turns:
                try:
                    await program.acall(question=f"What is {i} times two?")
                except LMError as error:
                    return error
            return None

        return await asyncio.gather(*(one(i) for i in range(CALLS)))

    with hostile(seed=2) as server:
        program = dspx.Predict("question -> answer: int")
        program.lm = server.lm(timeout=1.0, deadline=DEADLINE)
        started = time.monotonic()
        errors = asyncio.run(ask_all(program))
        check(server, errors, time.monotonic() - started)


def test_nobody_asks_before_the_time_that_a_rate_limit_names() -> None:
    with Server(model="echo", faults=[Fault("rate_limit", seconds=0.4)] * 8, latency=0.1) as server:
        lm = server.lm(cache=False)
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(lambda i: lm(f"{i}"), range(8)))
    at = sorted(asked.started for asked in server.requests)
    assert len(at) == 16
    assert at[8] - at[0] >= 0.5


def test_a_long_pause_fails_a_call_that_may_not_wait_so_long_at_once() -> None:
    with Server(model="echo", faults=[Fault("rate_limit", seconds=20.0)]) as server:
        lm = server.lm(cache=False, deadline=1.0)
        started = time.monotonic()
        errors = [attempt(lambda: lm("first")), attempt(lambda: lm("second"))]
        assert time.monotonic() - started < 1.0
        assert all(isinstance(error, dspx.LMRateLimitError) for error in errors)
        assert server.stats.requests == 1


def test_the_limiter_takes_a_fifth_less_and_finds_its_way_back() -> None:
    faults = [*[None] * 32, *["rate_limit"] * 8]
    with Server(model="echo", faults=faults, latency=0.005) as server:
        lm = server.lm(cache=False)
        with ThreadPoolExecutor(32) as pool:
            list(pool.map(lambda i: lm(f"{i}"), range(64)))
            cut = limiter(server).concurrency
            assert cut < 32
            list(pool.map(lambda i: lm(f"{i}"), range(600)))
        assert limiter(server).concurrency > cut
    print(f"\ncut to {cut:.1f}, back at {limiter(server).concurrency:.1f}")


def test_a_deadline_holds_whatever_the_server_does() -> None:
    with Server(model="echo", faults=Faults(timeout=0.5, server_error=0.5)) as server:
        lm = server.lm(cache=False, deadline=0.6, timeout=0.2)
        started = time.monotonic()
        with ThreadPoolExecutor(16) as pool:
            errors = list(pool.map(lambda i: attempt(lambda: lm(f"{i}")), range(16)))
        assert time.monotonic() - started < 1.5
    assert all(error is not None for error in errors)
