"""Embeddings by the encoder of a model, or by an encoder alone, as an array or written out as a table."""

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
from drugai.predictors.learned_features import is_encoder, open_encoder
from drugai.predictors.loading import load_predictor
from drugai.predictors.streaming import FileSummary, library_path


def embed(model: str | Path | TrainedPredictor, molecules: Sequence[str]) -> np.ndarray:
    """``[n, d]`` float32 embeddings of n molecules by a model's encoder; a row of NaN for an unreadable one.

    Args:
        model: A predictor or its folder; or an encoder alone, of SMILES or of graphs: its folder, or the name of one that ships (``encoder_small``, ``graph_encoder_small``).
        molecules: n SMILES.

    Raises:
        ConfigError: The model has no encoder (trees, Gaussian processes).
    """
    states, _ = _open(model).embed(molecules)
    return np.asarray(states, dtype=np.float32)


def embed_file(model: str | Path | TrainedPredictor, source: str | Path, out: str | Path, *, smiles: str | None = None, chunk: int = CHUNK) -> FileSummary:
    """Write id, smiles, ``e0`` … ``e<d−1>`` and the reason of every row of a file, in its order.

    Args:
        model: A predictor with an encoder, or its folder (of an ensemble the first member that has one counts); or an encoder alone as for :func:`embed`.
        source: Card's name or file.
        out: ``.csv``, ``.tsv`` or ``.parquet``.
        smiles: SMILES column; inferred by its name if not given.
        chunk: Rows held in memory.
    """
    encoder = _open(model)
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


def _open(model: str | Path | TrainedPredictor) -> Any:
    if not isinstance(model, (str, Path)):
        return _encoder(model)
    return open_encoder(model) if is_encoder(model) else _encoder(load_predictor(model))


def _encoder(predictor: TrainedPredictor) -> Any:
    within = [predictor]
    while within:  # members may be ensembles themselves: a network a fold
        one = within.pop(0)
        if hasattr(one, "embed"):
            return one
        within += getattr(one, "members", [])
    raise ConfigError(f"{predictor.describe()} has no encoder and so no embeddings; graph networks and language models have")
