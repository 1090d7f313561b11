"""An LM that answers what it was told to, and remembers what it was asked."""

from __future__ import annotations

from typing import Any

from dspx.lm.base import BaseLM
from dspx.lm.facts import Facts
from dspx.lm.response import Output, Response


class ScriptedLM(BaseLM):
    """`ScriptedLM("first", ["one", "two"])`: each call takes the next entry; a list is several completions."""

    def __init__(
        self, *answers: Any, model: str = "test/model", facts: Facts | None = None, **kwargs: Any
    ) -> None:
        super().__init__(model, **kwargs)
        self.answers = list(answers)
        self.known = facts or Facts()
        self.requests: list[Any] = []

    @property
    def facts(self) -> Facts:
        return self.known

    async def generate(self, request: Any) -> Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        completions = answer if isinstance(answer, list) else [answer]
        outputs = [item if isinstance(item, Output) else Output(text=item) for item in completions]
        return Response(self.model, tuple(outputs))

    @property
    def asked(self) -> list[list[dict[str, Any]]]:
        """The messages of each call."""
        return [request.messages for request in self.requests]
