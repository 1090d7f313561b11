"""A model that says what it was told to say: one answer after the other, or what a function makes of the request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dspx.errors import UsageError
from dspx.lm.request import Request
from dspx.lm.response import Output, Response, ToolCall
from dspx.runtime.locks import Lock


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong instead of an answer; see `dspx.testing.server.faults` for the kinds.

    `status` for `server_error`; `seconds`: Retry-After of `rate_limit`, how late the answer of `late` is.
    """

    kind: str
    status: int | None = None
    seconds: float | None = None


class ScriptEnded(UsageError):
    """More was asked than the script has answers for."""


Answer = Any
"""A text; a dict with `text`, `tool_calls`, `reasoning_content`; an Output or a Response; a list of those, one per
completion; a Fault; an exception."""


class Script:
    """`Script(["first", "second"])` or `Script(lambda request: …)`. Any number of threads may ask.

    `repeat=True` starts over at the end instead of raising `ScriptEnded`.
    """

    def __init__(
        self, answers: Iterable[Answer] | Callable[[Request], Answer], *, repeat: bool = False
    ) -> None:
        self._lock = Lock()
        self._given = 0
        self._function = answers if callable(answers) else None
        self._answers: Iterator[Answer] = iter(()) if callable(answers) else iter(_kept(answers, repeat))

    def next(self, request: Request) -> Answer:
        """What the script says to this request, as it was written there."""
        if self._function is not None:
            return self._function(request)
        with self._lock:
            try:
                answer = next(self._answers)
            except StopIteration:
                raise ScriptEnded(
                    f"The script has no more answers: {self._given} were given. Write more, or repeat=True."
                ) from None
            self._given += 1
        return answer

    def answer(self, request: Request, index: int = 0) -> Any:
        return self.next(request)


def _kept(answers: Iterable[Answer], repeat: bool) -> Iterator[Answer]:
    if not repeat:
        yield from answers
        return
    kept = list(answers)
    while kept:
        yield from kept


def outputs_of(answer: Answer, n: int = 1) -> tuple[Output, ...]:
    """A script's answer as completions: one answer for all `n`, or a list with one for each."""
    if isinstance(answer, Response):
        return answer.outputs
    if isinstance(answer, (list, tuple)):
        return tuple(_output(each) for each in answer)
    return (_output(answer),) * n


def _output(answer: Any) -> Output:
    if isinstance(answer, Output):
        return answer
    if isinstance(answer, str):
        return Output(answer, finish_reason="stop")
    if isinstance(answer, ToolCall):
        return Output(None, tool_calls=(answer,), finish_reason="tool_calls")
    if isinstance(answer, Mapping) and not answer.keys() <= _PARTS:
        raise UsageError(
            f"A script's answer has `text`, `tool_calls`, `reasoning_content`, not {sorted(answer)}. "
            "For values of output fields use DummyLM."
        )
    made = Response.from_openai([answer]).outputs[0]
    reason = "tool_calls" if made.tool_calls else "stop"
    return Output(made.text, made.reasoning, made.tool_calls, made.logprobs, made.citations, reason)


_PARTS = {"text", "tool_calls", "reasoning_content", "logprobs", "citations"}
