"""Gradient-boosted trees on blocks of fingerprints and descriptors, by LightGBM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drugai.config import Config, setting, tunable
from drugai.contracts import Task
from drugai.errors import ConfigError
from drugai.featurizers.blocks import side_columns
from drugai.molecules import MoleculeBatch
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.learned_features import check_encoders, checksums, feature_matrix
from drugai.predictors.packing import Packed, Stored, write_tasks


@dataclass(frozen=True)
class TreesConfig(Config):
    """Boosted trees."""

    kind = "trees"

    blocks: tuple[str, ...] = setting(("morgan", "avalon", "erg", "all_descriptors"), help="feature blocks, side by side; encoder:NAME is the embedding by an encoder: graph_encoder_small, encoder_small or a folder")
    members: int = setting(3, help="models with different seeds, averaged")
    rounds: int = setting(2000, help="most trees; the validation part ends the growth early")
    patience: int = setting(100, help="trees without a better validation loss before the growth ends")
    learning_rate: float = tunable(0.03, 0.01, 0.2, log=True, help="shrinkage")
    leaves: int = tunable(31, 7, 127, log=True, help="leaves of a tree")
    min_leaf: int = tunable(10, 2, 60, log=True, help="least molecules in a leaf")
    feature_share: float = tunable(0.15, 0.03, 1.0, log=True, help="share of the features that each tree may use")
    row_share: float = tunable(0.8, 0.4, 1.0, help="share of the molecules that each tree sees")
    l2: float = tunable(1.0, 1e-3, 30.0, log=True, help="L2 penalty of leaf values")
    threads: int = setting(0, help="threads (0: one below 20,000 training molecules, where more only help on an idle machine, else all)")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.members < 1 or self.rounds < 1 or self.leaves < 2:
            raise ConfigError(f"TreesConfig: members and rounds must be at least 1 and leaves at least 2; got {self.to_dict()}")


class TreesPredictor(TrainedPredictor):
    """Boosters, one set of members a task, kept as LightGBM's own model text (no pickle)."""

    cost = 6000.0  # most of it the descriptors

    def __init__(self, tasks: Sequence[Task], config: TreesConfig, boosters: Sequence[Sequence[Any]], record: dict[str, Any] | None = None) -> None:
        self.tasks = tuple(tasks)
        self.config = config
        self.boosters = [list(of_task) for of_task in boosters]  # [t][m]
        self.record = dict(record or {})

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table among the blocks."""
        return side_columns(self.config.blocks)

    def featurize(self, batch: MoleculeBatch) -> None:
        """The feature blocks."""
        feature_matrix(batch, self.config.blocks)

    def predict_members(self, batch: MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
        """``[m, n, o]`` and n reasons."""
        matrix = feature_matrix(batch, self.config.blocks)
        return self.predict_matrix(matrix), batch.reasons

    def predict_matrix(self, matrix: np.ndarray) -> np.ndarray:
        """``[m, n, o]`` from features ``[n, k]`` that were computed before."""
        columns = []
        for task, boosters in zip(self.tasks, self.boosters, strict=True):
            width = task.n_classes if task.kind == "multiclass" else 1
            # of no rows LightGBM forgets the classes: the shape is said here
            found = [np.asarray(booster.predict(matrix, num_threads=self.config.threads or 1)).reshape(len(matrix), width) for booster in boosters]
            columns.append(np.stack(found))
        return np.concatenate(columns, axis=2)

    def pack(self) -> Packed:
        """LightGBM model texts and the record."""
        texts = {f"task_{t}_member_{m}.txt": booster.model_to_string() for t, of_task in enumerate(self.boosters) for m, booster in enumerate(of_task)}
        record = {**self.record, "tasks": write_tasks(self.tasks), **checksums(self.config.blocks)}
        return Packed("trees", self.config.to_dict(), record, texts=texts)

    @classmethod
    def unpack(cls, stored: Stored) -> TreesPredictor:
        """Rebuild from an artifact."""
        import lightgbm

        config = TreesConfig.from_dict(stored.config)
        check_encoders(stored.record)
        boosters = [
            [lightgbm.Booster(model_str=stored.text(f"task_{t}_member_{m}.txt")) for m in range(config.members)] for t in range(len(stored.tasks))
        ]
        return cls(stored.tasks, config, boosters, stored.record)
