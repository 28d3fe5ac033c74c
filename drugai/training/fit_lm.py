"""Fine-tune encoders of SMILES: all weights, low-rank updates or the head alone; layers thawed one by one; two spellings of a molecule held together."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rdkit import Chem

from drugai.artifact import write_tensors_atomically
from drugai.contracts import Dataset
from drugai.errors import DatasetError, count_reasons
from drugai.featurizers.enumeration import respell
from drugai.featurizers.sequences import SmilesReader, VocabularyReader, batches_by_length, pad_rows
from drugai.featurizers.tokens import Encoded
from drugai.models.encoder_store import SavedEncoder, load_encoder, rebuild
from drugai.models.heads import Heads
from drugai.models.low_rank import add_low_rank, merge_low_rank
from drugai.models.smiles_encoder import PropertyHead, PropertyNetwork, SmilesEncoder
from drugai.predictors.language import LanguagePredictor, LMConfig
from drugai.runtime import derive_seed, generator
from drugai.training.adversarial import EmbeddingAttack
from drugai.training.loop import LoopConfig, pick_device, run_loop
from drugai.training.rows import Usable, check_trainable, origin, usable_rows

logger = logging.getLogger(__name__)

OnEpoch = Callable[[int, Mapping[str, float]], None]
_FROZEN_EPOCHS = 5  # times as many for a head on fixed embeddings


@dataclass(frozen=True, eq=False)
class _Part:
    """One part of the data, ready for batches: canonical rows, and the Mols from which other spellings are written."""

    encoded: Encoded
    mols: tuple[Chem.Mol, ...]
    y: np.ndarray
    weights: np.ndarray | None
    reader: SmilesReader
    bounds: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.mols)

    def tokens(self, rows: np.ndarray, device: torch.device, seeds: np.ndarray | None = None) -> torch.Tensor:
        """``[B, T]``; with seeds each molecule is spelled anew (and as canonical SMILES where the new spelling has a token that the vocabulary lacks)."""
        encoded, places = self.encoded, rows
        if seeds is not None:
            again = self.reader.read(respell([self.mols[row] for row in rows], seeds))
            fixed = [self.encoded.row(row) if why else again.row(place) for place, (row, why) in enumerate(zip(rows, again.reasons, strict=True))]
            encoded = Encoded(np.concatenate(fixed), np.concatenate([[0], np.cumsum([len(row) for row in fixed])]).astype(np.int64), ("",) * len(fixed))
            places = np.arange(len(rows))
        return torch.from_numpy(pad_rows(encoded, places, self.reader.pad)).to(device)

    def targets(self, rows: np.ndarray, device: torch.device) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """``[B, t]`` values, the molecules' weights, and bounds ``[B, t, 2]`` of values that were not measured."""
        weights, bounds = (None if found is None else torch.from_numpy(found[rows]).to(device) for found in (self.weights, self.bounds))
        return torch.from_numpy(self.y[rows]).to(device), weights, bounds


def fit_lm(
    config: LMConfig,
    train: Dataset,
    valid: Dataset,
    *,
    seed: int = 0,
    on_epoch: OnEpoch | None = None,
    checkpoint: str | Path | None = None,
    tensorboard: str | Path | None = None,
) -> LanguagePredictor:
    """Fit ``members`` networks that differ in their seed.

    Args:
        config: Encoder, head and training.
        train, valid: Parts of one data set; ``valid`` chooses the epoch alone.
        seed: The members' seeds derive from it; the same seed on the same machine gives the same weights.
        on_epoch: Called after each epoch of the first member; may raise to end.
        checkpoint: Folder from which a killed run continues.
        tensorboard: Folder for event files.

    Raises:
        DatasetError: What no model can learn from; with ``unknown="refuse"`` molecules whose tokens the vocabulary lacks, named.
    """
    began = time.process_time()
    used, held = usable_rows(train, "train", bounds=True), usable_rows(valid, "valid")
    check_trainable(train, used)
    start = load_encoder(config.encoder) if config.encoder else SavedEncoder.untrained(config.net, VocabularyReader.of(used.batch.canonical), derive_seed(seed, "encoder"))
    reader, unknown = _with_tokens_of(start.reader, used, train.name, config.unknown)
    parts = _part(used, reader), _part(held, reader)
    if len(parts[0]) < len(used.batch):
        check_trainable(train, Usable(used.batch.take(np.flatnonzero(reader.read(used.batch.canonical).lengths > 0)), parts[0].y, None, {}))
    heads = Heads(train.tasks, config.loss)
    heads.fit_scale(parts[0].y)
    device = pick_device(config.device)
    networks, histories = [], []
    for member in range(config.members):
        folder = Path(checkpoint) / f"member_{member}" if checkpoint is not None else None
        finished = folder / "network.safetensors" if folder is not None else None
        network = _network(config, start, reader, heads.outputs, derive_seed(seed, "lm", member))
        if finished is not None and finished.is_file():
            from safetensors.torch import load_file

            network.load_state_dict(load_file(finished))
        else:
            board = Path(tensorboard) / f"member_{member}" if tensorboard is not None else None
            fit = _train_head if config.mode == "frozen" else _train
            histories.append(fit(config, network, heads, parts, device, derive_seed(seed, "member", member), on_epoch if member == 0 else None, folder, board))
            if finished is not None:
                write_tensors_atomically(finished, dict(network.state_dict()))
        networks.append(network)
    left_out = {**used.left_out, **count_reasons(parts_reasons(used, reader))}
    record = {
        **origin(train, valid), "seed": seed, "histories": histories, "left_out": left_out, "unknown_tokens": unknown,
        "fit_cpu_seconds": round(time.process_time() - began, 2),
    }  # fmt: skip
    return LanguagePredictor(train.tasks, config, networks, reader, start.shape, heads, record, str(device))


