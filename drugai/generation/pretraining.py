"""A generator from a file of molecules to a saved prior: what ``drugai pretrain generator`` calls. A killed run goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drugai.errors import count_reasons
from drugai.generation.corpus import Corpus, encode_corpus
from drugai.generation.finetune import FineTuneConfig, FineTuneReport, fine_tune
from drugai.generation.fitting import GeneratorConfig, fit_generator
from drugai.generation.loading import load_generator
from drugai.generation.prior import Prior
from drugai.molecules import read_library
from drugai.runtime import defer_interrupts


@dataclass(frozen=True, eq=False)
class Pretraining:
    """What a run gave; ``prior`` is None if it was asked to stop before its end (start it again to go on)."""

    prior: Prior | None
    path: Path
    molecules: int
    left_out: Mapping[str, int]


def read_molecules(path: str | Path, smiles: str | None = None) -> list[str]:
    """The SMILES of a file, in its order, damaged records as empty strings."""
    return [smi for part in read_library(path, smiles=smiles) for smi in part.smiles]


def pretrain_generator(
    corpus: str | Path,
    out: str | Path,
    *,
    config: GeneratorConfig | None = None,
    smiles: str | None = None,
    seed: int = 0,
) -> Pretraining:
    """Train a prior on a file of molecules and save it in ``out``; the run's corpus, checkpoint and curve lie in ``<out>.run`` and stay there.

    Args:
        corpus: File of molecules.
        out: Folder for the prior.
        config: Shape and training.
        smiles: SMILES column.
        seed: Of weights, held-out molecules and order.

    Raises:
        DatasetError: Fewer than 50 usable molecules.
    """
    target = Path(out)
    work = target.with_name(target.name + ".run")
    if not (work / "corpus" / "corpus.json").is_file():
        encode_corpus(read_molecules(corpus, smiles)).save(work / "corpus")
    encoded = Corpus.load(work / "corpus")
    with defer_interrupts() as interrupted:
        prior = fit_generator(
            config or GeneratorConfig(),
            encoded,
            seed=seed,
            checkpoint=work / "checkpoint",
            on_epoch=lambda epoch, scores: _append(work / "curve.jsonl", {"chapter": epoch, **scores}),
            should_stop=interrupted,
        )
        stopped = interrupted()
    if not stopped:
        prior.save(target)
    return Pretraining(None if stopped else prior, target, len(encoded), {})


def generate_molecules(
    n: int,
    *,
    prior: str | Path | None = None,
    around: str | Path | None = None,
    smiles: str | None = None,
    seed: int = 0,
    temperature: float = 1.0,
    top_p: float = 1.0,
    unique: bool = False,
) -> tuple[list[str], FineTuneReport | None, dict[str, int]]:
    """Sample a prior, fine-tuned first on the molecules of ``around`` if they are given.

    Returns:
        n SMILES, the report of the fine-tuning or None, and the reasons of molecules of ``around`` that could not be used, counted.
    """
    found = load_generator(prior)
    report = None
    left_out: dict[str, int] = {}
    if around is not None:
        from drugai.molecules import MoleculeBatch

        batch = MoleculeBatch(read_molecules(around, smiles))
        left_out = count_reasons(batch.reasons)
        found, report = fine_tune(found, [smi for smi, good in zip(batch.smiles, batch.valid, strict=True) if good], FineTuneConfig(), seed=seed)
    return found.sample(n, seed, temperature=temperature, top_p=top_p, unique=unique), report, left_out


def _append(file: Path, entry: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry) + "\n")
