"""An interpreter for tests that have no sandbox: it plays back a script, or runs a test's own code in this process."""

from __future__ import annotations

import builtins
import importlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

from dspx.errors import UsageError
from dspx.runtime.bridge import in_thread, run
from dspx.sandbox import tools as sandbox_tools
from dspx.sandbox.contract import Execution, FinalOutput
from dspx.sandbox.guest import Guest
from dspx.sandbox.install import guest_folder
from dspx.sandbox.interpreter import Interpreter, read_reply
from dspx.sandbox.values import decode

Answer = Any
"""A value, an `Execution`, a `FinalOutput`, an exception to raise, or a function of (code, variables) that gives one."""

_TAKEN_AWAY = ("open", "exec", "eval", "compile", "input", "breakpoint", "exit", "quit", "help")
_MODULES = frozenset(
    [
        "bisect",
        "collections",
        "dataclasses",
        "datetime",
        "decimal",
        "fractions",
        "functools",
        "heapq",
        "itertools",
        "json",
        "math",
        "operator",
        "random",
        "re",
        "statistics",
        "string",
        "textwrap",
        "typing",
    ]
)


class FakeInterpreter(Interpreter):
    """`FakeInterpreter()` runs code in this process; `FakeInterpreter([…])` answers what it is told to.

    With a script each execution takes the next answer: a value, a `FinalOutput`, an `Execution`, an exception, or
    a function of the code and its variables. `codes` lists what it was given to run.

    Without one, code runs under `exec`, without `open`, `exec` and the like, and with a few harmless modules to
    import. That keeps a test from accidents. It keeps nobody out: it is for code that the test itself wrote, and
    neither endless loops nor top-level `await` are its business.
    """

    def __init__(
        self,
        answers: Iterable[Answer] | None = None,
        *,
        tools: Mapping[str, Callable[..., Any]] | None = None,
        output_fields: Sequence[Mapping[str, Any]] | None = None,
        callbacks: list[Any] | None = None,
    ) -> None:
        super().__init__(tools, output_fields, callbacks)
        self._answers = None if answers is None else iter(answers)
        self._session: Any = None
        self.codes: list[str] = []
        self.started = 0
        self.stopped = 0

    async def _started(self) -> Any:
        if self._session is None:
            self.started += 1
            self._session = _guest_session().Session(_restricted())
            self._session.call_tool = self._call_tool
        return self._session

    async def ashutdown(self) -> None:
        if self._session is not None:
            self.stopped += 1
            self._session = None

    async def ainterrupt(self) -> None:
        """Nothing: code in this process cannot be interrupted."""

    async def _register(self, guest: Guest) -> None:
        self._session.register(json.dumps(sandbox_tools.registration(self.tools, self.output_fields)))

    async def _executed(self, code: str, variables: str, seconds: float | None) -> Execution:
        self.codes.append(code)
        session = await self._started()
        if self._answers is not None:
            return self._scripted(code, variables)
        await self._register(session)
        reply = await in_thread(session.execute, code, variables)
        if not isinstance(reply, str):
            reply.close()
            raise UsageError("FakeInterpreter does not run code that awaits at its top level.")
        return read_reply(decode(reply), seconds)

    def _scripted(self, code: str, variables: str) -> Execution:
        assert self._answers is not None
        try:
            answer = next(self._answers)
        except StopIteration:
            raise UsageError(
                f"The script of this FakeInterpreter has ended, and it was to run: {code}"
            ) from None
        if callable(answer) and not isinstance(answer, type):
            answer = answer(code, decode(variables))
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Execution):
            return answer
        return Execution(final=answer.output) if isinstance(answer, FinalOutput) else Execution(answer)

    def _call_tool(self, text: str) -> str:
        call = decode(text)
        return json.dumps(run(self._answer_tool(call["name"], call.get("args", []), call["kwargs"])))


@lru_cache(maxsize=1)
def _guest_session() -> ModuleType:
    """The guest's own way of running code, so that what it says is the same."""
    spec = spec_from_file_location("dspx_guest_session", guest_folder() / "session.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _restricted() -> dict[str, Any]:
    kept = {name: value for name, value in vars(builtins).items() if name not in _TAKEN_AWAY}
    return {**kept, "__import__": _import}


def _import(name: str, *args: Any, **kwargs: Any) -> Any:
    if name.partition(".")[0] not in _MODULES:
        raise ModuleNotFoundError(f"No module named {name!r} in a FakeInterpreter", name=name)
    return importlib.__import__(name, *args, **kwargs)
