"""How sure a score is: intervals for a mean, and whether two programs really differ.

Everything here is seeded, so the same scores always give the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

Interval = tuple[float, float]

_NORMAL = NormalDist()
_RESAMPLES = 2_000
_MOST_RESAMPLED = 20_000
"""From here on the mean is normal enough that resampling would only reproduce the formula."""
_FEW_DISTINCT = 100
_EXACT_FLIPS = 12
_FLIPS = 10_000
_MOST_FLIPPED = 1_000


def mean_interval(groups: Sequence[Sequence[float]], level: float = 0.95, seed: int = 0) -> Interval | None:
    """Where the true mean lies, at `level` confidence; None where fewer than two groups tell nothing.

    A group holds the scores of one example: one, or one per repeat. Examples, not scores, are what was
    drawn at random, so repeats of one example make an interval no narrower than they should.
    Scores that are all 0 or 1 give Wilson's interval, others a bootstrap.
    """
    groups = [group for group in groups if group]
    means = [sum(group) / len(group) for group in groups]
    if not means:
        return None
    if all(mean in (0.0, 1.0) for mean in means):
        return wilson(sum(means), len(means), level)
    if len(means) < 2:
        return None
    if len({len(group) for group in groups}) == 1:
        return bootstrap(means, level, seed)
    return _bootstrap_of_ratio(groups, level, seed)


def wilson(successes: float, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval for a share of successes (Wilson 1927)."""
    z = _z(level)
    share = successes / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = (centre - half) / scale if successes > 0 else 0.0
    high = (centre + half) / scale if successes < n else 1.0
    return low, high


def bootstrap(values: Sequence[float], level: float = 0.95, seed: int = 0) -> Interval:
    """A percentile bootstrap for the mean, widened for small samples (Hesterberg 2015, "expanded percentile")."""
    import numpy as np

    data = np.asarray(values, dtype=np.float64)
    n = len(data)
    if n > _MOST_RESAMPLED:
        half = _z(level) * float(data.std(ddof=1)) / math.sqrt(n)
        return float(data.mean()) - half, float(data.mean()) + half
    means = _resampled_means(data, np.random.default_rng(seed))
    tail = 100 * _expanded_tail(n, level)
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)


