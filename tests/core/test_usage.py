import asyncio

from dspx.core.usage import current_tracker, track_usage
from dspx.runtime.bridge import run
from dspx.runtime.fanout import fan_out


async def call_an_lm(n):
    tracker = current_tracker()
    assert tracker is not None
    tracker.add("m", {"total_tokens": n, "details": {"cached": 1}, "flag": True}, cost=0.5)


def test_no_usage_is_lost_in_threads_or_tasks():
    for is_async in (False, True):
        with track_usage() as usage:
            work = fan_out(call_an_lm, [2] * 100, workers=16)
            asyncio.run(_awaited(work)) if is_async else run(work)
        assert usage.get_total_tokens() == {
            "m": {"total_tokens": 200, "details": {"cached": 100}, "flag": True}
        }
        assert usage.total_cost == 50.0
        assert usage.calls == 100


async def _awaited(work):
    return await work


def test_an_inner_tracker_counts_in_the_outer_one():
    with track_usage() as outer:
        run(call_an_lm(1))
        with track_usage() as inner:
            run(call_an_lm(2))
    assert (inner.total_tokens, outer.total_tokens) == (2, 3)
    assert len(outer.usage_data["m"]) == 2


def test_a_cache_hit_is_a_hit_and_costs_nothing():
    with track_usage() as usage:
        usage.add("m", {"total_tokens": 5}, cost=1.0, cache_hit=True)
    assert (usage.calls, usage.cache_hits, usage.total_tokens, usage.total_cost) == (0, 1, 0, None)
    assert usage.get_total_tokens() == {}
