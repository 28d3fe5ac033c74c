"""Fit any predictor from its Config."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from drugai.catalogue import lookup, names
from drugai.config import Config
from drugai.contracts import Dataset, Split, Task
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.constant import MeanConfig, MeanPredictor
from drugai.training.rows import check_trainable, origin, usable_rows

logger = logging.getLogger(__name__)

OnEpoch = Callable[[int, Mapping[str, float]], None]


def _fit_trees(config: Config, train: Dataset, valid: Dataset, **options: Any) -> TrainedPredictor:
    from drugai.training.fit_trees import fit_trees

    options.pop("checkpoint", None)  # a booster takes seconds: there is nothing to resume
    options.pop("tensorboard", None)
    return fit_trees(config, train, valid, **options)  # type: ignore[arg-type]


def _fit_gnn(config: Config, train: Dataset, valid: Dataset, **options: Any) -> TrainedPredictor:
    from drugai.training.fit_gnn import fit_gnn

    return fit_gnn(config, train, valid, **options)  # type: ignore[arg-type]


def _fit_lm(config: Config, train: Dataset, valid: Dataset, **options: Any) -> TrainedPredictor:
    from drugai.training.fit_lm import fit_lm

    return fit_lm(config, train, valid, **options)  # type: ignore[arg-type]


def _fit_gp(config: Config, train: Dataset, valid: Dataset, **options: Any) -> TrainedPredictor:
    from drugai.training.fit_gp import fit_gp

    return fit_gp(config, train, valid, seed=options.get("seed", 0))  # type: ignore[arg-type]


def _fit_ensemble(config: Config, train: Dataset, valid: Dataset, **options: Any) -> TrainedPredictor:
    from drugai.training.fit_ensemble import fit_ensemble

    options.pop("tensorboard", None)
    return fit_ensemble(config, train, valid, **options)  # type: ignore[arg-type]


def _fit_bagged(config: Config, train: Dataset, valid: Dataset, **options: Any) -> TrainedPredictor:
    from drugai.training.fit_bagged import fit_bagged

    return fit_bagged(config, train, valid, seed=options.get("seed", 0), checkpoint=options.get("checkpoint"))  # type: ignore[arg-type]


def _fit_auto(config: Config, train: Dataset, valid: Dataset, **options: Any) -> TrainedPredictor:
    from drugai.training.fit_auto import fit_auto

    options.pop("tensorboard", None)
    return fit_auto(config, train, valid, **options)  # type: ignore[arg-type]


def _fit_mean(config: Config, train: Dataset, valid: Dataset, **options: Any) -> TrainedPredictor:
    used = usable_rows(train, "train")
    check_trainable(train, used)
    values: list[float] = []
    for index, task in enumerate(train.tasks):
        known = used.y[:, index][~np.isnan(used.y[:, index])]
        values.extend(_frequencies(task, known))
    return MeanPredictor(train.tasks, np.array(values), {**origin(train, valid), "seed": options.get("seed", 0)})


def _frequencies(task: Task, known: np.ndarray) -> list[float]:
    if task.kind == "multiclass":
        return [float(np.mean(known == label)) for label in range(task.n_classes)]
    return [float(known.mean())]


# name → (Config, fit); one line a model
MODELS: dict[str, str] = {
    "trees": "drugai.predictors.trees:TreesConfig",
    "gnn": "drugai.predictors.gnn:GNNConfig",
    "gp": "drugai.predictors.gaussian_process:GPConfig",
    "lm": "drugai.predictors.language:LMConfig",
    "ensemble": "drugai.predictors.ensemble:EnsembleConfig",
    "bagged": "drugai.predictors.bagged:BaggedConfig",
    "auto": "drugai.predictors.auto:AutoConfig",
    "mean": "drugai.predictors.constant:MeanConfig",
}
_FITS: dict[str, Callable[..., TrainedPredictor]] = {
    "trees": _fit_trees, "gnn": _fit_gnn, "gp": _fit_gp, "lm": _fit_lm, "ensemble": _fit_ensemble, "bagged": _fit_bagged, "auto": _fit_auto, "mean": _fit_mean
}  # fmt: skip


def model_names() -> list[str]:
    """The models that ``--model`` takes, registered ones included."""
    return names("model", MODELS)


def model_config(name: str, values: Mapping[str, Any] | None = None) -> Any:
    """The Config of the model called ``name``, with ``values`` set (nested keys as ``net.depth``)."""
    import importlib

    place = lookup("model", name, MODELS)
    if isinstance(place, str):
        module, _, attribute = place.partition(":")
        place = getattr(importlib.import_module(module), attribute)
    config = place()
    return config.replace(**values) if values else config


def fit_on(
    config: Any,
    train: Dataset,
    valid: Dataset,
    *,
    seed: int = 0,
    on_epoch: OnEpoch | None = None,
    checkpoint: str | Path | None = None,
    tensorboard: str | Path | None = None,
) -> TrainedPredictor:
    """Fit on two data sets. A registered Config brings its own ``fit(train, valid, seed=…)``."""
    if hasattr(config, "fit"):
        predictor: TrainedPredictor = config.fit(train, valid, seed=seed)
        return predictor
    fit = lookup("model", config.kind, _FITS)
    fitted: TrainedPredictor = fit(config, train, valid, seed=seed, on_epoch=on_epoch, checkpoint=checkpoint, tensorboard=tensorboard)
    return fitted


def fit_predictor(
    config: Any,
    data: Dataset,
    split: Split,
    *,
    seed: int = 0,
    on_epoch: OnEpoch | None = None,
    checkpoint: str | Path | None = None,
    tensorboard: str | Path | None = None,
) -> TrainedPredictor:
    """Fit on the training part, choosing epochs or trees on the validation part. No test row is seen.

    Args:
        config: ``TreesConfig``, ``GNNConfig``, ``MeanConfig`` or a registered one.
        data: The whole data set.
        split: Its parts.
        seed: The same seed on the same machine gives the same predictor.
        on_epoch: (epoch, scores) after each epoch; may raise to end the run.
        checkpoint: Folder from which a killed run continues.
        tensorboard: Folder for TensorBoard event files.

    Raises:
        DatasetError: Too few molecules, a constant target or one class alone.

    Example:
        >>> from drugai import TreesConfig, read_dataset, split           # doctest: +SKIP
        >>> data = read_dataset("esol")                                   # doctest: +SKIP
        >>> model = fit_predictor(TreesConfig(), data, split(data))       # doctest: +SKIP
    """
    predictor = fit_on(
        config, data.take(split.train), data.take(split.valid), seed=seed, on_epoch=on_epoch, checkpoint=checkpoint, tensorboard=tensorboard
    )
    predictor.record["data"] = {**predictor.record.get("data", {}), "checksum": data.checksum, "n": len(data)}
    predictor.record["split"] = {
        "method": split.method,
        "seed": split.seed,
        "checksum": split.checksum,
        "n": [len(split.train), len(split.valid), len(split.test)],
    }
    return predictor


__all__ = ["MODELS", "MeanConfig", "fit_on", "fit_predictor", "model_config", "model_names"]
