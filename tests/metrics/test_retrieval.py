"""Metrics of retrieval against hand arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.errors import ConfigError
from drugai.metrics.retrieval import (
    average_precision,
    estimate_mean,
    hits_at,
    macro,
    paired_mean_difference,
    per_query,
    rank_candidates,
    recall_at,
    reciprocal_rank,
)


def test_metrics_of_one_ranking_follow_the_definitions():
    right = np.array([False, True, False, True])  # right answers at ranks 2 and 4
    assert reciprocal_rank(right) == 0.5
    assert hits_at(right, 1) == 0
    assert hits_at(right, 2) == 1
    assert recall_at(right, 2) == 0.5
    assert average_precision(right) == pytest.approx((1 / 2 + 2 / 4) / 2)


def test_a_perfect_ranking_has_one_everywhere_and_a_query_without_an_answer_has_nan():
    found = per_query(np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]]), np.array([[True, False, False], [False, False, False]]))
    assert all(values[0] == 1.0 for values in found.values())
    assert all(np.isnan(values[1]) for values in found.values())
    assert macro(found)["MRR"] == 1.0


def test_a_candidate_taken_out_neither_helps_nor_hurts():
    scores, labels = np.array([[9.0, 5.0, 1.0]]), np.array([[False, True, False]])
    assert per_query(scores, labels)["MRR"][0] == 0.5
    assert per_query(scores, labels, np.array([[False, True, True]]))["MRR"][0] == 1.0


def test_a_constant_score_does_not_profit_from_the_order_of_the_file():
    labels = np.zeros((200, 50), bool)
    labels[:, 0] = True  # always first in the file
    ranks = [1 / per_query(np.zeros((1, 50)), labels[:1], seed=seed)["MRR"][0] for seed in range(200)]
    assert 20 < np.mean(ranks) < 31  # the mean rank of chance among 50 is 25.5


def test_ties_are_broken_alike_for_one_seed():
    assert rank_candidates(np.zeros(20), seed=1).tolist() == rank_candidates(np.zeros(20), seed=1).tolist()


def test_auroc_of_a_query_is_the_share_of_pairs_in_order():
    found = per_query(np.array([[4.0, 3.0, 2.0, 1.0]]), np.array([[True, False, True, False]]))
    assert found["AUROC"][0] == pytest.approx(3 / 4)  # of 2 × 2 pairs, three in order


def test_interval_holds_the_mean_and_a_paired_difference_of_equals_is_zero():
    values = np.array([0.1, 0.5, 0.9, np.nan])
    found = estimate_mean(values)
    assert found.n == 3
    assert found.value == pytest.approx(0.5)
    assert found.low <= found.value <= found.high
    assert paired_mean_difference(values, values).to_dict() == {"value": 0.0, "low": 0.0, "high": 0.0, "n": 3}


def test_nan_scores_and_unlike_shapes_are_refused():
    with pytest.raises(ConfigError, match="NaN"):
        per_query(np.array([[np.nan, 1.0]]), np.array([[True, False]]))
    with pytest.raises(ConfigError, match="one shape"):
        per_query(np.zeros((1, 2)), np.zeros((1, 3), bool))
