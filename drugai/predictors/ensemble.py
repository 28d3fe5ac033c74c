"""Several predictors as one: a weighted mean, with their spread as the standard deviation."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from drugai.config import Config, setting
from drugai.errors import ConfigError
from drugai.models.gnn import GNNNetConfig
from drugai.molecules import MoleculeBatch
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.gaussian_process import GPConfig
from drugai.predictors.gnn import GNNConfig
from drugai.predictors.packing import Packed, Stored, pack_members, write_tasks
from drugai.predictors.scales import SCALES
from drugai.predictors.trees import TreesConfig

logger = logging.getLogger(__name__)


def hybrid_config() -> GNNConfig:
    """A D-MPNN whose head also sees the molecule's descriptors; more dropout and fewer epochs, because descriptors are learned quickly."""
    return GNNConfig(GNNNetConfig(encoder="dmpnn", width=300, dropout=0.2), features=("all_descriptors",), epochs=40)


@dataclass(frozen=True)
class EnsembleConfig(Config):
    """Boosted trees, a Gaussian process, a graph network, and a hybrid (graph network with descriptors), together."""

    kind = "ensemble"

    members: tuple[str, ...] = setting(("trees", "gp", "gnn", "hybrid"), help="which of the four take part")
    trees: TreesConfig = field(default_factory=TreesConfig)
    gp: GPConfig = field(default_factory=GPConfig)
    gnn: GNNConfig = field(default_factory=GNNConfig)
    hybrid: GNNConfig = field(default_factory=hybrid_config)
    weights: str = setting("validation", choices=("equal", "validation"), help="equal, or found on the validation part, halfway between the best mixture and each member's own error")

    def __post_init__(self) -> None:
        super().__post_init__()
        known = ("trees", "gp", "gnn", "hybrid")
        if not self.members or len(set(self.members)) != len(self.members) or not set(self.members) <= set(known):
            raise ConfigError(f"EnsembleConfig.members: got {list(self.members)}; name some of {', '.join(known)}, each once")


def weighted(outputs: np.ndarray, weights: np.ndarray, readable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Members' outputs, shifted so that their plain mean is the weighted one of those that could read the molecule.

    ``m w_k x_k`` would have that mean too, but would distort the spread.

    Args:
        outputs: ``[m, n, o]``.
        weights: ``[m]``.
        readable: ``[m, n]`` whether the member could read the molecule.

    Returns:
        ``[m, n, o]``, NaN of a molecule that no member could read; and ``[n]`` whether some could.
    """
    some = np.any(readable, axis=0)
    share = weights[:, None] * readable
    share /= np.where(some, share.sum(0), 1.0)
    mean = (share[:, :, None] * np.where(readable[:, :, None], outputs, 0.0)).sum(0)
    mean[~some] = np.nan
    outputs = np.where(readable[:, :, None], outputs, mean)
    return outputs + (mean - outputs.mean(0)), some


class EnsemblePredictor(TrainedPredictor):
    """Weighted mean of predictors of the same tasks.

    Args:
        members: Predictors, of any kind.
        weights: ``[k]`` not negative, not all zero; scaled to sum to 1. Equal by default.
        scales: Of each task the scale (:data:`~drugai.predictors.scales.SCALES`) on which the members were fitted and are averaged; ``linear`` by default. Predictions are
            in the task's unit.
    """

    def __init__(
        self, members: Sequence[TrainedPredictor], weights: Sequence[float] | None = None, record: dict[str, Any] | None = None, scales: Sequence[str] = ()
    ) -> None:
        if not members:
            raise ConfigError("an ensemble needs at least one predictor")
        tasks = members[0].tasks
        for member in members:
            if member.tasks != tasks:
                raise ConfigError(f"an ensemble's members must predict the same tasks; got {member.tasks} beside {tasks}")
        found = np.ones(len(members)) if weights is None else np.asarray(weights, dtype=float)
        if found.shape != (len(members),) or (found < 0).any() or not found.sum() > 0:
            raise ConfigError(f"an ensemble of {len(members)} needs as many weights, none negative and not all zero; got {found.tolist()}")
        self.tasks = tasks
        self.scales = tuple(scales) or ("linear",) * len(tasks)
        if len(self.scales) != len(tasks) or not set(self.scales) <= set(SCALES):
            raise ConfigError(f"an ensemble of {len(tasks)} tasks needs as many scales of {', '.join(SCALES)}; got {list(self.scales)}")
        self.cost = sum(member.cost for member in members)
        self.members = list(members)
        self.weights = found / found.sum()
        self.record = dict(record or {})

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that any member needs."""
        return tuple(dict.fromkeys(name for member in self.members for name in member.columns))

    def featurize(self, batch: MoleculeBatch) -> None:
        """What each member needs."""
        for member in self.members:
            member.featurize(batch)

    def predict_members(self, batch: MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
        """``[m, n, o]`` and n reasons; each member's own mean enters with its weight, so that the mean over m is the weighted mean.

        A molecule that some members cannot read, such as one with a token that a language model lacks, has the weighted mean of the others; one that none can read has
        the first member's reason.
        """
        found, weights, why = [], [], []
        for member, weight in zip(self.members, self.weights, strict=True):
            if weight == 0:
                continue
            outputs, of_member = member.predict_members(batch)
            found.append(outputs.mean(0))
            weights.append(weight)
            why.append(of_member)
        readable = np.array([[not reason for reason in reasons] for reasons in why], dtype=bool)  # [m, n]
        outputs, some = weighted(np.stack(found), np.array(weights), readable)
        fewer = int((some & ~readable.all(0)).sum())
        if fewer:
            logger.info("%d of %d molecules rest on fewer than all members of the ensemble", fewer, len(batch))
        reasons = tuple("" if some[row] else next(reason for reason in of_row if reason) for row, of_row in enumerate(zip(*why, strict=True)))
        return self.in_units(outputs), reasons

    def in_units(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs ``[…, o]`` of the members' scales in the tasks' units."""
        if set(self.scales) == {"linear"}:
            return outputs
        found, column = np.array(outputs, dtype=np.float64), 0
        for task, scale in zip(self.tasks, self.scales, strict=True):
            found[..., column] = SCALES[scale].back(found[..., column])
            column += task.n_classes if task.kind == "multiclass" else 1
        return found

    def pack(self) -> Packed:
        """The members, each under its own name."""
        entries, arrays, texts = pack_members([member.pack() for member in self.members])
        record = {**self.record, "tasks": write_tasks(self.tasks), "members": entries}
        return Packed("ensemble", {"weights": self.weights.tolist(), "scales": list(self.scales)}, record, arrays, texts)

    @classmethod
    def unpack(cls, stored: Stored, unpack_member: Callable[[Stored], TrainedPredictor]) -> EnsemblePredictor:
        """Rebuild from an artifact; a member may be of any kind."""
        members = [unpack_member(stored.member(index)) for index in range(len(stored.record["members"]))]
        record = {key: value for key, value in stored.record.items() if key != "members"}
        return cls(members, stored.config["weights"], record, stored.config.get("scales", ()))  # written by versions that knew no scales
