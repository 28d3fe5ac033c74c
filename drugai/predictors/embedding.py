"""Embeddings of a model's encoder, written out as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from drugai.errors import ConfigError, count_reasons
from drugai.molecules import read_library
from drugai.molecules.appending import TableWriter
from drugai.molecules.side_columns import with_columns
from drugai.predictors.base import CHUNK, TrainedPredictor
from drugai.predictors.loading import load_predictor
from drugai.predictors.streaming import FileSummary, library_path


def embed(model: str | Path | TrainedPredictor, molecules: Sequence[str]) -> np.ndarray:
    """``[n, d]`` float32 embeddings of n molecules by a model's encoder; a row of NaN for an unreadable one.

    Raises:
        ConfigError: The model has no encoder (trees, Gaussian processes).
    """
    states, _ = _encoder(load_predictor(model) if isinstance(model, (str, Path)) else model).embed(molecules)
    return np.asarray(states, dtype=np.float32)


def embed_file(model: str | Path | TrainedPredictor, source: str | Path, out: str | Path, *, smiles: str | None = None, chunk: int = CHUNK) -> FileSummary:
    """Write id, smiles, ``e0`` … ``e<d−1>`` and the reason of every row of a file, in its order.

    Args:
        model: A predictor with an encoder, or its folder. Of an ensemble the first member that has one.
        source: Card's name or file.
        out: ``.csv``, ``.tsv`` or ``.parquet``.
        smiles: SMILES column; inferred by its name if not given.
        chunk: Rows held in memory.
    """
    encoder = _encoder(load_predictor(model) if isinstance(model, (str, Path)) else model)
    counts: dict[str, int] = {}
    with TableWriter(out) as writer:
        for part in read_library(library_path(source), smiles=smiles, chunk=chunk, keep_columns=encoder.columns):
            batch = part.batch()
            if encoder.columns:
                batch = with_columns(batch, {name: part.columns[name] for name in encoder.columns})
            states, reasons = encoder.embed(batch)
            for code, count in count_reasons(reasons).items():
                counts[code] = counts.get(code, 0) + count
            writer.append({"id": part.ids, "smiles": part.smiles, **_columns(states), "reason": list(reasons)})
        if writer.rows == 0:
            writer.append({"id": [], "smiles": [], **_columns(encoder.embed([])[0]), "reason": []})
    return FileSummary(Path(out), writer.rows, counts)


def _columns(states: np.ndarray) -> dict[str, np.ndarray]:
    return {f"e{index}": states[:, index] for index in range(states.shape[1])}


def _encoder(predictor: TrainedPredictor) -> Any:
    for one in [predictor, *getattr(predictor, "members", [])]:
        if hasattr(one, "embed"):
            return one
    raise ConfigError(f"{predictor.describe()} has no encoder and so no embeddings; graph networks and language models have")
