"""How good a predictor is: metrics with intervals on a data set, and the validation score that tuning may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from drugai.contracts import Dataset, Predictions, Split
from drugai.errors import ConfigError, count_reasons
from drugai.metrics.property import DEFAULT_METRICS, Estimate, direction, estimate
from drugai.predictors.base import HeldOut, TrainedPredictor
from drugai.training.fit import fit_on
from drugai.training.primary import PRIMARY as PRIMARY
from drugai.training.primary import score_predictions as score_predictions
from drugai.training.primary import unit_of
from drugai.training.rows import batch_of


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Metrics of each task with 95 % bootstrap intervals, the rows they rest on and the rows that could not be predicted."""

    data: str
    scores: Mapping[str, Mapping[str, Estimate]]
    units: Mapping[str, str]
    n: int
    reasons: Mapping[str, int]
    predictions: Predictions

    def __getitem__(self, metric: str) -> float:
        """Mean of a metric over the tasks that have it (NaN tasks left out)."""
        values = [of_task[metric].value for of_task in self.scores.values() if metric in of_task]
        if not values:
            raise ConfigError(f"no task was scored by {metric!r}; scored are {', '.join(sorted({key for of_task in self.scores.values() for key in of_task}))}")
        return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "data": self.data,
            "n": self.n,
            "reasons": dict(self.reasons),
            "scores": {task: {metric: found.to_dict() for metric, found in of_task.items()} for task, of_task in self.scores.items()},
        }

    def __str__(self) -> str:
        lines = [f"{self.data}: {self.n} molecules" + (f", not predicted: {dict(self.reasons)}" if self.reasons else "")]
        for task, of_task in self.scores.items():
            unit = f" [{self.units[task]}]" if self.units[task] else ""
            lines.append(f"  {task}{unit}  (n = {next(iter(of_task.values())).n})")
            lines.extend(f"    {metric:18s} {found}" for metric, found in of_task.items())
        return "\n".join(lines)


def evaluate(predictor: TrainedPredictor, data: Dataset, *, metrics: Sequence[str] | None = None, seed: int = 0) -> Evaluation:
    """Score a predictor on measured molecules.

    Args:
        predictor: Any Predictor.
        data: Measured molecules with the predictor's tasks (matched by name).
        metrics: Names; by default those usual for each task's kind.
        seed: Of the bootstrap.

    Returns:
        Each metric with its 95 % interval; NaN on a degenerate part (one class, fewer than two molecules).
    """
    data = data.select([task.name for task in predictor.tasks])
    predictions = predictor.predict(batch_of(data) if predictor.columns else data.smiles)
    return score_parts(predictions, data, metrics=metrics, seed=seed)


def score_held_out(found: HeldOut, *, metrics: Sequence[str] | None = None, seed: int = 0) -> Evaluation:
    """Score what a predictor said of folds that it had not learnt from; in each fold that is one of its models, not their mean."""
    rows = np.flatnonzero(found.fold >= 0)
    held = found.data.take(rows)
    return score_parts(found.predictions.take(rows), replace(held, name=f"{held.name}, held-out folds"), metrics=metrics, seed=seed)


def score_parts(predictions: Predictions, data: Dataset, *, metrics: Sequence[str] | None = None, seed: int = 0) -> Evaluation:
    """Score predictions of measured molecules, row by row; arguments as of :func:`evaluate`."""
    scores: dict[str, dict[str, Estimate]] = {}
    for index, task in enumerate(predictions.tasks):
        chosen = metrics if metrics is not None else DEFAULT_METRICS[task.kind]
        scores[task.name] = {name: estimate(name, data.y[:, index], predictions.mean[:, index], seed=seed) for name in chosen}
    units = {task.name: task.unit for task in predictions.tasks}
    return Evaluation(data.name, scores, units, len(data), count_reasons(predictions.reasons), predictions)


@dataclass(frozen=True, eq=False)
class ValidationScore:
    """Config → score on the validation part. It holds the training and validation molecules alone: no test row can be seen through it.

    Attributes:
        metric: What is measured.
        direction: ``min`` or ``max``.
    """

    train: Dataset
    valid: Dataset
    metric: str
    direction: str

    def __call__(
        self,
        config: Any,
        *,
        seed: int = 0,
        on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
        on_model: Callable[[TrainedPredictor], None] | None = None,
    ) -> float:
        """Fit with ``config`` and score the validation part; ``on_model`` gets the fitted predictor."""
        predictor = self.fit(config, seed=seed, on_epoch=on_epoch)
        if on_model is not None:
            on_model(predictor)
        return self.score(predictor)

    def fit(self, config: Any, *, seed: int = 0, on_epoch: Callable[[int, Mapping[str, float]], None] | None = None) -> TrainedPredictor:
        """Fit with ``config`` on the training part; a Config that would learn from the validation part too is held back from it."""
        return fit_on(held_back(config), self.train, self.valid, seed=seed, on_epoch=on_epoch)

    def fixed(self, config: Any) -> dict[str, Any]:
        """Fields of ``config`` that change nothing here, with their values: a study leaves them alone.

        These are the loss of regression where no task is one, and in an ensemble the fields of models that take no part.
        """
        regression = any(task.kind == "regression" for task in self.train.tasks)
        absent = _absent(config)
        flat = _leaves(config.to_dict())
        return {key: value for key, value in flat.items() if key.startswith(absent) or (not regression and key.rpartition(".")[2] == "loss")}

    @property
    def unit(self) -> str:
        """Of the score, ``""`` where it has none."""
        return unit_of(self.metric, self.train.tasks)

    def score(self, predictor: TrainedPredictor) -> float:
        """Score a fitted predictor on the validation part."""
        return score_predictions(predictor.predict(batch_of(self.valid)), self.valid, self.metric)


def held_back(config: Any) -> Any:
    """The Config, told to leave the validation part alone if it would learn from it."""
    return config.replace(whole=False) if getattr(config, "whole", False) else config


def validation_score(data: Dataset, split: Split, metric: str | None = None) -> ValidationScore:
    """The closure that tuning maximizes or minimizes.

    Args:
        data: The whole data set; its test rows are not kept.
        split: Parts.
        metric: By default RMSE for regression, ROC-AUC for binary and balanced accuracy for multiclass tasks.
    """
    chosen = metric or PRIMARY[data.tasks[0].kind]
    return ValidationScore(data.take(split.train), data.take(split.valid), chosen, direction(chosen))


def _absent(config: Any, prefix: str = "") -> tuple[str, ...]:
    """Beginnings of the dotted keys of models that a Config of several kinds holds and does not use."""
    part = {"ensemble": "members", "auto": "candidates", "bagged": "base"}.get(getattr(config, "kind", ""))
    if part is None:
        return ()
    chosen = getattr(config, part)
    chosen = (chosen,) if isinstance(chosen, str) else chosen
    held = [one.name for one in fields(config) if hasattr(getattr(config, one.name), "kind")]
    found = [f"{prefix}{key}." for key in held if key not in chosen]
    return tuple(found) + tuple(name for key in held if key in chosen for name in _absent(getattr(config, key), f"{prefix}{key}."))


def _leaves(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted key."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found.update(_leaves(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value})
    return found
