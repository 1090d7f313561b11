from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from dspx.runtime.bridge import run
from dspx.runtime.fanout import fan_out
from dspx.runtime.grouping import Grouped
from tests.loops import in_a_loop


class Doubling:
    """Doubles numbers; the first call waits until `gate` opens, so that others come meanwhile."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.gate = threading.Event()

    async def __call__(self, numbers: list[int]) -> list[int]:
        self.groups.append(numbers)
        if len(self.groups) == 1:
            assert self.gate.wait(5)
        if any(number < 0 for number in numbers):
            raise ValueError(f"{numbers} has a number below 0")
        return [2 * number for number in numbers]


def in_threads(grouped: Grouped[int, int], numbers: list[int], doubling: Doubling) -> list[Any]:
    """The outcomes of calls from as many threads; all others come while the first is under way."""
    outcomes: dict[int, Any] = {}

    def ask(number: int) -> None:
        try:
            outcomes[number] = run(grouped(number))
        except ValueError as error:
            outcomes[number] = error

    threads = [threading.Thread(target=ask, args=(number,)) for number in numbers]
    threads[0].start()
    while not doubling.groups:
        threads[0].join(0.001)
    for waiting, thread in enumerate(threads[1:], 1):
        thread.start()
        while len(grouped._waiting) < waiting:
            thread.join(0.001)
    doubling.gate.set()
    for thread in threads:
        thread.join(5)
    return [outcomes[number] for number in numbers]


def test_a_call_that_comes_alone_is_made_at_once():
    doubling = Doubling()
    doubling.gate.set()
    grouped = Grouped(doubling)
    assert [run(grouped(1)), run(grouped(2))] == [2, 4]
    assert doubling.groups == [[1], [2]]


def test_calls_that_come_meanwhile_go_together():
    doubling = Doubling()
    assert in_threads(Grouped(doubling), [1, 2, 3, 4], doubling) == [2, 4, 6, 8]
    assert doubling.groups == [[1], [2, 3, 4]]


def test_a_group_has_at_most_so_many():
    doubling = Doubling()
    assert in_threads(Grouped(doubling, most=2), [1, 2, 3, 4, 5, 6], doubling) == [2, 4, 6, 8, 10, 12]
    assert doubling.groups == [[1], [2, 3], [4, 5], [6]]


def test_an_error_is_only_its_own_callers():
    doubling = Doubling()
    first, second, third = in_threads(Grouped(doubling), [1, -2, 3], doubling)
    assert (first, third) == (2, 6)
    assert str(second) == "[-2] has a number below 0"


def test_an_error_that_others_would_meet_too_is_everybodys():
    doubling = Doubling()
    grouped = Grouped(doubling, shared=lambda error: isinstance(error, ValueError))
    first, second, third = in_threads(grouped, [1, -2, 3], doubling)
    assert first == 2
    assert second is third
    assert doubling.groups == [[1], [-2, 3]]


@in_a_loop
async def test_tasks_go_together_too():
    groups: list[list[int]] = []

    async def double(numbers: list[int]) -> list[int]:
        groups.append(numbers)
        await asyncio.sleep(0)
        return [2 * number for number in numbers]

    grouped = Grouped(double)
    assert await asyncio.gather(*(grouped(number) for number in range(5))) == [0, 2, 4, 6, 8]
    assert groups == [[0], [1, 2, 3, 4]]


@in_a_loop
async def test_a_cancelled_leader_leaves_the_others_their_call():
    groups: list[list[int]] = []
    gate = asyncio.Event()

    async def double(numbers: list[int]) -> list[int]:
        groups.append(numbers)
        if len(groups) < 3:
            await gate.wait()
        return [2 * number for number in numbers]

    grouped = Grouped(double)
    tasks = [asyncio.ensure_future(grouped(number)) for number in range(4)]
    await asyncio.sleep(0.01)
    tasks[0].cancel()  # alone, under way
    await asyncio.sleep(0.01)
    tasks[1].cancel()  # leads the group of all that waited
    tasks[2].cancel()  # is in that group
    await asyncio.sleep(0.01)
    assert await tasks[3] == 6
    assert groups == [[0], [1, 2, 3], [3]]
    assert await grouped(9) == 18


@in_a_loop
async def test_a_cancelled_follower_costs_nobody_else_anything():
    gate = asyncio.Event()
    groups: list[list[int]] = []

    async def double(numbers: list[int]) -> list[int]:
        groups.append(numbers)
        await gate.wait()
        return [2 * number for number in numbers]

    grouped = Grouped(double)
    tasks = [asyncio.ensure_future(grouped(number)) for number in range(3)]
    await asyncio.sleep(0.01)
    tasks[1].cancel()
    await asyncio.sleep(0.01)
    gate.set()
    assert [await tasks[0], await tasks[2]] == [0, 4]
    assert groups == [[0], [2]]


@in_a_loop
async def test_a_sync_call_inside_a_loop_does_not_wait_for_that_loop():
    gate = asyncio.Event()
    first: list[bool] = []

    async def double(numbers: list[int]) -> list[int]:
        if not first:
            first.append(True)
            await gate.wait()
        return [2 * number for number in numbers]

    grouped = Grouped(double)
    leader = asyncio.ensure_future(grouped(1))
    await asyncio.sleep(0.01)
    assert run(grouped(2)) == 4
    gate.set()
    assert await leader == 2


@pytest.mark.parametrize("is_async", [False, True])
def test_a_thousand_calls_all_get_their_own(is_async: bool):
    async def double(numbers: list[int]) -> list[int]:
        return [2 * number for number in numbers]

    grouped = Grouped(double, most=7)

    async def ask() -> list[Any]:
        outcomes = await fan_out(grouped, range(1000), workers=32)
        return [outcome.value for outcome in outcomes]

    assert (asyncio.run(ask()) if is_async else run(ask())) == [2 * number for number in range(1000)]
