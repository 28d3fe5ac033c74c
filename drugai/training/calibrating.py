"""Find how sure a fitted predictor is, from measured molecules that it was not fitted on."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from drugai.contracts import Dataset, Predictions
from drugai.errors import DatasetError
from drugai.models.similarity import ReferenceBits, nearest_similarity
from drugai.molecules import MoleculeBatch, fingerprint
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.calibration import BITS, RADIUS, Calibration, TaskCalibration, calibrated, width_of
from drugai.runtime import generator
from drugai.training.fit_gp import fit_logistic
from drugai.training.rows import batch_of, usable_rows

LEAST = 20
"""Calibration molecules below which nothing is said: a 90 % interval needs 9, a 95 % interval 19."""
FOLDS = 5


def calibrate(predictor: TrainedPredictor, train: Dataset, held_out: Dataset, *, seed: int = 0) -> Calibration:
    """Calibrate ``predictor`` in place.

    The molecules should be drawn like those it will be asked about. The validation part of a training run serves, with a caveat: it chose epochs and weights, so
    that its errors are a little small and intervals a little narrow (experiments/06_uncertainty measures by how much).

    Args:
        predictor: A fitted one.
        train: The molecules it was fitted on, for the applicability domain.
        held_out: Measured molecules that it was not fitted on, at least 20.
        seed: Of the folds.

    Raises:
        DatasetError: Fewer than 20 usable molecules, or molecules that the predictor was fitted on.
    """
    used = usable_rows(held_out, "calibration")
    if len(used.batch) < LEAST:
        raise DatasetError(f"{held_out.name}: {len(used.batch)} usable calibration molecules; at least {LEAST} are needed")
    known = MoleculeBatch(train.smiles)
    known = known.take(np.flatnonzero(known.valid))
    bits = fingerprint(known, "morgan", bits=BITS, radius=RADIUS)
    near = nearest_similarity(fingerprint(used.batch, "morgan", bits=BITS, radius=RADIUS), ReferenceBits.prepare(bits)).astype(np.float32)
    shared = set(train.smiles) & set(used.batch.smiles)
    if shared:
        raise DatasetError(f"{held_out.name}: {len(shared)} calibration molecules were trained on (first: {min(shared)}); errors on them say nothing")
    found = _of_tasks(predictor.predict(used.batch), used.y, near, seed)
    limit = float(np.quantile(near, 0.05))
    predictor.calibration = Calibration(found, np.packbits(bits, axis=1), limit)
    predictor.record["calibration"] = {"data": held_out.name, "checksum": held_out.checksum, "n": len(used.batch), "domain_limit": limit}
    return predictor.calibration


def calibrate_on_folds(predictor: TrainedPredictor, *, seed: int = 0) -> Calibration:
    """Calibrate in place a predictor that was just fitted over folds, by what it said of each fold without having learnt it.

    What it will say of other molecules is the mean over the folds' models, whose errors are a little smaller: the intervals are a little wide, never narrow by that
    (cross-conformal prediction: Vovk, Annals of Mathematics and Artificial Intelligence 2015, 74, 9; 10.1007/s10472-013-9368-4).

    Raises:
        DatasetError: Fewer than 20 molecules were held out.
    """
    told = predictor.held_out
    if told is None:
        raise DatasetError("this predictor was not fitted over folds: there is nothing that it said of held-out molecules")
    rows = np.flatnonzero(told.fold >= 0)
    if len(rows) < LEAST:
        raise DatasetError(f"{told.data.name}: {len(rows)} held-out molecules; at least {LEAST} are needed")
    fold = told.fold[rows]
    bits = fingerprint(batch_of(told.data).take(rows), "morgan", bits=BITS, radius=RADIUS)
    near = np.empty(len(rows), dtype=np.float32)
    for number in np.unique(fold):
        near[fold == number] = nearest_similarity(bits[fold == number], ReferenceBits.prepare(bits[fold != number]))
    found = _of_tasks(told.predictions.take(rows), told.data.y[rows], near, seed)
    limit = float(np.quantile(near, 0.05))
    predictor.calibration = Calibration(found, np.packbits(bits, axis=1), limit)
    record = {"data": f"{told.data.name}, held-out folds", "checksum": told.data.checksum, "n": len(rows), "domain_limit": limit}
    predictor.record["calibration"] = record
    return predictor.calibration


def _of_tasks(predictions: Predictions, y: np.ndarray, near: np.ndarray, seed: int) -> tuple[TaskCalibration | None, ...]:
    """A calibration a task from predictions of molecules whose values ``[n, t]`` were not learnt; None where there are too few, one class alone, or many classes."""
    found: list[TaskCalibration | None] = []
    for index, task in enumerate(predictions.tasks):
        rows = np.flatnonzero(~np.isnan(y[:, index]) & ~np.isnan(predictions.mean[:, index]))
        if len(rows) < LEAST or task.kind == "multiclass":
            found.append(None)
            continue
        mean, truth = predictions.mean[rows, index].astype(np.float64), y[rows, index].astype(np.float64)
        folds = generator(seed, "calibration", task.name).permutation(len(rows)) % FOLDS
        if task.kind == "regression":
            std = None if predictions.std is None else predictions.std[rows, index].astype(np.float64)
            found.append(calibrate_values(np.abs(truth - mean), std, near[rows], folds))
        elif 0 < truth.sum() < len(truth):
            found.append(calibrate_classes(mean, truth > 0.5, folds))
        else:
            found.append(None)
    return tuple(found)


def calibrate_values(error: np.ndarray, std: np.ndarray | None, near: np.ndarray, folds: np.ndarray) -> TaskCalibration:
    """Calibration of a regression from absolute errors ``[n]``, spreads ``[n]`` or None, nearest similarities ``[n]`` and folds ``[n]`` 0 to 4.

    Each molecule's score uses a width that was fitted without it, so that the quantile is of molecules that the width has not seen.
    """
    scores = np.empty(len(error))
    for fold in range(FOLDS):
        inside = folds == fold
        width = fit_width(error[~inside], None if std is None else std[~inside], near[~inside])
        scores[inside] = error[inside] / width_of(width, None if std is None else std[inside], near[inside])
    return TaskCalibration(np.sort(scores), np.zeros(0), fit_width(error, std, near))


def fit_width(error: np.ndarray, std: np.ndarray | None, near: np.ndarray) -> np.ndarray:
    """``[3]`` coefficients, not negative, of the least-squares line of the absolute error on 1, the spread and the distance from the training molecules.

    The constant is at least a fifth of the mean error, so that no interval is nearly nothing.
    """
    typical = float(error.mean()) or 1e-6
    columns = np.stack([np.ones(len(error)), np.zeros(len(error)) if std is None else std, 1.0 - near], axis=1)
    found, _ = nnls(columns.astype(np.float64), error)
    found[0] = max(found[0], 0.2 * typical)
    return np.asarray(found)


def calibrate_classes(probability: np.ndarray, positive: np.ndarray, folds: np.ndarray) -> TaskCalibration:
    """Calibration of classes from probabilities ``[n]``, classes ``[n]`` and folds ``[n]`` 0 to 4; scores are of probabilities calibrated without the molecule itself."""
    inside = np.clip(probability, 1e-6, 1 - 1e-6)
    logit = np.log(inside / (1 - inside))
    curve = _curve(logit, positive)
    honest = np.empty(len(logit))
    for fold in range(FOLDS):
        out = folds == fold
        rest = positive[~out]
        honest[out] = calibrated(probability[out], *(_curve(logit[~out], rest) if 0 < rest.sum() < len(rest) else curve))
    return TaskCalibration(np.sort(1 - honest[positive]), np.sort(honest[~positive]), np.zeros(3), *curve)


def _curve(logit: np.ndarray, positive: np.ndarray) -> tuple[float, float]:
    slope, offset = fit_logistic(logit, positive)
    return max(slope, 0.0), offset  # a model that is worse than chance becomes the frequency, never its own opposite
