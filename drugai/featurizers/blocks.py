"""Named blocks of numeric features: fingerprint counts and descriptors, side by side as one matrix.

Source: the combination of ECFP counts, Avalon counts, ErG and descriptors is MapLight's (Notwell & Wood 2023, arXiv:2310.00174).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from drugai.catalogue import lookup
from drugai.molecules import MoleculeBatch, descriptors, fingerprint


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
}


def featurize_blocks(molecules: Sequence[str] | MoleculeBatch, blocks: Sequence[str]) -> np.ndarray:
    """The blocks side by side.

    Args:
        molecules: n molecules.
        blocks: Names from ``BLOCKS`` or registered as featurizers.

    Returns:
        ``[n, k]`` float32; the row of an unreadable molecule is NaN. A descriptor that is infinite is NaN.
    """
    batch = MoleculeBatch.of(molecules)
    parts = [np.asarray(batch.compute(("block", name), lookup("featurizer", name, BLOCKS)), dtype=np.float32) for name in blocks]
    matrix = np.concatenate(parts, axis=1) if parts else np.zeros((len(batch), 0), dtype=np.float32)
    matrix[~np.isfinite(matrix)] = np.nan
    matrix[~batch.valid] = np.nan
    return matrix
