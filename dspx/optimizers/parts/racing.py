"""Racing candidates: run all on a few examples, drop some, run the rest on twice as many.

    while wanted := next_batch(scores, alive):          # (candidate, example) pairs to run next
        ...                                             # run them, fill in `scores`
        standing = race(scores, alive)                  # or race_boldly(scores, alive)
        alive = standing.alive
    standing.leader

`race` drops those that are surely behind, which finds the best one and saves little where all are close;
`race_boldly` drops those that are probably behind, which costs half and finds one about as good.

Scores are a row per candidate and a column per example, None where it was not run. Candidates are compared on the
examples that both ran, so that a hard example weighs on both. The examples should be in random order.
(Maron and Moore 1994, "Hoeffding races", with the bound of Bonett and Price 2012 in place of Hoeffding's.)
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dspx.evaluate.stats import student_t

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Scores = Sequence[Sequence[float | None]]

FIRST = 8
BOLD = 0.1
"""How likely one comparison of a bold race drops a candidate that is as good as the leader."""
BOLD_FIRST = 10
"""On so many examples a bold race runs all candidates."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Who is still in the race, best first; who leads; and who was dropped just now."""

    alive: tuple[int, ...]
    leader: int
    dropped: tuple[int, ...]


def race(
    scores: Scores,
    alive: Sequence[int] | None = None,
    *,
    error: float = 0.05,
    level: float | None = None,
    margin: float = 0.0,
    first: int = FIRST,
    keep: Collection[int] = (),
) -> Standing:
    """Drop each candidate that is behind the leader by more than chance allows.

    With probability 1 - `error`, over the whole race, the candidate that would have been best on all examples
    is not dropped; or, with a `margin`, none that would have been better than the one that dropped it by more than
    that. `level` is the chance of each single comparison, instead. Those in `keep` stay in any case.
    """
    table = as_table(scores)
    count, total = table.shape
    racing = list(range(count)) if alive is None else list(alive)
    best = leader(scores, racing)
    if level is None:
        looks = max(1, len(batch_ends(total, first)) - 1)
        level = error / (max(1, count - 1) * looks)
    dropped = [
        candidate
        for candidate in racing
        if candidate != best
        and candidate not in keep
        and _surely_behind(table[best] - table[candidate], level, margin)
    ]
    left = [candidate for candidate in racing if candidate not in dropped]
    means = _common_means(table, left)
    order = sorted(range(len(left)), key=lambda place: (left[place] != best, -means[place]))
    return Standing(tuple(left[place] for place in order), best, tuple(dropped))


def race_boldly(
    scores: Scores,
    alive: Sequence[int] | None = None,
    *,
    first: int = BOLD_FIRST,
    spare: Collection[int] = (),
) -> Standing:
    """`race` where candidates are too close for it: drop each that is behind by more than one chance in ten explains.

    Half of the rollouts and less find a candidate about as good as the best. Those in `spare` go only when `race`
    itself would drop them.
    """
    surely = race(scores, alive, first=first).dropped
    keep = [candidate for candidate in spare if candidate not in surely]
    return race(scores, alive, level=BOLD, first=first, keep=keep)


def leader(scores: Scores, alive: Sequence[int] | None = None) -> int:
    """The candidate of the highest mean on the examples that all of `alive` ran; the first of equals."""
    table = as_table(scores)
    racing = list(range(len(table))) if alive is None else list(alive)
    means = _common_means(table, racing)
    return racing[max(range(len(racing)), key=lambda place: (means[place], -racing[place]))]


def next_batch(
    scores: Scores, alive: Sequence[int] | None = None, *, first: int = FIRST
) -> list[tuple[int, int]]:
    """What to run next, as (candidate, example): each batch doubles what was run; empty when all is done.

    Once one candidate is left there is nothing to decide, and so nothing to run.
    """
    racing = list(range(len(scores))) if alive is None else list(alive)
    if len(racing) < 2:
        return []
    for end in batch_ends(len(scores[racing[0]]), first):
        wanted = [(c, example) for example in range(end) for c in racing if scores[c][example] is None]
        if wanted:
            return wanted
    return []


def batch_ends(total: int, first: int = FIRST) -> list[int]:
    """Up to which example each batch goes: 8, 16, 32, …, `total`. A last batch that is small joins the one before."""
    ends: list[int] = []
    end = first
    while end < total / 1.25:
        ends.append(end)
        end *= 2
    return [*ends, total] if total else []


def as_table(scores: Scores) -> Array:
    """The scores as an array, NaN where there is none."""
    import numpy as np

    return np.array(
        [[math.nan if score is None else score for score in row] for row in scores], dtype=np.float64
    )


def standard_error(differences: Array) -> float:
    """Of the mean of paired differences, of which there is at least one.

    Two imagined ones, a win and a loss as clear as any, keep a few equal differences from looking like certainty.
    """
    n = len(differences)
    most = float(abs(differences).max())
    mean = float(differences.sum()) / (n + 2)
    squares = float((differences * differences).sum()) + 2 * most * most
    return math.sqrt(max(0.0, squares - (n + 2) * mean * mean) / (n + 1) / (n + 2))


def _surely_behind(leads: Array, level: float, margin: float) -> bool:
    """Whether the mean of these leads over all examples, run or not, is above -`margin`, at this one-sided level.

    Of those that were run the sum is known; only the others are uncertain, hence the share.
    """
    seen = leads[leads == leads] + margin
    n, total = len(seen), len(leads)
    if not 2 <= n < total:
        return False  # too few to tell; or all is known, and nothing is saved by dropping
    error = standard_error(seen) * math.sqrt((total - n) / total)
    return float(seen.sum()) / (n + 2) > student_t(1 - level, n + 1) * error


def _common_means(table: Array, racing: Sequence[int]) -> list[float]:
    rows = table[list(racing)]
    common = rows[:, (rows == rows).all(axis=0)]
    if common.shape[1] == 0:
        return [0.0] * len(rows)
    return [float(mean) for mean in common.mean(axis=1)]
