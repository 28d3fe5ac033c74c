"""Squared error with bounds for LightGBM: a value that is known to be above 10 pulls only while the prediction is below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_IDLE = 0.01
"""Curvature of a row within its bounds: its leaf moves freely for the sake of the others, and the next tree sees whether it left them."""


def bounded_objective(y: np.ndarray, bounds: np.ndarray, weights: np.ndarray | None) -> Callable[[np.ndarray, Any], tuple[np.ndarray, np.ndarray]]:
    """LightGBM's custom objective: gradient and curvature of half the squared error, or of half the squared distance beyond a bound.

    Args:
        y: ``[n]`` measured values, NaN where only a bound is known.
        bounds: ``[n, 2]`` lower and upper bounds, NaN where there is none.
        weights: ``[n]`` or None.
    """
    measured = ~np.isnan(y)
    target = np.nan_to_num(y).astype(np.float64)
    lower = np.where(np.isnan(bounds[:, 0]), -np.inf, bounds[:, 0]).astype(np.float64)
    upper = np.where(np.isnan(bounds[:, 1]), np.inf, bounds[:, 1]).astype(np.float64)
    scale = np.ones(len(y)) if weights is None else weights.astype(np.float64)

    def objective(values: np.ndarray, _: Any) -> tuple[np.ndarray, np.ndarray]:
        beyond = np.minimum(values - lower, 0.0) + np.maximum(values - upper, 0.0)
        error = np.where(measured, values - target, beyond)
        curvature = np.where(measured | (beyond != 0.0), 1.0, _IDLE)
        return error * scale, curvature * scale

    return objective


def shift(booster: Any, center: float) -> Any:
    """Add ``center`` to what a booster says, in the leaves of its first tree: a custom objective has no starting value of its own."""
    first = booster.dump_model(num_iteration=1)["tree_info"][0]
    for leaf in range(first["num_leaves"]):
        booster.set_leaf_output(0, leaf, booster.get_leaf_output(0, leaf) + center)
    return booster
