"""Bayesian search: learn from scores that are noisy and few which point to try next, and which is best.

    search = BayesianSearch([Categorical("instruction", 20), Numeric("temperature", 0.0, 1.5)], seed=7)
    point = search.suggest()
    search.observe(point, score, standard_error)
    ...
    search.recommend().point

Everything it says is a function of the seed, the observations in their order, and what is pending. So a search
that is run again on recorded scores asks for the same points again, and one may be built anew for each question.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from dspx.errors import UsageError
from dspx.optimizers.parts.acquisition import ACQUISITIONS, MOST_ENUMERATED, Acquisition, maximize, promise
from dspx.optimizers.parts.dimensions import (
    Categorical,
    Dimension,
    Point,
    all_points,
    cardinality,
    categories,
    check_point,
    encode,
    random_point,
)
from dspx.optimizers.parts.gaussian_process import Posterior, fit
from dspx.optimizers.parts.quasi_random import quasi_random_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_TRIES = 1_000
_CLEAR = 0.2
_AROUND = 5
_FEW_EXAMPLES = 20
"""So many examples know their own variance half as well as all trials together do."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A point, the mean score it had, how uncertain that mean is, and of how many examples it is the mean."""

    point: Point
    score: float
    standard_error: float | None = None
    examples: int | None = None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The point of the highest posterior mean, that mean, and where the true score lies (95 %)."""

    point: Point
    mean: float
    interval: tuple[float, float]
    observed: bool
    """Whether the point itself was tried, or is only believed to be good."""


class BayesianSearch:
    """Ask with `suggest`, tell with `observe`, end with `recommend`. Scores are to be maximized.

    `initial` points are spread evenly before the model is asked. With `repeat=False` a point that was observed
    or is pending is not suggested again: right where trying it again would give the same score, as on a fixed
    validation set. `allowed` says which points there are, where constraints rule some out.
    """

    def __init__(
        self,
        dimensions: Sequence[Dimension],
        *,
        seed: int = 0,
        acquisition: Acquisition = "ei",
        initial: int | None = None,
        repeat: bool = False,
        allowed: Callable[[Point], bool] | None = None,
    ) -> None:
        if acquisition not in ACQUISITIONS:
            raise UsageError(f"acquisition is one of {', '.join(ACQUISITIONS)}; got {acquisition!r}.")
        if not dimensions:
            raise UsageError("There is nothing to search: give at least one dimension.")
        self.dimensions = tuple(dimensions)
        self.seed = seed
        self.acquisition: Acquisition = acquisition
        self.initial = initial if initial is not None else _enough_to_begin(self.dimensions)
        self.repeat = repeat
        self.allowed = allowed
        self.observations: list[Observation] = []
        self._fitted: tuple[int, Posterior] | None = None

    def observe(
        self,
        point: Point,
        score: float,
        standard_error: float | None = None,
        *,
        examples: int | None = None,
    ) -> None:
        """Record the mean score of a point, with its standard error and the number of examples where known."""
        check_point(self.dimensions, point)
        if not math.isfinite(score):
            raise UsageError(f"A score is a finite number; got {score!r} for {point!r}.")
        self.observations.append(Observation(tuple(point), float(score), standard_error, examples))

    def suggest(self, pending: Sequence[Point] = ()) -> Point | None:
        """The point to try next; None where every allowed point was tried and `repeat` is off.

        `pending` are points whose scores are still awaited: the model believes that they will score as it expects
        (the kriging believer of Ginsbourger et al. 2010), so the next ones are sought elsewhere.
        """
        asked = len(self.observations) + len(pending)
        rng = Random(f"{self.seed}:{len(self.observations)}:{len(pending)}")
        taken = set() if self.repeat else {seen.point for seen in self.observations} | set(pending)
        if asked < self.initial or not self.observations:
            point = self._spread(asked, rng, taken)
            if point is not None:
                return point
        return self._promising(pending, rng, taken)

    def suggest_batch(self, count: int, pending: Sequence[Point] = ()) -> list[Point]:
        """Up to `count` points to try at once, each chosen with the ones before it pending."""
        chosen: list[Point] = []
        while len(chosen) < count:
            point = self.suggest([*pending, *chosen])
            if point is None:
                break
            chosen.append(point)
        return chosen

    def recommend(self, *, observed: bool = True) -> Recommendation:
        """The best point by posterior mean: of those that were tried, or with `observed=False` of all.

        The posterior draws each score towards what its neighbours say, so a lucky one does not win by luck.
        """
        if not self.observations:
            raise UsageError("Nothing was observed yet, so there is nothing to recommend.")
        posterior = self.posterior()
        tried = self._tried()
        best = tried[int(posterior.predict(encode(self.dimensions, tried))[0].argmax())]
        if not observed:
            rng = Random(f"{self.seed}:{len(self.observations)}:recommend")
            best = maximize(self._means, self.dimensions, rng, around=[best], allowed=self.allowed) or best
        mean, variance = posterior.predict(encode(self.dimensions, [best]))
        half = NormalDist().inv_cdf(0.975) * math.sqrt(float(variance[0]))
        centre = float(mean[0])
        return Recommendation(best, centre, (centre - half, centre + half), best in set(tried))

    def posterior(self) -> Posterior:
        """What is believed after the observations so far."""
        import numpy as np

        count = len(self.observations)
        if self._fitted is None or self._fitted[0] != count:
            points = encode(self.dimensions, [seen.point for seen in self.observations])
            scores = np.array([seen.score for seen in self.observations])
            variances = noise_variances(self.observations)
            self._fitted = count, fit(points, scores, variances, categories(self.dimensions))
        return self._fitted[1]

    # ------------------------------------------------------------ how a point is chosen

    def _spread(self, index: int, rng: Random, taken: set[Point]) -> Point | None:
        """The next of the evenly spread points, or a random one where that is taken or not allowed."""
        allowed = self._untaken(taken)
        for point in quasi_random_points(self.dimensions, index + 1, Random(f"{self.seed}:spread"))[index:]:
            if allowed(point):
                return point
        if cardinality(self.dimensions) <= MOST_ENUMERATED:
            left = [point for point in all_points(self.dimensions) if allowed(point)]
            return rng.choice(left) if left else None
        drawn = (random_point(self.dimensions, rng) for _ in range(_TRIES))
        return next((point for point in drawn if allowed(point)), None)

    def _promising(self, pending: Sequence[Point], rng: Random, taken: set[Point]) -> Point | None:
        """The point that promises most, given what is believed of those observed and pending."""
        posterior = self._believed(pending)
        tried = self._tried()
        means = posterior.predict(encode(self.dimensions, tried))[0]
        order = sorted(range(len(tried)), key=lambda index: -float(means[index]))
        best = float(means.max())
        if self.acquisition == "pi":  # else the best point, tried again, would always promise an even chance
            best += _CLEAR * posterior.prior_deviation

        def worth(points: Sequence[Point]) -> Array:
            mean, variance = posterior.predict(encode(self.dimensions, points))
            return promise(self.acquisition, mean, variance, best)

        return maximize(
            worth,
            self.dimensions,
            rng,
            around=[tried[index] for index in order[:_AROUND]],
            allowed=self._untaken(taken),
        )

    def _believed(self, pending: Sequence[Point]) -> Posterior:
        import numpy as np

        posterior = self.posterior()
        if not pending:
            return posterior
        rows = encode(self.dimensions, pending)
        noise = np.full(len(pending), float(posterior.variances.mean()))
        return posterior.given(rows, posterior.predict(rows)[0], noise)

    def _untaken(self, taken: set[Point]) -> Callable[[Point], bool]:
        allowed = self.allowed
        return lambda point: point not in taken and (allowed is None or allowed(point))

    def _tried(self) -> list[Point]:
        return list(dict.fromkeys(seen.point for seen in self.observations))

    def _means(self, points: Sequence[Point]) -> Array:
        return self.posterior().predict(encode(self.dimensions, points))[0]


def _enough_to_begin(dimensions: Sequence[Dimension]) -> int:
    """Two points per dimension and one per pair of the most options, but not more than a third of 50 trials."""
    options = max(dimension.options if isinstance(dimension, Categorical) else 0 for dimension in dimensions)
    return max(5, min(16, 2 * len(dimensions) + options // 2))


def noise_variances(observations: Sequence[Observation]) -> Array:
    """The variance of each score's error, from the standard errors, drawn towards what they say together.

    Ten right answers of ten have a standard error of 0, which would make them certain, and lucky scores would be
    trusted most. A few examples know their own spread badly; how far they are trusted grows with their number.
    Where no standard error is known at all the variances are 0, and the model learns the noise itself.
    """
    import numpy as np

    known = [seen for seen in observations if seen.standard_error is not None]
    if not known:
        return np.zeros(len(observations))
    sizes = [seen.examples for seen in observations if seen.examples]
    usual = sum(sizes) / len(sizes) if sizes else _FEW_EXAMPLES
    weight = sum(_size(seen, usual) for seen in known)
    pooled = sum(_spread_of(seen, usual) * _size(seen, usual) for seen in known) / weight
    return np.array(
        [
            pooled / _size(seen, usual)
            if seen.standard_error is None
            else (_FEW_EXAMPLES * pooled + _size(seen, usual) * _spread_of(seen, usual))
            / (_FEW_EXAMPLES + _size(seen, usual))
            / _size(seen, usual)
            for seen in observations
        ]
    )


def _size(seen: Observation, usual: float) -> float:
    return seen.examples or usual


def _spread_of(seen: Observation, usual: float) -> float:
    """The variance of one example's score, as this observation saw it."""
    return (seen.standard_error or 0.0) ** 2 * _size(seen, usual)
