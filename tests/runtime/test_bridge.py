import asyncio
import threading
from unittest.mock import AsyncMock, Mock

import pytest

from dspx.errors import UsageError
from dspx.runtime import clock
from dspx.runtime.bridge import call, in_thread, is_blocking, run


async def where() -> tuple[bool, int]:
    return is_blocking(), threading.get_ident()


def test_a_coroutine_that_never_waits_runs_in_this_thread_without_a_loop():
    assert run(where()) == (True, threading.get_ident())


def test_one_that_really_waits_is_an_error_that_names_it_and_the_way_out():
    async def waits_for_a_loop():
        await asyncio.Future(loop=loop)

    loop = asyncio.new_event_loop()
    try:
        with pytest.raises(UsageError, match=r"waits_for_a_loop.*acall"):
            run(waits_for_a_loop())
    finally:
        loop.close()


def test_inside_an_event_loop_a_task_does_not_block():
    async def main():
        return is_blocking()

    assert asyncio.run(main()) is False


def test_a_sync_call_inside_a_running_loop_blocks_and_the_task_around_it_does_not():
    async def main():
        inside = run(where())[0]
        return inside, is_blocking()

    assert asyncio.run(main()) == (True, False)


def test_a_loop_started_inside_a_sync_call_is_a_loop():
    async def outer():
        async def inner():
            return is_blocking()

        return is_blocking(), await call(lambda: asyncio.run(inner()))

    assert run(outer()) == (True, False)


def test_blocking_ends_when_the_call_fails():
    async def fails():
        raise KeyError("x")

    with pytest.raises(KeyError):
        run(fails())
    assert not is_blocking()


def test_a_sync_function_in_an_async_call_gets_a_thread_of_its_own():
    async def main():
        return await call(threading.get_ident)

    assert asyncio.run(main()) != threading.get_ident()


def test_an_async_function_in_a_sync_call_may_really_wait():
    async def user_function(x):
        await asyncio.sleep(0)
        return x + 1

    async def program():
        return await call(user_function, 1)

    assert run(program()) == 2


def test_an_async_function_reached_by_a_sync_call_on_a_loop_is_refused_with_the_way_out():
    async def user_function():
        await asyncio.sleep(0)

    async def program():
        return await call(user_function)

    async def main():
        run(program())

    with pytest.raises(UsageError, match="user_function is async"):
        asyncio.run(main())


@pytest.mark.parametrize("nesting", range(3))
def test_sync_and_async_nest_to_any_depth(nesting):
    async def step(depth):
        if depth == 0:
            await clock.sleep(0)
            return "done"
        if depth % 2:
            return await call(lambda: run(step(depth - 1)))

        async def user():
            await asyncio.sleep(0)
            return await step(depth - 1)

        return await call(user)

    assert run(step(nesting * 2 + 1)) == "done"
    assert asyncio.run(step(nesting * 2 + 1)) == "done"


def test_async_callables_of_every_kind_are_recognised():
    import functools

    class Callable:
        async def __call__(self):
            return "called"

    class Methods:
        async def method(self):
            return "method"

    async def function(value):
        return value

    async def all_of_them():
        return [
            await call(Callable()),
            await call(Methods().method),
            await call(functools.partial(function, "partial")),
            await call(lambda: function("lambda")),
        ]

    expected = ["called", "method", "partial", "lambda"]
    assert run(all_of_them()) == expected
    assert asyncio.run(all_of_them()) == expected


def test_in_thread_keeps_the_event_loop_free():
    async def main():
        gate = threading.Event()
        waiting = asyncio.ensure_future(in_thread(gate.wait, 5))
        await asyncio.sleep(0.01)
        gate.set()
        return await waiting

    assert asyncio.run(main()) is True


def test_the_cleanup_of_a_coroutine_that_waited_may_block():
    cleaned = []

    async def waits_and_cleans_up():
        try:
            await asyncio.Future(loop=loop)
        finally:
            await clock.sleep(0)
            cleaned.append(is_blocking())

    loop = asyncio.new_event_loop()
    try:
        with pytest.raises(UsageError, match="waits_and_cleans_up"):
            run(waits_and_cleans_up())
    finally:
        loop.close()
    assert cleaned == [True]


def test_a_cleanup_that_waits_too_does_not_hide_what_was_wrong():
    async def waits_twice():
        try:
            await asyncio.Future(loop=loop)
        finally:
            await asyncio.Future(loop=loop)

    loop = asyncio.new_event_loop()
    try:
        with pytest.raises(UsageError, match=r"waits_twice.*acall"):
            run(waits_twice())
    finally:
        loop.close()


def test_a_mock_is_a_function_like_any_other():
    assert run(call(Mock(return_value=3), 1)) == 3
    assert run(call(AsyncMock(return_value=4), 1)) == 4
