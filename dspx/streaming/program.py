"""Run a program and hand over what it says while it runs.

    async for event in program.stream(question="…"):
        if isinstance(event, FieldDelta): print(event.text, end="")

The program runs as it does in `await program.acall(…)`, settings, callbacks and caches included.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, Protocol

from dspx.core import steps, streams
from dspx.core.calls import entrance
from dspx.core.settings import context
from dspx.runtime.bridge import run
from dspx.runtime.channel import Channel, start
from dspx.streaming.events import Event, Final
from dspx.streaming.joining import joined
from dspx.streaming.leaf import LeafReader
from dspx.streaming.send import SendStream


def stream(program: Any, /, *args: Any, **inputs: Any) -> AsyncGenerator[Event, None]:
    """The events of one call of `program`: pieces of fields as they arrive, values, at last `Final`.

    Objects that the program sends through `settings.send_stream` come in between, as they are. An error of
    the program is raised after the events before it. Closing the generator cancels the program.
    """
    return Streaming(program, args, inputs).items()


def stream_sync(program: Any, /, *args: Any, **inputs: Any) -> Generator[Event, None, None]:
    """The same for sync code. The program runs in a thread, as in `program(…)`; closing stops it at its next piece."""
    return Streaming(program, args, inputs).items_sync()


class Teller(Protocol):
    """Decides what is told of a run."""

    def settings(self, channel: Channel[Any]) -> dict[str, Any]:
        """Settings for the run."""
        ...

    def sink(self, channel: Channel[Any], leaf: Any, signature: Any, adapter: Any) -> Any:
        """What becomes of a leaf's pieces; None to not stream it."""
        ...

    def steps(self, channel: Channel[Any]) -> Callable[[Any, Any], None] | None:
        """What becomes of agents' steps; None to not tell of them."""
        ...

    def finish(self, channel: Channel[Any], result: Any) -> None:
        """The program has returned."""
        ...


class Streaming:
    """One call of a program, and a channel for what is told of it."""

    def __init__(
        self, program: Any, args: tuple[Any, ...], inputs: dict[str, Any], teller: Teller | None = None
    ) -> None:
        self._program = program
        self._args = args
        self._inputs = inputs
        self._teller = teller or _Typed(program)
        self._channel: Channel[Any] = Channel(merge=joined)

    async def items(self) -> AsyncGenerator[Any, None]:
        job = start(self._work, self._channel)
        try:
            while items := await self._channel.take():
                for item in items:
                    yield item
        finally:
            self._channel.close()
            await job.cancel()

    def items_sync(self) -> Generator[Any, None, None]:
        run(self._start())
        try:
            while items := run(self._channel.take()):
                yield from items
        finally:
            self._channel.close()

    async def _start(self) -> None:
        start(self._work, self._channel)

    async def _work(self) -> None:
        channel, teller = self._channel, self._teller
        with (
            streams.open_sink.using(partial(teller.sink, channel)),
            steps.listener.using(teller.steps(channel)),
            context(send_stream=SendStream(channel), **teller.settings(channel)),
        ):
            result = await entrance(self._program)(*self._args, **self._inputs)
        teller.finish(channel, result)


class _Typed:
    """Tells typed events of every leaf."""

    def __init__(self, program: Any) -> None:
        self._names = LeafNames(program)
        self._modules = _module_names(program)
        self._numbers = count()

    def settings(self, channel: Channel[Any]) -> dict[str, Any]:
        return {}

    def sink(self, channel: Channel[Any], leaf: Any, signature: Any, adapter: Any) -> LeafReader:
        return LeafReader(channel.put, self._names.of(leaf), next(self._numbers), signature, adapter)

    def steps(self, channel: Channel[Any]) -> Callable[[Any, Any], None]:
        def tell(agent: Any, step: Any) -> None:
            channel.put(replace(step, agent=self._modules.get(id(agent), type(agent).__name__)))

        return tell

    def finish(self, channel: Channel[Any], result: Any) -> None:
        channel.put(Final(result))


def _module_names(program: Any) -> dict[int, str]:
    """The paths of a program's modules; the program itself is `self`."""
    named = program.named_sub_modules() if hasattr(program, "named_sub_modules") else []
    return {id(module): name.removeprefix("self.") for name, module in named}


class LeafNames:
    """The paths of a program's leaves. A copy of a leaf has its path; a leaf made on the way, its class's name."""

    def __init__(self, program: Any) -> None:
        named = program.named_predictors() if hasattr(program, "named_predictors") else []
        self._by_id: dict[int, str] = {id(leaf): name for name, leaf in named}
        self._by_stage: dict[Any, str] = {getattr(leaf, "stage", None): name for name, leaf in named}

    def of(self, leaf: Any) -> str:
        name = self._by_id.get(id(leaf))
        if name is None:
            name = self._by_stage.get(getattr(leaf, "stage", id(leaf)), type(leaf).__name__)
        return name
