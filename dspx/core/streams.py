"""Where the pieces of an answer go while it arrives: an LM called inside a `sink` streams into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from dspx.runtime.scope import Scoped


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of completion `index`: text, reasoning, or a provider's tool call fragment (`payload`)."""

    text: str = ""
    kind: Literal["text", "reasoning", "tool_call"] = "text"
    index: int = 0
    payload: Any = None


class StreamSink(Protocol):
    """Whoever wants the pieces. Called in order, from the thread or task that makes the call."""

    def on_call(self) -> None:
        """A language model is asked; a second time where the first answer could not be read."""
        ...

    def on_delta(self, delta: Delta) -> None:
        """A piece arrived."""
        ...

    def on_prediction(self, prediction: Any) -> None:
        """The leaf is done: what it made of the answer."""
        ...


sink: Scoped[StreamSink | None] = Scoped("dspx_stream_sink", None)

open_sink: Scoped[Callable[[Any, Any, Any], StreamSink | None] | None] = Scoped("dspx_open_sink", None)
"""How a leaf gets its sink: `open_sink(leaf, signature, adapter)`, None to not stream this one."""
