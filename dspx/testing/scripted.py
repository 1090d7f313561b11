"""An LM that says, raises and delays what a test tells it to, and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dspx.lm.base import BaseLM
from dspx.lm.facts import UNKNOWN, Facts
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.runtime import clock
from dspx.testing.models.base import usage_of
from dspx.testing.models.script import Answer, Script, outputs_of


class ScriptedLM(BaseLM):
    """`ScriptedLM(["first", ValueError("no"), {"text": "third"}])` or `ScriptedLM(lambda request: …)`.

    An answer is a text, a dict with `text`, `tool_calls` or `reasoning_content`, an `Output`, a `Response`, a list
    with one answer per completion, or an exception, which is raised. `latency` (seconds, or a function of the
    request) goes by before each, on dspx's clock. `repeat=True` starts the list over at its end; without it the
    end raises `ScriptEnded`. `requests` holds every `Request`, in the order they came.
    """

    def __init__(
        self,
        answers: Iterable[Answer] | Callable[[Request], Answer],
        *,
        latency: float | Callable[[Request], float] = 0.0,
        repeat: bool = False,
        model: str = "scripted",
        facts: Facts = UNKNOWN,
        **kwargs: Any,
    ) -> None:
        super().__init__(model, **kwargs)
        self.script = Script(answers, repeat=repeat)
        self.latency = latency
        self.requests: list[Request] = []
        self._facts = facts

    async def generate(self, request: Request) -> Response:
        self.requests.append(request)
        seconds = self.latency(request) if callable(self.latency) else self.latency
        if seconds:
            await clock.sleep(seconds)
        answer = self.script.next(request)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Response):
            return answer
        outputs = outputs_of(answer, int(request.params.get("n") or 1))
        return Response(self.model, outputs, usage_of(request, list(outputs)))

    @property
    def facts(self) -> Facts:
        return self._facts

    @property
    def prompts(self) -> list[str]:
        """The text of the last message of each request."""
        from dspx.testing.prompt.reading import text_of

        return [text_of(request.messages[-1]) for request in self.requests]
