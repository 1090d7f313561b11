"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Machines are noisy: an example that takes long once is not a bug.
settings.register_profile("dspx", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dspx")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """No test hears of what another configured for the whole process: settings, and the cache."""
    from dspx.cache import configured
    from dspx.core import settings as of_process

    base, cache = of_process._base, configured._current
    yield
    of_process._base, configured._current = base, cache
