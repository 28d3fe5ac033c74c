"""A molecule as plain Python lists, for editing by the thousand: elements, charges and bonds of its Kekulé form, hydrogens implied.

Edits touch lists alone and check the valence themselves, so that nearly every child is a molecule before RDKit sees it; RDKit then perceives rings and aromaticity once and writes
the canonical SMILES. Stereo marks and isotopes are not kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from rdkit import Chem, rdBase

ELEMENTS = {"B": 5, "C": 6, "N": 7, "O": 8, "F": 9, "P": 15, "S": 16, "Cl": 17, "Br": 35, "I": 53}
"""Elements that the genetic engine edits."""

# (atomic number, charge) → sums of bond orders up to which hydrogens fill; an atom with more bonds than one of them fills to the next
_VALENCES: dict[tuple[int, int], tuple[int, ...]] = {
    (5, 0): (3,), (6, 0): (4,), (7, 0): (3,), (8, 0): (2,), (9, 0): (1,), (15, 0): (3, 5), (16, 0): (2, 4, 6), (17, 0): (1,), (35, 0): (1,), (53, 0): (1,),
    (7, 1): (4,), (8, -1): (1,), (16, -1): (1,), (16, 1): (3,), (7, -1): (2,), (8, 1): (3,),
}  # fmt: skip
_ORDERS = {Chem.BondType.SINGLE: 1, Chem.BondType.DOUBLE: 2, Chem.BondType.TRIPLE: 3}
_TYPES = {order: kind for kind, order in _ORDERS.items()}
# what the canonical SMILES needs, without radicals, hybridization, conjugation and the clean-up of odd nitro groups; ADJUSTHS writes the hydrogen of pyrrole's [nH]
_FLAGS = Chem.SanitizeFlags
_OPERATIONS = _FLAGS.SANITIZE_PROPERTIES | _FLAGS.SANITIZE_SYMMRINGS | _FLAGS.SANITIZE_SETAROMATICITY | _FLAGS.SANITIZE_ADJUSTHS


def _atom(number: int, charge: int) -> Chem.Atom:
    made = Chem.Atom(number)
    made.SetFormalCharge(charge)
    return made


_ATOMS = {key: _atom(*key) for key in _VALENCES}


class MolGraph:
    """Atoms and bonds of one molecule.

    Attributes:
        atoms: V pairs of atomic number and formal charge.
        bonds: V maps from a neighbour to the order of the bond (1, 2 or 3); each bond stands at both of its ends.
    """

    __slots__ = ("_bridges", "atoms", "bonds")

    def __init__(self, atoms: list[tuple[int, int]], bonds: list[dict[int, int]]) -> None:
        self.atoms = atoms
        self.bonds = bonds
        self._bridges: list[tuple[int, int]] | None = None

    def __len__(self) -> int:
        return len(self.atoms)

    @classmethod
    def read(cls, smi: str) -> MolGraph | None:
        """The graph of a SMILES; None for one that cannot be read, has several parts, a radical, or an atom in a state that is not edited here."""
        with rdBase.BlockLogs():
            mol = Chem.MolFromSmiles(smi)
        if mol is None or not mol.GetNumAtoms() or "." in smi:
            return None
        Chem.Kekulize(mol, clearAromaticFlags=True)
        atoms = [(atom.GetAtomicNum(), atom.GetFormalCharge()) for atom in mol.GetAtoms()]
        bonds: list[dict[int, int]] = [{} for _ in atoms]
        for bond in mol.GetBonds():
            order = _ORDERS.get(bond.GetBondType())
            if order is None:
                return None
            begin, end = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            bonds[begin][end] = bonds[end][begin] = order
        graph = cls(atoms, bonds)
        known = all(fits(key, sum(around.values())) for key, around in zip(atoms, bonds, strict=True))
        return graph if known and not any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()) else None

    def copy(self) -> MolGraph:
        """A graph of its own that may be edited."""
        return MolGraph(self.atoms.copy(), [around.copy() for around in self.bonds])

    def free(self, atom: int) -> int:
        """Hydrogens of an atom: how many more bonds it can take without a change of its valence state."""
        return spare(self.atoms[atom], sum(self.bonds[atom].values()))

    def add_atom(self, key: tuple[int, int]) -> int:
        """Put an atom without bonds at the end; its index."""
        self.atoms.append(key)
        self.bonds.append({})
        return len(self.atoms) - 1

    def set_bond(self, a: int, b: int, order: int) -> None:
        """Bond two atoms, or remove their bond with order 0."""
        self._bridges = None
        if order:
            self.bonds[a][b] = self.bonds[b][a] = order
        else:
            self.bonds[a].pop(b, None)
            self.bonds[b].pop(a, None)

    def side(self, start: int, without: Sequence[tuple[int, int]]) -> list[int]:
        """Atoms that hang together with ``start`` when the bonds ``without`` are cut."""
        cut = {*without, *((b, a) for a, b in without)}
        found, seen = [start], {start}
        for atom in found:
            for other in self.bonds[atom]:
                if other not in seen and (atom, other) not in cut:
                    seen.add(other)
                    found.append(other)
        return found

    def part(self, chosen: Sequence[int]) -> tuple[MolGraph, dict[int, int]]:
        """The graph of some atoms and the map from old index to new."""
        place = {old: new for new, old in enumerate(chosen)}
        bonds = [{place[other]: order for other, order in self.bonds[old].items() if other in place} for old in chosen]
        return MolGraph([self.atoms[old] for old in chosen], bonds), place

    def bridges(self) -> list[tuple[int, int]]:
        """Bonds that are in no ring, found by one walk in depth (Tarjan); each once, as (parent, child) of the walk."""
        if self._bridges is None:
            self._bridges = _bridges(self.bonds)
        return self._bridges

    def to_mol(self) -> Chem.Mol | None:
        """RDKit's molecule with rings and aromaticity perceived; None where RDKit refuses it."""
        mol = Chem.RWMol()
        for key in self.atoms:
            mol.AddAtom(_ATOMS[key])
        for a, around in enumerate(self.bonds):
            for b, order in around.items():
                if a < b:
                    mol.AddBond(a, b, _TYPES[order])
        failed = Chem.SanitizeMol(mol, sanitizeOps=_OPERATIONS, catchErrors=True)
        return None if failed else mol


def spare(key: tuple[int, int], total: int) -> int:
    """Hydrogens that fill an atom with bond orders adding up to ``total``; -1 where no valence holds them."""
    for valence in _VALENCES.get(key, ()):
        if valence >= total:
            return valence - total
    return -1


def fits(key: tuple[int, int], total: int) -> bool:
    """Whether an atom may have bond orders adding up to ``total``. Sulfur and phosphorus above their lowest valence must be full: no S–H of valence 4 or 6."""
    left = spare(key, total)
    return left == 0 or (left > 0 and total <= _VALENCES[key][0])


def _bridges(bonds: list[dict[int, int]]) -> list[tuple[int, int]]:
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    found: list[tuple[int, int]] = []
    for root in range(len(bonds)):
        if root in order:
            continue
        order[root] = low[root] = len(order)
        stack = [(root, -1, iter(bonds[root]))]
        while stack:
            atom, parent, rest = stack[-1]
            for other in rest:
                if other == parent:
                    continue
                if other in order:
                    low[atom] = min(low[atom], order[other])
                else:
                    order[other] = low[other] = len(order)
                    stack.append((other, atom, iter(bonds[other])))
                    break
            else:
                stack.pop()
                if parent >= 0:
                    low[parent] = min(low[parent], low[atom])
                    if low[atom] > order[parent]:
                        found.append((parent, atom))
    return found
