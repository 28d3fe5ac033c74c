"""What ``drugai predict`` tells beside its table: the page of the predictions, and the explanations of some of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from drugai.contracts import Predictions
from drugai.errors import ArtifactError, ConfigError, DatasetError
from drugai.molecules import LibraryChunk, MoleculeBatch, fingerprint, nearest, write_table
from drugai.predictors.base import TrainedPredictor, concatenate
from drugai.predictors.explaining import Explanation, explain
from drugai.reports.page import short, whole
from drugai.reports.predictions import predictions_page
from drugai.training.run import own_data

log = logging.getLogger(__name__)

MOST_ROWS = 10_000
"""Rows of a page."""
MOST_EXPLAINED = 1000
NEAREST = 3


def parse_explain(text: str) -> int:
    """``top:20`` → 20: how many of the highest predictions are to be explained.

    Raises:
        ConfigError: Anything else, or more than 1,000.
    """
    word, _, number = text.partition(":")
    if word != "top" or not number.isdigit() or not 1 <= int(number) <= MOST_EXPLAINED:
        raise ConfigError(f"explain={text!r}: write top:N, N from 1 to {MOST_EXPLAINED}, for example top:20")
    return int(number)


class Gathered:
    """Collects, while a file is predicted, the rows that the page shows and the highest predictions; hand :meth:`add` to ``predict_file``.

    Args:
        best: How many of the highest predictions of the first task are kept.
    """

    def __init__(self, best: int = 0) -> None:
        self.best = best
        self.n = 0
        self.parts: list[Predictions] = []
        self.smiles: list[str] = []
        self.ids: list[str] = []
        self.rows: list[int] = []

    def add(self, part: LibraryChunk, found: Predictions) -> None:
        """Take a chunk."""
        mean = found.mean[:, 0]
        order = np.argsort(-mean, kind="stable")  # NaN last
        first = max(0, min(len(mean), MOST_ROWS - self.n))
        kept = np.union1d(np.arange(first), order[: self.best][~np.isnan(mean[order[: self.best]])]).astype(int)
        self.parts.append(found.take(kept))
        self.smiles += [part.smiles[row] for row in kept]
        self.ids += [part.ids[row] or str(self.n + row + 1) for row in kept]
        self.rows += [self.n + int(row) for row in kept]
        self.n += len(mean)

    def finish(self) -> tuple[Predictions, list[int]]:
        """The rows kept, those of the highest predictions first and then as in the file, and the places among them of the highest."""
        found = concatenate(self.parts)
        mean = found.mean[:, 0]
        order = np.argsort(-mean, kind="stable")[: self.best]
        top = [int(row) for row in order if not np.isnan(mean[row])]
        first = set(top)
        kept = [*top, *(place for place, row in enumerate(self.rows) if row < MOST_ROWS and place not in first)]
        self.smiles, self.ids = [self.smiles[place] for place in kept], [self.ids[place] for place in kept]
        self.rows = [self.rows[place] for place in kept]
        return found.take(kept), list(range(len(top)))


def tell(predictor: TrainedPredictor, model: str | Path, gathered: Gathered, *, table: str | Path, page: str | Path | None, source: str) -> list[Path]:
    """Write the explanations beside the table (``p.csv`` → ``p.atoms.csv``: row, SMILES, atom, symbol, contribution) and the page.

    Args:
        predictor: The model.
        model: Its folder, from which its training molecules are found.
        gathered: Of the file that was predicted.
        table: The table of predictions.
        page: The page, or None.
        source: Name of the file, for the page's head.

    Returns:
        The files written.
    """
    found, top = gathered.finish()
    written = []
    explained = dict(zip(top, explain(predictor, [gathered.smiles[row] for row in top]), strict=True)) if top else {}
    refused = [each.reason for each in explained.values() if each.reason]
    if refused:
        log.warning("%d of %d molecules could not be explained (first: %s)", len(refused), len(explained), refused[0])
    if explained:
        written.append(write_table(_beside(Path(table)), _atoms(gathered, explained)))
    if page is not None:
        evidence = dict(zip(explained, nearest_measured(predictor, model, [each.smiles for each in explained.values()]), strict=True)) if explained else {}
        shown = f" The first {whole(MOST_ROWS)} of the file are shown." if gathered.n > MOST_ROWS else ""
        colours = f" The {len(explained)} highest come first and are explained: blue atoms raise the prediction, red ones lower it." if explained else ""
        title = f"{whole(gathered.n)} predictions for {source}"
        lead = f"Model {Path(model).name}.{shown}{colours}"
        written.append(predictions_page(found, gathered.smiles, page, ids=gathered.ids, rows=[row + 1 for row in gathered.rows], title=title, lead=lead, explained=explained, evidence=evidence))
    return written


def nearest_measured(predictor: TrainedPredictor, model: str | Path, smiles: Sequence[str]) -> list[str]:
    """n texts: the three training molecules most like each, with similarity and measured value of the first task; ``""`` where the training data is not at hand."""
    try:
        data, parts = own_data(predictor, model)
    except (ArtifactError, DatasetError) as error:
        log.warning("the nearest measured molecules are not named: %s", error)
        return [""] * len(smiles)
    train = data.take(parts.train)
    bits = [fingerprint(MoleculeBatch(list(each)), "morgan", bits=2048, radius=2) for each in (smiles, train.smiles)]
    values, places = nearest(bits[0], bits[1], min(NEAREST, len(train)))
    return [
        "; ".join(f"{short(float(train.y[row, 0]))} (similarity {value:.2f}) {train.smiles[row]}" for value, row in zip(near, rows, strict=True))
        for near, rows in zip(values, places, strict=True)
    ]


def _beside(table: Path) -> Path:
    stem = table.name
    for end in (".gz", ".csv", ".tsv", ".parquet"):
        stem = stem.removesuffix(end)
    return table.with_name(f"{stem}.atoms.csv")


def _atoms(gathered: Gathered, explained: dict[int, Explanation]) -> dict[str, list[object] | np.ndarray]:
    rows = [(gathered.rows[place] + 1, gathered.ids[place], each, *entry) for place, each in explained.items() for entry in ([] if each.reason else each.words())]
    return {
        "row": np.array([row[0] for row in rows], dtype=np.int64),
        "id": [row[1] for row in rows],
        "smiles": [row[2].smiles for row in rows],
        "task": [row[2].task for row in rows],
        "atom": np.array([row[3] + 1 for row in rows], dtype=np.int64),
        "symbol": [row[4] for row in rows],
        "contribution": np.array([row[5] for row in rows], dtype=np.float64).round(5),
    }
