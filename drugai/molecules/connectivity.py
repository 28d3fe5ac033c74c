"""Connectivity and shape indices of higher order from a molecule's adjacency matrix: sums over all paths of two, three and four bonds in a dozen matrix products.

RDKit lists the paths anew for each index; the sums over them follow from products of the matrix, at a third of the cost for a drug-like molecule. The values are RDKit's.

Source: Kier and Hall, Molecular Connectivity in Structure-Activity Analysis, 1986; kappa: Kier, Quant. Struct.-Act. Relat. 1985, 4, 109 (10.1002/qsar.19850040303).
"""

from __future__ import annotations

import functools

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors as rd

CONNECTIVITY = ("Chi2v", "Chi3v", "Chi4v", "Chi2n", "Chi3n", "Chi4n", "Kappa2", "Kappa3", "Phi")

_TABLE = Chem.GetPeriodicTable()
OUTER = np.array([_TABLE.GetNOuterElecs(z) for z in range(119)], dtype=np.float64)
"""Valence electrons of each element."""
_CORE = np.maximum(np.arange(119) - OUTER - 1.0, 1.0)
_CORE[:11] = 1.0  # up to neon the electrons of the core do not count


@functools.lru_cache(maxsize=8)
def atoms_of(mol: Chem.Mol) -> tuple[Chem.Atom, ...]:
    """A molecule's atoms, for those who look at them one after the other: ``mol.GetAtoms()`` takes twice as long, and most of a loop's time."""
    return tuple(map(mol.GetAtomWithIdx, range(mol.GetNumAtoms())))


def connectivity(mol: Chem.Mol) -> list[float]:
    """Chi2v, Chi3v, Chi4v, Chi2n, Chi3n, Chi4n, Kappa2, Kappa3 and Phi."""
    numbers = np.array([(atom.GetAtomicNum(), atom.GetTotalNumHs()) for atom in atoms_of(mol)], dtype=np.int64)
    heavy = numbers[:, 0] != 1  # hydrogens that are atoms lie on no path
    z, hydrogens = numbers[heavy].T
    bonds = Chem.GetAdjacencyMatrix(mol)[np.ix_(heavy, heavy)].astype(np.float64)
    simple = OUTER[z] - hydrogens
    simple[simple < 0] += 2.0**32  # as RDKit's unsigned numbers have it: next to nothing
    w = np.stack([simple / _CORE[z], simple])  # [2, n]
    w[w == 0] = np.inf
    w **= -0.5
    second, third, fourth = _paths(w, bonds)
    return [second[0], third[0], fourth[0], second[1], third[1], fourth[1], *_shape(mol, bonds)]


def _paths(w: np.ndarray, bonds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``[2]`` each: the sums over paths of two, three and four bonds of the product of the atoms' weights ``[2, n]``; a ring of as many bonds is one path."""
    square = w * w
    spread = bonds * w[:, None, :]
    near = w @ bonds  # [2, n] the neighbours' sum
    one = spread @ bonds  # [2, n, n] Σ w_k over the atoms k between two atoms
    two = bonds * square[:, None, :] @ bonds
    three = bonds * (square * w)[:, None, :] @ bonds
    beyond = near[:, :, None] - spread  # the neighbours of an atom beside another
    flipped = beyond.transpose(0, 2, 1)
    ends = beyond * flipped - two  # both ends of a path, which are not the same atom
    # paths through an atom between (its two neighbours are the rows and columns), and rings of four
    through = ends * one - (beyond + flipped) * two + 2.0 * three + 0.25 * (one * one - two)
    through[:, range(n := len(bonds)), range(n)] = 0.0
    across, row, column = bonds * ends, w[:, None, :], w[:, :, None]
    third = 0.5 * (row @ across @ column)[:, 0, 0]
    fourth = 0.5 * (row @ through @ column)[:, 0, 0]
    rings = bonds * one  # six times each ring of three
    if rings.any():
        third += (row @ rings @ column)[:, 0, 0] / 6.0
        # RDKit takes a ring of three with a tail for a path of four bonds, and the atom that both have twice
        tails = bonds * (square * near)[:, None, :] @ bonds - (row + column) * two
        fourth += 0.5 * (row @ (bonds * tails) @ column)[:, 0, 0]
    return 0.5 * (w * (near * near - square @ bonds)).sum(axis=1), third, fourth


def _shape(mol: Chem.Mol, bonds: np.ndarray) -> list[float]:
    """Kappa2, Kappa3 and the flexibility Phi from the numbers of paths of two and three bonds."""
    heavy = mol.GetNumHeavyAtoms()
    if not heavy:
        return [0.0, 0.0, 0.0]
    others = bonds.sum(axis=0) - 1.0
    two = 0.5 * float((others + 1.0) @ others)
    three = 0.5 * float(others @ bonds @ others) - float((bonds * (bonds @ bonds)).sum()) / 3.0  # a ring of three is one path, not three
    alpha = rd.CalcHallKierAlpha(mol)
    size = heavy + alpha
    second = (size - 1) * (size - 2) ** 2 / below if (below := (two + alpha) ** 2) else 0.0
    third = (size - (1 if heavy % 2 else 2)) * (size - 3) ** 2 / below if (below := (three + alpha) ** 2) else 0.0
    return [second, third, rd.CalcKappa1(mol) * second / heavy]
