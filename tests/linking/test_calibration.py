"""Probabilities of fused scores: what is said to be right in a share of cases is."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.linking.calibration import Calibration, calibrate


def logistic(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def test_a_straight_curve_is_found_again():
    random = np.random.default_rng(0)
    scores = random.normal(size=40_000)
    labels = random.random(len(scores)) < logistic(1.5 * scores - 2.0)
    found = calibrate(scores, labels, ())
    assert found.slope == pytest.approx(1.5, abs=0.05)
    assert found.offset == pytest.approx(-2.0, abs=0.05)
    assert found.bends == ()


def test_a_curve_that_flattens_is_followed_where_one_slope_is_too_sure():
    # steep among the many wrong pairs, flat where the right ones are
    random = np.random.default_rng(1)
    scores = np.concatenate([random.normal(0, 1, 60_000), random.normal(4, 1.5, 1500)])
    truth = logistic(2.5 * np.minimum(scores, 2.5) + 0.2 * np.maximum(scores - 2.5, 0) - 6.5)
    labels = random.random(len(scores)) < truth
    bent, straight = calibrate(scores, labels), calibrate(scores, labels, ())
    high = scores > 5
    assert straight.probability(scores[high]).mean() > truth[high].mean() + 0.1
    assert bent.probability(scores[high]).mean() == pytest.approx(truth[high].mean(), abs=0.04)


def test_the_probability_never_falls_with_the_score():
    random = np.random.default_rng(2)
    for _ in range(5):
        scores = random.normal(size=300)
        labels = random.random(300) < 0.1
        assert (np.diff(calibrate(scores, labels).probability(np.linspace(-4, 6, 200))) >= 0).all()
    assert (np.diff(calibrate(scores, scores < -1).probability(np.linspace(-4, 6, 200))) == 0).all()


def test_bends_change_the_slope_from_there_on():
    # by hand: logit 2·1 − 1 = 1 below the bend; 2·3 − 1 − 1.5·(3 − 2) = 3.5 above
    curve = Calibration(2.0, -1.0, ((2.0, -1.5),))
    assert np.allclose(curve.probability(np.array([1.0, 3.0])), logistic(np.array([1.0, 3.5])))
