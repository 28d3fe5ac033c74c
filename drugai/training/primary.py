"""The one number by which a predictor is chosen: the metric of its task's kind, averaged over tasks."""

from __future__ import annotations

import numpy as np

from drugai.contracts import Dataset, Predictions
from drugai.metrics.property import known_pairs, metric_function

PRIMARY = {"regression": "rmse", "binary": "roc_auc", "multiclass": "balanced_accuracy"}


def score_predictions(predictions: Predictions, data: Dataset, metric: str) -> float:
    """Mean over the tasks of one metric, tasks on which it is NaN left out."""
    function = metric_function(metric)
    values = [function(*known_pairs(data.y[:, index], predictions.mean[:, index])) for index in range(len(predictions.tasks))]
    return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")
