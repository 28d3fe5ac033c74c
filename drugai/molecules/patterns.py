"""Many substructure patterns against many molecules, and the filters of MOSES.

A pattern can only match a molecule whose pattern fingerprint holds all bits of the pattern's own, so that one comparison of bits leaves a few matches in a
hundred to be tried. The verdicts are those of trying all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rdkit import Chem, DataStructs

from drugai.errors import DatasetError
from drugai.molecules.batch import MoleculeBatch

_BITS = 2048
_MOSES_ATOMS = frozenset({1, 6, 7, 8, 9, 16, 17, 35})  # H C N O F S Cl Br
_MOSES_LARGEST_RING = 7


class PatternSet:
    """SMARTS patterns, read once.

    Args:
        smarts: The patterns.

    Raises:
        DatasetError: A pattern cannot be read (all such are named, at most ten).
    """

    def __init__(self, smarts: Sequence[str]) -> None:
        self.smarts = tuple(smarts)
        queries = [Chem.MolFromSmarts(text) for text in self.smarts]
        wrong = [text for text, query in zip(self.smarts, queries, strict=True) if query is None]
        if wrong or not queries:
            raise DatasetError(f"{len(wrong)} of {len(queries)} SMARTS cannot be read: {', '.join(wrong[:10])}" if wrong else "a pattern set needs a pattern")
        self._queries = queries
        self._bits = [np.array(Chem.PatternFingerprint(query, _BITS).GetOnBits(), dtype=np.int64) for query in queries]

    def __len__(self) -> int:
        return len(self.smarts)

    def __reduce__(self) -> tuple[type[PatternSet], tuple[tuple[str, ...]]]:
        return (PatternSet, (self.smarts,))

    def any_match(self, molecules: Sequence[str] | MoleculeBatch, *, hydrogens: bool = False) -> np.ndarray:
        """``[n]`` bool, True where at least one pattern matches; False for a molecule that cannot be read.

        Args:
            molecules: n SMILES or a batch.
            hydrogens: Make hydrogens atoms first, for patterns that name them.
        """
        mols = MoleculeBatch.of(molecules).full_mols
        matched = np.zeros(len(mols), dtype=bool)
        read = [(row, mol) for row, mol in enumerate(mols) if mol is not None]
        for begin in range(0, len(read), 2000):
            part = read[begin : begin + 2000]
            matched[[row for row, _ in part]] = self._match([Chem.AddHs(mol) if hydrogens else mol for _, mol in part])
        return matched

    def _match(self, mols: Sequence[Chem.Mol]) -> np.ndarray:
        texts = b"".join(DataStructs.BitVectToBinaryText(Chem.PatternFingerprint(mol, _BITS)) for mol in mols)
        held = np.frombuffer(texts, dtype=np.uint8).reshape(len(mols), -1)
        columns = np.ascontiguousarray(np.unpackbits(held, axis=1, bitorder="little").T).astype(bool)  # [bits, B]
        matched = np.zeros(len(mols), dtype=bool)
        for query, bits in zip(self._queries, self._bits, strict=True):
            possible = ~matched if not len(bits) else np.logical_and.reduce(columns[bits], axis=0) & ~matched
            for row in np.flatnonzero(possible).tolist():
                matched[row] = mols[row].HasSubstructMatch(query)
        return matched


def passes_moses_filters(molecules: Sequence[str] | MoleculeBatch, patterns: PatternSet) -> np.ndarray:
    """``[n]`` bool, True where a molecule passes the filters of MOSES.

    No ring of 8 atoms or more, no charged atom, no element but H, C, N, O, F, S, Cl and Br, none of the patterns (medicinal-chemistry filters and PAINS) on the molecule with its
    hydrogens. False for a molecule that cannot be read.

    Source: Polykovskiy et al. 2020, 10.3389/fphar.2020.565644.
    """
    batch = MoleculeBatch.of(molecules)
    plain = np.array([mol is not None and _is_plain(mol) for mol in batch.full_mols], dtype=bool)
    rows = np.flatnonzero(plain)
    plain[rows] = ~patterns.any_match(batch.take(rows), hydrogens=True)
    return plain


def _is_plain(mol: Chem.Mol) -> bool:
    if any(len(ring) > _MOSES_LARGEST_RING for ring in mol.GetRingInfo().AtomRings()):
        return False
    return all(atom.GetFormalCharge() == 0 and atom.GetAtomicNum() in _MOSES_ATOMS for atom in mol.GetAtoms())
