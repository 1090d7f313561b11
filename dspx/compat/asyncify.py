"""Cross between sync and async by hand, as in DSPy. In dspx every module has both: `program(…)` and `program.acall(…)`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from dspx.core.module import Module
from dspx.core.settings import snapshot
from dspx.runtime.bridge import call, run
from dspx.runtime.channel import Channel, start_on_background_loop
from dspx.runtime.slots import Slots

T = TypeVar("T")

_slots = Slots()


def asyncify(program: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """An async function that calls a sync program on a worker thread, with the settings of its caller.

    At most `settings.async_max_workers` of all asyncified programs run at once. A call that is cancelled no
    longer waits for its thread, which goes on.
    """

    async def asyncified(*args: Any, **kwargs: Any) -> Any:
        await _slots.take(snapshot()["async_max_workers"])
        try:
            return await call(program, *args, **kwargs)
        finally:
            _slots.give()

    return asyncified


def syncify(program: Module, in_place: bool = True) -> Module:
    """The program, with a `forward` that runs its `aforward` to the end; `in_place=False` leaves it as it is
    and returns a module around it. It also works, and then blocks, inside a running event loop."""
    if not in_place:
        return _Syncified(program)
    aforward = program.aforward

    def forward(*args: Any, **kwargs: Any) -> Any:
        return run_async(aforward(*args, **kwargs))

    vars(program)["forward"] = forward
    return program


class _Syncified(Module):
    """A module whose sync call runs an async one."""

    def __init__(self, program: Module) -> None:
        super().__init__()
        self.program = program

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return run_async(self.program.acall(*args, **kwargs))


def run_async(coro: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, from sync code: it runs on a loop in the background."""
    channel: Channel[T] = Channel()

    async def work() -> None:
        channel.put(await coro)

    job = start_on_background_loop(work, channel)
    try:
        return run(channel.take())[0]
    except BaseException:
        run(job.cancel())
        raise
