"""Fit graph networks: graphs in memory, one shuffled pass an epoch, the best epoch on the validation part kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from drugai.contracts import Dataset
from drugai.featurizers.blocks import featurize_blocks
from drugai.featurizers.graphs import MolecularGraphs, collate, featurize_graphs
from drugai.models.gnn import GNN
from drugai.models.graph_batch import GraphTensors, to_tensors
from drugai.models.heads import Heads
from drugai.predictors.feature_scale import FeatureScale
from drugai.predictors.gnn import GNNConfig, GNNPredictor
from drugai.runtime import derive_seed, generator
from drugai.training.adversarial import EmbeddingAttack
from drugai.training.loop import LoopConfig, pick_device, run_loop
from drugai.training.rows import check_trainable, origin, usable_rows

OnEpoch = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True, eq=False)
class _Part:
    """One part of the data, ready for batches."""

    graphs: MolecularGraphs
    features: np.ndarray | None
    y: np.ndarray
    weights: np.ndarray | None
    bounds: np.ndarray | None = None

    def batch(self, rows: np.ndarray, device: torch.device) -> tuple[GraphTensors, torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        extra = None if self.features is None else torch.from_numpy(self.features[rows])
        weights = None if self.weights is None else torch.from_numpy(self.weights[rows]).to(device)
        bounds = None if self.bounds is None else torch.from_numpy(self.bounds[rows]).to(device)
        return to_tensors(collate(self.graphs.take(rows)), extra).to(device), torch.from_numpy(self.y[rows]).to(device), weights, bounds


def fit_gnn(
    config: GNNConfig,
    train: Dataset,
    valid: Dataset,
    *,
    seed: int = 0,
    on_epoch: OnEpoch | None = None,
    checkpoint: str | Path | None = None,
    tensorboard: str | Path | None = None,
) -> GNNPredictor:
    """Fit ``members`` networks that differ in their seed.

    Args:
        config: Network and training.
        train, valid: Parts of one data set; ``valid`` chooses the epoch alone.
        seed: The members' seeds derive from it; the same seed on the same machine gives the same weights.
        on_epoch: Called after each epoch of the first member; may raise to end.
        checkpoint: Folder from which a killed run continues.
        tensorboard: Folder for event files.
    """
    began = time.process_time()
    trunk: dict[str, torch.Tensor] = {}
    if config.encoder:
        config, trunk = with_encoder(config)
    used, held = usable_rows(train, "train", bounds=True), usable_rows(valid, "valid")
    check_trainable(train, used)
    scale = None
    features: tuple[np.ndarray | None, np.ndarray | None] = (None, None)
    if config.features:
        raw = featurize_blocks(used.batch, config.features)
        scale = FeatureScale.fit(raw)
        features = (scale(raw), scale(featurize_blocks(held.batch, config.features)))
    parts = (_Part(featurize_graphs(used.batch), features[0], used.y, used.weights, used.bounds), _Part(featurize_graphs(held.batch), features[1], held.y, held.weights))
    heads = Heads(train.tasks, config.loss)
    heads.fit_scale(used.y)
    device = pick_device(config.device)
    networks, histories = [], []
    for member in range(config.members):
        folder = Path(checkpoint) / f"member_{member}" if checkpoint is not None else None
        finished = folder / "network.safetensors" if folder is not None else None
        network = build_network(config, heads, 0 if scale is None else len(scale.center), derive_seed(seed, "gnn", member))
        network.load_state_dict({**network.state_dict(), **trunk})
        if finished is not None and finished.is_file():
            from safetensors.torch import load_file

            network.load_state_dict(load_file(finished))
        else:
            board = Path(tensorboard) / f"member_{member}" if tensorboard is not None else None
            histories.append(_train(config, network, heads, parts, device, derive_seed(seed, "member", member), on_epoch if member == 0 else None, folder, board))
            if finished is not None:
                from drugai.artifact import write_tensors_atomically

                write_tensors_atomically(finished, dict(network.state_dict()))
        networks.append(network)
    record = {**origin(train, valid), "seed": seed, "histories": histories, "left_out": used.left_out, "fit_cpu_seconds": round(time.process_time() - began, 2)}
    return GNNPredictor(train.tasks, config, networks, heads, scale, record, str(device))


def with_encoder(config: GNNConfig) -> tuple[GNNConfig, dict[str, torch.Tensor]]:
    """The Config with the shape of its pre-trained encoder, and that encoder's weights."""
    from drugai.models.graph_pretraining import load_graph_encoder

    found = load_graph_encoder(config.encoder)
    shape = found.config
    return config.replace(net=config.net.replace(encoder=shape.encoder, width=shape.width, depth=shape.depth, pooling=shape.pooling)), dict(found.trunk)


def build_network(config: GNNConfig, heads: Heads, extra: int, seed: int) -> GNN:
    """A network with weights drawn from ``seed``; torch's global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GNN(config.net, heads.outputs, extra)


def _train(
    config: GNNConfig,
    network: GNN,
    heads: Heads,
    parts: tuple[_Part, _Part],
    device: torch.device,
    seed: int,
    on_epoch: OnEpoch | None,
    checkpoint: Path | None,
    tensorboard: Path | None,
) -> dict[str, object]:
    train, valid = parts
    heads.to(device)
    n = len(train.graphs)
    size = min(config.batch_size, n)
    steps = max(1, n // size)  # a last short batch would be a noisy step: its rows come in another epoch's order

    def batches(epoch: int) -> Iterator[tuple[GraphTensors, torch.Tensor, torch.Tensor | None, torch.Tensor | None]]:
        order = generator(seed, "epoch", epoch).permutation(n)
        for step in range(steps):
            yield train.batch(order[step * size : (step + 1) * size], device)

    def loss(batch: tuple[GraphTensors, torch.Tensor, torch.Tensor | None, torch.Tensor | None]) -> torch.Tensor:
        graphs, y, weights, bounds = batch
        return heads.loss(network(graphs), y, weights, bounds)

    # the kind of loss is a setting that studies search: runs are compared by one measure, the squared error, whatever they are trained on
    judge = Heads(heads.tasks, "mse")
    judge.load_state_dict(heads.state_dict())
    judge.to(device)
    regression = heads.tasks[0].kind == "regression"

    def validate() -> dict[str, float]:
        total, error, count = 0.0, 0.0, 0
        for start in range(0, len(valid.graphs), 256):
            rows = np.arange(start, min(start + 256, len(valid.graphs)))
            graphs, y, _, _ = valid.batch(rows, device)
            outputs = network(graphs)
            total += float(heads.loss(outputs, y)) * len(rows)
            error += float(judge.loss(outputs, y)) * len(rows)
            count += len(rows)
        value, common = total / max(count, 1), error / max(count, 1)
        return {"loss": value**0.5 if config.loss == "mse" and regression else value, "error": common**0.5 if regression else common}

    loop = LoopConfig(
        epochs=config.epochs,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        warmup=config.warmup,
        patience=config.patience,
        minutes=config.minutes,
        average=config.average,
        precision=config.precision,
        device=str(device),
    )
    attack = EmbeddingAttack(network, config.adversarial) if config.adversarial else None
    history = run_loop(
        network, batches, loss, loop, seed=seed, steps_per_epoch=steps, validate=validate, on_epoch=on_epoch, checkpoint=checkpoint, tensorboard=tensorboard, attack=attack,
        decay_group=(lambda name, _: config.encoder_rate if name.startswith(("encoder.", "pooling.")) else 1.0) if config.encoder else None,
    )
    return history.to_dict()
