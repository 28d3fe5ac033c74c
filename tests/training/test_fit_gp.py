"""Gaussian processes against textbook formulas and plain refits."""

import numpy as np
import pytest

from drugai.contracts import Dataset, Task
from drugai.errors import ConfigError
from drugai.molecules import MoleculeBatch
from drugai.predictors import GPConfig, MeanConfig
from drugai.predictors.gaussian_process import covariance, kernel_inputs
from drugai.training import evaluate, fit_on
from drugai.training.fit_gp import _exact, fit_gp_folds, fit_hyperparameters, fit_logistic

SMALL = GPConfig(counts=("morgan",), descriptors=("descriptors",), steps=15)


def test_it_beats_the_training_mean_on_measured_activity(activity, parts):
    train, valid, test = (activity.take(part) for part in (parts.train, parts.valid, parts.test))
    process, mean = (evaluate(fit_on(config, train, valid), test) for config in (SMALL, MeanConfig()))
    assert process["rmse"] < mean["rmse"]
    assert process["spearman"] > 0.3


@pytest.mark.parametrize("together", [1, 3])
def test_what_is_held_out_equals_refitting_without_it(together):
    rng = np.random.default_rng(0)
    points, noise = rng.normal(size=(12, 2)), np.full(12, 0.1)
    kernel = np.exp(-((points[:, None] - points[None]) ** 2).sum(-1))
    target = np.sin(points[:, 0])
    alpha, inverse = _exact(kernel, target, noise)
    for part in np.arange(12).reshape(-1, together):
        rest = np.setdiff1d(np.arange(12), part)
        without, _ = _exact(kernel[np.ix_(rest, rest)], target[rest], noise[rest])
        told = target[part] - np.linalg.solve(inverse[np.ix_(part, part)], alpha[part])
        np.testing.assert_allclose(told, kernel[np.ix_(part, rest)] @ without, atol=1e-5)


@pytest.mark.parametrize("landmarks", [4000, 40])
def test_folds_say_what_processes_without_them_say(activity, parts, landmarks):
    """Exact, and carried by fewer landmarks: refits with the whole's hyper-parameters, landmarks and scale give what followed from the one fit."""
    config = GPConfig(counts=("morgan",), descriptors=("descriptors",), steps=5, landmarks=landmarks)
    data = activity.take(parts.train)
    fold = np.arange(len(data)) % 3
    whole, held = fit_gp_folds(config, data, fold)
    theta = whole.processes[0].theta
    batch = MoleculeBatch(data.smiles)
    inputs, _ = kernel_inputs(batch, config)
    marks = whole.landmarks if landmarks < len(data) else inputs
    center, spread = data.y[:, 0].mean(), data.y[:, 0].std()
    target = (data.y[:, 0] - center) / spread
    cross = covariance(inputs.against(marks), theta).astype(np.float64)
    among = covariance(marks.against(marks), theta).astype(np.float64)
    for number in range(3):
        rest = fold != number
        if landmarks < len(data):  # subset of regressors
            system = among + 1e-4 * np.eye(len(among)) + cross[rest].T @ cross[rest] / theta[-1]
            expected = cross[~rest] @ np.linalg.solve(system, cross[rest].T @ target[rest] / theta[-1])
        else:
            expected = cross[np.ix_(~rest, rest)] @ np.linalg.solve(cross[np.ix_(rest, rest)] + (theta[-1] + 1e-6) * np.eye(rest.sum()), target[rest])
        np.testing.assert_allclose(held[~rest, 0], expected * spread + center, atol=2e-3)


def test_the_likelihood_finds_which_kernel_carries_the_values():
    rng = np.random.default_rng(0)
    told, silent = (np.tanh(rng.normal(size=(80, 3))) for _ in range(2))
    kernels = np.stack([np.exp(-((part[:, None] - part[None]) ** 2).sum(-1)) for part in (told, silent)] + [np.full((80, 80), 50.0)])
    theta = fit_hyperparameters(kernels, told @ np.array([1.0, -1.0, 0.5]), SMALL)
    assert theta[0] > 10 * theta[1]
    assert theta[-1] < 0.05  # the values have no noise


