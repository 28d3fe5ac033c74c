"""Pre-train an encoder of SMILES on molecules without labels: what ``drugai pretrain encoder`` calls. A killed run goes on at its step."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from drugai.config import Config, setting, tunable
from drugai.errors import ConfigError, DatasetError
from drugai.featurizers.enumeration import respell
from drugai.featurizers.molecule_store import MoleculeStore, build_store
from drugai.featurizers.sequences import VocabularyReader, pad_rows
from drugai.featurizers.tokens import SPECIALS, UNK, Vocabulary
from drugai.models.encoder_pretraining import Lesson, PretrainingNetwork, fingerprint_bits, hide
from drugai.models.encoder_store import SavedEncoder
from drugai.models.smiles_encoder import EncoderConfig
from drugai.molecules import MoleculeBatch
from drugai.runtime import defer_interrupts, derive_seed, generator
from drugai.training.loop import History, LoopConfig, pick_device, run_loop
from drugai.training.pretraining_batches import DescriptorScale, chapter_batches, chapters_of

logger = logging.getLogger(__name__)

LEAST = 200
TARGETS = ("masked", "bits", "descriptors")
WEIGHTS = {"masked": 1.0, "bits": 5.0, "descriptors": 1.0}  # a fingerprint's mean loss a bit is small, because most bits are 0
_SAMPLE = 20_000  # molecules whose spellings give the vocabulary


@dataclass(frozen=True)
class PretrainConfig(Config):
    """An encoder and how it is pre-trained."""

    net: EncoderConfig = field(default_factory=EncoderConfig)
    targets: tuple[str, ...] = setting(TARGETS, help="what is learnt: masked tokens, fingerprint bits, descriptors")
    share: float = tunable(0.2, 0.1, 0.4, help="share of the tokens that is hidden")
    respell: bool = setting(True, help="another random spelling of a molecule each time it is seen; else as it stands in the file")
    batch: int = tunable(64, 32, 256, log=True, help="molecules a step")
    chapter: int = setting(20_000, help="molecules between two validations")
    held_out: int = setting(1000, help="molecules kept apart for validation (at most a tenth)")
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(epochs=3, learning_rate=1.5e-3, weight_decay=1e-2, warmup=0.03))

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.targets or self.targets[0] != "masked" or not set(self.targets) <= set(TARGETS):
            raise ConfigError(f"PretrainConfig.targets: got {list(self.targets)}; masked comes first, then any of {', '.join(TARGETS[1:])}")
        if not 0 < self.share < 1 or self.batch < 1 or self.chapter < self.batch:
            raise ConfigError(f"PretrainConfig: share must be in (0, 1), batch at least 1 and chapter at least batch; got {self.share}, {self.batch}, {self.chapter}")


@dataclass(frozen=True, eq=False)
class EncoderPretraining:
    """What a run gave; ``saved`` is None if it was asked to stop before its end (start it again to go on)."""

    saved: SavedEncoder | None
    path: Path
    molecules: int
    sources: tuple[Mapping[str, Any], ...]


class _Lessons:
    """Batches from a store: a function of (seed, epoch, step) alone, so that a killed run resumes at its step."""

    def __init__(self, config: PretrainConfig, store: MoleculeStore, reader: VocabularyReader, rows: np.ndarray, seed: int, device: torch.device) -> None:
        self.config, self.store, self.reader, self.rows, self.seed, self.device = config, store, reader, rows, seed, device
        self.scale = DescriptorScale(store.smiles(rows[:2000]))
        self.unspelled = 0

    def order(self, epoch: int) -> Iterator[tuple[int, int, np.ndarray]]:
        """(epoch, step, rows) of one chapter; a pass over the store has several."""
        return chapter_batches(self.rows, self.store.lengths, self.config.batch, self.config.chapter, self.seed, epoch)

    def make(self, epoch: int, step: int, rows: np.ndarray) -> Lesson:
        """The batch itself."""
        random = generator(self.seed, "lesson", epoch, step)
        texts = self.store.smiles(rows)
        batch = MoleculeBatch(texts)
        spelled = respell([mol for mol in batch.mols if mol is not None], random.integers(0, 2**31, len(rows))) if self.config.respell else texts
        encoded = self.reader.read(spelled)
        fine = np.flatnonzero(encoded.lengths > 0)
        self.unspelled += len(rows) - len(fine)
        if len(fine) == 0:
            raise DatasetError(f"no molecule of a batch can be spelled: {encoded.reasons[0]}")
        batch = batch if len(fine) == len(batch) else batch.take(fine)
        tokens, truth = hide(pad_rows(encoded, fine, self.reader.pad), self.config.share, UNK, self.reader.pad, self.reader.size, random)
        bits = torch.from_numpy(fingerprint_bits(batch)).to(self.device) if "bits" in self.config.targets else None
        values = torch.from_numpy(self.scale(batch)).to(self.device) if "descriptors" in self.config.targets else None
        return Lesson(torch.from_numpy(tokens).to(self.device), torch.from_numpy(truth).to(self.device), bits, values)


def fit_encoder(
    config: PretrainConfig,
    store: MoleculeStore,
    *,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    checkpoint_every: float = 120.0,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> SavedEncoder:
    """Pre-train an encoder.

    Args:
        config: Shape and training; ``loop.epochs`` counts passes over the store, ``loop.minutes`` is a budget of running time over which the rate anneals.
        store: Molecules.
        seed: Weights, held-out molecules, order, spellings, hidden tokens.
        checkpoint: Folder from which a killed run goes on.
        checkpoint_every: Seconds between checkpoints.
        on_epoch: Called after each chapter with its number and held-out scores.
        should_stop: Asked at each step; True ends the run with a checkpoint.

    Returns:
        The encoder of the best held-out loss, with its learning curve in the record.

    Raises:
        DatasetError: Fewer than 200 molecules.
    """
    if len(store) < LEAST:
        raise DatasetError(f"the corpus has {len(store)} usable molecules, at least {LEAST} are needed")
    order = generator(seed, "held out").permutation(len(store))
    held = min(config.held_out, len(store) // 10)
    valid, train = order[:held], order[held:]
    reader = VocabularyReader(corpus_vocabulary(store, seed))
    saved = SavedEncoder.untrained(config.net, reader, derive_seed(seed, "weights"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "heads"))
        network = PretrainingNetwork(saved.encoder, reader.size)
    device = pick_device(config.loop.device)
    lessons = _Lessons(config, store, reader, train, derive_seed(seed, "train"), device)
    exam = [lessons.make(-1, step, valid[begin : begin + 100]) for step, begin in enumerate(range(0, held, 100))]

    def loss(place: tuple[int, int, np.ndarray]) -> torch.Tensor:
        found = network.losses(lessons.make(*place))
        return sum((WEIGHTS[name] * found[name] for name in config.targets), torch.zeros((), device=device))

    def validate() -> dict[str, float]:
        found = [network.losses(lesson) for lesson in exam]
        scores = {name: float(np.mean([float(one[name]) for one in found])) for name in found[0]}
        return {"loss": sum(WEIGHTS[name] * scores[name] for name in config.targets), **scores}

    chapters = chapters_of(len(train), config.chapter)
    history = run_loop(
        network, lessons.order, loss, config.loop.replace(epochs=config.loop.epochs * chapters), seed=seed, steps_per_epoch=len(list(lessons.order(0))) if not config.loop.minutes else None,
        validate=validate, on_epoch=on_epoch, checkpoint=checkpoint, checkpoint_every=checkpoint_every, should_stop=should_stop,
    )  # fmt: skip
    return SavedEncoder(saved.encoder.cpu().eval(), reader, saved.shape, _record(config, store, history, seed, lessons))


def _record(config: PretrainConfig, store: MoleculeStore, history: History, seed: int, lessons: _Lessons) -> dict[str, Any]:
    corpus = {"molecules": len(store), "held_out": len(store) - len(lessons.rows), "seen": history.steps * config.batch, "sources": [dict(source) for source in store.sources]}
    return {"training": config.to_dict(), "seed": seed, "corpus": corpus, "history": history.to_dict()}


def corpus_vocabulary(store: MoleculeStore, seed: int) -> Vocabulary:
    """The tokens of a store, of a sample of its molecules spelled anew, and the common ones; a token that occurs once in the store is left out."""
    texts = store.smiles(range(len(store)))
    rows = generator(seed, "vocabulary").permutation(len(texts))[:_SAMPLE]
    spelled = respell([mol for mol in MoleculeBatch([texts[row] for row in rows]).mols if mol is not None], range(len(rows)))
    frequent = Vocabulary.from_corpus(texts, least=2).tokens[len(SPECIALS) :]
    common = VocabularyReader.of(spelled).vocabulary
    return Vocabulary(common.tokens + tuple(token for token in frequent if token not in common))


def pretrain_encoder(
    corpus: Sequence[str | Path],
    out: str | Path,
    *,
    config: PretrainConfig | None = None,
    smiles: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    precision: str = "fp32",
) -> EncoderPretraining:
    """Pre-train on files of molecules and save the encoder in ``out``; the run's molecules, checkpoint and curve lie in ``<out>.run`` and stay there.

    Args:
        corpus: Files of molecules; no label in them is read.
        out: Folder for the encoder.
        config: Shape and training.
        smiles: SMILES column.
        limit: Most molecules of each file.
        seed: Of everything random.
        precision: Of the saved weights: ``fp32`` or ``bf16``.

    Raises:
        DatasetError: Fewer than 200 usable molecules.
    """
    target = Path(out)
    work = target.with_name(target.name + ".run")
    store = build_store(corpus, work / "molecules", smiles=smiles, limit=limit)
    for source in store.sources:
        logger.info("%s: %d of %d rows kept, left out: %s", source["file"], source["kept"], source["rows"], source["left_out"], extra={"fields": dict(source)})
    with defer_interrupts() as interrupted:
        saved = fit_encoder(config or PretrainConfig(), store, seed=seed, checkpoint=work / "checkpoint", on_epoch=lambda epoch, scores: append_line(work / "curve.jsonl", {"chapter": epoch, **scores}), should_stop=interrupted)
        stopped = interrupted()
    if not stopped:
        saved.save(target, precision=precision)
    return EncoderPretraining(None if stopped else saved, target, len(store), store.sources)


def append_line(file: Path, entry: Mapping[str, Any]) -> None:
    """One more line of a learning curve."""
    with open(file, "a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry) + "\n")
