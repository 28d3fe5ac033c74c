"""Gaussian processes on fragments and descriptors: exact Bayesian regression for data sets of hundreds to thousands of molecules.

The covariance of two molecules is a weighted sum of MinMax similarities of counts (circular, pharmacophoric, atom pairs, Avalon) and a Gaussian of the distance
of their descriptors, and one of the distance of what an encoder has learnt where one is named. Where there are more molecules than ``landmarks``, the process is carried by that many of them (subset of regressors).

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press 2006, chapters 2, 5.4.2 (leave-one-out) and 8.3.1; Tanimoto kernels of molecules:
Griffiths et al., GAUCHE, NeurIPS 2023 (arXiv:2212.04450).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from drugai.config import Config, setting, tunable
from drugai.contracts import Task
from drugai.errors import ConfigError
from drugai.featurizers.blocks import featurize_blocks
from drugai.models.kernels import LEVELS, minmax_kernel, squared_distance
from drugai.molecules import MoleculeBatch
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.feature_scale import FeatureScale
from drugai.predictors.learned_features import ENCODER, check_encoders, checksums, feature_matrix
from drugai.predictors.packing import Packed, Stored, write_tasks

_CHUNK = 1024


@dataclass(frozen=True)
class GPConfig(Config):
    """A Gaussian process and how its hyper-parameters are found."""

    kind = "gp"

    counts: tuple[str, ...] = setting(("morgan3", "feature_morgan", "atom_pair", "avalon"), help="blocks of counts, each with a MinMax kernel")
    descriptors: tuple[str, ...] = setting(("all_descriptors",), help="blocks of real values, together one Gaussian kernel")
    encoders: tuple[str, ...] = setting((), help="encoders (graph_encoder_small, encoder_small or a folder); the embeddings of each one Gaussian kernel")
    landmarks: int = setting(4000, help="molecules that carry the process; exact up to so many training molecules")
    likelihood_rows: int = setting(1000, help="training molecules on which the marginal likelihood is maximized")
    steps: int = setting(40, help="steps of L-BFGS")
    deviation_landmarks: int = setting(1000, help="landmarks whose covariance is kept in the model to say how sure it is (4 MB for 1,000)")
    prior: float = tunable(3.0, 0.5, 5.0, help="standard deviation of the normal prior of the logarithm of every weight, length and noise about log 0.3")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.counts and not self.descriptors:
            raise ConfigError("GPConfig: a Gaussian process needs at least one block of counts or descriptors")
        if min(self.landmarks, self.likelihood_rows, self.deviation_landmarks) < 20 or self.steps < 1 or self.prior <= 0:
            raise ConfigError(f"GPConfig: landmarks, likelihood_rows and deviation_landmarks must be at least 20, steps at least 1 and prior above 0; got {self.to_dict()}")


@dataclass(frozen=True, eq=False)
class KernelInputs:
    """What the kernels compare of n molecules: per block ``[n, d]`` uint8 counts (capped at 16), and per set of real values ``[n, k]`` float32: scaled descriptors, then embeddings."""

    counts: tuple[np.ndarray, ...]
    reals: tuple[np.ndarray, ...]

    def take(self, rows: np.ndarray | slice) -> KernelInputs:
        """Those of the rows."""
        return KernelInputs(tuple(part[rows] for part in self.counts), tuple(part[rows] for part in self.reals))

    def against(self, other: KernelInputs) -> np.ndarray:
        """``[b + r, n, m]`` float32: MinMax of each block, then the squared distance by each set of real values."""
        parts = [minmax_kernel(mine, theirs) for mine, theirs in zip(self.counts, other.counts, strict=True)]
        return np.stack([*parts, *(squared_distance(mine, theirs) for mine, theirs in zip(self.reals, other.reals, strict=True))])


def kernel_inputs(batch: MoleculeBatch, config: GPConfig, scales: Sequence[FeatureScale] = ()) -> tuple[KernelInputs, tuple[FeatureScale, ...]]:
    """Inputs of n molecules, their real values scaled by ``scales`` or, without them, by themselves; unreadable molecules give zeros."""
    counts = tuple(np.minimum(np.nan_to_num(featurize_blocks(batch, [name])), LEVELS[-1]).astype(np.uint8) for name in config.counts)
    raw = [featurize_blocks(batch, config.descriptors), *(feature_matrix(batch, [ENCODER + name]) for name in config.encoders)]
    scales = tuple(scales) or tuple(FeatureScale.fit(part) for part in raw)
    return KernelInputs(counts, tuple(scale(part) for scale, part in zip(scales, raw, strict=True))), scales


def covariance(kernels: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """``[n, m]`` covariance from ``[b + r, n, m]`` kernels and ``[b + 2 r + 1]`` hyper-parameters: b weights, r times amplitude and squared length, noise (not used here)."""
    b = similarities(kernels, theta)
    found = np.tensordot(theta[:b].astype(kernels.dtype), kernels[:b], axes=1)
    for place, distance in enumerate(kernels[b:]):
        amplitude, length = theta[b + 2 * place : b + 2 * place + 2]
        found += kernels.dtype.type(amplitude) * np.exp(distance / kernels.dtype.type(-length))
    return np.asarray(found)


def similarities(kernels: np.ndarray, theta: np.ndarray) -> int:
    """How many of the ``b + r`` kernels are similarities: b, for there are ``b + 2 r + 1`` hyper-parameters."""
    return 2 * len(kernels) - len(theta) + 1


@dataclass(frozen=True, eq=False)
class Process:
    """One output of the process.

    Attributes:
        rows: ``[m]`` landmarks that it uses.
        alpha: ``[m]`` float64 weights of their covariances.
        theta: ``[b + 2 r + 1]`` hyper-parameters.
        center, spread: Of the training values: the process is of ``(y − center) ÷ spread``.
        slope, offset: The logistic curve that turns the process into a probability, of classes.
        few: ``[s]`` landmarks that say how sure the process is (at most ``GPConfig.deviation_landmarks``).
        factor: ``[s, s]`` float32, lower Cholesky factor of their covariance with noise; empty in a model that was saved without.
    """

    rows: np.ndarray
    alpha: np.ndarray
    theta: np.ndarray
    center: float
    spread: float
    slope: float = 1.0
    offset: float = 0.0
    few: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    factor: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))

    def variance(self, kernels: np.ndarray) -> np.ndarray:
        """``[n]`` predictive variances on the standardized scale, noise included, from the kernels ``[b + r, n, landmarks]``.

        ``k(x, x) − k(x, S) (K + noise)⁻¹ k(S, x)`` with the landmarks S of ``few``: a process that knows fewer molecules is never surer than the whole one, so that this is an
        upper bound of its variance (Rasmussen and Williams, equation 2.26).
        """
        from scipy.linalg import solve_triangular

        b = similarities(kernels, self.theta)
        prior = float(self.theta[:b].sum() + self.theta[b:-1:2].sum())  # a molecule is like itself: every kernel is 1
        known = solve_triangular(self.factor, covariance(kernels[:, :, self.few], self.theta).T, lower=True, check_finite=False)  # [s, n]
        return np.asarray(np.maximum(prior - (known.astype(np.float64) ** 2).sum(0), 0.0) + float(self.theta[-1]))

    def mean(self, kernels: np.ndarray) -> np.ndarray:
        """``[n]`` standardized means from the kernels ``[b + r, n, landmarks]``."""
        return covariance(kernels[:, :, self.rows], self.theta).astype(np.float64) @ self.alpha


class GPPredictor(TrainedPredictor):
    """One process a task, one a class of a multiclass task; they share the landmarks."""

    cost = 9000.0  # descriptors, four fingerprints and the kernels

    def __init__(
        self, tasks: Sequence[Task], config: GPConfig, landmarks: KernelInputs, scales: Sequence[FeatureScale], processes: Sequence[Process], record: dict[str, Any] | None = None
    ) -> None:
        self.tasks = tuple(tasks)
        self.config = config
        self.landmarks = landmarks
        self.scales = tuple(scales)
        self.processes = list(processes)
        self.record = dict(record or {})
        self._token = object()  # names this process in a batch's memory: an id() could come again

    def predict_members(self, batch: MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
        """``[1, n, o]`` and n reasons."""
        raw, _ = self._latent(batch)
        return self.decode(raw)[None].astype(np.float32), batch.reasons

    def deviations(self, batch: MoleculeBatch) -> np.ndarray | None:
        """``[n, t]`` square root of the predictive variance, in the task's unit; of a class, of its probability by the slope of the curve; NaN of a task of many classes."""
        if any(not len(process.factor) for process in self.processes):
            return None  # saved by an earlier version
        raw, variance = self._latent(batch)
        found = np.full((len(batch), len(self.tasks)), np.nan)
        start = 0
        for index, task in enumerate(self.tasks):
            process = self.processes[start]
            if task.kind == "regression":
                found[:, index] = process.spread * np.sqrt(variance[:, start])
            elif task.kind == "binary":
                probability = self.decode(raw)[:, start]
                found[:, index] = np.abs(process.slope) * probability * (1.0 - probability) * np.sqrt(variance[:, start])
            start += task.n_classes if task.kind == "multiclass" else 1
        return found

    def _latent(self, batch: MoleculeBatch) -> tuple[np.ndarray, np.ndarray]:
        """``[n, o]`` standardized means and variances (NaN without a factor); kept with the batch, for both are asked of it and the kernels are most of the cost."""
        found: np.ndarray = batch.compute(("gp", self._token), self._compute_latent)  # [n, 2, o]
        return found[:, 0], found[:, 1]

    def _compute_latent(self, batch: MoleculeBatch) -> np.ndarray:
        inputs, _ = kernel_inputs(batch, self.config, self.scales)
        found = np.full((len(batch), 2, len(self.processes)), np.nan)
        for start in range(0, len(batch), _CHUNK):
            rows = slice(start, start + _CHUNK)
            kernels = inputs.take(rows).against(self.landmarks)
            for k, process in enumerate(self.processes):
                found[rows, 0, k] = process.mean(kernels)
                if len(process.factor):
                    found[rows, 1, k] = process.variance(kernels)
        return found

    def decode(self, raw: np.ndarray) -> np.ndarray:
        """``[n, o]`` values and probabilities from standardized means."""
        out = np.empty_like(raw)
        start = 0
        for task in self.tasks:
            width = task.n_classes if task.kind == "multiclass" else 1
            for k in range(start, start + width):
                process = self.processes[k]
                if task.kind == "regression":
                    out[:, k] = raw[:, k] * process.spread + process.center
                else:
                    out[:, k] = 1.0 / (1.0 + np.exp(-np.clip(process.slope * raw[:, k] + process.offset, -30, 30)))
            if task.kind == "multiclass":
                out[:, start : start + width] /= out[:, start : start + width].sum(1, keepdims=True)
            start += width
        return out

    def pack(self) -> Packed:
        """Landmarks as sparse counts, processes and the record."""
        # the descriptors' under the names that earlier versions wrote, those of encoders with a number
        arrays: dict[str, dict[str, np.ndarray]] = {"scale": {}}
        sparse: dict[str, np.ndarray] = {}
        for index, (scale, part) in enumerate(zip(self.scales, self.landmarks.reals, strict=True)):
            arrays["scale"] |= {f"center{_numbered(index)}": scale.center, f"scale{_numbered(index)}": scale.scale}
            sparse[f"descriptors{_numbered(index)}"] = part
        for index, part in enumerate(self.landmarks.counts):
            row, column = np.nonzero(part)
            sparse[f"ends_{index}"] = np.cumsum(np.bincount(row, minlength=len(part))).astype(np.int64)
            sparse[f"columns_{index}"] = column.astype(np.uint16)
            sparse[f"values_{index}"] = part[row, column]
        arrays["landmarks"] = sparse
        for index, process in enumerate(self.processes):
            numbers = np.array([process.center, process.spread, process.slope, process.offset])
            arrays[f"process_{index}"] = {"rows": process.rows.astype(np.int64), "alpha": process.alpha, "theta": process.theta, "numbers": numbers}
            arrays[f"process_{index}"] |= {"few": process.few.astype(np.int64), "factor": process.factor}
        widths = [part.shape[1] for part in self.landmarks.counts]
        record = {**self.record, "tasks": write_tasks(self.tasks), "widths": widths, **checksums([ENCODER + name for name in self.config.encoders])}
        return Packed("gp", self.config.to_dict(), record, arrays=arrays)

    @classmethod
    def unpack(cls, stored: Stored) -> GPPredictor:
        """Rebuild from an artifact."""
        config = GPConfig.from_dict(stored.config)
        check_encoders(stored.record)
        sparse, scale = stored.arrays("landmarks"), stored.arrays("scale")
        counts = []
        for index, width in enumerate(stored.record["widths"]):
            ends = sparse[f"ends_{index}"]
            part = np.zeros((len(ends), width), dtype=np.uint8)
            part[np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0)), sparse[f"columns_{index}"]] = sparse[f"values_{index}"]
            counts.append(part)
        processes = []
        for index in range(sum(task.n_classes if task.kind == "multiclass" else 1 for task in stored.tasks)):
            found = stored.arrays(f"process_{index}")
            center, spread, slope, offset = (float(value) for value in found["numbers"])
            process = Process(found["rows"], found["alpha"], found["theta"], center, spread, slope, offset)
            processes.append(replace(process, few=found["few"], factor=found["factor"]) if "factor" in found else process)  # an earlier version kept none
        numbers = [_numbered(index) for index in range(1 + len(config.encoders))]
        landmarks = KernelInputs(tuple(counts), tuple(sparse[f"descriptors{number}"] for number in numbers))
        scales = [FeatureScale(scale[f"center{number}"], scale[f"scale{number}"]) for number in numbers]
        return cls(stored.tasks, config, landmarks, scales, processes, stored.record)


def _numbered(index: int) -> str:
    return f"_{index}" if index else ""
