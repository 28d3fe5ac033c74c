"""deepchem's multitask networks as predictors: baselines for a benchmark, by name like any other model."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drugai.artifact import read_artifact
from drugai.config import Config, setting, tunable
from drugai.contracts import Dataset, Task
from drugai.errors import ArtifactError, ConfigError, unknown
from drugai.featurizers.blocks import featurize_blocks
from drugai.interop.loading import deepchem, seeded, silenced
from drugai.molecules import MoleculeBatch
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.packing import Packed, Stored, write_tasks
from drugai.runtime import derive_seed
from drugai.training.rows import check_trainable, origin, usable_rows

MODELS = {"MultitaskRegressor": "regression", "MultitaskClassifier": "binary"}
"""Name in ``deepchem.models`` → kind of task."""


@dataclass(frozen=True)
class DeepChemConfig(Config):
    """A fully connected multitask network of deepchem on feature blocks."""

    kind = "deepchem"

    model: str = setting("MultitaskRegressor", choices=tuple(MODELS), help="class of deepchem.models")
    blocks: tuple[str, ...] = setting(("deepchem:CircularFingerprint",), help="feature blocks, deepchem's or drugai's")
    layers: tuple[int, ...] = setting((1000,), help="widths of the hidden layers")
    dropout: float = tunable(0.25, 0.0, 0.6, help="dropout after each hidden layer")
    learning_rate: float = tunable(1e-3, 1e-4, 1e-2, log=True, help="of Adam")
    batch_size: int = setting(64, help="molecules a step")
    epochs: int = setting(40, help="most passes over the training part; the best on the validation part is kept")

    def fit(self, train: Dataset, valid: Dataset, *, seed: int = 0) -> DeepChemPredictor:
        """Fit; the validation part chooses the epoch alone."""
        return fit_deepchem(self, train, valid, seed=seed)


class DeepChemPredictor(TrainedPredictor):
    """A deepchem network with the scale of its features and targets; kept as safetensors."""

    def __init__(self, tasks: Sequence[Task], config: DeepChemConfig, network: Any, width: int, scale: np.ndarray, record: dict[str, Any] | None = None) -> None:
        self.tasks = tuple(tasks)
        self.config = config
        self.network = network
        self.width = width
        self.scale = np.asarray(scale, dtype=np.float32)  # [2, t] mean and spread of the targets
        self.record = dict(record or {})

    def predict_members(self, batch: MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
        """``[1, n, t]`` and n reasons."""
        matrix = featurize_blocks(batch, self.config.blocks) if len(batch) else np.zeros((0, self.width), np.float32)
        return self._outputs(np.nan_to_num(matrix))[None], batch.reasons

    def _outputs(self, matrix: np.ndarray) -> np.ndarray:
        if not len(matrix):
            return np.zeros((0, len(self.tasks)), dtype=np.float32)
        dc = deepchem()
        with silenced():
            found = np.asarray(self.network.predict(dc.data.NumpyDataset(matrix)), dtype=np.float32)
        if MODELS[self.config.model] == "binary":
            return found.reshape(len(matrix), len(self.tasks), 2)[:, :, 1]
        return found.reshape(len(matrix), len(self.tasks)) * self.scale[1] + self.scale[0]

    def pack(self) -> Packed:
        """Weights as tensors; deepchem's own checkpoints are pickles and are not written."""
        weights = dict(self.network.model.state_dict())
        weights["scale"] = _tensor(self.scale)
        record = {**self.record, "tasks": write_tasks(self.tasks), "width": self.width}
        return Packed("deepchem", self.config.to_dict(), record, arrays={"network": weights})

    @classmethod
    def unpack(cls, stored: Stored) -> DeepChemPredictor:
        """Rebuild from an artifact."""
        config, width = DeepChemConfig.from_dict(stored.config), int(stored.record["width"])
        weights = stored.tensors("network")
        scale = weights.pop("scale").numpy()
        network = _build(config, len(stored.tasks), width)
        network.model.load_state_dict(weights)
        return cls(stored.tasks, config, network, width, scale, stored.record)


def fit_deepchem(config: DeepChemConfig, train: Dataset, valid: Dataset, *, seed: int = 0) -> DeepChemPredictor:
    """Fit on standardized targets, masked where nothing was measured.

    Raises:
        ConfigError: The model does not fit the tasks' kind.
    """
    kinds = {task.kind for task in train.tasks}
    if kinds != {MODELS[config.model]}:
        raise ConfigError(f"deepchem:{config.model} is for {MODELS[config.model]} tasks, got {', '.join(sorted(kinds))}")
    began = time.process_time()
    dc = deepchem()
    used, held = usable_rows(train, "train"), usable_rows(valid, "valid")
    check_trainable(train, used)
    matrix, held_matrix = (np.nan_to_num(featurize_blocks(part.batch, config.blocks)) for part in (used, held))
    scale = np.stack([np.nanmean(used.y, axis=0), np.nanstd(used.y, axis=0)]) if kinds == {"regression"} else np.stack([np.zeros(used.y.shape[1]), np.ones(used.y.shape[1])])
    targets = (used.y - scale[0]) / scale[1]
    weights = (~np.isnan(used.y)).astype(np.float32) * (1.0 if used.weights is None else used.weights[:, None])
    part = dc.data.NumpyDataset(matrix, np.nan_to_num(targets), weights)
    history = []
    with silenced(), seeded(derive_seed(seed, "deepchem")):
        network = _build(config, len(train.tasks), matrix.shape[1])
        predictor = DeepChemPredictor(train.tasks, config, network, matrix.shape[1], scale)
        best, kept = np.inf, None
        for _ in range(config.epochs):
            network.fit(part, nb_epoch=1, checkpoint_interval=0)
            error = float(np.nanmean((predictor._outputs(held_matrix) - held.y) ** 2)) if len(held.y) else 0.0  # Brier for classes
            history.append(round(error, 6))
            if kept is None or error < best:
                best, kept = error, {key: value.detach().clone() for key, value in network.model.state_dict().items()}
        network.model.load_state_dict(kept)
    predictor.record = {**origin(train, valid), "seed": seed, "history": history, "left_out": used.left_out, "fit_cpu_seconds": round(time.process_time() - began, 2)}
    return predictor


def load_deepchem(path: str | Path) -> DeepChemPredictor:
    """Load a saved one; every checksum is verified first."""
    stored = Stored.of(read_artifact(path, "predictor"))
    if stored.kind != "deepchem":
        raise ArtifactError(f"{path}: holds a predictor of kind {stored.kind!r}; drugai.load_predictor loads it")
    return DeepChemPredictor.unpack(stored)


def make_config(name: str) -> DeepChemConfig:
    """The Config behind the name ``deepchem:<name>``."""
    if name not in MODELS:
        raise unknown("deepchem model", name, list(MODELS))
    return DeepChemConfig(model=name)


def _build(config: DeepChemConfig, n_tasks: int, width: int) -> Any:
    dc = deepchem()
    with silenced():
        return getattr(dc.models, config.model)(
            n_tasks, width, layer_sizes=list(config.layers), dropouts=config.dropout, learning_rate=config.learning_rate, batch_size=config.batch_size,
            model_dir=tempfile.gettempdir(), device=_device(),
        )  # fmt: skip


def _device() -> Any:
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _tensor(values: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(values)
