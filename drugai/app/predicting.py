"""A prediction job: molecules and a model → a table and a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from drugai.app.inputs import input_file
from drugai.app.jobs import Job
from drugai.app.limits import EXPLAINED, SHOWN
from drugai.artifact import MANIFEST, file_checksum
from drugai.contracts import Predictions
from drugai.errors import count_reasons
from drugai.molecules import read_library, write_table
from drugai.predictors import load_predictor
from drugai.predictors.base import TrainedPredictor, concatenate
from drugai.predictors.explaining import Explanation, explain
from drugai.reports.predictions import predictions_page

CHUNK = 500


def predict_job(job: Job, folder: Path, tell: Callable[[int, int, str], None]) -> dict[str, Any]:
    """Predict every row; n rows in, n rows out."""
    asked = job.asked
    path, n = input_file(asked, folder, "predict")
    predictor = load_once(asked["path"])
    parts = list(read_library(path, chunk=CHUNK))
    done, found = 0, []
    for part in parts:
        found.append(predictor.predict(part.batch(), level=asked["level"]))
        done += len(part)
        tell(done, n, "molecules predicted")
    predictions = concatenate(found)
    smiles, ids = [smi for part in parts for smi in part.smiles], [name for part in parts for name in part.ids]
    write_table(folder / "predictions.csv", {"id": ids, "smiles": smiles, **predictions.to_columns()})
    rows = range(min(n, SHOWN))
    tell(n, n, "drawing")
    notes = [f"The page shows the first {SHOWN:,} of {n:,} rows; the table has all."] if n > SHOWN else []
    explained: dict[int, Explanation] = {}
    if asked.get("explain"):
        explained = _explain(predictor, smiles, predictions, tell)
        if n > len(explained):
            notes.append(f"Atoms are coloured in the first {len(explained):,} molecules that could be predicted; the command drugai predict --explain top:N colours others.")
    colours = "Blue atoms raise the prediction, red ones lower it." if explained else ""
    title = f"Predictions of {asked['model']}"
    predictions_page(predictions.take(rows), smiles[:SHOWN], folder / "page.html", ids=ids[:SHOWN], title=title, lead=colours, explained=explained)
    return {"n": n, "reasons": count_reasons(predictions.reasons), "page": "page.html", "files": ["predictions.csv"], "notes": notes}


def _explain(predictor: TrainedPredictor, smiles: Sequence[str], predictions: Predictions, tell: Callable[[int, int, str], None]) -> dict[int, Explanation]:
    """Row → what its atoms add, of the first molecules that could be predicted; nothing where the first task is one of several classes."""
    if predictor.tasks[0].kind == "multiclass":
        return {}
    rows = [row for row, why in enumerate(predictions.reasons) if not why][:EXPLAINED]
    found = {}
    for done, row in enumerate(rows, start=1):
        [found[row]] = explain(predictor, [smiles[row]])
        tell(done, len(rows), "molecules explained")
    return found


def load_once(path: str) -> TrainedPredictor:
    """A model, kept from one job to the next while its folder stays the same."""
    return _load(path, file_checksum(Path(path) / MANIFEST))


@lru_cache(maxsize=4)
def _load(path: str, _checksum: str) -> TrainedPredictor:
    return load_predictor(path)
