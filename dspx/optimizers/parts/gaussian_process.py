"""An exact Gaussian process over numbers and categories: what scores to expect where nothing was tried yet.

The kernel is a sum over the dimensions plus a product of them all:

    k(x, y) = Σ_d w_d k_d(x_d, y_d) + w · Π_d k'_d(x_d, y_d)

For numbers, scaled to 0..1, `k_d` is Matérn-5/2; for categories it is 1 where they are the same and 0 where not.
The sum learns what each value does on its own, so that what is known of an instruction helps with every demo set
it was not tried with; the product learns how they act together, and there two different categories are alike by
a learned degree. Weights, lengths and extra noise are those of the highest marginal likelihood under weak priors,
found one at a time on a small grid (Rasmussen and Williams 2006, chapters 2 and 5).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_LEAST_NOISE = 1e-6
_MOST_FITTED = 100
"""The kernel is chosen on so many observations; the posterior is exact on all of them."""
_SWEEPS = 3

_WEIGHTS = (1e-4, 0.03, 0.1, 0.2, 0.4, 0.8, 1.6)
_LENGTHS = (0.1, 0.2, 0.4, 0.8, 1.6)
_LIKENESS = (0.0, 0.3, 0.6, 0.85)
_NOISES = (_LEAST_NOISE, 1e-4, 0.01, 0.05, 0.15, 0.4, 0.8)


@dataclass(frozen=True, slots=True)
class Kernel:
    """What a Gaussian process assumes, in units of the scores' own variance."""

    weights: tuple[float, ...]
    """How much each dimension does on its own."""
    lengths: tuple[float, ...]
    """For a number, the distance over which scores stay alike; for a category, how alike two others are (0..1)."""
    product: float
    """How much the dimensions do together."""
    noise: float = _LEAST_NOISE
    """Variance of a score beyond its own standard error."""

    def __call__(self, parts: Sequence[Array], categories: Sequence[bool]) -> Array:
        """The covariances, from each dimension's distances (`distances`); one dimension at least."""
        import numpy as np

        total = np.zeros_like(parts[0])
        joint = np.full_like(parts[0], self.product)
        for part, category, weight, length in zip(parts, categories, self.weights, self.lengths, strict=True):
            if category:
                total = total + weight * part
                joint = joint * (length + (1 - length) * part)
            else:
                alike = matern(part, length)
                total = total + weight * alike
                joint = joint * alike
        return total + joint

    @property
    def variance(self) -> float:
        """The variance of the score of a point of which nothing is known."""
        return sum(self.weights) + self.product


def matern(distance: Array, length: float) -> Array:
    """Matérn's covariance of smoothness 5/2."""
    import numpy as np

    scaled = math.sqrt(5) / length * distance
    return (1 + scaled + scaled * scaled / 3) * np.exp(-scaled)


def distances(left: Array, right: Array, categories: Sequence[bool]) -> list[Array]:
    """Per dimension, a matrix: for numbers the distance, for categories 1 where they are the same."""
    import numpy as np

    found: list[Array] = []
    for column, category in enumerate(categories):
        a, b = left[:, column, None], right[None, :, column]
        found.append((a == b).astype(np.float64) if category else np.abs(a - b))
    return found


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is believed after some observations; `given` adds more under the same kernel."""

    kernel: Kernel
    categories: tuple[bool, ...]
    points: Array
    scores: Array
    variances: Array
    centre: float
    scale: float
    _inverse: Array
    """Of the Cholesky factor: with it the many predictions are products."""
    _weights: Array

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Mean and variance of the true score at each of the points (rows as `dimensions.encode` makes them)."""
        import numpy as np

        across = self.kernel(distances(points, self.points, self.categories), self.categories)
        mean = across @ self._weights
        solved = across @ self._inverse.T
        variance = np.maximum(self.kernel.variance - (solved * solved).sum(axis=1), 1e-12)
        return self.centre + self.scale * mean, self.scale**2 * variance

    @property
    def prior_deviation(self) -> float:
        """By how much true scores differ, before any was seen."""
        return self.scale * math.sqrt(self.kernel.variance)

    def given(self, points: Array, scores: Array, variances: Array) -> Posterior:
        """The posterior with these observations added; scale and kernel stay."""
        import numpy as np

        return _posterior(
            self.kernel,
            self.categories,
            np.vstack([self.points, points]),
            np.concatenate([self.scores, scores]),
            np.concatenate([self.variances, variances]),
            self.centre,
            self.scale,
        )


def fit(
    points: Array,
    scores: Array,
    variances: Array,
    categories: Sequence[bool],
    kernel: Kernel | None = None,
) -> Posterior:
    """The posterior of these observations: a row of `points` each, its score, and its squared standard error.

    The kernel is chosen by marginal likelihood unless one is given. Duplicate points, equal scores and a single
    observation are all fine. 500 observations take well under a second.
    """
    categories = tuple(categories)
    centre, scale = float(scores.mean()), float(scores.std())
    if not scale > 1e-12 * max(1.0, abs(centre)):
        scale = max(float(variances.mean()) ** 0.5, 1e-3)
    if kernel is None:
        kernel = choose_kernel(points, (scores - centre) / scale, variances / scale**2, categories)
    return _posterior(kernel, categories, points, scores, variances, centre, scale)


