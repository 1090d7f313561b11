"""Values for a program's variables, bound for one rollout and read by the leaves at call time.

Nothing is copied and nothing is changed: hundreds of rollouts with different values run at once on one program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dspx.runtime.scope import Scoped


@dataclass(frozen=True, slots=True)
class LeafValues:
    """What one leaf uses instead of its own; None keeps its own. `config` is laid over its own."""

    instructions: str | None = None
    demos: Sequence[Any] | None = None
    lm: Any = None
    adapter: Any = None
    config: Mapping[str, Any] | None = None


bound: Scoped[Mapping[int, LeafValues] | None] = Scoped("dspx_bound_values", None)
"""By `id(leaf)`: `with bound.using({id(program.answer): LeafValues(instructions="…")}): program(…)`."""
