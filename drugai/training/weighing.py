"""The weights of an ensemble as something to tune: its members predict the validation part once, a trial costs nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, make_dataclass
from typing import Any

import numpy as np

from drugai.config import Config, tunable
from drugai.contracts import Dataset
from drugai.errors import ConfigError
from drugai.metrics.property import direction, known_pairs, metric_function
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.ensemble import EnsemblePredictor
from drugai.training.primary import PRIMARY, unit_of
from drugai.training.rows import batch_of


@dataclass(frozen=True, eq=False)
class WeightsScore:
    """Config of weights → score of the weighted mean on the validation part.

    Weights that are chosen on the molecules that ended the members' training are chosen with some luck: the test score will be a little worse.

    Attributes:
        members: Trained predictors of the same tasks.
        names: Of the members, the Config's fields.
        valid: Validation molecules.
        outputs: ``[m, n, t]`` the members' predictions.
        metric: What is measured.
        direction: ``min`` or ``max``.
    """

    members: tuple[TrainedPredictor, ...]
    names: tuple[str, ...]
    valid: Dataset
    outputs: np.ndarray
    metric: str
    direction: str

    @property
    def unit(self) -> str:
        """Of the score, ``""`` where it has none."""
        return unit_of(self.metric, self.valid.tasks)

    def start(self) -> Config:
        """Equal weights: a Config with a field a member, each to be searched from 0 to 1."""
        fields = [(name, float, tunable(1.0, 0.0, 1.0, help="weight in the mean; only the ratios count")) for name in self.names]
        made = make_dataclass("WeightsConfig", fields, bases=(Config,), frozen=True, namespace={"kind": "weights"})
        made.__module__ = __name__
        return made()  # type: ignore[no-any-return]

    def __call__(self, config: Any, *, on_model: Callable[[TrainedPredictor], None] | None = None) -> float:
        """Score of the weighted mean; all weights 0 are the same as all equal."""
        ensemble = self.ensemble(config)
        if on_model is not None:
            on_model(ensemble)
        mean = np.tensordot(ensemble.weights, self.outputs, axes=1)  # [n, t]
        function = metric_function(self.metric)
        values = [function(*known_pairs(self.valid.y[:, task], mean[:, task])) for task in range(mean.shape[1])]
        return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")

    def ensemble(self, config: Any) -> EnsemblePredictor:
        """The members with a Config's weights, a predictor like any other."""
        weights = [float(getattr(config, name)) for name in self.names]
        return EnsemblePredictor(list(self.members), weights if sum(weights) > 0 else None, {"names": list(self.names), **self.members[0].record})


def weights_score(members: Sequence[TrainedPredictor], valid: Dataset, *, metric: str | None = None, names: Sequence[str] | None = None) -> WeightsScore:
    """The closure that tuning maximizes or minimizes over the weights of trained predictors.

    Args:
        members: Two or more predictors of the same tasks.
        valid: Molecules that no member was trained on.
        metric: By default RMSE for regression, ROC-AUC for binary and balanced accuracy for multiclass tasks.
        names: Of the members; by default their kinds, numbered where they repeat.

    Raises:
        ConfigError: Fewer than two members, or multiclass tasks, whose classes cannot be averaged.
    """
    if len(members) < 2:
        raise ConfigError(f"weights need two or more predictors, got {len(members)}")
    tasks = members[0].tasks
    if any(task.kind == "multiclass" for task in tasks):
        raise ConfigError("weights of multiclass predictors are not tuned; use EnsembleConfig(weights='validation')")
    given = list(names) if names is not None else [type(member).__name__.removesuffix("Predictor").lower() for member in members]
    taken = [re.sub(r"\W", "_", name) for name in given]
    numbered = tuple(name if taken.count(name) == 1 else f"{name}_{taken[:place].count(name) + 1}" for place, name in enumerate(taken))
    chosen = metric or PRIMARY[tasks[0].kind]
    ordered = valid.select([task.name for task in tasks])
    outputs = np.stack([member.predict(batch_of(ordered)).mean for member in members])
    return WeightsScore(tuple(members), numbered, ordered, outputs, chosen, direction(chosen))
