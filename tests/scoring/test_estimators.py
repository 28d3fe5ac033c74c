"""A scikit-learn model as a term."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from drugai.errors import ConfigError
from drugai.generation import optimize
from drugai.molecules import MoleculeBatch, fingerprint, weight
from drugai.scoring import estimator_term, product_of

# ethanol, propanol, butanol, ethylamine, propylamine, butylamine
MOLECULES = ["CCO", "CCCO", "CCCCO", "CCN", "CCCN", "CCCCN"]
BITS = fingerprint(MOLECULES, bits=2048)


def test_a_classifier_gives_its_probability_of_the_second_class():
    model = RandomForestClassifier(20, random_state=0).fit(BITS, ["O" in smi for smi in MOLECULES])
    term = estimator_term(model)
    assert term.name == "RandomForestClassifier"
    assert term.values(MoleculeBatch(MOLECULES))[0] == pytest.approx(model.predict_proba(BITS)[:, 1])
    reversed_ = product_of(estimator_term(model, direction="min", low=0, high=1)).score(MOLECULES)
    assert reversed_.total == pytest.approx(1 - model.predict_proba(BITS)[:, 1])


def test_a_regressor_says_its_ends_and_direction_and_its_own_features():
    def by_weight(batch):
        return np.asarray(weight(batch))[:, None]

    model = RandomForestRegressor(5, random_state=0).fit(by_weight(MoleculeBatch(MOLECULES)), [1.0, 2, 3, 1, 2, 3])
    term = estimator_term(model, "carbons", low=1, high=3, direction="min", features=by_weight)
    found = product_of(term).score(["CCO", "CCCCO", "c1ccccc"])
    assert found.total[0] > found.total[1] >= 0
    assert found.reasons[2].startswith("E_PARSE")
    with pytest.raises(ConfigError, match="needs low and high"):
        estimator_term(model)


def test_a_classifier_is_a_scorer_of_optimize_and_what_predicts_nothing_is_refused():
    model = RandomForestClassifier(10, random_state=0).fit(BITS, ["O" in smi for smi in MOLECULES])
    found = optimize(None, model, budget=30, start=MOLECULES)
    assert found.top(1)[0].parts["RandomForestClassifier"] == found.top(1)[0].total > 0.5
    with pytest.raises(ConfigError, match="neither predict_proba nor predict"):
        estimator_term(object())
    three = RandomForestClassifier(2, random_state=0).fit(BITS, [0, 1, 2, 0, 1, 2])
    with pytest.raises(ConfigError, match="knows 3 classes"):
        estimator_term(three)
