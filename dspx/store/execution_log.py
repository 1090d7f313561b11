"""Write down a program's executions: a share of them, without what must not be kept, in bounded size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from dspx.errors import UsageError
from dspx.runtime import clock
from dspx.store.executions import Executions
from dspx.store.records import Execution
from dspx.store.redaction import Redact, redacted
from dspx.store.stamp import configuration_in_force, stamp_of
from dspx.store.trimming import trimmed

_SMALLEST = 2048


class ExecutionLog:
    """`start` before a call, `finish` after it.

    Args:
        executions: `store.executions`.
        program, version, session: what to note unless a call says otherwise.
        sample: the share of calls to keep, 0 to 1. What belongs to one trace is kept or left as a whole.
        redact: names of fields whose values are not kept, or a function (name, value) → value to keep.
        max_bytes: of JSON per execution; traces go first, then outputs, then inputs.
    """

    def __init__(
        self,
        executions: Executions,
        *,
        program: str | None = None,
        version: int | None = None,
        session: str | None = None,
        sample: float = 1.0,
        redact: Redact = (),
        max_bytes: int = 256_000,
    ) -> None:
        if not 0 <= sample <= 1:
            raise UsageError(f"sample is a share between 0 and 1, not {sample}.")
        if max_bytes < _SMALLEST:
            raise UsageError(f"max_bytes={max_bytes} leaves room for nothing; use {_SMALLEST} or more.")
        self._executions = executions
        self._defaults = {"program": program, "program_version": version, "session": session}
        self._sample = sample
        self._redact = redact
        self._max_bytes = max_bytes

    def start(
        self,
        inputs: Any,
        *,
        parent: Execution | None = None,
        program: str | None = None,
        version: int | None = None,
        session: str | None = None,
        run: str | None = None,
        configuration: Any = None,
        module: str = "",
        signature: str = "",
        trace_id: str | None = None,
        tags: Iterable[str] = (),
    ) -> Execution:
        """A running execution, recorded if its trace is among those kept. Give it to `finish`.

        What is returned is whole; what is recorded is without what `redact` says. Inside a call of
        `store.bind(…)`, `configuration` is the one that it runs under.
        """
        given = {"program": program, "program_version": version, "session": session, "run": run}
        execution = Execution(
            **self._noted(given, parent),
            parent_id=parent.id if parent is not None else None,
            configuration=configuration_in_force.get() if configuration is None else configuration,
            module=module,
            signature=signature,
            inputs=inputs,
            status="running",
            trace_id=trace_id or (parent.trace_id if parent is not None else None),
            started=clock.time(),
            tags=tuple(tags),
        )
        execution = replace(execution, trace_id=execution.trace_id or execution.id)
        self._record(execution)
        return execution

    def finish(
        self,
        execution: Execution,
        outputs: Any = None,
        *,
        error: Any = None,
        trace: Any = None,
        usage: Any = None,
        cost: float | None = None,
        route: str | None = None,
    ) -> Execution:
        """The execution as it ended: failed where there is an `error` (an exception, or JSON), else completed.

        A prediction that says which configuration it was made under (`store.bind(…)`) notes it here.
        """
        now = clock.time()
        ended = replace(
            execution,
            status="completed" if error is None else "failed",
            configuration=stamp_of(outputs) if execution.configuration is None else execution.configuration,
            outputs=outputs,
            error=_described(error),
            trace=trace,
            usage=usage,
            cost=cost,
            route=route,
            finished=now,
            duration=max(0.0, now - execution.started),
        )
        self._record(ended)
        return ended

    def keeps(self, execution: Execution) -> bool:
        """Whether this one is among those kept."""
        digest = hashlib.sha256((execution.trace_id or execution.id).encode()).digest()
        return int.from_bytes(digest[:8], "big") < self._sample * 2**64

    def _noted(self, given: dict[str, Any], parent: Execution | None) -> dict[str, Any]:
        """What a call says of itself, else what the call around it did, else what this log says of all."""
        around = self._defaults if parent is None else {name: getattr(parent, name) for name in given}
        return {name: around.get(name) if value is None else value for name, value in given.items()}

    def _record(self, execution: Execution) -> None:
        if self.keeps(execution):
            safe = redacted(execution, self._redact) if self._redact else execution
            self._executions.record(trimmed(safe, self._max_bytes))


def _described(error: Any) -> Any:
    if isinstance(error, BaseException):
        return {"type": type(error).__qualname__, "message": str(error)}
    return error
