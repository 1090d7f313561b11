"""Which candidates are best at something: fronts per example, without those that others make superfluous."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

Scores = Mapping[str, float]
"""A candidate's scores by example."""


def fronts(scores: Sequence[Scores]) -> dict[str, set[int]]:
    """For each example the candidates that reached its best score."""
    best: dict[str, float] = {}
    found: dict[str, set[int]] = {}
    for place, of_one in enumerate(scores):
        for example, score in of_one.items():
            if example not in best or score > best[example]:
                best[example], found[example] = score, {place}
            elif score == best[example]:
                found[example].add(place)
    return found


def without_dominated(found: Mapping[str, set[int]], averages: Sequence[float]) -> dict[str, set[int]]:
    """The fronts without candidates that are on none but those of others, the worst on average going first."""
    standing = {place for front in found.values() for place in front}
    for place in sorted(standing, key=lambda one: averages[one]):
        others = standing - {place}
        if others and all(front & others for front in found.values() if place in front):
            standing = others
    return {example: front & standing for example, front in found.items()}


def draw_from_fronts(found: Mapping[str, set[int]], averages: Sequence[float], rng: Random) -> int:
    """A candidate, the likelier the more examples it is best at (Agrawal et al. 2025)."""
    kept = without_dominated(found, averages)
    counts: dict[int, int] = {}
    for front in kept.values():
        for place in sorted(front):
            counts[place] = counts.get(place, 0) + 1
    places = sorted(counts)
    return rng.choices(places, [counts[place] for place in places])[0]


def ancestors(place: int, parents: Sequence[Sequence[int | None]]) -> set[int]:
    """All that a candidate descends from."""
    found: set[int] = set()
    waiting = [place]
    while waiting:
        for parent in parents[waiting.pop()]:
            if parent is not None and parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found
