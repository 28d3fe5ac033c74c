"""Graph networks as predictors: one network or an ensemble, with or without features of the whole molecule."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from drugai.config import Config, setting, tunable
from drugai.contracts import Task
from drugai.errors import ConfigError
from drugai.featurizers.blocks import featurize_blocks, side_columns
from drugai.featurizers.environments import atom_environments, bond_environments
from drugai.featurizers.graphs import MolecularGraphs, collate, featurize_graphs
from drugai.models.environment_batch import EnvironmentTensors, to_environment_tensors
from drugai.models.gnn import GNN, GNNNetConfig
from drugai.models.graph_batch import GraphTensors, to_tensors
from drugai.models.heads import Heads
from drugai.molecules import MoleculeBatch
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.feature_scale import FeatureScale
from drugai.predictors.packing import Packed, Stored, write_tasks

if TYPE_CHECKING:
    import torch

FOLDED = {"dmpnn": bond_environments, "gin": atom_environments}
"""Encoders that compute each distinct environment of a batch once, and how its environments are found."""
_ATOMS = 131_072
"""Atoms folded together at most: the more, the more of them are alike."""


def default_net() -> GNNNetConfig:
    """A graph isomorphism network with mean and sum pooling: the best on two of three validation parts (experiments/01_property_baselines/choose_gnn.py)."""
    return GNNNetConfig(encoder="gin", width=256, depth=3, pooling="mean_sum", dropout=0.1)


@dataclass(frozen=True)
class GNNConfig(Config):
    """A graph network and how it is trained."""

    kind = "gnn"

    net: GNNNetConfig = field(default_factory=default_net)
    features: tuple[str, ...] = setting((), help="feature blocks of the whole molecule joined before the head (names as for trees)")
    encoder: str = setting("", help="graph_encoder_small, which ships, or a folder of `drugai pretrain graph`; shape and weights of encoder and pooling come from there (empty: random weights)")
    encoder_rate: float = setting(1.0, help="learning rate of a pre-trained encoder as a share of the head's (0: it is frozen)")
    members: int = setting(1, help="networks with different seeds, averaged; two or more give a standard deviation")
    batch_size: int = tunable(64, choices=(32, 64, 128), help="molecules a step")
    epochs: int = setting(60, help="most passes over the training part")
    minutes: float = setting(0.0, help="most time; the learning rate then falls with whichever of epochs and time runs faster (0: no limit)")
    patience: int = setting(0, help="epochs without a better validation score before training ends (0: all epochs; the best is kept)")
    learning_rate: float = tunable(1e-3, 2e-4, 4e-3, log=True, help="peak learning rate of AdamW")
    weight_decay: float = tunable(1e-4, 1e-6, 1e-1, log=True, help="decoupled weight decay")
    warmup: float = setting(0.05, help="share of the run over which the rate rises")
    average: float = setting(0.99, help="decay of the moving average of the weights (0: none)")
    loss: str = tunable("mse", choices=("mse", "huber", "mae"), help="loss of regression tasks")
    adversarial: float = setting(0.0, help="norm of the disturbance of the embeddings that each step also learns from, for example 1 (0: none); a step costs twice as much")
    precision: str = setting("auto", choices=("auto", "fp32", "bf16"), help="of training; auto: bf16 on a GPU that has it")
    device: str = setting("auto", help="auto, cpu, cuda …")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.members < 1 or self.epochs < 1 or self.batch_size < 1:
            raise ConfigError(f"GNNConfig: members, epochs and batch_size must be at least 1; got {self.members}, {self.epochs}, {self.batch_size}")
        if self.adversarial < 0 or (self.adversarial and self.encoder and self.encoder_rate == 0):
            raise ConfigError(f"GNNConfig: adversarial is the norm of a disturbance of embeddings that are learnt: 0 or more, and encoder_rate above 0; got {self.adversarial}")


class GNNPredictor(TrainedPredictor):
    """m graph networks whose outputs are averaged.

    ``predict`` runs on ``device`` in ``precision``: ``fp32``, or ``bf16``, which is two to three times faster on a processor with bfloat16 arithmetic
    and changes values in the third digit.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        config: GNNConfig,
        networks: Sequence[GNN],
        heads: Heads,
        scale: FeatureScale | None = None,
        record: dict[str, Any] | None = None,
        device: str = "cpu",
    ) -> None:
        self.tasks = tuple(tasks)
        self.config = config
        self.networks = [network.eval().to(device) for network in networks]
        self.heads = heads.to(device)
        self.scale = scale
        self.reads_mols_once = scale is None
        self.cost = 1000.0 * len(self.networks) + (0.0 if scale is None else 5000.0)
        self.record = dict(record or {})
        self.device = device
        self.precision = "fp32"
        self.batch_size = 128
        self.trunks: dict[int, str] = {}
        """Members whose encoder other models share (see :mod:`drugai.predictors.sharing`), and its key."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table among the features."""
        return side_columns(self.config.features)

    def to(self, device: str | None = None, precision: str | None = None) -> GNNPredictor:
        """Move the networks to a device or a precision (``fp32`` or ``bf16``), in place."""
        import torch

        if device is not None:
            self.device = device
        if precision is not None:
            if precision not in ("fp32", "bf16"):
                raise ConfigError(f"precision {precision!r} is not one of fp32, bf16")
            self.precision = precision
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float32
        self.networks = [network.to(self.device, dtype) for network in self.networks]
        self.heads = self.heads.to(self.device)
        return self

    def predict_members(self, batch: MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
        """``[m, n, o]`` and n reasons."""
        graphs = featurize_graphs(batch)
        features = self.features(batch)
        if not self.trunks:
            return self.predict_graphs(graphs, features), graphs.reasons
        own = [member for member in range(len(self.networks)) if member not in self.trunks]
        outputs = np.zeros((len(self.networks), len(graphs), self.heads.outputs), dtype=np.float32)
        if own:
            outputs[own] = self.predict_graphs(graphs, features, own)
        for member, key in self.trunks.items():
            states = batch.compute(("trunk", key, self.precision, self.device), functools.partial(self._encode_batch, member=member))
            outputs[member] = self._finish(states, features, member)
        return outputs, graphs.reasons

    def featurize(self, batch: MoleculeBatch) -> None:
        """The graphs, and features of whole molecules."""
        featurize_graphs(batch)
        if self.scale is not None:
            featurize_blocks(batch, self.config.features)

    def features(self, batch: MoleculeBatch) -> np.ndarray | None:
        """``[n, k]`` scaled features of whole molecules, None if the model uses none."""
        return self.scale(featurize_blocks(batch, self.config.features)) if self.scale is not None else None

    def predict_graphs(self, graphs: MolecularGraphs, features: np.ndarray | None = None, members: Sequence[int] | None = None) -> np.ndarray:
        """``[m, n, o]`` of all or the named members, from graphs and scaled features that were computed before."""
        import torch

        chosen = [self.networks[member] for member in (range(len(self.networks)) if members is None else members)]
        outputs = np.zeros((len(chosen), len(graphs), self.heads.outputs), dtype=np.float32)
        with torch.inference_mode():
            for rows, tensors in self._batches(graphs, features):
                for place, network in enumerate(chosen):
                    outputs[place, rows] = self.heads.decode(network(tensors)).cpu().numpy()
        return outputs

    def _encode_batch(self, batch: MoleculeBatch, member: int) -> np.ndarray:
        return self._encode(featurize_graphs(batch), member)

    def _encode(self, graphs: MolecularGraphs, member: int) -> np.ndarray:
        """``[n, d]`` embeddings by one member's trunk; zeros for a molecule without atoms."""
        import torch

        states = np.zeros((len(graphs), self.networks[member].width), dtype=np.float32)
        with torch.inference_mode():
            for rows, tensors in self._batches(graphs, None):
                states[rows] = self.networks[member].encode(tensors).float().cpu().numpy()
        return states

    def _finish(self, states: np.ndarray, features: np.ndarray | None, member: int) -> np.ndarray:
        """``[n, o]`` from embeddings ``[n, d]`` by one member's head."""
        import torch

        with torch.inference_mode():
            extra = None if features is None else torch.from_numpy(features).to(self.device)
            outputs = self.networks[member].finish(torch.from_numpy(states).to(self.device), extra)
            found: np.ndarray = self.heads.decode(outputs).cpu().numpy()
        return found

    def embed(self, molecules: Sequence[str] | MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
        """``[n, d]`` embeddings by the first member's encoder (NaN rows for unreadable molecules) and n reasons."""
        import torch

        graphs = featurize_graphs(molecules)
        found = np.full((len(graphs), self.networks[0].width), np.nan, dtype=np.float32)
        with torch.inference_mode():
            for rows, tensors in self._batches(graphs, None):
                found[rows] = self.networks[0].encode(tensors).float().cpu().numpy()
        found[~graphs.valid] = np.nan
        return found, graphs.reasons

    def _batches(self, graphs: MolecularGraphs, features: np.ndarray | None) -> Iterator[tuple[np.ndarray, GraphTensors | EnvironmentTensors]]:
        import torch

        fold = FOLDED.get(self.config.net.encoder)
        rows = np.flatnonzero(graphs.n_atoms > 0)
        if fold is None:
            rows = rows[np.argsort(graphs.n_atoms[rows], kind="stable")]  # of like size
            parts = [rows[start : start + self.batch_size] for start in range(0, len(rows), self.batch_size)]
        else:
            part = np.cumsum(graphs.n_atoms[rows], dtype=np.int64) // _ATOMS
            parts = np.split(rows, np.flatnonzero(np.diff(part)) + 1) if len(rows) else []
        for chosen in parts:
            batch = collate(graphs if len(chosen) == len(graphs) and fold is not None else graphs.take(chosen))
            extra = None if features is None else torch.from_numpy(features[chosen])
            tensors = to_tensors(batch, extra) if fold is None else to_environment_tensors(fold(batch, self.config.net.depth), extra)
            yield chosen, tensors.to(self.device)

    def pack(self) -> Packed:
        """Weights in float32, the scale of targets and features, and the record."""
        arrays: dict[str, dict[str, torch.Tensor] | dict[str, np.ndarray]] = {
            f"network_{index}": {name: value.float() for name, value in network.state_dict().items()} for index, network in enumerate(self.networks)
        }
        arrays["heads"] = dict(self.heads.state_dict())
        if self.scale is not None:
            arrays["features"] = {"center": self.scale.center, "scale": self.scale.scale}
        return Packed("gnn", self.config.to_dict(), {**self.record, "tasks": write_tasks(self.tasks)}, arrays=arrays)

    @classmethod
    def unpack(cls, stored: Stored) -> GNNPredictor:
        """Rebuild from an artifact, on the CPU."""
        config = GNNConfig.from_dict(stored.config)
        heads = Heads(stored.tasks, config.loss)
        heads.load_state_dict(stored.tensors("heads"))
        scale = None
        if config.features:
            found = stored.arrays("features")
            scale = FeatureScale(found["center"], found["scale"])
        extra = len(scale.center) if scale is not None else 0
        networks = []
        for index in range(config.members):
            network = GNN(config.net, heads.outputs, extra)
            network.load_state_dict(stored.tensors(f"network_{index}"))
            networks.append(network)
        return cls(stored.tasks, config, networks, heads, scale, stored.record)
