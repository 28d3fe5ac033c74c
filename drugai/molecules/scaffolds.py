"""Bemis-Murcko scaffolds: the rings of a molecule and the chains between them."""

from __future__ import annotations

from collections.abc import Sequence

from rdkit import Chem

from drugai.molecules.batch import MoleculeBatch


def murcko_scaffolds(molecules: Sequence[str] | MoleculeBatch, generic: bool = False, chirality: bool = False) -> list[str]:
    """Canonical SMILES of the scaffolds of n molecules.

    Args:
        molecules: n SMILES or a batch.
        generic: Every atom a carbon and every bond single, so that only the topology is left.
        chirality: Keep stereo marks. Without them two enantiomers share a scaffold, which a scaffold split needs.

    Returns:
        n strings, ``""`` for a molecule without rings and for one that cannot be read. They do not depend on how the SMILES was written.

    Source: Bemis and Murcko 1996, 10.1021/jm9602928.

    Example:
        >>> murcko_scaffolds(["CC(=O)Oc1ccccc1C(=O)O", "CCO"])  # aspirin, ethanol
        ['c1ccccc1', '']
    """
    batch = MoleculeBatch.of(molecules)
    found = batch.compute(("scaffolds", generic, chirality), lambda b: tuple(_scaffold(mol, generic, chirality) for mol in b.full_mols))
    return list(found)


def _scaffold(mol: Chem.Mol | None, generic: bool, chirality: bool) -> str:
    if mol is None or not mol.GetRingInfo().NumRings():
        return ""
    from rdkit.Chem.Scaffolds import MurckoScaffold  # it brings all of rdkit.Chem.AllChem: 30 ms of every start

    scaffold = MurckoScaffold.GetScaffoldForMol(mol)
    if generic:
        scaffold = MurckoScaffold.MakeScaffoldGeneric(scaffold)
        # =O and =N left on the scaffold have become C: a second cut makes the topology independent of them
        scaffold = MurckoScaffold.GetScaffoldForMol(scaffold)
    smi: str = Chem.MolToSmiles(scaffold, isomericSmiles=chirality)
    return smi
