"""Models of one kind that were each fitted without one fold, and a model of their error that learnt from what they said of the fold they had not seen.

The mean over the members is the prediction. Its standard deviation, of a regression, comes from boosted trees that learnt the size of the error from the molecule's fragments
and descriptors, the predicted value and the distance from the molecules that the member knew: some chemistry is harder than other, and some is measured worse. Of classes it is
the spread of the members.

Source: an underlying model of the error for normalized conformal prediction: Papadopoulos and Haralambous, Neural Networks 2011, 24, 842 (10.1016/j.neunet.2011.05.008);
members without one fold: Vovk, Annals of Mathematics and Artificial Intelligence 2015, 74, 9 (10.1007/s10472-013-9368-4).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from drugai.config import Config, setting
from drugai.contracts import Task
from drugai.errors import ConfigError
from drugai.featurizers.blocks import featurize_blocks
from drugai.molecules import MoleculeBatch, fingerprint
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.calibration import BITS, RADIUS
from drugai.predictors.gaussian_process import GPConfig
from drugai.predictors.gnn import GNNConfig
from drugai.predictors.packing import Packed, Stored, pack_members, write_tasks
from drugai.predictors.trees import TreesConfig

if TYPE_CHECKING:
    from drugai.models.similarity import ReferenceBits

TO_DEVIATION = math.sqrt(math.pi / 2)
"""Standard deviation ÷ mean absolute error of a normal error."""


def member_trees() -> TreesConfig:
    """One set of boosters a fold."""
    return TreesConfig(members=1)


@dataclass(frozen=True)
class BaggedConfig(Config):
    """Models of one kind, each without one fold, with a learnt standard deviation."""

    kind = "bagged"

    base: str = setting("trees", choices=("trees", "gp", "gnn"), help="kind of the members")
    folds: int = setting(5, help="members; each is fitted without one fold of the training part, and the fold ends its training")
    error_blocks: tuple[str, ...] = setting(("morgan", "all_descriptors"), help="features from which the size of the error is learnt")
    error_rounds: int = setting(300, help="trees of the error's model")
    trees: TreesConfig = field(default_factory=member_trees)
    gp: GPConfig = field(default_factory=GPConfig)
    gnn: GNNConfig = field(default_factory=GNNConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.folds < 2 or self.error_rounds < 1 or not self.error_blocks:
            raise ConfigError(f"BaggedConfig: folds must be at least 2, error_rounds at least 1 and error_blocks not empty; got {self.to_dict()}")


class BaggedPredictor(TrainedPredictor):
    """Mean of the members, and a learnt standard deviation.

    Args:
        members: One predictor a fold.
        config: What they are.
        errors: One booster a task, None where the task is no regression.
        training: ``[m, 256]`` uint8, packed Morgan bits of the training molecules.
    """

    def __init__(
        self, members: Sequence[TrainedPredictor], config: BaggedConfig, errors: Sequence[Any], training: np.ndarray, record: dict[str, Any] | None = None
    ) -> None:
        self.tasks = members[0].tasks
        self.members, self.config, self.errors, self.training = list(members), config, list(errors), training
        self.cost = sum(member.cost for member in members) / (len(members) if config.base == "trees" else 1)  # trees share the features
        self.record = dict(record or {})
        self._token = object()

    def featurize(self, batch: MoleculeBatch) -> None:
        """What a member needs, and what the error's model needs."""
        self.members[0].featurize(batch)
        if any(error is not None for error in self.errors):
            featurize_blocks(batch, self.config.error_blocks)

    def predict_members(self, batch: MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
        """``[m, n, o]`` and n reasons."""
        found: np.ndarray = batch.compute(("bagged", self._token), self._outputs)  # kept with the batch: the deviations ask for them too
        return found.transpose(1, 0, 2), batch.reasons

    def _outputs(self, batch: MoleculeBatch) -> np.ndarray:
        return np.stack([member.predict_members(batch)[0].mean(0) for member in self.members], axis=1)  # [n, m, o]

    def deviations(self, batch: MoleculeBatch) -> np.ndarray | None:
        """``[n, t]`` learnt standard deviations of regressions, NaN of classes."""
        if all(error is None for error in self.errors):
            return None
        outputs, _ = self.predict_members(batch)
        mean = outputs.mean(0)  # [n, o]
        near = self.similarity(batch)
        found = np.full((len(batch), len(self.tasks)), np.nan)
        start = 0
        for index, (task, error) in enumerate(zip(self.tasks, self.errors, strict=True)):
            if error is not None and len(batch):
                columns = error_columns(batch, self.config, mean[:, start], near)
                found[:, index] = TO_DEVIATION * np.asarray(error.predict(columns, num_threads=1))
            start += task.n_classes if task.kind == "multiclass" else 1
        return found

    def similarity(self, batch: MoleculeBatch) -> np.ndarray:
        """``[n]`` Tanimoto similarity to the nearest training molecule."""
        from drugai.models.similarity import nearest_similarity

        return nearest_similarity(fingerprint(batch, "morgan", bits=BITS, radius=RADIUS), self._reference)

    @cached_property
    def _reference(self) -> ReferenceBits:
        from drugai.models.similarity import ReferenceBits

        return ReferenceBits.prepare(np.unpackbits(self.training, axis=1))

    def pack(self) -> Packed:
        """The members, the error's models as LightGBM's own text, and the training molecules' bits."""
        entries, arrays, texts = pack_members([member.pack() for member in self.members])
        errors = {f"error_{index}.txt": error.model_to_string() for index, error in enumerate(self.errors) if error is not None}
        record = {**self.record, "tasks": write_tasks(self.tasks), "members": entries}
        return Packed("bagged", self.config.to_dict(), record, {**arrays, "known": {"training": self.training}}, {**texts, **errors})

    @classmethod
    def unpack(cls, stored: Stored, unpack_member: Callable[[Stored], TrainedPredictor]) -> BaggedPredictor:
        """Rebuild from an artifact."""
        import lightgbm

        members = [unpack_member(stored.member(index)) for index in range(len(stored.record["members"]))]
        errors = [
            lightgbm.Booster(model_str=stored.text(f"error_{index}.txt")) if task.kind == "regression" else None for index, task in enumerate(stored.tasks)
        ]
        record = {key: value for key, value in stored.record.items() if key != "members"}
        return cls(members, BaggedConfig.from_dict(stored.config), errors, stored.arrays("known")["training"], record)


def error_columns(batch: MoleculeBatch, config: BaggedConfig, mean: np.ndarray, near: np.ndarray) -> np.ndarray:
    """``[n, k + 2]`` from which the size of the error is learnt: blocks, the predicted value ``[n]`` and the similarity ``[n]`` to the nearest known molecule."""
    return np.column_stack([featurize_blocks(batch, config.error_blocks), mean, near]).astype(np.float32)


def tasks_with_errors(tasks: Sequence[Task]) -> list[int]:
    """Numbers of the tasks whose error has a model."""
    return [index for index, task in enumerate(tasks) if task.kind == "regression"]