def _posterior(
    kernel: Kernel,
    categories: tuple[bool, ...],
    points: Array,
    scores: Array,
    variances: Array,
    centre: float,
    scale: float,
) -> Posterior:
    import numpy as np

    covariance = kernel(distances(points, points, categories), categories)
    factor = cholesky(covariance + np.diag(variances / scale**2 + kernel.noise))
    inverse = np.linalg.solve(factor, np.eye(len(factor)))
    weights = inverse.T @ (inverse @ ((scores - centre) / scale))
    return Posterior(kernel, categories, points, scores, variances, centre, scale, inverse, weights)


def cholesky(matrix: Array) -> Array:
    """The lower factor, with as little added to the diagonal as makes the matrix positive definite in floats."""
    import numpy as np

    extra = 0.0
    for _ in range(12):
        try:
            return np.linalg.cholesky(matrix + extra * np.eye(len(matrix)))
        except np.linalg.LinAlgError:
            extra = max(10 * extra, 1e-10 * float(np.trace(matrix)) / len(matrix))
    raise AssertionError("a kernel matrix stays indefinite")


# ---------------------------------------------------------------- choosing the kernel


def choose_kernel(points: Array, scores: Array, variances: Array, categories: tuple[bool, ...]) -> Kernel:
    """The kernel of the highest marginal likelihood and prior, for scores of mean 0 and variance 1."""
    import numpy as np

    if len(points) > _MOST_FITTED:
        chosen = np.linspace(0, len(points) - 1, _MOST_FITTED).round().astype(int)
        points, scores, variances = points[chosen], scores[chosen], variances[chosen]
    parts = distances(points, points, categories)

    def worth(kernel: Kernel) -> float:
        return log_likelihood(kernel(parts, categories), scores, variances + kernel.noise) + log_prior(
            kernel, categories
        )

    count = max(1, len(categories))
    start = Kernel(
        weights=(0.4 / count,) * len(categories),
        lengths=tuple(0.3 if category else 0.4 for category in categories),
        product=0.2,
        noise=0.01,
    )
    return _ascend(start, worth, categories)


def _ascend(kernel: Kernel, worth: Callable[[Kernel], float], categories: tuple[bool, ...]) -> Kernel:
    """Coordinate ascent: one setting at a time takes the best value of its grid, until none changes."""
    best = worth(kernel)
    for _ in range(_SWEEPS):
        before = kernel
        for variants in _moves(categories):
            for changed in variants(kernel):
                found = worth(changed) if changed != kernel else best
                if found > best + 1e-9:
                    best, kernel = found, changed
        if kernel == before:
            break
    return kernel


def _moves(categories: tuple[bool, ...]) -> list[Callable[[Kernel], list[Kernel]]]:
    moves: list[Callable[[Kernel], list[Kernel]]] = [
        lambda kernel: [replace(kernel, noise=value) for value in _NOISES],
        lambda kernel: [replace(kernel, product=value) for value in _WEIGHTS],
    ]
    for index, category in enumerate(categories):
        grid = _LIKENESS if category else _LENGTHS
        moves.append(
            lambda kernel, index=index: [
                replace(kernel, weights=_with(kernel.weights, index, value)) for value in _WEIGHTS
            ]
        )
        moves.append(
            lambda kernel, index=index, grid=grid: [
                replace(kernel, lengths=_with(kernel.lengths, index, value)) for value in grid
            ]
        )
    return moves


def _with(values: tuple[float, ...], index: int, value: float) -> tuple[float, ...]:
    return (*values[:index], value, *values[index + 1 :])


def log_likelihood(covariance: Array, scores: Array, variances: Array) -> float:
    """How likely the scores are, but for a constant, if the true ones have this covariance.

    The scores ride along as one more row, which the factorization turns into what solving for them would give.
    """
    import numpy as np

    n = len(scores)
    bordered = np.empty((n + 1, n + 1))
    bordered[:n, :n] = covariance + np.diag(variances)
    bordered[n, :n] = bordered[:n, n] = scores
    bordered[n, n] = 1 + 2 * float(scores @ scores) / max(_LEAST_NOISE, float(variances.min()))
    factor = cholesky(bordered)
    solved = factor[n, :n]
    return float(-0.5 * solved @ solved - np.log(np.diagonal(factor)[:n]).sum())


def log_prior(kernel: Kernel, categories: Sequence[bool]) -> float:
    """Weak log-normal beliefs: the signal is about as large as the scores' variance, and smooth; little extra noise.

    They keep a handful of noisy scores from being explained as no signal or as nothing but signal.
    """
    worth = 0.0
    for weight in kernel.weights:
        worth += _log_normal(weight, 0.4 / max(1, len(categories)), 1.2)
    worth += _log_normal(kernel.product, 0.2, 1.2)
    worth += _log_normal(kernel.noise, 0.01, 3.0)
    for category, length in zip(categories, kernel.lengths, strict=True):
        worth += -2 * (length - 0.3) ** 2 if category else _log_normal(length, 0.4, 1.0)
    return worth


def _log_normal(value: float, middle: float, spread: float) -> float:
    return -0.5 * (math.log(value / middle) / spread) ** 2
