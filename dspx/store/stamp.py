"""Which stored configuration the calls of this block run under, for the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dspx.runtime.scope import Scoped

configuration_in_force: Scoped[Mapping[str, Any] | None] = Scoped("dspx_configuration_in_force", None)
"""`{"space": …, "version": …}` inside a call of `store.bind(…)`; else None."""


def stamp_of(outputs: Any) -> Any:
    """The configuration that a prediction was made under; None for anything else."""
    read = getattr(outputs, "get_configuration", None)
    return read() if callable(read) else configuration_in_force.get()
