"""Children are molecules, the same seed gives the same ones, the gate holds, and there are many a second."""

from __future__ import annotations

from random import Random

import pytest
from rdkit import Chem

from drugai.errors import ConfigError
from drugai.generation import edits
from drugai.generation.genetic import Gate, GeneticConfig, Population, breed, finish
from drugai.generation.molgraph import MolGraph

DRUGS = {
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "caffeine": "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "celecoxib": "Cc1ccc(cc1)-c1cc(nn1-c1ccc(cc1)S(N)(=O)=O)C(F)(F)F",
    "nitrazepam": "O=C1CN=C(c2ccccc2)c2cc(ccc2N1)[N+](=O)[O-]",
    "quinine without stereo": "COc1ccc2nccc(C(O)C3CC4CCN3CC4C=C)c2c1",
    "omeprazole": "COc1ccc2[nH]c(S(=O)Cc3ncc(C)c(OC)c3C)nc2c1",
    "diazepam": "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc21",
    "haloperidol": "O=C(CCCN1CCC(O)(c2ccc(Cl)cc2)CC1)c1ccc(F)cc1",
}


def _graphs() -> list[MolGraph]:
    found = [MolGraph.read(smi) for smi in DRUGS.values()]
    assert all(graph is not None for graph in found)
    return [graph for graph in found if graph is not None]


@pytest.mark.parametrize("smi", DRUGS.values(), ids=DRUGS)
def test_a_graph_gives_the_molecule_that_it_was_read_from(smi):
    graph = MolGraph.read(smi)
    assert graph is not None
    assert Chem.MolToSmiles(graph.to_mol()) == Chem.CanonSmiles(smi)


@pytest.mark.parametrize("smi", DRUGS.values(), ids=DRUGS)
def test_bridges_are_the_bonds_outside_rings(smi):
    mol = Chem.MolFromSmiles(smi)
    expected = {frozenset((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())) for bond in mol.GetBonds() if not bond.IsInRing()}
    assert {frozenset(bond) for bond in MolGraph.read(smi).bridges()} == expected


@pytest.mark.parametrize("smi", ["CCO.Cl", "C[CH2]", "c1ccccc", "", "[Na+]", "[U]"])  # a salt, the ethyl radical, an open ring, nothing, metals
def test_what_cannot_be_edited_is_none(smi):
    assert MolGraph.read(smi) is None


def test_children_are_different_canonical_molecules_within_the_gate():
    config = GeneticConfig(most_atoms=30, largest_ring=6)
    children = breed(_graphs(), [1.0] * len(DRUGS), 400, Random(0), config)
    assert len({smi for smi, _, _ in children}) == len(children) == 400
    for smi, graph, _ in children:
        mol = Chem.MolFromSmiles(smi)
        assert mol is not None
        assert Chem.MolToSmiles(mol) == smi
        assert 3 <= mol.GetNumHeavyAtoms() == len(graph) <= 30
        assert all(len(ring) <= 6 for ring in mol.GetRingInfo().AtomRings())
        assert not any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms())
        assert {atom.GetSymbol() for atom in mol.GetAtoms()} <= {"C", "N", "O", "F", "S", "Cl", "Br"}
        assert not mol.HasSubstructMatch(Chem.MolFromSmarts("[F,Cl,Br]~[!#6]"))
        assert not mol.HasSubstructMatch(Chem.MolFromSmarts("OO"))
    assert {origin for _, _, origin in children} == {"crossover", "crossover+mutation", "mutation"}


def test_the_same_seed_gives_the_same_children_and_parents_stay_as_they_are():
    graphs = _graphs()
    before = [Chem.MolToSmiles(graph.to_mol()) for graph in graphs]
    first = [smi for smi, _, _ in breed(graphs, [1.0] * len(graphs), 100, Random(3), GeneticConfig())]
    assert first == [smi for smi, _, _ in breed(_graphs(), [1.0] * len(graphs), 100, Random(3), GeneticConfig())]
    assert first != [smi for smi, _, _ in breed(graphs, [1.0] * len(graphs), 100, Random(4), GeneticConfig())]
    assert [Chem.MolToSmiles(graph.to_mol()) for graph in graphs] == before


@pytest.mark.parametrize("move", [move for move, _ in edits.MOVES], ids=lambda move: move.__name__)
def test_each_move_gives_a_molecule_or_nothing(move):
    rng = Random(1)
    gate = Gate.of(GeneticConfig(largest_ring=12))
    made = [(graph, child) for graph in _graphs() for _ in range(25) if (child := move(graph, rng)) is not None]
    assert made
    assert all(child.to_mol() is not None for _, child in made)
    assert any(finish(child, gate) for _, child in made)
    change = {"append_atom": 1, "insert_atom": 1, "delete_atom": -1}.get(move.__name__, 0)
    assert all(len(child) == len(graph) + change for graph, child in made)


def test_chains_are_crossed_at_one_bond_and_keep_atoms_of_both():
    # chlorobenzene and bromocyclohexane have one chain bond each: one half of the first meets one half of the second
    a, b = MolGraph.read("Clc1ccccc1"), MolGraph.read("BrC1CCCCC1")
    found = {Chem.MolToSmiles(child.to_mol()) for seed in range(40) if (child := edits.cross_chains(a, b, Random(seed))) is not None}
    assert found == {Chem.CanonSmiles(smi) for smi in ("ClBr", "ClC1CCCCC1", "c1ccccc1Br", "c1ccccc1C1CCCCC1")}


def test_rings_are_crossed_into_a_ring_of_both():
    # benzene and pyridine: halves of both close a ring
    benzene, pyridine = MolGraph.read("c1ccccc1"), MolGraph.read("c1ccncc1")
    found = [child for seed in range(60) if (child := edits.cross_rings(benzene, pyridine, Random(seed))) is not None]
    assert found
    mols = [child.to_mol() for child in found]  # RDKit's ring information lives no longer than its molecule
    assert all(mol.GetRingInfo().NumRings() == 1 for mol in mols)
    assert "c1ccccc1" in {Chem.MolToSmiles(mol) for mol in mols}


def test_an_unknown_element_is_refused():
    with pytest.raises(ConfigError, match="Xx cannot be used"):
        Gate.of(GeneticConfig(elements="C Xx"))


def test_phosphorus_comes_in_when_it_is_allowed():
    config = GeneticConfig(elements="C N O F P S Cl Br")
    assert any("P" in smi for smi, _, _ in breed(_graphs(), [1.0] * len(DRUGS), 300, Random(0), config))


def test_a_population_keeps_the_best_and_breeds_what_it_has_not_seen():
    population = Population(GeneticConfig(population=20))
    population.add([Chem.CanonSmiles(smi) for smi in DRUGS.values()], [0.1 * row for row in range(len(DRUGS))])
    children = population.breed(60, Random(0))
    assert len(children) == 60
    assert not {smi for smi, _, _ in children} & {Chem.CanonSmiles(smi) for smi in DRUGS.values()}
    population.add([smi for smi, _, _ in children], [1.0 + 0.01 * row for row in range(60)], [graph for _, graph, _ in children])
    assert len(population) == 20
    assert population.worst == pytest.approx(1.40)
    assert next(iter(population.members)) == children[-1][0]
    assert Population().breed(5, Random(0)) == []


def test_as_many_different_children_as_asked_for():
    graphs = _graphs()
    children = breed(graphs, [1.0] * len(graphs), 500, Random(0), GeneticConfig())
    assert len({smi for smi, _, _ in children}) == 500
