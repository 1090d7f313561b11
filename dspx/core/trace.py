"""The steps that the calls of this block took: `(leaf, inputs, prediction)` tuples.

`with dspx.context(trace=[]): …; dspx.settings.trace` collects them. Nothing is collected otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dspx.runtime.scope import Scoped

Step = tuple[Any, dict[str, Any], Any]


def record_step(settings: Mapping[str, Any], leaf: Any, inputs: dict[str, Any], prediction: Any) -> None:
    """Append a step to the trace in force, if one is kept; the oldest goes when it is full."""
    trace: list[Step] | None = settings["trace"]
    if trace is None:
        return
    limit = settings["max_trace_size"]
    if limit <= 0:
        return
    if len(trace) >= limit:
        del trace[: len(trace) - limit + 1]
    trace.append((leaf, inputs, prediction))


callers: Scoped[tuple[Any, ...]] = Scoped("dspx_callers", ())
"""The modules whose calls we are inside, outermost first. An LM writes its history into each."""

answered_by: Scoped[str | None] = Scoped("dspx_answered_by", None)
"""The model that answered the leaf's last call, where it is not the one that was asked: a fallback."""

asked_again: Scoped[str | None] = Scoped("dspx_asked_again", None)
"""What was wrong with the leaf's first answer, where an adapter had to ask a second time."""
