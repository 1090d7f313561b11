"""Run a program over a devset and score it.

evaluate = dspx.Evaluate(devset=devset, metric=answer_exact_match, num_threads=16)
result = evaluate(program)
result.score, result.ci95, result.errors
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dspx.core.events import aobserve
from dspx.core.progress import start_progress
from dspx.core.settings import snapshot
from dspx.errors import EvaluationError, UsageError
from dspx.evaluate.result import EvaluationResult, name_of
from dspx.evaluate.rollouts import Executor, Rollouts
from dspx.runtime import clock
from dspx.runtime.bridge import run

logger = logging.getLogger("dspx.evaluate")


class Evaluate:
    """`Evaluate(devset=…, metric=…)(program)` gives an `EvaluationResult`; `await evaluate.acall(program)` too.

    `metric(example, prediction)` returns a number or a bool; it may be sync, async or a module that asks an LM.

    num_threads: examples at work at once: threads in a sync call, tasks in an async one (default: the settings').
    display_progress: show a progress line. display_table: show the rows, or that many of them.
    max_errors: `EvaluationError`, with the failures and the partial result, once so many examples failed
        (default: the settings').
    failure_score: what an example that raised counts in the score.
    save_as_csv, save_as_json: where to write the rows.
    repeats: how often to run each example, each time with LM answers of its own and not the cache's of before.
    executor: where the examples run, if not in this process.

    Ctrl-C in a sync call ends it early: the result of what is done comes back, with `interrupted=True`.
    """

    def __init__(
        self,
        *,
        devset: Sequence[Any],
        metric: Any = None,
        num_threads: int | None = None,
        display_progress: bool = False,
        display_table: bool | int = False,
        max_errors: int | None = None,
        provide_traceback: bool | None = None,
        failure_score: float = 0.0,
        save_as_csv: str | Path | None = None,
        save_as_json: str | Path | None = None,
        repeats: int = 1,
        executor: Executor | None = None,
        callbacks: Sequence[Any] | None = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            raise UsageError(_no_such_argument(list(unknown)))
        if repeats < 1:
            raise UsageError(f"repeats={repeats}: each example runs at least once.")
        self.devset = devset
        self.metric = metric
        self.num_threads = num_threads
        self.display_progress = display_progress
        self.display_table = display_table
        self.max_errors = max_errors
        self.provide_traceback = provide_traceback
        self.failure_score = failure_score
        self.save_as_csv = save_as_csv
        self.save_as_json = save_as_json
        self.repeats = repeats
        self.executor = executor
        self.callbacks = list(callbacks or ())

    def __call__(
        self,
        program: Any,
        metric: Any = None,
        devset: Sequence[Any] | None = None,
        num_threads: int | None = None,
        display_progress: bool | None = None,
        display_table: bool | int | None = None,
        callback_metadata: dict[str, Any] | None = None,
        save_as_csv: str | Path | None = None,
        save_as_json: str | Path | None = None,
    ) -> EvaluationResult:
        """Evaluate `program`; what is given here goes before what `Evaluate` was made with."""
        return run(
            self.acall(
                program,
                metric,
                devset,
                num_threads,
                display_progress,
                display_table,
                callback_metadata,
                save_as_csv,
                save_as_json,
            )
        )

    async def acall(
        self,
        program: Any,
        metric: Any = None,
        devset: Sequence[Any] | None = None,
        num_threads: int | None = None,
        display_progress: bool | None = None,
        display_table: bool | int | None = None,
        callback_metadata: dict[str, Any] | None = None,
        save_as_csv: str | Path | None = None,
        save_as_json: str | Path | None = None,
    ) -> EvaluationResult:
        """The same for async code: `num_threads` tasks at work at once."""
        asked = {
            "program": program,
            "metric": metric,
            "devset": devset,
            "num_threads": num_threads,
            "display_progress": display_progress,
            "display_table": display_table,
            "callback_metadata": callback_metadata,
            "save_as_csv": save_as_csv,
            "save_as_json": save_as_json,
        }
        return await aobserve("evaluate", self, lambda: asked, self._evaluate, asked)

    async def _evaluate(self, asked: dict[str, Any]) -> EvaluationResult:
        metric = self._chosen(asked, "metric")
        devset = _checked(self._chosen(asked, "devset"), metric)
        settings = snapshot()
        rollouts = Rollouts(
            asked["program"],
            metric,
            devset,
            repeats=self.repeats,
            failure_score=self.failure_score,
            max_errors=_first(self.max_errors, settings["max_errors"]),
            provide_traceback=_first(self.provide_traceback, settings["provide_traceback"]),
            progress=start_progress("Evaluate", len(devset) * self.repeats)
            if self._chosen(asked, "display_progress")
            else None,
        )
        started = clock.now()
        await rollouts.run(_first(self._chosen(asked, "num_threads"), settings["num_threads"]), self.executor)
        result = self._result(rollouts, name_of(metric), clock.now() - started)
        _tell(result)
        self._hand_out(result, asked)
        return result

    def _result(self, rollouts: Rollouts, metric_name: str, seconds: float) -> EvaluationResult:
        result = EvaluationResult.of(
            [row for row in rollouts.rows if row is not None],
            planned=len(rollouts.rows),
            metric_name=metric_name,
            failure_score=self.failure_score,
            interrupted=rollouts.interrupted,
            seconds=seconds,
        )
        if rollouts.too_many_errors and not rollouts.interrupted:
            first = rollouts.errors[0]
            raise EvaluationError(
                f"{len(rollouts.errors)} of {len(rollouts.rows)} examples failed, which is the limit "
                f"(max_errors={rollouts.max_errors}). The first: {first.reason}. "
                "`error.failures` has them all, `error.result` what was measured until then.",
                failures=[(row.example, row.error) for row in rollouts.errors],
                result=result,
            ) from first.error
        return result

    def _hand_out(self, result: EvaluationResult, asked: dict[str, Any]) -> None:
        table: bool | int = self._chosen(asked, "display_table")
        if table:
            result.display_table(None if table is True else table)
        csv_path = self._chosen(asked, "save_as_csv")
        if csv_path:
            result.save_as_csv(csv_path)
        json_path = self._chosen(asked, "save_as_json")
        if json_path:
            result.save_as_json(json_path)

    def _chosen(self, asked: dict[str, Any], name: str) -> Any:
        return _first(asked[name], getattr(self, name))


def _first(given: Any, otherwise: Any) -> Any:
    return otherwise if given is None else given


def _tell(result: EvaluationResult) -> None:
    total = sum(row.value for row in result.rows)
    logger.info("Average Metric: %.6g / %d (%g%%)", total, result.n, result.score)
    if result.errors:
        rest = result.score_without_errors
        logger.warning(
            "%d of %d examples failed and count as %g in the score of %g%s. Why: result.error_rows",
            result.errors,
            result.n,
            result._failure_score,
            result.score,
            f"; without them it is {rest:g}" if rest is not None else "",
        )
    if result.interrupted:
        logger.warning(
            "Interrupted after %d of %d examples; the result holds those.", result.n, result._planned
        )


# ---------------------------------------------------------------- arguments


def _checked(devset: Any, metric: Any) -> list[Any]:
    """The devset as a list, of which every example says what its inputs are."""
    examples = list(devset)
    if metric is None:
        raise UsageError(
            "Evaluate needs a metric: Evaluate(devset=…, metric=…) or evaluate(program, metric=…)."
        )
    if not examples:
        raise UsageError("devset must contain at least one example, got an empty devset.")
    for place, example in enumerate(examples):
        if not hasattr(example, "inputs"):
            raise UsageError(
                f"devset[{place}] is a {type(example).__name__}; make it an example: "
                "dspx.Example(**row).with_inputs('question')."
            )
        if getattr(example, "_input_keys", ()) is None:
            raise UsageError(
                f"devset[{place}] does not say which of its fields are inputs: "
                "use example.with_inputs('question')."
            )
    return examples


_GONE = {
    "return_outputs": "every row is in the result: `result.results` holds (example, prediction, score)",
    "return_all_scores": "every score is in the result: [score for _, _, score in result.results]",
}


def _no_such_argument(names: list[str]) -> str:
    gone = [f"{name} is not needed: {_GONE[name]}." for name in names if name in _GONE]
    odd = [name for name in names if name not in _GONE]
    if odd:
        known = (
            "devset, metric, num_threads, display_progress, display_table, max_errors, provide_traceback, "
        )
        known += "failure_score, save_as_csv, save_as_json, repeats, executor, callbacks"
        gone.append(f"Evaluate has no argument {', '.join(odd)}; it has {known}.")
    return " ".join(gone)
