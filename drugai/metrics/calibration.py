"""Whether intervals hold and probabilities mean what they say, on arrays.

Source: expected calibration error: Naeini, Cooper and Hauskrecht, AAAI 2015.
"""

from __future__ import annotations

import numpy as np


def coverage(true: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """Share of values ``[n]`` inside their intervals, ends included; rows with NaN left out, NaN if none is left."""
    known = ~(np.isnan(true) | np.isnan(lower) | np.isnan(upper))
    return float(np.mean((true[known] >= lower[known]) & (true[known] <= upper[known]))) if known.any() else float("nan")


def expected_calibration_error(true: np.ndarray, probability: np.ndarray, bins: int = 10) -> float:
    """Mean distance between predicted probability and observed frequency over bins of equally many molecules, weighted by their size.

    Args:
        true: ``[n]`` classes 0 and 1, NaN where not measured.
        probability: ``[n]`` of class 1.
        bins: At most so many; molecules in order of their probability.
    """
    known = ~(np.isnan(true) | np.isnan(probability))
    true, probability = np.asarray(true, dtype=np.float64)[known], np.asarray(probability, dtype=np.float64)[known]
    if not len(true):
        return float("nan")
    order = np.argsort(probability, kind="stable")
    parts = np.array_split(order, min(bins, len(true)))
    return float(sum(len(part) * abs(true[part].mean() - probability[part].mean()) for part in parts) / len(true))


def set_coverage(true: np.ndarray, sets: np.ndarray) -> float:
    """Share of molecules whose class (0 or 1) is in its set (text as in ``Predictions.sets``); not measured ones left out."""
    known = ~np.isnan(true)
    return float(np.mean([str(int(value)) in text.split() for value, text in zip(true[known], sets[known], strict=True)])) if known.any() else float("nan")
