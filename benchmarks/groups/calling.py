"""CPU of one HTTP call, by itself and with many in flight, in threads and in tasks."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from collections.abc import Awaitable, Callable
from itertools import count
from time import process_time
from typing import Any
from urllib.parse import urlsplit

from benchmarks.cases import Times, case
from benchmarks.side import Side
from benchmarks.timing import per_call

BODY = json.dumps({"model": "bench", "messages": [{"role": "user", "content": "Hello, number 7"}]})
JSON = {"content-type": "application/json"}


# ---------------------------------------------------------------- many at once


def cpu_in_threads(calls: int, workers: int, call: Callable[[], Any]) -> float:
    """CPU seconds per call, `workers` threads sharing `calls` calls; one call each goes before, to connect."""
    left = count()
    ready, go = threading.Barrier(workers + 1), threading.Barrier(workers + 1)

    def work() -> None:
        call()
        ready.wait()
        go.wait()
        while next(left) < calls:
            call()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    ready.wait()
    gc.collect()
    started = process_time()
    go.wait()
    for thread in threads:
        thread.join()
    return (process_time() - started) / calls


async def cpu_in_tasks(calls: int, workers: int, call: Callable[[], Awaitable[Any]]) -> float:
    """CPU seconds per call, `workers` tasks sharing `calls` calls; one call each goes before, to connect."""
    await asyncio.gather(*(call() for _ in range(workers)))
    left = count()

    async def work() -> None:
        while next(left) < calls:
            await call()

    gc.collect()
    started = process_time()
    await asyncio.gather(*(work() for _ in range(workers)))
    return (process_time() - started) / calls


# ---------------------------------------------------------------- floors


def client(side: Side, url: str) -> Callable[[], Any]:
    """http.client on one kept connection per thread, JSON in and out."""
    from http.client import HTTPConnection

    parts = urlsplit(url)
    here = threading.local()

    def call() -> Any:
        connection = getattr(here, "connection", None)
        if connection is None:
            connection = here.connection = HTTPConnection(parts.netloc)
        connection.request("POST", f"{parts.path}/chat/completions", BODY, JSON)
        return json.loads(connection.getresponse().read())["choices"][0]["message"]["content"]

    return call


async def with_aiohttp(side: Side, url: str, calls: int, workers: int) -> float:
    """CPU per call of a bare aiohttp session."""
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def call() -> Any:
            async with session.post(f"{url}/chat/completions", data=BODY, headers=JSON) as reply:
                return json.loads(await reply.read())["choices"][0]["message"]["content"]

        return await cpu_in_tasks(calls, workers, call)


# ---------------------------------------------------------------- cases


@case(
    "http.sequential",
    "CPU per HTTP call, one by one",
    target=Times(4),
    floor=lambda side: per_call(side, client(side, side.url())),
    floor_title="http.client, JSON in and out",
)
def sequential(side: Side) -> float:
    lm = side.once("sequential", lambda: side.lm(side.url()))
    return per_call(side, lambda: lm("Hello, number 7"))


@case(
    "http.sequential_acall",
    "  one by one, await acall",
    target=Times(4),
    floor=lambda side: asyncio.run(with_aiohttp(side, side.url(), side.pick(400, 150, 3), 1)),
    floor_title="aiohttp, JSON in and out",
)
def sequential_acall(side: Side) -> float:
    lm = side.lm(side.url())
    return asyncio.run(cpu_in_tasks(side.pick(400, 150, 3), 1, lambda: lm.acall("Hello, number 7")))


def _threads(workers: int, floor: bool) -> Callable[[Side], float]:
    def measure(side: Side) -> float:
        many = side.pick(workers, workers, 4)
        url = side.url(50 if workers < 500 else 200)
        if floor:
            call = client(side, url)
        else:
            lm = side.lm(url)
            call = lambda: lm("Hello, number 7")  # noqa: E731
        return cpu_in_threads(side.pick(4, 2, 1) * many, many, call)

    return measure


def _tasks(workers: int, floor: bool) -> Callable[[Side], float]:
    def measure(side: Side) -> float:
        many = side.pick(workers, workers, 4)
        url = side.url(50 if workers < 500 else 200)
        calls = side.pick(4, 2, 1) * many
        if floor:
            return asyncio.run(with_aiohttp(side, url, calls, many))
        lm = side.lm(url)
        return asyncio.run(cpu_in_tasks(calls, many, lambda: lm.acall("Hello, number 7")))

    return measure


for _workers in (64, 256, 1000):
    case(
        f"http.threads_{_workers}",
        f"  {_workers:,} threads",
        full_title=f"CPU per HTTP call, {_workers:,} threads",
        target=Times(4),
        floor=_threads(_workers, floor=True),
        floor_title="http.client, one connection per thread",
        heavy=True,
    )(_threads(_workers, floor=False))

for _workers in (64, 256, 1000):
    case(
        f"http.tasks_{_workers}",
        f"  {_workers:,} tasks",
        full_title=f"CPU per HTTP call, {_workers:,} tasks",
        target=Times(4),
        floor=_tasks(_workers, floor=True),
        floor_title="one aiohttp session",
        heavy=True,
    )(_tasks(_workers, floor=False))
