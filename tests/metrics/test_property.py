import numpy as np
import pytest

from drugai.metrics.property import estimate, metric_function, paired_difference, pr_auc, ranks, rmse, roc_auc, spearman


def test_ranks_share_ties():
    assert ranks(np.array([10, 20, 10, 30])).tolist() == [1.5, 3, 1.5, 4]


@pytest.mark.parametrize("seed", range(4))
def test_areas_and_correlations_equal_scikit_learns_and_scipys(seed):
    from scipy.stats import spearmanr
    from sklearn.metrics import average_precision_score, roc_auc_score

    random = np.random.default_rng(seed)
    true, score = random.integers(0, 2, 60).astype(float), random.integers(0, 9, 60).astype(float)  # many ties
    assert roc_auc(true, score) == pytest.approx(roc_auc_score(true, score))
    assert pr_auc(true, score) == pytest.approx(average_precision_score(true, score))
    assert spearman(score, true) == pytest.approx(spearmanr(score, true).statistic)


def test_degenerate_inputs_are_nan():
    assert np.isnan(roc_auc(np.ones(5), np.arange(5.0)))
    assert np.isnan(metric_function("r2")(np.ones(1), np.ones(1)))
    assert np.isnan(rmse(np.array([]), np.array([])))


def test_an_interval_holds_its_value_and_narrows_with_more_molecules():
    random = np.random.default_rng(0)
    true = random.normal(size=1000)
    guess = true + random.normal(size=1000)
    small, large = estimate("rmse", true[:50], guess[:50]), estimate("rmse", true, guess)
    assert small.low < small.value < small.high
    assert large.high - large.low < small.high - small.low
    assert large.value == pytest.approx(1.0, abs=0.1)
    assert estimate("rmse", np.append(true, np.nan), np.append(guess, 0.0)).n == 1000


def test_paired_difference_of_a_better_predictor_excludes_zero():
    random = np.random.default_rng(0)
    true = random.normal(size=300)
    found = paired_difference("rmse", true, true + 0.1 * random.normal(size=300), true + random.normal(size=300))
    assert found.high < 0
