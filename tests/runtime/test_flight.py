import asyncio
import threading

import pytest

from dspx.runtime import clock
from dspx.runtime.bridge import call, run
from dspx.runtime.fanout import fan_out
from dspx.runtime.flight import Flights


def counted(calls, seconds=0.02, error=None):
    async def make():
        calls.append(threading.get_ident())
        await clock.sleep(seconds)
        if error is not None:
            raise error
        return "value"

    return make


@pytest.mark.parametrize("is_async", [False, True])
def test_sixty_four_equal_calls_at_once_are_one(is_async):
    flights, calls = Flights(), []

    async def one(_):
        return await flights.once("key", counted(calls, 0.5))

    async def main():
        return await fan_out(one, range(64), workers=64)

    outcomes = asyncio.run(main()) if is_async else run(main())
    assert len(calls) == 1
    assert sorted(outcome.value[1] for outcome in outcomes) == [False] + [True] * 63
    assert {outcome.value[0] for outcome in outcomes} == {"value"}


def test_other_keys_do_not_wait():
    flights, calls = Flights(), []

    async def one(key):
        return await flights.once(key, counted(calls))

    run(fan_out(one, range(8), workers=8))
    assert len(calls) == 8


def test_an_error_reaches_everybody_and_the_next_call_tries_again():
    flights, calls = Flights(), []

    async def one(_):
        return await flights.once("key", counted(calls, error=ValueError("no")))

    outcomes = run(fan_out(one, range(8), workers=8))
    assert all(isinstance(outcome.error, ValueError) for outcome in outcomes)
    before = len(calls)
    run(fan_out(one, [0], workers=1))
    assert len(calls) == before + 1


def test_when_the_first_caller_is_cancelled_the_next_one_makes_the_call():
    flights, calls = Flights(), []

    async def main():
        first = asyncio.ensure_future(flights.once("key", counted(calls, 0.5)))
        await asyncio.sleep(0.01)
        second = asyncio.ensure_future(flights.once("key", counted(calls, 0.01)))
        await asyncio.sleep(0.01)
        first.cancel()
        return await second

    assert asyncio.run(main()) == ("value", False)
    assert len(calls) == 2


def test_threads_and_tasks_share_a_flight():
    flights, calls = Flights(), []

    async def main():
        def from_a_thread():
            return run(flights.once("key", counted(calls, 0.1)))

        return await asyncio.gather(call(from_a_thread), flights.once("key", counted(calls, 0.1)))

    results = asyncio.run(main())
    assert [value for value, _ in results] == ["value", "value"]
    assert len(calls) == 1


def test_a_sync_call_on_a_loop_never_waits_for_a_task_of_that_loop():
    flights, calls = Flights(), []

    async def main():
        leader = asyncio.ensure_future(flights.once("key", counted(calls, 0.05)))
        await asyncio.sleep(0.01)
        mine = run(flights.once("key", counted(calls, 0)))
        return mine, await leader

    assert asyncio.run(main()) == (("value", False), ("value", False))
