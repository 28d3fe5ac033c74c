"""Predict a file of any size in flat memory: read a chunk, predict it, append it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from drugai.contracts import Predictions
from drugai.data import card, cards, fetch
from drugai.errors import ConfigError, count_reasons
from drugai.molecules import LibraryChunk, read_library
from drugai.molecules.appending import TableWriter
from drugai.molecules.batch import MoleculeBatch
from drugai.molecules.side_columns import with_columns
from drugai.predictors.base import CHUNK, TrainedPredictor
from drugai.predictors.loading import load_predictor
from drugai.stores import is_remote, place

logger = logging.getLogger(__name__)

GATE_ROWS = 1000
GATE_SPEARMAN = 0.9995
GATE_SHIFT = 0.05


@dataclass(frozen=True)
class FileSummary:
    """What became of a file's rows."""

    out: Path
    n: int
    reasons: dict[str, int] = field(default_factory=dict)
    precision: str = "fp32"

    @property
    def n_errors(self) -> int:
        """Rows that could not be used."""
        return sum(self.reasons.values())

    def __str__(self) -> str:
        bad = ", ".join(f"{count} {code}" for code, count in self.reasons.items())
        return f"{self.n:,} rows → {self.out}" + (f"; {self.n_errors:,} could not be used: {bad}" if bad else "; all could be used")


def predict_file(
    model: str | Path | TrainedPredictor,
    source: str | Path,
    out: str | Path,
    *,
    smiles: str | None = None,
    ids: str | None = None,
    trusted: bool = False,
    precision: str = "auto",
    device: str = "auto",
    chunk: int = CHUNK,
    keep_columns: Sequence[str] = (),
    level: float | None = None,
    on_part: Callable[[LibraryChunk, Predictions], None] | None = None,
) -> FileSummary:
    """Predict every row of a file and write a table with id, smiles, the predictions and the reason, in the file's order.

    Args:
        model: A predictor or its folder.
        source: Card's name or file.
        out: ``.csv``, ``.tsv`` or ``.parquet``.
        smiles, ids: Columns; inferred by name if not given.
        trusted: The SMILES are canonical ones that RDKit wrote.
        precision: ``fp32``, ``bf16``, or ``auto``: bf16 where processor and model have it and the first thousand molecules agree with fp32.
        device: For networks.
        chunk: Rows held in memory.
        keep_columns: Further columns of the file to carry over; ``("*",)`` for all.
        level: Coverage of intervals and class sets; the domain comes with them.
        on_part: Called with each chunk and its predictions after they were written.
    """
    predictor = load_predictor(model) if isinstance(model, (str, Path)) else model
    path = library_path(source)
    counts: dict[str, int] = {}
    used = "fp32"
    with TableWriter(out) as writer:
        needed = [name for name in predictor.columns if tuple(keep_columns) != ("*",) and name not in keep_columns]
        for number, part in enumerate(read_library(path, smiles=smiles, ids=ids, chunk=chunk, keep_columns=[*keep_columns, *needed])):
            batch = part.batch(trusted=trusted, transient=predictor.reads_mols_once and level is None)
            if predictor.columns:
                batch = with_columns(batch, {name: part.columns[name] for name in predictor.columns})
            if number == 0:
                used = choose_precision(predictor, batch, precision, device, full=len(part) >= chunk)
            predictions = predictor.predict(batch, level=level)
            for code, count in count_reasons(predictions.reasons).items():
                counts[code] = counts.get(code, 0) + count
            kept = {name: values for name, values in part.columns.items() if name not in needed}
            writer.append({"id": part.ids, "smiles": part.smiles, **kept, **predictions.to_columns()})
            logger.debug("predicted %d rows", writer.rows)
            if on_part is not None:
                on_part(part, predictions)
        if writer.rows == 0:
            empty = with_columns([], dict.fromkeys(predictor.columns, ()))
            writer.append({"id": [], "smiles": [], **predictor.predict(empty, level=level).to_columns()})
    return FileSummary(Path(out), writer.rows, dict(sorted(counts.items(), key=lambda item: -item[1])), used)


def library_path(source: str | Path) -> Any:
    """The file of a card's first library, or the path itself; under a URI what behaves like a path."""
    name = str(source)
    if is_remote(name):
        return place(name)
    if not Path(name).exists() and "/" not in name and name in cards():
        found = fetch(name)
        return Path(found) if card(name) else found
    return Path(name)


def choose_precision(predictor: TrainedPredictor, batch: MoleculeBatch, precision: str, device: str, *, full: bool) -> str:
    """Set a network's device and precision and say which precision it is; other predictors have fp32 alone.

    ``auto`` tries bf16 when the library is larger than one chunk and the processor computes in bfloat16, and keeps it only if on the first thousand
    molecules every task keeps its order (Spearman ≥ 0.9995) and moves by less than 5 % of its spread in the mean.
    """
    if precision not in ("auto", "fp32", "bf16"):
        raise ConfigError(f"precision {precision!r} is not one of auto, fp32, bf16")
    if not hasattr(predictor, "networks"):
        return "fp32"
    from drugai.predictors.gnn import GNNPredictor
    from drugai.predictors.hardware import has_fast_bf16, pick_inference_device
    from drugai.predictors.language import LanguagePredictor

    if isinstance(predictor, LanguagePredictor):
        predictor.to(pick_inference_device(device))
    if not isinstance(predictor, GNNPredictor):
        return "fp32"
    place = pick_inference_device(device)
    predictor.to(place, "fp32")
    if precision != "auto":
        predictor.to(precision=precision)
        return precision
    if not full or not has_fast_bf16(place):
        return "fp32"
    sample = batch.take(np.arange(min(GATE_ROWS, len(batch))))
    exact = predictor.predict(sample).mean
    quick = predictor.to(precision="bf16").predict(sample).mean
    if agrees(exact, quick):
        return "bf16"
    logger.warning("bf16 changes the order of the first %d molecules; fp32 is used", len(sample))
    predictor.to(precision="fp32")
    return "fp32"


def agrees(exact: np.ndarray, quick: np.ndarray) -> bool:
    """Whether ``quick`` ``[n, t]`` keeps every task's order and values (see :func:`choose_precision`)."""
    from drugai.metrics.property import known_pairs, spearman

    for task in range(exact.shape[1]):
        first, second = known_pairs(exact[:, task], quick[:, task])
        spread = float(np.std(first))
        if len(first) < 10 or spread == 0:
            return False
        if spearman(first, second) < GATE_SPEARMAN or float(np.mean(np.abs(first - second))) > GATE_SHIFT * spread:
            return False
    return True
