"""MoleculeNet with scaffold splits: drugai's models beside chemprop 2.3.1, random forest, LightGBM and CatBoost-MapLight on the same rows and parts.

    python experiments/05_moleculenet/run.py [--chemprop EXECUTABLE] [--datasets NAME …] [--models NAME …] [--seeds N …]
    python experiments/05_moleculenet/run.py --table               # from the stored cells alone

Cells that 01_property_baselines has of the same split and seed are not computed again. `maplight` needs catboost (`pip install 'drugai[benchmark]'`), `chemprop` the executable of an
environment of its own with chemprop 2.3.1; without it the missing cells are left out. A cell is one file: a killed run continues. Cheap cells come first.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "01_property_baselines"))
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from baselines import boosted, forest, maplight  # noqa: E402
from cells import cell, code_hash, write_tables  # noqa: E402
from chemprop_cell import chemprop_predictions  # noqa: E402
from comparing import mean_score  # noqa: E402
from own_models import fit_own  # noqa: E402
from table import load, markdown, summarize  # noqa: E402

import drugai  # noqa: E402
from drugai.contracts import Dataset, Split  # noqa: E402

PROTOCOL: dict[str, Any] = tomllib.loads((HERE / "config.toml").read_text())
METRICS: dict[str, str] = {**PROTOCOL["datasets"], **PROTOCOL["once"]}
MODELS = ("rf", "lightgbm", "maplight", "chemprop", "ours")
FOLDERS = {"own": HERE / "results" / "cells", "first": HERE.parent / "01_property_baselines" / "results" / "cells"}
CODE = code_hash(["molecules", "featurizers", "models", "predictors", "training"])


@lru_cache
def parts(name: str) -> tuple[Dataset, Split]:
    """A data set and its split."""
    data = drugai.read_dataset(name)
    return data, drugai.split(data, method=PROTOCOL["split"], fractions=tuple(PROTOCOL["fractions"]), seed=0)


def rounded(values: np.ndarray) -> list[Any]:
    """``[n, t]`` values as lists."""
    return [[round(float(value), 5) for value in row] for row in values]


def compute(name: str, model: str, seed: int, executable: str | None) -> dict[str, Any]:
    """Fit one model of one data set with one seed; score its validation and, apart from that, its test part."""
    data, split = parts(name)
    train, valid, test = (data.take(split.part(part)) for part in ("train", "valid", "test"))
    metric, seen = METRICS[name], (valid.smiles, test.smiles)
    found: dict[str, Any] = {"data": name, "model": model, "seed": seed, "metric": metric, "split_checksum": split.checksum}
    if model == "ours":
        ensemble, models = fit_own(data, split, seed)
        found |= {"weights": ensemble.weights.tolist(), "models": {}}
        for own, fitted in models.items():
            held, predicted = (fitted.predict(smiles).mean for smiles in seen)
            found["models"][own] = {"valid": mean_score(metric, valid.y, held), "test": mean_score(metric, test.y, predicted), "fit_cpu_seconds": fitted.record.get("fit_cpu_seconds")}
            found["models"][own]["predictions"] = rounded(predicted)
        return found
    if model == "chemprop":
        assert executable is not None
        predicted, command = chemprop_predictions(executable, data, split, seed)
        return found | {"test": mean_score(metric, test.y, predicted), "command": " ".join(command), "predictions": rounded(predicted)}
    if model == "rf":
        held, predicted = forest(train, seen, seed, PROTOCOL["rf"][data.tasks[0].kind])
    elif model == "lightgbm":
        held, predicted = boosted(train, valid, seen, seed, PROTOCOL["lightgbm"])
    else:
        held, predicted = maplight(train, seen, seed)
    return found | {"valid": mean_score(metric, valid.y, held), "test": mean_score(metric, test.y, predicted), "predictions": rounded(predicted)}


def order(seeds: list[int]) -> Iterator[tuple[str, str, int]]:
    """Cells, cheap and telling ones first: the first seed of the sets of one task, ClinTox, Tox21, then the other seeds; the sets of ``once`` last."""
    single = ["freesolv", "esol", "bace", "bbbp", "lipophilicity"]
    for seed in seeds:
        for models in (("rf", "lightgbm"), ("maplight",), ("chemprop", "ours")):
            yield from ((name, model, seed) for name in single for model in models)
        yield from ((name, model, seed) for name in ("clintox", "tox21") for model in MODELS)
    yield from ((name, model, seeds[0]) for name in PROTOCOL["once"] for model in MODELS)


def table() -> dict[str, Any]:
    """The rows of all data sets."""
    rows = {}
    for name, metric in METRICS.items():
        data, split = parts(name)
        found = {(model, seed): load(FOLDERS, name, model, seed, split.checksum) for model in MODELS for seed in PROTOCOL["seeds"]}
        kept: dict[str, dict[int, dict[str, Any]]] = {model: {} for model in MODELS}
        for (model, seed), one in found.items():
            if one is not None:
                kept[model][seed] = one
        rows[name] = summarize(kept, metric, data.y[split.test], PROTOCOL)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chemprop", help="the chemprop 2.3.1 executable of another virtual environment")
    parser.add_argument("--datasets", nargs="*", choices=tuple(METRICS), default=list(PROTOCOL["datasets"]))
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seeds", nargs="*", type=int, default=PROTOCOL["seeds"])
    parser.add_argument("--again", action="store_true", help="compute cells of this experiment that are stored already")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    for name, model, seed in () if options.table else order(options.seeds):
        if name not in options.datasets or model not in options.models or (model == "chemprop" and not options.chemprop):
            continue
        stored = load(FOLDERS, name, model, seed, parts(name)[1].checksum)
        if stored is not None and "from" in stored:
            continue
        found = cell(FOLDERS["own"], f"{name}_{seed}_{model}", partial(compute, name, model, seed, options.chemprop), code=CODE, again=options.again)
        told = found.get("failed") or found.get("test") or {own: round(one["test"], 4) for own, one in found["models"].items()}
        print(name, model, seed, told, found["cpu_seconds"], flush=True)
    rows = table()
    write_tables(HERE / "results", rows, markdown(rows, PROTOCOL), show=options.table)


if __name__ == "__main__":
    main()
