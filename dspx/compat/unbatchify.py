"""Let single calls share a function of lists: calls that come close together are answered by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from dspx.errors import UsageError
from dspx.runtime.bridge import call, run
from dspx.runtime.locks import Lock
from dspx.runtime.waiting import Signal


class Unbatchify:
    """`Unbatchify(batch_fn)(item)`: the item's part of `batch_fn([item, …])`.

    The first call waits `max_wait_time` seconds for others, or until `max_batch_size` are there, and makes the
    call for all. An error is everybody's. Call it from threads, or `await unbatchify.acall(item)` from tasks.
    """

    def __init__(
        self,
        batch_fn: Callable[[list[Any]], Sequence[Any]],
        max_batch_size: int = 32,
        max_wait_time: float = 0.1,
    ) -> None:
        self.batch_fn = batch_fn
        self.max_batch_size = max_batch_size
        self.max_wait_time = max_wait_time
        self._lock = Lock()
        self._open: _Batch | None = None

    def __call__(self, input_item: Any) -> Any:
        return run(self.acall(input_item))

    async def acall(self, input_item: Any) -> Any:
        with self._lock:
            batch, place = self._join(input_item)
        if place == 0:
            await self._lead(batch)
        else:
            await batch.done.wait()
        if batch.error is not None:
            raise batch.error
        return batch.results[place]

    def _join(self, item: Any) -> tuple[_Batch, int]:
        batch = self._open
        if batch is None:
            batch = self._open = _Batch()
        batch.items.append(item)
        if len(batch.items) >= self.max_batch_size:
            self._open = None
            batch.full.give()
        return batch, len(batch.items) - 1

    async def _lead(self, batch: _Batch) -> None:
        try:
            await batch.full.wait(self.max_wait_time)
            self._shut(batch)
            batch.results = await call(self.batch_fn, list(batch.items))
            if len(batch.results) != len(batch.items):
                raise UsageError(
                    f"batch_fn was given {len(batch.items)} items and returned {len(batch.results)} results; "
                    "it must return one for each."
                )
        except BaseException as error:
            batch.error = error
            raise
        finally:
            self._shut(batch)
            batch.done.give()

    def _shut(self, batch: _Batch) -> None:
        with self._lock:
            if self._open is batch:
                self._open = None

    def close(self) -> None:
        """Nothing to close: no thread is kept."""

    def __enter__(self) -> Unbatchify:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Batch:
    def __init__(self) -> None:
        self.items: list[Any] = []
        self.results: Sequence[Any] = ()
        self.error: BaseException | None = None
        self.full = Signal()
        self.done = Signal()
