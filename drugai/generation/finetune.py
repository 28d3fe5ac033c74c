"""Fine-tuning a prior on a set of actives: validation curve, early stopping, and what the model learnt by heart."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from drugai.config import Config, setting, tunable
from drugai.errors import count_reasons
from drugai.generation.corpus import encode_corpus
from drugai.generation.fitting import GeneratorConfig, fit_generator
from drugai.generation.prior import Prior
from drugai.molecules import MoleculeBatch, fingerprint, tanimoto
from drugai.runtime import derive_seed
from drugai.training.loop import LoopConfig

logger = logging.getLogger(__name__)

LEAST_ACTIVES = 10


@dataclass(frozen=True)
class FineTuneConfig(Config):
    """How far a prior is drawn towards a set of molecules."""

    batch: int = tunable(16, 4, 128, log=True, help="molecules a step")
    extend: bool = setting(False, help="add tokens that the prior does not hold instead of rejecting their molecules")
    samples: int = setting(1000, help="molecules drawn afterwards to measure memorisation")
    threads: int = setting(0, help="processor threads (0: all that this process may use)")
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(epochs=40, learning_rate=3e-4, weight_decay=1e-2, warmup=0.1, patience=5))


@dataclass(frozen=True)
class FineTuneReport:
    """What fine-tuning did.

    Attributes:
        curve: One entry an epoch: ``train_loss`` and held-out ``loss`` [nat a token].
        best_epoch: The epoch whose weights were kept; -1 where none was better than the start.
        start_loss: Held-out loss of the prior before.
        rejected: (position, SMILES, reason) of actives that were not used.
        new_tokens: Tokens that the vocabulary was extended by.
        validity: Share of readable molecules among the samples.
        uniqueness: Share of different molecules among the readable ones.
        copied: Share of the readable samples that are one of the actives.
        recovered: Share of the actives that were written at least once.
        nearest: Median Tanimoto similarity (Morgan, radius 2) of the readable samples to their nearest active; NaN without any.
        nearest_before: The same of the prior's samples before.
        known_validity: Validity of the prior's samples before.
    """

    curve: tuple[Mapping[str, float], ...]
    best_epoch: int
    start_loss: float
    rejected: tuple[tuple[int, str, str], ...]
    new_tokens: tuple[str, ...]
    validity: float
    uniqueness: float
    copied: float
    recovered: float
    nearest: float
    nearest_before: float
    known_validity: float

    def __str__(self) -> str:
        kept = f"epoch {self.best_epoch + 1} of {len(self.curve)}" if self.best_epoch >= 0 else "none, the prior is unchanged"
        best = min((entry["loss"] for entry in self.curve), default=self.start_loss)
        return (
            f"held-out loss {self.start_loss:.3f} before, {best:.3f} at best (weights kept: {kept}); samples: {self.validity:.1%} valid (before {self.known_validity:.1%}), "
            f"{self.uniqueness:.1%} of them different, median similarity to the nearest active {self.nearest:.2f} (before {self.nearest_before:.2f}); "
            f"learnt by heart: {self.copied:.1%} of the samples are actives, {self.recovered:.1%} of the actives were written"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**self.__dict__, "curve": [dict(entry) for entry in self.curve]}


def fine_tune(
    prior: Prior,
    actives: Sequence[str] | MoleculeBatch,
    config: FineTuneConfig | None = None,
    *,
    seed: int = 0,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
    checkpoint: str | Path | None = None,
) -> tuple[Prior, FineTuneReport]:
    """Train a copy of ``prior`` further on ``actives``; the prior itself stays as it is.

    Args:
        prior: Where to start.
        actives: n molecules, at least 10 usable ones. They are written in RDKit's canonical form, as the prior's corpus was, and each counts once.
        config: How far to go.
        seed: Held-out molecules, order of the batches, samples.
        on_epoch: Called after each epoch with its number and scores.
        checkpoint: Folder from which a killed run goes on.

    Returns:
        The fine-tuned prior and the report.

    Raises:
        DatasetError: Fewer than 10 actives are readable and can be spelled; the reasons are named.
    """
    config = config or FineTuneConfig()
    batch = MoleculeBatch.of(actives)
    canonical = batch.canonical
    place = {smi: row for row, smi in reversed(list(enumerate(canonical))) if smi}
    rows = sorted(place.values())
    molecules = [canonical[row] for row in rows]
    tuned = Prior(prior.config, prior.vocabulary, copy.deepcopy(prior.model), dict(prior.record))
    new_tokens = tuple(tuned.extend_vocabulary(molecules)) if config.extend else ()
    corpus = encode_corpus(molecules, tuned.vocabulary, least=LEAST_ACTIVES)
    unread = [(row, smi, why) for row, (smi, why) in enumerate(zip(batch.smiles, batch.reasons, strict=True)) if why]
    rejected = sorted([*unread, *((rows[at], batch.smiles[rows[at]], why) for at, _, why in corpus.rejected)])
    if rejected:
        logger.warning("%d of %d actives are not used: %s", len(rejected), len(batch), count_reasons(why for *_, why in rejected))
    held_out = max(1, len(corpus) // 10)
    settings = GeneratorConfig(
        model=prior.config, batch=config.batch, chapter=len(corpus), held_out=held_out, samples=0, threads=config.threads, loop=config.loop
    )
    before = Prior(tuned.config, tuned.vocabulary, copy.deepcopy(tuned.model))
    seed_of_samples = derive_seed(seed, "memorisation")
    first = MoleculeBatch(before.sample(config.samples, seed_of_samples))
    tuned = fit_generator(settings, corpus, seed=seed, start=tuned, on_epoch=on_epoch, checkpoint=checkpoint)
    history = tuned.record["history"]
    start_loss = float(tuned.record["start_loss"])
    best = int(history["best_epoch"])
    if not history["best_score"] < start_loss:
        tuned.model, best = before.model, -1
        logger.warning(
            "fine-tuning did not lower the held-out loss (%.4f before, %.4f at best); the prior is returned unchanged", start_loss, history["best_score"]
        )
    known = set(corpus.smiles(range(len(corpus))))
    written = MoleculeBatch(tuned.sample(config.samples, seed_of_samples))
    readable = [smi for smi in written.canonical if smi]
    copies = [smi for smi in readable if smi in known]
    report = FineTuneReport(
        curve=tuple(history["epochs"]),
        best_epoch=best,
        start_loss=start_loss,
        rejected=tuple(rejected),
        new_tokens=new_tokens,
        validity=len(readable) / max(1, len(written)),
        uniqueness=len(set(readable)) / max(1, len(readable)),
        copied=len(copies) / max(1, len(readable)),
        recovered=len(set(copies)) / len(known),
        nearest=_nearest(written, sorted(known)),
        nearest_before=_nearest(first, sorted(known)),
        known_validity=float(first.valid.mean()),
    )
    tuned.record = {**tuned.record, "fine_tuning": report.to_dict()}
    return tuned, report


def _nearest(samples: MoleculeBatch, actives: Sequence[str]) -> float:
    """Median similarity of the readable samples to their nearest active."""
    readable = samples.take(np.flatnonzero(samples.valid))
    if not len(readable):
        return math.nan
    return float(np.median(tanimoto(fingerprint(readable), fingerprint(actives)).max(axis=1)))
