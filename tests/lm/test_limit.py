from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dspx.errors import LMOverloadedError, LMQueueTimeoutError, LMRateLimitError, UsageError
from dspx.lm.limit import Limited, Limiter, Limits, Paced, estimate_tokens, forget_limiters, limiter_of
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.lm.retry import Retrying, RetryPolicy
from dspx.runtime import clock
from dspx.runtime.bridge import run
from dspx.runtime.clock import FakeClock
from tests.lm.layers import Script, answer, asked

Run = Callable[[Coroutine[Any, Any, Any]], Any]
both = pytest.mark.parametrize("run", [run, asyncio.run], ids=["sync", "async"])


@pytest.fixture
def time() -> Iterator[FakeClock]:
    with clock.use(FakeClock()) as fake:
        assert isinstance(fake, FakeClock)
        yield fake


class Room:
    """An asker that holds its callers until told, and counts them."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.lock = threading.Lock()

    async def ask(self, request: Request) -> Response:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        await clock.sleep(0.002)
        with self.lock:
            self.inside -= 1
        return answer()


async def together(asker: Limited, count: int) -> list[Any]:
    return await asyncio.gather(*(asker.ask(asked(str(i))) for i in range(count)), return_exceptions=True)


# ---------------------------------------------------------------- places


def test_a_thousand_are_let_in_before_the_first_429() -> None:
    room = Room()
    asyncio.run(together(Limited(room, Limiter()), 1000))
    assert room.most == 1000


def test_no_more_than_max_in_flight_are_in_flight_in_tasks() -> None:
    room, limiter = Room(), Limiter(Limits(max_in_flight=3))
    results = asyncio.run(together(Limited(room, limiter), 30))
    assert results == [answer()] * 30
    assert room.most == 3
    assert (limiter.in_flight, limiter.waiting) == (0, 0)


def test_no_more_than_max_in_flight_are_in_flight_in_threads_and_tasks_together() -> None:
    room, limiter = Room(), Limiter(Limits(max_in_flight=3))
    asker = Limited(room, limiter)
    with ThreadPoolExecutor(20) as pool:
        futures = [pool.submit(lambda: run(asker.ask(asked()))) for _ in range(40)]
        results = asyncio.run(together(asker, 40))
        assert [future.result(10) for future in futures] == [answer()] * 40
    assert results == [answer()] * 40
    assert room.most == 3
    assert (limiter.in_flight, limiter.waiting) == (0, 0)


def test_a_cancelled_call_gives_up_its_place_in_the_queue_and_in_flight() -> None:
    limiter = Limiter(Limits(max_in_flight=1))

    async def never(request: Request) -> Response:
        await asyncio.sleep(60)
        return answer()

    async def main() -> None:
        first = asyncio.create_task(Limited(Script(never), limiter).ask(asked()))
        second = asyncio.create_task(Limited(Script(), limiter).ask(asked()))
        third = asyncio.create_task(Limited(Script(), limiter).ask(asked()))
        await asyncio.sleep(0.01)
        assert (limiter.in_flight, limiter.waiting) == (1, 2)
        second.cancel()
        await asyncio.sleep(0)
        first.cancel()
        assert await third == answer()

    asyncio.run(main())
    assert (limiter.in_flight, limiter.waiting) == (0, 0)


def test_a_call_cancelled_just_as_it_was_let_in_passes_its_place_on() -> None:
    limiter = Limiter(Limits(max_in_flight=1))

    async def main() -> None:
        await limiter.enter()
        second = asyncio.create_task(Limited(Script(), limiter).ask(asked()))
        third = asyncio.create_task(Limited(Script(), limiter).ask(asked()))
        await asyncio.sleep(0.01)
        limiter.leave()  # the second has the place, and does not know it yet
        second.cancel()
        assert await asyncio.wait_for(third, 5) == answer()

    asyncio.run(main())
    assert (limiter.in_flight, limiter.waiting) == (0, 0)


@both
def test_an_error_gives_the_place_back(run: Run) -> None:
    limiter = Limiter(Limits(max_in_flight=1))
    for _ in range(3):
        with pytest.raises(ValueError, match="x"):
            run(Limited(Script(ValueError("x")), limiter).ask(asked()))
    assert limiter.in_flight == 0


@both
def test_a_call_within_a_call_needs_no_second_place(run: Run) -> None:
    limiter = Limiter(Limits(max_in_flight=1, queue_timeout=1))

    async def nested(request: Request) -> Response:
        return await Limited(Script(), limiter).ask(asked())

    assert run(Limited(Script(nested), limiter).ask(asked())) == answer()


def test_a_sync_call_on_a_loops_own_thread_does_not_wait_for_that_loop() -> None:
    limiter = Limiter(Limits(max_in_flight=1))

    async def main() -> Response:
        await limiter.enter()
        return run(Limited(Script(), limiter).ask(asked()))

    assert asyncio.run(main()) == answer()


# ---------------------------------------------------------------- the queue


@both
def test_waiting_too_long_in_the_queue_is_an_error(run: Run) -> None:
    limiter = Limiter(Limits(max_in_flight=1, queue_timeout=0.03), name="api.test")

    async def main() -> None:
        await Limited(Script(), limiter).ask(asked())

    threading.Thread(target=lambda: asyncio.run(limiter.enter())).run()
    with pytest.raises(LMQueueTimeoutError, match=r"0\.03 s for a place at api\.test"):
        run(main())
    assert limiter.waiting == 0
    limiter.leave()
    run(main())


def test_a_full_queue_rejects() -> None:
    limiter = Limiter(Limits(max_in_flight=1, overflow="reject", queue_size=2))
    results = asyncio.run(together(Limited(Room(), limiter), 5))
    assert [type(result) for result in results] == [Response] * 3 + [LMOverloadedError] * 2


def test_a_full_queue_drops_its_oldest() -> None:
    limiter = Limiter(Limits(max_in_flight=1, overflow="drop_oldest", queue_size=2))
    results = asyncio.run(together(Limited(Room(), limiter), 5))
    kinds = [type(result) for result in results]
    assert kinds == [Response, LMOverloadedError, LMOverloadedError, Response, Response]


def test_a_queue_without_a_seat_rejects_also_where_the_oldest_should_go() -> None:
    limiter = Limiter(Limits(max_in_flight=1, overflow="drop_oldest", queue_size=0))
    results = asyncio.run(together(Limited(Room(), limiter), 2))
    assert [type(result) for result in results] == [Response, LMOverloadedError]


def test_a_full_queue_waits_unless_told_otherwise() -> None:
    limiter = Limiter(Limits(max_in_flight=1, queue_size=1))
    assert asyncio.run(together(Limited(Room(), limiter), 5)) == [answer()] * 5


# ---------------------------------------------------------------- adapting


def limited(inner: Any, limiter: Limiter) -> Limited:
    return Limited(Paced(inner, limiter), limiter)


@both
def test_a_429_cuts_a_fifth_of_what_was_in_flight(run: Run, time: FakeClock) -> None:
    limiter = Limiter()

    async def main() -> None:
        for _ in range(9):
            await limiter.enter()
        with pytest.raises(LMRateLimitError):
            await limited(Script(LMRateLimitError("x")), limiter).ask(asked())

    run(main())
    assert limiter.concurrency == 8


def test_one_burst_of_429s_is_one_cut() -> None:
    limiter = Limiter()

    async def refuse(request: Request) -> Response:
        await asyncio.sleep(0.005)
        raise LMRateLimitError("x")

    asyncio.run(together(limited(Script(refuse), limiter), 100))
    assert limiter.concurrency == 80


@both
def test_it_never_cuts_below_one(run: Run, time: FakeClock) -> None:
    limiter = Limiter()
    for _ in range(10):
        with pytest.raises(LMRateLimitError):
            run(limited(Script(LMRateLimitError("x")), limiter).ask(asked()))
    assert limiter.concurrency == 1


def test_success_widens_it_by_one_per_round_while_it_is_used() -> None:
    limiter = Limiter()
    limiter._adapted = 4.0
    asyncio.run(together(limited(Room(), limiter), 40))
    assert 6 < limiter.concurrency < 12
    limiter._adapted = 100.0
    run(limited(Script(), limiter).ask(asked()))
    assert limiter.concurrency == 100


@both
def test_nobody_asks_before_the_time_that_the_server_named(run: Run, time: FakeClock) -> None:
    limiter = Limiter()
    with pytest.raises(LMRateLimitError):
        run(limited(Script(LMRateLimitError("x", retry_after=12)), limiter).ask(asked()))
    time.advance(2)
    run(limited(Script(), limiter).ask(asked()))
    assert time.slept == [10]
    run(limited(Script(), limiter).ask(asked()))
    assert time.slept == [10]


# ---------------------------------------------------------------- rates


@both
def test_a_pause_longer_than_a_call_may_wait_fails_the_call_at_once(run: Run, time: FakeClock) -> None:
    limiter = Limiter()
    limiter.refused(0, 86_400.0)
    inner = Script(answer())
    with pytest.raises(LMRateLimitError) as raised:
        run(Paced(inner, limiter).ask(asked()))
    assert raised.value.retry_after == 86_400.0
    assert time.slept == []


@both
def test_a_pause_is_not_waited_for_beyond_the_deadline(run: Run, time: FakeClock) -> None:
    limiter = Limiter()
    limiter.refused(0, 20.0)
    patient = Retrying(Paced(Script(answer()), limiter), RetryPolicy(deadline=30.0))
    hurried = Retrying(Paced(Script(answer()), limiter), RetryPolicy(deadline=5.0))
    with pytest.raises(LMRateLimitError):
        run(hurried.ask(asked()))
    assert time.slept == []
    run(patient.ask(asked()))
    assert time.slept == [20.0]


@both
def test_no_minute_sees_more_requests_than_allowed(run: Run, time: FakeClock) -> None:
    limiter = Limiter(Limits(requests_per_minute=60))
    starts: list[float] = []

    async def note(request: Request) -> Response:
        starts.append(time.now())
        return answer()

    asker = limited(Script(note), limiter)
    for _ in range(200):
        run(asker.ask(asked()))
    assert all(sum(at <= start < at + 60 for start in starts) <= 60 for at in starts)
    assert time.now() < 230


@both
def test_tokens_are_estimated_first_and_settled_afterwards(run: Run, time: FakeClock) -> None:
    limiter = Limiter(Limits(tokens_per_minute=6000))
    asker = limited(Script(answer()), limiter)
    run(asker.ask(asked("x" * 2000)))  # estimated 500, used 7
    run(asker.ask(asked("x" * 2000)))
    assert time.slept == []
    greedy = limited(Script(Response("m", (), answer().usage + Response("m", ()).usage)), limiter)
    run(greedy.ask(asked("x" * 40_000)))  # 10,000: more than there is in a minute
    assert time.now() > 60


@both
def test_a_single_request_per_minute_is_possible(run: Run, time: FakeClock) -> None:
    asker = limited(Script(), Limiter(Limits(requests_per_minute=1)))
    run(asker.ask(asked()))
    assert time.now() == 0
    run(asker.ask(asked()))
    assert time.now() >= 60


def test_an_estimate_counts_text_and_the_answers_limit() -> None:
    parts = [{"type": "text", "text": "x" * 40}, {"type": "image_url", "image_url": {"url": "y" * 4000}}]
    request = Request("m", [{"role": "user", "content": parts}, {"role": "assistant"}], {"max_tokens": 100})
    assert estimate_tokens(request) == 110


# ---------------------------------------------------------------- sharing


def test_one_endpoint_and_key_share_a_limiter() -> None:
    forget_limiters()
    first = limiter_of(("h", "k"), name="h")
    assert limiter_of(("h", "k")) is first
    assert limiter_of(("h", "other")) is not first
    assert limiter_of(("h", "k"), Limits(max_in_flight=3)).limits.max_in_flight == 3
    assert limiter_of(("h", "k")).limits.max_in_flight == 3
    forget_limiters()


def test_a_wider_limit_lets_the_waiting_in() -> None:
    limiter = Limiter(Limits(max_in_flight=1))

    async def main() -> None:
        await limiter.enter()
        waiting = asyncio.create_task(limiter.enter())
        await asyncio.sleep(0.005)
        limiter.configure(Limits(max_in_flight=2))
        await asyncio.wait_for(waiting, 5)

    asyncio.run(main())


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="overflow"):
        Limits(overflow="explode")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="max_in_flight"):
        Limits(max_in_flight=0)
