"""Learn on from a saved model: the data that it was trained from and the values measured since, with its own Config."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from drugai.contracts import Dataset
from drugai.data import read_dataset
from drugai.errors import ArtifactError, DatasetError
from drugai.molecules import MoleculeBatch
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.loading import load_predictor
from drugai.runtime import generator
from drugai.training.fit import fit_on, model_config

logger = logging.getLogger(__name__)

VALID_SHARE = 0.1
FEW = 500
"""Molecules below which boosted trees get no validation part: a tenth of them would end the growth by chance, often at the first tree."""
FEW_ROUNDS = 100


def fit_measured(config: Any, data: Dataset, *, seed: int = 0) -> TrainedPredictor:
    """Fit on everything that has been measured; a random tenth chooses epochs or trees.

    Of fewer than 500 molecules boosted trees take all, and grow 100 rounds at a rate of 0.1 in place of what the Config says of rounds and rate. There is no test
    part: what the model is worth shows in the next round of measurements.
    """
    if getattr(config, "kind", "") == "trees" and len(data) < FEW:
        return fit_on(config.replace(rounds=FEW_ROUNDS, learning_rate=0.1), data, data.take([]), seed=seed)
    n_valid = max(1, round(VALID_SHARE * len(data)))
    order = generator(seed, "measured").permutation(len(data))
    return fit_on(config, data.take(np.sort(order[n_valid:])), data.take(np.sort(order[:n_valid])), seed=seed)


def config_of(predictor: TrainedPredictor, kind: str) -> Any:
    """The Config that a saved predictor of ``kind`` was trained with."""
    packed = predictor.pack()
    empty = model_config(kind)
    if kind == "ensemble":  # its artifact holds the members' Configs and the weights, not the recipe
        return empty
    return type(empty).from_dict(packed.config)


def source_of(predictor: TrainedPredictor) -> Dataset:
    """The data that a saved predictor was trained from.

    Raises:
        ArtifactError: It does not say, or the data changed since.
    """
    stored = predictor.record.get("source")
    if stored is None:
        raise ArtifactError("the model does not say which data it was trained from; train it with `drugai train`, or give all measurements together")
    names = [task.name for task in predictor.tasks]
    kinds = stored["kinds"] if Path(stored["data"]).suffix else None
    data = read_dataset(stored["data"], smiles=stored["smiles"], targets=names, kinds=kinds)
    if data.checksum != predictor.record["data"]["checksum"]:
        raise ArtifactError(f"{stored['data']}: the data changed since the model was trained (its checksum differs); restore it or train again")
    return data


def join(old: Dataset, new: Dataset) -> Dataset:
    """Both data sets as one. Where a molecule stands in both, the newer value replaces the older, task by task.

    Raises:
        DatasetError: The tasks differ.
    """
    if [task.name for task in old.tasks] != [task.name for task in new.tasks]:
        got, expected = (", ".join(task.name for task in data.tasks) for data in (new, old))
        raise DatasetError(f"{new.name}: measures {got or 'nothing'}, the model was trained on {expected}; name the columns alike")
    rows = {smi: row for row, smi in enumerate(MoleculeBatch(old.smiles).canonical) if smi}
    y, added = old.y.copy(), []
    for row, smi in enumerate(MoleculeBatch(new.smiles).canonical):
        place = rows.get(smi) if smi else None
        if place is None:
            added.append(row)
        else:
            known = ~np.isnan(new.y[row])
            y[place, known] = new.y[row, known]
    return Dataset(f"{old.name}+{new.name}", (*old.smiles, *(new.smiles[row] for row in added)), np.concatenate([y, new.y[added]]), old.tasks)


def continue_fit(model: str | Path, measured: Dataset, *, seed: int = 0) -> tuple[TrainedPredictor, Dataset]:
    """A model like the saved one, trained on its old data and the new together.

    Args:
        model: Folder of the model; it stays as it is.
        measured: New values for the same tasks.
        seed: Of the fit.

    Returns:
        The new predictor and the data that it rests on.

    Raises:
        ArtifactError: The model does not say what it was trained from, or that changed.
        DatasetError: The tasks do not fit.
    """
    from drugai.artifact import read_artifact

    kind = read_artifact(model, "predictor").kind.partition("/")[2]
    predictor = load_predictor(model)
    if predictor.record.get("source", {}).get("weights"):
        logger.warning("%s was trained with weights from a column; old and new rows now weigh the same", model)
    data = join(source_of(predictor), measured)
    found = fit_measured(config_of(predictor, kind), data, seed=seed)
    found.record["data"] = {**found.record.get("data", {}), "checksum": data.checksum, "n": len(data)}
    found.record["continued"] = {"from": str(model), "n_old": len(data) - len(measured), "n_new": len(measured), "seed": seed}
    return found, data
