"""Fit a model of any kind over folds: what comes out is the model, and what it says of each molecule without having learnt its value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from drugai.artifact import is_artifact
from drugai.contracts import Dataset
from drugai.errors import ConfigError
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.ensemble import EnsemblePredictor
from drugai.predictors.gaussian_process import GPConfig, GPPredictor
from drugai.predictors.learned_features import feature_matrix
from drugai.predictors.loading import load_predictor
from drugai.predictors.trees import TreesConfig, TreesPredictor
from drugai.runtime import derive_seed
from drugai.training.fit_gp import fit_gp_folds
from drugai.training.fit_trees import fit_trees
from drugai.training.folds import cut_rows
from drugai.training.rows import batch_of, take_rows, usable_rows

Fit = Callable[[Dataset, Dataset, int, int], TrainedPredictor]
"""(molecules to learn from, the fold that ends the training, seed, number of the fold) → model."""

_UNEVEN = 2.0  # largest fold ÷ smallest above which a few scaffolds hold most molecules, and folds of scaffolds would starve some models


def assign_folds(data: Dataset, folds: int, seed: int) -> tuple[np.ndarray, str]:
    """``[n]`` fold of each row, −1 of rows that cannot be learnt from, and how they were cut: by ``scaffold``, or by ``molecule`` where scaffolds do not fill the folds evenly.

    Held-out scaffolds are nearer to what a model is asked later than held-out molecules are: weights and intervals that rest on them are not too sure.
    """
    rows = usable_rows(data, "train").rows
    try:
        parts, method = cut_rows(data, rows, "scaffold", folds, seed), "scaffold"
    except ConfigError:  # fewer scaffolds than folds
        parts, method = [], "molecule"
    if method == "molecule" or max(map(len, parts)) > _UNEVEN * min(map(len, parts)):
        parts, method = cut_rows(data, rows, "random", folds, seed), "molecule"
    fold = np.full(len(data), -1)
    for number, part in enumerate(parts):
        fold[part] = number
    return fold, method


def fold_trees(config: TreesConfig, data: Dataset, fold: np.ndarray, seed: int) -> tuple[TreesPredictor, np.ndarray]:
    """Boosters that each go without one fold, which ends their growth, as one predictor; and ``[n, o]`` held-out outputs."""
    feature_matrix(batch_of(data), config.blocks)  # once: the folds take their rows of it
    fitted: list[TreesPredictor] = []

    def fit(rest: Dataset, part: Dataset, of: int, number: int) -> TrainedPredictor:
        fitted.append(fit_trees(config, rest, part, seed=of))
        return fitted[-1]

    _, held = fold_each(fit, data, fold, seed)
    boosters = [[booster for model in fitted for booster in model.boosters[task]] for task in range(len(data.tasks))]
    cost = sum(float(model.record["fit_cpu_seconds"]) for model in fitted)
    record = {**fitted[0].record, "trees": [[booster.num_trees() for booster in of_task] for of_task in boosters], "fit_cpu_seconds": round(cost, 2)}
    return TreesPredictor(data.tasks, config.replace(members=config.members * len(fitted)), boosters, record), held


def fold_gp(config: GPConfig, data: Dataset, fold: np.ndarray, seed: int) -> tuple[GPPredictor, np.ndarray]:
    """One process of all molecules, and ``[n, o]`` held-out outputs, which follow from it."""
    return fit_gp_folds(config, data, fold, seed=seed)


def fold_each(fit: Fit, data: Dataset, fold: np.ndarray, seed: int, checkpoint: Path | None = None) -> tuple[EnsemblePredictor, np.ndarray]:
    """A model a fold, fitted without it, and their mean; and ``[n, o]`` held-out outputs, NaN where the model could not read the molecule.

    Args:
        fit: Fits one of them.
        data: Measured molecules.
        fold: ``[n]`` from :func:`assign_folds`.
        seed: The models' seeds derive from it.
        checkpoint: Folder; a model that was finished is not fitted again.
    """
    models: list[TrainedPredictor] = []
    held = None
    for number in range(int(fold.max()) + 1):
        inside = np.flatnonzero(fold == number)
        part = take_rows(data, inside)
        folder = checkpoint / f"fold_{number}" if checkpoint is not None else None
        if folder is not None and is_artifact(folder):
            model = load_predictor(folder)
        else:
            rest = take_rows(data, np.flatnonzero((fold != number) & (fold >= 0)))
            model = fit(rest, part, derive_seed(seed, "fold", number) % 2**31, number)
            if folder is not None:
                model.save(folder)
        models.append(model)
        told, reasons = model.predict_members(batch_of(part))
        if held is None:
            held = np.full((len(data), told.shape[2]), np.nan)
        held[inside] = np.where(np.array([bool(why) for why in reasons])[:, None], np.nan, told.mean(0))
    assert held is not None  # there are two folds at least
    return EnsemblePredictor(models, record={"folds": len(models)}), held
