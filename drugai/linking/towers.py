"""Two towers: drug text and disease text into one space, trained with multi-positive InfoNCE over all known pairs at once.

The text encoder is frozen; a tower is PCA, then a linear map that starts as the identity plus a residual MLP, so that training starts at the encoder's own
cosine and can only learn what moves away from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from drugai.config import Config, setting, tunable
from drugai.linking.encoding import BITS
from drugai.linking.views import Diseases, Drugs
from drugai.runtime import derive_seed
from drugai.training.loop import History, LoopConfig, run_loop


@dataclass(frozen=True)
class TowerConfig(Config):
    """The two towers and their loss."""

    inputs: str = setting(
        "text+class", choices=("text", "text+class"), help="text+class: the drug's class counts as much as the whole text, the disease's name as its text"
    )
    width: int = tunable(256, 64, 384, help="components of the PCA that the towers see")
    hidden: int = tunable(128, 64, 512, help="width of the residual MLP")
    dropout: float = tunable(0.3, 0.1, 0.5, help="dropout in the MLP")
    residual: bool = setting(True, help="start the linear map at the identity")
    loss: str = tunable(
        "infonce", choices=("infonce", "sigmoid", "margin"), help="infonce: multi-positive softmax both ways; sigmoid: each pair by itself; margin: hinge"
    )
    scale: float = tunable(12.0, 5.0, 50.0, log=True, help="inverse temperature at the start; it is learned")
    hard_negatives: int = tunable(0, 0, 64, help="only so many of the nearest wrong partners stand in a row's softmax (0: all)")
    structure: float = tunable(0.0, 0.0, 1.0, help="share of a structure branch (fingerprint, linear) in the drug tower; 0: text alone")
    weight_by_sources: float = tunable(0.0, 0.0, 1.0, help="a pair counts (number of sources) to this power")
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            epochs=100, learning_rate=4e-3, weight_decay=1e-2, warmup=0.05, schedule="constant", average=0.9, precision="fp32", device="cpu", patience=30
        )
    )


class Tower(nn.Module):
    """``[B, d (+ bits)] → [B, width]`` unit vectors. The PCA's mean and components are buffers, so they are saved with the weights.

    Args:
        inputs: Width d of a text embedding.
        config: Sizes.
        bits: Length of a fingerprint that follows the text in each row; 0 for none.
    """

    mean: torch.Tensor
    components: torch.Tensor

    def __init__(self, inputs: int, config: TowerConfig, bits: int = 0) -> None:
        super().__init__()
        width, self.inputs, self.share = config.width, inputs, config.structure if bits else 0.0
        self.branch = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(bits, width, bias=False)) if self.share else None
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("components", torch.zeros(inputs, width))
        self.linear = nn.Linear(width, width)
        last = nn.Linear(config.hidden, width)
        self.mlp = nn.Sequential(nn.Linear(width, config.hidden), nn.GELU(), nn.Dropout(config.dropout), last)
        if config.residual:
            nn.init.eye_(self.linear.weight)
            nn.init.zeros_(self.linear.bias)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        projected = nn.functional.normalize((x[:, : self.inputs] - self.mean) @ self.components, dim=-1)  # [B, width]
        found = nn.functional.normalize(self.linear(projected) + self.mlp(projected), dim=-1)
        if self.branch is None:
            return found
        shape = nn.functional.normalize(x[:, self.inputs :], dim=-1)  # a row of zeros, no structure, stays zero and adds nothing
        return nn.functional.normalize((1 - self.share) * found + self.share * nn.functional.normalize(self.branch(shape), dim=-1), dim=-1)


class Towers(nn.Module):
    """Drug tower, disease tower and the learned temperature."""

    def __init__(self, inputs: int, config: TowerConfig) -> None:
        super().__init__()
        self.config = config
        self.drug = Tower(inputs, config, BITS if config.structure else 0)
        self.disease = Tower(inputs, config)
        self.log_scale = nn.Parameter(torch.tensor(float(np.log(config.scale))))
        self.bias = nn.Parameter(torch.tensor(-4.0))

    def score_views(self, drugs: Drugs, diseases: Diseases) -> np.ndarray:
        """Cosine in the shared space ``[q, c]`` of drugs and diseases."""
        return self.score(drug_inputs(drugs, self.config), disease_inputs(diseases, self.config))

    def score(self, drugs: np.ndarray, diseases: np.ndarray) -> np.ndarray:
        """Cosine in the shared space ``[q, c]`` of inputs ``[q, d (+ bits)]`` and ``[c, d]``."""
        return self.embed_drugs(drugs) @ self.embed_diseases(diseases).T

    def embed_drugs(self, embeddings: np.ndarray) -> np.ndarray:
        """Drug text embeddings → shared space ``[n, width]``."""
        return self._embed(self.drug, embeddings)

    def embed_diseases(self, embeddings: np.ndarray) -> np.ndarray:
        """Disease text embeddings → shared space ``[n, width]``."""
        return self._embed(self.disease, embeddings)

    def _embed(self, tower: Tower, embeddings: np.ndarray) -> np.ndarray:
        self.eval()
        with torch.inference_mode():
            found: np.ndarray = tower(torch.from_numpy(np.ascontiguousarray(embeddings, dtype=np.float32))).numpy()
        return found


def drug_inputs(drugs: Drugs, config: TowerConfig) -> np.ndarray:
    """What the drug tower sees ``[n, d (+ bits)]``."""
    text = drugs.both if config.inputs == "text+class" else drugs.embeddings
    return np.concatenate([text, drugs.fingerprints], axis=1) if config.structure else text


def disease_inputs(diseases: Diseases, config: TowerConfig) -> np.ndarray:
    """What the disease tower sees ``[m, d]``."""
    if config.inputs == "text":
        return diseases.embeddings
    found: np.ndarray = diseases.both / np.maximum(np.linalg.norm(diseases.both, axis=1, keepdims=True), 1e-9)
    return found


def fit_towers(
    drugs: np.ndarray,
    diseases: np.ndarray,
    weights: np.ndarray,
    config: TowerConfig,
    *,
    seed: int = 0,
    validate: Callable[[Towers], Mapping[str, float]] | None = None,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
) -> tuple[Towers, History]:
    """Train on all pairs at once (one step an epoch).

    Args:
        drugs: ``[n, d (+ bits)]`` inputs of the training drugs.
        diseases: ``[m, d]`` of the training diseases.
        weights: ``[n, m]``, 0 where no pair is known.
        config: Sizes, loss, training.
        seed: Of the weights and of dropout.
        validate: Towers → scores; the one called ``score`` picks the step that is kept.
        on_epoch: Passed to the loop.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "towers"))
        towers = Towers(diseases.shape[1], config)
    _set_projection(towers, drugs[:, : diseases.shape[1]], diseases, config.width)
    x, z = torch.from_numpy(drugs.astype(np.float32)), torch.from_numpy(diseases.astype(np.float32))
    known = torch.from_numpy(weights.astype(np.float32))

    def loss(_: Any) -> torch.Tensor:
        logits = towers.drug(x) @ towers.disease(z).T * towers.log_scale.exp().clamp(max=100.0)  # [n, m]
        return link_loss(logits, known, config.loss, towers.bias, config.hard_negatives)

    history = run_loop(
        towers,
        lambda _: [None],
        loss,
        config.loop,
        seed=seed,
        steps_per_epoch=1,
        validate=None if validate is None else lambda: validate(towers),
        monitor="score",
        direction="max",
        on_epoch=on_epoch,
    )
    return towers, history


