"""Other spellings of the same molecule: SMILES written from a random atom in a random order.

Source: Bjerrum, 2017 (arXiv:1703.07076); Arús-Pous et al., J. Cheminform. 2019, doi:10.1186/s13321-019-0393-0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from drugai.molecules import MoleculeBatch

_SEEDS = 2**31 - 2


def enumerate_smiles(molecules: Sequence[str] | MoleculeBatch, k: int, seed: int = 0) -> list[tuple[str, ...]]:
    """k random spellings of each of n molecules; an empty tuple for one that cannot be read.

    They depend on the molecule and the seed alone, not on how it was written or where it stands in the list. A small molecule has few spellings, so some repeat.

    Example:
        >>> [len(found) for found in enumerate_smiles(["CC(=O)Oc1ccccc1C(=O)O", "c1ccccc"], 3)]  # aspirin, an unclosed ring
        [3, 0]
    """
    batch = MoleculeBatch.of(molecules)
    return [tuple(Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(smi), k, randomSeed=1 + seed % _SEEDS)) if smi else () for smi in batch.canonical]


def respell(mols: Sequence[Chem.Mol], seeds: Sequence[int] | np.ndarray) -> list[str]:
    """One random spelling of each of n Mols by its own seed: what an epoch of training sees."""
    # RDKit takes a seed of 0 as none
    return [Chem.MolToRandomSmilesVect(mol, 1, randomSeed=1 + int(seed) % _SEEDS)[0] for mol, seed in zip(mols, seeds, strict=True)]
