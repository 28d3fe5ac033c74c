import numpy as np
import pytest

from drugai.metrics.calibration import coverage, expected_calibration_error, set_coverage


def test_coverage_counts_ends_and_leaves_out_what_is_not_known():
    true = np.array([1.0, 2.0, 3.0, np.nan])
    assert coverage(true, np.array([1.0, 0.0, 4.0, 0.0]), np.array([2.0, 1.0, 5.0, 1.0])) == pytest.approx(1 / 3)
    assert np.isnan(coverage(np.array([np.nan]), np.zeros(1), np.ones(1)))


def test_calibration_error_by_hand():
    # two bins of two: means 0.2 and 0.8, frequencies 0.5 and 1 → (2 × 0.3 + 2 × 0.2) ÷ 4
    assert expected_calibration_error(np.array([0.0, 1.0, 1.0, 1.0]), np.array([0.1, 0.3, 0.7, 0.9]), bins=2) == pytest.approx(0.25)


def test_a_set_covers_a_class_that_it_names():
    assert set_coverage(np.array([0.0, 1.0, 1.0, np.nan]), np.array(["0 1", "0", "1", ""], dtype=object)) == pytest.approx(2 / 3)
