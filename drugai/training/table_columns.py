"""Columns of the table that training uses beside SMILES and targets: descriptors and weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from drugai.contracts import Dataset
from drugai.errors import ConfigError, DatasetError, nearest
from drugai.featurizers.blocks import COLUMN

_FIELDS = {"trees": "blocks", "gnn": "features"}
"""Model → field of its Config that lists feature blocks."""


def with_descriptors(config: Any, data: Dataset, names: Sequence[str]) -> Any:
    """The Config with columns of the table among its feature blocks.

    Raises:
        ConfigError: A model that cannot see columns.
        DatasetError: No such column, or one that is not numeric.
    """
    if not names:
        return config
    kind = getattr(config, "kind", "")
    if kind not in _FIELDS:
        raise ConfigError(f"descriptor columns are for {' and '.join(_FIELDS)}, not for {kind or type(config).__name__}")
    for name in names:
        _numbers(data, name, "descriptor")
    return config.replace(**{_FIELDS[kind]: [*getattr(config, _FIELDS[kind]), *(COLUMN + name for name in names)]})


def with_weights(data: Dataset, weights: str | Sequence[float] | np.ndarray | None, balance_on: np.ndarray | None = None) -> Dataset:
    """The data with a weight a row, by which training counts it, times what makes both classes weigh the same.

    No column is a weight by its name alone (``weight`` is as often the mass of a molecule): it is named here.

    Args:
        data: n molecules.
        weights: Name of a column, or ``[n]`` numbers of 0 or more, or None for weights of 1.
        balance_on: Rows (the training part) on which the classes are counted; None leaves them as they are.

    Raises:
        DatasetError: No such column, weights that are missing or negative, or nothing to balance.
    """
    if weights is None and balance_on is None:
        return data
    values = np.ones(len(data)) if weights is None else _numbers(data, weights, "weight") if isinstance(weights, str) else np.asarray(weights)
    weighed = replace(data, weights=values)  # refuses what is no weight, with its rows
    if balance_on is None:
        return weighed
    if len(data.tasks) != 1 or data.tasks[0].kind != "binary":
        raise DatasetError(f"{data.name}: classes can be balanced for one binary task, not for {', '.join(f'{task.name} ({task.kind})' for task in data.tasks)}; give weights in a column")
    y, found = data.y[:, 0], np.asarray(weighed.weights, dtype=np.float64)
    totals = [float(found[balance_on][y[balance_on] == label].sum()) for label in (0, 1)]
    if min(totals) <= 0:
        raise DatasetError(f"{data.name}: the training part has one class alone; there is nothing to balance")
    for label, total in enumerate(totals):
        found = np.where(y == label, found * sum(totals) / (2 * total), found)
    return replace(weighed, weights=found)


def _numbers(data: Dataset, name: str, what: str) -> np.ndarray:
    if name not in data.columns:
        near = nearest(name, data.columns)
        raise DatasetError(f"{data.name}: no column {name!r} for a {what}{f'; did you mean {near!r}?' if near else ''}; the further columns are: {', '.join(data.columns) or 'none'}")
    values = np.asarray(data.columns[name])
    if values.dtype.kind not in "fiu":
        odd = [(row, str(cell)) for row, cell in enumerate(values) if not _is_number(str(cell))]
        shown = "; ".join(f"row {row + 1}: {cell[:40]!r}" for row, cell in odd[:10])
        raise DatasetError(f"{data.name}: column {name!r} is no {what}: {shown}{f' and {len(odd) - 10} more' if len(odd) > 10 else ''} is not a number; fix or empty the cells")
    return values


def _is_number(text: str) -> bool:
    try:
        float(text or "nan")
    except ValueError:
        return False
    return True
