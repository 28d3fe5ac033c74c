"""Training a prior on a corpus: length buckets, bfloat16 where it pays, threads set on purpose, resumable at any step."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from drugai.config import Config, setting, tunable
from drugai.featurizers.tokens import PAD
from drugai.generation.corpus import Corpus, bucketed, encode_corpus
from drugai.generation.prior import Prior, half_is_fast, token_losses
from drugai.models.language import LanguageConfig
from drugai.molecules.batch import MoleculeBatch
from drugai.runtime import available_cpus, derive_seed, generator
from drugai.training.loop import History, LoopConfig, pick_device, run_loop

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GeneratorConfig(Config):
    """A chemical language model and how it is trained."""

    model: LanguageConfig = field(default_factory=LanguageConfig)
    representation: str = setting("smiles", choices=("smiles", "selfies"), help="how molecules are written")
    batch: int = tunable(128, 32, 512, log=True, help="molecules a step")
    chapter: int = setting(100_000, help="molecules between two validations; a pass over a large corpus has several")
    held_out: int = setting(5000, help="molecules kept apart for validation (at most a tenth of the corpus)")
    first_chapter: int = setting(0, help="chapter of the corpus to begin with: a prior that is trained further goes on with molecules it has not seen")
    samples: int = setting(500, help="molecules drawn at each validation to see how many are valid (0: none)")
    threads: int = setting(0, help="processor threads (0: all that this process may use)")
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(epochs=3, learning_rate=2e-3, weight_decay=1e-2, warmup=0.02))


def fit_generator(
    config: GeneratorConfig,
    corpus: Corpus | Sequence[str],
    *,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    checkpoint_every: float = 300.0,
    start: Prior | None = None,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Prior:
    """Train a prior.

    Args:
        config: Shape and training; ``loop.epochs`` counts passes over the corpus, ``loop.minutes`` is a budget of wall-clock time.
        corpus: Molecules, encoded or not.
        seed: Weights, held-out molecules, order of the batches.
        checkpoint: Folder from which a killed run goes on.
        checkpoint_every: Seconds between checkpoints.
        start: A prior to go on from instead of random weights.
        on_epoch: Called after each chapter with its number and scores (``loss`` per held-out token, ``validity`` …).
        should_stop: Asked at each step; True ends the run with a checkpoint.

    Returns:
        The prior of the best held-out loss; its record holds the learning curve, and under ``earlier`` those of the training that it started from.

    Raises:
        DatasetError: The corpus is too small.
    """
    if not isinstance(corpus, Corpus):
        vocabulary = start.vocabulary if start is not None else None
        corpus = encode_corpus(corpus, vocabulary, kind=config.representation)  # type: ignore[arg-type]  # checked by choices
    prior = start or Prior.untrained(config.model, corpus.vocabulary, derive_seed(seed, "weights"))
    held = min(config.held_out, max(1, len(corpus) // 10))
    order = generator(seed, "held out").permutation(len(corpus))
    valid, train = np.sort(order[:held]), np.sort(order[held:])
    lengths = corpus.lengths[train]
    per_pass = math.ceil(len(train) / config.batch)
    chapters = max(1, round(len(train) / config.chapter))
    per_chapter = math.ceil(per_pass / chapters)
    device = pick_device(config.loop.device)
    loop = config.loop.replace(epochs=config.loop.epochs * chapters, precision=_precision(config, device))

    def batches(epoch: int) -> Iterator[torch.Tensor]:
        number, part = divmod(epoch + config.first_chapter, chapters)
        rows = bucketed(lengths, config.batch, seed, number)
        for chosen in islice(rows, part * per_chapter, (part + 1) * per_chapter):
            yield torch.from_numpy(corpus.batch(train[chosen])).to(device)

    def loss(tokens: torch.Tensor) -> torch.Tensor:
        return token_losses(prior.model, tokens).sum() / (tokens[:, 1:] != PAD).sum()

    def validate() -> dict[str, float]:
        scores = {"loss": held_out_loss(prior, corpus, valid)}
        if config.samples:
            prior.forget_copy()
            scores["validity"] = share_readable(prior.sample(config.samples, derive_seed(seed, "validation")))
        return scores

    prior.model.to(device)
    with thread_count(config.threads or available_cpus()):
        start_loss = held_out_loss(prior, corpus, valid)
        history = run_loop(
            prior.model,
            batches,
            loss,
            loop,
            seed=seed,
            steps_per_epoch=None if loop.minutes else per_chapter,
            validate=validate,
            on_epoch=on_epoch,
            checkpoint=checkpoint,
            checkpoint_every=checkpoint_every,
            should_stop=should_stop,
        )
    prior.forget_copy()
    before = {key: prior.record[key] for key in ("training", "seed", "corpus", "history") if key in prior.record}
    earlier = {"earlier": [*prior.record.get("earlier", []), before]} if before else {}
    prior.record = {**prior.record, **earlier, **_record(config, corpus, history, seed, len(train)), "start_loss": start_loss}
    return prior


@torch.inference_mode()
def held_out_loss(prior: Prior, corpus: Corpus, rows: np.ndarray, batch: int = 256) -> float:
    """Mean negative log-likelihood a token [nat] over the molecules at ``rows``."""
    total, count = 0.0, 0
    rows = rows[np.argsort(corpus.lengths[rows], kind="stable")]
    for begin in range(0, len(rows), batch):
        tokens = torch.from_numpy(corpus.batch(rows[begin : begin + batch])).to(prior.model.head.weight.device)
        total += float(token_losses(prior.model, tokens).sum())
        count += int((tokens[:, 1:] != PAD).sum())
    return total / count


def share_readable(smiles: Sequence[str]) -> float:
    """Share of the SMILES that RDKit reads; the empty string is not a molecule."""
    return float(MoleculeBatch(smiles).valid.mean())


@contextmanager
def thread_count(threads: int) -> Iterator[None]:
    """Let torch use ``threads`` processor threads inside, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _precision(config: GeneratorConfig, device: torch.device) -> str:
    """Small transformers gain nothing from bfloat16 on a processor; recurrent models gain 1.65 times."""
    if config.loop.precision != "auto" or device.type != "cpu":
        return config.loop.precision
    return "bf16" if config.model.cell != "transformer" and half_is_fast(device) else "fp32"


def _record(config: GeneratorConfig, corpus: Corpus, history: History, seed: int, n_train: int) -> dict[str, object]:
    return {
        "training": config.to_dict(),
        "seed": seed,
        "corpus": {"molecules": len(corpus), "trained_on": n_train, "tokens": corpus.n_tokens, "rejected": corpus.n_rejected},
        "history": history.to_dict(),
    }
