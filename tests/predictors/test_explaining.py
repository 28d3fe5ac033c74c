"""Explanations: contributions are differences of predictions, on every kind of model."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.contracts import Dataset, Task
from drugai.errors import ConfigError
from drugai.featurizers.graphs import featurize_graphs
from drugai.molecules import MoleculeBatch
from drugai.predictors import TreesConfig
from drugai.predictors.constant import MeanPredictor
from drugai.predictors.ensemble import EnsemblePredictor
from drugai.predictors.explaining import MOST_ATOMS, explain, hidden_atoms, predict_without, without_atoms
from drugai.predictors.gnn import GNNConfig
from drugai.training.fit import fit_on

SMILES = ["C" * n + end for n in range(1, 9) for end in ("O", "N", "C(=O)O", "c1ccccc1", "Cl", "OC", "F")]


def oxygens(smi: str) -> float:
    return float(smi.count("O"))


@pytest.fixture(scope="module")
def models():
    y = np.array([[oxygens(smi)] for smi in SMILES], dtype=np.float32)
    data = Dataset("oxygens", tuple(SMILES), y, (Task("oxygens", "regression"),))
    trees = fit_on(TreesConfig(blocks=("morgan",), members=1, rounds=60, learning_rate=0.2, min_leaf=2, feature_share=1.0, threads=1), data, data.take(range(8)))
    gnn = fit_on(GNNConfig(epochs=30, batch_size=32, learning_rate=3e-3, average=0.0).replace(**{"net.width": 32, "net.depth": 2, "net.dropout": 0.0}), data, data.take(range(8)))
    return {"trees": trees, "gnn": gnn, "ensemble": EnsemblePredictor([trees, gnn], [0.25, 0.75])}


@pytest.mark.parametrize("kind", ["trees", "gnn", "ensemble"])
def test_the_atom_that_matters_carries_the_prediction(models, kind):
    for smi, oxygen in (("CCCCO", 4), ("CCCOC", 3)):
        found = explain(models[kind], [smi])[0]
        assert found.prediction == pytest.approx(float(models[kind].predict([smi]).mean[0, 0]), abs=1e-4)
        assert len(found.atoms) == MoleculeBatch([smi]).mols[0].GetNumAtoms()
        assert int(np.argmax(found.atoms)) == oxygen
        assert found.top(0.2)[0] == oxygen
        assert found.words()[0][:2] == (oxygen, "O")


def test_a_contribution_is_the_prediction_minus_that_without_the_atom(models):
    smi = "CCCCO"
    values = predict_without(models["gnn"], smi, [(), (4,), (0, 4)])
    assert explain(models["gnn"], [smi])[0].atoms[4] == pytest.approx(values[0] - values[1], abs=1e-6)
    parts = [predict_without(models[kind], smi, [(), (4,)]) for kind in ("trees", "gnn")]
    assert predict_without(models["ensemble"], smi, [(), (4,)]) == pytest.approx(0.25 * parts[0] + 0.75 * parts[1])


class _Blind(MeanPredictor):
    """Can read nothing."""

    def predict_members(self, batch):
        outputs, _ = super().predict_members(batch)
        return np.full_like(outputs, np.nan), ("E_FEATURIZE: no token",) * len(batch)


def test_a_member_that_cannot_read_the_molecule_takes_no_part(models):
    blind = _Blind(models["trees"].tasks, np.array([100.0]))
    both = EnsemblePredictor([models["trees"], blind], [0.3, 0.7])
    np.testing.assert_allclose(explain(both, ["CCCCO"])[0].atoms, explain(models["trees"], ["CCCCO"])[0].atoms)
    assert np.isnan(predict_without(EnsemblePredictor([blind]), "CCCCO", [()])).all()


def test_a_graph_without_an_atom_has_no_bond_to_it():
    graphs = featurize_graphs(["CC(=O)O"])
    less = without_atoms(graphs, [1])
    assert less.n_atoms.tolist() == [3]
    assert less.n_bonds.tolist() == [0]
    assert without_atoms(graphs, [3]).ends.tolist() == [[0, 1], [1, 2]]
    assert without_atoms(graphs, [0, 1, 2, 3]).n_atoms.tolist() == [1]
    np.testing.assert_array_equal(without_atoms(graphs, []).atoms, graphs.atoms)


@pytest.mark.parametrize(("smi", "atom"), [("c1cc[nH]c1", 3), ("C[N+](C)(C)C", 1), ("F[C@](Cl)(Br)I", 1), ("O=C(N)C", 1), ("c1ccncc1", 3), ("C#N", 0)])
def test_a_hidden_atom_leaves_a_molecule_of_as_many_atoms(smi, atom):
    text = hidden_atoms(smi, [atom])
    batch = MoleculeBatch([text])
    assert batch.reasons == ("",)
    assert batch.mols[0].GetNumAtoms() == MoleculeBatch([smi]).mols[0].GetNumAtoms()
    assert sum(each.GetAtomicNum() == 0 for each in batch.mols[0].GetAtoms()) == 1


def test_where_the_rest_is_no_molecule_the_prediction_is_nan(models):
    # copper phthalocyanine: RDKit finds no places for its double bonds once these atoms are dummies
    pigment = "c1ccc2c(c1)C1=NC2=Nc2c3ccccc3c3n2[Cu]n2c(c4ccccc4c2=NC2=NC(=N3)c3ccccc32)=N1"
    lost = [1, 6, 10, 16, 24, 27, 32, 33, 38]
    assert hidden_atoms(pigment, lost) == ""
    values = predict_without(models["trees"], pigment, [(), lost, [0]])
    assert np.isnan(values).tolist() == [False, True, False]


def test_rows_that_cannot_be_explained_stay_with_a_reason(models):
    found = explain(models["gnn"], ["CCO", "not a molecule", "C" * (MOST_ATOMS + 1), ""])
    assert [bool(each.reason) for each in found] == [False, True, True, True]
    assert found[2].reason.startswith("E_")
    assert np.isnan(found[1].prediction)


def test_an_unknown_task_and_one_of_several_classes_are_refused(models):
    with pytest.raises(ConfigError, match="oxygens"):
        explain(models["gnn"], ["CCO"], task="oxygen")
    y = np.array([[n % 3] for n in range(len(SMILES))], dtype=np.float32)
    data = Dataset("three", tuple(SMILES), y, (Task("three", "multiclass", n_classes=3),))
    several = fit_on(TreesConfig(blocks=("morgan",), members=1, rounds=3, threads=1), data, data.take(range(9)))
    with pytest.raises(ConfigError, match="several classes"):
        explain(several, ["CCO"])
