"""Early recognition in a ranked library: enrichment factor, BEDROC, and the summary of a screen whose actives are known.

Equal scores have no order of their own: every metric here gives the expected value over all orders of a tie, so that a scorer that levels the top is not
rewarded for the order in which the file happens to stand.
"""

from __future__ import annotations

import numpy as np

from drugai.errors import ConfigError
from drugai.metrics.property import roc_auc


def enrichment_factor(active: np.ndarray, score: np.ndarray, fraction: float = 0.01) -> float:
    """Share of actives among the best ``fraction`` of the molecules over their share among all.

    The best are the first ``ceil(fraction · n)``, as RDKit counts.

    Args:
        active: ``[n]`` 1 for an active, 0 for an inactive.
        score: ``[n]``, more is better.
        fraction: In (0, 1].

    Returns:
        1 is what chance gives, ``1 / fraction`` the most there can be; NaN without molecules or actives.

    Example:
        >>> import numpy as np
        >>> enrichment_factor(np.array([1, 0, 0, 0, 1, 0, 0, 0, 0, 0]), -np.arange(10), 0.2)  # 1 of 2 at the top, 2 of 10 in all
        2.5
    """
    if not 0 < fraction <= 1:
        raise ConfigError(f"fraction={fraction} of an enrichment factor must lie in (0, 1]")
    flags, scores = _checked(active, score)
    n, actives = len(flags), float(flags.sum())
    if not n or not actives:
        return float("nan")
    size = int(np.ceil(round(fraction * n, 9)))  # 0.07 · 100 is 7.000000000000001
    return float(_expected(flags, scores)[:size].sum() / size / (actives / n))


def bedroc(active: np.ndarray, score: np.ndarray, alpha: float = 20.0) -> float:
    """Boltzmann-enhanced discrimination of ROC: 1 if all actives come first, 0 if all come last; at ``alpha`` 20 the first 8 % make 80 % of it.

    RIE = (1/m Σ exp(−α r/n)) ÷ (1/n · (1 − e^−α) / (e^(α/n) − 1)) over the ranks r of the m actives, scaled between its least and largest value.

    Args:
        active: ``[n]`` 1 for an active, 0 for an inactive.
        score: ``[n]``, more is better.
        alpha: Weight of the early ranks.

    Returns:
        NaN without both actives and inactives.

    Source: Truchon and Bayly 2007, 10.1021/ci600426e.
    """
    if not alpha > 0:
        raise ConfigError(f"alpha={alpha} of BEDROC must be positive")
    flags, scores = _checked(active, score)
    n, actives = len(flags), float(flags.sum())
    if not actives or actives == n:
        return float("nan")
    weights = np.exp(-alpha * np.arange(1, n + 1) / n)
    rie = (weights @ _expected(flags, scores)) / actives / weights.mean()  # the geometric series of the definition, summed as it stands
    ratio = actives / n
    largest = -np.expm1(-alpha * ratio) / (ratio * -np.expm1(-alpha))
    # both parts divided by e^α, which overflows for a large one
    least = (np.exp(-alpha) - np.exp(alpha * (ratio - 1))) / (ratio * (np.exp(-alpha) - 1.0))
    return float((rie - least) / (largest - least))


def enrichment_summary(active: np.ndarray, score: np.ndarray) -> dict[str, float | int | None]:
    """ROC-AUC, EF1 %, EF5 % and BEDROC (alpha 20) of the molecules whose label is known, and how many there are. None where a metric is undefined."""
    known = ~np.isnan(np.asarray(active, dtype=float))
    flags, scores = _checked(np.asarray(active, dtype=float)[known], np.asarray(score, dtype=float)[known])
    found = {
        "roc_auc": roc_auc(flags, scores),
        "ef1": enrichment_factor(flags, scores, 0.01),
        "ef5": enrichment_factor(flags, scores, 0.05),
        "bedroc": bedroc(flags, scores),
    }
    numbers: dict[str, float | int | None] = {"n": int(known.sum()), "n_active": int(flags.sum())}
    return numbers | {name: None if np.isnan(value) else round(value, 4) for name, value in found.items()}


def _checked(active: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flags, scores = np.asarray(active, dtype=float), np.asarray(score, dtype=float)
    if flags.shape != scores.shape or flags.ndim != 1:
        raise ConfigError(f"labels of shape {flags.shape} and scores of shape {scores.shape}; need one of each a molecule")
    if not np.isin(flags, (0.0, 1.0)).all():
        raise ConfigError("labels must be 1 for an active and 0 for an inactive; leave out molecules that are neither")
    if np.isnan(scores).any():
        raise ConfigError("a score is NaN; give molecules that could not be scored the least score")
    return flags, scores


def _expected(flags: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Probability of an active at each rank, best first: within a tie, its share of actives."""
    order = np.argsort(-scores, kind="stable")
    ordered, sorted_flags = scores[order], flags[order]
    _, start, counts = np.unique(-ordered, return_index=True, return_counts=True)
    sums = np.add.reduceat(sorted_flags, start) if len(start) else np.zeros(0)
    return np.repeat(sums / counts, counts)