def parts_reasons(used: Usable, reader: SmilesReader) -> tuple[str, ...]:
    """Why molecules of a part that RDKit reads cannot be spelled."""
    return reader.read(used.batch.canonical).reasons


def _with_tokens_of(reader: SmilesReader, used: Usable, name: str, unknown: str) -> tuple[SmilesReader, list[str]]:
    """The reader for the training molecules, and what was said of those that it could not spell (the first ten)."""
    encoded = reader.read(used.batch.canonical)
    named = [f"{smi}: {why.partition(': ')[2]}" for smi, why in zip(used.batch.smiles, encoded.reasons, strict=True) if why]
    if not named:
        return reader, []
    told = "; ".join(named[:10])
    if unknown == "refuse":
        raise DatasetError(f"{name}: {len(named)} training molecules cannot be spelled by the encoder: {told}; leave them out, or set unknown='extend' or 'leave_out'")
    if unknown == "extend" and isinstance(reader, VocabularyReader):
        logger.warning("%s: %d training molecules have tokens that the vocabulary lacks; they are added and learnt: %s", name, len(named), told)
        return reader.extended([smi for smi, why in zip(used.batch.canonical, encoded.reasons, strict=True) if why]), named[:10]
    logger.warning("%s: %d training molecules are left out: %s", name, len(named), told)
    return reader, named[:10]


def _part(used: Usable, reader: SmilesReader) -> _Part:
    encoded = reader.read(used.batch.canonical)
    fine = np.flatnonzero(encoded.lengths > 0)
    if len(fine) < len(encoded):
        encoded = reader.read([used.batch.canonical[row] for row in fine])
    mols = tuple(mol for mol in (used.batch.mols[row] for row in fine) if mol is not None)
    return _Part(encoded, mols, used.y[fine], None if used.weights is None else used.weights[fine], reader, None if used.bounds is None else used.bounds[fine])


