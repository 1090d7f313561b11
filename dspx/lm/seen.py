"""Whether the user has seen some of an answer: what has been seen cannot be taken back by asking again."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from dspx.core import streams
from dspx.core.streams import Delta, StreamSink


class Seen:
    """False until the first piece went through to the sink."""

    __slots__ = ("_outer", "_seen")

    def __init__(self, outer: StreamSink) -> None:
        self._outer = outer
        self._seen = False

    def __bool__(self) -> bool:
        return self._seen

    def on_call(self) -> None:
        self._outer.on_call()

    def on_delta(self, delta: Delta) -> None:
        self._seen = True
        self._outer.on_delta(delta)

    def on_prediction(self, prediction: Any) -> None:
        self._outer.on_prediction(prediction)


@contextmanager
def watching() -> Generator[Seen | None, None, None]:
    """What went through the sink in force within the block; None where nothing streams."""
    outer = streams.sink.get()
    if outer is None:
        yield None
        return
    seen = Seen(outer)
    with streams.sink.using(seen):
        yield seen
