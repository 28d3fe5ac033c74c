"""Many substructure patterns against many molecules, and the filters of MOSES.

A pattern can only match a molecule whose pattern fingerprint holds all bits of the pattern's own, so that one comparison of bits leaves a few matches in a
hundred to be tried. The verdicts are those of trying all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rdkit import Chem, DataStructs

from drugai.errors import DatasetError
from drugai.molecules.batch import MoleculeBatch

_BITS = 2048
_PART = 2000  # molecules whose bits are unpacked at a time
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
        self._bits = [_bits_of(query) for query in queries]
        self._heavy_bits = [_bits_of(_heavy_part(query)) for query in queries]

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
        batch = MoleculeBatch.of(molecules)
        mols, held = batch.full_mols, pattern_bits(batch)
        read = np.array([mol is not None for mol in mols], dtype=bool)
        matched = np.zeros(len(mols), dtype=bool)
        for begin in range(0, len(mols), _PART):
            part = slice(begin, begin + _PART)
            columns = np.ascontiguousarray(np.unpackbits(held[part], axis=1, bitorder="little").T).astype(bool)  # [bits, B]
            found, open_rows = matched[part], read[part]
            tried: dict[int, Any] = {}  # the few molecules that a pattern is tried on, with hydrogens as atoms where they are asked for
            for query, bits in zip(self._queries, self._heavy_bits if hydrogens else self._bits, strict=True):
                possible = open_rows & ~found
                if len(bits):
                    possible &= np.logical_and.reduce(columns[bits], axis=0)
                for row in np.flatnonzero(possible).tolist():
                    if row not in tried:
                        tried[row] = Chem.AddHs(mols[begin + row]) if hydrogens else mols[begin + row]
                    found[row] = tried[row].HasSubstructMatch(query)
        return matched


def pattern_bits(molecules: Sequence[str] | MoleculeBatch) -> np.ndarray:
    """``[n, 256]`` uint8, the 2,048 bits of RDKit's pattern fingerprint, the lowest bit first; zeros for a molecule that cannot be read."""

    def compute(batch: MoleculeBatch) -> np.ndarray:
        empty = bytes(_BITS // 8)
        texts = [empty if mol is None else DataStructs.BitVectToBinaryText(Chem.PatternFingerprint(mol, _BITS)) for mol in batch.full_mols]
        return np.frombuffer(b"".join(texts), dtype=np.uint8).reshape(len(texts), -1 if texts else _BITS // 8)

    return MoleculeBatch.of(molecules).compute(("pattern_bits",), compute)


def _bits_of(query: Chem.Mol) -> np.ndarray:
    return np.array(Chem.PatternFingerprint(query, _BITS).GetOnBits(), dtype=np.int64)


def _heavy_part(query: Chem.Mol) -> Chem.Mol:
    """The atoms of a pattern that name one element and not hydrogen: where the pattern matches a molecule with hydrogens as atoms, this matches the molecule without them."""
    part = Chem.RWMol(query)
    for atom in reversed(list(query.GetAtoms())):
        if atom.GetAtomicNum() <= 1:  # 0 where the query leaves the element open
            part.RemoveAtom(atom.GetIdx())
    return part


def passes_moses_filters(molecules: Sequence[str] | MoleculeBatch, patterns: PatternSet) -> np.ndarray:
    """``[n]`` bool, True where a molecule passes the filters of MOSES.

    No ring of 8 atoms or more, no charged atom, no element but H, C, N, O, F, S, Cl and Br, none of the patterns (medicinal-chemistry filters and PAINS) on the molecule with its
    hydrogens. False for a molecule that cannot be read.

    Source: Polykovskiy et al. 2020, 10.3389/fphar.2020.565644.
    """
    batch = MoleculeBatch.of(molecules)
    plain = np.array([mol is not None and _is_plain(mol) for mol in batch.full_mols], dtype=bool)
    return plain & ~patterns.any_match(batch, hydrogens=True)


def _is_plain(mol: Chem.Mol) -> bool:
    if any(len(ring) > _MOSES_LARGEST_RING for ring in mol.GetRingInfo().AtomRings()):
        return False
    return all(atom.GetFormalCharge() == 0 and atom.GetAtomicNum() in _MOSES_ATOMS for atom in mol.GetAtoms())
