import asyncio
import threading
import time
from contextvars import ContextVar

import pytest

from dspx.core.settings import context, settings
from dspx.runtime import workers as threads
from dspx.runtime.bridge import call, run
from dspx.runtime.fanout import Stop, bind_context, fan_out


async def double(x):
    return x * 2


def both_ways(make):
    """The fan-out in a sync call and in an async one."""

    async def main():
        return await make()

    return [run(make()), asyncio.run(main())]


@pytest.mark.parametrize("workers", [1, 4, 100])
def test_results_keep_the_order_of_the_items(workers):
    for outcomes in both_ways(lambda: fan_out(double, range(50), workers=workers)):
        assert [outcome.value for outcome in outcomes] == [x * 2 for x in range(50)]


def test_an_error_is_the_outcome_of_its_item_alone():
    async def odd_fails(x):
        if x % 2:
            raise ValueError(x)
        return x

    for outcomes in both_ways(lambda: fan_out(odd_fails, range(4), workers=2)):
        assert [outcome.ok for outcome in outcomes] == [True, False, True, False]
        assert str(outcomes[3].error) == "3"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_sync_fan_out_on_a_loop_s_thread_still_calls_async_functions(workers):
    async def users(x):
        await asyncio.sleep(0)
        return x * 2

    async def cell():
        return run(fan_out(lambda x: call(users, x), range(4), workers=workers))

    assert [outcome.value for outcome in asyncio.run(cell())] == [0, 2, 4, 6]


@pytest.mark.parametrize("workers", [1, 3])
def test_never_more_at_work_than_workers(workers):
    at_work, most, lock = 0, 0, threading.Lock()

    async def one(_):
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        await call(time.sleep, 0.002)
        with lock:
            at_work -= 1

    for outcomes in both_ways(lambda: fan_out(one, range(12), workers=workers)):
        assert all(outcome.ok for outcome in outcomes)
    assert most == workers


@pytest.mark.parametrize("short_ones_first", [0, 500])
def test_items_that_wait_for_each_other_are_all_started(short_ones_first):
    together = threading.Barrier(8)

    async def one(place):
        if place >= short_ones_first:
            together.wait(5)
        return threading.get_ident()

    outcomes = run(fan_out(one, range(short_ones_first + 8), workers=8))
    assert all(outcome.ok for outcome in outcomes)
    assert len({outcome.value for outcome in outcomes[short_ones_first:]}) == 8


def test_short_items_are_done_by_one_thread():
    async def one(_):
        return threading.get_ident()

    outcomes = run(fan_out(one, range(100), workers=8))
    assert len({outcome.value for outcome in outcomes}) == 1
    assert outcomes[0].value != threading.get_ident()


def test_fan_outs_whose_items_wait_for_each_other_nest():
    together = threading.Barrier(9)

    async def inner(_):
        together.wait(5)

    async def outer(_):
        return [outcome.ok for outcome in await fan_out(inner, range(3), workers=3)]

    outcomes = run(fan_out(outer, range(3), workers=3))
    assert [outcome.value for outcome in outcomes] == [[True] * 3] * 3


def test_stop_leaves_the_rest_unstarted():
    for is_async in (False, True):
        stop = Stop()

        def on_done(outcome, stop=stop):
            if outcome.index == 2:
                stop.set()

        work = fan_out(double, range(10), workers=1, on_done=on_done, stop=stop)
        outcomes = asyncio.run(_awaited(work)) if is_async else run(work)
        assert [outcome.started for outcome in outcomes] == [True] * 3 + [False] * 7


async def _awaited(work):
    return await work


def test_settings_follow_the_work_into_threads_and_tasks():
    async def read(_):
        return settings.get("flavour")

    with context(flavour="salt"):
        for outcomes in both_ways(lambda: fan_out(read, range(4), workers=2)):
            assert {outcome.value for outcome in outcomes} == {"salt"}


def test_fan_outs_nest_without_deadlock():
    async def outer(x):
        return sum(o.value for o in await fan_out(double, range(x), workers=4))

    for outcomes in both_ways(lambda: fan_out(outer, range(16), workers=4)):
        assert [outcome.value for outcome in outcomes] == [x * (x - 1) for x in range(16)]


def test_a_keyboard_interrupt_stops_the_fan_out_and_is_raised():
    started = []

    async def interrupted(x):
        started.append(x)
        if x == 3:
            raise KeyboardInterrupt
        return x

    for workers in (1, 2):
        started.clear()
        with pytest.raises(KeyboardInterrupt):
            run(fan_out(interrupted, range(1000), workers=workers))
        assert len(started) < 1000


def test_an_item_that_takes_too_long_is_cancelled_in_an_async_call():
    async def slow(x):
        await asyncio.sleep(x)
        return x

    outcomes = asyncio.run(_awaited(fan_out(slow, [0, 5], workers=2, timeout=0.05)))
    assert outcomes[0].ok
    assert isinstance(outcomes[1].error, asyncio.TimeoutError)


def test_a_plain_thread_sees_the_settings_when_its_function_is_bound():
    seen = []
    with context(flavour="salt"):
        work = bind_context(lambda: seen.append(settings.get("flavour")))
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == ["salt"]


def test_what_one_item_leaves_in_its_context_no_other_sees():
    mark = ContextVar("mark", default=None)

    async def leave(x):
        seen = mark.get()
        mark.set(x)
        return seen

    for workers in (1, 3):
        for outcomes in both_ways(lambda workers=workers: fan_out(leave, range(12), workers=workers)):
            assert {outcome.value for outcome in outcomes} == {None}
    assert mark.get() is None


def test_where_a_thread_cannot_start_no_more_items_are_begun(monkeypatch):
    started, gate = [], threading.Event()
    submit = threads.submit

    def only_one(fn, *args):
        if started:
            raise RuntimeError("can't start new thread")
        started.append(submit(fn, *args))
        return started[0]

    async def wait(x):
        gate.wait(5)
        begun.append(x)

    begun: list[int] = []
    monkeypatch.setattr(threads, "submit", only_one)
    with pytest.raises(RuntimeError, match="can't start"):
        run(fan_out(wait, range(5), workers=2))
    gate.set()
    started[0].result(5)
    assert len(begun) <= 1


def test_an_error_of_on_done_ends_the_fan_out_and_is_raised():
    done = []

    def on_done(outcome):
        done.append(outcome.index)
        raise KeyError("on_done")

    for way in (run, asyncio.run):
        done.clear()
        with pytest.raises(KeyError, match="on_done"):
            way(fan_out(double, range(50), workers=2, on_done=on_done))
        assert len(done) <= 2
