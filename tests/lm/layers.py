"""What the tests of the layers share: an innermost asker with a script, and requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from dspx.lm.request import Request
from dspx.lm.response import Output, Response
from dspx.lm.usage import Usage


def answer(text: str = "fine", **kwargs: Any) -> Response:
    return Response("m", (Output(text, finish_reason="stop"),), Usage(5, 2, 7), **kwargs)


def asked(text: str = "hi", **kwargs: Any) -> Request:
    return Request("test/m", [{"role": "user", "content": text}], **kwargs)


class Script:
    """Answers with, or raises, what it was given, one after the other; the last for ever."""

    def __init__(self, *steps: Response | BaseException | Callable[[Request], Awaitable[Response]]) -> None:
        self.steps = steps or (answer(),)
        self.requests: list[Request] = []

    @property
    def calls(self) -> int:
        return len(self.requests)

    async def ask(self, request: Request) -> Response:
        step = self.steps[min(self.calls, len(self.steps) - 1)]
        self.requests.append(request)
        if isinstance(step, BaseException):
            raise step
        return step if isinstance(step, Response) else await step(request)


class Sink:
    """Keeps what was streamed."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def on_call(self) -> None:
        self.texts.append("<call>")

    def on_delta(self, delta: Any) -> None:
        self.texts.append(delta.text)

    def on_prediction(self, prediction: Any) -> None:
        self.texts.append("<prediction>")
