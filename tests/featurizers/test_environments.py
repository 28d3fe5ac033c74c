"""Graphs folded to their distinct environments: what is alike shares a row, what is not does not."""

from itertools import pairwise

import numpy as np
import pytest
from rdkit import Chem

from drugai.featurizers.environments import ROUND, atom_environments, bond_environments
from drugai.featurizers.graphs import collate, featurize_graphs
from drugai.molecules import MoleculeBatch

MOLECULES = ["CCCCCCCCCC", "c1ccccc1", "c1ccc2ccccc2c1", "CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "F/C=C/F", "F/C=C\\F", "[NH4+]", "CN1C=NC2=C1C(=O)N(C)C(=O)N2C"]
MORE = ["CC(C)Cc1ccc(cc1)C(C)C(=O)O", "O=C(O)c1ccccc1O", "c1ccncc1", "C1CCCCC1", "CCO", "C#N"]


def refined(batch, depth):
    """Plain refinement in Python: nested tuples in place of hashes."""
    names = [tuple(row) for row in batch.atoms.tolist()]
    for _ in range(depth):
        into = [[] for _ in names]
        for source, target, bond in zip(batch.source, batch.target, batch.bonds, strict=True):
            into[target].append((int(bond), names[source]))
        names = [(name, tuple(sorted(found))) for name, found in zip(names, into, strict=True)]
    return names


@pytest.mark.parametrize("depth", [0, 1, 2, 4])
def test_atoms_share_a_row_exactly_when_their_surroundings_are_alike(depth):
    batch = collate(featurize_graphs(MOLECULES + MORE))
    found = atom_environments(batch, depth)
    names = refined(batch, depth)
    pairs = set(zip(found.which.tolist(), names, strict=True))
    assert len(pairs) == len(set(names)) == len(set(found.which.tolist()))
    assert len(found.steps) == depth


def test_rows_shrink_as_they_should():
    # decane: a chain's atoms are told apart by how far they are from its end
    batch = collate(featurize_graphs(["CCCCCCCCCC"]))
    assert [len(set(atom_environments(batch, depth).which.tolist())) for depth in range(6)] == [2, 3, 4, 5, 5, 5]
    benzene = atom_environments(collate(featurize_graphs(["c1ccccc1"])), 3)
    assert set(benzene.which.tolist()) == {0}


def test_a_step_lists_each_rows_neighbours():
    batch = collate(featurize_graphs(["CC(=O)O"]))  # acetic acid: the second carbon has three neighbours
    step = atom_environments(batch, 1).steps[0]
    counts = np.diff(step.starts)
    assert sorted(counts[:4].tolist()) == [1, 1, 1, 3]
    assert counts[4:].sum() == 0
    assert len(step.own) % ROUND == 0
    assert len(step.source) == len(step.bonds) == step.starts[-1] == 6


def test_bonds_never_flow_straight_back():
    batch = collate(featurize_graphs(["CCO"]))  # 4 directed bonds; only C→C has one behind it … and C→O, O→C, C←C likewise
    found = bond_environments(batch, 2)
    assert len(found.pairs) == 3  # CH3→, CH2→ (both ways alike), O→
    first, last = found.steps
    assert first.starts[-1] == 2  # C→C→O and O→C→C; the two outward bonds at the ends have nothing behind them
    assert last.starts[-1] == 4
    assert len(set(found.which.tolist())) == 3


@pytest.mark.parametrize("fold", [atom_environments, bond_environments])
def test_the_rows_do_not_depend_on_how_a_smiles_is_written_or_on_the_molecules_beside_it(fold):
    generator = np.random.default_rng(0)
    written = []
    for smi in MOLECULES:
        mol = Chem.MolFromSmiles(smi)
        written.append(Chem.MolToSmiles(Chem.RenumberAtoms(mol, generator.permutation(mol.GetNumAtoms()).tolist()), canonical=False))
    both = fold(collate(featurize_graphs(MOLECULES + written)), 3)
    half = len(MOLECULES)
    ends = np.append(both.first, len(both.which))
    rows = [sorted(both.which[begin:end].tolist()) for begin, end in pairwise(ends)]
    assert rows[:half] == rows[half:]
    alone = fold(collate(featurize_graphs(MoleculeBatch(MOLECULES))), 3)
    assert len(set(alone.which.tolist())) == len(set(both.which.tolist()))


def test_molecules_without_bonds():
    for fold in (atom_environments, bond_environments):
        found = fold(collate(featurize_graphs(["C", "[Na+].[Cl-]"])), 3)
        assert len(found.which) == 3
        assert found.first.tolist() == [0, 1]
        assert all(step.starts[-1] == 0 for step in found.steps)
