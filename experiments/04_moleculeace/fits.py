"""The models of the table: each gives values for the test molecules of one target and sees none of their measured values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from baselines import ecfp, train_and_valid

import drugai
from drugai.contracts import Dataset, Split
from drugai.metrics.property import rmse
from drugai.predictors import EnsembleConfig, TreesConfig
from drugai.predictors.ensemble import EnsemblePredictor
from drugai.predictors.gaussian_process import GPConfig
from drugai.training.fit import fit_on


def predict_ours(data: Dataset, split: Split, seed: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """``trees``, ``gp``, ``ensemble`` and ``refit``: ``[n]`` values each; and what is worth knowing of the fits."""
    smiles = data.take(split.test).smiles
    ensemble = drugai.fit_predictor(EnsembleConfig(members=("trees", "gp"), trees=TreesConfig(threads=1)), data, split, seed=seed)
    whole = train_and_valid(data, split)
    refit = EnsemblePredictor([ensemble.members[0], fit_on(GPConfig(), whole, whole, seed=seed)], ensemble.weights.tolist())
    models = {**dict(zip(ensemble.record["names"], ensemble.members, strict=True)), "ensemble": ensemble, "refit": refit}
    found = {name: np.asarray(model.predict(smiles).mean[:, 0]) for name, model in models.items()}
    return found, {"weights": ensemble.weights.tolist(), "fit_cpu_seconds": {name: model.record.get("fit_cpu_seconds") for name, model in models.items()}}


def predict_svm(data: Dataset, split: Split, seed: int, grid: dict[str, Any], folds: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Support-vector regression on ECFP4 bits, searched and fitted on the whole training part."""
    from sklearn.svm import SVR

    # the Gaussian kernel of bits: the squared distance is the number of bits that differ, counted once for all settings
    x, asked = (ecfp(part.smiles).astype(np.float32) for part in (train_and_valid(data, split), data.take(split.test)))
    y = train_and_valid(data, split).y[:, 0].astype(np.float64)
    among, across = distances(x, x), distances(asked, x)

    def fitted(settings: dict[str, float], learnt: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        kernel = np.exp(-settings["gamma"] * among[np.ix_(learnt, learnt)])
        model = SVR(kernel="precomputed", C=settings["C"], epsilon=grid["epsilon"]).fit(kernel, y[learnt])
        return lambda apart: np.asarray(model.predict(np.exp(-settings["gamma"] * apart[:, learnt])))

    asked_for = [{"C": c, "gamma": gamma} for c in grid["C"] for gamma in grid["gamma"]]
    chosen, scores = search(asked_for, lambda settings, learnt, held: fitted(settings, learnt)(among[held]), y, folds, seed)
    return fitted(chosen, np.arange(len(y)))(across), {"chosen": chosen, "searched": scores}


def predict_forest(data: Dataset, split: Split, seed: int, grid: dict[str, Any], folds: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Random forest on ECFP4 bits, searched and fitted on the whole training part."""
    from sklearn.ensemble import RandomForestRegressor

    x, asked = (ecfp(part.smiles) for part in (train_and_valid(data, split), data.take(split.test)))
    y = train_and_valid(data, split).y[:, 0].astype(np.float64)

    def fitted(settings: dict[str, float], learnt: np.ndarray, trees: int) -> Any:
        return RandomForestRegressor(trees, max_features=settings["max_features"], random_state=seed, n_jobs=1).fit(x[learnt], y[learnt])

    asked_for = [{"max_features": share} for share in grid["max_features"]]
    chosen, scores = search(asked_for, lambda settings, learnt, held: fitted(settings, learnt, grid["search_trees"]).predict(x[held]), y, folds, seed)
    return np.asarray(fitted(chosen, np.arange(len(y)), grid["trees"]).predict(asked)), {"chosen": chosen, "searched": scores}


def search(
    settings: list[dict[str, float]], predict: Callable[[dict[str, float], np.ndarray, np.ndarray], np.ndarray], y: np.ndarray, folds: int, seed: int
) -> tuple[dict[str, float], list[float]]:
    """The settings with the least RMSE over shuffled folds, and the RMSE of each.

    Args:
        predict: ``(settings, rows learnt from, rows held out)`` → values of the rows held out.
    """
    order = np.random.default_rng(seed).permutation(len(y))
    parts = np.array_split(order, folds)
    scores = []
    for one in settings:
        held_out = np.empty(len(y))
        for part in parts:
            held_out[part] = predict(one, np.setdiff1d(order, part), part)
        scores.append(round(rmse(y, held_out), 5))
    return settings[int(np.argmin(scores))], scores


def distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """``[n, m]`` squared distances of rows of bits."""
    return np.asarray(first.sum(1)[:, None] + second.sum(1)[None] - 2 * first @ second.T)
