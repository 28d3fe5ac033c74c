"""A split that the data set brings along, as a column that names each row's part."""

from __future__ import annotations

import logging

import numpy as np

from drugai.contracts import Dataset, Split
from drugai.data.grouping import by_scaffold, canonical_smiles, column_values, usable_rows
from drugai.data.packing import TOLERANCE
from drugai.errors import DatasetError

log = logging.getLogger(__name__)

_WORDS = {
    "train": "train",
    "training": "train",
    "train_valid": "train",
    "train_val": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "test": "test",
    "testing": "test",
}


def split_given(data: Dataset, column: str, *, valid_share: float, seed: int) -> Split:
    """The split of a column with the words train, valid and test (``train_valid``, ``val``, capitals and the like are understood).

    Where no row is marked valid, ``valid_share`` of the train rows become valid by a seeded, balanced scaffold split. The test part is never changed. A
    molecule that stands in test and elsewhere leaves train and valid, one that stands in valid and train leaves train; how many is logged. Rows with
    another word (MOSES' ``test_scaffolds``) are in no part.

    Args:
        data: n molecules.
        column: Name of the column.
        valid_share: Share of the train rows that become valid where none is given, in (0, 1).
        seed: Seed of that scaffold split.

    Raises:
        DatasetError: no such column, no row for train or test, or too few scaffolds to cut valid from train.
    """
    words = [str(value).strip().lower() for value in column_values(data, column)]
    marked = np.array([_WORDS.get(word, "") for word in words], dtype=object)
    rows = usable_rows(data)
    train, valid, test = (rows[marked[rows] == part] for part in ("train", "valid", "test"))
    if not train.size or not test.size:
        found = ", ".join(map(repr, sorted(set(words))[:10]))
        raise DatasetError(f"data set {data.name!r}: column {column!r} marks no row as {'train' if not train.size else 'test'}; its words are {found}")
    train = _without(data, train, test, "train", "test")
    if valid.size:
        valid = _without(data, valid, test, "valid", "test")
        train = _without(data, train, valid, "train", "valid")
    else:
        train, valid = _cut(data, train, valid_share, seed)
    return Split(train, valid, test, "given", seed)


def _without(data: Dataset, rows: np.ndarray, kept: np.ndarray, part: str, other: str) -> np.ndarray:
    """``rows`` less those whose molecule is also in ``kept``."""
    canonical = canonical_smiles(data.smiles)
    known = {canonical[row] for row in kept.tolist()}
    clean = np.array([row for row in rows.tolist() if canonical[row] not in known], dtype=np.int64)
    if clean.size < rows.size:
        log.warning("given split of %s: %d rows of %s repeat a molecule of %s and are left out", data.name, rows.size - clean.size, part, other)
    return clean


def _cut(data: Dataset, rows: np.ndarray, valid_share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Train and valid from the rows of train: whole scaffolds, shuffled, none of more than half of valid; as many as fit."""
    groups = by_scaffold(data, rows)
    wanted = valid_share * rows.size
    order = np.random.default_rng(seed).permutation(len(groups))
    taken = np.zeros(len(groups), dtype=bool)
    filled = 0
    # whole scaffolds of at most half of valid come first; larger ones only where these do not suffice
    for most in (wanted / 2, wanted):
        for group in order.tolist():
            size = len(groups[group])
            if not taken[group] and size <= most and filled + size <= wanted + 0.5:
                taken[group] = True
                filled += size
    if not taken.any() or taken.all():
        raise DatasetError(
            f"data set {data.name!r}: no valid part of {wanted:.0f} rows can be cut from {rows.size} train rows of {len(groups)} scaffolds; "
            "mark valid rows in the column or use another method"
        )
    if abs(filled - wanted) > max(1, TOLERANCE * rows.size):
        log.warning("given split of %s: valid has %d rows, asked for %.0f: scaffolds are not divided", data.name, filled, wanted)
    train, valid = (np.sort(np.concatenate([groups[i] for i in np.flatnonzero(taken == side)])) for side in (False, True))
    return train, valid
