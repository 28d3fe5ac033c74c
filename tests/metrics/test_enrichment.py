"""Enrichment against hand arithmetic and RDKit's own scoring."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit.ML.Scoring import Scoring

from drugai.errors import ConfigError
from drugai.metrics.enrichment import bedroc, enrichment_factor, enrichment_summary


def rdkit_list(active: np.ndarray, score: np.ndarray) -> list[list[float]]:
    return [[score[row], active[row]] for row in np.argsort(-score)]


@pytest.mark.parametrize("seed", range(5))
def test_without_ties_enrichment_and_bedroc_are_those_of_rdkit(seed: int) -> None:
    random = np.random.default_rng(seed)
    active = (random.random(777) < 0.07).astype(float)
    score = random.normal(size=777) + active
    ranked = rdkit_list(active, score)
    for fraction in (0.01, 0.05, 0.2):
        assert enrichment_factor(active, score, fraction) == pytest.approx(Scoring.CalcEnrichment(ranked, 1, [fraction])[0])
    for alpha in (5.0, 20.0, 100.0):
        assert bedroc(active, score, alpha) == pytest.approx(Scoring.CalcBEDROC(ranked, 1, alpha), abs=1e-9)
    assert enrichment_summary(active, score)["roc_auc"] == pytest.approx(Scoring.CalcAUC(ranked, 1), abs=1e-4)


def test_all_actives_first_is_one_and_all_last_is_zero() -> None:
    active = np.array([1.0] * 10 + [0.0] * 990)
    score = -np.arange(1000.0)
    assert bedroc(active, score) == pytest.approx(1.0)
    assert bedroc(active, -score) == pytest.approx(0.0, abs=1e-9)
    assert enrichment_factor(active, score, 0.01) == pytest.approx(100.0)  # 10 of 10 against 10 of 1,000
    assert enrichment_factor(active, -score, 0.01) == 0.0


def test_a_scorer_that_says_the_same_of_all_is_worth_what_chance_is() -> None:
    active = np.array([1.0] * 50 + [0.0] * 950)  # the file stands with the actives first: no reward for that
    flat = np.zeros(1000)
    assert enrichment_factor(active, flat) == pytest.approx(1.0)
    shuffled = [bedroc(active[np.random.default_rng(seed).permutation(1000)], -np.arange(1000.0)) for seed in range(400)]
    assert bedroc(active, flat) == pytest.approx(np.mean(shuffled), abs=0.01)  # the expected value of a random order


def test_a_tie_across_the_cut_counts_by_its_share() -> None:
    # ten molecules, two actives; the first three tie and hold one active: of the first two places it fills 2/3, so EF20% = (2/3 / 2) / 0.2
    active = np.array([0, 0, 1, 0, 0, 1, 0, 0, 0, 0], dtype=float)
    score = np.array([9, 9, 9, 8, 7, 6, 5, 4, 3, 2], dtype=float)
    assert enrichment_factor(active, score, 0.2) == pytest.approx((2 / 3 / 2) / 0.2)


def test_degenerate_input_is_nan_and_none_in_the_summary() -> None:
    assert np.isnan(enrichment_factor(np.zeros(0), np.zeros(0)))
    assert np.isnan(bedroc(np.ones(5), np.arange(5.0)))
    assert enrichment_summary(np.array([0.0, np.nan, 0.0]), np.array([1.0, 2.0, 3.0])) == {
        "n": 2, "n_active": 0, "roc_auc": None, "ef1": None, "ef5": None, "bedroc": None,
    }  # fmt: skip


def test_a_large_alpha_does_not_overflow() -> None:
    assert bedroc(np.array([1.0, 0, 0, 0]), np.array([4.0, 3, 2, 1]), alpha=2000.0) == pytest.approx(1.0)


@pytest.mark.parametrize(("active", "score"), [([0, 2], [1, 2]), ([0, 1], [1, np.nan]), ([0, 1, 1], [1, 2])])
def test_labels_that_are_no_labels_are_refused(active: list[float], score: list[float]) -> None:
    with pytest.raises(ConfigError):
        enrichment_factor(np.array(active, float), np.array(score, float))
