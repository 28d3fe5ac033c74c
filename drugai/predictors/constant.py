"""The training mean as a predictor: the baseline that every table carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drugai.config import Config
from drugai.contracts import Task
from drugai.molecules import MoleculeBatch
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.packing import Packed, Stored, write_tasks


@dataclass(frozen=True)
class MeanConfig(Config):
    """Nothing to set."""

    kind = "mean"


class MeanPredictor(TrainedPredictor):
    """Says the training mean (the class frequencies) of every readable molecule."""

    def __init__(self, tasks: Sequence[Task], values: np.ndarray, record: dict[str, Any] | None = None) -> None:
        self.tasks = tuple(tasks)
        self.values = np.asarray(values, dtype=np.float32)  # [o]
        self.record = dict(record or {})

    def predict_members(self, batch: MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
        """``[1, n, o]`` and n reasons."""
        return np.repeat(self.values[None, None, :], len(batch), axis=1), batch.reasons

    def pack(self) -> Packed:
        """The values."""
        return Packed("mean", {}, {**self.record, "tasks": write_tasks(self.tasks)}, arrays={"mean": {"values": self.values}})

    @classmethod
    def unpack(cls, stored: Stored) -> MeanPredictor:
        """Rebuild from an artifact."""
        return cls(stored.tasks, stored.arrays("mean")["values"], stored.record)
