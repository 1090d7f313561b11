"""Wait before trying again: which errors, how long, how often."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dspx.core import streams
from dspx.errors import LMError, LMTimeoutError
from dspx.lm.asker import Asker
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.lm.seen import watching
from dspx.runtime import clock
from dspx.runtime.scope import Scoped

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 60.0

LONGEST_WAIT = 300.0
"""What a provider may ask for (Retry-After) and be obeyed; where it wants more, the call fails at once."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`num_retries` more attempts after the first, all within `deadline` seconds (None: no limit).

    The wait is what the provider asks for (Retry-After), else 0.5, 1, 2, 4 … 60 seconds, give or take a
    quarter. An attempt that could not start before the deadline, or that the provider wants later than
    `longest_wait`, is not waited for: the error is raised at once.
    """

    num_retries: int = 5
    deadline: float | None = None
    longest_wait: float = LONGEST_WAIT

    def wait(self, error: BaseException | None, attempt: int) -> float:
        """Seconds before the attempt after number `attempt`, which ended in `error`."""
        asked = error.retry_after if isinstance(error, LMError) else None
        if asked is not None:
            return max(0.0, asked)
        usual = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** (attempt - 1))
        return usual * random.uniform(0.75, 1.25)


class Retrying:
    """Asks again where the error says that it may help (`error.retryable`), never after the user saw a piece."""

    def __init__(self, inner: Asker, policy: RetryPolicy | None = None) -> None:
        self.inner = inner
        self.policy = policy or RetryPolicy()

    async def ask(self, request: Request) -> Response:
        if streams.sink.get() is None:
            return await retrying(lambda: self.inner.ask(request), self.policy)
        with watching() as seen:
            return await retrying(lambda: self.inner.ask(request), self.policy, lambda _: not seen)


async def retrying(
    make: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    allowed: Callable[[LMError], bool] = lambda error: True,
) -> T:
    """What `make` gives, tried again by `policy` while its errors are retryable and `allowed`."""
    if policy.deadline is None:
        return await _tried(make, policy, None, allowed)
    end = clock.now() + policy.deadline
    with _end.using(end):
        return await _tried(make, policy, end, allowed)


def time_left(timeout: float | None) -> float | None:
    """`timeout`, or what is left until the deadline of the call around, whichever is shorter.

    LMTimeoutError where nothing is left.
    """
    end = _end.get()
    if end is None:
        return timeout
    left = end - clock.now()
    if left <= 0:
        raise LMTimeoutError("The deadline of the call passed before the attempt could start.")
    return left if timeout is None else min(left, timeout)


_end: Scoped[float | None] = Scoped("dspx_lm_deadline", None)


async def _tried(
    make: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    end: float | None,
    allowed: Callable[[LMError], bool],
) -> T:
    try:
        return await make()
    except LMError as error:
        if policy.num_retries < 1 or not error.retryable or not allowed(error):
            raise
        first = error
    # Most calls never get here, so tenacity and its objects come only now.
    return await _tried_again(make, policy, end, allowed, first)


async def _tried_again(
    make: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    end: float | None,
    allowed: Callable[[LMError], bool],
    first: LMError,
) -> T:
    import tenacity

    def is_worth_it(error: BaseException) -> bool:
        return isinstance(error, LMError) and error.retryable and allowed(error)

    def is_over(state: RetryCallState) -> bool:
        wait = state.upcoming_sleep
        return (
            state.attempt_number > policy.num_retries
            or wait > policy.longest_wait
            or (end is not None and clock.now() + wait >= end)
        )

    def wait(state: RetryCallState) -> float:
        outcome = state.outcome
        return policy.wait(outcome.exception() if outcome is not None else None, state.attempt_number)

    attempts = tenacity.AsyncRetrying(
        sleep=clock.sleep,
        wait=wait,
        stop=is_over,
        retry=tenacity.retry_if_exception(is_worth_it),
        reraise=True,
    )
    failed: LMError | None = first
    async for attempt in attempts:
        with attempt:
            if failed is not None:
                # The first attempt was made without tenacity: hand it its outcome.
                error, failed = failed, None
                raise error
            return await make()
    raise first
