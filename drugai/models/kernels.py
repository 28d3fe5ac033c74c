"""Kernels between molecules: MinMax over counts of fragments, and a Gaussian of descriptors.

MinMax, ``Σ min(a, b) ÷ Σ max(a, b)``, is the Tanimoto similarity of counts. It is positive definite, and by the identity ``min(a, b) = Σ_l [a ≥ l][b ≥ l]`` it is a
few matrix products of zeros and ones.

Source: Ralaivola et al., Neural Networks 2005, 18, 1093 (10.1016/j.neunet.2005.07.009).
"""

from __future__ import annotations

import numpy as np

LEVELS = (1, 2, 3, 4, 6, 8, 12, 16)
"""Counts at which a column is cut: exact up to 4, in steps up to 16, where a larger count counts as 16."""


def minmax_kernel(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """MinMax similarity of counts.

    Args:
        left, right: ``[n, d]`` and ``[m, d]`` counts, not negative.

    Returns:
        ``[n, m]`` float32 in [0, 1]; 0 where both rows are zero.
    """
    common = np.zeros((len(left), len(right)), dtype=np.float32)
    size_left, size_right = np.zeros(len(left), dtype=np.float32), np.zeros(len(right), dtype=np.float32)
    below = 0
    for level in LEVELS:
        a, b = left >= level, right >= level
        step = np.float32(level - below)
        below = level
        size_left += step * a.sum(1, dtype=np.float32)
        size_right += step * b.sum(1, dtype=np.float32)
        shared = a.any(0) & b.any(0)  # at high levels few columns are left
        if shared.any():
            common += step * (a[:, shared].astype(np.float32) @ b[:, shared].astype(np.float32).T)
    return common / np.maximum(size_left[:, None] + size_right[None] - common, np.float32(1e-9))


def squared_distance(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """``[n, m]`` float32 mean squared difference over the d columns of ``[n, d]`` and ``[m, d]``."""
    width = max(left.shape[1], 1)
    # in float32 the difference of large numbers would depend on where in a batch a row stands, by up to 1e-5 of a prediction
    left, right = left.astype(np.float64), right.astype(np.float64)
    total = (left * left).sum(1)[:, None] + (right * right).sum(1)[None] - 2.0 * (left @ right.T)
    return np.asarray(np.maximum(total, 0.0) / width, dtype=np.float32)
