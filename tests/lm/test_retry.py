from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from dspx.core import streams
from dspx.core.streams import Delta
from dspx.errors import (
    LMAuthError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMTransportError,
    UsageError,
)
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.lm.retry import Retrying, RetryPolicy, time_left
from dspx.runtime import clock
from dspx.runtime.bridge import run
from dspx.runtime.clock import FakeClock
from tests.lm.layers import Script, Sink, answer, asked

Run = Callable[[Coroutine[Any, Any, Any]], Any]
both = pytest.mark.parametrize("run", [run, asyncio.run], ids=["sync", "async"])


@pytest.fixture
def time() -> Iterator[FakeClock]:
    with clock.use(FakeClock()) as fake:
        assert isinstance(fake, FakeClock)
        yield fake


@both
def test_an_answer_is_passed_on_without_waiting(run: Run, time: FakeClock) -> None:
    assert run(Retrying(Script()).ask(asked())) == answer()
    assert time.slept == []


@both
def test_a_rate_limit_waits_as_long_as_the_server_asks(run: Run, time: FakeClock) -> None:
    inner = Script(
        LMRateLimitError("slow", retry_after=7.5), LMRateLimitError("slow", retry_after=2), answer()
    )
    assert run(Retrying(inner).ask(asked())) == answer()
    assert time.slept == [7.5, 2]


@both
@pytest.mark.parametrize("error", [LMServerError("x"), LMTimeoutError("x"), LMTransportError("x")])
def test_waits_double_give_or_take_a_quarter(run: Run, time: FakeClock, error: Exception) -> None:
    inner = Script(error, error, error, error, error, error, error, error, error, answer())
    run(Retrying(inner, RetryPolicy(num_retries=9)).ask(asked()))
    usual = [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    assert all(0.75 * u <= slept <= 1.25 * u for slept, u in zip(time.slept, usual, strict=True))


@both
def test_the_last_error_is_raised_when_the_retries_are_used_up(run: Run, time: FakeClock) -> None:
    errors = [LMServerError(str(i)) for i in range(5)]
    inner = Script(*errors)
    with pytest.raises(LMServerError, match="3"):
        run(Retrying(inner, RetryPolicy(num_retries=3)).ask(asked()))
    assert inner.calls == 4


@both
@pytest.mark.parametrize("error", [LMAuthError("x"), UsageError("x"), ValueError("x"), KeyboardInterrupt()])
def test_what_waiting_does_not_cure_is_raised_at_once(
    run: Run, time: FakeClock, error: BaseException
) -> None:
    inner = Script(error)
    with pytest.raises(type(error)):
        run(Retrying(inner).ask(asked()))
    assert inner.calls == 1


@both
def test_an_error_that_is_not_retryable_ends_the_retries(run: Run, time: FakeClock) -> None:
    inner = Script(LMServerError("x"), LMAuthError("y"))
    with pytest.raises(LMAuthError):
        run(Retrying(inner).ask(asked()))
    assert inner.calls == 2


@both
def test_whether_to_try_again_is_the_errors_word(run: Run, time: FakeClock) -> None:
    error = LMServerError("501")
    error.retryable = False
    inner = Script(error)
    with pytest.raises(LMServerError):
        run(Retrying(inner).ask(asked()))
    assert inner.calls == 1


@both
def test_no_retries_are_no_retries(run: Run, time: FakeClock) -> None:
    inner = Script(LMServerError("x"))
    with pytest.raises(LMServerError):
        run(Retrying(inner, RetryPolicy(num_retries=0)).ask(asked()))
    assert inner.calls == 1


@both
def test_the_deadline_is_for_all_attempts_together(run: Run, time: FakeClock) -> None:
    inner = Script(LMServerError("x"))
    with pytest.raises(LMServerError):
        run(Retrying(inner, RetryPolicy(num_retries=100, deadline=10)).ask(asked()))
    assert time.now() <= 10
    assert 3 <= inner.calls <= 6


@both
def test_a_wait_beyond_the_deadline_is_not_begun(run: Run, time: FakeClock) -> None:
    inner = Script(LMRateLimitError("x", retry_after=11))
    with pytest.raises(LMRateLimitError):
        run(Retrying(inner, RetryPolicy(deadline=10)).ask(asked()))
    assert time.slept == []


@both
def test_a_server_that_wants_hours_gets_no_further_call(run: Run, time: FakeClock) -> None:
    inner = Script(LMRateLimitError("x", retry_after=3600))
    with pytest.raises(LMRateLimitError):
        run(Retrying(inner).ask(asked()))
    assert time.slept == []


@both
def test_an_attempt_knows_how_much_time_is_left(run: Run, time: FakeClock) -> None:
    seen: list[float | None] = []

    async def attempt(request: Request) -> Response:
        seen.append(time_left(60))
        seen.append(time_left(3))
        seen.append(time_left(None))
        return answer()

    inner = Script(LMRateLimitError("x", retry_after=4), attempt)
    run(Retrying(inner, RetryPolicy(deadline=10)).ask(asked()))
    assert seen == [6, 3, 6]
    assert time_left(60) == 60
    assert time_left(None) is None


@both
def test_an_attempt_after_the_deadline_is_a_timeout(run: Run, time: FakeClock) -> None:
    async def late(request: Request) -> Response:
        time.advance(20)
        time_left(5)
        return answer()

    with pytest.raises(LMTimeoutError, match="deadline"):
        run(Retrying(Script(late), RetryPolicy(num_retries=0, deadline=10)).ask(asked()))


@both
def test_what_the_user_saw_is_never_asked_for_again(run: Run, time: FakeClock) -> None:
    async def half(request: Request) -> Response:
        sink = streams.sink.get()
        assert sink is not None
        sink.on_delta(Delta("half of"))
        raise LMServerError("gone")

    inner = Script(half)
    sink = Sink()
    with streams.sink.using(sink), pytest.raises(LMServerError):
        run(Retrying(inner).ask(asked()))
    assert (inner.calls, sink.texts) == (1, ["half of"])


@both
def test_a_stream_that_showed_nothing_yet_is_tried_again(run: Run, time: FakeClock) -> None:
    async def whole(request: Request) -> Response:
        sink = streams.sink.get()
        assert sink is not None
        sink.on_delta(Delta("whole"))
        return answer()

    sink = Sink()
    with streams.sink.using(sink):
        run(Retrying(Script(LMServerError("x"), whole)).ask(asked()))
    assert sink.texts == ["whole"]


@both
def test_a_cancelled_wait_ends_the_call(run: Run) -> None:
    inner = Script(LMServerError("x"))

    class Interrupted(FakeClock):
        async def sleep(self, seconds: float) -> None:
            raise KeyboardInterrupt

    with clock.use(Interrupted()), pytest.raises(KeyboardInterrupt):
        run(Retrying(inner).ask(asked()))
    assert inner.calls == 1


def test_tenacity_is_not_imported_until_something_fails() -> None:
    code = (
        "import sys; from dspx.lm.retry import Retrying; from tests.lm.layers import Script, asked\n"
        "from dspx.runtime.bridge import run; run(Retrying(Script()).ask(asked()))\n"
        "assert 'tenacity' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
