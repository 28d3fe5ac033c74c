"""Fit boosted trees, one set of boosters a task; the validation part ends the growth."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from drugai.contracts import Dataset, Task
from drugai.predictors.learned_features import feature_matrix
from drugai.predictors.trees import TreesConfig, TreesPredictor
from drugai.runtime import available_cpus, derive_seed
from drugai.training.bounded_trees import bounded_objective, shift
from drugai.training.rows import Usable, check_trainable, origin, usable_rows

OnEpoch = Callable[[int, Mapping[str, float]], None]

# below so many rows a second thread saves little on a quiet machine and, waiting for the first, costs many times the work on a busy one
_MANY_ROWS = 20_000
_LOSSES = {"regression": ("regression", "l2"), "binary": ("binary", "binary_logloss"), "multiclass": ("multiclass", "multi_logloss")}


def fit_trees(config: TreesConfig, train: Dataset, valid: Dataset, *, seed: int = 0, on_epoch: OnEpoch | None = None) -> TreesPredictor:
    """Fit ``members`` boosters a task.

    Args:
        config: Shape of the trees.
        train, valid: Parts of one data set; ``valid`` chooses the number of trees alone.
        seed: The boosters' seeds derive from it.
        on_epoch: Called after each 25 trees of the first booster with its validation loss; may raise to end.
    """
    began = time.process_time()
    parts = {"train": usable_rows(train, "train", bounds=True), "valid": usable_rows(valid, "valid")}
    check_trainable(train, parts["train"])
    matrices = {name: feature_matrix(part.batch, config.blocks) for name, part in parts.items()}
    boosters = []
    for index, task in enumerate(train.tasks):
        found = [
            _fit_one(config, task, index, parts, matrices, derive_seed(seed, "trees", task.name, member) % 2**31, on_epoch if index == member == 0 else None)
            for member in range(config.members)
        ]
        boosters.append(found)
    rounds = [[booster.num_trees() for booster in of_task] for of_task in boosters]
    record = {**origin(train, valid), "seed": seed, "trees": rounds, "left_out": parts["train"].left_out, "fit_cpu_seconds": round(time.process_time() - began, 2)}
    return TreesPredictor(train.tasks, config, boosters, record)


class Growth(Protocol):
    """The fields of a Config that say how a booster grows."""

    @property
    def learning_rate(self) -> float: ...
    @property
    def leaves(self) -> int: ...
    @property
    def min_leaf(self) -> int: ...
    @property
    def feature_share(self) -> float: ...
    @property
    def row_share(self) -> float: ...
    @property
    def l2(self) -> float: ...


def booster_parameters(config: Growth, objective: str, metric: str, *, seed: int, threads: int = 1) -> dict[str, Any]:
    """LightGBM's parameters for a booster that comes out the same each time."""
    return {
        "objective": objective,
        "metric": metric,
        "learning_rate": config.learning_rate,
        "num_leaves": config.leaves,
        "min_data_in_leaf": config.min_leaf,
        "feature_fraction": config.feature_share,
        "bagging_fraction": config.row_share,
        "bagging_freq": 1,
        "lambda_l2": config.l2,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "feature_pre_filter": False,
        "num_threads": threads,
        "verbosity": -1,
    }


def _fit_one(
    config: TreesConfig, task: Task, index: int, parts: dict[str, Usable], matrices: dict[str, np.ndarray], seed: int, on_epoch: OnEpoch | None
) -> Any:
    import lightgbm

    objective, metric = _LOSSES[task.kind]
    threads = config.threads or (available_cpus() if len(matrices["train"]) >= _MANY_ROWS else 1)
    parameters = booster_parameters(config, objective, metric, seed=seed, threads=threads)
    if task.kind == "multiclass":
        parameters["num_class"] = task.n_classes
    train = parts["train"]
    bounds = train.bounds[:, index] if train.bounds is not None and task.kind == "regression" else None
    censored = bounds is not None and bool((~np.isnan(bounds).all(axis=1) & np.isnan(train.y[:, index])).any())
    center = float(np.nanmean(train.y[:, index])) if censored else 0.0
    sets: dict[str, Any] = {}
    for name, part in parts.items():
        known = ~np.isnan(part.y[:, index])
        if name == "train" and bounds is not None and censored:
            known |= ~np.isnan(bounds).all(axis=1)
        weights = part.weights[known] if part.weights is not None else None
        sets[name] = lightgbm.Dataset(
            matrices[name][known], part.y[known, index] - center, weight=weights, reference=sets.get("train"), params={"verbosity": -1}, free_raw_data=True
        )
        if name == "train" and bounds is not None and censored:
            sets[name].set_label(np.nan_to_num(part.y[known, index] - center))
            parameters["objective"] = bounded_objective(part.y[known, index] - center, bounds[known] - center, weights)
    callbacks = [lightgbm.early_stopping(config.patience, verbose=False)]
    if on_epoch is not None:
        callbacks.append(_reporter(on_epoch, task))
    has_valid = sets["valid"].get_label() is not None and len(sets["valid"].get_label()) > 0
    booster = lightgbm.train(parameters, sets["train"], config.rounds, valid_sets=[sets["valid"]] if has_valid else None, callbacks=callbacks if has_valid else None)
    return shift(booster, center) if censored else booster


def _reporter(on_epoch: OnEpoch, task: Task) -> Callable[[Any], None]:
    def report(environment: Any) -> None:
        if environment.iteration % 25 == 24 and environment.evaluation_result_list:
            value = float(environment.evaluation_result_list[0][2])
            # a booster's l2 is a mean squared error: the root of it is on the scale of the task, as everywhere else
            on_epoch(environment.iteration // 25, {"loss": value**0.5 if task.kind == "regression" else value})

    return report
