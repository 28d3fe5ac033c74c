"""Metrics of retrieval, one value a query: where among all candidates do the right answers stand?

A query without a right answer, or whose candidates are all right, has NaN where the metric is not defined; macro means leave NaN out. Candidates that are
neither right nor wrong (known only from trials, say) are taken out of the ranking and are not counted as wrong.

Source: Manning, Raghavan, Schütze, Introduction to Information Retrieval (2008), chapter 8; filtered ranking as in Bordes et al. 2013 (TransE).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from drugai.errors import ConfigError
from drugai.metrics.property import Estimate, roc_auc
from drugai.runtime import generator

RETRIEVAL_METRICS = ("MRR", "H@1", "H@10", "R@10", "AUROC", "AP")


def reciprocal_rank(right: np.ndarray) -> float:
    """1 ÷ rank of the first right answer; ``right`` is boolean, best candidate first."""
    found = np.flatnonzero(right)
    return 1.0 / (found[0] + 1) if found.size else np.nan


def hits_at(right: np.ndarray, k: int) -> float:
    """1 if a right answer stands among the first ``k``, else 0."""
    return float(right[:k].any()) if right.any() else np.nan


def recall_at(right: np.ndarray, k: int) -> float:
    """Share of the right answers that stand among the first ``k``."""
    return float(right[:k].sum() / right.sum()) if right.any() else np.nan


def average_precision(right: np.ndarray) -> float:
    """Mean over the right answers of the precision at their rank.

    Example:
        >>> average_precision(np.array([True, False, True]))  # (1/1 + 2/3) / 2
        0.8333333333333333
    """
    found = np.flatnonzero(right)
    return float(np.mean(np.arange(1, found.size + 1) / (found + 1))) if found.size else np.nan


def rank_candidates(scores: np.ndarray, seed: int = 0) -> np.ndarray:
    """Positions of one query's candidates, best first; ties in random order (a constant score must not profit from the order of the file)."""
    order = generator(seed, "ties").random(len(scores))
    return np.lexsort((order, -np.asarray(scores, dtype=np.float64)))


def per_query(scores: np.ndarray, labels: np.ndarray, candidates: np.ndarray | None = None, seed: int = 0) -> dict[str, np.ndarray]:
    """Every metric of every query.

    Args:
        scores: ``[q, c]``, more is better.
        labels: ``[q, c]`` boolean, the right answers.
        candidates: ``[q, c]`` boolean, False where a candidate is taken out of a query's ranking; all by default.
        seed: Of the order of ties.

    Returns:
        Metric → ``[q]``; NaN where a query has no right answer left.

    Raises:
        ConfigError: The shapes differ, or a score is NaN.
    """
    scores, labels = np.asarray(scores), np.asarray(labels, dtype=bool)
    if scores.shape != labels.shape or scores.ndim != 2 or (candidates is not None and candidates.shape != scores.shape):
        raise ConfigError(f"retrieval: scores {scores.shape} and labels {labels.shape} must be [queries, candidates] of one shape")
    if np.isnan(scores).any():
        raise ConfigError(f"retrieval: {int(np.isnan(scores).sum())} scores are NaN; a candidate that cannot be scored needs a low score")
    rows: list[list[float]] = []
    for query in range(len(scores)):
        kept = np.ones(scores.shape[1], bool) if candidates is None else candidates[query]
        own, truth = scores[query, kept], labels[query, kept]
        right = truth[rank_candidates(own, seed)]
        rows.append(
            [reciprocal_rank(right), hits_at(right, 1), hits_at(right, 10), recall_at(right, 10), roc_auc(truth.astype(float), own), average_precision(right)]
        )
    table = np.array(rows, dtype=np.float64).reshape(len(scores), len(RETRIEVAL_METRICS))
    return dict(zip(RETRIEVAL_METRICS, table.T, strict=True))


def macro(values: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Mean over the queries, those with NaN left out."""
    return {name: float(np.nanmean(column)) if (~np.isnan(column)).any() else float("nan") for name, column in values.items()}


def estimate_mean(values: np.ndarray, *, resamples: int = 1000, seed: int = 0) -> Estimate:
    """Mean over queries with its 95 % percentile bootstrap interval."""
    values = values[~np.isnan(values)]
    if not values.size:
        return Estimate(np.nan, np.nan, np.nan, 0)
    rows = generator(seed, "bootstrap of queries").integers(0, values.size, (resamples, values.size))
    low, high = np.percentile(values[rows].mean(axis=1), [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high), values.size)


def paired_mean_difference(first: np.ndarray, second: np.ndarray, *, resamples: int = 1000, seed: int = 0) -> Estimate:
    """Mean of ``first − second`` over the same queries with a paired 95 % bootstrap interval."""
    if first.shape != second.shape:
        raise ConfigError(f"a paired difference needs the same queries on both sides, got {first.shape} and {second.shape}")
    return estimate_mean(first - second, resamples=resamples, seed=seed)
