"""Fit one model a fold, and a model of the error from what each said of its own fold."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from drugai.artifact import is_artifact
from drugai.contracts import Dataset
from drugai.models.similarity import ReferenceBits, nearest_similarity
from drugai.molecules import fingerprint
from drugai.predictors.bagged import BaggedConfig, BaggedPredictor, error_columns, tasks_with_errors
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.calibration import BITS, RADIUS
from drugai.predictors.loading import load_predictor
from drugai.runtime import derive_seed, generator
from drugai.training.fit_gnn import fit_gnn
from drugai.training.fit_gp import fit_gp
from drugai.training.fit_trees import fit_trees
from drugai.training.rows import batch_of, check_trainable, origin, take_rows, usable_rows


def fit_bagged(config: BaggedConfig, train: Dataset, valid: Dataset, *, seed: int = 0, checkpoint: str | Path | None = None) -> BaggedPredictor:
    """Fit ``folds`` members on the training part.

    The validation part takes no part in it: a member's training ends by its own fold. So intervals that are calibrated on the validation part rest on molecules that nothing
    was chosen by.

    Args:
        config: Kind and number of members.
        train, valid: Parts of one data set; ``valid`` is named in the record alone.
        seed: Of folds and members.
        checkpoint: Folder; a member that was finished is not fitted again.
    """
    began = time.process_time()
    used = usable_rows(train, "train")
    check_trainable(train, used)
    fits: dict[str, Callable[[Dataset, Dataset, int], TrainedPredictor]] = {
        "trees": lambda rest, part, of: fit_trees(config.trees, rest, part, seed=of),
        "gp": lambda rest, part, of: fit_gp(config.gp, rest, part, seed=of),
        "gnn": lambda rest, part, of: fit_gnn(config.gnn, rest, part, seed=of),
    }
    fold = molecule_folds(train, config.folds, seed)
    members: list[TrainedPredictor] = []
    told = np.full((len(train), len(train.tasks)), np.nan)  # what the member without the molecule's fold says of it
    for number in range(config.folds):
        inside = np.flatnonzero(fold == number)
        part = take_rows(train, inside)
        folder = Path(checkpoint) / f"fold_{number}" if checkpoint is not None else None
        if folder is not None and is_artifact(folder):
            member = load_predictor(folder)
        else:
            member = fits[config.base](take_rows(train, np.flatnonzero((fold != number) & (fold >= 0))), part, derive_seed(seed, "bagged", number) % 2**31)
            if folder is not None:
                member.save(folder)
        told[inside] = member.predict(batch_of(part)).mean
        members.append(member)
    bits = fingerprint(batch_of(train), "morgan", bits=BITS, radius=RADIUS)
    errors = fit_errors(config, train, told, bits, fold, seed)
    record = {**origin(train, valid), "seed": seed, "left_out": used.left_out, "fit_cpu_seconds": round(time.process_time() - began, 2)}
    return BaggedPredictor(members, config, errors, np.packbits(bits[fold >= 0], axis=1), record)


def molecule_folds(data: Dataset, folds: int, seed: int) -> np.ndarray:
    """``[n]`` fold of each row, −1 of unreadable and unlabelled ones; rows of one molecule share a fold."""
    batch = batch_of(data)
    usable = batch.valid & ~np.isnan(data.y).all(axis=1)
    _, molecule = np.unique(np.array(batch.canonical, dtype=object).astype(str), return_inverse=True)
    order = generator(seed, "bagged", "folds").permutation(molecule.max() + 1 if len(molecule) else 0)
    return np.where(usable, order[molecule] % folds, -1)


def fit_errors(config: BaggedConfig, train: Dataset, told: np.ndarray, bits: np.ndarray, fold: np.ndarray, seed: int) -> list[Any]:
    """One booster a task that gives the expected size of the error, None where the task is no regression.

    It learns ``|value − told|`` under a gamma likelihood, so that what it gives is positive and the spread of the errors may grow with their size.

    Args:
        config: Features and rounds.
        train: The measured molecules.
        told: ``[n, t]`` predictions by the member that had not seen the molecule.
        bits: ``[n, 2048]`` of the molecules.
        fold: ``[n]``, −1 of rows that take no part.
        seed: Of the boosters.
    """
    import lightgbm

    near = np.full(len(train), np.nan)
    for number in range(config.folds):
        inside = fold == number
        near[inside] = nearest_similarity(bits[inside], ReferenceBits.prepare(bits[(fold >= 0) & ~inside]))
    errors: list[Any] = [None] * len(train.tasks)
    for index in tasks_with_errors(train.tasks):
        size = np.abs(train.y[:, index] - told[:, index])
        rows = np.flatnonzero(~np.isnan(size) & (fold >= 0))
        floor = 0.01 * float(size[rows].mean()) or 1e-6  # a gamma variable is above zero
        columns = error_columns(batch_of(train).take(rows), config, told[rows, index], near[rows])
        parameters = {
            "objective": "gamma", "learning_rate": 0.03, "num_leaves": 15, "min_data_in_leaf": 20, "feature_fraction": 0.2, "bagging_fraction": 0.7, "bagging_freq": 1,
            "lambda_l2": 5.0, "seed": derive_seed(seed, "bagged", "error", index) % 2**31, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1,
        }  # fmt: skip
        data = lightgbm.Dataset(columns, np.maximum(size[rows], floor), params={"verbosity": -1})
        errors[index] = lightgbm.train(parameters, data, config.error_rounds)
    return errors
