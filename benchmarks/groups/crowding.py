"""Many calls at once: how many are really in flight, how long the event loop stands still, what stays open."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks.cases import AtLeast, AtMost, Times, case
from benchmarks.groups.calling import client
from benchmarks.material import INPUTS, signature
from benchmarks.side import Side

ROUNDS = 3
"""Each thread or task makes so many calls, one after the other."""


def _seconds(side: Side) -> tuple[int, float]:
    return side.pick(1000, 1000, 4), side.pick(1000, 1000, 20) / 1000


# ---------------------------------------------------------------- in flight at 1 s latency


def _efficiency_in_threads(side: Side, call: Callable[[], Any]) -> float:
    """The ideal time over the time it took, for 1,000 threads that each make a few calls of one second."""
    workers, latency = _seconds(side)

    def work() -> None:
        for _ in range(ROUNDS):
            call()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ROUNDS * latency / (time.perf_counter() - started)


def _threads_floor(side: Side) -> float:
    return _efficiency_in_threads(side, client(side, side.url(int(_seconds(side)[1] * 1000))))


@case(
    "inflight.threads",
    "1,000 threads at 1 s latency, efficiency",
    unit="",
    target=AtLeast(0.6),
    floor=_threads_floor,
    floor_title="http.client, one connection per thread",
    higher_is_better=True,
    heavy=True,
)
def threads(side: Side) -> float:
    lm = side.lm(side.url(int(_seconds(side)[1] * 1000)))
    return _efficiency_in_threads(side, lambda: lm("Hello, number 7"))


async def _efficiency_in_tasks(side: Side, call: Callable[[], Any]) -> float:
    workers, latency = _seconds(side)

    async def work() -> None:
        for _ in range(ROUNDS):
            await call()

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(workers)))
    return ROUNDS * latency / (time.perf_counter() - started)


async def _tasks_floor(side: Side) -> float:
    import aiohttp

    url = side.url(int(_seconds(side)[1] * 1000)) + "/chat/completions"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def call() -> None:
            async with session.post(url, data=b"{}") as reply:
                await reply.read()

        return await _efficiency_in_tasks(side, call)


@case(
    "inflight.tasks",
    "1,000 tasks at 1 s latency, efficiency",
    unit="",
    target=AtLeast(0.7),
    floor=lambda side: asyncio.run(_tasks_floor(side)),
    floor_title="one aiohttp session",
    higher_is_better=True,
    heavy=True,
)
def tasks(side: Side) -> float:
    lm = side.lm(side.url(int(_seconds(side)[1] * 1000)))
    return asyncio.run(_efficiency_in_tasks(side, lambda: lm.acall("Hello, number 7")))


# ---------------------------------------------------------------- the loop's pauses


async def _worst_pause(work: Callable[[], Any]) -> float:
    """The longest that the loop kept a task waiting beyond the millisecond it asked for."""
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - before - 0.001)

    watcher = asyncio.ensure_future(watch())
    await asyncio.sleep(0.01)
    await work()
    watcher.cancel()
    return worst


async def _pause_floor(side: Side) -> float:
    import aiohttp

    url = side.url(20) + "/chat/completions"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def call(number: int) -> None:
            async with session.post(url, data=b'{"n": %d}' % number) as reply:
                await reply.read()

        return await _worst_pause(lambda: asyncio.gather(*(call(i) for i in range(200))))


@case(
    "loop.pause",
    "worst pause of the event loop, 200 calls",
    target=Times(4),
    floor=lambda side: asyncio.run(_pause_floor(side)),
    floor_title="200 posts of one aiohttp session",
)
def pause(side: Side) -> float:
    side.api.configure(lm=side.lm(side.url(20)))
    predict = side.once("predict", lambda: side.api.Predict(signature(side.api)))
    calls = side.pick(200, 200, 8)

    async def work() -> None:
        await asyncio.gather(*(predict.acall(**{**INPUTS, "question": f"{i}?"}) for i in range(calls)))

    return asyncio.run(_worst_pause(work))


# ---------------------------------------------------------------- what stays open


def _call_and_keep(side: Side) -> list[Any]:
    lms = [side.lm(side.url()) for _ in range(side.pick(200, 200, 8))]
    for lm in lms:
        lm("Hello, number 7")
    return lms


@case("hold.connections", "connections held by 200 LM objects", unit="", target=AtMost(4), heavy=True)
def connections(side: Side) -> float:
    before = side.stats()["connections"]
    lms = _call_and_keep(side)
    held = side.stats()["connections"] - before
    _close(lms)
    return held


@case("hold.handles", "  file handles", unit="", target=AtMost(4), heavy=True)
def handles(side: Side) -> float:
    before = len(os.listdir("/dev/fd"))
    lms = _call_and_keep(side)
    held = len(os.listdir("/dev/fd")) - before
    _close(lms)
    return max(0, held)


def _close(lms: list[Any]) -> None:
    for lm in lms:
        close = getattr(lm, "close", None)
        if close is not None:
            close()
