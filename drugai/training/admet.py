"""The recipe of the ADMET panel that ships: endpoint by endpoint, boosted trees over folds, calibrated on what each fold did not see.

Every endpoint is fitted on the molecules it is given alone (the train and validation parts of its data set): they are cut into folds of whole scaffolds, one booster grows on
all folds but one and stops where that one's loss is least, and the mean of the boosters is the model. What each booster says of its own fold, which it was not grown
on, calibrates intervals and probabilities and sets the limit of the applicability domain. No test molecule is seen.

An endpoint of few molecules may learn from what the boosters of others say as well: a feature net (Varnek et al. 2009, 10.1021/ci8002914), whose columns cost nothing where
those endpoints are computed anyway.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from drugai.artifact import read_artifact, write_artifact
from drugai.config import Config, setting
from drugai.contracts import Dataset, Task
from drugai.data.grouping import canonical_smiles
from drugai.errors import ConfigError, DatasetError
from drugai.featurizers.blocks import featurize_blocks
from drugai.metrics.property import known_pairs, metric_function
from drugai.molecules import MoleculeBatch
from drugai.predictors.admet_panel import SCALES, AdmetPanel, Endpoint, with_auxiliary
from drugai.predictors.nearest_measured import NearestMeasured, pack_bits
from drugai.predictors.packed_trees import LEAVES, PackedTrees, pack_boosters
from drugai.predictors.packing import read_tasks, write_tasks
from drugai.runtime import derive_seed
from drugai.training.calibrating import calibrate_classes, calibrate_values
from drugai.training.fit_trees import booster_parameters
from drugai.training.folds import cut_rows
from drugai.training.rows import batch_of, check_trainable, usable_rows

logger = logging.getLogger(__name__)

_OBJECTIVES = {"mse": "regression", "mae": "regression_l1", "classes": "binary"}


@dataclass(frozen=True)
class AdmetConfig(Config):
    """How the endpoints of a panel are fitted."""

    kind = "admet"

    blocks: tuple[str, ...] = setting(("morgan", "atom_pair", "feature_morgan", "erg", "cheap_descriptors"), help="feature blocks: none of those that cost most of the time")
    folds: int = setting(4, help="boosters an endpoint, each stopped by its own fold")
    rounds: int = setting(1500, help="most trees of a booster")
    patience: int = setting(60, help="trees without a better loss before a booster stops")
    learning_rate: float = setting(0.05, help="shrinkage")
    leaves: int = setting(LEAVES - 1, help="leaves of a tree, at most 32")
    min_leaf: int = setting(8, help="least molecules in a leaf")
    feature_share: float = setting(0.15, help="share of the features that each tree may use")
    row_share: float = setting(0.8, help="share of the molecules that each tree sees")
    l2: float = setting(1.0, help="L2 penalty of leaf values")
    copies: int = setting(8, help="how often an auxiliary output stands among the features: a tree that may use a share of them then mostly has it")


@dataclass(frozen=True)
class EndpointPlan:
    """What is fitted of one data set.

    Attributes:
        name: Of the endpoint, a column of the panel's tables.
        card: What is said of it: ``title``, ``measured``, ``source`` and the like, as plain values.
        task: Kind and unit; its name is that of the endpoint.
        scale: ``linear``, ``log10`` (of a positive quantity over decades) or ``percent`` (the logit of a share): where the trees work.
        loss: ``mse`` or ``mae`` of the scaled value; classes use cross-entropy.
        auxiliary: Names of the endpoints whose raw outputs are features of this one, in the order of their columns.
    """

    name: str
    task: Task
    scale: str = "linear"
    loss: str = "mse"
    card: Mapping[str, Any] = field(default_factory=dict)
    auxiliary: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class FoldFit:
    """The boosters of one endpoint and what they say of the molecules they were not grown on.

    Attributes:
        trees: The mean of the k boosters.
        sizes: Trees of each booster.
        data: The n distinct molecules, replicates put together.
        held: ``[n]`` raw outputs, each by the booster whose fold the molecule is in.
        fold: ``[n]`` number of that fold.
    """

    plan: EndpointPlan
    trees: PackedTrees
    sizes: tuple[int, ...]
    data: Dataset
    held: np.ndarray
    fold: np.ndarray

    def held_out(self) -> np.ndarray:
        """``[n]`` held-out values in the endpoint's unit; of classes uncalibrated probabilities."""
        return np.asarray(SCALES[_scale(self.plan)].back(self.held))

    def score(self, metric: str) -> float:
        """A metric of the held-out values."""
        return metric_function(metric)(*known_pairs(self.data.y[:, 0], self.held_out()))

    def values(self, matrix: np.ndarray) -> np.ndarray:
        """``[n]`` values of other molecules from features ``[n, k]``, auxiliary outputs behind them (:func:`drugai.predictors.admet_panel.with_auxiliary`); of classes uncalibrated probabilities."""
        return np.asarray(SCALES[_scale(self.plan)].back(self.trees(matrix)))

    def not_grown_on(self, smiles: Sequence[str], matrix: np.ndarray) -> np.ndarray:
        """``[n]`` raw outputs by boosters that were not grown on the molecule: of its own molecules the held-out ones.

        Args:
            smiles: n canonical SMILES.
            matrix: Their features ``[n, k]``.
        """
        place = {text: row for row, text in enumerate(self.data.smiles)}
        own = [place.get(text, -1) for text in smiles]
        return np.where(np.array(own) >= 0, self.held[own], self.trees(matrix))

    def save(self, path: str | Path) -> Path:
        """Write the fit as an artifact, so that a panel of many endpoints can be fitted piece by piece."""
        plan = {"name": self.plan.name, "scale": self.plan.scale, "loss": self.plan.loss, "card": dict(self.plan.card), "auxiliary": list(self.plan.auxiliary)}
        record = {"tasks": write_tasks([self.plan.task]), "sizes": list(self.sizes), "data": self.data.name}
        arrays = {"held": self.held, "fold": self.fold, "y": self.data.y, **self.trees.to_arrays("trees.")}
        return write_artifact(path, "admet fit", config=plan, arrays={"fit": arrays}, texts={"molecules.smi": "\n".join(self.data.smiles)}, record=record)

    @classmethod
    def load(cls, path: str | Path) -> FoldFit:
        """The fit that :meth:`save` wrote."""
        found = read_artifact(path, "admet fit")
        arrays, record = found.arrays("fit"), found.manifest
        tasks = read_tasks(record["tasks"])
        data = Dataset(record["data"], tuple(found.text("molecules.smi").split("\n")), arrays["y"], tasks)
        plan = EndpointPlan(task=tasks[0], **{**found.config, "auxiliary": tuple(found.config["auxiliary"])})
        return cls(plan, PackedTrees.from_arrays(arrays, "trees."), tuple(record["sizes"]), data, arrays["held"], arrays["fold"])


