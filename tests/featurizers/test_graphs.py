import numpy as np
import pytest
from rdkit import Chem

from drugai.featurizers.graphs import ATOM_COLUMNS, collate, concatenate, featurize_graphs, to_pyg
from drugai.molecules import MoleculeBatch

MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O",  # aspirin
    "C[C@H](N)C(=O)O",  # L-alanine
    "F/C=C/F",  # (E)-1,2-difluoroethene
    "C[N+](C)(C)CC(=O)[O-]",  # betaine
    "N#Cc1ccccc1",  # benzonitrile
    "CN1CCC[C@H]1c1cccnc1",  # nicotine
    "[2H]C([2H])([2H])O",  # methanol-d3
    "C",  # methane: one atom, no bond
]


def invariant_form(smi: str) -> tuple:
    """The multiset of directed edges with the codes of both ends: the same for every order of the atoms."""
    batch = collate(featurize_graphs([smi]))
    edges = sorted((tuple(batch.atoms[a]), int(code), tuple(batch.atoms[b])) for a, b, code in zip(batch.source, batch.target, batch.bonds, strict=True))
    return tuple(sorted(map(tuple, batch.atoms.tolist()))), tuple(edges)


@pytest.mark.parametrize("smi", MOLECULES)
def test_graphs_do_not_depend_on_atom_order(smi):
    mol = Chem.MolFromSmiles(smi)
    expected = invariant_form(smi)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(mol.GetNumAtoms()).tolist()
        assert invariant_form(Chem.MolToSmiles(Chem.RenumberAtoms(mol, order), canonical=False)) == expected


@pytest.mark.parametrize("smi", MOLECULES)
def test_codes_agree_with_rdkit_atom_by_atom(smi):
    mol = Chem.MolFromSmiles(smi)
    atoms = featurize_graphs([smi]).atoms
    assert len(atoms) == mol.GetNumAtoms()
    for atom, codes in zip(mol.GetAtoms(), atoms, strict=True):
        found = dict(zip(ATOM_COLUMNS, codes.tolist(), strict=True))
        assert found["element"] == atom.GetAtomicNum()
        assert found["charge"] - 4 == atom.GetFormalCharge()
        assert found["ring"] == atom.IsInRing()
        assert found["aromatic"] == atom.GetIsAromatic()


def test_enantiomers_and_double_bond_isomers_differ():
    assert invariant_form("C[C@H](N)C(=O)O") != invariant_form("C[C@@H](N)C(=O)O")  # L- and D-alanine
    assert invariant_form("F/C=C/F") != invariant_form("F/C=C\\F")
    assert invariant_form("F/C=C/F") != invariant_form("FC=CF")


def test_trusted_and_full_reading_give_the_same_graph():
    smiles = [Chem.CanonSmiles(smi) for smi in MOLECULES] + ["[H]/N=C(/C)c1ccccc1", "[H][H]"]
    full, quick = featurize_graphs(MoleculeBatch(smiles)), featurize_graphs(MoleculeBatch(smiles, trusted=True))
    for name in ("atoms", "ends", "bonds", "n_atoms", "n_bonds"):
        assert np.array_equal(getattr(full, name), getattr(quick, name)), name


def test_unreadable_rows_stay_in_place_without_atoms():
    graphs = featurize_graphs(["CCO", "c1ccccc", "", "CC"])
    assert graphs.n_atoms.tolist() == [3, 0, 0, 2]
    assert [text.split(":")[0] for text in graphs.reasons] == ["", "E_PARSE", "E_EMPTY", ""]
    batch = collate(graphs)
    assert batch.size == 4
    assert batch.molecule.tolist() == [0, 0, 0, 3, 3]
    assert np.array_equal(batch.source[0::2], batch.target[1::2])  # edges 2k and 2k + 1 are the two directions


def test_take_and_concatenate_are_inverse():
    graphs = featurize_graphs(MOLECULES)
    order = [3, 0, 7, 1, 2, 6, 5, 4]
    parts = concatenate([graphs.take(order[:3]), graphs.take(order[3:])])
    back = parts.take(np.argsort(order))
    for name in ("atoms", "ends", "bonds", "n_atoms", "n_bonds"):
        assert np.array_equal(getattr(graphs, name), getattr(back, name))


def test_pyg_data_has_the_same_bonds_both_ways():
    data = to_pyg(featurize_graphs(["CC(=O)Oc1ccccc1C(=O)O"]))[0]
    assert data.num_nodes == 13
    assert data.num_edges == 26
    assert data.is_undirected()


def test_a_transient_batch_gives_the_same_graphs_and_reasons():
    smiles = [*MOLECULES, "c1ccccc", ""] * 20
    kept, dropped = featurize_graphs(MoleculeBatch(smiles)), featurize_graphs(MoleculeBatch(smiles, transient=True))
    for name in ("atoms", "ends", "bonds", "n_atoms", "n_bonds"):
        assert np.array_equal(getattr(kept, name), getattr(dropped, name))
    assert kept.reasons == dropped.reasons
    assert len(featurize_graphs([])) == 0
