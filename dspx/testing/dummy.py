"""DSPy's DummyLM: answers with the values that a test gives, laid out as an adapter would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from dspx.core.fields import OutputField
from dspx.core.signature import make_signature
from dspx.lm.base import BaseLM
from dspx.lm.request import Request
from dspx.lm.response import Output, Response
from dspx.lm.usage import Usage
from dspx.runtime.locks import Lock
from dspx.testing.prompt.reading import text_of

_EXHAUSTED = "No more responses"
_END = "[[ ## completed ## ]]"


class DummyLM(BaseLM):
    """Answers with given values. Nothing is cached.

    DummyLM([{"answer": "red"}, {"answer": "blue"}])            one after the other, for any question
    DummyLM({"color of the sky": {"answer": "blue"}})           by what the last message contains
    DummyLM([…], follow_examples=True)                          as the example in the prompt with the same input

    Where nothing fits, or nothing is left, the answer is "No more responses". `adapter` lays the values out (by
    default a ChatAdapter). With `reasoning=True` each answer brings some reasoning too, as reasoning models do.
    """

    def __init__(
        self,
        answers: Iterable[Mapping[str, Any]] | Mapping[str, Mapping[str, Any]],
        follow_examples: bool = False,
        reasoning: bool = False,
        adapter: Any = None,
    ) -> None:
        super().__init__("dummy", "chat", 0.0, 1000, cache=False)
        by_content = isinstance(answers, Mapping)
        self.answers: Any = dict(answers) if by_content else iter(answers)
        self.follow_examples = follow_examples
        self.reasoning = reasoning
        self.adapter = adapter
        self._lock = Lock()

    async def generate(self, request: Request) -> Response:
        n = int(request.params.get("n") or 1)
        thoughts = "Some reasoning" if self.reasoning else None
        texts = [self._text(request.messages) for _ in range(n)]
        outputs = tuple(Output(text, thoughts, finish_reason="stop") for text in texts)
        return Response(self.model, outputs, Usage())

    def get_convo(self, index: int) -> tuple[list[dict[str, Any]], list[Any]]:
        """The messages and the answers of the call at `index` of the history."""
        entry = self.history[index]
        return entry["messages"], entry["outputs"]

    def __deepcopy__(self, memo: dict[int, Any]) -> DummyLM:
        """Copies go on with the same answers: an iterator cannot be copied."""
        new = self.copy()
        memo[id(self)] = new
        return new

    def _text(self, messages: Sequence[Mapping[str, Any]]) -> str:
        if self.follow_examples:
            return _example(messages)
        if isinstance(self.answers, dict):
            last = text_of(messages[-1])
            found = next((values for part, values in self.answers.items() if part in last), None)
            return _EXHAUSTED if found is None else self._laid_out(found)
        with self._lock:
            values = next(self.answers, {"answer": _EXHAUSTED})
        return self._laid_out(values)

    def _laid_out(self, values: Mapping[str, Any]) -> str:
        """The values as the adapter writes an assistant's turn."""
        adapter = self._adapter()
        text = adapter.format_assistant_message_content(_signature(tuple(values)), values)
        return text.strip().removesuffix(_END).rstrip()

    def _adapter(self) -> Any:
        if self.adapter is None:
            from dspx.adapters.chat import ChatAdapter

            self.adapter = ChatAdapter()
        return self.adapter


@lru_cache(maxsize=256)
def _signature(names: tuple[str, ...]) -> Any:
    """A signature with these outputs, of any type."""
    return make_signature({name: (Any, OutputField()) for name in names})


def _example(messages: Sequence[Mapping[str, Any]]) -> str:
    """The answer of the last example whose question starts as this one does; nothing where there is none."""
    asked = text_of(messages[-1]).split("\n\n")[0]
    for question, answer in reversed(list(pairwise(messages))):
        if answer.get("role") == "assistant" and asked in text_of(question):
            return text_of(answer)
    return ""
