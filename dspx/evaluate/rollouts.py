"""Run a program and its metric over examples, and keep what comes of each."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from dspx.core.calls import entrance_to
from dspx.core.candidate import LeafValues, bound
from dspx.core.example import arguments_of
from dspx.core.prediction import Prediction
from dspx.core.progress import Progress
from dspx.core.settings import snapshot
from dspx.core.usage import track_usage
from dspx.errors import UsageError
from dspx.evaluate.row import Row, Spent, Stage, spent_on
from dspx.modules.rollout import another_rollout
from dspx.runtime import clock
from dspx.runtime.bridge import call_blocking, is_blocking
from dspx.runtime.fanout import Outcome, Stop, hand_out

logger = logging.getLogger("dspx.evaluate")

_TOLD_ERRORS = 10
_TELL_SECONDS = 0.1


class Executor(Protocol):
    """Where the examples run: `Evaluate(executor=…)`. The default is this process, `dspx.runtime.fanout`."""

    async def fan_out(
        self,
        fn: Callable[[int], Awaitable[Row]],
        items: Iterable[int],
        *,
        workers: int,
        on_done: Callable[[Outcome[Row]], None],
        stop: Stop,
    ) -> Any: ...


class Rollouts:
    """`await rollouts.run(…)` fills `rows`: one per example and repeat, in order, None where it never ran."""

    def __init__(
        self,
        program: Any,
        metric: Any,
        devset: Sequence[Any],
        *,
        repeats: int,
        failure_score: float,
        max_errors: int,
        provide_traceback: bool,
        progress: Progress | None,
    ) -> None:
        self.ask = entrance_to(program)
        self.judge = entrance_to(metric)
        self.metric = metric
        self.devset = devset
        self.failure_score = failure_score
        self.max_errors = max_errors
        self.provide_traceback = provide_traceback
        self.progress = progress
        self.rows: list[Row | None] = [None] * (len(devset) * repeats)
        self.errors: list[Row] = []
        self.interrupted = False
        self.stop = Stop()
        self._variants = _variants(program, repeats)
        self._stamp_usage = bool(snapshot()["track_usage"])
        self._judges_here = False
        self._done = 0
        self._total = 0.0
        self._untold = 0
        self._told_at = 0.0
        self._closed = False

    @property
    def too_many_errors(self) -> bool:
        return bool(self.errors) and len(self.errors) >= self.max_errors

    async def run(self, workers: int, executor: Executor | None) -> None:
        """Run every example. The first Ctrl-C ends it: what is done is kept, what is under way is left behind."""
        spread = hand_out if executor is None else executor.fan_out
        self._judges_here = executor is None and is_blocking() and not hasattr(self.metric, "acall")
        try:
            await spread(
                self._one, range(len(self.rows)), workers=workers, on_done=self._take, stop=self.stop
            )
        except KeyboardInterrupt:
            if not self._done:
                raise
            self.interrupted = True
        finally:
            self._closed = True
            self._show()
            if self.progress is not None:
                self.progress.close()

    # ------------------------------------------------------------ one example

    def _one(self, place: int) -> Awaitable[Row]:
        repeat, index = divmod(place, len(self.devset))
        values = self._variants[repeat]
        return self._row(index, repeat) if values is None else self._row_under(values, index, repeat)

    async def _row_under(self, values: Mapping[int, LeafValues], index: int, repeat: int) -> Row:
        with bound.using(values):
            return await self._row(index, repeat)

    async def _row(self, index: int, repeat: int) -> Row:
        example = self.devset[index]
        prediction: Any = None
        stage: Stage | None = "program"
        error: Exception | None = None
        seconds, asked = 0.0, 0
        with track_usage() as usage:
            started = clock.now()
            try:
                prediction = await self.ask(**arguments_of(example))
                seconds, asked = clock.now() - started, len(usage.entries)
                stage = "metric"
                score = (
                    call_blocking(self.metric, example, prediction)
                    if self._judges_here
                    else await self.judge(example, prediction)
                )
                value, stage = number_of(score), None
            except Exception as raised:  # noqa: BLE001  the program and the metric are the user's
                error, score, value = raised, self.failure_score, float(self.failure_score)
                if stage == "program":
                    seconds, asked = clock.now() - started, len(usage.entries)
                    prediction = Prediction()
        spent, by_metric = spent_on(usage.entries, 0, asked), spent_on(usage.entries, asked)
        if self._stamp_usage and isinstance(prediction, Prediction):
            prediction.set_lm_usage({model: dict(tokens) for model, tokens in spent.usage.items()})
        return Row(index, repeat, example, prediction, score, value, error, stage, seconds, spent, by_metric)

    # ------------------------------------------------------------ as they come, one at a time

    def _take(self, outcome: Outcome[Row]) -> None:
        if self._closed:
            return  # left behind by Ctrl-C: the result has been given already
        row = outcome.value if outcome.value is not None else self._lost(outcome)
        self.rows[outcome.index] = row
        self._done += 1
        self._total += row.value
        self._untold += 1
        if row.error is not None:
            self._take_error(row)
        if self.progress is not None and clock.now() - self._told_at >= _TELL_SECONDS:
            self._show()

    def _take_error(self, row: Row) -> None:
        self.errors.append(row)
        if self.too_many_errors:
            self.stop.set()
        if len(self.errors) > _TOLD_ERRORS:
            return
        logger.error(
            "Example %d: %s. It was %.300r.%s",
            row.index,
            row.reason,
            row.example,
            "" if self.provide_traceback else " provide_traceback=True shows where.",
            exc_info=row.error if self.provide_traceback else None,
        )
        if len(self.errors) == _TOLD_ERRORS:
            logger.error("Further errors are not logged; result.error_rows has them all.")

    def _lost(self, outcome: Outcome[Row]) -> Row:
        """The row of an example that an executor could not bring to an end."""
        repeat, index = divmod(outcome.index, len(self.devset))
        return Row(
            index=index,
            repeat=repeat,
            example=self.devset[index],
            prediction=Prediction(),
            score=self.failure_score,
            value=float(self.failure_score),
            error=outcome.error,
            failed_in="program",
            seconds=outcome.seconds,
        )

    def _show(self) -> None:
        if self.progress is None or not self._untold:
            return
        average = f"Average Metric: {self._total:.2f} / {self._done} ({100 * self._total / self._done:.1f}%)"
        self.progress.advance(self._untold, average)
        self._untold = 0
        self._told_at = clock.now()


async def judged(metric: Any, row: Row, failure_score: float) -> Row:
    """The row under another metric. Where the program failed there is nothing to judge: the row stays."""
    if row.failed_in == "program":
        return _again(row, failure_score, row.error, "program", row.spent_by_metric)
    with track_usage() as usage:
        try:
            score = await entrance_to(metric)(row.example, row.prediction)
            number_of(score)
        except Exception as error:  # noqa: BLE001  the metric is the user's
            return _again(row, failure_score, error, "metric", spent_on(usage.entries))
    return _again(row, score, None, None, spent_on(usage.entries))


def _again(row: Row, score: Any, error: BaseException | None, stage: Stage | None, spent: Spent) -> Row:
    return replace(
        row,
        score=score,
        value=number_of(score),
        error=error,
        failed_in=stage,
        spent_by_metric=spent,
    )


def number_of(score: Any) -> float:
    """A metric's score as a number: a bool, a number, or something with a `score`."""
    if type(score) is bool:
        return float(score)
    if not hasattr(type(score), "__float__"):
        raise UsageError(
            f"The metric returned {type(score).__name__} ({score!r:.80}). "
            "Return a number, True or False, or dspx.Prediction(score=…)."
        )
    value = float(score)
    if math.isnan(value):
        raise UsageError("The metric returned nan, which has no place on a scale.")
    return value


def _variants(program: Any, repeats: int) -> list[Mapping[int, LeafValues] | None]:
    """What to bind for each repeat: nothing for the first, another rollout number for each other."""
    if not hasattr(program, "named_predictors"):
        return [None] * repeats
    return [None, *(another_rollout(program, repeat) for repeat in range(1, repeats))]
