"""Which rows of a data set can be trained on, and what is refused at the door."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from drugai.contracts import Dataset
from drugai.data.bounds import bounds_of
from drugai.errors import DatasetError, count_reasons
from drugai.molecules import MoleculeBatch

logger = logging.getLogger(__name__)

LEAST_ROWS = 20

_BATCHES: WeakKeyDictionary[Dataset, MoleculeBatch] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Usable:
    """The readable, labelled rows of a data set: their batch, values ``[n, t]``, weights ``[n]`` or None, how many were left out and why, bounds ``[n, t, 2]`` or None, and which rows they are."""

    batch: MoleculeBatch
    y: np.ndarray
    weights: np.ndarray | None
    left_out: dict[str, int]
    bounds: np.ndarray | None = None
    rows: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def batch_of(data: Dataset) -> MoleculeBatch:
    """The parsed molecules of a data set, kept as long as the data set lives: a study's trials and an ensemble's members share what was computed from them."""
    if data not in _BATCHES:
        batch = _BATCHES[data] = MoleculeBatch(data.smiles)
        for name, values in data.columns.items():
            if np.asarray(values).dtype.kind in "fiu":
                batch.preset(("column", name), np.asarray(values, dtype=np.float32))
    return _BATCHES[data]


def take_rows(data: Dataset, rows: np.ndarray) -> Dataset:
    """Some rows of a data set, whose molecules share what was computed from the whole: for folds."""
    part = data.take(rows)
    _BATCHES[part] = batch_of(data).take(rows)
    return part


def both_parts(train: Dataset, valid: Dataset) -> Dataset:
    """Two parts of one data set as one, the training part first. Columns that only one of them has are left out."""
    columns = {key: np.concatenate([np.asarray(train.columns[key]), np.asarray(valid.columns[key])]) for key in train.columns if key in valid.columns}
    weights = None if train.weights is None or valid.weights is None else np.concatenate([train.weights, valid.weights])
    return Dataset(train.name, train.smiles + valid.smiles, np.concatenate([train.y, valid.y]), train.tasks, train.ids + valid.ids, columns, weights)


def usable_rows(data: Dataset, part: str, *, bounds: bool = False) -> Usable:
    """Rows with a readable molecule and at least one label; the others are counted and logged, never silently lost.

    Args:
        data: n molecules.
        part: Its name, for the log.
        bounds: The model has a bounded loss: rows of which only a bound is known are kept too. Other models leave them out.
    """
    batch = batch_of(data)
    measured = ~np.isnan(data.y).all(axis=1)
    known = bounds_of(data)
    bounded = np.zeros(len(data), dtype=bool) if known is None else ~np.isnan(known).all(axis=(1, 2))
    labelled = measured | bounded if bounds else measured
    kept = np.flatnonzero(batch.valid & labelled)
    left_out: dict[str, int] = dict(count_reasons(batch.reasons))
    censored = int((batch.valid & bounded & ~labelled).sum())
    if censored:
        left_out["bound alone"] = censored
    unlabelled = int((batch.valid & ~labelled & ~bounded).sum())
    if unlabelled:
        left_out["no label"] = unlabelled
    if left_out:
        logger.warning("%s: %s part leaves out %s", data.name, part, ", ".join(f"{count} {code}" for code, count in left_out.items()))
    weights = None if data.weights is None else data.weights[kept]
    used = batch if len(kept) == len(batch) else batch.compute(("taken", kept.tobytes()), lambda whole: whole.take(kept))
    return Usable(used, data.y[kept], weights, left_out, known[kept] if bounds and known is not None else None, kept)


def check_trainable(data: Dataset, usable: Usable) -> None:
    """Refuse what no model can learn from, naming the task and the reason.

    Raises:
        DatasetError: Fewer than 20 usable molecules, a task without labels, a constant regression target, or one class alone.
    """
    problems = []
    if len(usable.batch) < LEAST_ROWS:
        problems.append(f"{len(usable.batch)} usable molecules in the training part, at least {LEAST_ROWS} are needed")
    for index, task in enumerate(data.tasks):
        known = usable.y[:, index][~np.isnan(usable.y[:, index])]
        if known.size == 0:
            problems.append(f"task {task.name!r} has no label in the training part; leave it out")
        elif task.kind == "regression" and np.ptp(known) == 0:
            problems.append(f"task {task.name!r} is constant ({known[0]:g}) over {known.size} molecules; nothing can be learned from it")
        elif task.kind != "regression" and len(np.unique(known)) < 2:
            problems.append(f"task {task.name!r} has the one class {known[0]:g} in the training part; both are needed (another split or seed may give them)")
    if problems:
        raise DatasetError(f"{data.name}: " + "; ".join(problems[:10]))


def origin(train: Dataset, valid: Dataset | None) -> dict[str, Any]:
    """What the manifest says of the data."""
    return {
        "data": {"name": train.name, "train_checksum": train.checksum, "n_train": len(train)}
        | ({"valid_checksum": valid.checksum, "n_valid": len(valid)} if valid is not None else {})
    }
