"""What a graph network is taught without labels: hidden atoms, and the molecule's fingerprint and descriptors.

Source: Hu et al., ICLR 2020 (arXiv:1905.12265) for hidden atoms; Burns et al., CheMeleon, 2025 (arXiv:2506.15792) for descriptors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from drugai.artifact import read_artifact, write_artifact
from drugai.featurizers.graphs import ATOM_COLUMNS
from drugai.models.encoder_pretraining import BITS, DESCRIPTORS
from drugai.models.gnn import GNN, GNNNetConfig
from drugai.models.graph_batch import GraphTensors

KIND = "graph_encoder"
TRUNK = ("encoder.", "pooling.")
"""Parts of a network that are kept; its head is made anew for the tasks."""


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


def save_graph_encoder(path: str | Path, config: GNNNetConfig, network: GNN, record: Mapping[str, Any], precision: str = "fp32") -> Path:
    """Write the artifact folder of a network without its head."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    tensors = {name: value.to(dtype) if value.is_floating_point() else value for name, value in network.state_dict().items() if name.startswith(TRUNK)}
    return write_artifact(path, KIND, config=config.to_dict(), arrays={"trunk": tensors}, record=record)


def load_graph_encoder(path: str | Path) -> tuple[GNNNetConfig, dict[str, Tensor]]:
    """Shape and weights of a pre-trained graph network.

    Raises:
        ArtifactError: The folder is missing, damaged or holds something else.
    """
    artifact = read_artifact(path, KIND)
    return GNNNetConfig.from_dict(artifact.config), {name: value.float() if value.is_floating_point() else value for name, value in artifact.tensors("trunk").items()}
