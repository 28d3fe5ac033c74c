"""The one number by which a predictor is chosen: the metric of its task's kind, averaged over tasks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drugai.contracts import Dataset, Predictions, Task
from drugai.metrics.property import known_pairs, metric_function

PRIMARY = {"regression": "rmse", "binary": "roc_auc", "multiclass": "balanced_accuracy"}


def unit_of(metric: str, tasks: Sequence[Task]) -> str:
    """The unit of a score: that of the tasks for an error in their unit (RMSE, MAE), where they share one; else ``""``."""
    units = {task.unit for task in tasks}
    return units.pop() if metric in ("rmse", "mae") and len(units) == 1 else ""


def score_predictions(predictions: Predictions, data: Dataset, metric: str) -> float:
    """Mean over the tasks of one metric, tasks on which it is NaN left out."""
    function = metric_function(metric)
    values = [function(*known_pairs(data.y[:, index], predictions.mean[:, index])) for index in range(len(predictions.tasks))]
    return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")
