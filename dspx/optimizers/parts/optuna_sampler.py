"""Bayesian search as an optuna sampler: `optuna.create_study(sampler=BayesianSampler(seed=0))`.

Importing this module imports optuna.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.study import StudyDirection
from optuna.trial import TrialState

from dspx.errors import UsageError
from dspx.optimizers.parts.acquisition import Acquisition
from dspx.optimizers.parts.bayesian_search import BayesianSearch
from dspx.optimizers.parts.dimensions import Categorical, Dimension, Numeric, Point

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

STANDARD_ERROR = "standard_error"
EXAMPLES = "examples"


class BayesianSampler(BaseSampler):
    """Suggests by a Gaussian process over numbers and categories together; trials may run at once.

    An objective that knows how uncertain its score is says so, and is modelled the better for it:
    `trial.set_user_attr("standard_error", 0.05)` and `trial.set_user_attr("examples", 20)`.
    What it suggests follows from the seed and the study's trials alone. Parameters that not every trial has
    are drawn at random. `study.best_trial` is the luckiest trial; `recommend(study)` is the best believed.
    """

    def __init__(
        self,
        *,
        seed: int | None = None,
        acquisition: Acquisition = "ei",
        initial: int | None = None,
        repeat: bool = False,
    ) -> None:
        self._seed = Random().getrandbits(32) if seed is None else seed
        self._acquisition: Acquisition = acquisition
        self._initial = initial
        self._repeat = repeat
        self._independent = RandomSampler(seed=self._seed)
        self._space = IntersectionSearchSpace()

    def reseed_rng(self) -> None:
        self._seed = Random().getrandbits(32)
        self._independent.reseed_rng()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        found = self._space.calculate(study)
        return {name: distribution for name, distribution in found.items() if not distribution.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if not search_space:
            return {}
        search = self.search(study, search_space)
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        pending = [
            _point(search_space, other)
            for other in running
            if other.number != trial.number and _fits(search_space, other)
        ]
        point = search.suggest(pending)
        return {} if point is None else _values(search_space, point)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._independent.sample_independent(study, trial, param_name, param_distribution)

    def recommend(self, study: Study) -> dict[str, Any]:
        """The parameters of the trial of the best posterior mean, among those that every trial has."""
        space = self._space.calculate(study)
        if not space:
            raise UsageError("The study has no finished trials with parameters in common.")
        return _values(space, self.search(study, space).recommend().point)

    def search(self, study: Study, search_space: Mapping[str, BaseDistribution]) -> BayesianSearch:
        """The search over these parameters, having observed the study's finished trials."""
        if len(study.directions) != 1:
            raise UsageError("BayesianSampler searches for one objective; this study has more.")
        sign = -1.0 if study.direction == StudyDirection.MINIMIZE else 1.0
        search = BayesianSearch(
            [_dimension(name, distribution) for name, distribution in search_space.items()],
            seed=self._seed,
            acquisition=self._acquisition,
            initial=self._initial,
            repeat=self._repeat,
        )
        for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
            value = trial.value
            if value is None or not math.isfinite(value) or not _fits(search_space, trial):
                continue
            search.observe(
                _point(search_space, trial),
                sign * value,
                trial.user_attrs.get(STANDARD_ERROR),
                examples=trial.user_attrs.get(EXAMPLES),
            )
        return search


def _dimension(name: str, distribution: BaseDistribution) -> Dimension:
    if isinstance(distribution, CategoricalDistribution):
        return Categorical(name, len(distribution.choices))
    if isinstance(distribution, (FloatDistribution, IntDistribution)):
        whole = isinstance(distribution, IntDistribution)
        low, high = distribution.low, distribution.high
        return Numeric(name, low, high, log=distribution.log, step=distribution.step, integer=whole)
    raise UsageError(f"BayesianSampler does not know the distribution of {name!r}: {distribution!r}.")


def _fits(space: Mapping[str, BaseDistribution], trial: FrozenTrial) -> bool:
    """Whether the trial has a value in range for each parameter; a study's ranges may change on the way."""
    return all(
        name in trial.params and distribution._contains(distribution.to_internal_repr(trial.params[name]))
        for name, distribution in space.items()
    )


def _point(space: Mapping[str, BaseDistribution], trial: FrozenTrial) -> Point:
    return tuple(distribution.to_internal_repr(trial.params[name]) for name, distribution in space.items())


def _values(space: Mapping[str, BaseDistribution], point: Point) -> dict[str, Any]:
    return {
        name: distribution.to_external_repr(value)
        for (name, distribution), value in zip(space.items(), point, strict=True)
    }
