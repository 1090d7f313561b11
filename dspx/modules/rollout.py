"""Ask the same program again and get another answer: each leaf under a rollout number of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dspx.core.candidate import LeafValues, bound, leaves_in_force
from dspx.core.settings import snapshot

_NOTHING = LeafValues()
_ROOM = 1_000
"""How many rollouts fit inside one: nested ones must not meet."""


def another_rollout(
    program: Any, number: int, temperature: float | None = None, adapters: Mapping[str, Any] | None = None
) -> Mapping[int, LeafValues]:
    """Values to bind so that no leaf of `program` is answered from the cache of another rollout.

    `temperature` is for leaves that set none themselves; `adapters` are by leaf name. Neither the program
    nor its LMs are changed or copied, so the calls stand in the histories of the user's own LMs.

    >>> with bound.using(another_rollout(program, 1)): program(question="…")
    """
    values = dict(bound.get() or {})
    for name, leaf in leaves_in_force(program):
        mine = values.get(id(leaf), _NOTHING)
        own: dict[str, Any] = {**getattr(leaf, "config", {}), **(mine.config or {})}
        rollout = _rollout(number, mine.config or {}, own, mine.lm or leaf.lm or snapshot()["lm"])
        config = {**(mine.config or {}), "rollout_id": rollout}
        if temperature is not None and own.get("temperature") is None:
            config["temperature"] = temperature
        adapter = adapters.get(name) if adapters else None
        values[id(leaf)] = replace(mine, config=config, adapter=adapter or mine.adapter)
    return values


def _rollout(number: int, bound_config: Mapping[str, Any], config: Mapping[str, Any], lm: Any) -> int:
    """Counted from the leaf's own rollout number, or its LM's; inside another rollout, apart from that one's."""
    around = bound_config.get("rollout_id")
    if around is not None:
        return around * _ROOM + number
    own = config.get("rollout_id")
    if own is None:
        own = getattr(lm, "kwargs", {}).get("rollout_id")
    return (own or 0) + number
