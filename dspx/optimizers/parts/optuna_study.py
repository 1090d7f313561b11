"""Optuna's tree-structured Parzen estimator, seeded and quiet."""

from __future__ import annotations

from typing import Any


def optuna_study(seed: int, *, multivariate: bool = False) -> Any:
    """An Optuna study that maximizes, by TPE (Bergstra et al. 2011), and says nothing.

    The same observations, told in the same order, give the same suggestions.
    """
    import warnings

    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=multivariate)
    return optuna.create_study(direction="maximize", sampler=sampler)
