"""Which examples a leaf is shown: from what a teacher got right, and from labelled data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

from dspx.core.canonical import canonical_json, to_plain
from dspx.core.example import Example
from dspx.optimizers.rollout import Rollout


def demos_of(rollout: Rollout) -> dict[str, Example]:
    """One demo per leaf from a rollout's steps. Of a leaf that took several, one: the last half of the time."""
    found: dict[str, list[Example]] = {}
    for step in rollout.steps or ():
        found.setdefault(step.leaf, []).append(step.demo())
    return {leaf: _one_of(demos) for leaf, demos in found.items()}


def sample_labelled(examples: Sequence[Any], size: int, rng: Random) -> list[Any]:
    """`size` examples at random, or as many as there are."""
    return rng.sample(examples, max(0, min(size, len(examples))))


def labelled(
    leaves: Iterable[str], trainset: Sequence[Any], k: int, *, sample: bool = True
) -> dict[str, list[Any]]:
    """Up to `k` labelled examples for each leaf, as DSPy's `LabeledFewShot` chooses them."""
    rng = Random(0)
    return {leaf: sample_labelled(trainset, k, rng) if sample else list(trainset[:k]) for leaf in leaves}


def without_example(demos: Mapping[str, Iterable[Any]], example: Any) -> dict[str, tuple[Any, ...]]:
    """The demos without this very example: nobody is shown the answer to the question that they are asked."""
    return {leaf: tuple(demo for demo in shown if demo != example) for leaf, shown in demos.items()}


def _one_of(demos: list[Example]) -> Example:
    """DSPy's rule, with a stable seed: the last, or one of the others as often."""
    if len(demos) == 1:
        return demos[0]
    digest = hashlib.sha256(canonical_json([to_plain(demo.toDict()) for demo in demos])).hexdigest()
    rng = Random(int(digest[:16], 16))
    return demos[-1] if rng.random() < 0.5 else rng.choice(demos[:-1])