def fit_folds(plan: EndpointPlan, measured: Dataset, config: AdmetConfig, *, seed: int = 0, auxiliary: Sequence[FoldFit] = ()) -> FoldFit:
    """Fit the boosters of one endpoint.

    Args:
        plan: The endpoint.
        measured: Its molecules with one task; all of them are learnt from.
        config: Shape of the trees.
        seed: Of the folds and the boosters.
        auxiliary: Fits of the endpoints that the plan names as auxiliary. A molecule that one of them was grown on has its held-out output, so that what is learnt here holds for molecules
            that nobody measured.

    Raises:
        ConfigError: The auxiliary fits are not those that the plan names.
        DatasetError: Too few molecules, one class alone, a constant value, or values that the scale does not have (a negative one under ``log10``).
    """
    import lightgbm

    if tuple(fit.plan.name for fit in auxiliary) != tuple(plan.auxiliary):
        raise ConfigError(f"{plan.name} learns from {', '.join(plan.auxiliary) or 'no other endpoint'}; given: {', '.join(fit.plan.name for fit in auxiliary) or 'none'}")
    data = merge_replicates(measured)
    used = usable_rows(data, "panel")
    check_trainable(data, used)
    values = used.y[:, 0].astype(np.float64)
    scaled = SCALES[_scale(plan)].there(values) if plan.task.kind == "regression" else values
    if not np.isfinite(scaled).all():
        row = int(np.flatnonzero(~np.isfinite(scaled))[0])
        raise DatasetError(f"{measured.name}: the value {values[row]:g} of {used.batch.smiles[row]} has no {plan.scale} value; choose another scale")
    matrix = featurize_blocks(used.batch, config.blocks)
    width = matrix.shape[1]
    if auxiliary:
        outputs = np.stack([fit.not_grown_on(used.batch.smiles, matrix) for fit in auxiliary], axis=1).astype(np.float32)
        matrix = np.concatenate([matrix] + [outputs] * config.copies, axis=1)
    kept = Dataset(data.name, used.batch.smiles, used.y, data.tasks)
    parts = cut_rows(kept, np.arange(len(kept)), "scaffold", config.folds, seed)
    held, fold = np.full(len(kept), np.nan), np.zeros(len(kept), dtype=np.int64)
    boosters = []
    for number, inside in enumerate(parts):
        outside = np.setdiff1d(np.arange(len(kept)), inside)
        train = lightgbm.Dataset(matrix[outside], scaled[outside], params={"verbosity": -1})
        valid = lightgbm.Dataset(matrix[inside], scaled[inside], reference=train)
        booster = lightgbm.train(
            _parameters(plan, config, derive_seed(seed, "admet", plan.name, number) % 2**31), train, config.rounds, valid_sets=[valid],
            callbacks=[lightgbm.early_stopping(config.patience, verbose=False)],
        )  # fmt: skip
        boosters.append(booster)
        held[inside] = booster.predict(matrix[inside], raw_score=True)
        fold[inside] = number
    trees = pack_boosters([booster.dump_model(num_iteration=booster.best_iteration) for booster in boosters])
    if auxiliary:  # the copies were for growing alone
        trees = replace(trees, feature=np.where(trees.feature < width, trees.feature, width + (trees.feature - width) % len(auxiliary)))
    return FoldFit(plan, trees, tuple(int(booster.best_iteration) for booster in boosters), kept, held, fold)


