"""What a steered generator remembers: the best molecules for replay, and how often each scaffold was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from drugai.molecules import MoleculeBatch, murcko_scaffolds
from drugai.runtime import derive_seed


class ScaffoldFilter:
    """No reward for a scaffold that was found often enough, so that the search goes elsewhere.

    Args:
        bucket: Good molecules of one Murcko scaffold after which further ones get nothing; 0 turns the filter off. Molecules without rings have no bucket.
        least: Score from which a molecule counts as good.

    Source: Blaschke et al., J. Cheminform. 2020, 12, 68, 10.1186/s13321-020-00473-0.
    """

    def __init__(self, bucket: int = 25, least: float = 0.4) -> None:
        self.bucket, self.least = bucket, least
        self.counts: Counter[str] = Counter()
        self._counted: set[str] = set()

    def score(self, canonical: Sequence[str], totals: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """Scores ``[n]`` with 0 in place of those of full scaffolds, and n scaffolds. Each molecule is counted once."""
        scaffolds = murcko_scaffolds(MoleculeBatch(canonical))
        kept = np.array(totals, dtype=float)
        if not self.bucket:
            return kept, scaffolds
        for row, (smi, scaffold) in enumerate(zip(canonical, scaffolds, strict=True)):
            if not scaffold or totals[row] < self.least:
                continue
            if self.counts[scaffold] >= self.bucket:
                kept[row] = 0.0
            elif smi not in self._counted:
                self._counted.add(smi)
                self.counts[scaffold] += 1
        return kept, scaffolds

    def full(self, scaffold: str) -> bool:
        """Whether a scaffold gets no more reward."""
        return bool(self.bucket and scaffold and self.counts[scaffold] >= self.bucket)


class Memory:
    """The best molecules so far, to learn from again in other spellings.

    Args:
        size: Molecules kept.
    """

    def __init__(self, size: int = 100) -> None:
        self.size = size
        self.entries: dict[str, tuple[float, str]] = {}  # canonical SMILES → score and scaffold, the best first

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, canonical: Sequence[str], scores: np.ndarray, scaffolds: Sequence[str]) -> None:
        """Take in molecules with a score above 0 and keep the best; equal scores: the older first."""
        for smi, score, scaffold in zip(canonical, scores.tolist(), scaffolds, strict=True):
            if smi and score > 0 and smi not in self.entries:
                self.entries[smi] = (score, scaffold)
        self.entries = dict(sorted(self.entries.items(), key=lambda item: -item[1][0])[: self.size])

    def purge(self, diversity: ScaffoldFilter) -> None:
        """Forget molecules of scaffolds that are full, so that replay does not hold the search there (selective memory purge).

        Source: Guo and Schwaller, Augmented Memory, JACS Au 2024, 4, 2160, 10.1021/jacsau.4c00066.
        """
        self.entries = {smi: (score, scaffold) for smi, (score, scaffold) in self.entries.items() if not diversity.full(scaffold)}

    def spelled(self, seed: int) -> tuple[list[str], np.ndarray]:
        """Every molecule in a random spelling that depends on ``seed``, and its score ``[n]``."""
        written = [randomize(smi, derive_seed(seed, smi)) for smi in self.entries]
        return written, np.array([score for score, _ in self.entries.values()])


def randomize(smi: str, seed: int) -> str:
    """The molecule in another order of atoms; the same seed gives the same spelling.

    Example:
        >>> from rdkit import Chem
        >>> Chem.CanonSmiles(randomize("CC(=O)Oc1ccccc1C(=O)O", 1))  # aspirin
        'CC(=O)Oc1ccccc1C(=O)O'
    """
    found: str = Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(smi), 1, randomSeed=seed % (2**31 - 1) + 1)[0]
    return found
