"""A store for async code: the same verbs, on worker threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from dspx.runtime.bridge import in_thread
from dspx.store.lease import Lease
from dspx.store.records import Ask, Rollout
from dspx.store.store import Store

T = TypeVar("T")


class AsyncStore:
    """What a study does with a store, to be awaited. In a sync call of dspx it is done at once, without a thread.

    `await store.call(store.store.runs.show, run_id)` does anything else.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    async def call(self, verb: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """The result of any method of the store."""
        return await in_thread(verb, *args, **kwargs)

    async def record_rollout(self, rollout: Rollout) -> Rollout:
        return await in_thread(self.store.record_rollout, rollout)

    async def record_rollouts(self, rollouts: Iterable[Rollout]) -> list[Rollout]:
        return await in_thread(self.store.record_rollouts, rollouts)

    async def find_rollout(self, run_id: str, key: str) -> Rollout | None:
        return await in_thread(self.store.find_rollout, run_id, key)

    async def find_rollouts(self, run_id: str) -> list[Rollout]:
        return await in_thread(self.store.find_rollouts, run_id)

    async def record_ask(self, ask: Ask) -> Ask:
        return await in_thread(self.store.record_ask, ask)

    async def find_ask(self, run_id: str, label: str, inputs_hash: str, occurrence: int = 0) -> Ask | None:
        return await in_thread(self.store.find_ask, run_id, label, inputs_hash, occurrence)

    async def find_asks(self, run_id: str) -> list[Ask]:
        return await in_thread(self.store.find_asks, run_id)

    async def lease(self, run_id: str, owner: str | None = None, seconds: float = 30.0, **how: Any) -> Lease:
        """As `Store.lease`. Release it with `await store.call(lease.release)`."""
        return await in_thread(self.store.lease, run_id, owner, seconds, **how)

    async def close(self) -> None:
        await in_thread(self.store.close)
