"""The ADMET panel: many endpoints of one molecule at once, each with an interval or a calibrated probability, its domain, and its place among approved drugs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drugai.contracts import Predictions, Task
from drugai.errors import ConfigError, unknown
from drugai.featurizers.blocks import featurize_blocks
from drugai.molecules import MoleculeBatch
from drugai.predictors.base import CHUNK, TrainedPredictor, assemble
from drugai.predictors.calibration import TaskCalibration, calibrated, class_sets, conformal_quantile, width_of
from drugai.predictors.nearest_measured import NearestMeasured
from drugai.predictors.packed_trees import PackedTrees, Turned
from drugai.predictors.packing import Packed, Stored, write_tasks
from drugai.predictors.scales import SCALES as SCALES

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.9


@dataclass(frozen=True, eq=False)
class Endpoint:
    """One quantity of the panel.

    Attributes:
        task: Name, kind and unit.
        card: What was measured, where it comes from, how many molecules, the test result.
        scale: Where its trees work (:mod:`drugai.predictors.scales`); classes work on the logit.
        trees: Give the raw output.
        calibration: Of intervals (on the trees' scale) or probabilities.
        domain_limit: Similarity to the nearest training molecule below which a molecule is outside the domain.
        drugs: ``[101]`` percentiles 0 to 100 of the value over approved drugs.
        rows: Training molecules, as rows of the panel's fingerprints.
    """

    task: Task
    card: Mapping[str, Any]
    scale: str
    trees: PackedTrees
    calibration: TaskCalibration
    domain_limit: float
    drugs: np.ndarray
    rows: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def values(self, matrix: np.ndarray | Turned) -> np.ndarray:
        """``[n]`` values in the unit, of classes calibrated probabilities, from features ``[n, k]`` with the panel's auxiliary outputs behind them."""
        return self.values_of(self.trees(matrix))

    def values_of(self, raw: np.ndarray) -> np.ndarray:
        """``[n]`` values of raw outputs ``[n]``."""
        if self.task.kind == "regression":
            return SCALES[self.scale].back(raw)
        return calibrated(SCALES["classes"].back(raw), self.calibration.slope, self.calibration.offset)

    def interval(self, values: np.ndarray, near: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
        """``[n]`` lower and upper ends at ``level``; they lie unevenly about the value where the scale is bent."""
        half = conformal_quantile(self.calibration.scores, level, self.task.name) * width_of(self.calibration.width, None, near)
        there = SCALES[self.scale].there(values)
        return SCALES[self.scale].back(there - half), SCALES[self.scale].back(there + half)

    def row(self) -> list[str]:
        """Name, unit, molecules, metric, test result, what was measured and the data, for a table."""
        unit = "probability" if self.task.kind == "binary" else self.task.unit
        test = self.card.get("test")
        told = f"{test['value']:.3f} [{test['low']:.3f}, {test['high']:.3f}]" if test else "not tested"
        n = f"{self.card['n_train']:,}" if "n_train" in self.card else ""
        return [self.task.name, unit, n, str(self.card.get("metric", "")), told, str(self.card.get("measured", "")), str(self.card.get("data", ""))]

    def percentile(self, values: np.ndarray) -> np.ndarray:
        """``[n]`` share of approved drugs [%] with a lower predicted value; ties count half."""
        # of equal percentiles (many drugs with one value) the middle one
        low, high = np.searchsorted(self.drugs, values, "left"), np.searchsorted(self.drugs, values, "right")
        between = np.interp(values, self.drugs, np.arange(101.0))
        found = np.where(high > low, (low + high - 1) / 2.0, between)
        return np.where(np.isnan(values), np.nan, np.clip(found, 0.0, 100.0))


@dataclass(frozen=True, eq=False)
class AdmetProfile:
    """What the panel says of n molecules.

    Attributes:
        predictions: Values ``[n, t]``, ends of the intervals, class sets, reasons; ``domain`` is the similarity to the nearest training molecule of any endpoint.
        similarity: ``[n, t]`` similarity to the nearest training molecule of the endpoint.
        limits: ``[t]`` similarity below which a value is outside its endpoint's domain.
        percentile: ``[n, t]`` share of approved drugs [%] with a lower predicted value.
    """

    predictions: Predictions
    similarity: np.ndarray
    limits: np.ndarray
    percentile: np.ndarray

    def __len__(self) -> int:
        return len(self.predictions)

    def __getitem__(self, name: str) -> np.ndarray:
        """``[n]`` values of an endpoint."""
        values: np.ndarray = self.predictions.mean[:, self.predictions.task(name)]
        return values

    @property
    def in_domain(self) -> np.ndarray:
        """``[n, t]`` whether the molecule is near enough to what the endpoint was trained on; False where there is no value."""
        return np.asarray(self.similarity >= self.limits)

    def to_columns(self) -> dict[str, np.ndarray]:
        """Columns for a table: of each endpoint value, interval or class set, similarity, in or out of domain, percentile; the reason last."""
        found = self.predictions
        bad = np.array([bool(text) for text in found.reasons], dtype=bool)
        columns: dict[str, np.ndarray] = {}
        for index, task in enumerate(found.tasks):
            columns[task.name] = found.mean[:, index]
            if task.kind == "regression":
                assert found.lower is not None
                assert found.upper is not None
                columns[f"{task.name}_lower"], columns[f"{task.name}_upper"] = found.lower[:, index], found.upper[:, index]
            else:
                columns[f"{task.name}_set"] = found.sets[task.name]
            columns[f"{task.name}_similarity"] = self.similarity[:, index]
            verdict = np.where(self.in_domain[:, index], "in", "out").astype(object)
            verdict[bad] = ""
            columns[f"{task.name}_domain"] = verdict
            columns[f"{task.name}_percentile"] = self.percentile[:, index].astype(np.float32)
        columns["reason"] = np.array(found.reasons, dtype=object)
        return columns

    def to_frame(self) -> pd.DataFrame:
        """A pandas table of :meth:`to_columns`."""
        import pandas as pd

        return pd.DataFrame(self.to_columns())


class AdmetPanel(TrainedPredictor):
    """t endpoints on shared features. As a predictor it says the values; :meth:`profile` says the rest too.

    Attributes:
        auxiliary: Endpoints whose raw outputs stand behind the features, for the trees of those that learnt from them; they need not be among the endpoints.
    """

    cost = 2000.0

    def __init__(
        self, endpoints: Sequence[Endpoint], nearest: NearestMeasured, blocks: Sequence[str], record: dict[str, Any] | None = None, auxiliary: Sequence[Endpoint] = ()
    ) -> None:
        self.endpoints = tuple(endpoints)
        self.tasks = tuple(endpoint.task for endpoint in endpoints)
        self.nearest = nearest
        self.blocks = tuple(blocks)
        self.record = dict(record or {})
        self.auxiliary = tuple(auxiliary)

    def featurize(self, batch: MoleculeBatch) -> None:
        """The feature blocks."""
        featurize_blocks(batch, self.blocks)

    def predict_members(self, batch: MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
        """``[1, n, t]`` values and n reasons."""
        matrix = featurize_blocks(batch, self.blocks)
        outputs = np.full((1, len(batch), len(self.tasks)), np.nan, dtype=np.float32)
        good = batch.valid
        turned = Turned.of(matrix[good])
        known: dict[str, np.ndarray] = {}
        if any(endpoint.trees.feature.max(initial=0) >= matrix.shape[1] for endpoint in self.endpoints):  # of a selection perhaps none asks for auxiliary outputs
            known = {endpoint.task.name: endpoint.trees(turned) for endpoint in self.auxiliary}
            turned = Turned.of(with_auxiliary(matrix[good], list(known.values())))
        for index, endpoint in enumerate(self.endpoints):
            name = endpoint.task.name
            outputs[0, good, index] = endpoint.values_of(known[name]) if name in known else endpoint.values(turned)
        return outputs, batch.reasons

    def predict(self, molecules: Sequence[str] | MoleculeBatch, *, level: float | None = None) -> Predictions:
        """Values of n molecules; with ``level`` intervals, class sets and the domain."""
        return super().predict(molecules) if level is None else self.profile(molecules, level=level).predictions

    def profile(self, molecules: Sequence[str] | MoleculeBatch, *, level: float = LEVEL) -> AdmetProfile:
        """Everything the panel says of n molecules.

        Args:
            molecules: n SMILES or a batch.
            level: Coverage of intervals and class sets.

        Returns:
            n rows in the same order; an unreadable molecule is a row of NaN with a reason.

        Raises:
            ConfigError: The level is not in (0, 1), or too high for an endpoint's calibration molecules.
        """
        if not 0 < level < 1:
            raise ConfigError(f"interval level {level}: a coverage between 0 and 1 is needed, for example 0.9")
        if isinstance(molecules, MoleculeBatch):
            return self._profile(molecules, level)
        parts = [self._profile(MoleculeBatch(molecules[start : start + CHUNK]), level) for start in range(0, max(len(molecules), 1), CHUNK)]
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _profile(self, batch: MoleculeBatch, level: float) -> AdmetProfile:
        outputs, reasons = self.predict_members(batch)
        near = self.nearest.similarity(batch)
        found = assemble(self.tasks, outputs, reasons)
        lower, upper, percentile = (np.full(found.mean.shape, np.nan, dtype=np.float32) for _ in range(3))
        sets: dict[str, np.ndarray] = {}
        for index, endpoint in enumerate(self.endpoints):
            values = found.mean[:, index].astype(np.float64)
            percentile[:, index] = endpoint.percentile(values)
            if endpoint.task.kind == "regression":
                lower[:, index], upper[:, index] = endpoint.interval(values, near[:, index], level)
            else:
                sets[endpoint.task.name] = class_sets(values, endpoint.calibration, level, endpoint.task.name)
        closest = near.max(axis=1) if len(near) else np.zeros(0, dtype=np.float32)
        predictions = Predictions(found.tasks, found.mean, found.reasons, None, lower, upper, level, closest, sets=sets)
        return AdmetProfile(predictions, near, np.array([endpoint.domain_limit for endpoint in self.endpoints], dtype=np.float32), percentile)

    def select(self, names: Sequence[str]) -> AdmetPanel:
        """The panel of some endpoints, in that order."""
        known = [task.name for task in self.tasks]
        for name in names:
            if name not in known:
                raise unknown("endpoint", name, known)
        index = [known.index(name) for name in names]
        nearest = NearestMeasured(self.nearest.packed, tuple(self.nearest.members[place] for place in index))
        return AdmetPanel([self.endpoints[place] for place in index], nearest, self.blocks, self.record, self.auxiliary)

    def pack(self) -> Packed:
        """Trees, calibration and fingerprints as arrays, cards in the record."""
        trees: dict[str, np.ndarray] = {}
        rest: dict[str, np.ndarray] = {}
        stored = [*self.endpoints, *(endpoint for endpoint in self.auxiliary if endpoint not in self.endpoints)]
        for index, endpoint in enumerate(stored):
            trees |= endpoint.trees.to_arrays(f"{index}.")
            known = endpoint.calibration
            rest |= {
                f"{index}.scores": known.scores.astype(np.float32), f"{index}.other": known.other.astype(np.float32), f"{index}.width": known.width,
                f"{index}.curve": np.array([known.slope, known.offset]), f"{index}.limit": np.array([endpoint.domain_limit]), f"{index}.drugs": endpoint.drugs,
            }  # fmt: skip
        cards = [{**endpoint.card, "scale": endpoint.scale} for endpoint in stored]
        config = {"blocks": list(self.blocks), "auxiliary": [endpoint.task.name for endpoint in self.auxiliary], "shown": len(self.endpoints)}
        return Packed("admet", config, {**self.record, "tasks": write_tasks([endpoint.task for endpoint in stored]), "cards": cards}, {"trees": trees, "calibration": rest, "nearest": self.nearest.to_arrays()})

    @classmethod
    def unpack(cls, stored: Stored) -> AdmetPanel:
        """Rebuild from an artifact."""
        trees, rest = stored.arrays("trees"), stored.arrays("calibration")
        endpoints = []
        for index, (task, card) in enumerate(zip(stored.tasks, stored.record["cards"], strict=True)):
            curve = rest[f"{index}.curve"]
            known = TaskCalibration(
                rest[f"{index}.scores"].astype(np.float64), rest[f"{index}.other"].astype(np.float64), rest[f"{index}.width"], float(curve[0]), float(curve[1])
            )
            packed = PackedTrees.from_arrays(trees, f"{index}.")
            endpoints.append(Endpoint(task, card, card["scale"], packed, known, float(rest[f"{index}.limit"][0]), rest[f"{index}.drugs"]))
        record = {key: value for key, value in stored.record.items() if key not in ("tasks", "cards")}
        # a panel that was written before there were auxiliary endpoints says nothing of them, and all that it has are shown
        auxiliary = [endpoint for name in stored.config.get("auxiliary", ()) for endpoint in endpoints if endpoint.task.name == name]
        return cls(endpoints[: stored.config.get("shown")], NearestMeasured.from_arrays(stored.arrays("nearest")), stored.config["blocks"], record, auxiliary)


@cache
def load_panel(path: str | Path | None = None) -> AdmetPanel:
    """The panel that ships, or one in a folder; kept after the first call."""
    from drugai.artifact import read_artifact
    from drugai.predictors.loading import SHIPPED

    return AdmetPanel.unpack(Stored.of(read_artifact(SHIPPED / "admet" if path is None else path, "predictor/admet")))


def admet(smiles: Sequence[str] | MoleculeBatch, *, level: float = LEVEL, endpoints: Sequence[str] | None = None) -> AdmetProfile:
    """Absorption, distribution, metabolism, excretion and toxicity of n molecules by the panel that ships.

    Args:
        smiles: n SMILES or a batch.
        level: Coverage of the intervals and class sets.
        endpoints: Names; all by default.

    Returns:
        n rows in the same order; an unreadable molecule is a row of NaN with a reason.

    Example:
        >>> import drugai                                                  # doctest: +SKIP
        >>> drugai.admet(["CC(=O)Oc1ccccc1C(=O)O"]).to_frame().T           # aspirin  # doctest: +SKIP
    """
    panel = load_panel()
    return (panel if endpoints is None else panel.select(endpoints)).profile(smiles, level=level)


def with_auxiliary(matrix: np.ndarray, outputs: Sequence[np.ndarray]) -> np.ndarray:
    """``[n, k + a]`` float32: features ``[n, k]`` and behind them the raw outputs ``[n]`` of a auxiliary endpoints."""
    return np.concatenate([matrix, np.stack(outputs, axis=1).astype(np.float32)], axis=1) if len(outputs) else matrix


def _joined(parts: Sequence[AdmetProfile]) -> AdmetProfile:
    from drugai.predictors.base import concatenate

    return AdmetProfile(
        concatenate([part.predictions for part in parts]),
        np.concatenate([part.similarity for part in parts]),
        parts[0].limits,
        np.concatenate([part.percentile for part in parts]),
    )
