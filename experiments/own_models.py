"""drugai's own models of a table in which the validation part picks one: the mean, and an ensemble with its members."""

from __future__ import annotations

import drugai
from drugai.contracts import Dataset, Split
from drugai.predictors import EnsembleConfig, EnsemblePredictor, MeanConfig, TreesConfig
from drugai.predictors.base import TrainedPredictor


def fit_own(data: Dataset, split: Split, seed: int) -> tuple[EnsemblePredictor, dict[str, TrainedPredictor]]:
    """The ensemble (trees, Gaussian process, graph network, hybrid, with their defaults), and by name the mean, its members and itself."""
    ensemble = drugai.fit_predictor(EnsembleConfig(trees=TreesConfig(threads=1)), data, split, seed=seed)
    assert isinstance(ensemble, EnsemblePredictor)
    mean = drugai.fit_predictor(MeanConfig(), data, split, seed=seed)
    return ensemble, {"mean": mean, **dict(zip(ensemble.record["names"], ensemble.members, strict=True)), "ensemble": ensemble}
