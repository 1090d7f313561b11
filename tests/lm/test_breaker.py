from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from dspx.errors import (
    LMAuthError,
    LMCircuitOpenError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMTransportError,
)
from dspx.lm.breaker import Breaker, BreakerChange, Guarded, breaker_of, forget_breakers
from dspx.lm.request import Request
from dspx.lm.response import Response
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


@pytest.fixture
def breaker(time: FakeClock) -> Breaker:
    return Breaker("m at api.test")


def meet(breaker: Breaker, *outcomes: BaseException | None, run: Run = run) -> None:
    for outcome in outcomes:
        step = answer() if outcome is None else outcome
        try:
            run(Guarded(Script(step), breaker).ask(asked()))
        except LMCircuitOpenError:
            raise
        except BaseException as error:
            if error is not outcome:
                raise


DOWN = LMServerError("503")


@both
def test_it_opens_at_five_failures_that_are_half_of_the_calls(breaker: Breaker, run: Run) -> None:
    meet(breaker, *[None, DOWN] * 4, run=run)
    assert breaker.state == "closed"
    meet(breaker, DOWN, run=run)
    assert breaker.state == "open"
    with pytest.raises(LMCircuitOpenError, match=r"m at api\.test failed too often.* 30 s") as caught:
        meet(breaker, None, run=run)
    assert caught.value.retry_after == 30
    assert not caught.value.retryable


def test_four_failures_do_not_open_it(breaker: Breaker) -> None:
    meet(breaker, *[DOWN] * 4)
    assert breaker.state == "closed"


def test_five_failures_among_many_successes_do_not_open_it(breaker: Breaker) -> None:
    meet(breaker, *[None] * 15, *[DOWN] * 5)
    assert breaker.state == "closed"


def test_only_the_last_twenty_calls_count(breaker: Breaker) -> None:
    meet(breaker, *[None] * 100, *[DOWN] * 9)
    assert breaker.state == "closed"
    meet(breaker, DOWN)
    assert breaker.state == "open"


def test_only_the_last_minute_counts(breaker: Breaker, time: FakeClock) -> None:
    meet(breaker, *[DOWN] * 4)
    time.advance(61)
    meet(breaker, *[DOWN] * 4)
    assert breaker.state == "closed"


@pytest.mark.parametrize(
    "error", [LMRateLimitError("429"), LMAuthError("401"), ValueError("x"), KeyboardInterrupt()]
)
def test_what_is_not_the_endpoints_failure_counts_as_nothing(breaker: Breaker, error: BaseException) -> None:
    meet(breaker, *[error] * 50)
    assert breaker.state == "closed"
    meet(breaker, *[LMTimeoutError("t")] * 3, *[LMTransportError("r")] * 2)
    assert breaker.state == "open"


def test_after_half_a_minute_one_call_closes_it(breaker: Breaker, time: FakeClock) -> None:
    changes: list[BreakerChange] = []
    breaker.on_change.append(changes.append)
    meet(breaker, *[DOWN] * 5)
    time.advance(29)
    with pytest.raises(LMCircuitOpenError):
        meet(breaker, None)
    time.advance(1)
    meet(breaker, None)
    assert breaker.state == "closed"
    assert [(change.before, change.after) for change in changes] == [
        ("closed", "open"),
        ("open", "half-open"),
        ("half-open", "closed"),
    ]
    meet(breaker, *[DOWN] * 4)
    assert breaker.state == "closed"


def test_after_half_a_minute_one_failure_opens_it_again(breaker: Breaker, time: FakeClock) -> None:
    meet(breaker, *[DOWN] * 5)
    time.advance(30)
    meet(breaker, DOWN)
    assert breaker.state == "open"
    time.advance(29)
    with pytest.raises(LMCircuitOpenError):
        meet(breaker, None)


def test_half_open_admits_one_at_a_time(breaker: Breaker, time: FakeClock) -> None:
    meet(breaker, *[DOWN] * 5)
    time.advance(30)

    async def main() -> list[Any]:
        hold = asyncio.Event()

        async def wait(request: Request) -> Response:
            await hold.wait()
            return answer()

        guarded = Guarded(Script(wait), breaker)
        first = asyncio.create_task(guarded.ask(asked()))
        await asyncio.sleep(0)
        others = await asyncio.gather(*(guarded.ask(asked()) for _ in range(5)), return_exceptions=True)
        hold.set()
        return [await first, *others]

    results = asyncio.run(main())
    assert results[0] == answer()
    assert [type(result) for result in results[1:]] == [LMCircuitOpenError] * 5


@pytest.mark.parametrize("error", [LMRateLimitError("429"), KeyboardInterrupt()])
def test_a_trial_that_says_nothing_lets_the_next_one_try(
    breaker: Breaker, time: FakeClock, error: BaseException
) -> None:
    meet(breaker, *[DOWN] * 5)
    time.advance(30)
    meet(breaker, error)
    assert breaker.state == "half-open"
    meet(breaker, None)
    assert breaker.state == "closed"


def test_a_late_answer_from_before_does_not_close_it(breaker: Breaker) -> None:
    probe = breaker.admit()
    meet(breaker, *[DOWN] * 5)
    breaker.succeeded(probe)
    assert breaker.state == "open"


def test_one_endpoint_and_model_share_a_breaker() -> None:
    forget_breakers()
    assert breaker_of(("h", "m")) is breaker_of(("h", "m"))
    assert breaker_of(("h", "m")) is not breaker_of(("h", "n"))
    forget_breakers()


def test_a_listener_that_fails_neither_hides_the_error_nor_blocks_the_trial(
    breaker: Breaker, time: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(change: BreakerChange) -> None:
        raise KeyError("listener")

    breaker.on_change.append(fails)
    meet(breaker, *[LMServerError("down")] * 5)
    assert breaker.state == "open"
    time.advance(31)
    meet(breaker, None)
    assert breaker.state == "closed"
    assert "A listener" in caplog.text
