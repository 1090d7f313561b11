"""Run pairs of module and example, many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dspx.core.batch import run_batch
from dspx.core.calls import entrance
from dspx.core.example import Example
from dspx.errors import UsageError
from dspx.runtime.bridge import run


class Parallel:
    """`Parallel(num_threads=8)([(module, example), …])`: the results in the pairs' order, None for a failure.

    An `Example` is called with its inputs (with `access_examples=False`, with the example itself), a dict
    with its items as keywords, a tuple with its items in order, a list only where the module is another
    `Parallel`. `EvaluationError` once `max_errors` pairs failed. With `return_failed_examples` the value
    is `(results, failed examples, their exceptions)`, of this call alone.

    `timeout` is in seconds per pair and cancels it (async calls only: a thread cannot be cancelled).
    `straggler_limit` has no effect: no call is made twice because it is slow.
    """

    def __init__(
        self,
        num_threads: int | None = None,
        max_errors: int | None = None,
        access_examples: bool = True,
        return_failed_examples: bool = False,
        provide_traceback: bool | None = None,
        disable_progress_bar: bool = False,
        timeout: float | None = None,
        straggler_limit: int = 3,
    ) -> None:
        self.num_threads = num_threads
        self.max_errors = max_errors
        self.access_examples = access_examples
        self.return_failed_examples = return_failed_examples
        self.provide_traceback = provide_traceback
        self.disable_progress_bar = disable_progress_bar
        self.timeout = timeout
        self.straggler_limit = straggler_limit

    def __call__(self, exec_pairs: Sequence[tuple[Any, Any]], num_threads: int | None = None) -> Any:
        return run(self.acall(exec_pairs, num_threads))

    def forward(self, exec_pairs: Sequence[tuple[Any, Any]], num_threads: int | None = None) -> Any:
        return run(self.acall(exec_pairs, num_threads))

    async def acall(self, exec_pairs: Sequence[tuple[Any, Any]], num_threads: int | None = None) -> Any:
        """The same for async code: tasks instead of threads."""
        done = await run_batch(
            self._one,
            exec_pairs,
            workers=num_threads or self.num_threads,
            max_errors=self.max_errors,
            provide_traceback=self.provide_traceback,
            label=None if self.disable_progress_bar else "Processed",
            timeout=self.timeout,
        )
        if not self.return_failed_examples:
            return done.values
        return done.values, [exec_pairs[place][1] for place in done.errors], list(done.errors.values())

    aforward = acall

    async def _one(self, pair: tuple[Any, Any]) -> Any:
        module, example = pair
        args, kwargs = self._arguments(module, example)
        return await entrance(module)(*args, **kwargs)

    def _arguments(self, module: Any, example: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if isinstance(example, Example):
            return ((), dict(example.inputs().items())) if self.access_examples else ((example,), {})
        if isinstance(example, Mapping):
            return (), dict(example)
        if isinstance(example, tuple):
            return example, {}
        if isinstance(example, list) and isinstance(module, Parallel):
            return (example,), {}
        raise UsageError(
            f"Parallel takes pairs of a module and an Example, a dict or a tuple of arguments, "
            f"not {type(example).__name__}: {example!r:.100}"
        )
