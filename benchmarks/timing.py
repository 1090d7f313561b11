"""Measure CPU time: of the whole process, so that threads count, and waiting does not."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from time import process_time
from typing import Any

from benchmarks.side import Side

ENOUGH = {"full": 0.25, "quick": 0.08, "tiny": 0.0}
"""CPU seconds that one sample should last at least."""


def per_call(side: Side, fn: Callable[[], Any]) -> float:
    """CPU seconds of one `fn()`, over as many calls as make a steady sample."""
    fn()
    calls = 1
    while True:
        gc.collect()
        started = process_time()
        for _ in range(calls):
            fn()
        spent = process_time() - started
        if spent >= ENOUGH[side.size]:
            return spent / calls
        calls = _more(calls, spent, ENOUGH[side.size])


def per_acall(side: Side, fn: Callable[[], Awaitable[Any]]) -> float:
    """CPU seconds of one `await fn()`, one after the other on one event loop."""

    async def main() -> float:
        await fn()
        calls = 1
        while True:
            gc.collect()
            started = process_time()
            for _ in range(calls):
                await fn()
            spent = process_time() - started
            if spent >= ENOUGH[side.size]:
                return spent / calls
            calls = _more(calls, spent, ENOUGH[side.size])

    return asyncio.run(main())


def total(fn: Callable[[], Any]) -> float:
    """CPU seconds of one `fn()`, once."""
    gc.collect()
    started = process_time()
    fn()
    return process_time() - started


def _more(calls: int, spent: float, enough: float) -> int:
    if spent <= 0:
        return calls * 10
    return max(calls + 1, min(calls * 20, int(calls * 1.2 * enough / spent)))
