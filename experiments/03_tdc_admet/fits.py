"""The models of the table that are this experiment's own: the recipe of the panel, CatBoost-MapLight on train and validation part together, and means of two models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "17_admet_panel"))

from baselines import maplight, train_and_valid  # noqa: E402
from protocol import plan_of, recipe  # noqa: E402

from drugai.contracts import Dataset, Split  # noqa: E402
from drugai.featurizers.blocks import featurize_blocks  # noqa: E402
from drugai.molecules import MoleculeBatch  # noqa: E402
from drugai.predictors.scales import SCALES  # noqa: E402
from drugai.training.admet import fit_folds  # noqa: E402


def predict_folds(entry: dict[str, Any], data: Dataset, split: Split, seed: int) -> np.ndarray:
    """The recipe of the panel on train and validation part, of one task alone: none learns from another."""
    fit = fit_folds(plan_of(entry, auxiliary=()), train_and_valid(data, split), recipe(), seed=seed)
    return fit.values(featurize_blocks(MoleculeBatch(data.take(split.test).smiles), recipe().blocks))


def predict_maplight(data: Dataset, split: Split, seed: int) -> np.ndarray:
    """CatBoost as MapLight sets it, fitted on train and validation part together, as its authors do."""
    return maplight(train_and_valid(data, split), [data.take(split.test).smiles], seed)[0][:, 0]


def mixed(entry: dict[str, Any], data: Dataset, first: list[float], second: list[float]) -> np.ndarray:
    """The mean of two models' values on the endpoint's scale."""
    scale = SCALES["classes" if data.tasks[0].kind == "binary" else entry.get("scale", "linear")]
    return np.asarray(scale.back((scale.there(np.array(first)) + scale.there(np.maximum(second, 1e-3) if entry.get("scale") == "log10" else np.array(second))) / 2))
