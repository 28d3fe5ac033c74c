"""Fit predictors of several kinds and weigh them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from drugai.contracts import Dataset
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.ensemble import EnsembleConfig, EnsemblePredictor
from drugai.training.fit_gnn import fit_gnn
from drugai.training.fit_gp import fit_gp
from drugai.training.fit_trees import fit_trees
from drugai.training.rows import batch_of, origin

OnEpoch = Callable[[int, Mapping[str, float]], None]


def fit_ensemble(
    config: EnsembleConfig,
    train: Dataset,
    valid: Dataset,
    *,
    seed: int = 0,
    on_epoch: OnEpoch | None = None,
    checkpoint: str | Path | None = None,
) -> EnsemblePredictor:
    """Fit the members one after another, then weigh them on the validation part.

    ``on_epoch`` reports the graph network's epochs, which are most of the cost.
    """
    folder = Path(checkpoint) if checkpoint is not None else None
    fits: dict[str, Callable[[], TrainedPredictor]] = {
        "trees": lambda: fit_trees(config.trees, train, valid, seed=seed),
        "gp": lambda: fit_gp(config.gp, train, valid, seed=seed),
        "gnn": lambda: fit_gnn(config.gnn, train, valid, seed=seed, on_epoch=on_epoch, checkpoint=folder / "gnn" if folder else None),
        "hybrid": lambda: fit_gnn(config.hybrid, train, valid, seed=seed, checkpoint=folder / "hybrid" if folder else None),
    }
    members = [fits[name]() for name in config.members]
    weights = member_weights(members, valid) if config.weights == "validation" else np.full(len(members), 1 / len(members))
    return EnsemblePredictor(members, weights.tolist(), {**origin(train, valid), "seed": seed, "names": list(config.members)})


def member_weights(members: list[TrainedPredictor], valid: Dataset) -> np.ndarray:
    """``[k]`` weights by what the members say of the validation part."""
    return mixing_weights([member.predict_members(batch_of(valid))[0].mean(0) for member in members], valid)


def mixing_weights(outputs: Sequence[np.ndarray], data: Dataset) -> np.ndarray:
    """``[k]`` weights: halfway between those that minimize the squared error on molecules that were not learnt from and each member's inverse squared error to the second power.

    Halfway, because a validation part of a hundred molecules says little about the best mixture, but enough about which member is far behind. The squared error of a
    probability (Brier) serves for classes.

    Args:
        outputs: k × ``[n, o]`` on the tasks' scale, probabilities of classes; NaN where a member could not read the molecule.
        data: n measured molecules.
    """
    from scipy.optimize import nnls

    k = len(outputs)
    rows, targets = [], []
    column = 0
    for index, task in enumerate(data.tasks):
        labels = range(task.n_classes) if task.kind == "multiclass" else [None]
        for label in labels:
            truth = data.y[:, index] if label is None else np.where(np.isnan(data.y[:, index]), np.nan, data.y[:, index] == label)
            known = ~np.isnan(truth)
            for found in outputs:
                known &= ~np.isnan(found[:, column])
            if known.sum() >= 2:
                spread = float(np.std(truth[known])) or 1.0
                rows.append(np.stack([found[known, column] for found in outputs], axis=1) / spread)
                targets.append(truth[known] / spread)
            column += 1
    equal = np.full(k, 1 / k)
    if not rows:
        return equal
    design, target = np.concatenate(rows).astype(float), np.concatenate(targets).astype(float)
    # a heavy extra row holds the sum of the weights near 1
    heavy = 100.0 * np.sqrt(len(target))
    found, _ = nnls(np.vstack([design, heavy * np.ones(k)]), np.append(target, heavy))
    alone = 1.0 / np.maximum(((design - target[:, None]) ** 2).mean(0), 1e-6) ** 2
    return 0.5 * alone / alone.sum() + 0.5 * found / max(found.sum(), 1e-12)
