"""Connectivity and shape indices of a molecule from its adjacency matrix: sums over all paths of two, three and four bonds in a dozen matrix products.

RDKit lists the paths anew for each index; the sums over them follow from products of the matrix, at a third of the cost for a drug-like molecule. The values are RDKit's.

Source: Kier and Hall, Molecular Connectivity in Structure-Activity Analysis, 1986; kappa: Kier, Quant. Struct.-Act. Relat. 1985, 4, 109 (10.1002/qsar.19850040303).
"""

from __future__ import annotations

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors as rd

CONNECTIVITY = (*(f"Chi{order}{kind}" for kind in "vn" for order in range(5)), "Kappa1", "Kappa2", "Kappa3", "Phi")

_TABLE = Chem.GetPeriodicTable()
OUTER = np.array([_TABLE.GetNOuterElecs(z) for z in range(119)], dtype=np.float64)
"""Valence electrons of each element."""
_CORE = np.maximum(np.arange(119) - OUTER - 1.0, 1.0)
_CORE[:11] = 1.0  # up to neon the electrons of the core do not count


def connectivity(mol: Chem.Mol) -> list[float]:
    """Chi0v … Chi4v, Chi0n … Chi4n, Kappa1 … Kappa3 and Phi."""
    z, hydrogens = np.array([(atom.GetAtomicNum(), atom.GetTotalNumHs()) for atom in mol.GetAtoms()]).T
    bonds = Chem.GetAdjacencyMatrix(mol).astype(np.float64)
    simple = OUTER[z] - hydrogens
    simple[simple < 0] += 2.0**32  # as RDKit's unsigned numbers have it: next to nothing
    w = np.stack([simple / _CORE[z], simple])  # [2, n]
    w[w == 0] = np.inf
    w **= -0.5
    explicit = z == 1
    if explicit.any():  # hydrogens that are atoms weigh nothing in Chi0v and Chi1v, and lie on no path
        w[0, explicit] = 0.0
        low = [w.sum(axis=1), 0.5 * (w * (w @ bonds)).sum(axis=1)]
        heavy = ~explicit
        z, w, bonds = z[heavy], w[:, heavy], bonds[heavy][:, heavy]
    else:
        low = [w.sum(axis=1), 0.5 * (w * (w @ bonds)).sum(axis=1)]
    chi = np.stack([*low, *_paths(w, bonds)])
    return [*chi[:, 0].tolist(), *chi[:, 1].tolist(), *_shape(mol, bonds)]


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
    """Kappa1, Kappa2, Kappa3 and the flexibility Phi from the numbers of paths of one, two and three bonds."""
    others = bonds.sum(axis=0) - 1.0
    two = bonds @ bonds
    paths = (
        float(mol.GetNumBonds()),
        0.5 * float((others + 1.0) @ others),
        0.5 * float(others @ bonds @ others) - float((bonds * two).sum()) / 3.0,  # a ring of three is one path, not three
    )
    heavy = mol.GetNumHeavyAtoms()
    if not heavy:
        return [rd.CalcKappa1(mol), 0.0, 0.0, 0.0]
    alpha = rd.CalcHallKierAlpha(mol)
    size = heavy + alpha
    above = (size * (size - 1) ** 2, (size - 1) * (size - 2) ** 2, (size - (1 if heavy % 2 else 2)) * (size - 3) ** 2)
    kappas = [factor / below if (below := (number + alpha) ** 2) else 0.0 for number, factor in zip(paths, above, strict=True)]
    return [*kappas, kappas[0] * kappas[1] / heavy]
