"""Threads kept for reuse, without a bound, and one background event loop.

Without a bound on purpose: fan-outs bound the work, and a second bound on the same path is how
nested work deadlocks.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

_IDLE_SECONDS = 10.0


class _Worker(threading.Thread):
    """A daemon thread that waits a while for more work before it ends."""

    def __init__(self) -> None:
        super().__init__(daemon=True, name="dspx-worker")
        self.wake = threading.Event()
        self.job: Callable[[], Callable[[], None]] | None = None

    def run(self) -> None:
        while True:
            with _lock:  # an idle thread may be given a job at any moment
                job, self.job = self.job, None
            if job is not None:
                deliver = job()
                with _lock:
                    _idle.append(
                        self
                    )  # before the result is out, so that its receiver finds this thread idle
                deliver()
                del job, deliver
            if not self.wake.wait(_IDLE_SECONDS):
                with _lock:
                    if self.job is None:
                        _idle.remove(self)
                        return
            self.wake.clear()


_lock = threading.Lock()
_idle: deque[_Worker] = deque()
_loop: asyncio.AbstractEventLoop | None = None


def submit(fn: Callable[..., T], *args: Any) -> Future[T]:
    """Run `fn(*args)` on a worker thread at once, starting one if none is idle."""
    future: Future[T] = Future()

    def job() -> Callable[[], None]:
        if not future.set_running_or_notify_cancel():
            return lambda: None
        try:
            result = fn(*args)
        except BaseException as error:  # noqa: BLE001  handed to whoever waits for the future
            return partial(future.set_exception, error)
        return partial(future.set_result, result)

    with _lock:
        worker = _idle.pop() if _idle else None
        if worker is not None:
            worker.job = job
    if worker is None:
        worker = _Worker()
        worker.job = job
        worker.start()
    else:
        worker.wake.set()
    return future


def is_done(future: Future[Any], seconds: float) -> bool:
    """Whether the work behind `future` ends, well or not, within so many seconds."""
    try:
        future.exception(seconds)
    except FutureTimeout:
        return False
    return True


def background_loop() -> asyncio.AbstractEventLoop:
    """The loop on which sync calls run what is really async. Started on first use."""
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="dspx-loop", daemon=True).start()
        return _loop


def _forget_after_fork() -> None:
    """Threads do not survive a fork, so the child starts with none."""
    global _lock, _loop
    _lock = threading.Lock()
    _idle.clear()
    _loop = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
