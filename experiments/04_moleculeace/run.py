"""MoleculeACE: drugai's trees, Gaussian process and their combination beside random forest and support-vector machine on ECFP, over all and over cliff molecules.

    python experiments/04_moleculeace/run.py [--targets NAME …] [--models NAME …] [--seeds N …]
    python experiments/04_moleculeace/run.py --table               # from the stored cells alone

A cell is one file: a killed run continues. The smallest targets come first.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from cells import cell, code_hash, write_tables  # noqa: E402
from fits import predict_forest, predict_ours, predict_svm  # noqa: E402
from table import markdown, summarize  # noqa: E402

import drugai  # noqa: E402
from drugai.contracts import Dataset, Split  # noqa: E402
from drugai.data import card  # noqa: E402
from drugai.metrics.property import rmse  # noqa: E402

PROTOCOL: dict[str, Any] = tomllib.loads((HERE / "config.toml").read_text())
TARGETS: list[str] = sorted((name for name in PROTOCOL["published"] if name != "columns"), key=lambda name: (card(name).rows, name))
CELLS = HERE / "results" / "cells"
CODE = code_hash(["molecules", "featurizers", "models", "predictors", "training"])
OURS = ("trees", "gp", "ensemble", "refit")
"""They share fits, so one computation gives all four; its cost stands in the cell of ``ensemble``."""


def cliffs(data: Dataset) -> np.ndarray:
    """``[n]`` whether each molecule is an activity cliff."""
    values = np.asarray(data.columns["cliff_mol"]).astype(float)
    if not set(values.tolist()) <= {0.0, 1.0}:
        raise ValueError(f"{data.name}: column cliff_mol holds {sorted(set(values.tolist()))[:5]}, expected 0 and 1")
    return values == 1


def scored(data: Dataset, split: Split, predicted: np.ndarray, **more: Any) -> dict[str, Any]:
    """What a cell keeps."""
    true, cliff = data.y[split.test, 0], cliffs(data)[split.test]
    return {
        "split_checksum": split.checksum, "n_test": len(true), "n_cliff": int(cliff.sum()), "all": rmse(true, predicted), "cliff": rmse(true[cliff], predicted[cliff]), **more,
        "predictions": [round(float(value), 4) for value in predicted],
    }  # fmt: skip


def compute(model: str, data: Dataset, split: Split, seed: int) -> dict[str, Any]:
    """A cell of one model alone."""
    grid, folds = PROTOCOL["grid"], PROTOCOL["grid"]["folds"]
    if model == "mean":
        learnt = data.y[np.concatenate([split.train, split.valid]), 0]
        return scored(data, split, np.full(len(split.test), float(learnt.mean())))
    predicted, told = {"rf": predict_forest, "svm": predict_svm}[model](data, split, seed, grid[model], folds)
    return scored(data, split, predicted, **told)


def compute_ours(data: Dataset, split: Split, seed: int, target: str, again: bool) -> dict[str, Any]:
    """The cell of the ensemble; the cells of the three others are written beside it."""
    found, told = predict_ours(data, split, seed)
    for model in OURS:
        if model != "ensemble":
            cell(CELLS, f"{target}_{model}_{seed}", partial(scored, data, split, found[model], computed_with="ensemble"), code=CODE, again=again)
    return scored(data, split, found["ensemble"], **told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", nargs="*", choices=TARGETS)
    parser.add_argument("--models", nargs="*", choices=("mean", "rf", "svm", "ours"), help="`ours` computes trees, gp, ensemble and refit")
    parser.add_argument("--seeds", nargs="*", type=int)
    parser.add_argument("--again", action="store_true", help="compute cells that are stored already")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    for seed in [] if options.table else options.seeds if options.seeds is not None else PROTOCOL["seeds"]:
        for target in options.targets or TARGETS:
            data = drugai.read_dataset(target)
            split = drugai.split(data, method=PROTOCOL["split"], seed=seed)
            for model in options.models or ("mean", "svm", "ours", "rf"):
                name = "ensemble" if model == "ours" else model
                work = partial(compute_ours, data, split, seed, target, options.again) if model == "ours" else partial(compute, model, data, split, seed)
                found = cell(CELLS, f"{target}_{name}_{seed}", work, code=CODE, again=options.again)
                print(target, name, seed, found.get("failed") or f"{found['all']:.4f} {found['cliff']:.4f}", found["cpu_seconds"], flush=True)
    rows = summarize(CELLS, PROTOCOL, TARGETS)
    write_tables(HERE / "results", rows, markdown(rows, PROTOCOL), show=options.table)


if __name__ == "__main__":
    main()
