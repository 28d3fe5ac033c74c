"""Members without one fold, and the size of the error learnt from what they say of it."""

import numpy as np
import pytest

from drugai.contracts import Dataset, Task
from drugai.errors import ConfigError
from drugai.metrics.property import spearman
from drugai.molecules import MoleculeBatch
from drugai.predictors import BaggedConfig, TreesConfig
from drugai.training import fit_on
from drugai.training.fit_bagged import molecule_folds

TREES = TreesConfig(blocks=("morgan",), members=1, rounds=100, learning_rate=0.1, feature_share=1.0, threads=1, min_leaf=5)
CONFIG = BaggedConfig(folds=3, trees=TREES, error_blocks=("morgan",), error_rounds=300)


def noisy(n: int = 400) -> Dataset:
    """Alcohols and amines of many lengths: what is measured of amines carries twenty times the noise."""
    rng = np.random.default_rng(0)
    smiles, y = [], []
    for k in range(n):
        length, branch, amine = int(rng.integers(1, 9)), int(rng.integers(0, 5)), k % 2
        smiles.append("C" * length + f"C({'C' * branch})" * bool(branch) + ("N" if amine else "O"))
        y.append(length + rng.normal() * (2.0 if amine else 0.1))
    return Dataset("noisy", tuple(smiles), np.array(y)[:, None], (Task("y", "regression"),))


def test_the_standard_deviation_knows_which_molecules_are_hard():
    data = noisy()
    model = fit_on(CONFIG, data, data.take(range(20)))
    found = model.predict([*data.smiles, "c1ccccc"])
    alcohols, amines = (np.median(found.std[[row for row, smi in enumerate(data.smiles) if smi.endswith(end)], 0]) for end in "ON")
    assert amines > 2 * alcohols
    assert amines == pytest.approx(2.0, rel=0.5)  # the noise that was put in
    assert np.isnan(found.std[-1, 0])


def test_no_validation_molecule_changes_the_model(activity, parts):
    train = activity.take(parts.train)
    one, other = (fit_on(CONFIG, train, activity.take(rows)).predict(activity.smiles[:10]) for rows in (parts.valid, parts.test))
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.std, other.std)


def test_rows_of_one_molecule_share_a_fold_and_bad_rows_have_none():
    smiles = ("CCO", "OCC", "CCN", "NCC", "c1ccccc", "CCC")
    data = Dataset("d", smiles, np.array([[1.0], [2.0], [1.0], [0.0], [1.0], [np.nan]]), (Task("y", "regression"),))
    fold = molecule_folds(data, 2, seed=0)
    assert fold[0] == fold[1]
    assert fold[2] == fold[3]
    assert fold[4:].tolist() == [-1, -1]


def test_classes_have_the_spread_of_the_members(activity, parts):
    y = (activity.y > np.median(activity.y)).astype(np.float32)
    data = Dataset("active", activity.smiles, y, (Task("active", "binary"),))
    model = fit_on(CONFIG, data.take(parts.train), data.take(parts.valid))
    batch = MoleculeBatch(data.smiles[:20])
    found = model.predict(batch)
    np.testing.assert_allclose(found.std[:, 0], model.predict_members(batch)[0][:, :, 0].std(0, ddof=1), atol=1e-6)


def test_a_network_can_be_the_member(activity, parts):
    config = BaggedConfig(base="gnn", folds=2, error_blocks=("morgan",), error_rounds=5).replace(**{"gnn.epochs": 2, "gnn.net.width": 16, "gnn.net.head_width": 16})
    found = fit_on(config, activity.take(parts.train), activity.take(parts.valid)).predict(activity.smiles[:5])
    assert (found.std > 0).all()


def test_one_fold_alone_is_refused():
    with pytest.raises(ConfigError, match="folds must be at least 2"):
        BaggedConfig(folds=1)


def test_the_learnt_deviation_follows_the_error_of_new_measurements():
    data = noisy(800)
    model = fit_on(CONFIG, data.take(range(500)), data.take(range(20)))
    asked = data.take(range(500, 800))
    found = model.predict(asked.smiles)
    assert spearman(found.std[:, 0], np.abs(found.mean[:, 0] - asked.y[:, 0])) > 0.5