def test_with_as_many_landmarks_as_molecules_the_carried_process_is_the_exact_one(activity, parts):
    train, valid = activity.take(parts.train), activity.take(parts.valid)
    exact = fit_on(SMALL, train, valid)
    # one landmark fewer than molecules: the subset of regressors, nearly complete
    carried = fit_on(SMALL.replace(landmarks=len(train) - 1, likelihood_rows=len(train)), train, valid)
    assert np.corrcoef(exact.predict(valid.smiles).mean[:, 0], carried.predict(valid.smiles).mean[:, 0])[0, 1] > 0.97


def test_a_molecule_of_little_weight_is_hardly_fitted(activity, parts):
    train, valid = activity.take(parts.train), activity.take(parts.valid)
    y = train.y.copy()
    y[0] += 30.0  # one absurd value
    heavy, light = (
        Dataset("weighted", train.smiles, y, train.tasks, weights=np.where(np.arange(len(y)) == 0, weight, 1.0)) for weight in (1.0, 1e-5)
    )
    miss = [abs(fit_on(SMALL, data, valid).predict(train.smiles[:1]).mean[0, 0] - y[0, 0]) for data in (heavy, light)]
    assert miss[1] > miss[0]


def test_probabilities_follow_the_frequencies():
    rng = np.random.default_rng(0)
    values = rng.normal(size=4000)
    positive = rng.random(4000) < 1 / (1 + np.exp(-(2 * values - 1)))
    slope, offset = fit_logistic(values, positive)
    assert (slope, offset) == pytest.approx((2, -1), abs=0.2)


def test_classes_are_probabilities_that_rank_the_test_part(activity, parts):
    y = (activity.y > np.median(activity.y)).astype(np.float32)
    data = Dataset("active", activity.smiles, y, (Task("active", "binary"),))
    model = fit_on(SMALL, data.take(parts.train), data.take(parts.valid))
    assert evaluate(model, data.take(parts.test))["roc_auc"] > 0.6


def test_a_process_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="at least one block"):
        GPConfig(counts=(), descriptors=())


def test_the_variance_is_the_textbooks():
    from drugai.predictors.gaussian_process import Process, covariance

    rng = np.random.default_rng(0)
    known, asked = rng.normal(size=(12, 2)), rng.normal(size=(3, 2))

    def kernels(a, b):  # one MinMax kernel, here a made-up one that is 1 on the diagonal, then squared distances
        distance = ((a[:, None] - b[None]) ** 2).sum(-1)
        return np.stack([np.exp(-0.5 * distance), distance])

    theta = np.array([0.7, 0.4, 2.0, 0.1])  # weight, amplitude, squared length, noise
    system = covariance(kernels(known, known), theta) + 0.1 * np.eye(12)
    process = Process(np.arange(12), np.zeros(12), theta, 0.0, 1.0, few=np.arange(12), factor=np.linalg.cholesky(system))
    cross = covariance(kernels(asked, known), theta)
    # Rasmussen and Williams, equation 2.26, and the noise of a measurement
    expected = 1.1 - np.einsum("nm,mk,nk->n", cross, np.linalg.inv(system), cross) + 0.1
    np.testing.assert_allclose(process.variance(kernels(asked, known)), expected, rtol=1e-6)
    fewer = Process(np.arange(12), np.zeros(12), theta, 0.0, 1.0, few=np.arange(5), factor=np.linalg.cholesky(system[:5, :5]))
    assert (fewer.variance(kernels(asked, known)) >= expected - 1e-9).all()


def test_a_process_is_surer_of_what_it_has_seen(activity, parts):
    model = fit_on(SMALL, activity.take(parts.train), activity.take(parts.valid))
    seen = model.predict(activity.take(parts.train).smiles).std[:, 0]
    strange = model.predict(["C" * 30, "FC(F)(F)C(F)(F)C(F)(F)F"]).std[:, 0]  # triacontane, perfluorobutane
    assert strange.min() > np.median(seen)
    for process in model.processes:
        process.factor.resize((0, 0), refcheck=False)  # as a model that an earlier version saved
    assert model.predict(["CCO"]).std is None
