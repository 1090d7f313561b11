"""Run a coroutine from sync code by stepping it; call a user's function whichever kind it is.

Every feature of dspx is written once, as `async def`. In a sync call its leaves block instead of
waiting, so the coroutine never suspends and one `send(None)` runs it to its end.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from functools import partial
from threading import local
from types import FunctionType
from typing import Any, TypeVar

from dspx.errors import UsageError

T = TypeVar("T")

_CO_COROUTINE = 0x0180  # inspect.CO_COROUTINE | CO_ITERABLE_COROUTINE
_NO_TASK = object()


class _Here(local):
    blocking: object | None = None
    """The task (or _NO_TASK) inside which this thread is stepping a coroutine."""


_here = _Here()


def run(coro: Coroutine[Any, Any, T]) -> T:
    """The result of `coro`, stepped in this thread. `UsageError` if it really waits for something."""
    before = _here.blocking
    _here.blocking = _current_task()
    try:
        coro.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    else:
        raise _waited(coro)
    finally:
        _here.blocking = before


def step(coro: Coroutine[Any, Any, T]) -> T:
    """`run` for code that is inside a sync call already."""
    try:
        coro.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    raise _waited(coro)


def _waited(coro: Coroutine[Any, Any, Any]) -> UsageError:
    """What to raise where `coro` waits in a sync call; closed here, so that its cleanup may block as the rest did."""
    waited = UsageError(
        f"{_name(coro)} waited for something in a sync call. "
        "Call it with `await program.acall(...)`, or block instead of awaiting in this code."
    )
    try:
        coro.close()
    except RuntimeError as error:  # its cleanup waits too
        waited.__cause__ = error
    return waited


def is_blocking() -> bool:
    """Whether this code runs inside a sync call, and so may (and must) block instead of awaiting."""
    blocking = _here.blocking
    return blocking is not None and blocking is _current_task()


async def call(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result of a user's function, sync or async, from a sync call or an async one.

    A sync function runs here in a sync call and on a worker thread in an async one; an async function
    is awaited in an async call and runs on the background loop in a sync one.
    """
    if is_blocking():
        return call_blocking(fn, *args, **kwargs)
    if is_async(fn):
        return await fn(*args, **kwargs)
    result = await in_thread(fn, *args, **kwargs)
    return await result if hasattr(type(result), "__await__") else result


def call_blocking(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What `call` does in a sync call."""
    if is_async(fn):
        return on_background_loop(fn, *args, **kwargs)
    return settled(fn(*args, **kwargs))


def settled(result: Any) -> Any:
    """In a sync call: what a sync function returned, and where that is something to await, what comes of it."""
    return on_background_loop(_await, result) if hasattr(type(result), "__await__") else result


async def in_thread(fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """The result of a blocking function: called here in a sync call, on a worker thread in an async one."""
    if is_blocking():
        return fn(*args, **kwargs)
    import asyncio

    from dspx.runtime.workers import submit

    return await asyncio.wrap_future(submit(copy_context().run, _outside, fn, args, kwargs))


def on_background_loop(fn: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> T:
    """The result of an async function, from sync code: it runs on dspx's background loop, context copied."""
    if is_async_here():
        raise UsageError(
            f"{_name(fn)} is async and was reached by a sync call made inside a running event loop, "
            "which would block that loop. Use `await program.acall(...)` here."
        )
    import asyncio

    from dspx.runtime.workers import background_loop

    async def task() -> T:
        return await fn(*args, **kwargs)

    context = copy_context()
    future = context.run(asyncio.run_coroutine_threadsafe, task(), background_loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def on_this_loop(fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
    """`fn`, bound to the loop that runs now: awaited from any other loop, it runs on this one.

    For what belongs to a loop, such as an open connection. Where no loop runs now, `fn` itself.
    """
    if not is_async_here():
        return fn
    import asyncio

    home = asyncio.get_running_loop()

    async def at_home(*args: Any, **kwargs: Any) -> T:
        if asyncio.get_running_loop() is home:
            return await fn(*args, **kwargs)
        if home.is_closed():
            raise UsageError(
                f"{_name(fn)} belongs to an event loop that has ended. Open its connection again."
            )
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_await(fn(*args, **kwargs)), home))

    return at_home


def is_async(fn: Callable[..., Any]) -> bool:
    """Whether calling `fn` gives a coroutine, as far as its code tells."""
    if type(fn) is FunctionType:
        return bool(fn.__code__.co_flags & _CO_COROUTINE)
    while isinstance(fn, partial):
        fn = fn.func
    code = getattr(fn, "__code__", None)  # a method has its function's
    if code is None and not isinstance(fn, type):
        code = getattr(getattr(type(fn).__call__, "__func__", type(fn).__call__), "__code__", None)
    return code is not None and bool(code.co_flags & _CO_COROUTINE)


def is_async_here() -> bool:
    """Whether this thread runs an event loop right now."""
    return _current_task() is not _NO_TASK


def _current_task() -> object:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or (loop := asyncio._get_running_loop()) is None:
        return _NO_TASK
    return asyncio.current_task(loop) or loop


def _outside(fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    """Run `fn` as a thread's own work: a worker is never inside the sync call that came before."""
    _here.blocking = None
    return fn(*args, **kwargs)


async def _await(value: Awaitable[T]) -> T:
    return await value


def _name(thing: Any) -> str:
    return getattr(thing, "__qualname__", None) or type(thing).__qualname__
