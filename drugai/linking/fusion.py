"""Late fusion: a weighted sum of standardised components, with weights chosen on pairs that are neither trained on nor tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

GRID = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)


@dataclass(frozen=True, eq=False)
class Question:
    """One matrix to be ranked: components ``[q, c]``, labels and candidates of the same shape; queries are rows."""

    components: Mapping[str, np.ndarray]
    labels: np.ndarray
    candidates: np.ndarray

    def transposed(self) -> Question:
        """The other direction: columns ask, rows are ranked."""
        return Question({name: matrix.T for name, matrix in self.components.items()}, self.labels.T, self.candidates.T)


def standardize_rows(matrix: np.ndarray) -> np.ndarray:
    """Each query's scores with mean 0 and standard deviation 1 over the candidates; a constant row becomes zeros."""
    centred = matrix - matrix.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    found: np.ndarray = np.where(spread > 1e-12, centred / np.maximum(spread, 1e-12), 0.0)
    return found


def fuse(components: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """Weighted sum of the standardised components ``[q, c]``; a component without a weight counts for nothing."""
    used = [(matrix, weights[name]) for name, matrix in components.items() if weights.get(name)]
    if not used:
        return np.zeros_like(next(iter(components.values())), dtype=np.float64)
    total: np.ndarray = sum((weight * standardize_rows(matrix) for matrix, weight in used), np.zeros(used[0][0].shape))
    return total


def choose_weights(questions: Sequence[Question], names: Sequence[str], start: Mapping[str, float], *, rounds: int = 2) -> tuple[dict[str, float], float]:
    """Coordinate ascent over a small grid of weights.

    Args:
        questions: Inner folds.
        names: Components that may be used.
        start: Weights to begin with.
        rounds: Passes over the components; it ends early when a pass changes nothing.

    Returns:
        Weights and their score: mean over all queries of (reciprocal rank + average precision) ÷ 2.
    """
    prepared = [({name: standardize_rows(question.components[name]).astype(np.float32) for name in names}, question) for question in questions]
    weights = {name: float(start.get(name, 0.0)) for name in names}
    totals = [
        sum((np.float32(weight) * parts[name] for name, weight in weights.items() if weight), np.zeros(question.labels.shape, np.float32))
        for parts, question in prepared
    ]
    best = _objective(totals, questions)
    # a change must earn its place, or noise picks the weights: half a query's worth, and more than the third digit
    asked = sum(int((question.labels & question.candidates).any(axis=1).sum()) for question in questions)
    least = max(1e-3, 0.5 / max(1, asked))
    for _ in range(rounds):
        before = dict(weights)
        for name in names:
            for value in GRID:
                if value == weights[name] or not any((*(weight for other, weight in weights.items() if other != name), value)):
                    continue
                trial = [total + np.float32(value - weights[name]) * parts[name] for total, (parts, _) in zip(totals, prepared, strict=True)]
                score = _objective(trial, questions)
                if score > best + least:
                    weights, totals, best = {**weights, name: value}, trial, score
        if weights == before:
            break
    return weights, best


def mean_objective(scores: np.ndarray, labels: np.ndarray, candidates: np.ndarray) -> tuple[float, int]:
    """Sum over queries of (reciprocal rank + average precision) ÷ 2, and the number of queries with an answer.

    Only the ranks of the right answers are counted, which is many times faster than sorting; an answer that ties stands in the middle of its ties.
    """
    right = labels & candidates
    rows, columns = np.nonzero(right)
    if not rows.size:
        return 0.0, 0
    masked = np.where(candidates, scores, -np.inf).astype(np.float32)
    own = masked[rows, columns][:, None]
    among = masked[rows]  # [answers, c]
    ranks = 1.0 + (among > own).sum(1) + ((among == own).sum(1) - 1) / 2
    order = np.lexsort((ranks, rows))
    rows, ranks = rows[order], ranks[order]
    starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
    counts = np.diff(np.r_[starts, len(rows)])
    precision = (np.arange(len(rows)) - np.repeat(starts, counts) + 1) / ranks
    average = np.add.reduceat(precision, starts) / counts
    return float((1 / ranks[starts] + np.minimum(average, 1.0)).sum() / 2), len(starts)


def _objective(totals: Sequence[np.ndarray], questions: Sequence[Question]) -> float:
    found = [mean_objective(total, question.labels, question.candidates) for total, question in zip(totals, questions, strict=True)]
    return sum(score for score, _ in found) / max(1, sum(queries for _, queries in found))
