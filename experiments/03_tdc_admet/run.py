"""TDC's ADMET tasks with their given test sets: drugai's models beside CatBoost-MapLight, rebuilt and run here, and what was published.

    python experiments/03_tdc_admet/run.py [--tasks NAME …] [--models NAME …] [--seeds N …]
    python experiments/03_tdc_admet/run.py --table                 # from the stored cells alone

`maplight` needs catboost (`pip install 'drugai[benchmark]'`). A cell is one file: a killed run continues.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from baselines import predict_own, train_own  # noqa: E402
from cells import cell, code_hash, write_tables  # noqa: E402
from fits import mixed, predict_folds, predict_maplight  # noqa: E402
from protocol import ENDPOINTS  # noqa: E402
from protocol import PROTOCOL as PANEL_PROTOCOL  # noqa: E402
from table import markdown, summarize  # noqa: E402

import drugai  # noqa: E402
from drugai.metrics.calibration import coverage, set_coverage  # noqa: E402
from drugai.metrics.property import estimate  # noqa: E402
from drugai.molecules import MoleculeBatch  # noqa: E402
from drugai.training.calibrating import calibrate_on_folds  # noqa: E402

PROTOCOL: dict[str, Any] = tomllib.loads((HERE / "config.toml").read_text())
PANEL = HERE.parent / "17_admet_panel" / "results" / "cells"
CELLS = HERE / "results" / "cells"
STORED = {"folds": "panel", "trees": "single"}
"""Models of 17_admet_panel under their names there."""
CODE = code_hash(["molecules", "featurizers", "models", "predictors", "training"])


def stored_predictions(entry: dict[str, Any], model: str, seed: int, checksum: str) -> np.ndarray | None:
    """What 17_admet_panel has of the same model, parts and seed: one fit serves both tables. An endpoint that learns from others there is another model."""
    if model == "folds" and entry.get("auxiliary"):
        return None
    path = PANEL / f"{entry['name']}_{STORED[model]}.json"
    found = json.loads(path.read_text()) if seed == PANEL_PROTOCOL["seed"] and path.is_file() else {}
    return np.array(found["predictions"]) if found.get("split_checksum") == checksum else None


def compute(entry: dict[str, Any], model: str, seed: int) -> dict[str, Any]:
    """Fit one model of one task with one seed, and score its test set."""
    data = drugai.read_dataset(entry["data"])
    split = drugai.split(data, method=PROTOCOL["split"], seed=seed)
    true, extra = data.y[split.test, 0], {}
    if model == "folds_gp":
        parts = [json.loads((CELLS / f"{entry['data']}_{part}_{seed}.json").read_text())["predictions"] for part in ("folds", "gp")]
        predicted = mixed(entry, data, *parts)
    elif model == "maplight":
        predicted = predict_maplight(data, split, seed)
    elif model in STORED and (kept := stored_predictions(entry, model, seed, split.checksum)) is not None:
        predicted = kept
    elif model == "folds":
        predicted = predict_folds(entry, data, split, seed)
    elif model == "auto":
        fitted = train_own("auto", data, split, seed, {"minutes": PROTOCOL["auto_minutes"]})
        calibrate_on_folds(fitted, seed=seed)
        test = MoleculeBatch(data.take(split.test).smiles)
        predicted = fitted.predict(test).mean[:, 0]
        told = fitted.predict(test, level=PROTOCOL["level"])
        covered = coverage(true, told.lower[:, 0], told.upper[:, 0]) if data.tasks[0].kind == "regression" else set_coverage(true, np.array(told.sets[data.tasks[0].name], dtype=object))
        extra["tries"] = [[one["name"], one["score"], one["weight"], one["seconds"]] for one in fitted.record["auto"]["tries"]]
        extra["coverage"] = round(covered, 4)
    else:
        settings = {"trees": {"threads": 1}, "lm": {"encoder": "encoder_small", "mode": "frozen"}}
        predicted = predict_own(model, data, split, seed, settings.get(model))
    found = estimate(entry["metric"], true, predicted)
    return {
        "task": entry["data"], "model": model, "seed": seed, "metric": entry["metric"], "n_test": len(true), "split_checksum": split.checksum, "test": found.to_dict(),
        "predictions": [round(float(value), 5) for value in predicted], **extra,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="*")
    parser.add_argument("--models", nargs="*", choices=PROTOCOL["models"])
    parser.add_argument("--seeds", nargs="*", type=int)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    for seed in [] if options.table else options.seeds if options.seeds is not None else PROTOCOL["seeds"]:
        for entry in ENDPOINTS:
            for model in options.models or PROTOCOL["models"]:
                if not options.tasks or entry["data"] in options.tasks or entry["name"] in options.tasks:
                    found = cell(CELLS, f"{entry['data']}_{model}_{seed}", partial(compute, entry, model, seed), code=CODE, again=options.again)
                    print(entry["data"], model, seed, found.get("failed") or found["test"]["value"], found["cpu_seconds"], flush=True)
    rows = summarize(CELLS, ENDPOINTS, PROTOCOL)
    write_tables(HERE / "results", rows, markdown(rows, PROTOCOL), show=options.table)


if __name__ == "__main__":
    main()
