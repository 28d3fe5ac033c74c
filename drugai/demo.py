"""The main job on data that comes with RDKit: train on measured molecules, compare, screen, and show the hits. What ``drugai demo`` runs."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drugai.artifact import write_text_atomically
from drugai.contracts import Dataset, Split
from drugai.data import card, read_dataset, split
from drugai.generation.fitting import thread_count
from drugai.molecules import MoleculeBatch, write_table
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.ensemble import EnsemblePredictor
from drugai.reports.hits import CARD_FILE, hits_page
from drugai.reports.model_card import ModelCard, make_card
from drugai.runtime import available_cpus
from drugai.screening import Hits, screen
from drugai.training.evaluation import PRIMARY, Evaluation, evaluate
from drugai.training.fit import fit_predictor, model_config

logger = logging.getLogger(__name__)

MEASURED = "chembl2321810"
LIBRARIES = {"wehi_10k": "WEHI", "nci_5k": "NCI"}
ACTIVE = 7.0
"""pActivity [-log10 M] from which a training molecule counts as a known active: 100 nM."""
TREES_SETTINGS: dict[str, object] = {"threads": 1}  # two threads on small trees gain little, and lose much where something else runs
GNN_SETTINGS: dict[str, object] = {"features": ["all_descriptors"], "epochs": 30, "learning_rate": 2e-3}

_WORDS = {
    "train mean": "baseline: the mean of the training part for every molecule",
    "boosted trees": "baseline: 3 LightGBM models on fingerprints and descriptors",
    "graph network": "messages between bonded atoms, joined with descriptors",
    "ensemble": "mean of boosted trees and graph network",
}


@dataclass(frozen=True, eq=False)
class DemoResult:
    """What the demo made, and where."""

    out: Path
    page: Path
    model: Path
    chosen: str
    card: ModelCard
    hits: Hits
    seconds: float


def run_demo(out: str | Path = "runs/demo", *, seed: int = 0, top: int = 1000, workers: int | None = None, say: Callable[[str], None] | None = None) -> DemoResult:
    """Train, compare, screen, show.

    The candidates learn from the training part; the validation part chooses one of them; then the test part is opened, once. The chosen model is kept in
    ``out/model``, the screening run in ``out/screen`` and the page in ``out/index.html``.

    Args:
        out: Folder. What an earlier demo left there is replaced.
        seed: Of split and training: the same seed gives the same hits on the same machine.
        top: Hits to keep.
        workers: Processes of the screen; by default two, or one on a machine with one processor.
        say: Called with each piece of the story as it is known; by default it goes to the log.
    """
    tell = say or logger.info
    began = time.perf_counter()
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    data = read_dataset(MEASURED)
    parts = split(data, method="scaffold", seed=seed)
    task = data.tasks[0]
    tell(f"{len(data):,} molecules with measured {task.label} ({card(MEASURED).title.rstrip('.')})")
    tell(f"scaffold split, seed {seed}: train {len(parts.train)}, validation {len(parts.valid)}, test {len(parts.test)}; no scaffold lies in two parts\n")
    models = fit_candidates(data, parts, seed, tell)
    validations = {name: evaluate(model, data.take(parts.valid)) for name, model in models.items()}
    chosen = min(models, key=lambda name: validations[name][PRIMARY[task.kind]])
    tests = {name: evaluate(model, data.take(parts.test)) for name, model in models.items()}
    tell("\n" + compare(chosen, validations, tests))
    model = _keep(models[chosen], folder / "model", seed, validations[chosen], tests)
    made = make_card(
        models[chosen], tests, chosen=chosen, measured=data.take(parts.test), validations=validations, words=_WORDS, title=chosen, part="test part (scaffold split)",
        caveats=_card_caveats(tests[chosen], data),
    )  # fmt: skip
    hits = _screen(folder, data, parts, model, top, workers, tell)
    write_text_atomically(hits.path / CARD_FILE, json.dumps(made.to_dict()) + "\n")
    page = hits_page(hits, card=made, out=folder / "index.html", caveats=_page_caveats(hits, data, parts), title=_title(hits))
    tell("\n" + _best(hits))
    seconds = time.perf_counter() - began
    tell(f"\nmodel  {model}\nhits   {hits.path / 'hits.csv'}\npage   {page}\n{seconds:.0f} s")
    return DemoResult(folder, page, model, chosen, made, hits, seconds)


def fit_candidates(data: Dataset, parts: Split, seed: int, tell: Callable[[str], None]) -> dict[str, TrainedPredictor]:
    """The two baselines, a graph network, and trees and network together."""
    models: dict[str, TrainedPredictor] = {}
    plans: list[tuple[str, str, dict[str, object]]] = [("train mean", "mean", {}), ("boosted trees", "trees", TREES_SETTINGS), ("graph network", "gnn", GNN_SETTINGS)]
    for name, kind, settings in plans:
        began = time.perf_counter()
        with thread_count(1):  # a second thread gains a third on an idle machine; where something else runs it waits, and training takes ten times as long
            models[name] = fit_predictor(model_config(kind, settings), data, parts, seed=seed)
        tell(f"trained {name} ({_WORDS[name]}) in {time.perf_counter() - began:.0f} s")
    pair = [models["boosted trees"], models["graph network"]]
    record = {key: pair[0].record[key] for key in ("data", "split", "seed")}
    models["ensemble"] = EnsemblePredictor(pair, record=record | {"fit_cpu_seconds": sum(model.record["fit_cpu_seconds"] for model in pair)})
    return models


def compare(chosen: str, validations: Mapping[str, Evaluation], tests: Mapping[str, Evaluation]) -> str:
    """The models side by side as text, the chosen one marked."""
    [(task, unit)] = next(iter(tests.values())).units.items()
    names = ("rmse", "r2", "spearman")
    rows: list[Sequence[str]] = [("", "model", f"validation RMSE [{unit}]", f"test RMSE [{unit}]", "test R2", "test Spearman")]
    for name, test in tests.items():
        cells = [str(test.scores[task][metric]) if not np.isnan(test.scores[task][metric].value) else "-" for metric in names]
        rows.append(("*" if name == chosen else "", name, str(validations[name].scores[task]["rmse"]), *cells))
    return _aligned(rows) + f"\n* chosen by the validation part; values with 95 % intervals over {next(iter(tests.values())).n} test molecules"


def write_library(path: Path) -> Path:
    """The libraries that RDKit carries, one after the other in one file with columns id, smiles and source; unreadable rows stay."""
    columns: dict[str, list[str]] = {"id": [], "smiles": [], "source": []}
    for name, source in LIBRARIES.items():
        library = read_dataset(name, targets=[])
        columns["id"] += [text if text.startswith(source) else f"{source}-{text}" for text in library.ids]
        columns["smiles"] += library.smiles
        columns["source"] += [source] * len(library)
    write_table(path, columns)
    return path


def write_scorer(path: Path, model: Path, train: Dataset) -> tuple[float, float]:
    """The scorer as a file: predicted activity from the 5th to the 95th percentile of the training part, QED, and no PAINS or BRENK alert; returns these two."""
    low, high = (round(float(value), 2) for value in np.nanpercentile(train.y[:, 0], [5, 95]))
    text = f"""combine = "geometric"

