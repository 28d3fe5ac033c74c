"""Arithmetic that the tables share: verdicts, paired intervals over molecules of several tasks, and over data sets."""

from __future__ import annotations

import numpy as np

from drugai.metrics.property import Estimate, direction, known_pairs, metric_function
from drugai.runtime import generator


def better(metric: str, mine: float, other: float) -> bool:
    """Whether ``mine`` is the better value of a metric."""
    return mine < other if direction(metric) == "min" else mine > other


def verdict(metric: str, mine: float, other: float, tie: float) -> str:
    """``win``, ``tie`` or ``loss`` by the seeds' means; a relative difference below ``tie`` is a tie."""
    gain = (other - mine if direction(metric) == "min" else mine - other) / max(abs(other), 1e-9)
    return "tie" if abs(gain) < tie else "win" if gain > 0 else "loss"


def mean_score(metric: str, true: np.ndarray, predicted: np.ndarray) -> float:
    """Mean over the tasks of a metric on the measured molecules; tasks on which it is not defined (one class) are left out.

    Args:
        true, predicted: ``[n, t]``.
    """
    function = metric_function(metric)
    values = [function(*known_pairs(true[:, index], predicted[:, index])) for index in range(true.shape[1])]
    return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")


def paired_molecules(metric: str, true: np.ndarray, first: np.ndarray, second: np.ndarray, *, resamples: int = 1000, seed: int = 0) -> Estimate:
    """:func:`mean_score` of ``first`` minus that of ``second``, with a paired 95 % bootstrap interval over the molecules ``[n, t]``."""
    value = mean_score(metric, true, first) - mean_score(metric, true, second)
    random = generator(seed, "paired bootstrap", metric)
    samples = random.integers(0, len(true), (resamples, len(true)))
    found = np.array([mean_score(metric, true[rows], first[rows]) - mean_score(metric, true[rows], second[rows]) for rows in samples])
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return Estimate(float(value), float(low), float(high), len(true))


def relative_of_means(first: np.ndarray, second: np.ndarray, *, resamples: int = 10_000, seed: int = 0) -> Estimate:
    """Mean of ``first`` ÷ mean of ``second`` − 1 over the same data sets, with a paired 95 % bootstrap interval over the data sets ``[k]``."""
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(f"scores of the same data sets are needed; got shapes {first.shape} and {second.shape}")
    samples = generator(seed, "paired bootstrap", "data sets").integers(0, len(first), (resamples, len(first)))
    found = first[samples].mean(1) / second[samples].mean(1) - 1
    low, high = np.percentile(found, [2.5, 97.5])
    return Estimate(float(first.mean() / second.mean() - 1), float(low), float(high), len(first))
