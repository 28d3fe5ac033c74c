"""Groups of molecules by scaffold, distance and cliffs hold each molecule once, where it belongs."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from drugai.cli.app import app
from drugai.contracts import Dataset, Predictions, Task
from drugai.errors import DatasetError
from drugai.molecules import MoleculeBatch
from drugai.training.breakdown import CLIFF, DISTANCE, SCAFFOLD, break_down, cliff_groups, cliff_height, distance_groups, scaffold_groups
from drugai.training.run import train_predictor

POTENCY = Task("p", "regression", "-log10 M")


def rows(groups):
    return {name: found.tolist() for name, found in groups.items()}


def test_scaffolds_are_counted_among_the_training_molecules():
    known = MoleculeBatch(["c1ccccc1C", "c1ccccc1CC", "CCO", "not a molecule"])  # toluene, ethylbenzene, ethanol
    asked = MoleculeBatch(["Oc1ccccc1", "c1ccncc1", "CCN", "c1ccccc"])  # phenol, pyridine, ethylamine, an unclosed ring
    assert rows(scaffold_groups(asked, known)) == {"never": [1], "1-4 times": [0, 2], "5-19 times": [], "20 times or more": []}


def test_distance_is_to_the_nearest_training_molecule():
    known = MoleculeBatch(["CC(=O)Oc1ccccc1C(=O)O"])  # aspirin
    asked = MoleculeBatch(["O=C(O)c1ccccc1OC(C)=O", "CCCCCCCCCC", ""])  # aspirin again, decane, nothing
    assert rows(distance_groups(asked, known)) == {"under 0.3": [1], "0.3-0.5": [], "0.5-0.7": [], "0.7 or more": [0]}


def test_a_cliff_is_a_tenfold_step_from_a_like_training_molecule():
    chain = "CC(=O)Nc1ccc(O)cc1"  # paracetamol
    asked = MoleculeBatch([chain, chain, chain, "CCCCCCCCCC"])
    found = cliff_groups(asked, np.array([7.0, 6.4, np.nan, 5.0]), MoleculeBatch([chain, "C"]), np.array([6.0, 9.0]), POTENCY)
    assert rows(found) == {"on a cliff": [0], "like its neighbour": [1], "no like molecule": [3]}
    assert cliff_height(POTENCY, np.array([0.0, 100.0])) == 1.0
    assert cliff_height(Task("t", "regression", "°C"), np.array([0.0, 100.0])) == 50.0
    assert cliff_height(Task("t", "binary"), np.array([0.0, 1.0])) == 0.5


def test_the_groups_of_a_view_hold_each_measured_molecule_once(activity, parts):
    train, test = activity.take(parts.train), activity.take(parts.test)
    predictions = Predictions(activity.tasks, np.full((len(test), 1), train.y.mean()), ("",) * len(test))
    found = break_down(predictions, test, train)
    groups = found.scores["pActivity"]
    assert set(groups) == {SCAFFOLD, DISTANCE, CLIFF}
    error = np.abs(test.y[:, 0] - train.y.mean())
    for view in groups.values():
        assert sum(each.n for each in view.values()) == len(test)
        # the mean absolute errors of the groups, weighted by their sizes, give that of all
        assert sum(each.n * each.value for each in view.values() if each.n) == pytest.approx(error.sum(), rel=1e-4)
    with pytest.raises(DatasetError, match="one a row"):
        break_down(predictions, train, train)


def test_evaluate_prints_and_writes_the_breakdown(tmp_path):
    train_predictor("chembl2321810", tmp_path / "model", model="trees", settings={"blocks": ["morgan"], "members": 1, "rounds": 30, "threads": 1})
    typed = ["evaluate", str(tmp_path / "model"), "--breakdown", "--json", str(tmp_path / "e.json")]
    found = CliRunner().invoke(app, typed)
    assert found.exit_code == 0, found.output
    assert "activity cliff" in found.output
    groups = json.loads((tmp_path / "e.json").read_text())["breakdown"]["pActivity"]
    assert groups["metric"] == "mae"
    # the deterministic scaffold split puts scaffolds of the test part in no other
    assert groups[SCAFFOLD]["never"]["n"] == 102


def test_a_model_whose_data_is_gone_says_so(tmp_path):
    from drugai.errors import ArtifactError
    from drugai.predictors import load_predictor
    from drugai.training.run import break_down_saved, evaluate_saved

    train_predictor("chembl2321810", tmp_path / "model", model="mean")
    found = evaluate_saved(tmp_path / "model")
    model = load_predictor(tmp_path / "model")
    del model.record["source"], model.record["path"]
    model.save(tmp_path / "model")
    with pytest.raises(ArtifactError, match="name a data set|does not say"):
        break_down_saved(tmp_path / "model", found)


def test_a_training_part_that_cannot_be_read_is_refused():
    asked = Dataset("asked", ("CCO",), np.array([[1.0]]), (POTENCY,))
    with pytest.raises(DatasetError, match="no training molecule"):
        break_down(Predictions((POTENCY,), np.array([[1.0]]), ("",)), asked, Dataset("broken", ("c1ccccc",), np.array([[1.0]]), (POTENCY,)))
