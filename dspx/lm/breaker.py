"""Leave a failing endpoint alone for a while: closed, open, half-open."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal

from dspx.errors import LMCircuitOpenError, LMError, LMServerError, LMTimeoutError, LMTransportError
from dspx.lm.asker import Asker
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.runtime import clock
from dspx.runtime.locks import Lock

logger = logging.getLogger("dspx.lm")

State = Literal["closed", "open", "half-open"]

# The endpoint's own failures. A 429 or another 4xx says nothing about its health.
_FAILURES = (LMTransportError, LMTimeoutError, LMServerError)


@dataclass(frozen=True, slots=True)
class BreakerChange:
    """A breaker went from one state to another."""

    name: str
    before: State
    after: State


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """Opens at `failures` failures that are `share` of the last `calls` calls within `window` seconds.

    After `rest` seconds one call is let through: it closes the breaker or opens it again.
    """

    failures: int = 5
    share: float = 0.5
    calls: int = 20
    window: float = 60.0
    rest: float = 30.0


class Breaker:
    """The state of one endpoint and model. `on_change` callbacks hear of every change; one that fails is logged."""

    def __init__(self, name: str = "the endpoint", policy: BreakerPolicy | None = None) -> None:
        self.name = name
        self.policy = policy or BreakerPolicy()
        self.on_change: list[Callable[[BreakerChange], None]] = []
        self._lock = Lock()
        self._state: State = "closed"
        self._calls: deque[tuple[float, bool]] = deque(maxlen=self.policy.calls)
        self._opened_at = 0.0
        self._probing = False

    @property
    def state(self) -> State:
        return self._state

    def admit(self) -> bool:
        """Let a call pass, True if it is the probe of a half-open breaker. LMCircuitOpenError if it may not."""
        if self._state == "closed":
            return False
        with self._lock:
            change = None
            if self._state == "closed":
                return False
            left = self._opened_at + self.policy.rest - clock.now()
            if self._state == "open" and left <= 0:
                change = self._become("half-open")
            if self._state == "open" or self._probing:
                raise LMCircuitOpenError(
                    f"{self.name} failed too often lately, so it is not asked"
                    + (f" for another {left:.0f} s." if left > 0 else " until a trial call succeeds."),
                    retry_after=max(0.0, left),
                )
            self._probing = True
        self._tell(change)
        return True

    def succeeded(self, probe: bool) -> None:
        """A call that was let pass was answered."""
        with self._lock:
            change = None
            if probe:
                self._probing = False
                self._calls.clear()
                change = self._become("closed")
            self._calls.append((clock.now(), True))
        self._tell(change)

    def failed(self, probe: bool) -> None:
        """A call that was let pass met a failure of the endpoint."""
        now = clock.now()
        with self._lock:
            self._calls.append((now, False))
            if probe:
                self._probing = False
            change = None
            if probe or (self._state == "closed" and self._fails_too_often(now)):
                self._opened_at = now
                change = self._become("open")
        self._tell(change)

    def neither(self, probe: bool) -> None:
        """A call that was let pass ended without saying anything about the endpoint."""
        if probe:
            with self._lock:
                self._probing = False

    def _fails_too_often(self, now: float) -> bool:
        recent = [ok for at, ok in self._calls if now - at <= self.policy.window]
        failures = recent.count(False)
        return failures >= self.policy.failures and failures >= self.policy.share * len(recent)

    def _become(self, state: State) -> BreakerChange | None:
        before, self._state = self._state, state
        return BreakerChange(self.name, before, state) if before != state else None

    def _tell(self, change: BreakerChange | None) -> None:
        if change is not None:
            for listener in list(self.on_change):
                try:
                    listener(change)
                except Exception:
                    logger.warning(
                        "A listener of %s's breaker failed: %r", self.name, listener, exc_info=True
                    )


class Guarded:
    """Asks unless the breaker is open, and tells it how that went."""

    def __init__(self, inner: Asker, breaker: Breaker) -> None:
        self.inner = inner
        self.breaker = breaker

    async def ask(self, request: Request) -> Response:
        breaker = self.breaker
        probe = breaker.admit()
        try:
            response = await self.inner.ask(request)
        except LMError as error:
            (breaker.failed if isinstance(error, _FAILURES) else breaker.neither)(probe)
            raise
        except BaseException:
            breaker.neither(probe)
            raise
        breaker.succeeded(probe)
        return response


def breaker_of(key: Hashable, *, name: str = "the endpoint") -> Breaker:
    """The breaker that everybody with this key (endpoint, model) shares."""
    with _registry_lock:
        breaker = _breakers.get(key)
        if breaker is None:
            breaker = _breakers[key] = Breaker(name)
        return breaker


def forget_breakers() -> None:
    """Start afresh; LMs that hold a breaker keep it."""
    with _registry_lock:
        _breakers.clear()


_breakers: dict[Hashable, Breaker] = {}
_registry_lock = Lock()
