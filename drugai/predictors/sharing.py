"""Several models of one encoder: its arithmetic is done once a molecule, and each model adds its head."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drugai.models.gnn import GNN


def share_trunks(predictors: Sequence[Any]) -> int:
    """Let graph networks whose encoder and pooling hold the same weights share their molecule embeddings, batch by batch.

    Args:
        predictors: Predictors of any kind; ensembles are looked into. Those that share nothing stay as they are.

    Returns:
        Networks that share their trunk with another.
    """
    networks = [(predictor, member) for predictor in _graph_predictors(predictors) for member in range(len(predictor.networks))]
    if len(networks) < 2:
        return 0
    keys = [trunk_key(predictor.networks[member]) for predictor, member in networks]
    counts = Counter(keys)
    shared = 0
    for (predictor, member), key in zip(networks, keys, strict=True):
        if counts[key] > 1:
            predictor.trunks[member] = key
            shared += 1
    return shared


def trunk_key(network: GNN) -> str:
    """sha256 of the encoder's and the pooling's weights, by name: equal keys give equal embeddings."""
    digest = hashlib.sha256(f"{type(network.encoder).__name__}\0{network.pooling.kind}\0".encode())
    for part in (network.encoder, network.pooling):
        for name, tensor in sorted(part.state_dict().items()):
            digest.update(f"{name}\0{tuple(tensor.shape)}\0".encode() + tensor.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()


def _graph_predictors(predictors: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for predictor in predictors:
        inner = getattr(predictor, "predictor", predictor)
        if hasattr(inner, "trunks"):
            if not any(inner is known for known in found):
                found.append(inner)
        elif hasattr(inner, "members"):
            found += _graph_predictors(inner.members)
    return found