def _network(config: LMConfig, start: SavedEncoder, reader: SmilesReader, outputs: int, seed: int) -> PropertyNetwork:
    """A copy of the encoder, with room for the reader's tokens, and a new head; without a pre-trained one each member has weights of its own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder: SmilesEncoder = rebuild(start.shape, start.reader)
        if config.encoder:
            encoder.load_state_dict(start.encoder.state_dict())
        if reader.size > start.reader.size:
            encoder.resize(reader.size)
        return PropertyNetwork(encoder, PropertyHead(encoder.width, config.head_width, outputs, config.dropout))


def _loop(config: LMConfig, device: torch.device, **changes: Any) -> LoopConfig:
    names = ("epochs", "learning_rate", "weight_decay", "warmup", "patience", "minutes", "average", "precision")
    return LoopConfig(**{**{name: getattr(config, name) for name in names}, "device": str(device), **changes})


def _judge(heads: Heads, loss: str, outputs: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
    """The loss, and the squared error by which runs of different losses are compared; of a regression task both as roots."""
    judge = Heads(heads.tasks, "mse")
    judge.load_state_dict(heads.state_dict())
    judge.to(outputs.device)
    value, error = float(heads.loss(outputs, y)), float(judge.loss(outputs, y))
    regression = heads.tasks[0].kind == "regression"
    return {"loss": value**0.5 if loss == "mse" and regression else value, "error": error**0.5 if regression else error}


def _train(
    config: LMConfig, network: PropertyNetwork, heads: Heads, parts: tuple[_Part, _Part], device: torch.device, seed: int, on_epoch: OnEpoch | None, checkpoint: Path | None,
    tensorboard: Path | None,
) -> dict[str, object]:  # fmt: skip
    train, valid = parts
    heads.to(device)
    n = len(train)
    size = min(config.batch_size, n)
    steps = max(1, n // size)
    _, blocks = network.encoder.blocks()
    top = len(blocks) + 1
    if config.mode == "lora":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, "low rank"))
            add_low_rank(blocks, config.rank)
    depth = {name: network.encoder.depth_of(name.removeprefix("encoder.")) for name, _ in network.named_parameters() if name.startswith("encoder.")}

    def rate(name: str, _parameter: torch.nn.Parameter) -> float:
        if name not in depth:
            return 1.0
        if config.mode == "lora":
            return 1.0 if name.endswith((".down", ".up")) else 0.0
        return config.layer_decay ** (top - depth[name])

    def batches(epoch: int) -> Iterator[tuple[int, int, np.ndarray]]:
        if config.thaw:  # the head first, then one more layer from the top every `thaw` epochs
            for name, parameter in network.named_parameters():
                parameter.requires_grad_(name not in depth or depth[name] > top - epoch // config.thaw)
        order = generator(seed, "epoch", epoch).permutation(n)
        for step in range(steps):
            yield epoch, step, order[step * size : (step + 1) * size]

    def loss(batch: tuple[int, int, np.ndarray]) -> torch.Tensor:
        epoch, step, rows = batch
        targets = train.targets(rows, device)
        random = generator(seed, "spelling", epoch, step)
        outputs = network(train.tokens(rows, device, random.integers(0, 2**31, len(rows)) if config.respell or config.consistency else None))
        value = heads.loss(outputs, *targets)
        if not config.consistency:
            return value
        again = network(train.tokens(rows, device, random.integers(0, 2**31, len(rows))))
        return (value + heads.loss(again, *targets)) / 2 + config.consistency * ((outputs - again) ** 2).mean()

    def validate() -> dict[str, float]:
        outputs = torch.zeros(len(valid), heads.outputs, device=device)
        for rows in batches_by_length(valid.encoded.lengths):
            outputs[torch.from_numpy(rows).to(device)] = network(valid.tokens(rows, device)).float()
        return _judge(heads, config.loss, outputs, valid.targets(np.arange(len(valid)), device)[0])

    history = run_loop(
        network, batches, loss, _loop(config, device), seed=seed, steps_per_epoch=steps, validate=validate if len(valid) else None, on_epoch=on_epoch, checkpoint=checkpoint,
        decay_group=rate, tensorboard=tensorboard, attack=EmbeddingAttack(network, config.adversarial) if config.adversarial else None,
    )  # fmt: skip
    merge_low_rank(blocks)
    network.requires_grad_(True)
    return history.to_dict()


def _train_head(
    config: LMConfig, network: PropertyNetwork, heads: Heads, parts: tuple[_Part, _Part], device: torch.device, seed: int, on_epoch: OnEpoch | None, checkpoint: Path | None,
    tensorboard: Path | None,
) -> dict[str, object]:  # fmt: skip
    """Every molecule is embedded once (its canonical SMILES); the head learns from the embeddings."""
    network.to(device)
    heads.to(device)
    states, valid = (_embed(network.encoder.eval(), part, device) for part in parts)
    head = network.head
    head.center.copy_(states.mean(0))
    head.scale.copy_(states.std(0).clamp_min(1e-4))
    n = len(states)
    size = min(config.batch_size, n)

    def batches(epoch: int) -> Iterator[np.ndarray]:
        order = generator(seed, "epoch", epoch).permutation(n)
        yield from (order[step * size : (step + 1) * size] for step in range(max(1, n // size)))

    def loss(rows: np.ndarray) -> torch.Tensor:
        return heads.loss(head(states[torch.from_numpy(rows).to(device)]), *parts[0].targets(rows, device))

    def validate() -> dict[str, float]:
        return _judge(heads, config.loss, head(valid), parts[1].targets(np.arange(len(valid)), device)[0])

    loop = _loop(config, device, epochs=config.epochs * _FROZEN_EPOCHS)
    return run_loop(
        head, batches, loss, loop, seed=seed, steps_per_epoch=max(1, n // size), validate=validate if len(valid) else None, on_epoch=on_epoch, checkpoint=checkpoint,
        tensorboard=tensorboard,
    ).to_dict()  # fmt: skip


@torch.no_grad()
def _embed(encoder: SmilesEncoder, part: _Part, device: torch.device) -> torch.Tensor:
    """``[n, d]``."""
    found = torch.zeros(len(part), encoder.width, device=device)
    for rows in batches_by_length(part.encoded.lengths):
        found[torch.from_numpy(rows).to(device)] = encoder(part.tokens(rows, device)).float()
    return found
