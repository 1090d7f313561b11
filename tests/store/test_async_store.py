from __future__ import annotations

import asyncio
import threading

from dspx.runtime.bridge import run
from dspx.store import AsyncStore, Run, Store
from dspx.testing.store_conformance import ask, rollout


async def use(store: Store) -> int:
    its = AsyncStore(store)
    await its.call(store.runs.record, Run("r"))
    lease = await its.lease("r", "me", heartbeat=False)
    await asyncio.gather(*(its.record_rollout(rollout("r", n)) for n in range(20)))
    await its.record_rollouts([rollout("r", 20), rollout("r", 21)])
    await its.record_ask(ask("r"))
    assert await its.find_rollout("r", "key-3") is not None
    assert await its.find_ask("r", "tip", "hash") is not None
    assert len(await its.find_asks("r")) == 1
    await its.call(lease.release)
    found = await its.find_rollouts("r")
    await its.close()
    return len(found)


def test_async_code_waits_on_worker_threads(url: str) -> None:
    with Store(url) as store:
        assert asyncio.run(use(store)) == 22


def test_in_a_sync_call_it_is_done_at_once(store: Store) -> None:
    async def record() -> int:
        await AsyncStore(store).call(store.runs.record, Run("r"))
        return await AsyncStore(store).call(threading.get_ident)

    assert run(record()) == threading.get_ident()
