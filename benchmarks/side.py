"""One of the three that are measured (dspx, dspy, floor), as a case sees it."""

from __future__ import annotations

import importlib
import json
import tempfile
import urllib.request
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

SIZES = ("tiny", "quick", "full")


class Side:
    """`side.api` is the library; `side.url(ms)` an endpoint that answers after so many milliseconds."""

    def __init__(self, name: str, size: str, server: str | None) -> None:
        self.name = name
        self.size = size
        self.server = server
        self._kept: dict[str, Any] = {}

    @cached_property
    def api(self) -> Any:
        if self.name == "floor":
            raise RuntimeError("The floor has no library: this case needs a floor of its own.")
        return importlib.import_module(self.name)

    def pick(self, full: int, quick: int, tiny: int) -> int:
        """How many, by the size of this run."""
        return {"full": full, "quick": quick, "tiny": tiny}[self.size]

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gave the first time: programs and data that the repeats of a case share."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    # ------------------------------------------------------------ the server

    def url(self, milliseconds: int = 0, tokens: int = 0, pause: int = 0) -> str:
        if self.server is None:
            raise RuntimeError("This case needs the benchmark server.")
        return f"{self.server}/after/{milliseconds}/tokens/{tokens}/every/{pause}/v1"

    def lm(self, url: str, **settings: Any) -> Any:
        """The library's LM on the server, without cache or retries unless asked for."""
        return self.api.LM(
            "openai/bench", api_base=url, api_key="none", **{"cache": False, "num_retries": 0, **settings}
        )

    def stats(self) -> dict[str, int]:
        """`requests` since the last `reset`, `connections` open now."""
        with urllib.request.urlopen(f"{self.server}/stats") as reply:
            return json.load(reply)

    def reset(self) -> None:
        urllib.request.urlopen(f"{self.server}/reset").close()

    # ------------------------------------------------------------ the cache

    def cache_dir(self) -> str:
        """A new folder for a disk cache; it goes when the worker ends."""
        holder = tempfile.TemporaryDirectory(prefix="bench-cache-", ignore_cleanup_errors=True)
        self._kept[f"cache {len(self._kept)}"] = holder
        return str(Path(holder.name))
