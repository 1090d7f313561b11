from __future__ import annotations

from collections.abc import Iterator

import pytest

from dspx.errors import UsageError

optuna = pytest.importorskip("optuna")

from dspx.optimizers.parts.optuna_sampler import BayesianSampler  # noqa: E402


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


def objective(trial) -> float:
    style = trial.suggest_categorical("style", ["terse", "formal", None])
    rate = trial.suggest_float("rate", 1e-4, 1e-1, log=True)
    t = trial.suggest_float("t", 0.0, 1.0, step=0.1)
    k = trial.suggest_int("k", 2, 10, step=2)
    tokens = trial.suggest_int("tokens", 16, 1024, log=True)
    trial.suggest_categorical("fixed", ["only"])
    trial.set_user_attr("standard_error", 0.02)
    trial.set_user_attr("examples", 20)
    assert tokens in range(16, 1025)
    return (style == "formal") - (t - 0.4) ** 2 - (k - 6) ** 2 / 50 - (rate - 0.01) ** 2


def test_it_optimizes_mixed_distributions() -> None:
    sampler = BayesianSampler(seed=0)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(objective, n_trials=40)
    assert study.best_value > 0.9
    found = sampler.recommend(study)
    assert found["style"] == "formal"
    assert isinstance(found["k"], int)
    assert found["k"] in (4, 6, 8)
    assert found["t"] == pytest.approx(0.4, abs=0.25)


def test_the_seed_decides_the_whole_study() -> None:
    def run(seed: int) -> list[dict]:
        study = optuna.create_study(direction="maximize", sampler=BayesianSampler(seed=seed))
        study.optimize(objective, n_trials=22)
        return [trial.params for trial in study.trials]

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_a_study_goes_on_with_a_new_sampler_as_it_would_have_gone_on() -> None:
    def ask_next(parts: list[int]) -> dict:
        study = optuna.create_study(direction="maximize")
        for trials in parts:
            study.sampler = BayesianSampler(seed=5)
            study.optimize(objective, n_trials=trials)
        return study.trials[-1].params

    relative = ("style", "rate", "t", "k", "tokens")
    one, two = ask_next([21]), ask_next([20, 1])
    assert [one[name] for name in relative] == [two[name] for name in relative]


def test_minimizing_works_too() -> None:
    study = optuna.create_study(direction="minimize", sampler=BayesianSampler(seed=0, acquisition="ucb"))
    study.optimize(lambda trial: (trial.suggest_float("x", -5, 5) - 2) ** 2, n_trials=25)
    assert study.best_params["x"] == pytest.approx(2, abs=0.3)


def test_trials_in_flight_are_spread() -> None:
    study = optuna.create_study(direction="maximize", sampler=BayesianSampler(seed=0))
    space = {"a": optuna.distributions.CategoricalDistribution(list(range(10)))}
    for a in range(7):
        study.add_trial(optuna.trial.create_trial(params={"a": a}, distributions=space, value=float(a)))
    asked = [study.ask(space).params["a"] for _ in range(3)]
    assert sorted(asked) == [7, 8, 9]


def test_failed_trials_and_parameters_that_come_and_go_are_no_obstacle() -> None:
    def sometimes(trial) -> float:
        deep = trial.suggest_categorical("deep", [True, False])
        x = trial.suggest_float("x", 0, 1)
        if trial.number % 5 == 0:
            raise ValueError("no answer")
        return x + (trial.suggest_float("y", 0, 1) if deep else 0.0)

    study = optuna.create_study(direction="maximize", sampler=BayesianSampler(seed=0))
    study.optimize(sometimes, n_trials=30, catch=(ValueError,))
    assert study.best_value > 1.2


def test_two_objectives_are_refused() -> None:
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=BayesianSampler(seed=0))
    with pytest.raises(UsageError, match="one objective"):
        study.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 0.0), n_trials=3)
