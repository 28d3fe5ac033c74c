"""Boosted trees, Gaussian processes, graph networks and their ensemble against chemprop's defaults, on the same scaffold splits.

    python experiments/01_property_baselines/run.py [--chemprop EXECUTABLE] [--only NAME …] [--again]

Without ``--chemprop`` the stored chemprop cells are shown and missing ones are named. Every cell is one JSON file under results/cells.
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

from cells import cell, code_hash  # noqa: E402
from chemprop_cell import chemprop_predictions  # noqa: E402
from own_models import fit_own  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.contracts import Dataset, Split  # noqa: E402
from drugai.metrics.property import direction, estimate, known_pairs, metric_function, paired_difference  # noqa: E402
from drugai.training.evaluation import score_predictions  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "models", "predictors", "training"])


def chemprop(data: Dataset, split: Split, seed: int, metric: str, executable: str) -> dict[str, Any]:
    """The chemprop cell."""
    predictions, command = chemprop_predictions(executable, data, split, seed)
    true = data.y[split.test, 0]
    return {
        "split_checksum": split.checksum,
        "test": metric_function(metric)(*known_pairs(true, predictions[:, 0])),
        "test_interval": estimate(metric, true, predictions[:, 0]).to_dict(),
        "predictions": [round(float(value), 5) for value in predictions[:, 0]],
        "command": " ".join(command),
    }


def ours(data: Dataset, split: Split, seed: int, metric: str) -> dict[str, Any]:
    """One ensemble and its three members, each scored on the validation part and, apart from that, on the test part."""
    valid, test = data.take(split.valid), data.take(split.test)
    ensemble, models = fit_own(data, split, seed)
    found = {}
    for name, model in models.items():
        predictions = model.predict(test.smiles)
        found[name] = {
            "valid": score_predictions(model.predict(valid.smiles), valid, metric),
            "test": score_predictions(predictions, test, metric),
            "test_interval": estimate(metric, test.y[:, 0], predictions.mean[:, 0]).to_dict(),
            "fit_cpu_seconds": model.record.get("fit_cpu_seconds"),
            "predictions": [round(float(value), 5) for value in predictions.mean[:, 0]],
        }
    return {"split_checksum": split.checksum, "weights": ensemble.weights.tolist(), "models": found}


def table(protocol: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Means over the seeds; which model the validation part picks; the paired difference of the picked model's mean prediction to chemprop's."""
    rows: dict[str, Any] = {}
    for name, metric in protocol["datasets"].items():
        stored = {}
        for seed in protocol["seeds"]:
            for kind in ("drugai", "chemprop"):
                path = folder / f"{name}_{seed}_{kind}.json"
                if path.is_file():
                    stored[kind, seed] = json.loads(path.read_text())
        good = {key: found for key, found in stored.items() if "failed" not in found}
        mine = [good["drugai", seed] for seed in protocol["seeds"] if ("drugai", seed) in good]
        theirs = [good["chemprop", seed] for seed in protocol["seeds"] if ("chemprop", seed) in good]
        row: dict[str, Any] = {"metric": metric, "failed": sorted(f"{kind} {seed}" for kind, seed in set(stored) - set(good)), "seeds": [len(mine), len(theirs)]}
        if mine:
            checks = {found["split_checksum"] for found in mine + theirs}
            if len(checks) != 1:
                raise SystemExit(f"{name}: the cells rest on different splits")
            for model in ("mean", *protocol["models"]):
                valid, test = ([found["models"][model][part] for found in mine] for part in ("valid", "test"))
                row[model] = {"valid": float(np.mean(valid)), "test": float(np.mean(test)), "test_sd": float(np.std(test, ddof=1)) if len(test) > 1 else None}
            best = min if direction(metric) == "min" else max
            row["picked"] = best(protocol["models"], key=lambda model: row[model]["valid"])
        if theirs:
            test = [found["test"] for found in theirs]
            row["chemprop"] = {"test": float(np.mean(test)), "test_sd": float(np.std(test, ddof=1)) if len(test) > 1 else None}
        if mine and theirs:
            sign = -1 if direction(metric) == "min" else 1
            gain = sign * (row[row["picked"]]["test"] - row["chemprop"]["test"])
            data = drugai.read_dataset(name)
            split = drugai.split(data, method=protocol["split"], fractions=tuple(protocol["fractions"]), seed=0)
            first = np.mean([found["models"][row["picked"]]["predictions"] for found in mine], axis=0)
            second = np.mean([found["predictions"] for found in theirs], axis=0)
            row["difference_of_seed_means"] = paired_difference(metric, data.y[split.test, 0], first, second).to_dict()
            row["picked_beats_chemprop"] = gain > 0
        rows[name] = row
    return rows


