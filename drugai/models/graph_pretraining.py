"""What a graph network is taught without labels: hidden atoms, and the molecule's fingerprint and descriptors.

Source: Hu et al., ICLR 2020 (arXiv:1905.12265) for hidden atoms; Burns et al., CheMeleon, 2025 (arXiv:2506.15792) for descriptors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from drugai.artifact import is_artifact, read_artifact, write_artifact
from drugai.featurizers.environments import atom_environments, bond_environments
from drugai.featurizers.graphs import ATOM_COLUMNS, collate, featurize_graphs
from drugai.models.encoder_pretraining import BITS, DESCRIPTORS
from drugai.models.environment_batch import to_environment_tensors
from drugai.models.gnn import GNN, GNNNetConfig
from drugai.models.graph_batch import GraphTensors, to_tensors
from drugai.molecules import MoleculeBatch

KIND = "graph_encoder"
TRUNK = ("encoder.", "pooling.")
"""Parts of a network that are kept; its head is made anew for the tasks."""
_TOGETHER = 1024  # molecules that are encoded together: the more, the more of their environments are alike


class GraphPretrainingNetwork(nn.Module):
    """A graph network whose head gives fingerprint bits and descriptors, and a second head for hidden atoms."""

    def __init__(self, config: GNNNetConfig) -> None:
        super().__init__()
        self.network = GNN(config, BITS + len(DESCRIPTORS))
        self.elements = nn.Linear(config.width, ATOM_COLUMNS["element"])

    def losses(self, graphs: GraphTensors, hidden: Tensor, bits: Tensor, descriptors: Tensor) -> dict[str, Tensor]:
        """``masked`` and ``bits`` (cross-entropies [nat]), ``descriptors`` (mean squared error of standardized values), and ``accuracy`` of the hidden elements.

        Args:
            graphs: B molecules.
            hidden: ``[V]`` bool, the atoms that the network shall not see.
            bits: ``[B, 1024]``.
            descriptors: ``[B, k]``, NaN where one is not defined.
        """
        atoms = torch.where(hidden[:, None], torch.zeros_like(graphs.atoms), graphs.atoms)  # element 0 is that of no atom
        shown = replace(graphs, atoms=atoms)
        states = self.network.encoder(shown)
        truth = graphs.atoms[hidden, 0]
        logits = self.elements(states[hidden])
        outputs = self.network.finish(self.network.pooling(states, shown))
        known = ~torch.isnan(descriptors)
        return {
            "masked": functional.cross_entropy(logits.float(), truth),
            "accuracy": (logits.detach().argmax(1) == truth).float().mean(),
            "bits": functional.binary_cross_entropy_with_logits(outputs[:, :BITS], bits),
            "descriptors": ((outputs[:, BITS:] - torch.nan_to_num(descriptors)) ** 2)[known].mean(),
        }


def hide_atoms(n_atoms: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """``[V]`` bool: a share of the atoms, at least one of each molecule."""
    chosen: np.ndarray = random.random(int(n_atoms.sum())) < share
    first = np.concatenate([[0], np.cumsum(n_atoms)[:-1]])
    chosen[first + random.integers(0, np.maximum(n_atoms, 1))] = True
    return chosen


def save_graph_encoder(path: str | Path, config: GNNNetConfig, state: Mapping[str, Tensor], record: Mapping[str, Any], precision: str = "fp32", card: str = "") -> Path:
    """Write the artifact folder of a network's ``state`` without its head; ``card`` is the text of its model card (``README.md``)."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    tensors = {name: value.to(dtype) if value.is_floating_point() else value for name, value in state.items() if name.startswith(TRUNK)}
    return write_artifact(path, KIND, config=config.to_dict(), arrays={"trunk": tensors}, texts={"README.md": card} if card else {}, record=record)


@dataclass(frozen=True, eq=False)
class GraphEncoder:
    """A pre-trained graph network without a head.

    Attributes:
        config: Its shape.
        trunk: Weights of encoder and pooling, float32.
        record: What the manifest says besides: corpus, training, learning curve.
    """

    config: GNNNetConfig
    trunk: Mapping[str, Tensor]
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that are read besides the SMILES: none."""
        return ()

    def embed(self, molecules: Sequence[str] | MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
        """``[n, d]`` float32 embeddings of n molecules, NaN rows for those that cannot be read, and n reasons."""
        graphs = featurize_graphs(molecules)
        found = np.full((len(graphs), self.config.width), np.nan, dtype=np.float32)
        rows = np.flatnonzero(graphs.valid & (graphs.n_atoms > 0))
        rows = rows[np.argsort(graphs.n_atoms[rows], kind="stable")]  # of like size
        fold = {"gin": atom_environments, "dmpnn": bond_environments}.get(self.config.encoder)
        with torch.inference_mode():
            for start in range(0, len(rows), _TOGETHER):
                part = rows[start : start + _TOGETHER]
                batch = collate(graphs.take(part))
                # environments that molecules share are computed once
                found[part] = self._network.encode(to_tensors(batch) if fold is None else to_environment_tensors(fold(batch, self.config.depth))).float().numpy()
        return found, graphs.reasons

    @cached_property
    def _network(self) -> GNN:
        network = GNN(self.config, 1)
        network.load_state_dict({**network.state_dict(), **self.trunk})
        return network.eval()


def shipped_graph_encoders() -> dict[str, Path]:
    """Name → folder of the graph encoders that lie in the package."""
    root = Path(str(resources.files("drugai"))) / "shipped"
    found = sorted(root.glob("graph_encoder_*")) if root.is_dir() else []
    return {folder.name: folder for folder in found if is_artifact(folder)}


def load_graph_encoder(source: str | Path) -> GraphEncoder:
    """Open a pre-trained graph network: the folder of a run, or the name of one that ships.

    Raises:
        ArtifactError: The folder is missing, damaged or holds something else.
    """
    artifact = read_artifact(shipped_graph_encoders().get(str(source), Path(source)), KIND)
    trunk = {name: value.float() if value.is_floating_point() else value for name, value in artifact.tensors("trunk").items()}
    own = ("format", "kind", "config", "versions", "files")
    return GraphEncoder(GNNNetConfig.from_dict(artifact.config), trunk, {key: value for key, value in artifact.manifest.items() if key not in own})
