"""One training run from a data set's name to a saved model, and its evaluation afterwards: what ``drugai train`` and ``drugai evaluate`` call."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drugai.artifact import is_artifact
from drugai.contracts import Dataset, Split, TaskKind
from drugai.data import SPLIT_METHODS, read_dataset, read_dataset_with_rejected, split
from drugai.errors import ArtifactError, ConfigError
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.loading import load_predictor
from drugai.training.breakdown import Breakdown, break_down
from drugai.training.calibrating import LEAST, calibrate, calibrate_on_folds
from drugai.training.evaluation import Evaluation, evaluate, score_held_out
from drugai.training.fit import fit_predictor, model_config
from drugai.training.table_columns import with_descriptors, with_weights

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """What a run gave: the model, where it is, its parts and its scores on the validation part."""

    predictor: TrainedPredictor
    path: Path
    data: Dataset
    split: Split
    validation: Evaluation
    notes: tuple[str, ...]


def train_predictor(
    source: str | Path,
    out: str | Path,
    *,
    model: str = "gnn",
    smiles: str | None = None,
    targets: Sequence[str] | None = None,
    kinds: Mapping[str, TaskKind] | None = None,
    method: str = "scaffold",
    fractions: Sequence[float] = (0.8, 0.1, 0.1),
    column: str | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    config: Any = None,
    censored: str = "refuse",
    descriptors: Sequence[str] = (),
    weights: str | None = None,
    balanced: bool = False,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
    tensorboard: str | Path | None = None,
) -> TrainingRun:
    """Read, split, fit, score the validation part, save.

    A run that is killed continues from ``<out>.checkpoint`` when it is started again with the same arguments; the folder goes when the run is done.

    Args:
        source: Name of a card, or a file.
        out: Folder for the model.
        model: Name of the model.
        smiles, targets, kinds: Columns of a file; inferred where not given.
        method, fractions, column: The split.
        seed: Of the split and the training.
        settings: Fields of the Config to set (nested ones as ``net.depth``).
        config: A Config to start from instead of the model's default.
        censored: ``refuse``, ``bounds`` or ``drop``: what becomes of ``>10`` in a target (:mod:`drugai.data.bounds`).
        descriptors: Numeric columns of the file that trees and graph networks see beside the molecule.
        weights: Column with the weight of each row; None: all rows weigh the same, whatever the columns are called.
        balanced: Give both classes of a binary task the same weight in all.
        on_epoch: Called after each epoch.
        tensorboard: Folder for event files.
    """
    target = Path(out)
    if target.exists() and not is_artifact(target) and (not target.is_dir() or any(target.iterdir())):
        raise ArtifactError(f"{target} exists and is no drugai artifact; choose another folder or remove it")
    found = read_dataset_with_rejected(source, smiles=smiles, targets=targets, kinds=kinds, censored=censored)
    data = found.dataset
    if not data.tasks:
        raise ConfigError(f"{source}: there is no target to learn; name one with --target")
    parts = split(data, method=method, fractions=tuple(fractions), seed=seed, column=column)
    chosen = config if config is not None else model_config(model)
    chosen = chosen.replace(**settings) if settings else chosen
    chosen = with_descriptors(chosen, data, descriptors)
    data = with_weights(data, weights, parts.train if balanced else None)
    checkpoint = target.with_name(target.name + ".checkpoint")
    predictor = fit_predictor(chosen, data, parts, seed=seed, on_epoch=on_epoch, checkpoint=checkpoint, tensorboard=tensorboard)
    held_out = data.take(parts.valid)
    notes = list(found.notes)
    on_folds = predictor.held_out if learnt_from_valid(predictor) else None
    validation = evaluate(predictor, held_out) if on_folds is None else score_held_out(on_folds)
    if on_folds is not None:
        calibrate_on_folds(predictor, seed=seed)
        notes.append("the validation part was learnt from too: score and intervals rest on what the folds held out (--set whole=false keeps it unseen)")
    elif int((~np.isnan(held_out.y).all(axis=1)).sum()) >= LEAST:
        calibrate(predictor, data.take(parts.train), held_out, seed=seed)
    else:
        notes.append(f"the validation part has fewer than {LEAST} measured molecules: no intervals; `drugai calibrate` adds them from other molecules")
    predictor.record["source"] = {
        "data": str(source),
        "smiles": smiles,
        "targets": [task.name for task in data.tasks],
        "kinds": {task.name: task.kind for task in data.tasks},
        "split": {"method": method, "fractions": list(fractions), "seed": seed, "column": column},
        **({"censored": censored} if censored != "refuse" else {}),
        **({"weights": weights, "balanced": balanced} if weights or balanced else {}),
    }
    predictor.record["validation"] = validation.to_dict()
    predictor.save(target)
    shutil.rmtree(checkpoint, ignore_errors=True)
    return TrainingRun(predictor, target, data, parts, validation, tuple(notes))


def evaluate_saved(path: str | Path, source: str | Path | None = None, *, part: str = "test", smiles: str | None = None, censored: str = "refuse") -> Evaluation:
    """Evaluate a saved model: on a part of the data it was trained from, or on other measured molecules.

    Args:
        path: The model's folder.
        source: Another data set; None for the model's own.
        part: ``train``, ``valid`` or ``test`` of the model's own data; ignored for another data set.
        smiles: SMILES column of another file.
        censored: What becomes of bounds in another file; scores rest on measured values alone.

    Raises:
        ArtifactError: The model's own data has changed since it was trained (its checksum or that of its split differs).
    """
    predictor = load_predictor(path)
    if source is not None:
        return evaluate(predictor, read_dataset(source, smiles=smiles, targets=[task.name for task in predictor.tasks], censored=censored))
    data, parts = own_data(predictor, path)
    if part == "valid" and learnt_from_valid(predictor):
        raise ConfigError(f"{path} learnt from its validation part too: a score on it says nothing; the manifest's `validation` is of what the folds held out, and part test is unseen")
    return evaluate(predictor, data.take(parts.part(part)))


def _learnt(predictor: TrainedPredictor, parts: Split) -> np.ndarray:
    return np.sort(np.concatenate([parts.train, parts.valid])) if learnt_from_valid(predictor) else parts.train


def learnt_from_valid(predictor: TrainedPredictor) -> bool:
    """Whether the validation part of its own data was learnt from."""
    return bool(predictor.record.get("auto", {}).get("whole", False))


def break_down_saved(path: str | Path, found: Evaluation, source: str | Path | None = None, *, part: str = "test", smiles: str | None = None) -> Breakdown:
    """Where a saved model errs, for an evaluation that :func:`evaluate_saved` gave with the same arguments.

    Args:
        path: The model's folder.
        found: Its evaluation.
        source, part, smiles: As for :func:`evaluate_saved`.

    Raises:
        ArtifactError: The training molecules are not at hand: the model does not say which they were, or their data changed.
    """
    predictor = load_predictor(path)
    data, parts = own_data(predictor, path)
    asked = data.take(parts.part(part)) if source is None else read_dataset(source, smiles=smiles, targets=[task.name for task in predictor.tasks])
    return break_down(found.predictions, asked, data.take(_learnt(predictor, parts)))


def calibrate_saved(path: str | Path, source: str | Path | None = None, *, smiles: str | None = None) -> TrainedPredictor:
    """Calibrate a saved model on its own validation part or on other measured molecules, and save it in its place.

    Args:
        path: The model's folder.
        source: Measured molecules that it was not trained on; None for its own validation part.
        smiles: SMILES column of another file.
    """
    predictor = load_predictor(path)
    data, parts = own_data(predictor, path)
    names = [task.name for task in predictor.tasks]
    if source is None and learnt_from_valid(predictor):
        raise ConfigError(f"{path} learnt from its validation part too, and is calibrated on what its folds held out; name other measured molecules")
    held_out = data.take(parts.valid) if source is None else read_dataset(source, smiles=smiles, targets=names)
    calibrate(predictor, data.take(_learnt(predictor, parts)), held_out)
    predictor.record.pop("path", None)
    predictor.save(path)
    return predictor


def own_data(predictor: TrainedPredictor, path: str | Path) -> tuple[Dataset, Split]:
    """The data that a saved model was trained from and its parts, found again and checked.

    Raises:
        ArtifactError: The model does not say, or data or split have changed since (their checksums differ).
    """
    names = [task.name for task in predictor.tasks]
    stored = predictor.record.get("source")
    if stored is None:
        raise ArtifactError(f"{path}: the model does not say which data it was trained from; name a data set")
    data = read_dataset(stored["data"], smiles=stored["smiles"], targets=names, kinds=_file_kinds(stored), censored=stored.get("censored", "refuse"))
    if data.checksum != predictor.record["data"]["checksum"]:
        raise ArtifactError(f"{stored['data']}: the data changed since {path} was trained (checksum differs); its parts are no longer the same molecules")
    how = stored["split"]
    if how["method"] not in SPLIT_METHODS:
        raise ArtifactError(f"{path}: has no parts ({how['method']}); name measured molecules that it has not seen")
    parts = split(data, method=how["method"], fractions=tuple(how["fractions"]), seed=how["seed"], column=how["column"])
    if parts.checksum != predictor.record["split"]["checksum"]:
        raise ArtifactError(f"{path}: the split cannot be reproduced with this version of drugai or RDKit (its checksum differs)")
    return data, parts


def _file_kinds(stored: Mapping[str, Any]) -> Mapping[str, TaskKind] | None:
    # a card states the kinds itself; for a file those used in training are said again
    return stored["kinds"] if Path(stored["data"]).suffix else None
