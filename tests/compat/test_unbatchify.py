from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dspx.compat.unbatchify import Unbatchify


class Doubler:
    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, items: list[int]) -> list[int]:
        self.sizes.append(len(items))
        return [item * 2 for item in items]


def test_calls_of_threads_that_come_together_are_answered_together():
    doubler = Doubler()
    together = threading.Barrier(8)
    unbatchify = Unbatchify(doubler, max_batch_size=8, max_wait_time=2)

    def one(item: int) -> int:
        together.wait()
        return unbatchify(item)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(8))) == [item * 2 for item in range(8)]
    assert doubler.sizes == [8]


def test_calls_of_tasks_are_answered_together():
    doubler = Doubler()

    async def main() -> list[int]:
        unbatchify = Unbatchify(doubler, max_batch_size=4, max_wait_time=2)
        return await asyncio.gather(*[unbatchify.acall(item) for item in range(8)])

    assert asyncio.run(main()) == [item * 2 for item in range(8)]
    assert doubler.sizes == [4, 4]


def test_a_lonely_call_waits_no_longer_than_it_must():
    doubler = Doubler()
    with Unbatchify(doubler, max_wait_time=0.001) as unbatchify:
        assert unbatchify(3) == 6
        assert unbatchify(4) == 8
    assert doubler.sizes == [1, 1]


def test_an_error_is_everybodys_and_the_next_batch_starts_afresh():
    calls: list[int] = []

    def fails_once(items: list[int]) -> list[int]:
        calls.append(len(items))
        if len(calls) == 1:
            raise KeyError("boom")
        return items

    async def main() -> list[object]:
        unbatchify = Unbatchify(fails_once, max_batch_size=3, max_wait_time=2)
        failed = await asyncio.gather(*[unbatchify.acall(n) for n in range(3)], return_exceptions=True)
        return [*map(type, failed), *await asyncio.gather(*[unbatchify.acall(n) for n in range(3)])]

    assert asyncio.run(main()) == [KeyError, KeyError, KeyError, 0, 1, 2]


def test_a_function_that_answers_too_few_is_told_so():
    with pytest.raises(ValueError, match="given 1 items and returned 0"):
        Unbatchify(lambda items: [], max_wait_time=0)(1)
