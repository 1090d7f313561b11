"""No more at once than the provider takes: adaptive concurrency, a shared back-off, rates per minute.

One `Limiter` per endpoint and key, shared by every LM that uses it. `Limited` holds a place for a whole
call; `Paced`, around each single attempt, keeps to the rates and tells the limiter what the provider said.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

from dspx.errors import LMError, LMOverloadedError, LMQueueTimeoutError, LMRateLimitError, UsageError
from dspx.lm.asker import Asker
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.lm.retry import LONGEST_WAIT, time_left
from dspx.runtime import clock
from dspx.runtime.bridge import is_async_here, is_blocking
from dspx.runtime.locks import Lock
from dspx.runtime.scope import Scoped
from dspx.runtime.waiting import Signal

Overflow = Literal["wait", "reject", "drop_oldest"]

_SHRINK = 0.8


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user sets. None is without a limit; the concurrency then adapts to the provider's 429s.

    `queue_size` calls may wait for a place; one more waits too (`overflow="wait"`), is turned away
    ("reject"), or turns the oldest away ("drop_oldest"). None may wait for longer than `queue_timeout` seconds.
    """

    max_in_flight: int | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    overflow: Overflow = "wait"
    queue_size: int = 1000
    queue_timeout: float | None = None

    def __post_init__(self) -> None:
        if self.overflow not in ("wait", "reject", "drop_oldest"):
            raise UsageError(f'overflow is "wait", "reject" or "drop_oldest", not {self.overflow!r}.')
        for name in ("max_in_flight", "requests_per_minute", "tokens_per_minute"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise UsageError(f"{name} has to be positive, not {value!r}.")


class Limiter:
    """Plain arithmetic under one short lock; whoever has to wait does so outside of it."""

    def __init__(self, limits: Limits | None = None, *, name: str = "the endpoint") -> None:
        self.name = name
        self._lock = Lock()
        self._queue: deque[_Place] = deque()
        self._in_flight = 0
        self._adapted = math.inf
        self._shrinks = 0
        self._pause_until = 0.0
        self.configure(limits or Limits())

    def configure(self, limits: Limits) -> None:
        """Set the limits anew, also while calls are in flight."""
        with self._lock:
            self.limits = limits
            self._requests = _Bucket.per_minute(limits.requests_per_minute)
            self._tokens = _Bucket.per_minute(limits.tokens_per_minute)
            woken = self._admit()
        _wake(woken)

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def waiting(self) -> int:
        return len(self._queue)

    @property
    def concurrency(self) -> float:
        """How many calls may be in flight now; infinite until the provider first says that it is too much."""
        most = self.limits.max_in_flight
        return self._adapted if most is None else min(self._adapted, most)

    # ------------------------------------------------------------ places

    async def enter(self) -> None:
        """Take a place, waiting for one if need be. LMOverloadedError, LMQueueTimeoutError where there is none."""
        with self._lock:
            # A sync call on a loop's own thread must not wait: who holds the place may be a task of that loop.
            if self._has_room() or (is_blocking() and is_async_here()):
                self._in_flight += 1
                return
            place, dropped = self._line_up()
        if dropped is not None:
            dropped.signal.give()
        try:
            came = await place.signal.wait(self.limits.queue_timeout)
        except BaseException:
            self._give_up(place)
            raise
        if not came and not self._give_up(place, keep=True):
            raise LMQueueTimeoutError(
                f"The call waited {self.limits.queue_timeout:g} s for a place at {self.name}, where "
                f"{self._in_flight} calls are in flight. Raise queue_timeout, or ask fewer at once."
            )
        if place.dropped:
            raise self._overloaded("it was the oldest that waited")

    def leave(self) -> None:
        """Give the place to whoever waits."""
        with self._lock:
            self._in_flight -= 1
            woken = self._admit()
        _wake(woken)

    def _has_room(self) -> bool:
        return not self._queue and self._in_flight < self.concurrency

    def _line_up(self) -> tuple[_Place, _Place | None]:
        dropped = None
        if len(self._queue) >= self.limits.queue_size and self.limits.overflow != "wait":
            if self.limits.overflow == "reject" or not self._queue:
                raise self._overloaded("its queue is full")
            dropped = self._queue.popleft()
            dropped.dropped = True
        place = _Place()
        self._queue.append(place)
        return place, dropped

    def _give_up(self, place: _Place, *, keep: bool = False) -> bool:
        """Leave the queue. True if the place had been given (or refused) meanwhile; it is passed on unless `keep`."""
        with self._lock:
            if not place.admitted and not place.dropped:
                self._queue.remove(place)
                return False
        if place.admitted and not keep:
            self.leave()
        return True

    def _admit(self) -> list[_Place]:
        woken: list[_Place] = []
        while self._queue and self._in_flight < self.concurrency:
            place = self._queue.popleft()
            place.admitted = True
            self._in_flight += 1
            woken.append(place)
        return woken

    def _overloaded(self, why: str) -> LMOverloadedError:
        return LMOverloadedError(
            f"The call was turned away at {self.name}: {why} ({self._in_flight} in flight, "
            f"queue_size={self.limits.queue_size}, overflow={self.limits.overflow!r})."
        )

    # ------------------------------------------------------------ pace

    async def pace(self, tokens: float) -> int:
        """Wait until one more attempt of about `tokens` may start; gives a stamp for `answered` and `refused`.

        LMRateLimitError where the provider's pause outlasts the call's deadline, or `LONGEST_WAIT`.
        """
        if self._requests is not None or self._tokens is not None:
            with self._lock:
                now = clock.now()
                delay = max(
                    self._requests.reserve(now, 1) if self._requests is not None else 0.0,
                    self._tokens.reserve(now, tokens) if self._tokens is not None else 0.0,
                )
            if delay > 0:
                await clock.sleep(delay)
        while self._pause_until and (left := self._pause_until - clock.now()) > 0:
            if left > (time_left(LONGEST_WAIT) or 0.0):
                raise LMRateLimitError(
                    f"{self.name} asked for a pause that lasts another {left:.0f} s, which is longer than this call may wait.",
                    retry_after=left,
                )
            await clock.sleep(left)
        return self._shrinks

    def answered(self, estimated: float, used: float | None) -> None:
        """An attempt succeeded: room for one more per round, and the tokens that it really used."""
        if self._adapted == math.inf and self._tokens is None:
            return
        with self._lock:
            # Room that is not used proves nothing about what the provider would take.
            if self._adapted != math.inf and 2 * self._in_flight >= self._adapted:
                self._adapted += 1 / self._adapted
            if self._tokens is not None and used is not None:
                self._tokens.level -= used - estimated
            woken = self._admit()
        _wake(woken)

    def refused(self, stamp: int, retry_after: float | None) -> None:
        """The provider said 429: a fifth less at once, and nobody asks before the time that it named."""
        with self._lock:
            # One burst gets many 429s; those of attempts from before the last cut do not cut again.
            if stamp == self._shrinks:
                self._shrinks += 1
                self._adapted = max(1.0, min(self.concurrency, max(1, self._in_flight)) * _SHRINK)
            if retry_after:
                self._pause_until = max(self._pause_until, clock.now() + retry_after)


class Limited:
    """Asks within a place of the limiter. Calls made while holding one (from a stream's listener) need no second."""

    def __init__(self, inner: Asker, limiter: Limiter) -> None:
        self.inner = inner
        self.limiter = limiter

    async def ask(self, request: Request) -> Response:
        limiter = self.limiter
        held = _held.get()
        if limiter in held:
            return await self.inner.ask(request)
        await limiter.enter()
        try:
            token = _held.set((*held, limiter))
            try:
                return await self.inner.ask(request)
            finally:
                _held.reset(token)
        finally:
            limiter.leave()


class Paced:
    """One attempt: starts when the rates allow it, and reports what came of it."""

    def __init__(self, inner: Asker, limiter: Limiter) -> None:
        self.inner = inner
        self.limiter = limiter

    async def ask(self, request: Request) -> Response:
        limiter = self.limiter
        tokens = estimate_tokens(request) if limiter.limits.tokens_per_minute is not None else 0.0
        stamp = await limiter.pace(tokens)
        try:
            response = await self.inner.ask(request)
        except LMError as error:
            if isinstance(error, LMRateLimitError):
                limiter.refused(stamp, error.retry_after)
            raise
        limiter.answered(tokens, response.usage.total_tokens or None)
        return response


def limiter_of(key: Hashable, limits: Limits | None = None, *, name: str = "the endpoint") -> Limiter:
    """The limiter that everybody with this key (endpoint, API key) shares. `limits`, where given, become its limits."""
    with _registry_lock:
        limiter = _limiters.get(key)
        if limiter is None:
            limiter = _limiters[key] = Limiter(limits, name=name)
            return limiter
    if limits is not None and limits != limiter.limits:
        limiter.configure(limits)
    return limiter


def forget_limiters() -> None:
    """Start afresh; LMs that hold a limiter keep it."""
    with _registry_lock:
        _limiters.clear()


def estimate_tokens(request: Request) -> float:
    """About how many tokens a request will use: a quarter of its characters, plus the answer's limit."""
    characters = 0
    for message in request.messages:
        content = message.get("content")
        if isinstance(content, str):
            characters += len(content)
        elif isinstance(content, list):
            characters += sum(len(part.get("text") or "") for part in content if isinstance(part, dict))
    answer = request.params.get("max_tokens") or request.params.get("max_completion_tokens") or 0
    return characters / 4 + answer


class _Place:
    """One call in the queue."""

    __slots__ = ("admitted", "dropped", "signal")

    def __init__(self) -> None:
        self.signal = Signal()
        self.admitted = False
        self.dropped = False


def _wake(places: list[_Place]) -> None:
    for place in places:
        place.signal.give()


@dataclass(slots=True)
class _Bucket:
    """So much per minute: a tenth at once, the rest evenly, so that no minute ever sees more than the limit."""

    capacity: float
    rate: float  # per second
    level: float
    at: float

    @classmethod
    def per_minute(cls, amount: float | None) -> _Bucket | None:
        if amount is None:
            return None
        capacity = max(1.0, amount / 10) if amount > 1 else amount
        rate = max(amount - capacity, amount / 10) / 60
        return cls(capacity, rate, capacity, clock.now())

    def reserve(self, now: float, cost: float) -> float:
        """Take `cost`; how many seconds to wait until it was there to be taken."""
        self.level = min(self.capacity, self.level + max(0.0, now - self.at) * self.rate) - cost
        self.at = now
        return max(0.0, -self.level / self.rate)


_held: Scoped[tuple[Limiter, ...]] = Scoped("dspx_limiters_held", ())
_limiters: dict[Hashable, Limiter] = {}
_registry_lock = Lock()
