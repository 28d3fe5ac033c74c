"""The models of the table: each takes an endpoint's data set and parts and gives values for the test molecules. None sees a test value."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "17_admet_panel"))

from protocol import plan_of, recipe  # noqa: E402

import drugai  # noqa: E402
from drugai.contracts import Dataset, Split  # noqa: E402
from drugai.featurizers.blocks import featurize_blocks  # noqa: E402
from drugai.molecules import MoleculeBatch  # noqa: E402
from drugai.predictors.admet_scale import SCALES  # noqa: E402
from drugai.training.admet import fit_folds  # noqa: E402
from drugai.training.fit import model_config  # noqa: E402

MAPLIGHT = ("morgan", "avalon", "erg", "all_descriptors")
"""ECFP4 counts 1,024, Avalon counts 1,024, ErG 315, and RDKit's descriptors (215, without Ipc, where MapLight names 200)."""
LOG = ("tdc_vdss_lombardo", "tdc_clearance_hepatocyte_az")
"""Tasks whose logarithm MapLight learns."""


def predict_own(name: str, data: Dataset, split: Split, seed: int, settings: dict[str, Any] | None = None) -> np.ndarray:
    """A model of drugai by its name, with its defaults but for ``settings``."""
    config = model_config(name, settings)
    return np.asarray(drugai.fit_predictor(config, data, split, seed=seed).predict(data.take(split.test).smiles).mean[:, 0])


def predict_folds(entry: dict[str, Any], data: Dataset, split: Split, seed: int) -> np.ndarray:
    """The recipe of the panel on train and validation part."""
    fit = fit_folds(plan_of(entry), _learnt(data, split), recipe(), seed=seed)
    return fit.values(featurize_blocks(MoleculeBatch(data.take(split.test).smiles), recipe().blocks))


def predict_maplight(data: Dataset, split: Split, seed: int) -> np.ndarray:
    """CatBoost as MapLight sets it, one thread."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    learnt, test = _learnt(data, split), data.take(split.test)
    matrices = [np.nan_to_num(featurize_blocks(MoleculeBatch(part.smiles), MAPLIGHT), nan=0.0) for part in (learnt, test)]
    y = learnt.y[:, 0].astype(np.float64)
    settings: dict[str, Any] = {"random_strength": 2, "random_seed": seed, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
    if data.tasks[0].kind == "binary":
        return np.asarray(CatBoostClassifier(**settings, loss_function="Logloss").fit(matrices[0], y).predict_proba(matrices[1])[:, 1])
    offset = min(float(y.min()), 0.0)
    logged = data.name in LOG
    scaled = np.log10(y - offset + 1) if logged else y - offset
    center, spread = float(scaled.mean()), float(scaled.std())
    found = CatBoostRegressor(**settings, loss_function="MAE").fit(matrices[0], (scaled - center) / spread).predict(matrices[1]) * spread + center
    return np.asarray((10.0**found - 1 if logged else found) + offset)


def mixed(entry: dict[str, Any], data: Dataset, first: list[float], second: list[float]) -> np.ndarray:
    """The mean of two models' values on the endpoint's scale."""
    scale = SCALES["classes" if data.tasks[0].kind == "binary" else entry.get("scale", "linear")]
    return np.asarray(scale.back((scale.there(np.array(first)) + scale.there(np.maximum(second, 1e-3) if entry.get("scale") == "log10" else np.array(second))) / 2))


def _learnt(data: Dataset, split: Split) -> Dataset:
    return data.take(np.sort(np.concatenate([split.train, split.valid])))
