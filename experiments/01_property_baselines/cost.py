"""What does it cost to train a model as good as chemprop's default? Whole processes in CPU-seconds, start, featurizing and writing the model included.

    DRUGAI_DATA=… python experiments/01_property_baselines/cost.py            # our cells that are not there, then results/cost.md
    DRUGAI_DATA=… python experiments/01_property_baselines/cost.py --table

chemprop's numbers are those of its cells of this experiment (same rows, parts and machine, its defaults, one thread). Ours is `drugai train DATA --model KIND` with the defaults of each kind. Every kind is
shown, so that nothing is chosen here; the last column compares the cheapest of those that reach chemprop's mean error on the test part.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import cell, code_hash  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.metrics.property import rmse  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "models", "predictors", "training"])
CONFIG = tomllib.loads((HERE / "config.toml").read_text())
SETS = ("esol", "freesolv", "lipophilicity")
KINDS = ("trees", "gp", "gnn")


def train(name: str, kind: str, seed: int) -> dict[str, Any]:
    """One model by the command line, and its error on the test part."""
    data = drugai.read_dataset(name)
    split = drugai.split(data, method="scaffold", seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model"
        command = [str(Path(sys.executable).parent / "drugai"), "train", name, "--model", kind, "--split", "scaffold", "--seed", str(seed), "--out", str(out)]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        predicted = drugai.load_predictor(out).predict([data.smiles[row] for row in split.test]).mean[:, 0]
    return {
        "process_cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "test": float(rmse(data.y[list(split.test), 0], predicted)),
        "split_checksum": split.checksum,
    }


def table() -> str:
    """Markdown: error and CPU-seconds of each kind beside chemprop's."""
    lines = ["| data set | model | seeds | test RMSE | CPU [s] | chemprop: RMSE | chemprop: CPU [s] | reaches it | chemprop's CPU ÷ ours |", "|---|---|---|---|---|---|---|---|---|"]
    for name in SETS:
        theirs = [json.loads(path.read_text()) for path in sorted((HERE / "results" / "cells").glob(f"{name}_*_chemprop.json"))]
        goal, price = np.mean([one["test"] for one in theirs]), np.mean([one["cpu_seconds"] for one in theirs])
        for kind in KINDS:
            ours = [json.loads(path.read_text()) for path in sorted((HERE / "results" / "cost").glob(f"{name}_{kind}_*.json"))]
            if not ours:
                continue
            if {one["split_checksum"] for one in ours + theirs} != {theirs[0]["split_checksum"]}:
                raise SystemExit(f"{name}: the cells were computed on different splits; delete results/cost/{name}_* and run again")
            error, seconds = np.mean([one["test"] for one in ours]), np.mean([one["process_cpu_seconds"] for one in ours])
            lines.append(f"| {name} | {kind} | {len(ours)} | {error:.3f} | {seconds:.1f} | {goal:.3f} | {price:.0f} | {'yes' if error <= goal else 'no'} | {price / seconds:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], choices=SETS)
    parser.add_argument("--kind", action="append", default=[], choices=KINDS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    if not arguments.table:
        for kind in arguments.kind or KINDS:
            for name in arguments.only or SETS:
                for seed in arguments.seeds:
                    found = cell(HERE / "results" / "cost", f"{name}_{kind}_{seed}", lambda n=name, k=kind, s=seed: train(n, k, s), code=CODE)
                    print(name, kind, seed, found.get("failed") or f"RMSE {found['test']:.3f}, {found['process_cpu_seconds']} CPU-s", flush=True)
    text = table()
    write_text_atomically(HERE / "results" / "cost.md", text)
    if arguments.table:
        print(text)


if __name__ == "__main__":
    main()
