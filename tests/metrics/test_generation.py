"""Metrics of generated sets against hand arithmetic, SciPy and the published code's rules."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from drugai.metrics import generation as metrics


def test_frechet_distance_of_two_normals_in_one_dimension():
    # (μ1 − μ2)² + (σ1 − σ2)² = 9 + 1 for N(0, 1) and N(3, 4)
    one = np.ones((1, 1))
    assert metrics.frechet_distance(np.zeros(1), one, np.full(1, 3.0), 4 * one) == pytest.approx(10.0)


def test_frechet_distance_equals_the_matrix_root_form():
    from scipy.linalg import sqrtm

    random = np.random.default_rng(0)
    a, b = random.normal(size=(200, 6)), random.normal(size=(300, 6)) @ random.normal(size=(6, 6))
    (mu_a, sigma_a), (mu_b, sigma_b) = metrics.moments(a), metrics.moments(b)
    expected = ((mu_a - mu_b) ** 2).sum() + np.trace(sigma_a + sigma_b - 2 * np.real(sqrtm(sigma_a @ sigma_b)))
    assert metrics.frechet_distance(mu_a, sigma_a, mu_b, sigma_b) == pytest.approx(expected, rel=1e-6)
    assert metrics.frechet_distance(mu_a, sigma_a, mu_a, sigma_a) == pytest.approx(0.0, abs=1e-8)


def test_moments_of_one_row_are_nan_and_so_is_their_distance():
    mu, sigma = metrics.moments(np.ones((1, 3)))
    assert np.isnan(mu).all()
    assert math.isnan(metrics.frechet_distance(mu, sigma, np.zeros(3), np.eye(3)))


def test_cosine_of_counts_by_hand():
    # (3·4 + 0) / (5 · 4) with a = (3, 4) and b = (4, 0)
    assert metrics.cosine_of_counts(Counter(x=3, y=4), Counter(x=4)) == pytest.approx(12 / 20)
    assert metrics.cosine_of_counts(Counter(x=1), Counter(y=1)) == 0
    assert math.isnan(metrics.cosine_of_counts(Counter(), Counter(x=1)))


def test_validity_uniqueness_and_novelty_by_hand():
    canonical = ["CCO", "CCN", "CCO", "c1ccccc1"]  # ethanol, ethylamine, ethanol, benzene
    assert metrics.validity(np.array([True, False, True, True])) == 0.75
    assert metrics.uniqueness(canonical) == 0.75
    assert metrics.uniqueness(canonical, 2) == 1.0
    assert math.isnan(metrics.uniqueness(canonical, 5))
    assert metrics.novelty(canonical, {"CCO"}) == pytest.approx(2 / 3)
    assert math.isnan(metrics.novelty([], set()))


def test_internal_diversity_takes_the_root_of_each_row():
    # two molecules of similarity 0.5: rows of T² have mean (1 + 0.25) / 2
    assert metrics.internal_diversity(np.array([0.75, 0.75]), 1) == pytest.approx(0.25)
    assert metrics.internal_diversity(np.array([0.625, 0.625]), 2) == pytest.approx(1 - math.sqrt(0.625))


def test_wasserstein_is_scipys():
    from scipy.stats import wasserstein_distance

    random = np.random.default_rng(1)
    a, b = random.normal(size=300), random.gamma(2.0, size=170)
    assert metrics.wasserstein(a, b) == pytest.approx(wasserstein_distance(a, b))
    assert metrics.wasserstein(np.array([1.0, np.nan]), np.array([3.0])) == 2.0
    assert math.isnan(metrics.wasserstein(np.array([]), b))


def test_divergence_of_equal_samples_is_nothing_and_grows_with_the_shift():
    random = np.random.default_rng(2)
    reference = random.normal(size=500)
    assert metrics.divergence(reference, reference, whole_numbers=False) == pytest.approx(0.0)
    assert 0.05 < metrics.divergence(reference, reference + 0.5, whole_numbers=False) < metrics.divergence(reference, reference + 2, whole_numbers=False)
    counts = random.poisson(3, 500).astype(float)
    assert metrics.divergence(counts, counts, whole_numbers=True) == pytest.approx(0.0)
    assert metrics.divergence(counts, counts + 100, whole_numbers=True) == math.inf
    assert math.isnan(metrics.divergence(np.ones(5), np.ones(5), whole_numbers=False))


def test_guacamol_scores_by_hand():
    assert metrics.guacamol_fcd(0.455) == pytest.approx(0.913, abs=1e-3)  # SMILES LSTM of the paper
    assert metrics.guacamol_kl([0.0, math.log(2)]) == pytest.approx(0.75)


def test_area_under_the_best_ten_by_hand():
    # all scores 0.5 over the whole budget: the first trapezoid starts from 0
    assert metrics.auc_top([0.5] * 1000, budget=1000) == pytest.approx(0.5 * (1 - 0.05))
    # a run of 500 calls keeps its last value for the other 500
    assert metrics.auc_top([0.5] * 500, budget=1000) == pytest.approx(0.5 * (1 - 0.05))
    assert metrics.auc_top([], budget=1000) == 0.0
    assert metrics.auc_top([1.0] * 2000, budget=1000) == metrics.auc_top([1.0] * 1000, budget=1000)


def test_area_equals_the_published_code():
    def top_auc(scores, top_n, finish, freq_log, max_oracle_calls):  # mol_opt, main/optimizer.py, on a list in place of its buffer
        total, prev, called = 0.0, 0.0, 0
        for idx in range(freq_log, min(len(scores), max_oracle_calls), freq_log):
            now = np.mean(sorted(scores[:idx], reverse=True)[:top_n])
            total += freq_log * (now + prev) / 2
            prev, called = now, idx
        now = np.mean(sorted(scores, reverse=True)[:top_n])
        total += (len(scores) - called) * (now + prev) / 2
        if finish and len(scores) < max_oracle_calls:
            total += (max_oracle_calls - len(scores)) * now
        return total / max_oracle_calls

    scores = np.random.default_rng(3).random(1234).tolist()
    assert metrics.auc_top(scores, budget=3000) == pytest.approx(top_auc(scores, 10, True, 100, 3000))
    assert metrics.auc_top(scores[:1000], budget=1000) == pytest.approx(top_auc(scores[:1000], 10, True, 100, 1000))
