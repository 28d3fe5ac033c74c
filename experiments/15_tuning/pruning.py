"""Does pruning save epochs at no loss in the best validation score? The same studies with and without it, over several study seeds.

    python experiments/15_tuning/pruning.py [--minutes 20] [--runs FOLDER] [--table]

One study of one seed says little: once a trial is cut off, the sampler draws other parameters. So the studies of ``[pruning]`` in config.toml are run for each of its seeds with
each of its pruners, on train and validation alone; a cell is one study. The table gives the epochs saved and the mean difference of the best validation score, paired by
data set and seed, with its interval.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from cells import cell  # noqa: E402
from run import CODE, OutOfTime, starting_config, study_cell  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.metrics.property import direction  # noqa: E402
from drugai.training import validation_score  # noqa: E402
from drugai.tuning import Study, tune  # noqa: E402


def run_study(protocol: dict[str, Any], name: str, score: Any, runs: Path, seed: int, pruner: str, until: float) -> Study:
    """One study, continued until its trials are done or the time is over."""
    label, trials = f"{name}_{pruner}_{seed}", protocol["pruning"]["studies"][name]
    study = tune(
        starting_config(protocol, name), score, trials=trials, storage=runs / f"pruning_{label}.journal", name=label, seed=seed, sampler=protocol["sampler"],
        pruner=pruner, space=protocol["space"].get(name.rpartition("_")[2]), minutes=max(0.01, (until - time.monotonic()) / 60),
    )  # fmt: skip
    counts = study.counts()
    print(f"{label}: {counts}, best {study.best_value:.4f}, {time.strftime('%H:%M:%S')}", flush=True)
    if counts.get("COMPLETE", 0) + counts.get("PRUNED", 0) < trials:
        raise OutOfTime
    return study


def table(protocol: dict[str, Any], cells: Path) -> tuple[dict[str, Any], str]:
    """Per study and pruner: epochs saved, best scores with and without, the paired difference (positive: pruning found a better one)."""
    asked = protocol["pruning"]
    lines = ["| study | trials | pruner | seeds | epochs saved | best valid: unpruned / pruned | gain by pruning, paired [95 %] | seeds with a worse best | CPU [s] |", "|" + "---|" * 9]
    rows: dict[str, Any] = {}
    for name, trials in asked["studies"].items():
        metric = protocol["metrics"][name.rpartition("_")[0]]
        sign = -1.0 if direction(metric) == "min" else 1.0
        found = {
            (pruner, seed): json.loads(path.read_text())
            for pruner in ("none", *asked["pruners"])
            for seed in asked["seeds"]
            if (path := cells / f"pruning_{name}_{pruner}_{seed}.json").is_file()
        }
        for pruner in asked["pruners"]:
            seeds = [seed for seed in asked["seeds"] if (pruner, seed) in found and ("none", seed) in found]
            if not seeds:
                continue
            pairs = [(found["none", seed], found[pruner, seed]) for seed in seeds]
            epochs = [[sum(trial["epochs"] for trial in each["trials"]) for each in pair] for pair in pairs]
            best = np.array([[each["best"]["value"] for each in pair] for pair in pairs])
            gain = sign * (best[:, 1] - best[:, 0])
            draws = gain[np.random.default_rng(0).integers(0, len(gain), (10_000, len(gain)))].mean(1)
            low, high = np.percentile(draws, [2.5, 97.5])
            cpu = [sum(pair[side]["study_cpu_seconds"] for pair in pairs) / len(pairs) for side in (0, 1)]
            row = {
                "metric": metric, "seeds": seeds, "saved": 1 - sum(e[1] for e in epochs) / sum(e[0] for e in epochs), "best": best.tolist(), "gain": float(gain.mean()),
                "low": float(low), "high": float(high), "worse": int((gain < 0).sum()), "cpu": cpu,
            }  # fmt: skip
            rows[f"{name}_{pruner}"] = row
            lines.append(
                f"| {name} ({metric}) | {trials} | {pruner} | {len(seeds)} | {row['saved']:.0%} | {best[:, 0].mean():.4f} / {best[:, 1].mean():.4f} |"
                f" {row['gain']:+.4f} [{low:+.4f}, {high:+.4f}] | {row['worse']} | {cpu[0]:.0f} → {cpu[1]:.0f} |"
            )
    return rows, "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=600.0, help="end this call after so many minutes; the next one goes on")
    parser.add_argument("--runs", type=Path, default=Path("runs/15_tuning"), help="folder of the studies' journals")
    parser.add_argument("--table", action="store_true", help="compute nothing: make the table from the stored cells")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    cells, until = HERE / "results" / "cells", time.monotonic() + 60 * options.minutes
    try:
        for seed in [] if options.table else protocol["pruning"]["seeds"]:
            for name in protocol["pruning"]["studies"]:
                data = drugai.read_dataset(name.rpartition("_")[0])
                split = drugai.split(data, method=protocol["split"], fractions=tuple(protocol["fractions"]), seed=0)
                score = validation_score(data, split, protocol["metrics"][name.rpartition("_")[0]])
                for pruner in ("none", *protocol["pruning"]["pruners"]):
                    key = f"pruning_{name}_{pruner}_{seed}"
                    if not (cells / f"{key}.json").is_file():
                        found = run_study(protocol, name, score, options.runs, seed, pruner, until)
                        cell(cells, key, partial(study_cell, found, score), code=CODE)
    except OutOfTime:
        print("out of time; the same command goes on")
    rows, text = table(protocol, cells)
    print(text)
    write_text_atomically(HERE / "results" / "pruning.json", json.dumps({"protocol": protocol["pruning"], "rows": rows}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "pruning.md", text)


if __name__ == "__main__":
    main()
