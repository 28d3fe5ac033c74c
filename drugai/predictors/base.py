"""What every trained predictor shares: row law, chunks, assembly of Predictions, saving."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from drugai.contracts import Dataset, Predictions, Task
from drugai.errors import ConfigError
from drugai.molecules import MoleculeBatch
from drugai.predictors.calibration import Calibration
from drugai.predictors.packing import Packed

CHUNK = 4096


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What a predictor that learnt from all of ``data`` said of each molecule while it had not learnt its value.

    Attributes:
        data: n measured molecules.
        predictions: n rows of it.
        fold: ``[n]`` molecules with one number were left out together; −1 of those that no fold held out.
    """

    data: Dataset
    predictions: Predictions
    fold: np.ndarray


class TrainedPredictor(ABC):
    """A model that was trained on measured molecules.

    Attributes:
        tasks: t tasks.
        record: What the manifest says of it: data and split checksums, metrics, history.
    """

    tasks: tuple[Task, ...]
    record: dict[str, Any]
    cost: float = 1000.0
    """Rough microseconds a molecule, by which a scorer orders its terms."""
    reads_mols_once: bool = False
    """Whether one thing alone is computed from the Mols, so that they need not be kept (see MoleculeBatch)."""
    calibration: Calibration | None = None
    """How sure it is; from :func:`drugai.training.calibrate`."""
    held_out: HeldOut | None = None
    """Of a predictor that was just fitted over folds of all molecules, the validation part among them; not saved."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table, beside the SMILES, that the model needs (:func:`drugai.molecules.with_columns`)."""
        return ()

    @abstractmethod
    def predict_members(self, batch: MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
        """``[m, n, o]`` outputs of the m members on the tasks' scale (o: one column a task, the classes of a multiclass one) and n reasons.

        Rows with a reason may hold anything.
        """

    def deviations(self, batch: MoleculeBatch) -> np.ndarray | None:
        """``[n, t]`` standard deviations by a model of its own, NaN where it has none; None: the spread of the members serves."""
        return None

    def featurize(self, batch: MoleculeBatch) -> None:
        """Compute, and leave in the batch, what :meth:`predict` needs of the molecules, so that it can be done beside another batch's arithmetic."""
        batch.mols  # noqa: B018 - at the least they are parsed

    @abstractmethod
    def pack(self) -> Packed:
        """The predictor as plain values, tensors and texts."""

    def predict(self, molecules: Sequence[str] | MoleculeBatch, *, level: float | None = None) -> Predictions:
        """Predict n molecules.

        Args:
            molecules: n SMILES or a MoleculeBatch.
            level: Coverage of intervals and class sets, for example 0.9; they, calibrated probabilities and the applicability domain need a calibrated model.

        Returns:
            n rows in the same order; an unreadable molecule is a NaN row with a reason. ``std`` is the model's own
            estimate of its error where it has one (a Gaussian process, ``bagged``), else the spread of the members, None of a single one.

        Raises:
            ConfigError: A level was asked of a model without calibration, or of one with too few calibration molecules for it.
        """
        if level is not None and self.calibration is None:
            raise ConfigError("this model has no calibration data for intervals; `drugai calibrate MODEL [DATA]` or drugai.calibrate(model, data) adds it")
        if isinstance(molecules, MoleculeBatch):
            outputs, reasons = self.predict_members(molecules)
            own = self.deviations(molecules)
        else:
            once = self.reads_mols_once and level is None
            batches = (MoleculeBatch(molecules[start : start + CHUNK], transient=once) for start in range(0, max(len(molecules), 1), CHUNK))
            if level is not None:
                return concatenate([self.predict(batch, level=level) for batch in batches])
            parts = [(*self.predict_members(batch), self.deviations(batch)) for batch in batches]
            outputs = np.concatenate([part[0] for part in parts], axis=1)
            reasons = tuple(text for part in parts for text in part[1])
            own = None if parts[0][2] is None else np.concatenate([part[2] for part in parts if part[2] is not None])
        found = assemble(self.tasks, outputs, reasons, own)
        if level is None or not isinstance(molecules, MoleculeBatch) or self.calibration is None:
            return found
        return self.calibration.apply(found, molecules, level)

    def save(self, path: str | Path) -> Path:
        """Write the artifact folder (written beside and renamed)."""
        packed = self.pack()
        if self.calibration is not None:
            packed = replace(packed, arrays={**packed.arrays, "calibration": self.calibration.to_arrays()}, record={**packed.record, "calibrated": True})
        return packed.write(path)

    def describe(self) -> str:
        """One line on what the model is."""
        return f"{type(self).__name__} for {', '.join(task.label for task in self.tasks)}"


def assemble(tasks: Sequence[Task], outputs: np.ndarray, reasons: Sequence[str], own: np.ndarray | None = None) -> Predictions:
    """Predictions from members' outputs ``[m, n, o]``: mean and, of two members or more, standard deviation; ``own`` ``[n, t]`` replaces it where it is not NaN."""
    bad = np.array([bool(text) for text in reasons], dtype=bool)
    m, n, _ = outputs.shape
    mean = np.full((n, len(tasks)), np.nan, dtype=np.float32)
    std = np.full((n, len(tasks)), np.nan, dtype=np.float32) if m > 1 else None
    probabilities: dict[str, np.ndarray] = {}
    start = 0
    for index, task in enumerate(tasks):
        width = task.n_classes if task.kind == "multiclass" else 1
        part = outputs[:, :, start : start + width]
        start += width
        if task.kind == "multiclass":
            share = part.mean(0)
            share[bad] = np.nan
            probabilities[task.name] = share
            mean[:, index] = np.argmax(np.nan_to_num(share), axis=1)
            top = part[:, np.arange(n), np.argmax(np.nan_to_num(share), axis=1)]
        else:
            top = part[:, :, 0]
            mean[:, index] = top.mean(0)
        if std is not None:
            std[:, index] = top.std(0, ddof=1)
    if own is not None:
        std = own.astype(np.float32) if std is None else np.where(np.isnan(own), std, own).astype(np.float32)
    mean[bad] = np.nan
    if std is not None:
        std[bad] = np.nan
    return Predictions(tuple(tasks), mean, tuple(reasons), std=std, probabilities=probabilities)


def concatenate(parts: Sequence[Predictions]) -> Predictions:
    """Predictions of the same model for chunks, one after another."""
    first = parts[0]

    def joined(name: str) -> np.ndarray | None:
        return None if getattr(first, name) is None else np.concatenate([getattr(part, name) for part in parts])

    arrays: dict[str, Any] = {name: joined(name) for name in ("mean", "std", "lower", "upper", "domain")}
    maps: dict[str, Any] = {
        name: {key: np.concatenate([getattr(part, name)[key] for part in parts]) for key in getattr(first, name)} for name in ("probabilities", "sets")
    }
    return replace(first, reasons=tuple(text for part in parts for text in part.reasons), **arrays, **maps)
