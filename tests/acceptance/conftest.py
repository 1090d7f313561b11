"""Each test starts as a fresh process would: an empty cache of its own, no limits learned, no connection kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dspx.cache.configured import configure_cache
from dspx.lm import transport
from dspx.lm.breaker import forget_breakers
from dspx.lm.limit import forget_limiters


@pytest.fixture(autouse=True)
def _afresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DSPX_CACHEDIR", str(tmp_path / "cache"))
    _forget()
    configure_cache()
    yield
    _forget()
    configure_cache()


def _forget() -> None:
    forget_limiters()
    forget_breakers()
    transport.close()
