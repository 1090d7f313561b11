"""Try a module several times and keep the attempt with the highest reward."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dspx.core.calls import entrance
from dspx.core.candidate import LeafValues, bound
from dspx.core.module import Module
from dspx.core.settings import context, snapshot
from dspx.core.trace import Step, record_step
from dspx.errors import UsageError
from dspx.modules.rollout import another_rollout

logger = logging.getLogger("dspx.modules")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of the module: what it said, by which steps, and what that was worth."""

    prediction: Any
    trace: list[Step]
    reward: float


class Attempts(Module):
    """What `BestOfN` and `Refine` share. Nothing is changed or copied: each attempt binds its own values."""

    module: Any

    def __init__(
        self,
        module: Module,
        N: int,
        reward_fn: Callable[[dict[str, Any], Any], Any],
        threshold: float | None,
        fail_count: int | None = None,
    ) -> None:
        super().__init__()
        if N < 1:
            raise UsageError(f"{type(self).__name__}(N={N}): it takes at least one attempt.")
        self.module = module
        self.N = N
        self.threshold = threshold
        self.fail_count = N if fail_count is None else fail_count
        self.reward_fn = _Hidden(reward_fn)

    async def aforward(self, **kwargs: Any) -> Any:
        best: Attempt | None = None
        values: Mapping[int, LeafValues] = another_rollout(self.module, 0, temperature=1.0)
        failures = 0
        for number in range(self.N):
            try:
                attempt = await self._attempt(values, kwargs)
            except Exception as error:
                failures += 1
                logger.warning(
                    "%s: attempt %d of %d failed: %s", type(self).__name__, number + 1, self.N, error
                )
                if failures > self.fail_count or (best is None and number == self.N - 1):
                    raise
                attempt = None
            if attempt is not None and (best is None or attempt.reward > best.reward):
                best = attempt
            if attempt is not None and self._good_enough(attempt):
                break
            if number < self.N - 1:
                values = await self.values_for(number + 1, attempt, values, kwargs)
        assert best is not None
        settings = snapshot()
        for step in best.trace:
            record_step(settings, *step)
        return best.prediction

    async def values_for(
        self,
        number: int,
        last: Attempt | None,
        before: Mapping[int, LeafValues],
        kwargs: dict[str, Any],
    ) -> Mapping[int, LeafValues]:
        """What attempt `number` (from 0) uses instead of the module's own. `last` is the attempt before it,
        None where that failed, and `before` what that used."""
        return another_rollout(self.module, number, temperature=1.0)

    async def _attempt(self, values: Mapping[int, LeafValues], kwargs: dict[str, Any]) -> Attempt:
        trace: list[Step] = []
        with context(trace=trace), bound.using(values):
            prediction = await entrance(self.module)(**kwargs)
        with context(trace=None):  # the steps of a judge are not the program's
            reward = await self.reward_fn.ask(kwargs, prediction)
        if reward is None:
            raise UsageError("The reward function returned None; it must return a number.")
        return Attempt(prediction, trace, float(reward))

    def _good_enough(self, attempt: Attempt) -> bool:
        return self.threshold is not None and attempt.reward >= self.threshold


class _Hidden:
    """A reward function, kept so that a module used as one is not taken for a part of the program."""

    def __init__(self, fn: Any) -> None:
        self.fn = fn

    def __call__(self, kwargs: dict[str, Any], prediction: Any) -> Any:
        return self.fn(kwargs, prediction)

    async def ask(self, kwargs: dict[str, Any], prediction: Any) -> Any:
        return await entrance(self.fn)(kwargs, prediction)
