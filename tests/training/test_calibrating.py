"""Intervals that hold, class sets, calibrated probabilities and the applicability domain."""

import numpy as np
import pytest

import drugai
from drugai.contracts import Dataset, Task
from drugai.errors import ConfigError, DatasetError
from drugai.metrics.calibration import coverage, expected_calibration_error, set_coverage
from drugai.predictors import MeanConfig, TreesConfig, load_predictor
from drugai.predictors.calibration import conformal_quantile
from drugai.training import fit_on
from drugai.training.calibrating import calibrate, fit_width

TREES = TreesConfig(blocks=("morgan",), members=3, rounds=40, threads=1)


@pytest.fixture(scope="module")
def measured():
    """All 1,017 compounds in a random order: 500 to train, 40 to end the growth, 200 to calibrate, 277 to ask."""
    data = drugai.read_dataset("chembl2321810")
    return data.take(np.random.default_rng(0).permutation(len(data)))


@pytest.fixture(scope="module")
def model(measured):
    fitted = fit_on(TREES, measured.take(range(500)), measured.take(range(500, 540)))
    calibrate(fitted, measured.take(range(500)), measured.take(range(540, 740)))
    return fitted


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_intervals_cover_what_they_promise(model, measured, level):
    asked = measured.take(range(740, 1017))
    found = model.predict(asked.smiles, level=level)
    # 277 exchangeable molecules: three standard errors of the share, and of the 200 that set the quantile
    slack = 3 * np.sqrt(level * (1 - level) * (1 / 277 + 1 / 200))
    assert coverage(asked.y[:, 0], found.lower[:, 0], found.upper[:, 0]) == pytest.approx(level, abs=slack)


def test_a_wider_level_gives_a_wider_interval_around_the_same_mean(model, measured):
    narrow, wide = (model.predict(measured.smiles[740:760], level=level) for level in (0.5, 0.9))
    assert (wide.upper - wide.lower > narrow.upper - narrow.lower).all()
    np.testing.assert_array_equal(narrow.mean, wide.mean)
    np.testing.assert_allclose((wide.upper + wide.lower) / 2, wide.mean, atol=1e-4)


def test_the_domain_is_the_similarity_to_training_and_bad_rows_keep_their_place(model, measured):
    found = model.predict([measured.smiles[0], "c1ccccc", "C" * 30], level=0.9)
    columns = found.to_columns()
    assert found.domain[0] == pytest.approx(1.0)  # a training molecule
    assert found.reasons[1].startswith("E_PARSE")
    assert np.isnan(found.domain[1])
    assert columns["in_domain"].tolist() == ["in", "", "out"]  # triacontane is like no drug
    assert np.isnan(found.lower[1, 0])


def test_calibration_is_saved_with_the_model(model, measured, tmp_path):
    loaded = load_predictor(model.save(tmp_path / "model"))
    first, second = (one.predict(measured.smiles[740:750], level=0.8) for one in (model, loaded))
    np.testing.assert_allclose(first.upper, second.upper, atol=1e-6)
    assert loaded.record["calibration"]["n"] == 200
    assert first.domain_limit == second.domain_limit


def test_classes_get_sets_that_cover_each_class_and_probabilities_that_mean_what_they_say(measured):
    y = (measured.y > np.median(measured.y)).astype(np.float32)
    data = Dataset("active", measured.smiles, y, (Task("active", "binary"),))
    fitted = fit_on(TREES, data.take(range(500)), data.take(range(500, 540)))
    calibrate(fitted, data.take(range(500)), data.take(range(540, 740)))
    asked = data.take(range(740, 1017))
    found = fitted.predict(asked.smiles, level=0.8)
    for label in (0, 1):  # Mondrian: each class by itself
        rows = asked.y[:, 0] == label
        assert set_coverage(asked.y[rows, 0], found.sets["active"][rows]) == pytest.approx(0.8, abs=0.13)
    raw = fitted.predict(asked.smiles).mean[:, 0]
    assert expected_calibration_error(asked.y[:, 0], found.mean[:, 0]) < max(0.1, expected_calibration_error(asked.y[:, 0], raw))
    assert found.lower is None


def test_without_calibration_an_interval_is_refused_with_the_way_to_add_it(activity, parts):
    fitted = fit_on(MeanConfig(), activity.take(parts.train), activity.take(parts.valid))
    with pytest.raises(ConfigError, match="drugai calibrate"):
        fitted.predict(["CCO"], level=0.9)


def test_too_few_calibration_molecules_name_the_least_number():
    scores = np.arange(1.0, 9.0)  # 8 molecules
    with pytest.raises(ConfigError, match="at least 9"):
        conformal_quantile(scores, 0.9)
    assert conformal_quantile(np.arange(1.0, 10.0), 0.9) == 9.0  # ⌈10 × 0.9⌉ = the ninth of nine
    assert conformal_quantile(np.arange(1.0, 20.0), 0.5) == 10.0


def test_molecules_that_were_trained_on_do_not_calibrate(model, measured):
    with pytest.raises(DatasetError, match="were trained on"):
        calibrate(model, measured.take(range(500)), measured.take(range(490, 600)))
    with pytest.raises(DatasetError, match="at least 20"):
        calibrate(model, measured.take(range(500)), measured.take(range(540, 550)))


def test_the_width_follows_what_the_errors_follow():
    rng = np.random.default_rng(0)
    std, near = rng.uniform(0.1, 1.0, 2000), rng.uniform(0.2, 1.0, 2000).astype(np.float32)
    error = np.abs(rng.normal(size=2000)) * 2.0 * std
    width = fit_width(error, std, near)
    # the mean of |N(0, 1)| is √(2/π) = 0.80, so that errors are 1.6 × std
    assert width[1] == pytest.approx(1.6, abs=0.2)
    assert width[2] < 0.3
    assert (fit_width(np.ones(50), None, near[:50]) >= 0).all()
