from __future__ import annotations

import math

import numpy as np
import pytest

from dspx.optimizers.parts.gaussian_process import (
    Kernel,
    cholesky,
    choose_kernel,
    distances,
    fit,
    log_likelihood,
)

KERNEL = Kernel(weights=(0.3, 0.2, 0.4), lengths=(0.5, 0.3, 0.2), product=0.6, noise=0.05)
CATEGORIES = (False, False, True)


def draw(count: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    points = np.column_stack([rng.random(count), rng.random(count), rng.integers(0, 3, count)])
    return points, rng.normal(5, 2, count), rng.uniform(0.01, 0.5, count)


def naive_covariance(x, y, kernel: Kernel) -> float:
    total, product = 0.0, kernel.product
    for a, b, category, weight, length in zip(x, y, CATEGORIES, kernel.weights, kernel.lengths, strict=True):
        if category:
            alone, together = float(a == b), 1.0 if a == b else length
        else:
            r = math.sqrt(5) * abs(a - b) / length
            alone = together = (1 + r + r**2 / 3) * math.exp(-r)
        total += weight * alone
        product *= together
    return total + product


def test_the_posterior_is_that_of_the_textbook_formula() -> None:
    points, scores, variances = draw(15)
    new, _, _ = draw(6, seed=1)
    centre, scale = scores.mean(), scores.std()
    known = np.array([[naive_covariance(x, y, KERNEL) for y in points] for x in points])
    known += np.diag(variances / scale**2 + KERNEL.noise)
    across = np.array([[naive_covariance(x, y, KERNEL) for y in points] for x in new])
    inverse = np.linalg.inv(known)
    mean = centre + scale * across @ inverse @ ((scores - centre) / scale)
    variance = scale**2 * np.array(
        [naive_covariance(x, x, KERNEL) - row @ inverse @ row for x, row in zip(new, across, strict=True)]
    )

    found = fit(points, scores, variances, CATEGORIES, KERNEL).predict(new)

    np.testing.assert_allclose(found[0], mean, rtol=1e-9)
    np.testing.assert_allclose(found[1], variance, rtol=1e-9)


def test_the_likelihood_is_that_of_a_normal_distribution() -> None:
    points, scores, variances = draw(12)
    covariance = KERNEL(distances(points, points, CATEGORIES), CATEGORIES)
    whole = covariance + np.diag(variances)
    expected = -0.5 * scores @ np.linalg.solve(whole, scores) - 0.5 * np.linalg.slogdet(whole)[1]
    assert log_likelihood(covariance, scores, variances) == pytest.approx(expected, rel=1e-9)


def test_without_noise_the_posterior_goes_through_the_scores() -> None:
    points, scores, _ = draw(12)
    kernel = Kernel(KERNEL.weights, KERNEL.lengths, KERNEL.product)
    mean, variance = fit(points, scores, np.zeros(12), CATEGORIES, kernel).predict(points)
    np.testing.assert_allclose(mean, scores, atol=1e-3)
    assert np.all(variance < 1e-4)


def test_adding_observations_is_as_fitting_them_at_once() -> None:
    points, scores, variances = draw(20)
    first = fit(points[:15], scores[:15], variances[:15], CATEGORIES, KERNEL)
    added = first.given(points[15:], scores[15:], variances[15:])
    units = (scores - first.centre) / first.scale
    whole = cholesky(
        KERNEL(distances(points, points, CATEGORIES), CATEGORIES)
        + np.diag(variances / first.scale**2 + KERNEL.noise)
    )
    across = KERNEL(distances(points, points, CATEGORIES), CATEGORIES)
    expected = first.centre + first.scale * across @ np.linalg.solve(whole @ whole.T, units)
    np.testing.assert_allclose(added.predict(points)[0], expected, rtol=1e-9)


@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize(
    ("points", "scores"),
    [
        ([[0.5, 0.5, 1]], [0.7]),
        ([[0.5, 0.5, 1]] * 40, [0.7] * 40),
        ([[0.5, 0.5, 1]] * 6, [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]),
        ([[i / 10, 0.1, i % 3] for i in range(10)], [3.0] * 10),
        ([[0.5 + 1e-12 * i, 0.1, 0] for i in range(10)], [1e9 * i for i in range(10)]),
    ],
)
def test_degenerate_observations_give_finite_beliefs(points, scores, noise: float) -> None:
    posterior = fit(np.array(points), np.array(scores), np.full(len(scores), noise), CATEGORIES)
    mean, variance = posterior.predict(np.array([[0.5, 0.5, 1], [0.0, 1.0, 2]]))
    assert np.all(np.isfinite(mean))
    assert np.all(variance > 0)
    assert min(scores) - 1e-6 <= mean[0] <= max(scores) + 1e-6


def test_a_noisier_score_counts_less() -> None:
    points = np.array([[0.5, 0.5, 0], [0.5, 0.5, 0]])
    scores = np.array([1.0, 0.0])
    trusted = fit(points, scores, np.array([0.01, 1.0]), CATEGORIES, KERNEL)
    doubted = fit(points, scores, np.array([1.0, 0.01]), CATEGORIES, KERNEL)
    assert trusted.predict(points)[0][0] > 0.6 > 0.4 > doubted.predict(points)[0][0]


def test_the_kernel_learns_which_dimension_matters() -> None:
    rng = np.random.default_rng(2)
    points = np.column_stack([rng.random(60), rng.random(60), rng.integers(0, 3, 60)])
    scores = np.sin(6 * points[:, 0]) + rng.normal(0, 0.05, 60)
    scores = (scores - scores.mean()) / scores.std()
    kernel = choose_kernel(points, scores, np.full(60, 0.005), CATEGORIES)
    assert kernel.weights[0] > 5 * max(kernel.weights[1:])


def test_noise_is_learned_where_no_standard_error_is_known() -> None:
    rng = np.random.default_rng(3)
    points = np.column_stack([rng.random(80)])
    scores = np.sin(5 * points[:, 0]) + rng.normal(0, 0.5, 80)
    posterior = fit(points, scores, np.zeros(80), (False,))
    learned = math.sqrt(posterior.kernel.noise) * posterior.scale
    assert 0.3 < learned < 0.75


def test_most_true_values_lie_in_the_intervals() -> None:
    inside = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        effects = rng.normal(0, 1, 6), rng.normal(0, 1, 6)
        cells = np.array([[a, b] for a in range(6) for b in range(6)], dtype=float)
        truth = effects[0][cells[:, 0].astype(int)] + effects[1][cells[:, 1].astype(int)]
        seen = rng.choice(36, 20)
        scores = truth[seen] + rng.normal(0, 0.5, 20)
        mean, variance = fit(cells[seen], scores, np.full(20, 0.25), (True, True)).predict(cells)
        inside.append(np.mean(np.abs(truth - mean) <= 1.96 * np.sqrt(variance)))
    assert 0.88 < np.mean(inside) < 0.99


def test_a_matrix_that_is_not_quite_positive_definite_is_still_factored() -> None:
    rng = np.random.default_rng(0)
    half = rng.normal(size=(30, 3))
    singular = half @ half.T
    factor = cholesky(singular)
    np.testing.assert_allclose(factor @ factor.T, singular, atol=1e-5)
