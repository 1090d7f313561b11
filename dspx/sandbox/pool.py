"""Sandboxes kept ready, and at most so many at once. No state passes from one borrower to the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dspx.errors import SandboxError, UsageError
from dspx.runtime.locks import Lock
from dspx.runtime.slots import Slots
from dspx.runtime.workers import submit
from dspx.sandbox.contract import Execution
from dspx.sandbox.interpreter import Interpreter

if TYPE_CHECKING:
    from typing_extensions import Self


class SandboxPool:
    """`SandboxPool(min=2, max=8)`: called, it gives an interpreter, so it is an `interpreter_factory`.

        pool = dspx.SandboxPool(min=2, max=8)
        dspx.configure(interpreter_factory=pool)

    `min` fresh sandboxes are kept started in the background, `max` bounds those in use: the next borrower waits
    until one is shut down. A sandbox is used by one borrower and then ended: code could have changed anything in
    it. `factory` makes them, by default `PythonInterpreter`; what it makes must be an `Interpreter`.
    """

    def __init__(self, min: int = 0, max: int = 8, factory: Callable[[], Interpreter] | None = None) -> None:
        if not 0 <= min <= max or max < 1:
            raise UsageError(f"A pool of min={min} to max={max} sandboxes is none.")
        self.min = min
        self.max = max
        self._factory = factory or _python_interpreter
        self._slots = Slots()
        self._lock = Lock()
        self._fresh: deque[Interpreter] = deque()
        self._starting = 0
        self._closed = False
        self.forgotten: deque[Interpreter] = deque()
        """Those whose borrower was dropped. Garbage collection can do no more than put them here: it may run anywhere."""
        self._refill()

    def __call__(self) -> PooledInterpreter:
        """An interpreter that takes its place in the pool when it starts, and gives it back at its shutdown."""
        return PooledInterpreter(self)

    @property
    def ready(self) -> int:
        """How many fresh sandboxes wait for a borrower."""
        return len(self._fresh)

    def close(self) -> None:
        """End the sandboxes that wait. Those in use end with their borrowers."""
        with self._lock:
            self._closed = True
            waiting = list(self._fresh)
            self._fresh.clear()
        for interpreter in waiting:
            interpreter.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def borrow(self) -> Interpreter:
        """A sandbox nobody has used, once there is room for it."""
        if self._closed:
            raise SandboxError("This pool of sandboxes has been closed.")
        while self.forgotten:
            await self.give_back(self.forgotten.popleft())
        await self._slots.take(self.max)
        with self._lock:
            interpreter = self._fresh.popleft() if self._fresh else None
        self._refill()
        return interpreter or self._factory()

    async def give_back(self, interpreter: Interpreter) -> None:
        """End a borrowed sandbox and make room for the next."""
        try:
            await interpreter.ashutdown()
        finally:
            self._slots.give()

    def _refill(self) -> None:
        with self._lock:
            missing = 0 if self._closed else self.min - len(self._fresh) - self._starting
            self._starting += missing
        for _ in range(missing):
            submit(self._start_one)

    def _start_one(self) -> None:
        try:
            interpreter = self._factory()
            interpreter.start()
        except Exception:  # noqa: BLE001  the borrower's own start says what is wrong
            interpreter = None
        with self._lock:
            self._starting -= 1
            keep = interpreter is not None and not self._closed
            if keep and interpreter is not None:
                self._fresh.append(interpreter)
        if interpreter is not None and not keep:
            interpreter.shutdown()


class PooledInterpreter(Interpreter):
    """A place in a pool, as an interpreter. Tools and outputs are its own."""

    def __init__(self, pool: SandboxPool, tools: Mapping[str, Callable[..., Any]] | None = None) -> None:
        super().__init__(tools)
        self._pool = pool
        self._borrowed: Interpreter | None = None
        self._borrowing = Slots()

    async def astart(self) -> None:
        await (await self._interpreter()).astart()

    async def arun(
        self, code: str, variables: Mapping[str, Any] | None = None, *, timeout: float | None = None
    ) -> Execution:
        interpreter = await self._interpreter()
        interpreter.tools, interpreter.output_fields = self.tools, self.output_fields
        return await interpreter.arun(code, variables, timeout=self.timeout if timeout is None else timeout)

    async def ainterrupt(self) -> None:
        if self._borrowed is not None:
            await self._borrowed.ainterrupt()

    async def ashutdown(self) -> None:
        borrowed, self._borrowed = self._borrowed, None
        if borrowed is not None:
            await self._pool.give_back(borrowed)

    async def _interpreter(self) -> Interpreter:
        await self._borrowing.take(1)
        try:
            if self._borrowed is None:
                self._borrowed = await self._pool.borrow()
            return self._borrowed
        finally:
            self._borrowing.give()

    def __del__(self) -> None:
        if self._borrowed is not None:  # forgotten without a shutdown: its place must not be lost
            self._pool.forgotten.append(self._borrowed)


def _python_interpreter() -> Interpreter:
    from dspx.sandbox.python_interpreter import PythonInterpreter

    return PythonInterpreter()