def markdown(rows: dict[str, Any], models: list[str]) -> str:
    """The table as Markdown."""
    head = ["data set", "metric", "mean", *models, "picked on valid", "chemprop 2.3.1", "picked − chemprop, seed-averaged [95 %]", "better"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, row in rows.items():
        def show(key: str, row: dict[str, Any] = row) -> str:
            if key not in row:
                return "not run"
            spread = row[key]["test_sd"]
            return f"{row[key]['test']:.3f}" + (f" ± {spread:.3f}" if spread is not None else "")
        difference = row.get("difference_of_seed_means")
        told = f"{difference['value']:+.3f} [{difference['low']:+.3f}, {difference['high']:+.3f}]" if difference else "-"
        better = {True: "yes", False: "no", None: "-"}[row.get("picked_beats_chemprop")]
        lines.append("| " + " | ".join([name, row["metric"], show("mean"), *[show(model) for model in models], row.get("picked", "-"), show("chemprop"), told, better]) + " |")
    wins = sum(bool(row.get("picked_beats_chemprop")) for row in rows.values())
    counted = sum("picked_beats_chemprop" in row for row in rows.values())
    lines.append(f"\nThe model picked on the validation part beats chemprop's defaults on {wins} of {counted} data sets (mean of the seeds' test scores).")
    failed = [f"{name}: {', '.join(row['failed'])}" for name, row in rows.items() if row["failed"]]
    lines.append("Failed cells: " + ("; ".join(failed) if failed else "none") + ".")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chemprop", help="the chemprop 2.3.1 executable of another virtual environment")
    parser.add_argument("--only", nargs="*", choices=("drugai", "chemprop"), help="compute these cells alone")
    parser.add_argument("--datasets", nargs="*", help="these data sets alone")
    parser.add_argument("--seeds", nargs="*", type=int, help="these seeds alone")
    parser.add_argument("--table", action="store_true", help="compute nothing: make the table from the stored cells")
    parser.add_argument("--again", action="store_true", help="compute cells that are stored already")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    folder = HERE / "results" / "cells"
    for name in [] if options.table else options.datasets or protocol["datasets"]:
        metric = protocol["datasets"][name]
        data = drugai.read_dataset(name)
        split = drugai.split(data, method=protocol["split"], fractions=tuple(protocol["fractions"]), seed=0)
        for seed in options.seeds if options.seeds is not None else protocol["seeds"]:
            if options.chemprop and (not options.only or "chemprop" in options.only):
                cell(folder, f"{name}_{seed}_chemprop", partial(chemprop, data, split, seed, metric, options.chemprop), again=options.again)
            if not options.only or "drugai" in options.only:
                cell(folder, f"{name}_{seed}_drugai", partial(ours, data, split, seed, metric), code=CODE, again=options.again)
    rows = table(protocol, folder)
    text = markdown(rows, protocol["models"])
    print(text)
    write_text_atomically(HERE / "results" / "table.json", json.dumps({"protocol": protocol, "code": CODE, "rows": rows}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "table.md", text)


if __name__ == "__main__":
    main()
