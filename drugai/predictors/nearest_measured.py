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
    def _groups(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Rows of ``packed`` by task and, within a task, by number of bits; where each such group starts; its number of bits; and at which group each task starts."""
        sizes = np.bitwise_count(self._words).sum(axis=0).astype(np.int64)
        order: list[np.ndarray] = []
        starts: list[np.ndarray] = []
        of_group: list[np.ndarray] = []
        tasks: list[int] = []
        at = 0
        for rows in self.members:
            sorted_rows = rows[np.argsort(sizes[rows], kind="stable")].astype(np.intp)
            found, first = np.unique(sizes[sorted_rows], return_index=True)
            tasks.append(sum(len(group) for group in of_group))
            order.append(sorted_rows)
            starts.append(first + at)
            of_group.append(found)
            at += len(rows)
        return np.concatenate(order), np.concatenate(starts), np.concatenate(of_group).astype(np.float32), np.array(tasks)

    def similarity(self, batch: MoleculeBatch) -> np.ndarray:
        """``[n, t]`` float32 Tanimoto similarity to the most similar training molecule of each task; NaN for unreadable molecules.

        Of references with equally many bits the one that shares most is the most similar: a similarity is computed for a group of them, not for each.
        """
        bits = pack_bits(batch)
        found = np.full((len(batch), len(self.members)), np.nan, dtype=np.float32)
        order, starts, sizes, tasks = self._groups
        for row in np.flatnonzero(batch.valid):
            query = bits[row].view(np.uint64)
            own = int(np.bitwise_count(query).sum())
            shared: np.ndarray = np.zeros(len(self.packed), dtype=np.uint8 if own < 256 else np.uint16)
            for word, references in zip(query, self._words, strict=True):
                if word:
                    shared += np.bitwise_count(word & references)
            most = np.maximum.reduceat(shared[order], starts).astype(np.float32)
            found[row] = np.maximum.reduceat(most / np.maximum(sizes + np.float32(own) - most, 1.0), tasks)
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
