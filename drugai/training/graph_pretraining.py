"""Pre-train a graph network on molecules without labels: what ``drugai pretrain graph`` calls. A killed run goes on at its step."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from drugai.config import Config, setting, tunable
from drugai.errors import DatasetError
from drugai.featurizers.graphs import collate, featurize_graphs
from drugai.featurizers.molecule_store import MoleculeStore, build_store
from drugai.models.encoder_pretraining import fingerprint_bits
from drugai.models.gnn import GNNNetConfig
from drugai.models.graph_batch import GraphTensors, to_tensors
from drugai.models.graph_pretraining import GraphPretrainingNetwork, hide_atoms, save_graph_encoder
from drugai.molecules import MoleculeBatch
from drugai.predictors.gnn import default_net
from drugai.runtime import defer_interrupts, derive_seed, generator
from drugai.training.loop import History, LoopConfig, pick_device, run_loop
from drugai.training.pretraining import LEAST, WEIGHTS, append_line
from drugai.training.pretraining_batches import DescriptorScale, chapter_batches, chapters_of

logger = logging.getLogger(__name__)

Lesson = tuple[GraphTensors, torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class GraphPretrainConfig(Config):
    """A graph network and how it is pre-trained."""

    net: GNNNetConfig = field(default_factory=lambda: default_net().replace(dropout=0.0))
    share: float = tunable(0.15, 0.05, 0.4, help="share of the atoms that is hidden")
    batch: int = tunable(128, 32, 512, log=True, help="molecules a step")
    chapter: int = setting(50_000, help="molecules between two validations")
    held_out: int = setting(1000, help="molecules kept apart for validation (at most a tenth)")
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(epochs=3, learning_rate=1e-3, weight_decay=1e-4, warmup=0.03))


@dataclass(frozen=True, eq=False)
class GraphPretraining:
    """What a run gave; ``history.stopped`` is "asked" if it was asked to stop before its end (start it again to go on)."""

    path: Path
    molecules: int
    sources: tuple[Mapping[str, Any], ...]
    history: History


def fit_graph_encoder(
    config: GraphPretrainConfig,
    store: MoleculeStore,
    *,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[GraphPretrainingNetwork, History]:
    """Pre-train a graph network.

    Args:
        config: Shape and training; ``loop.epochs`` counts passes over the store, ``loop.minutes`` is a budget of running time.
        store: Molecules.
        seed: Weights, held-out molecules, order, hidden atoms.
        checkpoint: Folder from which a killed run goes on.
        on_epoch: Called after each chapter with its number and held-out scores.
        should_stop: Asked at each step; True ends the run with a checkpoint.

    Raises:
        DatasetError: Fewer than 200 molecules.
    """
    if len(store) < LEAST:
        raise DatasetError(f"the corpus has {len(store)} usable molecules, at least {LEAST} are needed")
    order = generator(seed, "held out").permutation(len(store))
    held = min(config.held_out, len(store) // 10)
    valid, train = order[:held], order[held:]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "weights"))
        network = GraphPretrainingNetwork(config.net)
    device = pick_device(config.loop.device)
    scale = DescriptorScale(store.smiles(train[:2000]))
    lengths = store.lengths

    def make(epoch: int, step: int, rows: np.ndarray) -> Lesson:
        batch = MoleculeBatch(store.smiles(rows))
        graphs = featurize_graphs(batch)
        fine = np.flatnonzero(graphs.n_atoms > 0)
        if len(fine) < len(batch):
            batch, graphs = batch.take(fine), graphs.take(fine)
        hidden = hide_atoms(graphs.n_atoms, config.share, generator(derive_seed(seed, "lesson"), epoch, step))
        rest = (torch.from_numpy(part).to(device) for part in (hidden, fingerprint_bits(batch), scale(batch)))
        return to_tensors(collate(graphs)).to(device), *rest  # type: ignore[return-value]

    exam = [make(-1, step, valid[begin : begin + 100]) for step, begin in enumerate(range(0, held, 100))]

    def batches(epoch: int) -> Iterator[tuple[int, int, np.ndarray]]:
        return chapter_batches(train, lengths, config.batch, config.chapter, derive_seed(seed, "train"), epoch)

    def loss(place: tuple[int, int, np.ndarray]) -> torch.Tensor:
        found = network.losses(*make(*place))
        return sum((weight * found[name] for name, weight in WEIGHTS.items()), torch.zeros((), device=device))

    def validate() -> dict[str, float]:
        found = [network.losses(*lesson) for lesson in exam]
        scores = {name: float(np.mean([float(one[name]) for one in found])) for name in found[0]}
        return {"loss": sum(weight * scores[name] for name, weight in WEIGHTS.items()), **scores}

    loop = config.loop.replace(epochs=config.loop.epochs * chapters_of(len(train), config.chapter))
    history = run_loop(
        network, batches, loss, loop, seed=seed, steps_per_epoch=None if loop.minutes else len(list(batches(0))), validate=validate, on_epoch=on_epoch, checkpoint=checkpoint,
        checkpoint_every=120.0, should_stop=should_stop,
    )  # fmt: skip
    return network.cpu().eval(), history


def pretrain_graph(
    corpus: Sequence[str | Path], out: str | Path, *, config: GraphPretrainConfig | None = None, smiles: str | None = None, limit: int | None = None, seed: int = 0,
    precision: str = "fp32", molecules: str | Path | None = None,
) -> GraphPretraining:  # fmt: skip
    """Pre-train on files of molecules and save encoder and pooling in ``out``; the run's molecules, checkpoint and curve lie in ``<out>.run`` and stay there.

    Args:
        corpus: Files of molecules; no label in them is read.
        out: Folder for the encoder; `GNNConfig(encoder=out)` starts from it.
        config: Shape and training.
        smiles: SMILES column.
        limit: Most molecules of each file.
        seed: Of everything random.
        precision: Of the saved weights: ``fp32`` or ``bf16``.
        molecules: Store that was built before, in place of the corpus.

    Raises:
        DatasetError: Fewer than 200 usable molecules.
    """
    config = config or GraphPretrainConfig()
    target = Path(out)
    work = target.with_name(target.name + ".run")
    store = MoleculeStore.open(molecules) if molecules is not None else build_store(corpus, work / "molecules", smiles=smiles, limit=limit)
    for source in store.sources:
        logger.info("%s: %d of %d rows kept, left out: %s", source["file"], source["kept"], source["rows"], source["left_out"], extra={"fields": dict(source)})
    with defer_interrupts() as interrupted:
        network, history = fit_graph_encoder(
            config, store, seed=seed, checkpoint=work / "checkpoint", on_epoch=lambda epoch, scores: append_line(work / "curve.jsonl", {"chapter": epoch, **scores}), should_stop=interrupted
        )
    if history.stopped != "asked":
        record = {
            "training": config.to_dict(), "seed": seed, "history": history.to_dict(),
            "corpus": {"molecules": len(store), "seen": history.steps * config.batch, "sources": [dict(source) for source in store.sources]},
        }  # fmt: skip
        save_graph_encoder(target, config.net, network.network.state_dict(), record, precision)
    return GraphPretraining(target, len(store), store.sources, history)
