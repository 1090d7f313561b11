"""Whether the winner of a selection is really better: its gain over the baseline, corrected for its having won.

The best of 20 equal candidates on 100 examples looks 9 points better than it is. Measured on examples that it was
not chosen by, its gain is what it seems. Where there are none, the interval here allows for the choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dspx.evaluate import stats
from dspx.optimizers.parts.racing import Scores, as_table, standard_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_FLIPS = 2_000
_RESAMPLES = 500
_ALONE = 200_000
"""Multiplications. Beyond some 260,000 of them OpenBLAS takes several threads."""
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class WinnerCheck:
    """How much better the winner is than the baseline, in units of the scores."""

    gain: float
    """The mean difference as measured."""
    expected: float
    """What to expect on fresh examples of a winner chosen so. Equal to `gain` where it was not chosen by these."""
    ci95: tuple[float, float] | None
    """Where the true gain lies. Of equal candidates, the winner's interval excludes zero in 5 % of selections
    at most. None where fewer than two examples tell nothing."""
    p_not_better: float
    """How often a selection among candidates no better than the baseline would yield a winner as good as this."""
    n: int
    chosen_by_these: bool

    @property
    def within_noise(self) -> bool:
        return self.ci95 is None or self.ci95[0] <= 0


def check_on_fresh(baseline: Sequence[float], winner: Sequence[float], seed: int = 0) -> WinnerCheck:
    """From scores, paired by example, that the winner was not chosen by: a plain paired comparison."""
    differences = [after - before for before, after in zip(baseline, winner, strict=True)]
    if not differences:
        return WinnerCheck(0.0, 0.0, None, 0.5, 0, False)
    found = stats.paired(differences, seed)
    half = found.p_value / 2
    one_sided = 0.5 if found.difference == 0 else half if found.difference > 0 else 1 - half
    return WinnerCheck(
        found.difference, found.difference, found.ci95, one_sided, len(differences), chosen_by_these=False
    )


def check_where_chosen(scores: Scores, winner: int, baseline: int = 0, seed: int = 0) -> WinnerCheck:
    """From the very scores that the winner was chosen by: a row for each candidate that had a chance, None where
    it was not run.

    The lower limit is Dunnett's idea: it is as far below the gain as the luckiest of all candidates might be above
    its own true gain, found by flipping the signs of an example's differences, all together (Romano and Wolf 2005).
    Upwards nothing is corrected, for being chosen only ever flatters.
    """
    import numpy as np

    table = as_table(scores)
    if winner == baseline:
        return WinnerCheck(0.0, 0.0, None, 0.5, len(table[0]), chosen_by_these=True)
    differences = table - table[baseline]
    known = differences == differences
    n = int(known[winner].sum())
    if n < _FEWEST:
        return WinnerCheck(0.0, 0.0, None, 0.5, n, chosen_by_these=True)
    filled = np.where(known, differences, 0.0)
    gain = float(filled[winner].sum()) / n
    luck = _luckiest(filled, known, seed)
    seen = float(_as_t(filled.sum(axis=1), filled, known)[winner])
    error = standard_error(filled[winner][known[winner]])
    span = float(np.nanmax(table) - np.nanmin(table))
    low = gain - float(np.quantile(luck, 0.975)) * error
    high = gain + stats.student_t(0.975, n + 1) * error
    ci95 = (max(-span, low), min(span, high))
    return WinnerCheck(
        gain=gain,
        expected=min(max(_expected(table, winner, baseline, seed), ci95[0]), ci95[1]),
        ci95=ci95,
        p_not_better=float((np.count_nonzero(luck >= seen - 1e-9) + 1) / (len(luck) + 1)),
        n=n,
        chosen_by_these=True,
    )


def _luckiest(filled: Array, known: Array, seed: int) -> Array:
    """For each draw of signs, the largest Student's t of any candidate's differences."""
    import numpy as np

    signs = np.random.default_rng(seed).integers(0, 2, size=(_FLIPS, filled.shape[1])) * 2.0 - 1.0
    return _as_t(_product(signs, filled.T), filled, known).max(axis=1)


def _as_t(totals: Array, filled: Array, known: Array) -> Array:
    """Student's t of differences by their total: how much of the most that they could give it is (1 where all are
    equal and of one sign), and how many there are. Flipping signs leaves the most as it is."""
    import numpy as np

    n = known.sum(axis=1)
    most = np.sqrt(n * (filled * filled).sum(axis=1))
    share = totals / np.where(most > 0, most, 1.0)
    return np.sqrt(np.maximum(n - 1, 0)) * share / np.sqrt(np.maximum(1 - share * share, 1e-18))


def _expected(table: Array, winner: int, baseline: int, seed: int) -> float:
    """The gain that a winner chosen on some examples has on others, on average over bootstrap samples.

    (Tsamardinos, Greasidou and Borboudakis 2018, "bootstrap bias corrected".) Whoever was dropped early was dropped
    for having been unlucky on the first examples, and whoever stayed was lucky: only later examples are looked at.
    """
    import numpy as np

    table = table[:, _latest(table, winner, baseline)]
    known = table == table
    filled = np.where(known, table, 0.0)
    n = table.shape[1]
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=_RESAMPLES).astype(np.float64)
    inside = _weighted_means(counts, filled, known)
    winners = np.where(np.isnan(inside), -np.inf, inside).argmax(axis=1)
    both = known & known[baseline]
    outside = _weighted_means((counts == 0).astype(np.float64), filled - filled[baseline], both)
    gains = outside[np.arange(len(winners)), winners]
    return float(np.nanmean(gains)) if np.isfinite(gains).any() else 0.0


def _latest(table: Array, winner: int, baseline: int) -> Array:
    """Of the examples that both ran, the half that the fewest candidates ran; all, where all ran all."""
    import numpy as np

    known = table == table
    both = np.flatnonzero(known[winner] & known[baseline])
    ran = known[:, both].sum(axis=0)
    return both[ran <= np.sort(ran)[(len(ran) - 1) // 2]]


def _weighted_means(weights: Array, filled: Array, known: Array) -> Array:
    """Per row of weights the mean of each candidate over the examples it ran; NaN where it ran none of them."""
    import numpy as np

    total = _product(weights, known.T.astype(np.float64))
    sums = _product(weights, np.where(known, filled, 0.0).T)
    return np.where(total > 0, sums / np.maximum(total, 1e-300), np.nan)


def _product(left: Array, right: Array) -> Array:
    """`left @ right`, by so few rows at a time that BLAS does them in this thread: waking others takes it longer."""
    import numpy as np

    rows = max(1, _ALONE // right.size)
    blocks = [left[start : start + rows] @ right for start in range(0, len(left), rows)]
    return np.concatenate(blocks)
