"""How sure a prediction is, kept with the model: conformal intervals, class sets, calibrated probabilities, and similarity to the training molecules.

A regression interval is ``mean ± q · width(x)``. ``width`` is what the calibration molecules' errors are like at this spread of the ensemble and this distance from the
training molecules; q is the conformal quantile of their errors divided by it, so that a molecule drawn like the calibration molecules lies inside with the asked
probability. Under a shift (new scaffolds) that promise weakens: the domain says how far from the training molecules a molecule is.

Source: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005; normalized conformal regression: Papadopoulos et al., ECML 2002; Mondrian class sets:
Norinder et al., J. Chem. Inf. Model. 2014, 54, 1596 (10.1021/ci5001168).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from drugai.contracts import Predictions, Task
from drugai.errors import ConfigError
from drugai.molecules import MoleculeBatch, fingerprint

if TYPE_CHECKING:
    from drugai.models.similarity import ReferenceBits

BITS = 2048
RADIUS = 2


@dataclass(frozen=True, eq=False)
class TaskCalibration:
    """What the calibration molecules say of one task.

    Attributes:
        scores: ``[c]`` ascending: of regression ``|error| ÷ width``; of classes ``1 − probability`` of molecules of class 1.
        other: ``[c']`` ascending, the same of molecules of class 0; empty for regression.
        width: ``[3]`` not negative: ``width(x) = width[0] + width[1] · std + width[2] · (1 − similarity)``; of classes unused.
        slope, offset: Logistic calibration of the logit of a probability.
    """

    scores: np.ndarray
    other: np.ndarray
    width: np.ndarray
    slope: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, eq=False)
class Calibration:
    """Calibration of a predictor.

    Attributes:
        tasks: One entry a task, None where nothing was measured or the task has many classes.
        training: ``[m, 256]`` uint8, packed Morgan bits (radius 2, 2,048 bits) of the training molecules.
        domain_limit: Similarity to the nearest training molecule below which a molecule is outside the domain: 95 of 100 calibration molecules are nearer.
    """

    tasks: tuple[TaskCalibration | None, ...]
    training: np.ndarray
    domain_limit: float

    def similarity(self, batch: MoleculeBatch) -> np.ndarray:
        """``[n]`` float32 Tanimoto similarity to the nearest training molecule; NaN for unreadable molecules."""
        from drugai.models.similarity import nearest_similarity

        found = nearest_similarity(fingerprint(batch, "morgan", bits=BITS, radius=RADIUS), self._reference).astype(np.float32)
        found[~batch.valid] = np.nan
        return found

    @cached_property
    def _reference(self) -> ReferenceBits:
        from drugai.models.similarity import ReferenceBits

        return ReferenceBits.prepare(np.unpackbits(self.training, axis=1))

    def apply(self, predictions: Predictions, batch: MoleculeBatch, level: float) -> Predictions:
        """The predictions with intervals or class sets at ``level``, calibrated probabilities and the domain.

        Raises:
            ConfigError: The level is not in (0, 1), or there are too few calibration molecules for it.
        """
        if not 0 < level < 1:
            raise ConfigError(f"interval level {level}: a coverage between 0 and 1 is needed, for example 0.9")
        near = self.similarity(batch)
        mean = predictions.mean.copy()
        lower, upper = np.full_like(mean, np.nan), np.full_like(mean, np.nan)
        sets: dict[str, np.ndarray] = {}
        for index, (task, known) in enumerate(zip(predictions.tasks, self.tasks, strict=True)):
            if known is None:
                continue
            if task.kind == "regression":
                std = None if predictions.std is None else predictions.std[:, index]
                half = conformal_quantile(known.scores, level, task.name) * width_of(known.width, std, near)
                lower[:, index], upper[:, index] = mean[:, index] - half, mean[:, index] + half
            else:
                mean[:, index] = calibrated(mean[:, index], known.slope, known.offset)
                sets[task.name] = class_sets(mean[:, index], known, level, task.name)
        # a class has no interval: its columns are there only if some task is a regression
        ends: dict[str, Any] = {"lower": lower, "upper": upper} if any(task.kind == "regression" for task in predictions.tasks) else {}
        return replace(predictions, mean=mean, level=level, domain=near, domain_limit=self.domain_limit, sets=sets, **ends)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Arrays for the artifact."""
        arrays = {"training": self.training, "domain_limit": np.array([self.domain_limit])}
        for index, found in enumerate(self.tasks):
            if found is not None:
                arrays[f"scores_{index}"], arrays[f"other_{index}"], arrays[f"width_{index}"] = found.scores, found.other, found.width
                arrays[f"curve_{index}"] = np.array([found.slope, found.offset])
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], tasks: Sequence[Task]) -> Calibration:
        """The calibration that :meth:`to_arrays` wrote."""
        found = [
            TaskCalibration(arrays[f"scores_{k}"], arrays[f"other_{k}"], arrays[f"width_{k}"], *(float(value) for value in arrays[f"curve_{k}"]))
            if f"scores_{k}" in arrays
            else None
            for k in range(len(tasks))
        ]
        return cls(tuple(found), arrays["training"], float(arrays["domain_limit"][0]))


def conformal_quantile(scores: np.ndarray, level: float, name: str = "") -> float:
    """The ``⌈(c + 1) level⌉``-th smallest of c ascending scores.

    Raises:
        ConfigError: c is too small for the level; the least size is named.
    """
    position = math.ceil((len(scores) + 1) * level - 1e-9)
    if position > len(scores):
        least = math.ceil(level / (1 - level) - 1e-9)
        raise ConfigError(f"task {name!r}: {len(scores)} calibration molecules cannot give a {level:g} interval; at least {least} are needed, or ask for a lower level")
    return float(scores[position - 1])


def width_of(width: np.ndarray, std: np.ndarray | None, near: np.ndarray) -> np.ndarray:
    """``[n]`` expected size of the error from ``[3]`` coefficients, the spread ``[n]`` or None, and the nearest similarity ``[n]``."""
    return np.asarray(width[0] + (0.0 if std is None else width[1] * std) + width[2] * (1.0 - near))


def calibrated(probability: np.ndarray, slope: float, offset: float) -> np.ndarray:
    """Logistic calibration of ``[n]`` probabilities; NaN stays NaN."""
    inside = np.clip(probability.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(1 / (1 + np.exp(-(slope * np.log(inside / (1 - inside)) + offset))))


def class_sets(probability: np.ndarray, known: TaskCalibration, level: float, name: str = "") -> np.ndarray:
    """``[n]`` text: the classes that are not refused at ``level``, ``"0"``, ``"1"``, ``"0 1"`` or ``""`` (like neither class)."""
    cut_one, cut_zero = conformal_quantile(known.scores, level, name), conformal_quantile(known.other, level, name)
    one, zero = 1 - probability <= cut_one, probability <= cut_zero
    found = np.where(zero & one, "0 1", np.where(one, "1", np.where(zero, "0", "")))
    return np.where(np.isnan(probability), "", found).astype(object)
