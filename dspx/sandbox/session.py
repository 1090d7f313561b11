"""One call's use of an interpreter: its own, ended with the call, or its caller's, left as it was found."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from dspx.errors import CodeExecutionError
from dspx.runtime.bridge import call, is_blocking
from dspx.sandbox.contract import Execution, FinalOutput
from dspx.sandbox.factory import Factory, check_interpreter


class CodeSession:
    """Runs a module's code. Inputs are assigned before the first code, and again when they were lost."""

    def __init__(self, interpreter: Any, variables: Mapping[str, Any] | None = None, setup: str = "") -> None:
        self.interpreter = interpreter
        self._variables = dict(variables or {})
        self._setup = setup
        self._prepared = False

    async def run(self, code: str) -> Execution:
        """What came of the code. `SyntaxError` and `CodeExecutionError` are the code's own."""
        try:
            if self._prepared or not self._setup:
                return await self._run(code, None if self._prepared else self._variables)
            await self._run(self._setup, self._variables)
            self._prepared = True
            return await self._run(code, None)
        except CodeExecutionError as error:
            self._prepared = not error.state_lost
            raise

    async def _run(self, code: str, variables: Mapping[str, Any] | None) -> Execution:
        execution = await run_code(self.interpreter, code, variables or None)
        self._prepared = True
        return execution


async def run_code(interpreter: Any, code: str, variables: Mapping[str, Any] | None = None) -> Execution:
    """Run code in any interpreter, sync or async, and see what came of it as an `Execution`."""
    arun = getattr(interpreter, "arun", None)
    if arun is not None:
        return await arun(code, variables)
    output = await call(interpreter.execute, code, None if variables is None else dict(variables))
    if isinstance(output, FinalOutput):
        return Execution(
            final=output.output if isinstance(output.output, dict) else {"output": output.output}
        )
    return Execution(output)


@asynccontextmanager
async def interpreter_for(
    given: Any | None,
    factory: Factory,
    tools: Mapping[str, Callable[..., Any]],
    output_fields: Sequence[Mapping[str, Any]] | None,
) -> AsyncGenerator[Any]:
    """The interpreter of a call, with these tools and outputs. One that the caller gave has its own again afterwards."""
    interpreter: Any = check_interpreter(given if given is not None else factory())
    before = dict(interpreter.tools), getattr(interpreter, "output_fields", None)
    interpreter.tools.update(tools)
    if output_fields is not None and hasattr(interpreter, "output_fields"):
        interpreter.output_fields = list(output_fields)
    try:
        yield interpreter
    finally:
        if given is None:
            await _shut_down(interpreter)
        else:
            interpreter.tools.clear()
            interpreter.tools.update(before[0])
            if hasattr(interpreter, "output_fields"):
                interpreter.output_fields = before[1]


async def _shut_down(interpreter: Any) -> None:
    ashutdown = getattr(interpreter, "ashutdown", None)
    if ashutdown is not None and not (is_blocking() and not _is_ours(interpreter)):
        await ashutdown()
    else:
        await call(interpreter.shutdown)


def _is_ours(interpreter: Any) -> bool:
    return type(interpreter).__module__.partition(".")[0] == "dspx"