def link_loss(logits: torch.Tensor, known: torch.Tensor, kind: str, bias: torch.Tensor, hard: int = 0) -> torch.Tensor:
    """Loss of the similarity matrix ``[n, m]`` under the known pairs' weights; rows and columns without a known pair give no gradient.

    ``infonce``: for each row and each column, minus the weighted mean log-probability of its positives among all. ``sigmoid``: a logistic loss on each pair,
    as in SigLIP (arXiv 2303.15343), positives and negatives balanced. ``margin``: the hardest negative must stay a margin of 2 logits below each positive.
    """
    if kind == "infonce":
        parts = []
        for matrix, target in ((logits, known), (logits.T, known.T)):
            held = target.sum(1) > 0
            share = target[held] / target[held].sum(1, keepdim=True)
            parts.append(-(share * _hardest(matrix[held], target[held] > 0, hard).log_softmax(dim=1).masked_fill(share == 0, 0.0)).sum(1).mean())
        return torch.stack(parts).mean()
    positive = known > 0
    if kind == "sigmoid":
        signed = nn.functional.logsigmoid(torch.where(positive, logits + bias, -(logits + bias)))
        return -((signed * known).sum() / known.sum() + (signed * ~positive).sum() / positive.sum()) / 2
    hardest = logits.masked_fill(positive, -torch.inf)
    rows = (2.0 + hardest.amax(1, keepdim=True) - logits).clamp_min(0) * known
    columns = (2.0 + hardest.amax(0, keepdim=True) - logits).clamp_min(0) * known
    return (rows.sum() + columns.sum()) / (2 * known.sum())


def _hardest(logits: torch.Tensor, positive: torch.Tensor, count: int) -> torch.Tensor:
    """Logits with all but the ``count`` highest negatives of each row taken out."""
    if not count or count >= logits.shape[1]:
        return logits
    negatives = logits.detach().masked_fill(positive, -torch.inf)
    floor = negatives.topk(count, dim=1).values[:, -1:]
    return logits.masked_fill(~positive & (logits < floor), -torch.inf)


def _set_projection(towers: Towers, drugs: np.ndarray, diseases: np.ndarray, width: int) -> None:
    """One PCA for both sides, each side with its own mean: a shared basis keeps the encoder's cosine meaningful at the start."""
    centred = np.concatenate([drugs - drugs.mean(0), diseases - diseases.mean(0)]).astype(np.float64)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    components = vectors[:, ::-1][:, :width]
    if components.shape[1] < width:
        components = np.pad(components, ((0, 0), (0, width - components.shape[1])))
    for tower, side in ((towers.drug, drugs), (towers.disease, diseases)):
        tower.mean.copy_(torch.from_numpy(side.mean(0).astype(np.float32)))
        tower.components.copy_(torch.from_numpy(np.ascontiguousarray(components).astype(np.float32)))
