"""Named blocks of numeric features: fingerprint counts and descriptors, side by side as one matrix.

Source: the combination of ECFP counts, Avalon counts, ErG and descriptors is MapLight's (Notwell & Wood 2023, arXiv:2310.00174).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from drugai.catalogue import lookup
from drugai.molecules import MoleculeBatch, descriptors, fingerprint
from drugai.molecules.descriptors import DESCRIPTOR_NAMES
from drugai.molecules.side_columns import side_column


def _morgan(batch: MoleculeBatch) -> np.ndarray:
    return fingerprint(batch, "morgan", bits=1024, radius=2, counts=True)


def _morgan3(batch: MoleculeBatch) -> np.ndarray:
    return fingerprint(batch, "morgan", bits=2048, radius=3, counts=True)


def _morgan_bits(batch: MoleculeBatch) -> np.ndarray:
    return fingerprint(batch, "morgan", bits=2048, radius=2, counts=False)


def _features(batch: MoleculeBatch) -> np.ndarray:
    return fingerprint(batch, "feature_morgan", bits=1024, radius=2, counts=True)


def _atom_pairs(batch: MoleculeBatch) -> np.ndarray:
    return fingerprint(batch, "atom_pair", bits=1024, counts=True)


def _torsions(batch: MoleculeBatch) -> np.ndarray:
    return fingerprint(batch, "torsion", bits=1024, counts=True)


def _avalon(batch: MoleculeBatch) -> np.ndarray:
    return fingerprint(batch, "avalon", bits=1024, counts=True)


def _erg(batch: MoleculeBatch) -> np.ndarray:
    return fingerprint(batch, "erg")


def _maccs(batch: MoleculeBatch) -> np.ndarray:
    return fingerprint(batch, "maccs")


def _fast_descriptors(batch: MoleculeBatch) -> np.ndarray:
    return descriptors(batch)


def _all_descriptors(batch: MoleculeBatch) -> np.ndarray:
    return descriptors(batch, "full")


def _cheap_descriptors(batch: MoleculeBatch) -> np.ndarray:
    return descriptors(batch, CHEAP_DESCRIPTORS)


DEAR = ("fr_", "Chi2", "Chi3", "Chi4", "Kappa2", "Kappa3", "Phi")
"""Beginnings of the names of fast descriptors that cost more than they tell: two thirds of the set's time."""

CHEAP_DESCRIPTORS: tuple[str, ...] = tuple(name for name in DESCRIPTOR_NAMES if not name.startswith(DEAR))
"""Columns of the block ``cheap_descriptors``, 0.7 ms a molecule."""


# name → function of a batch that gives [n, k] numbers
BLOCKS: dict[str, Callable[[MoleculeBatch], np.ndarray]] = {
    "morgan": _morgan,
    "morgan3": _morgan3,
    "morgan_bits": _morgan_bits,
    "feature_morgan": _features,
    "atom_pair": _atom_pairs,
    "torsion": _torsions,
    "avalon": _avalon,
    "erg": _erg,
    "maccs": _maccs,
    "descriptors": _fast_descriptors,
    "all_descriptors": _all_descriptors,
    "cheap_descriptors": _cheap_descriptors,
}


COLUMN = "column:"
"""Beginning of the name of a block that is one column of the table beside the SMILES: ``column:pH``."""


def side_columns(blocks: Sequence[str]) -> tuple[str, ...]:
    """The table's columns among the blocks."""
    return tuple(name.removeprefix(COLUMN) for name in blocks if name.startswith(COLUMN))


def featurize_blocks(molecules: Sequence[str] | MoleculeBatch, blocks: Sequence[str]) -> np.ndarray:
    """The blocks side by side.

    Args:
        molecules: n molecules.
        blocks: Names from ``BLOCKS`` or registered as featurizers, or ``column:NAME`` of a column that the batch carries (:func:`drugai.molecules.with_columns`).

    Returns:
        ``[n, k]`` float32; the row of an unreadable molecule is NaN. A descriptor that is infinite is NaN.
    """
    batch = MoleculeBatch.of(molecules)
    parts = [_block(batch, name) for name in blocks]
    matrix = np.concatenate(parts, axis=1) if parts else np.zeros((len(batch), 0), dtype=np.float32)
    matrix[~np.isfinite(matrix)] = np.nan
    matrix[~batch.valid] = np.nan
    return matrix


def _block(batch: MoleculeBatch, name: str) -> np.ndarray:
    if name.startswith(COLUMN):
        return side_column(batch, name.removeprefix(COLUMN)).astype(np.float32)[:, None]
    return np.asarray(batch.compute(("block", name), lookup("featurizer", name, BLOCKS)), dtype=np.float32)
