"""A model that streams what it is told, in the pieces it is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from dspx.core import streams
from dspx.core.streams import Delta
from dspx.lm.base import BaseLM
from dspx.lm.request import Request
from dspx.lm.response import Output, Response

Piece = str | Delta


class Streamed(BaseLM):
    """Each answer is a list of pieces, a string (which comes whole), or an exception. The last answer repeats."""

    def __init__(
        self, *answers: Any, between: Callable[[], Awaitable[None]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__("scripted", cache=False, **kwargs)
        self.answers = list(answers)
        self.between = between
        self.requests: list[Request] = []

    async def generate(self, request: Request) -> Response:
        answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return Response(self.model, (Output(answer, finish_reason="stop"),))
        sink = streams.sink.get()
        if sink is not None:
            for piece in answer:
                sink.on_delta(piece if isinstance(piece, Delta) else Delta(piece))
                if self.between is not None:
                    await self.between()
        return Response(self.model, _outputs(answer))


def _outputs(pieces: Sequence[Piece]) -> tuple[Output, ...]:
    deltas = [piece if isinstance(piece, Delta) else Delta(piece) for piece in pieces]
    return tuple(
        _output([delta for delta in deltas if delta.index == index])
        for index in sorted({delta.index for delta in deltas} or {0})
    )


def _output(deltas: Sequence[Delta]) -> Output:
    text = "".join(delta.text for delta in deltas if delta.kind == "text")
    reasoning = "".join(delta.text for delta in deltas if delta.kind == "reasoning")
    return Output(text, reasoning=reasoning or None, finish_reason="stop")


def chat(**fields: str) -> str:
    """A completion in the chat adapter's layout."""
    sections = [f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items()]
    return "\n\n".join([*sections, "[[ ## completed ## ]]\n"])


def pieces(text: str, size: int = 4) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]
