"""Merge two candidates that changed different leaves of a common ancestor (GEPA, Agrawal et al. 2025)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from random import Random

from dspx.optimizers.parts.pareto import Scores, ancestors, fronts, without_dominated

_TRIES = 10
_SAMPLE = 5
"""How many examples a merge is tried on."""

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Merge:
    """A child to try: its instructions, its parents, and the examples to try it on."""

    instructions: dict[str, str]
    first: int
    second: int
    ancestor: int
    examples: list[str]


@dataclass(slots=True)
class Merger:
    """Proposes merges, none of them twice."""

    made: int = 0
    """How many merges made it into the pool."""
    tried: set[tuple[int, int, int]] = field(default_factory=set[tuple[int, int, int]])
    texts: set[tuple[tuple[str, str], ...]] = field(default_factory=set[tuple[tuple[str, str], ...]])

    def propose(
        self,
        texts: Sequence[Texts],
        parents: Sequence[Sequence[int | None]],
        scores: Sequence[Scores],
        rng: Random,
    ) -> Merge | None:
        """A merge of two that are best at something; None where none is found."""
        averages = [sum(of_one.values()) / max(1, len(of_one)) for of_one in scores]
        standing = sorted(
            {place for front in without_dominated(fronts(scores), averages).values() for place in front}
        )
        pairs = list(combinations(standing, 2))
        for _ in range(min(_TRIES, len(pairs))):
            found = self._of_pair(*rng.choice(pairs), texts, parents, scores, averages, rng)
            if found is not None:
                return found
        return None

    def _of_pair(
        self,
        first: int,
        second: int,
        texts: Sequence[Texts],
        parents: Sequence[Sequence[int | None]],
        scores: Sequence[Scores],
        averages: Sequence[float],
        rng: Random,
    ) -> Merge | None:
        theirs, others = ancestors(first, parents), ancestors(second, parents)
        if first in others or second in theirs:
            return None
        suited = [
            place
            for place in sorted(theirs & others)
            if (first, second, place) not in self.tried
            and averages[place] <= min(averages[first], averages[second])
            and _changed_by_one(texts[place], texts[first], texts[second])
        ]
        if not suited:
            return None
        ancestor = rng.choices(suited, [max(averages[place], 1e-9) for place in suited])[0]
        self.tried.add((first, second, ancestor))
        child = _merged(texts, ancestor, first, second, averages, rng)
        key = tuple(sorted(child.items()))
        examples = _examples(scores[first], scores[second], rng)
        if key in self.texts or child in (texts[first], texts[second]) or examples is None:
            return None
        self.texts.add(key)
        return Merge(child, first, second, ancestor, examples)


def _changed_by_one(ancestor: Texts, first: Texts, second: Texts) -> bool:
    """Whether some leaf was changed by exactly one of the two."""
    return any((first[leaf] == text) != (second[leaf] == text) for leaf, text in ancestor.items())


def _merged(
    texts: Sequence[Texts], ancestor: int, first: int, second: int, averages: Sequence[float], rng: Random
) -> dict[str, str]:
    """Each leaf from whoever changed it; where both did, from the better one."""
    better = first if averages[first] > averages[second] else second
    if averages[first] == averages[second]:
        better = rng.choice((first, second))
    child: dict[str, str] = {}
    for leaf, text in texts[ancestor].items():
        mine, yours = texts[first][leaf], texts[second][leaf]
        child[leaf] = yours if mine == text else mine if yours == text else texts[better][leaf]
    return child


def _examples(first: Scores, second: Scores, rng: Random) -> list[str] | None:
    """Examples to try a merge on: where one is ahead, where the other is, where neither is."""
    common = [key for key in first if key in second]
    if len(common) < _SAMPLE:
        return None
    groups = (
        [key for key in common if first[key] > second[key]],
        [key for key in common if first[key] < second[key]],
        [key for key in common if first[key] == second[key]],
    )
    share = -(-_SAMPLE // len(groups))
    chosen: list[str] = []
    for group in groups:
        chosen += rng.sample(group, min(len(group), share, _SAMPLE - len(chosen)))
    rest = [key for key in common if key not in chosen]
    return chosen + rng.sample(rest, _SAMPLE - len(chosen))
