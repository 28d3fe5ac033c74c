"""A generator from a file of molecules to a saved prior: what ``drugai pretrain generator`` calls. A killed run goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drugai.generation.corpus import Corpus, encode_corpus
from drugai.generation.fitting import GeneratorConfig, fit_generator
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


def _append(file: Path, entry: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry) + "\n")
