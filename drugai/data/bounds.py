"""Censored values: cells such as ``>10`` or ``<0.1``, of which only a bound is known.

Such a row has no value (NaN in ``y``, so that no metric, interval or model that knows nothing of bounds takes it for measured) and its bound in two further columns, ``<task>>`` (the value is at
least this) and ``<task><`` (at most this). Models with a bounded loss learn from them; evaluation rests on measured values alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from drugai.contracts import Dataset

CHOICES = ("refuse", "bounds", "drop")
"""What becomes of censored cells: an error that names the rows, bounds to learn from, or no value at all."""

_BOUND = re.compile(r"^\s*(>=?|≥|=>|<=?|≤|=<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*$")


def bound_names(task: str) -> tuple[str, str]:
    """The columns that hold lower and upper bounds of a task.

    Example:
        >>> bound_names("pIC50")
        ('pIC50>', 'pIC50<')
    """
    return f"{task}>", f"{task}<"


def take_bounds(cells: Sequence[str]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Cells without their bounds (emptied), and the bounds: ``[n]`` lower and upper, NaN where there is none.

    ``~7`` is no bound and stays as it is.

    Example:
        >>> rest, lower, upper = take_bounds(["6.5", ">10", "< 0.1"])
        >>> rest, lower.tolist()[1], upper.tolist()[2]
        (['6.5', '', ''], 10.0, 0.1)
    """
    rest, lower, upper = list(cells), np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        found = _BOUND.match(cell)
        if found is not None:
            (lower if ">" in found[1] or found[1] == "≥" else upper)[row] = float(found[2])
            rest[row] = ""
    return rest, lower, upper


def bounds_of(data: Dataset) -> np.ndarray | None:
    """``[n, t, 2]`` float32 lower and upper bounds, NaN where there is none; None for data without censored values."""
    names = [bound_names(task.name) for task in data.tasks]
    if not any(name in data.columns for pair in names for name in pair):
        return None
    missing = np.full(len(data), np.nan, dtype=np.float32)
    pairs = [np.stack([np.asarray(data.columns.get(name, missing), dtype=np.float32) for name in pair], axis=1) for pair in names]
    return np.stack(pairs, axis=1)


def has_knowledge(data: Dataset) -> np.ndarray:
    """``[n]`` whether a row has a measured value or a bound of any task."""
    known = ~np.isnan(data.y).all(axis=1)
    bounds = bounds_of(data)
    return known if bounds is None else known | ~np.isnan(bounds).all(axis=(1, 2))
