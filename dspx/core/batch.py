"""Many calls of one program: what came of each, how many failed, and when to give up."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dspx.core.progress import Progress, start_progress
from dspx.core.settings import snapshot
from dspx.errors import EvaluationError
from dspx.runtime.fanout import Outcome, Stop, fan_out

logger = logging.getLogger("dspx.batch")


@dataclass(frozen=True, slots=True)
class Batch:
    """Values in the items' order (None where one failed), and the errors by position."""

    values: list[Any]
    errors: dict[int, BaseException]


async def run_batch(
    fn: Callable[[Any], Awaitable[Any]],
    items: Sequence[Any],
    *,
    workers: int | None = None,
    max_errors: int | None = None,
    provide_traceback: bool | None = None,
    label: str | None = None,
    timeout: float | None = None,
) -> Batch:
    """`fn` over `items`. `EvaluationError`, with the failures, once `max_errors` items have failed.

    `workers`, `max_errors` and `provide_traceback` default to the settings (`num_threads`, …).
    """
    settings = snapshot()
    most = settings["max_errors"] if max_errors is None else max_errors
    loud = settings["provide_traceback"] if provide_traceback is None else provide_traceback
    watch = _Watch(items, most, loud, start_progress(label, len(items)) if label else None)
    try:
        outcomes = await fan_out(
            fn,
            items,
            workers=workers or settings["num_threads"],
            on_done=watch,
            stop=watch.stop,
            timeout=timeout,
        )
    finally:
        watch.close()
    if len(watch.errors) >= most and len(watch.errors) > 0:
        raise watch.too_many()
    return Batch([outcome.value for outcome in outcomes], dict(sorted(watch.errors.items())))


class _Watch:
    """Sees each outcome: counts errors, says them, stops at the limit, moves the progress line."""

    def __init__(self, items: Sequence[Any], most: int, loud: bool, progress: Progress | None) -> None:
        self.items = items
        self.most = most
        self.loud = loud
        self.progress = progress
        self.stop = Stop()
        self.errors: dict[int, BaseException] = {}

    def __call__(self, outcome: Outcome[Any]) -> None:
        if outcome.error is not None:
            self.errors[outcome.index] = outcome.error
            logger.error(
                "Error for %.300r: %s",
                self.items[outcome.index],
                outcome.error,
                exc_info=outcome.error if self.loud else None,
            )
            if len(self.errors) >= self.most:
                self.stop.set()
        if self.progress is not None:
            self.progress.advance(1)

    def too_many(self) -> EvaluationError:
        first = next(iter(self.errors.values()))
        error = EvaluationError(
            f"{len(self.errors)} of {len(self.items)} items failed, which is the limit (max_errors={self.most}). "
            f"The first: {type(first).__name__}: {first}",
            failures=[(self.items[index], failed) for index, failed in sorted(self.errors.items())],
        )
        error.__cause__ = first
        return error

    def close(self) -> None:
        if self.progress is not None:
            self.progress.close()