[[term]]
kind = "predicted"
model = {json.dumps(model.name)}
task = {json.dumps(train.tasks[0].name)}
direction = "max"
low = {low}
high = {high}

[[term]]
kind = "qed"

[[term]]
kind = "alerts"
sets = ["PAINS", "BRENK"]
"""
    write_text_atomically(path, text)
    return low, high


def _keep(model: TrainedPredictor, path: Path, seed: int, validation: Evaluation, tests: Mapping[str, Evaluation]) -> Path:
    """Save the chosen model with what ``drugai evaluate`` needs to find its parts again, and with the scores of all."""
    model.record["source"] = {
        "data": MEASURED, "smiles": None, "targets": [task.name for task in model.tasks], "kinds": {task.name: task.kind for task in model.tasks},
        "split": {"method": "scaffold", "fractions": [0.8, 0.1, 0.1], "seed": seed, "column": None},
    }  # fmt: skip
    model.record["validation"] = validation.to_dict()
    model.record["test"] = {name: found.to_dict() for name, found in tests.items()}
    return model.save(path)


def _screen(folder: Path, data: Dataset, parts: Split, model: Path, top: int, workers: int | None, tell: Callable[[str], None]) -> Hits:
    train = data.take(parts.train)
    low, high = write_scorer(folder / "scorer.toml", model, train)
    library = write_library(folder / "library.csv")
    run = folder / "screen"
    if (run / "run.json").is_file():  # an earlier demo's: its model is another artifact, so it cannot be continued
        shutil.rmtree(run)
    tell(f"\nscreening {library.name}: {data.tasks[0].label} from {low} (score 0) to {high} (score 1), QED, no PAINS or BRENK alert")
    actives = [smi for smi, value in zip(train.smiles, train.y[:, 0], strict=True) if value >= ACTIVE]
    readable = MoleculeBatch(actives).valid
    hits = screen(
        library, folder / "scorer.toml", out=run, top=top, keep=["source"], workers=workers or min(2, available_cpus()), shard_size=2500, chunk=500,
        actives=[smi for smi, good in zip(actives, readable, strict=True) if good],
    )  # fmt: skip
    found = hits.summary
    bad = ", ".join(f"{count} {code}" for code, count in found["reasons"].items())
    tell(
        f"{found['n']:,} molecules: {found['n_bad']} could not be used{f' ({bad})' if bad else ''}, {found['n_scored'] - found['n_alive']:,} were refused by a term, "
        f"{found['n_alive']:,} passed, {len(hits):,} are hits"
    )
    return hits


def _title(hits: Hits) -> str:
    return f"{len(hits):,} hits from {hits.summary['n']:,} molecules"


def _card_caveats(test: Evaluation, data: Dataset) -> list[str]:
    [scores] = test.scores.values()
    return [
        f"Measured on one chemical series ({card(MEASURED).title.rstrip('.')}): the errors above are those within this series, on scaffolds that training did not see.",
        f"The validation part chose the model; the test part ({scores['rmse'].n} molecules) was opened once, after the choice. The intervals are over molecules, not over series.",
        *(f"Known problem of the data: {text}." for text in card(MEASURED).problems),
    ]


def _page_caveats(hits: Hits, data: Dataset, parts: Split) -> list[str]:
    best, train = hits.table[data.tasks[0].name], data.take(parts.train).y[:, 0]
    return [
        f"This is a demonstration on libraries that were not measured: no hit is confirmed. The hits' predicted {data.tasks[0].name} goes up to {np.nanmax(best):.2f}; "
        f"{100 * float(np.mean(train >= np.nanmax(best))):.0f} % of the training molecules were measured above that."
    ]


def _best(hits: Hits, n: int = 10) -> str:
    header, *rows = hits.best(n)
    return "the ten best hits\n" + _aligned([header, *([*row[:-1], row[-1][:70]] for row in rows)])


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


__all__ = ["DemoResult", "compare", "fit_candidates", "run_demo", "write_library", "write_scorer"]
