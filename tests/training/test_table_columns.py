"""Censored values, columns beside the SMILES, and weights, from a file to predictions."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import drugai
from drugai.contracts import Dataset, Task
from drugai.data.bounds import bound_names
from drugai.errors import ConfigError, DatasetError
from drugai.models.heads import Heads
from drugai.molecules import with_columns
from drugai.predictors import GNNConfig, GPConfig, TreesConfig
from drugai.training import evaluate, fit_on
from drugai.training.bounded_trees import bounded_objective
from drugai.training.run import evaluate_saved, train_predictor
from drugai.training.table_columns import with_weights

TREES = TreesConfig(blocks=("morgan",), members=1, rounds=80, threads=1)
GNN = GNNConfig(epochs=40, batch_size=32, learning_rate=3e-3, average=0.0).replace(**{"net.width": 64, "net.dropout": 0.0})


def censor(data: Dataset, above: float) -> Dataset:
    """The data with values above a limit known only as ``> limit``."""
    y = data.y.copy()
    hidden = y[:, 0] > above
    y[hidden] = np.nan
    lower, upper = bound_names(data.tasks[0].name)
    missing = np.full(len(data), np.nan, dtype=np.float32)
    return replace(data, y=y, columns={**data.columns, lower: np.where(hidden, np.float32(above), np.nan), upper: missing})


def test_a_bound_pulls_only_from_beyond_it():
    heads = Heads([Task("y", "regression")])
    outputs = torch.tensor([[0.0], [2.0], [0.5], [0.0]], requires_grad=True)
    y = torch.tensor([[torch.nan], [torch.nan], [torch.nan], [1.0]])
    nan = torch.nan
    bounds = torch.tensor([[[1.0, nan]], [[1.0, nan]], [[nan, 1.0]], [[nan, nan]]])  # > 1, > 1, < 1, and a measured 1
    loss = heads.loss(outputs, y, None, bounds)
    loss.backward()
    # by hand: (0 − 1)² for the first, nothing for the two that keep their bounds, (0 − 1)² for the measured one; four rows
    assert loss.item() == pytest.approx(0.5)
    assert outputs.grad[:, 0].tolist() == pytest.approx([-0.5, 0.0, 0.0, -0.5])


def test_without_bounds_the_loss_is_what_it_was():
    heads = Heads([Task("y", "regression")])
    outputs, y = torch.tensor([[0.3], [1.0]]), torch.tensor([[1.0], [torch.nan]])
    assert heads.loss(outputs, y).item() == pytest.approx(0.49)
    assert heads.loss(outputs, y, None, torch.full((2, 1, 2), torch.nan)).item() == pytest.approx(0.49)


def test_the_gradient_of_trees_is_that_of_the_bounded_loss():
    y = np.array([1.0, np.nan, np.nan, np.nan])
    bounds = np.array([[np.nan, np.nan], [2.0, np.nan], [np.nan, 2.0], [1.0, 3.0]])
    values = np.array([0.0, 1.0, 5.0, 2.0])
    gradient, curvature = bounded_objective(y, bounds, np.array([1.0, 2.0, 1.0, 1.0]))(values, None)
    assert gradient.tolist() == [-1.0, -2.0, 3.0, 0.0]  # by hand; the second weighs double
    assert (curvature > 0).all()


@pytest.mark.parametrize("config", [TREES, GNN], ids=["trees", "gnn"])
def test_bounds_lift_predictions_that_dropped_rows_leave_low(config, activity, parts):
    limit = float(np.quantile(activity.y[:, 0], 0.6))
    censored = censor(activity, limit)
    bare = replace(censored, columns={})
    high = [row for row in parts.train if activity.y[row, 0] > limit]
    said = {}
    for name, data in (("bounds", censored), ("dropped", bare)):
        model = fit_on(config, data.take(parts.train), data.take(parts.valid))
        said[name] = model.predict([activity.smiles[row] for row in high]).mean[:, 0].mean()
    assert said["bounds"] > said["dropped"] + 0.1


def test_scores_rest_on_measured_values_alone(activity, parts):
    censored = censor(activity, float(np.median(activity.y[:, 0])))
    model = fit_on(TREES, censored.take(parts.train), censored.take(parts.valid))
    found = evaluate(model, censored.take(parts.test))
    assert found.scores[activity.tasks[0].name]["rmse"].n == int((~np.isnan(censored.y[parts.test, 0])).sum())


def test_a_model_without_a_bounded_loss_says_what_it_leaves_out(activity, parts):
    censored = censor(activity, float(np.median(activity.y[:, 0])))
    model = fit_on(GPConfig(), censored.take(parts.train), censored.take(parts.valid))
    assert model.record["left_out"]["bound alone"] == int(np.isnan(censored.y[parts.train, 0]).sum())


@pytest.fixture
def table(tmp_path, activity):
    """A target that rests on a column beside the SMILES alone."""
    dose = np.random.default_rng(0).normal(size=len(activity))
    lines = [f"{smi},{value:.4f},{2 * value:.4f},{1 + row % 3}" for row, (smi, value) in enumerate(zip(activity.smiles, dose, strict=True))]
    path = tmp_path / "mine.csv"
    path.write_text("SMILES,dose,y,trust\n" + "\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("model", ["trees", "gnn"])
def test_a_column_beside_the_smiles_is_learnt_from_saved_and_needed(model, table, tmp_path):
    settings = {"blocks": [], "rounds": 200, "threads": 1, "learning_rate": 0.1} if model == "trees" else {"epochs": 30, "net.width": 64, "learning_rate": 3e-3}
    run = train_predictor(table, tmp_path / model, model=model, targets=["y"], method="random", descriptors=["dose"], settings=settings)
    assert run.predictor.columns == ("dose",)
    assert evaluate_saved(tmp_path / model)["r2"] > 0.6
    again = drugai.load_predictor(tmp_path / model)
    low, high = (again.predict(with_columns(["CCO"], {"dose": [value]})).mean[0, 0] for value in (-1.0, 1.0))
    assert high > low
    with pytest.raises(ConfigError, match="needs the column 'dose'"):
        again.predict(["CCO"])


def test_predicting_a_file_reads_the_column_and_refuses_text_in_it(table, tmp_path):
    from drugai.predictors.streaming import predict_file

    settings = {"blocks": [], "rounds": 50, "threads": 1}
    train_predictor(table, tmp_path / "m", model="trees", targets=["y"], method="random", descriptors=["dose"], settings=settings)
    library = tmp_path / "library.csv"
    library.write_text("SMILES,dose\nCCO,0.5\nCCN,much\nCCC,\n")
    predict_file(tmp_path / "m", library, tmp_path / "out.csv")
    rows = (tmp_path / "out.csv").read_text().splitlines()
    assert len(rows) == 4
    assert "dose" not in rows[0]
    assert "E_VALUE" in rows[2]
    assert rows[3].endswith(",")  # a missing value is no error
    (tmp_path / "bare.csv").write_text("SMILES\nCCO\n")
    with pytest.raises(DatasetError, match="dose"):
        predict_file(tmp_path / "m", tmp_path / "bare.csv", tmp_path / "none.csv")


def test_columns_that_cannot_be_used_are_refused(table, tmp_path):
    with pytest.raises(DatasetError, match="no column 'dos' for a descriptor; did you mean 'dose'"):
        train_predictor(table, tmp_path / "m", model="trees", targets=["y"], descriptors=["dos"])
    with pytest.raises(ConfigError, match="trees and gnn"):
        train_predictor(table, tmp_path / "m", model="gp", targets=["y"], descriptors=["dose"])


def test_weights_come_from_a_column_and_must_be_weights(activity):
    data = replace(activity, columns={"trust": np.arange(len(activity), dtype=float)})
    assert with_weights(data, "trust").weights[3] == 3
    assert with_weights(activity, np.ones(len(activity))).weights.tolist() == [1.0] * len(activity)
    with pytest.raises(DatasetError, match="row 1: -1"):
        with_weights(replace(activity, columns={"trust": np.full(len(activity), -1.0)}), "trust")


def test_a_column_called_weight_weighs_nothing_until_it_is_named(tmp_path, activity):
    path = tmp_path / "mine.csv"
    masses = np.random.default_rng(0).integers(0, 500, len(activity))  # as a table with molecular weights has them
    path.write_text("SMILES,y,weight\n" + "".join(f"{smi},{y:.4f},{mass}\n" for smi, y, mass in zip(activity.smiles, activity.y[:, 0], masses, strict=True)))
    data = drugai.read_csv(path, targets=["y"])
    assert data.weights is None
    assert data.columns["weight"].tolist() == masses.tolist()
    train, valid = np.arange(80), np.arange(80, 100)
    bare, unnamed, named = (
        fit_on(TREES, one.take(train), one.take(valid)).predict(data.smiles).mean for one in (replace(data, columns={}), data, drugai.with_weights(data, "weight"))
    )
    assert np.array_equal(unnamed, bare)
    assert np.abs(named - bare).max() > 0.01
    run = train_predictor(path, tmp_path / "m", model="trees", targets=["y"], method="random", weights="weight", settings={"rounds": 5, "members": 1, "threads": 1})
    assert run.data.weights.tolist() == masses.tolist()
    assert run.predictor.record["source"]["weights"] == "weight"


def test_balanced_classes_weigh_the_same_in_all():
    data = Dataset("d", ("C", "CC", "CCC", "CCCC"), np.array([[1], [0], [0], [0]], dtype=np.float32), (Task("a", "binary"),))
    weights = with_weights(data, None, np.arange(4)).weights
    assert weights.tolist() == pytest.approx([2.0, 2 / 3, 2 / 3, 2 / 3])
    with pytest.raises(DatasetError, match="one binary task"):
        with_weights(replace(data, tasks=(Task("a", "regression"),)), None, np.arange(4))


def test_a_weight_of_nothing_is_a_row_that_is_not_there(activity, parts):
    train, valid = activity.take(parts.train), activity.take(parts.valid)
    weights = np.r_[np.ones(60), np.zeros(40)].astype(np.float32)
    heavy = replace(train, weights=weights)
    shifted = replace(heavy, y=np.where(weights[:, None] > 0, heavy.y, heavy.y + 100))
    first, second = (fit_on(TREES, one, valid).predict(valid.smiles).mean for one in (heavy, shifted))
    assert np.allclose(first, second, atol=1e-4)
