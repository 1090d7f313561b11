"""Run an async test in a loop of its own."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """`async def test_…` as a test of its own loop."""

    @functools.wraps(test)
    def ran(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return ran