def finish_endpoint(fit: FoldFit, references: Mapping[str, int], drugs: np.ndarray) -> Endpoint:
    """The endpoint with its trees packed, calibrated on what the folds held out.

    Args:
        fit: From :func:`fit_folds`.
        references: Canonical SMILES → row of the panel's training fingerprints.
        drugs: ``[d, k]`` features of approved drugs, whose predicted values place others', with auxiliary outputs behind them.
    """
    plan, data = fit.plan, fit.data
    bits = pack_bits(batch_of(data))
    near = np.full(len(data), np.nan)
    for number in range(len(fit.sizes)):
        rest = NearestMeasured(bits, (np.flatnonzero(fit.fold != number),))
        inside = np.flatnonzero(fit.fold == number)
        near[inside] = rest.similarity(batch_of(data).take(inside))[:, 0]
    values = data.y[:, 0].astype(np.float64)
    folds = fit.fold
    if plan.task.kind == "regression":
        calibration = calibrate_values(np.abs(SCALES[plan.scale].there(values) - fit.held), None, near, folds)
    else:
        calibration = calibrate_classes(fit.held_out(), values > 0.5, folds)
    rows = np.array(sorted({references[text] for text in canonical_smiles(data.smiles)}), dtype=np.int64)
    bare = Endpoint(plan.task, dict(plan.card), plan.scale, fit.trees, calibration, float(np.nanquantile(near, 0.05)), np.zeros(101, dtype=np.float32))
    known = bare.values(drugs)
    quantiles = np.quantile(known, np.linspace(0, 1, 101)).astype(np.float32)
    card = {**plan.card, "n_train": len(data), "scale": plan.scale, "loss": plan.loss if plan.task.kind == "regression" else "cross-entropy", "trees": list(fit.sizes)}
    return Endpoint(plan.task, card, plan.scale, fit.trees, calibration, bare.domain_limit, quantiles, rows)


def build_panel(fits: Sequence[FoldFit], drugs: MoleculeBatch, config: AdmetConfig, *, seed: int = 0, notes: Mapping[str, Any] | None = None) -> AdmetPanel:
    """The panel of fitted endpoints.

    Raises:
        ConfigError: Endpoints that learn from different auxiliary ones, or from one that is not among the fits.
    """
    began = time.process_time()
    canonical = sorted({text for fit in fits for text in canonical_smiles(fit.data.smiles)})
    references = {text: row for row, text in enumerate(canonical)}
    bits = pack_bits(MoleculeBatch(canonical))
    named = {fit.plan.name: fit for fit in fits}
    wanted = {fit.plan.auxiliary for fit in fits if fit.plan.auxiliary}
    if len(wanted) > 1 or any(name not in named or named[name].plan.auxiliary for names in wanted for name in names):
        raise ConfigError("a panel's endpoints learn from the same auxiliary endpoints, which are part of it and learn from none themselves")
    names = next(iter(wanted), ())
    matrix = featurize_blocks(drugs, config.blocks)[drugs.valid]
    matrix = with_auxiliary(matrix, [named[name].trees(matrix) for name in names])
    endpoints = [finish_endpoint(fit, references, matrix) for fit in fits]
    nearest = NearestMeasured(bits, tuple(endpoint.rows for endpoint in endpoints))
    record = {"seed": seed, "approved_drugs": int(drugs.valid.sum()), **(notes or {})}
    logger.info("panel of %d endpoints, %d trees, %d molecules, %.0f CPU-s", len(endpoints), sum(len(one.trees) for one in endpoints), len(canonical), time.process_time() - began)
    auxiliary = [endpoint for name in names for endpoint in endpoints if endpoint.task.name == name]
    return AdmetPanel(endpoints, nearest, config.blocks, {**record, "settings": config.to_dict()}, auxiliary)


def merge_replicates(data: Dataset) -> Dataset:
    """One row a molecule: the median of its values, or the class that most of them say (a tie is class 1)."""
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(canonical_smiles(data.smiles)):
        if text and not np.isnan(data.y[row, 0]):
            groups.setdefault(text, []).append(row)
    values = [float(np.median(data.y[rows, 0])) for rows in groups.values()]
    if data.tasks[0].kind != "regression":
        values = [float(value >= 0.5) for value in values]
    return Dataset(data.name, tuple(groups), np.array(values, dtype=np.float32).reshape(-1, 1), data.tasks)


def _scale(plan: EndpointPlan) -> str:
    return plan.scale if plan.task.kind == "regression" else "classes"


def _parameters(plan: EndpointPlan, config: AdmetConfig, seed: int) -> dict[str, Any]:
    objective = _OBJECTIVES[plan.loss if plan.task.kind == "regression" else "classes"]
    return booster_parameters(config, objective, {"regression": "l2", "regression_l1": "l1", "binary": "binary_logloss"}[objective], seed=seed)
