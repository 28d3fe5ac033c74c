"""Which molecules of a store make which step of a pre-training: a function of (seed, epoch) alone, so that a killed run resumes at its step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from drugai.models.encoder_pretraining import raw_descriptors
from drugai.molecules import MoleculeBatch
from drugai.runtime import generator

_POOL = 32  # batches whose molecules are sorted by length together


def chapters_of(rows: int, chapter: int) -> int:
    """Chapters, of about ``chapter`` molecules, that a pass over ``rows`` molecules has."""
    return max(1, round(rows / chapter))


def chapter_batches(rows: np.ndarray, lengths: np.ndarray, size: int, chapter: int, seed: int, epoch: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """(epoch, step, rows) of one chapter, in batches of like length.

    Args:
        rows: Molecules of a pass.
        lengths: Length of every molecule of the store.
        size: Molecules a step.
        chapter: Molecules a chapter.
        seed, epoch: Decide the order.
    """
    chapters = chapters_of(len(rows), chapter)
    number, part = divmod(epoch, chapters)
    order = np.array_split(rows[generator(seed, "order", number).permutation(len(rows))], chapters)[part]
    batches = []
    for begin in range(0, len(order), size * _POOL):
        pool = order[begin : begin + size * _POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[at : at + size] for at in range(0, len(pool), size)]
    for step, index in enumerate(generator(seed, "steps", epoch).permutation(len(batches))):
        yield epoch, step, batches[index]


class DescriptorScale:
    """Mean and spread of the descriptors in a sample of a corpus."""

    def __init__(self, smiles: list[str]) -> None:
        sample = raw_descriptors(MoleculeBatch(smiles)).astype(np.float64)
        self.center, self.spread = np.nanmean(sample, axis=0), np.nanstd(sample, axis=0) + 1e-6

    def __call__(self, batch: MoleculeBatch) -> np.ndarray:
        """``[n, k]`` float32 standardized descriptors within ±6, NaN where one is not defined."""
        return np.asarray(np.clip((raw_descriptors(batch) - self.center) / self.spread, -6, 6), dtype=np.float32)
