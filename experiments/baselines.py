"""Models that a chemist has today, fitted on one data set's rows: CatBoost-MapLight, random forest and LightGBM on ECFP. None sees a test value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import drugai
from drugai.contracts import Dataset, Split
from drugai.featurizers.blocks import featurize_blocks
from drugai.molecules import MoleculeBatch, fingerprint
from drugai.predictors.base import TrainedPredictor
from drugai.training.fit import model_config

MAPLIGHT = ("morgan", "avalon", "erg", "all_descriptors")
"""ECFP4 counts 1,024, Avalon counts 1,024, ErG 315, and RDKit's descriptors (215, without Ipc, where MapLight names 200)."""
LOG = ("tdc_vdss_lombardo", "tdc_clearance_hepatocyte_az")
"""Tasks whose logarithm MapLight learns."""


def predict_own(name: str, data: Dataset, split: Split, seed: int, settings: dict[str, Any] | None = None) -> np.ndarray:
    """A model of drugai by its name, with its defaults but for ``settings``: ``[n]`` values of the test molecules."""
    return np.asarray(train_own(name, data, split, seed, settings).predict(data.take(split.test).smiles).mean[:, 0])


def train_own(name: str, data: Dataset, split: Split, seed: int, settings: dict[str, Any] | None = None) -> TrainedPredictor:
    """A model of drugai by its name, with its defaults but for ``settings``, which has seen no test molecule."""
    return drugai.fit_predictor(model_config(name, settings), data, split, seed=seed)


def train_and_valid(data: Dataset, split: Split) -> Dataset:
    """All that may be learnt from."""
    return data.take(np.sort(np.concatenate([split.train, split.valid])))


def ecfp(molecules: Sequence[str] | MoleculeBatch) -> np.ndarray:
    """ECFP4 as ``[n, 1024]`` bits."""
    return np.asarray(fingerprint(molecules, "morgan", bits=1024, radius=2, counts=False))


def maplight(learnt: Dataset, smiles: Sequence[Sequence[str]], seed: int) -> list[np.ndarray]:
    """CatBoost as MapLight sets it, one thread, a model a task on its measured molecules: ``[n, t]`` values of each list of molecules."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    x, *asked = (np.nan_to_num(featurize_blocks(MoleculeBatch(part), MAPLIGHT), nan=0.0) for part in (learnt.smiles, *smiles))
    settings: dict[str, Any] = {"random_strength": 2, "random_seed": seed, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
    found = [np.full((len(part), len(learnt.tasks)), np.nan) for part in asked]
    for index, task in enumerate(learnt.tasks):
        known = ~np.isnan(learnt.y[:, index])
        y = learnt.y[known, index].astype(np.float64)
        if task.kind == "binary":
            classifier = CatBoostClassifier(**settings, loss_function="Logloss").fit(x[known], y)
            for values, part in zip(found, asked, strict=True):
                values[:, index] = classifier.predict_proba(part)[:, 1]
            continue
        offset = min(float(y.min()), 0.0)
        logged = learnt.name in LOG
        scaled = np.log10(y - offset + 1) if logged else y - offset
        center, spread = float(scaled.mean()), float(scaled.std())
        regressor = CatBoostRegressor(**settings, loss_function="MAE").fit(x[known], (scaled - center) / spread)
        for values, part in zip(found, asked, strict=True):
            raw = regressor.predict(part) * spread + center
            values[:, index] = (10.0**raw - 1 if logged else raw) + offset
    return found


def forest(learnt: Dataset, smiles: Sequence[Sequence[str]], seed: int, settings: dict[str, Any]) -> list[np.ndarray]:
    """Random forest on ECFP4 bits, a model a task: ``[n, t]`` values (probabilities of classes) of each list of molecules."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    x, *asked = (ecfp(part) for part in (learnt.smiles, *smiles))
    found = [np.full((len(part), len(learnt.tasks)), np.nan) for part in asked]
    for index, task in enumerate(learnt.tasks):
        known = ~np.isnan(learnt.y[:, index])
        kind = RandomForestClassifier if task.kind == "binary" else RandomForestRegressor
        model = kind(**settings, random_state=seed, n_jobs=1).fit(x[known], learnt.y[known, index])
        for values, part in zip(found, asked, strict=True):
            values[:, index] = model.predict_proba(part)[:, 1] if task.kind == "binary" else model.predict(part)
    return found


def boosted(train: Dataset, valid: Dataset, smiles: Sequence[Sequence[str]], seed: int, settings: dict[str, Any]) -> list[np.ndarray]:
    """LightGBM on ECFP4 bits, a model a task; the validation part ends the growth. ``[n, t]`` values of each list of molecules.

    Args:
        settings: LightGBM's parameters, and ``rounds`` and ``patience`` of the growth.
    """
    import lightgbm

    rounds, patience = settings["rounds"], settings["patience"]
    parameters = {key: value for key, value in settings.items() if key not in ("rounds", "patience")}
    x, held, *asked = (ecfp(part).astype(np.float32) for part in (train.smiles, valid.smiles, *smiles))
    found = [np.full((len(part), len(train.tasks)), np.nan) for part in asked]
    for index, task in enumerate(train.tasks):
        loss = {"objective": "binary", "metric": "binary_logloss"} if task.kind == "binary" else {"objective": "regression", "metric": "l2"}
        sets = []
        for matrix, part in ((x, train), (held, valid)):
            known = ~np.isnan(part.y[:, index])
            sets.append(lightgbm.Dataset(matrix[known], part.y[known, index], reference=sets[0] if sets else None, params={"verbosity": -1}))
        fixed = {**loss, **parameters, "seed": seed, "num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}
        model = lightgbm.train(fixed, sets[0], rounds, valid_sets=[sets[1]], callbacks=[lightgbm.early_stopping(patience, verbose=False)])
        for values, part in zip(found, asked, strict=True):
            values[:, index] = model.predict(part, num_threads=1)
    return found
