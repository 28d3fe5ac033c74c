"""Tanimoto similarity and what rests on it: nearest neighbours, diverse picks, clusters.

Bits are compared by a matrix product in float32 (counts of common bits below 2^24 are exact), which on one core is several times RDKit's bulk function.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from drugai.errors import ConfigError

_BLOCK = 1024


def tanimoto(a: np.ndarray, b: np.ndarray | None = None) -> np.ndarray:
    """Tanimoto similarity of every row of ``a`` with every row of ``b``.

    For bits |x ∧ y| / |x ∨ y|; for counts the sum of minima over the sum of maxima, as RDKit has it. Two rows of zeros have 0 (an unreadable molecule
    resembles nothing, not itself).

    Args:
        a: ``[n, d]`` bits (only 0 and 1) or counts.
        b: ``[m, d]`` of the same kind; ``a`` itself if not given.

    Returns:
        ``[n, m]`` float32 in [0, 1].

    Example:
        >>> import numpy as np
        >>> float(tanimoto(np.array([[1, 1, 0]]), np.array([[0, 1, 1]]))[0, 0])  # 1 common of 3
        0.3333333432674408
    """
    b = a if b is None else b
    _check(a, b)
    out = np.empty((len(a), len(b)), dtype=np.float32)
    for begin, block in _blocks(a, b):
        out[begin : begin + len(block)] = block
    return out


def nearest(a: np.ndarray, b: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` most similar rows of ``b`` for each row of ``a``, with memory for a block of rows only.

    Returns:
        Similarities ``[n, k]`` float32, descending, and row numbers in ``b`` ``[n, k]`` int64; among equals the lower row number comes first.
    """
    _check(a, b)
    if not 1 <= k <= len(b):
        raise ConfigError(f"k={k} neighbours of {len(b)} rows; need 1 <= k <= {len(b)}")
    values = np.empty((len(a), k), dtype=np.float32)
    rows = np.empty((len(a), k), dtype=np.int64)
    for begin, block in _blocks(a, b):
        if k == 1:
            best = block.argmax(axis=1)[:, None]
        else:
            best = np.argsort(-block, axis=1, kind="stable")[:, :k]
        rows[begin : begin + len(block)] = best
        values[begin : begin + len(block)] = np.take_along_axis(block, best, axis=1)
    return values, rows


def pick_maxmin(fps: np.ndarray, k: int, seed: int = 0, first: int | None = None) -> np.ndarray:
    """``k`` rows that are as unlike one another as a greedy choice makes them (MaxMin).

    Args:
        fps: ``[n, d]`` fingerprints.
        k: Number of picks.
        seed: Chooses the first pick.
        first: The first pick itself, in place of the seed.

    Returns:
        ``[k]`` int64 row numbers in the order of picking; each next one has the smallest greatest similarity to those before.

    Source: Ashton et al. 2002, 10.1002/qsar.200290002.
    """
    n = len(fps)
    if not 0 <= k <= n:
        raise ConfigError(f"cannot pick {k} of {n} molecules")
    if k == 0:
        return np.empty(0, dtype=np.int64)
    at = int(np.random.default_rng(seed).integers(n)) if first is None else first
    picked = np.empty(k, dtype=np.int64)
    closest = np.full(n, -1.0, dtype=np.float32)
    prepared = _Prepared(fps)
    for count in range(k):
        picked[count] = at
        np.maximum(closest, prepared.against(fps[at : at + 1])[0], out=closest)
        closest[at] = np.inf  # never again
        at = int(closest.argmin())
    return picked


def butina(fps: np.ndarray, cutoff: float = 0.35) -> np.ndarray:
    """Clusters in which every member is within ``cutoff`` of the cluster's centre (Taylor-Butina).

    The molecule with the most unclustered neighbours becomes a centre and takes them; repeat. Among equals the lower row number wins, so the result
    does not depend on chance.

    Args:
        fps: ``[n, d]`` fingerprints.
        cutoff: Distance, 1 - Tanimoto.

    Returns:
        ``[n]`` int64 cluster numbers, 0 being the largest. A row of zeros is a cluster of its own.

    Source: Butina 1999, 10.1021/ci9803381.
    """
    n = len(fps)
    neighbours: list[np.ndarray] = []
    for begin, block in _blocks(fps, fps):
        near = block >= np.float32(1.0 - cutoff) - np.float32(1e-6)
        near[np.arange(len(block)), begin + np.arange(len(block))] = True
        neighbours.extend(np.flatnonzero(row).astype(np.int32) for row in near)
    free = np.ones(n, dtype=bool)
    degree = np.array([len(row) for row in neighbours], dtype=np.int64)
    labels = np.full(n, -1, dtype=np.int64)
    for label in range(n):
        if not free.any():
            break
        centre = int(np.where(free, degree, -1).argmax())
        members = neighbours[centre][free[neighbours[centre]]]
        labels[members] = label
        free[members] = False
        for member in members:  # its neighbours have one free neighbour less
            degree[neighbours[member]] -= 1
    return labels


class _Prepared:
    """The right-hand side of many comparisons, turned into the form that the product needs once."""

    def __init__(self, b: np.ndarray) -> None:
        self.binary = _is_binary(b)
        self.sizes = b.sum(axis=1, dtype=np.float64).astype(np.float32)
        self.columns = np.ascontiguousarray(b.T, dtype=np.float32) if self.binary else None
        self.b = b

    def against(self, a: np.ndarray) -> np.ndarray:
        if self.columns is not None and _is_binary(a):
            common = a.astype(np.float32) @ self.columns
        else:
            # minima summed column by column: the product of two counts says nothing about the lesser one
            common = (
                np.stack([np.minimum(row, self.b).sum(axis=1, dtype=np.float64) for row in a]).astype(np.float32)
                if len(a)
                else np.empty((0, len(self.b)), dtype=np.float32)
            )
        total = a.sum(axis=1, dtype=np.float64).astype(np.float32)[:, None] + self.sizes - common
        return np.divide(common, total, out=np.zeros_like(common), where=total > 0)


def _blocks(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    prepared = _Prepared(b)
    # one block of similarities stays below about 256 MB
    size = max(1, min(_BLOCK, 64_000_000 // max(1, len(b))))
    for begin in range(0, len(a), size):
        yield begin, prepared.against(a[begin : begin + size])


def _is_binary(values: np.ndarray) -> bool:
    return values.dtype == np.bool_ or values.size == 0 or (values.dtype.kind in "ui" and int(values.max()) <= 1)


def _check(a: np.ndarray, b: np.ndarray) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ConfigError(f"fingerprints of shapes {a.shape} and {b.shape} cannot be compared; need [n, d] and [m, d]")
