"""What a set of molecules is made of: BRICS fragments, scaffolds and ring systems, counted.

The counters are those whose cosines are the Frag and Scaf metrics of MOSES (Polykovskiy et al. 2020, 10.3389/fphar.2020.565644). Duplicates of a molecule count each
time; a molecule that cannot be read counts nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rdkit import Chem

from drugai.molecules.batch import MoleculeBatch

Molecules = Sequence[str] | MoleculeBatch


def brics_fragments(molecules: Molecules) -> list[tuple[str, ...]]:
    """Fragments of n molecules cut at their BRICS bonds, with numbered dummy atoms at the cuts; ``()`` where unreadable.

    Source: Degen et al. 2008, 10.1002/cmdc.200800178.

    Example:
        >>> brics_fragments(["CC(=O)Nc1ccccc1"])  # acetanilide: acyl, NH, phenyl
        [('[1*]C(C)=O', '[16*]c1ccccc1', '[5*]N[5*]')]
    """
    batch = MoleculeBatch.of(molecules)
    found = batch.compute("brics_fragments", lambda b: [_brics(mol) for mol in b.full_mols])
    return list(found)


def count_brics_fragments(molecules: Molecules) -> Counter[str]:
    """How often each BRICS fragment occurs in a set (MOSES Frag)."""
    return _count(brics_fragments(molecules))


def count_scaffolds(molecules: Molecules, min_rings: int = 2) -> Counter[str]:
    """How often each Bemis-Murcko scaffold of at least ``min_rings`` rings occurs in a set (MOSES Scaf); stereo marks stay, as in MOSES."""
    batch = MoleculeBatch.of(molecules)
    found = batch.compute(("ringed_scaffolds", min_rings), lambda b: [_ringed_scaffold(mol, min_rings) for mol in b.full_mols])
    return Counter(smi for smi in found if smi)


def ring_systems(molecules: Molecules) -> list[tuple[str, ...]]:
    """Ring systems (rings that share a bond count as one) of n molecules as SMILES, in atom order; ``()`` where there are none.

    Example:
        >>> ring_systems(["c1ccc2ccccc2c1C1CC1"])  # 1-cyclopropylnaphthalene
        [('C1CC1', 'c1ccc2ccccc2c1')]
    """
    batch = MoleculeBatch.of(molecules)
    found = batch.compute("ring_systems", lambda b: [_ring_systems(mol) for mol in b.full_mols])
    return list(found)


def count_ring_systems(molecules: Molecules) -> Counter[str]:
    """How often each ring system occurs in a set."""
    return _count(ring_systems(molecules))


def _count(rows: Iterable[Iterable[str]]) -> Counter[str]:
    return Counter(part for row in rows for part in row)


def _brics(mol: Chem.Mol | None) -> tuple[str, ...]:
    if mol is None:
        return ()
    return tuple(Chem.MolToSmiles(Chem.FragmentOnBRICSBonds(mol)).split("."))


def _ringed_scaffold(mol: Chem.Mol | None, min_rings: int) -> str:
    # cutting side chains off leaves every ring, so the molecule's rings are the scaffold's
    if mol is None or mol.GetRingInfo().NumRings() < max(1, min_rings):
        return ""
    from rdkit.Chem.Scaffolds import MurckoScaffold  # it brings all of rdkit.Chem.AllChem: 30 ms of every start

    smi: str = Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(mol))
    return smi


def _ring_systems(mol: Chem.Mol | None) -> tuple[str, ...]:
    if mol is None:
        return ()
    systems: list[set[int]] = []
    for ring in mol.GetRingInfo().AtomRings():
        merged = set(ring)
        apart = []
        for system in systems:
            if len(merged & system) > 1:  # two atoms in common: a bond, hence fused or bridged; one is a spiro centre
                merged |= system
            else:
                apart.append(system)
        systems = [*apart, merged]
    return tuple(sorted(Chem.MolFragmentToSmiles(mol, sorted(system), isomericSmiles=False) for system in systems))
