"""Make a program a stream, as in DSPy: listeners hear fields, providers say where the program is.

    streamed = dspx.streamify(program, stream_listeners=[dspx.streaming.StreamListener("answer")])
    async for item in streamed(question="…"):
        ...                                   # StreamResponse, StatusMessage, at last the Prediction

`program.stream(…)` gives the same as typed events, of all fields.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from typing import Any

from dspx.core.settings import snapshot
from dspx.runtime.bridge import run
from dspx.runtime.channel import Channel, start_on_background_loop
from dspx.streaming.chunk import ChunkSink
from dspx.streaming.messages import StatusMessageProvider, StatusStreamingCallback
from dspx.streaming.program import Streaming
from dspx.streaming.server_sent import streaming_response
from dspx.streaming.streaming_listener import (
    Listening,
    StreamListener,
    find_predictor_for_stream_listeners,
)

__all__ = ["apply_sync_streaming", "streamify", "streaming_response"]


def streamify(
    program: Any,
    status_message_provider: StatusMessageProvider | None = None,
    stream_listeners: Sequence[StreamListener] | None = None,
    include_final_prediction_in_output_stream: bool = True,
    is_async_program: bool = False,
    async_streaming: bool = True,
) -> Callable[..., Any]:
    """A function of the program's inputs that returns a generator: async, or sync with `async_streaming=False`.

    It gives a `StreamResponse` for each piece of a field with a listener (without any listener, the model's
    chunks as they come), a `StatusMessage` wherever the provider has one, what the program sends through
    `settings.send_stream`, and at last the `Prediction`. `is_async_program` has no effect: whether a
    program is sync or async is seen from the program.
    """
    listeners = list(stream_listeners or ())
    find_predictor_for_stream_listeners(program, listeners)  # raises now, not at the first call
    provider = status_message_provider or StatusMessageProvider()

    def new_stream(args: tuple[Any, ...], inputs: dict[str, Any]) -> Streaming:
        told = _Told(program, listeners, provider, include_final_prediction_in_output_stream)
        return Streaming(program, args, inputs, told)

    def streamed(*args: Any, **inputs: Any) -> AsyncGenerator[Any, None]:
        return new_stream(args, inputs).items()

    def streamed_sync(*args: Any, **inputs: Any) -> Generator[Any, None, None]:
        return new_stream(args, inputs).items_sync()

    return streamed if async_streaming else streamed_sync


class _Told:
    """What is told of one run: fields that are listened to, or the model's chunks; status; the prediction."""

    def __init__(
        self,
        program: Any,
        listeners: Sequence[StreamListener],
        provider: StatusMessageProvider,
        tells_prediction: bool,
    ) -> None:
        self._listening = Listening(program, listeners) if listeners else None
        self._listeners = listeners
        self._provider = provider
        self._tells_prediction = tells_prediction

    def settings(self, channel: Channel[Any]) -> dict[str, Any]:
        callback = StatusStreamingCallback(self._provider, channel.put)
        return {"callbacks": [*snapshot()["callbacks"], callback], "stream_listeners": self._listeners}

    def sink(self, channel: Channel[Any], leaf: Any, signature: Any, adapter: Any) -> Any:
        if self._listening is None:
            return ChunkSink(channel.put, leaf, _model_of(leaf))
        return self._listening.sink(channel.put, leaf, signature, adapter)

    def steps(self, channel: Channel[Any]) -> None:
        """Agents' steps are told as status messages, as DSPy does."""

    def finish(self, channel: Channel[Any], result: Any) -> None:
        """The prediction; also where it was not wanted, if otherwise nothing came."""
        if self._tells_prediction or self._listening is None or not self._listening.heard:
            channel.put(result)


def _model_of(leaf: Any) -> str:
    lm = getattr(leaf, "lm", None) or snapshot()["lm"]
    return str(getattr(lm, "model", ""))


def apply_sync_streaming(async_generator: AsyncGenerator[Any, None]) -> Generator[Any, None, None]:
    """The items of an async generator, for sync code. It runs on a loop in the background."""
    channel: Channel[Any] = Channel()

    async def forward() -> None:
        try:
            async for item in async_generator:
                await channel.send(item)
        finally:
            await async_generator.aclose()

    job = start_on_background_loop(forward, channel)
    try:
        while items := run(channel.take()):
            yield from items
    finally:
        channel.close()
        run(job.cancel())