def _resampled_means(data: Any, rng: Any) -> Any:
    """Means of resamples. Few distinct values are drawn as counts, which is as good and much faster."""
    import numpy as np

    n = len(data)
    distinct, counts = np.unique(data, return_counts=True)
    if len(distinct) <= _FEW_DISTINCT:
        return rng.multinomial(n, counts / n, size=_RESAMPLES) @ distinct / n
    resamples = max(500, min(_RESAMPLES, 8_000_000 // n))
    centre = data.mean()
    small = (data - centre).astype(np.float32)
    means = np.empty(resamples)
    rows = max(1, 1_000_000 // n)  # a block stays in the processor's cache
    for start in range(0, resamples, rows):
        stop = min(start + rows, resamples)
        drawn = rng.integers(0, n, size=(stop - start, n), dtype=np.uint16 if n <= 65_535 else np.uint32)
        means[start:stop] = small.take(drawn).mean(axis=1)
    return means + centre


def _bootstrap_of_ratio(groups: Sequence[Sequence[float]], level: float, seed: int) -> Interval:
    """A bootstrap over groups of unequal size, as an interrupted run with repeats leaves them."""
    import numpy as np

    sums = np.array([sum(group) for group in groups], dtype=np.float64)
    sizes = np.array([len(group) for group in groups], dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = np.empty(max(500, min(_RESAMPLES, 8_000_000 // len(groups))))
    for row in range(len(means)):
        drawn = rng.integers(0, len(sums), size=len(sums))
        means[row] = sums[drawn].sum() / sizes[drawn].sum()
    tail = 100 * _expanded_tail(len(sums), level)
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)


# ---------------------------------------------------------------- two programs on the same examples


@dataclass(frozen=True, slots=True)
class Paired:
    """What the differences, one per example, say: `b` minus `a`, in the units of the scores."""

    difference: float
    ci95: Interval | None
    p_value: float
    """How often chance alone would make a difference as large, if the two programs were equal."""
    effect_size: float
    """Cohen's d of the differences: 0.2 is small, 0.8 is large."""
    n: int
    needs: int | None
    """How many more examples it would take to tell this difference from chance (80 % power), if it is real;
    0 where it can be told already, None where no difference was seen."""

    @property
    def significant(self) -> bool:
        return self.p_value < 0.05


def paired(differences: Sequence[float], seed: int = 0) -> Paired:
    """Whether scores of two programs, paired by example, differ by more than chance."""
    n = len(differences)
    mean = math.fsum(differences) / n
    variance = math.fsum((d - mean) ** 2 for d in differences) / (n - 1) if n > 1 else 0.0
    effect = mean / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, mean) if mean else 0.0
    p_value = sign_flip_p_value(differences, seed)
    return Paired(
        difference=mean,
        ci95=_difference_interval(differences, seed),
        p_value=p_value,
        effect_size=effect,
        n=n,
        needs=0 if p_value < 0.05 else _more_examples(effect, n),
    )


def sign_flip_p_value(differences: Sequence[float], seed: int = 0) -> float:
    """The two-sided permutation p-value of paired differences: as often as not, a difference has the other sign.

    Exact for differences of one size (then it is the sign test) and for up to 12 of them; drawn for more;
    by the normal distribution, which a thousand of them follow closely, beyond that.
    """
    moved = [d for d in differences if d != 0]
    if not moved:
        return 1.0
    if len({abs(d) for d in moved}) == 1:
        return _sign_test(sum(d > 0 for d in moved), len(moved))
    if len(moved) > _MOST_FLIPPED:
        z = abs(math.fsum(moved)) / math.sqrt(math.fsum(d * d for d in moved))
        return math.erfc(z / math.sqrt(2))
    return _flipped(moved, seed)


def _flipped(moved: list[float], seed: int) -> float:
    import numpy as np

    data = np.asarray(moved, dtype=np.float64)
    m = len(data)
    seen = abs(data.sum()) - 1e-9 * np.abs(data).sum()  # equal sums must count as equal after rounding
    if m <= _EXACT_FLIPS:
        bits = np.arange(2**m)[:, None] >> np.arange(m) & 1
        return float((np.abs((1 - 2 * bits) @ data) >= seen).mean())
    rng = np.random.default_rng(seed)
    bits = np.unpackbits(rng.integers(0, 256, size=(_FLIPS, (m + 7) // 8), dtype=np.uint8), axis=1)[:, :m]
    sums = data.sum() - 2 * (bits.astype(np.float32) @ data.astype(np.float32))
    return float((np.count_nonzero(np.abs(sums) >= seen) + 1) / (_FLIPS + 1))


def _sign_test(wins: int, n: int) -> float:
    """The two-sided binomial test of `wins` out of `n` at one half."""
    fewer = min(wins, n - wins)
    if n > 2_000:
        z = (n / 2 - fewer - 0.5) / math.sqrt(n / 4)
        return min(1.0, math.erfc(max(0.0, z) / math.sqrt(2)))
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(fewer + 1)) / 2**n)


def _difference_interval(differences: Sequence[float], seed: int) -> Interval | None:
    n = len(differences)
    if all(d in (-1.0, 0.0, 1.0) for d in differences):
        return bonett_price(sum(d > 0 for d in differences), sum(d < 0 for d in differences), n)
    return bootstrap(differences, 0.95, seed) if n > 1 else None


def bonett_price(wins: int, losses: int, n: int, level: float = 0.95) -> Interval:
    """An interval for the difference of two paired shares (Bonett and Price 2012); wide where few examples differ."""
    up, down = (wins + 1) / (n + 2), (losses + 1) / (n + 2)
    half = _z(level) * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    return max(-1.0, up - down - half), min(1.0, up - down + half)


def _more_examples(effect: float, n: int) -> int | None:
    if effect == 0:
        return None
    if math.isinf(effect):
        return max(0, 6 - n)  # the fewest equal differences that a sign test can tell from chance
    needed = ((_z(0.95) + _NORMAL.inv_cdf(0.8)) / effect) ** 2
    return max(1, math.ceil(needed) - n)


# ---------------------------------------------------------------- quantiles


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of these sorted values lie, interpolated."""
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def _z(level: float) -> float:
    return _NORMAL.inv_cdf((1 + level) / 2)


def _expanded_tail(n: int, level: float) -> float:
    """The tail to cut from `n` values' bootstrap, so that its width is that of Student's t interval."""
    return _NORMAL.cdf(-math.sqrt(n / (n - 1)) * student_t((1 + level) / 2, n - 1))


def student_t(probability: float, freedom: int) -> float:
    """The quantile of Student's t distribution, by its Cornish-Fisher expansion (exact for 1 and 2 degrees)."""
    if freedom == 1:
        return math.tan(math.pi * (probability - 0.5))
    if freedom == 2:
        return (2 * probability - 1) * math.sqrt(2 / (4 * probability * (1 - probability)))
    z = _NORMAL.inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))
