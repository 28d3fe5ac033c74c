"""Metrics of property prediction on arrays, each NaN on a degenerate input (fewer than two values, or one class).

Source: definitions as in scikit-learn's user guide; ROC-AUC by the Mann-Whitney statistic, average precision as the step-wise sum over recall.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from drugai.errors import unknown
from drugai.runtime import generator

Metric = Callable[[np.ndarray, np.ndarray], float]


def rmse(true: np.ndarray, predicted: np.ndarray) -> float:
    """Root mean squared error, in the task's unit."""
    return float(np.sqrt(np.mean((true - predicted) ** 2))) if len(true) else np.nan


def mae(true: np.ndarray, predicted: np.ndarray) -> float:
    """Mean absolute error, in the task's unit."""
    return float(np.mean(np.abs(true - predicted))) if len(true) else np.nan


def r2(true: np.ndarray, predicted: np.ndarray) -> float:
    """Coefficient of determination, 1 − residual sum of squares ÷ total sum of squares."""
    if len(true) < 2 or np.ptp(true) == 0:
        return np.nan
    return float(1 - np.sum((true - predicted) ** 2) / np.sum((true - true.mean()) ** 2))


def pearson(true: np.ndarray, predicted: np.ndarray) -> float:
    """Pearson correlation."""
    if len(true) < 2 or np.ptp(true) == 0 or np.ptp(predicted) == 0:
        return np.nan
    return float(np.corrcoef(true, predicted)[0, 1])


def spearman(true: np.ndarray, predicted: np.ndarray) -> float:
    """Spearman rank correlation, ties at their mean rank."""
    return pearson(ranks(true), ranks(predicted)) if len(true) >= 2 else np.nan


def roc_auc(true: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve: the probability that an active is scored above an inactive, ties counted half."""
    positive = true > 0.5
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return np.nan
    return float((ranks(score)[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def pr_auc(true: np.ndarray, score: np.ndarray) -> float:
    """Average precision: Σ (recall step) × precision over distinct thresholds."""
    positive = true > 0.5
    if not positive.any() or positive.all():
        return np.nan
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(positive[order])
    last = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)  # ends of runs of tied scores
    precision, recall = hits[last] / (last + 1), hits[last] / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def accuracy(true: np.ndarray, predicted: np.ndarray) -> float:
    """Share of right classes; a probability counts as class 1 from 0.5."""
    return float(np.mean(_classes(true) == _classes(predicted))) if len(true) else np.nan


def balanced_accuracy(true: np.ndarray, predicted: np.ndarray) -> float:
    """Mean over the classes of the share found."""
    actual, guess = _classes(true), _classes(predicted)
    labels = np.unique(actual)
    if len(labels) < 2:
        return np.nan
    return float(np.mean([np.mean(guess[actual == label] == label) for label in labels]))


def mcc(true: np.ndarray, predicted: np.ndarray) -> float:
    """Matthews correlation of two binary classifications, probabilities cut at 0.5."""
    return pearson((true > 0.5).astype(float), (predicted >= 0.5).astype(float))


def brier(true: np.ndarray, predicted: np.ndarray) -> float:
    """Mean squared distance of the probability from the class."""
    return float(np.mean((true - predicted) ** 2)) if len(true) else np.nan


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, ties at their mean."""
    values = np.asarray(values)
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2.0)[which]


def _classes(values: np.ndarray) -> np.ndarray:
    # class indices are whole numbers; a probability in (0, 1) is cut at one half
    return np.floor(np.asarray(values, dtype=float) + 0.5).astype(int)


METRICS: dict[str, Metric] = {
    "rmse": rmse,
    "mae": mae,
    "r2": r2,
    "pearson": pearson,
    "spearman": spearman,
    "roc_auc": roc_auc,
    "pr_auc": pr_auc,
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "mcc": mcc,
    "brier": brier,
}
LESS_IS_BETTER = frozenset({"rmse", "mae", "brier"})
DEFAULT_METRICS = {
    "regression": ("rmse", "mae", "r2", "spearman"),
    "binary": ("roc_auc", "pr_auc", "balanced_accuracy", "brier"),
    "multiclass": ("accuracy", "balanced_accuracy"),
}


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % confidence interval and the molecules it rests on."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def to_dict(self) -> dict[str, float]:
        """Plain values, rounded to six digits."""
        return {"value": round(self.value, 6), "low": round(self.low, 6), "high": round(self.high, 6), "n": self.n}


def metric_function(name: str) -> Metric:
    """The metric called ``name``."""
    if name not in METRICS:
        raise unknown("metric", name, list(METRICS))
    return METRICS[name]


def direction(name: str) -> str:
    """``min`` if less is better, ``max`` if more is."""
    metric_function(name)
    return "min" if name in LESS_IS_BETTER else "max"


def known_pairs(true: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pairs in which both values are there (not NaN), as float64."""
    true, predicted = np.asarray(true, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    both = ~(np.isnan(true) | np.isnan(predicted))
    return true[both], predicted[both]


def estimate(name: str, true: np.ndarray, predicted: np.ndarray, *, resamples: int = 1000, seed: int = 0) -> Estimate:
    """A metric with its percentile bootstrap interval over molecules.

    Args:
        name: One of ``METRICS``.
        true, predicted: ``[n]``; pairs with a NaN are left out.
        resamples: Bootstrap samples; degenerate ones (one class) are left out.
        seed: Of the resampling.
    """
    function = metric_function(name)
    true, predicted = known_pairs(true, predicted)
    value = function(true, predicted)
    if len(true) < 2 or np.isnan(value):
        return Estimate(value, np.nan, np.nan, len(true))
    random = generator(seed, "bootstrap", name)
    found = np.array([function(true[rows], predicted[rows]) for rows in random.integers(0, len(true), (resamples, len(true)))])
    found = found[~np.isnan(found)]
    low, high = np.percentile(found, [2.5, 97.5]) if len(found) else (np.nan, np.nan)
    return Estimate(value, float(low), float(high), len(true))


def paired_difference(name: str, true: np.ndarray, first: np.ndarray, second: np.ndarray, *, resamples: int = 1000, seed: int = 0) -> Estimate:
    """Metric of ``first`` minus metric of ``second`` on the same molecules, with a paired bootstrap interval."""
    function = metric_function(name)
    true, first, second = (np.asarray(part, dtype=np.float64) for part in (true, first, second))
    kept = ~(np.isnan(true) | np.isnan(first) | np.isnan(second))
    true, first, second = true[kept], first[kept], second[kept]
    value = function(true, first) - function(true, second)
    random = generator(seed, "paired bootstrap", name)
    samples = random.integers(0, len(true), (resamples, len(true))) if len(true) else np.zeros((0, 0), int)
    found = np.array([function(true[rows], first[rows]) - function(true[rows], second[rows]) for rows in samples])
    found = found[~np.isnan(found)]
    low, high = np.percentile(found, [2.5, 97.5]) if len(found) else (np.nan, np.nan)
    return Estimate(float(value), float(low), float(high), len(true))
