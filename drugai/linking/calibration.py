"""Fused score → probability: a logistic whose slope may change at a few scores.

A single slope is set by the hundreds of thousands of wrong pairs at low scores and runs on far too steeply where the right ones are: on the very folds on which it was
fitted, pairs that it calls 0.88 are right in 0.70. With bends at the quartiles of the right pairs' scores the curve follows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Bends = tuple[tuple[float, float], ...]
QUANTILES = (0.25, 0.5, 0.75)
"""Where the slope may change, as quantiles of the right pairs' scores."""


@dataclass(frozen=True)
class Calibration:
    """Probability = logistic(slope × score + offset + Σ change × max(score − at, 0)) over the bends (at, change). It never falls with the score."""

    slope: float
    offset: float
    bends: Bends = ()

    def probability(self, scores: np.ndarray) -> np.ndarray:
        """Probability of each score, of the same shape."""
        logits = self.slope * scores + self.offset
        for at, change in self.bends:
            logits = logits + change * np.maximum(scores - at, 0.0)
        found: np.ndarray = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
        return found


def calibrate(scores: np.ndarray, labels: np.ndarray, quantiles: Sequence[float] = QUANTILES) -> Calibration:
    """Fit by maximum likelihood.

    Args:
        scores: ``[n]`` of pairs that were not trained on.
        labels: ``[n]``, whether each is right.
        quantiles: Of the right pairs' scores, at which the slope may change; none: one slope (Platt scaling). A bend after which the probability would fall
            is taken out.
    """
    labels = labels.astype(np.float64)
    ats = sorted({float(at) for at in np.quantile(scores[labels > 0], quantiles)}) if len(quantiles) and labels.any() else []
    while True:
        slope, offset, *changes = _fit(np.stack([scores, np.ones_like(scores), *(np.maximum(scores - at, 0.0) for at in ats)], axis=1), labels)
        falling = np.flatnonzero(np.cumsum([slope, *changes]) < 0)
        if not len(falling):
            return Calibration(float(slope), float(offset), tuple((at, float(change)) for at, change in zip(ats, changes, strict=True)))
        if not ats:  # the score says nothing, or the contrary: every pair has the same probability
            rate = float(np.clip(labels.mean(), 1e-6, 1 - 1e-6))
            return Calibration(0.0, float(np.log(rate / (1 - rate))))
        ats.pop(max(0, int(falling[-1]) - 1))


def _fit(design: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Coefficients of a logistic regression by Newton's method; the second column is the constant."""
    # on columns of unit spread the Hessian is well conditioned; each step is halved until the loss falls, or Newton's method runs away from a start that is too sure
    spread = np.maximum(design.std(axis=0), 1e-9)
    spread[1] = 1.0
    design = design / spread
    rate = float(np.clip(labels.mean(), 1e-6, 1 - 1e-6))
    parameters = np.zeros(design.shape[1])
    parameters[1] = np.log(rate / (1 - rate))

    def loss(values: np.ndarray) -> float:
        logits = design @ values
        return float((np.logaddexp(0.0, logits) - labels * logits).sum() + 5e-4 * (values**2).sum())

    best = loss(parameters)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(design @ parameters, -30, 30)))
        gradient = design.T @ (chance - labels) + 1e-3 * parameters
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + 1e-3 * np.eye(len(parameters))
        step = np.linalg.solve(curvature, gradient)
        while (found := loss(parameters - step)) > best and np.abs(step).max() > 1e-8:
            step = step / 2
        parameters, best = parameters - step, min(best, found)
        if np.abs(step).max() < 1e-6:
            break
    fitted: np.ndarray = parameters / spread
    return fitted
