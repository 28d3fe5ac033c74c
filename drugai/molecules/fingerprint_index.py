"""Exact nearest neighbours among millions of fingerprints: packed bits, popcounts, and the bound that the sizes of two sets put on their similarity.

Two sets of a and b bits have a Tanimoto similarity of at most min(a, b) / max(a, b): candidates are looked at in the order of that bound, and the search ends where it falls below the best found.

Source: Swamidass and Baldi, J. Chem. Inf. Model. 2007, 47, 302 (10.1021/ci600358f).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drugai.errors import ConfigError
from drugai.molecules.batch import MoleculeBatch
from drugai.molecules.fingerprints import fingerprint

_CHUNK = 8192
_BLOCK = 65_536


class FingerprintIndex:
    """Morgan bits of molecules, 256 bytes each.

    Args:
        smiles: The molecules; one that cannot be read resembles nothing.
        bits, radius: Of the fingerprint; bits must be a multiple of 64.
    """

    def __init__(self, smiles: Sequence[str], bits: int = 2048, radius: int = 2) -> None:
        if bits % 64:
            raise ConfigError(f"bits={bits} of an index must be a multiple of 64")
        self.bits, self.radius = bits, radius
        words = [np.zeros((0, bits // 64), dtype=np.uint64)]
        for begin in range(0, len(smiles), _CHUNK):
            words.append(pack(fingerprint(MoleculeBatch(list(smiles[begin : begin + _CHUNK])), "morgan", bits=bits, radius=radius)))
        packed = np.concatenate(words)
        sizes = np.bitwise_count(packed).sum(axis=1, dtype=np.int64)
        self.rows = np.argsort(sizes, kind="stable")  # by size, so that what the bound allows is a span
        self.words, self.sizes = packed[self.rows], sizes[self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def nearest(self, fingerprints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The most similar molecule of the index for each row of bits ``[n, d]``.

        Returns:
            Similarities ``[n]`` float32 and rows ``[n]`` int64; among equals the lowest row.
        """
        if not len(self):
            raise ConfigError("the index holds no molecule")
        values = np.zeros(len(fingerprints), dtype=np.float32)
        rows = np.zeros(len(fingerprints), dtype=np.int64)
        for place, query in enumerate(pack(fingerprints)):
            values[place], rows[place] = self._one(query)
        return values, rows

    def _one(self, query: np.ndarray) -> tuple[float, int]:
        size = int(np.bitwise_count(query).sum())
        best, row = -1.0, len(self)
        bounds = np.minimum(self.sizes, size) / np.maximum(np.maximum(self.sizes, size), 1)
        order = np.argsort(-bounds, kind="stable")
        for begin in range(0, len(order), _BLOCK):
            some = order[begin : begin + _BLOCK]
            if bounds[some[0]] < best:
                break
            common = np.bitwise_count(self.words[some] & query).sum(axis=1, dtype=np.int64)
            union = self.sizes[some] + size - common
            found = np.divide(common, union, out=np.zeros(len(some)), where=union > 0)
            top = found.max()
            own = int(self.rows[some[found == top]].min())
            if top > best or (top == best and own < row):
                best, row = float(top), own
        return best, row


def pack(bits: np.ndarray) -> np.ndarray:
    """``[n, d]`` zeros and ones as ``[n, d / 64]`` uint64."""
    packed = np.packbits(np.ascontiguousarray(bits).astype(bool), axis=1)
    return packed.view(np.uint64)
