"""Molecular graphs with integer-coded atoms and bonds, taken from whole-molecule RDKit calls and look-up tables.

RDKit's connectivity invariant of an atom is a hash of element, degree, hydrogens, charge, isotope and ring membership. Atoms with the same hash have the same
codes, so each distinct hash is looked at once in a process, and a molecule costs two C++ calls instead of a Python loop over its atoms. Aromaticity follows
from the bond orders; chirality and double-bond stereo are asked only of molecules whose SMILES carries ``@``, ``/`` or ``\\``.

Hybridization and conjugation are functions of the neighbourhood that two message-passing steps see, and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors, rdqueries

from drugai.errors import E_FEATURIZE, reason
from drugai.molecules import MoleculeBatch

if TYPE_CHECKING:
    from torch_geometric.data import Data

# name → number of codes; the order is that of the columns
ATOM_COLUMNS: dict[str, int] = {"element": 119, "degree": 8, "charge": 9, "hydrogens": 6, "ring": 2, "aromatic": 2, "chirality": 3}
BOND_COLUMNS: dict[str, int] = {"order": 5, "stereo": 3}
BOND_CODES = BOND_COLUMNS["order"] * BOND_COLUMNS["stereo"]

_AROMATIC, _CHIRALITY = 5, 6
_ORDER_CODES = {1.0: 0, 2.0: 1, 3.0: 2, 1.5: 3}
_HAS_CIP = rdqueries.HasPropQueryAtom("_CIPCode")
_STEREO_BONDS = {Chem.BondStereo.STEREOE: 1, Chem.BondStereo.STEREOTRANS: 1, Chem.BondStereo.STEREOZ: 2, Chem.BondStereo.STEREOCIS: 2}
# connectivity invariant → codes of the columns element … ring. A cache of a pure function, filled as atoms are met.
_ATOM_CODES: dict[int, tuple[int, ...]] = {}


@dataclass(frozen=True, eq=False)
class MolecularGraphs:
    """n molecular graphs in flat arrays; a molecule that could not be used has no atoms and a reason.

    Attributes:
        atoms: ``[V, 7]`` uint8 codes, columns as in ``ATOM_COLUMNS``.
        ends: ``[M, 2]`` int32 atoms of each bond, counted within the molecule, first < second.
        bonds: ``[M]`` uint8 code ``order * 3 + stereo``.
        n_atoms, n_bonds: ``[n]`` int32.
        reasons: n reasons.
    """

    atoms: np.ndarray
    ends: np.ndarray
    bonds: np.ndarray
    n_atoms: np.ndarray
    n_bonds: np.ndarray
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.n_atoms)

    @property
    def valid(self) -> np.ndarray:
        """``[n]`` True where there is a graph."""
        return np.array([not text for text in self.reasons], dtype=bool)

    def take(self, rows: Sequence[int] | np.ndarray) -> MolecularGraphs:
        """The graphs at ``rows``, in that order."""
        index = np.asarray(rows, dtype=np.int64)
        atoms = _ragged(self.n_atoms, index)
        bonds = _ragged(self.n_bonds, index)
        return MolecularGraphs(
            self.atoms[atoms], self.ends[bonds], self.bonds[bonds], self.n_atoms[index], self.n_bonds[index], tuple(self.reasons[row] for row in index)
        )

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return int(sum(part.nbytes for part in (self.atoms, self.ends, self.bonds, self.n_atoms, self.n_bonds)))


@dataclass(frozen=True, eq=False)
class GraphBatch:
    """B graphs as one disconnected graph with directed edges; edges 2k and 2k + 1 are the two directions of bond k.

    Attributes:
        atoms: ``[V, 7]`` uint8.
        source, target: ``[E]`` int64 atoms of each directed edge, counted within the batch.
        bonds: ``[E]`` uint8.
        molecule: ``[V]`` int64 molecule of each atom.
        size: B, graphs without atoms counted.
    """

    atoms: np.ndarray
    source: np.ndarray
    target: np.ndarray
    bonds: np.ndarray
    molecule: np.ndarray
    size: int


def featurize_graphs(molecules: Sequence[str] | MoleculeBatch) -> MolecularGraphs:
    """Graphs of n molecules, in their order.

    Args:
        molecules: n SMILES, or a MoleculeBatch (parsed once; ``trusted=True`` skips RDKit's sanitization).

    Returns:
        n graphs; those of unreadable molecules are empty and carry the batch's reason, and a molecule without atoms is E_FEATURIZE.
    """
    batch = molecules if isinstance(molecules, MoleculeBatch) else MoleculeBatch(molecules, transient=True)
    graphs: MolecularGraphs = batch.compute("graphs", _featurize)
    return graphs


def collate(graphs: MolecularGraphs) -> GraphBatch:
    """One disconnected graph of all of ``graphs``."""
    molecule = np.repeat(np.arange(len(graphs)), graphs.n_atoms)
    first_atom = np.concatenate([[0], np.cumsum(graphs.n_atoms[:-1], dtype=np.int64)]) if len(graphs) else np.zeros(0, np.int64)
    ends = graphs.ends.astype(np.int64) + np.repeat(first_atom, graphs.n_bonds)[:, None]  # [M, 2]
    return GraphBatch(
        atoms=graphs.atoms,
        source=ends.reshape(-1),
        target=ends[:, ::-1].reshape(-1),
        bonds=np.repeat(graphs.bonds, 2),
        molecule=molecule,
        size=len(graphs),
    )


def concatenate(parts: Sequence[MolecularGraphs]) -> MolecularGraphs:
    """Several sets of graphs as one, in their order."""
    return MolecularGraphs(
        np.concatenate([part.atoms for part in parts]),
        np.concatenate([part.ends for part in parts]),
        np.concatenate([part.bonds for part in parts]),
        np.concatenate([part.n_atoms for part in parts]),
        np.concatenate([part.n_bonds for part in parts]),
        tuple(text for part in parts for text in part.reasons),
    )


def to_pyg(graphs: MolecularGraphs) -> list[Data]:
    """torch-geometric ``Data`` objects: ``x`` ``[V, 7]`` and ``edge_attr`` ``[E, 2]`` long, ``edge_index`` ``[2, E]``. A graph without atoms is a Data without nodes."""
    import torch
    from torch_geometric.data import Data

    found = []
    for row in range(len(graphs)):
        one = collate(graphs.take([row]))
        codes = np.stack([one.bonds // BOND_COLUMNS["stereo"], one.bonds % BOND_COLUMNS["stereo"]], axis=1)
        found.append(
            Data(
                x=torch.from_numpy(one.atoms.astype(np.int64)),
                edge_index=torch.from_numpy(np.stack([one.source, one.target])),
                edge_attr=torch.from_numpy(codes.astype(np.int64)),
            )
        )
    return found


def _featurize(batch: MoleculeBatch) -> MolecularGraphs:
    if batch.transient and not batch.is_parsed and len(batch):
        return _assemble(_joined([_collect(piece) for piece in batch.pieces()]))
    return _assemble(_collect(batch))


@dataclass
class _Raw:
    """What RDKit gave, before it is put into arrays; rows of ``chiral`` and ``stereo`` are counted within the batch."""

    n_atoms: np.ndarray
    n_positions: np.ndarray
    invariants: list[int]
    places: list[np.ndarray]
    orders: list[np.ndarray]
    chiral: list[tuple[int, int, int]]
    stereo: list[tuple[int, int, int, int]]
    reasons: list[str]


def _joined(parts: Sequence[_Raw]) -> _Raw:
    whole = _Raw(np.concatenate([part.n_atoms for part in parts]), np.concatenate([part.n_positions for part in parts]), [], [], [], [], [], [])
    for part in parts:
        first = len(whole.reasons)
        whole.invariants += part.invariants
        whole.places += part.places
        whole.orders += part.orders
        whole.chiral += [(first + row, atom, code) for row, atom, code in part.chiral]
        whole.stereo += [(first + row, begin, end, code) for row, begin, end, code in part.stereo]
        whole.reasons += part.reasons
    return whole


def _collect(batch: MoleculeBatch) -> _Raw:
    invariants: list[int] = []
    places: list[np.ndarray] = []
    orders: list[np.ndarray] = []
    n_atoms = np.zeros(len(batch), dtype=np.int32)
    n_positions = np.zeros(len(batch), dtype=np.int64)
    reasons = list(batch.reasons)
    chiral: list[tuple[int, int, int]] = []
    stereo: list[tuple[int, int, int, int]] = []
    known = _ATOM_CODES
    for row, (smi, mol) in enumerate(zip(batch.smiles, batch.mols, strict=True)):
        if mol is None:
            continue
        found = rdMolDescriptors.GetConnectivityInvariants(mol)
        if not found:
            reasons[row] = reasons[row] or reason(E_FEATURIZE, "the molecule has no atoms")
            continue
        n_atoms[row] = len(found)
        for value in set(found).difference(known):
            known[value] = _atom_codes(mol.GetAtomWithIdx(found.index(value)))
        invariants.extend(found)
        matrix = Chem.GetAdjacencyMatrix(mol, useBO=True).ravel()
        place = matrix.nonzero()[0]
        places.append(place)
        orders.append(matrix[place])
        n_positions[row] = len(place)
        with_stereo = "@" in smi or "/" in smi or "\\" in smi
        if not with_stereo:
            continue
        if batch.trusted:
            # the quick parse perceives no stereo: such a molecule is read again in full (the order of its atoms is that of the string)
            mol = Chem.MolFromSmiles(smi)
            if mol is None:
                continue
        if "@" in smi:
            chiral.extend((row, atom.GetIdx(), 1 if atom.GetProp("_CIPCode") in ("R", "r") else 2) for atom in mol.GetAtomsMatchingQuery(_HAS_CIP))
        if "/" in smi or "\\" in smi:
            for bond in mol.GetBonds():
                code = _STEREO_BONDS.get(bond.GetStereo(), 0)
                if code:
                    first, second = sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))
                    stereo.append((row, first, second, code))
    return _Raw(n_atoms, n_positions, invariants, places, orders, chiral, stereo, reasons)


def _assemble(raw: _Raw) -> MolecularGraphs:
    n_atoms, n_positions, invariants, places, orders = raw.n_atoms, raw.n_positions, raw.invariants, raw.places, raw.orders
    chiral, stereo, reasons = raw.chiral, raw.stereo, tuple(raw.reasons)
    atoms = np.zeros((len(invariants), len(ATOM_COLUMNS)), dtype=np.uint8)
    if not invariants:
        return MolecularGraphs(atoms, np.zeros((0, 2), np.int32), np.zeros(0, np.uint8), n_atoms, np.zeros(len(n_atoms), np.int32), reasons)
    distinct, which = np.unique(np.array(invariants, dtype=np.int64), return_inverse=True)
    atoms[:, :_AROMATIC] = np.array([_ATOM_CODES[int(value)] for value in distinct], dtype=np.uint8)[which]
    first_atom = np.zeros(len(n_atoms), dtype=np.int64)
    np.cumsum(n_atoms[:-1], out=first_atom[1:])
    place, order = np.concatenate(places), np.concatenate(orders)
    row = np.repeat(np.arange(len(n_atoms)), n_positions)
    width = n_atoms[row].astype(np.int64)
    first, second = place // width, place % width
    kept = first < second  # the matrix is symmetric: each bond stands in it twice
    row, first, second, order = row[kept], first[kept], second[kept], order[kept]
    codes = np.full(len(order), BOND_COLUMNS["order"] - 1, dtype=np.uint8)
    for value, code in _ORDER_CODES.items():
        codes[order == value] = code
    aromatic = codes == _ORDER_CODES[1.5]
    offset = first_atom[row]
    atoms[(first + offset)[aromatic], _AROMATIC] = 1
    atoms[(second + offset)[aromatic], _AROMATIC] = 1
    for molecule, atom, code in chiral:
        atoms[first_atom[molecule] + atom, _CHIRALITY] = code
    codes *= BOND_COLUMNS["stereo"]
    n_bonds = np.bincount(row, minlength=len(n_atoms)).astype(np.int32)
    ends = np.stack([first, second], axis=1).astype(np.int32)
    if stereo:
        first_bond = np.concatenate([[0], np.cumsum(n_bonds)])
        for molecule, begin, end, code in stereo:
            span = slice(first_bond[molecule], first_bond[molecule + 1])
            hit = (ends[span, 0] == begin) & (ends[span, 1] == end)
            codes[span][hit] += code
    return MolecularGraphs(atoms, ends, codes, n_atoms, n_bonds, reasons)


def _atom_codes(atom: Chem.Atom) -> tuple[int, ...]:
    hydrogens = atom.GetTotalNumHs(includeNeighbors=True)
    return (
        min(atom.GetAtomicNum(), 118),
        min(max(atom.GetTotalDegree() - hydrogens, 0), 7),
        min(max(atom.GetFormalCharge(), -4), 4) + 4,
        min(hydrogens, 5),
        int(atom.IsInRing()),
    )


def _ragged(counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Positions in the flat array of the entries of ``rows``, row after row."""
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])[:-1][rows]
    lengths = counts[rows].astype(np.int64)
    ends = np.cumsum(lengths)
    return np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)
