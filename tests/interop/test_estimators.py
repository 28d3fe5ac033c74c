"""scikit-learn's own tools on SMILES."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from drugai.errors import DatasetError
from drugai.interop.estimators import MoleculeClassifier, MoleculeRegressor

SMALL = {"blocks": ["morgan"], "members": 1, "rounds": 40, "threads": 1}


def test_a_clone_has_the_same_settings_and_gives_the_same_predictions(activity):
    first = MoleculeRegressor("trees", SMALL, seed=3)
    second = clone(first)
    assert second.get_params() == first.get_params()
    smiles, y = activity.smiles, activity.y[:, 0]
    np.testing.assert_array_equal(first.fit(smiles, y).predict(smiles[:10]), second.fit(smiles, y).predict(smiles[:10]))


def test_cross_validation_and_a_pipeline_work_on_smiles(activity):
    smiles, y = np.array(activity.smiles, dtype=object), activity.y[:, 0]
    assert cross_val_score(MoleculeRegressor("trees", SMALL), smiles, y, cv=3, scoring="neg_mean_absolute_error").shape == (3,)
    strip = FunctionTransformer(lambda rows: [row.strip() for row in rows])
    model = make_pipeline(strip, MoleculeRegressor("trees", SMALL)).fit([f" {smi} " for smi in smiles], y)
    assert np.corrcoef(model.predict([f" {smi}" for smi in smiles]), y)[0, 1] > 0.5


def test_a_grid_search_chooses_settings(activity):
    grid = {"settings": [{**SMALL, "rounds": 1}, SMALL]}
    search = GridSearchCV(MoleculeRegressor("trees"), grid, cv=2, scoring="neg_root_mean_squared_error").fit(np.array(activity.smiles, dtype=object), activity.y[:, 0])
    assert search.best_params_["settings"]["rounds"] == 40  # one tree knows less than forty


def test_an_unreadable_molecule_keeps_its_row_as_nan_and_its_reason(activity):
    model = MoleculeRegressor("trees", SMALL).fit(activity.smiles, activity.y[:, 0])
    found = model.predict(["CCO", "c1ccccc"])
    assert np.isfinite(found[0])
    assert np.isnan(found[1])
    assert model.predictions(["c1ccccc"]).reasons[0].startswith("E_PARSE")


def test_classes_keep_their_own_labels(activity):
    label = np.where(activity.y[:, 0] > np.median(activity.y), "active", "inactive")
    model = MoleculeClassifier("trees", SMALL).fit(activity.smiles, label)
    assert model.classes_.tolist() == ["active", "inactive"]
    assert model.score(activity.smiles, label) > 0.7
    probability = model.predict_proba(["CCO", "c1ccccc"])
    assert probability[0].sum() == pytest.approx(1)
    assert np.isnan(probability[1]).all()
    with pytest.raises(DatasetError, match="row 1: E_PARSE"):
        model.predict(["CCO", "c1ccccc"])
    with pytest.raises(DatasetError, match="two classes, got 3"):
        model.fit(activity.smiles, np.arange(len(label)) % 3)


def test_lengths_that_differ_are_refused():
    with pytest.raises(DatasetError, match="2 molecules and 1 values"):
        MoleculeRegressor().fit(["CCO", "CCC"], [1.0])
