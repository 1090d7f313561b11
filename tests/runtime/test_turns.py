"""Turns: a crowd begins in several turns of the loop, in order, and the loop's others run in between."""

from __future__ import annotations

import asyncio

from dspx.runtime.turns import Turns


async def begun_by_turn(tasks: int, most: int) -> list[list[int]]:
    """Which tasks had begun when the loop came round, turn by turn."""
    turns, begun = Turns(asyncio.get_running_loop(), most), list[int]()

    async def one(number: int) -> None:
        await turns.take()
        begun.append(number)

    crowd = asyncio.gather(*(one(number) for number in range(tasks)))
    seen: list[list[int]] = []
    while not crowd.done():
        await asyncio.sleep(0)
        seen.append(list(begun))
    return seen


def test_no_more_than_the_limit_begin_in_one_turn_and_all_do_in_order():
    seen = asyncio.run(begun_by_turn(10, 3))
    assert max(len(after) - len(before) for before, after in zip([[], *seen], seen, strict=False)) == 3
    assert seen[-1] == list(range(10))


def test_one_after_the_other_nobody_waits():
    async def main() -> int:
        turns, waited = Turns(asyncio.get_running_loop(), 2), 0
        for _ in range(20):
            taking = turns.take()
            try:
                taking.send(None)
                waited += 1
                taking.close()
            except StopIteration:
                pass
            await asyncio.sleep(0)
        return waited

    assert asyncio.run(main()) == 0


def test_whoever_is_cancelled_takes_no_turn_from_the_others():
    async def main() -> list[int]:
        turns, begun = Turns(asyncio.get_running_loop(), 1), list[int]()

        async def one(number: int) -> None:
            await turns.take()
            begun.append(number)

        tasks = [asyncio.ensure_future(one(number)) for number in range(4)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return begun

    assert asyncio.run(main()) == [0, 2, 3]
