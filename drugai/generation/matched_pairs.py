"""Matched pairs: what was exchanged between a molecule and another that is the same elsewhere.

Both are cut at one or two chain bonds; where the parts that stay are equal, the others are the exchange. A hydrogen counts as a part, so that adding a group is one too.

Source: Hussain and Rea, J. Chem. Inf. Model. 2010, 50, 339, 10.1021/ci900450m.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rdkit import Chem, rdBase
from rdkit.Chem import rdMMPA

from drugai.errors import ConfigError
from drugai.molecules import MoleculeBatch

HYDROGEN = "[*:1][H]"
_ANY_CHAIN_BOND = "[!#1]!@;-[!#1]"
_MOST_BONDS = 40


@dataclass(frozen=True)
class Exchange:
    """What differs between two molecules.

    Attributes:
        before, after: The parts, with attachment points.
        constant: The rest, which is the same.
        atoms: Heavy atoms of the rest.
    """

    before: str
    after: str
    constant: str
    atoms: int

    def __str__(self) -> str:
        return f"{self.before}>>{self.after}"


def matched_pairs(reference: str, molecules: Sequence[str] | MoleculeBatch, *, least: float = 0.5) -> list[Exchange | None]:
    """The smallest exchange that leads from a reference to each of n molecules.

    Args:
        reference: SMILES.
        molecules: n molecules.
        least: Share of the reference's heavy atoms that must stay.

    Returns:
        n exchanges; None where the molecule is unreadable, the reference itself, or differs at more than one place.

    Raises:
        ConfigError: The reference cannot be read.

    Example:
        >>> [str(found) for found in matched_pairs("Cc1ccccc1", ["Clc1ccccc1", "CCc1ccccc1"])]  # toluene, chlorobenzene, ethylbenzene
        ['C[*:1]>>Cl[*:1]', '[*:1][H]>>C[*:1]']
    """
    batch = MoleculeBatch.of(molecules)
    first = MoleculeBatch([reference])
    if first.reasons[0]:
        raise ConfigError(f"the reference {reference!r} cannot be read ({first.reasons[0]})")
    lead = first.mols[0]
    assert lead is not None
    known = dict(_cuts(lead))
    fewest = least * lead.GetNumHeavyAtoms()
    found: list[Exchange | None] = []
    for mol, smi in zip(batch.mols, batch.canonical, strict=True):
        best: Exchange | None = None
        if mol is not None and smi != first.canonical[0]:
            for constant, after in _cuts(mol):
                before = known.get(constant)
                atoms = _heavy_atoms(constant) if before is not None and before != after else 0
                if before is not None and atoms >= fewest and (best is None or atoms > best.atoms):
                    best = Exchange(before, after, constant, atoms)
        found.append(best)
    return found


def _cuts(mol: Chem.Mol) -> Iterator[tuple[str, str]]:
    """(what stays, what goes) of every cut at one or two chain bonds; and of every hydrogen."""
    with rdBase.BlockLogs():
        pieces = rdMMPA.FragmentMol(mol, maxCuts=2, maxCutBonds=_MOST_BONDS, pattern=_ANY_CHAIN_BOND, resultsAsMols=False)
        for core, chains in pieces:
            if core:
                yield chains, core
                continue
            one, other = chains.split(".")
            yield one, other
            yield other, one
        for atom in mol.GetAtoms():
            if atom.GetTotalNumHs():
                constant = _with_point(mol, atom.GetIdx())
                yield constant, HYDROGEN


def _with_point(mol: Chem.Mol, place: int) -> str:
    """The molecule with a point in place of a hydrogen of one atom."""
    edited = Chem.RWMol(mol)
    atom = edited.GetAtomWithIdx(place)
    if atom.GetNumExplicitHs():
        atom.SetNumExplicitHs(atom.GetNumExplicitHs() - 1)
    point = Chem.Atom(0)
    point.SetAtomMapNum(1)
    edited.AddBond(place, edited.AddAtom(point), Chem.BondType.SINGLE)
    return str(Chem.MolToSmiles(edited))


def _heavy_atoms(smi: str) -> int:
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smi)
    return 0 if mol is None else sum(atom.GetAtomicNum() > 1 for atom in mol.GetAtoms())
