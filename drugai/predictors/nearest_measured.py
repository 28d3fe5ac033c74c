"""Similarity to the nearest of the molecules that each of several tasks was trained on, in one pass and without torch.

The fingerprints are circular ones (Morgan, radius 2) folded to 512 bits, so that 30,000 molecules take 2 MB. Folding lets different environments share a bit, which
raises similarities by a few hundredths; limits that were found with the same fingerprints take that in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from drugai.molecules import MoleculeBatch, fingerprint

BITS = 512
RADIUS = 2
_BYTE = 3  # words of 64 bits whose common bits fit a byte, in which they are added fastest


@dataclass(frozen=True, eq=False)
class NearestMeasured:
    """Training molecules of t tasks.

    Attributes:
        packed: ``[m, 64]`` uint8, packed bits of the m distinct molecules.
        members: t arrays of rows of ``packed``, one a task.
    """

    packed: np.ndarray
    members: tuple[np.ndarray, ...]

    @cached_property
    def _words(self) -> np.ndarray:
        return np.ascontiguousarray(self.packed.view(np.uint64).T)  # [8, m]

    @cached_property
    def _sizes(self) -> np.ndarray:
        return np.bitwise_count(self._words).sum(axis=0).astype(np.float32)

    @cached_property
    def _order(self) -> tuple[np.ndarray, np.ndarray]:
        starts = np.cumsum([0, *(len(rows) for rows in self.members)])[:-1]
        return np.concatenate(self.members).astype(np.intp), starts

    def similarity(self, batch: MoleculeBatch) -> np.ndarray:
        """``[n, t]`` float32 Tanimoto similarity to the most similar training molecule of each task; NaN for unreadable molecules."""
        bits = pack_bits(batch)
        found = np.full((len(batch), len(self.members)), np.nan, dtype=np.float32)
        order, starts = self._order
        for row in np.flatnonzero(batch.valid):
            query = bits[row].view(np.uint64)
            shared = np.zeros(len(self.packed), dtype=np.float32)
            for first in range(0, len(query), _BYTE):
                common = np.bitwise_count(query[first] & self._words[first])
                for word, references in zip(query[first + 1 : first + _BYTE], self._words[first + 1 : first + _BYTE], strict=True):
                    common += np.bitwise_count(word & references)
                shared += common
            union = self._sizes + np.float32(np.bitwise_count(query).sum())
            union -= shared
            found[row] = np.maximum.reduceat((shared / np.maximum(union, 1.0))[order], starts)
        return found

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Arrays for a file."""
        return {"packed": self.packed, **{f"members_{index}": rows.astype(np.uint32) for index, rows in enumerate(self.members)}}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> NearestMeasured:
        """What :meth:`to_arrays` wrote."""
        return cls(arrays["packed"], tuple(arrays[f"members_{index}"] for index in range(len(arrays) - 1)))


def pack_bits(batch: MoleculeBatch) -> np.ndarray:
    """``[n, 64]`` uint8: the packed fingerprints of a batch."""
    return np.packbits(fingerprint(batch, "morgan", bits=BITS, radius=RADIUS), axis=1)
