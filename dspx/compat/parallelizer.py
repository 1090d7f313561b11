"""Map a function over data in threads, under the name that DSPy has for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dspx.core.batch import run_batch
from dspx.runtime.bridge import call, run


class ParallelExecutor:
    """`ParallelExecutor(num_threads=8).execute(fn, data)`: results in order, None for a failure.

    `exceptions_map` and `failed_indices` are those of the last `execute`. `EvaluationError` once `max_errors`
    items have failed. `timeout`, `straggler_limit` and `compare_results` have no effect: a thread cannot be
    stopped, and no call is made twice because it is slow.
    """

    def __init__(
        self,
        num_threads: int | None = None,
        max_errors: int | None = None,
        disable_progress_bar: bool = False,
        provide_traceback: bool | None = None,
        compare_results: bool = False,
        timeout: float = 120,
        straggler_limit: int = 3,
    ) -> None:
        self.num_threads = num_threads
        self.max_errors = max_errors
        self.disable_progress_bar = disable_progress_bar
        self.provide_traceback = provide_traceback
        self.exceptions_map: dict[int, BaseException] = {}

    @property
    def failed_indices(self) -> list[int]:
        return list(self.exceptions_map)

    def execute(self, function: Callable[[Any], Any], data: Sequence[Any]) -> list[Any]:
        done = run(
            run_batch(
                lambda item: call(function, item),
                data,
                workers=self.num_threads,
                max_errors=self.max_errors,
                provide_traceback=self.provide_traceback,
                label=None if self.disable_progress_bar else "Processed",
            )
        )
        self.exceptions_map = done.errors
        return done.values
