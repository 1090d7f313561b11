"""What an interpreter of model-written code must do, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class CodeInterpreter(Protocol):
    """What `interpreter_factory` makes. `dspx.PythonInterpreter` is one; so is any object with these.

    `execute` gives the value of the code's last expression, or what it printed where that has none, or a
    `FinalOutput` once the code has called `SUBMIT`. It raises `SyntaxError` and `CodeExecutionError` for what is
    wrong with the code, after which it can go on, and `SandboxError` for what is wrong with itself.
    Variables live from one `execute` to the next.
    """

    @property
    def tools(self) -> dict[str, Callable[..., Any]]: ...
    def start(self) -> None: ...
    def execute(self, code: str, variables: dict[str, Any] | None = None) -> Any: ...
    def shutdown(self) -> None: ...


class FinalOutput:
    """What the code submitted: `output` is a dict by output field."""

    __slots__ = ("output",)

    def __init__(self, output: Any) -> None:
        self.output = output

    def __eq__(self, other: object) -> bool:
        return self.output == other.output if isinstance(other, FinalOutput) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"FinalOutput({self.output!r})"


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of some code.

    `value` is that of its last expression; `shown` the value's `repr` where JSON could not say all of it; `stdout`
    all that was printed, to standard error too; `final` what was submitted, by output field.
    """

    value: Any = None
    stdout: str = ""
    shown: str | None = None
    final: Mapping[str, Any] | None = None

    def as_output(self) -> Any:
        """The one thing that `execute` gives: the submission, else the value, else what was printed."""
        if self.final is not None:
            return FinalOutput(dict(self.final))
        return (self.stdout or None) if self.value is None else self.value
