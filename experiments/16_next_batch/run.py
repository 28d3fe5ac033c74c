"""The share of the best 1 % found after measuring 5 % in five rounds, each strategy against random.

    DRUGAI_DATA=… OMP_NUM_THREADS=1 python experiments/16_next_batch/run.py [--set drd2]
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import cell, code_hash  # noqa: E402
from scipy.stats import t as student  # noqa: E402

from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.contracts import Dataset  # noqa: E402
from drugai.data import read_dataset  # noqa: E402
from drugai.molecules import MoleculeBatch  # noqa: E402
from drugai.predictors.trees import TreesConfig  # noqa: E402
from drugai.runtime import derive_seed, generator  # noqa: E402
from drugai.screening.acquisition import acquire, pick  # noqa: E402
from drugai.training.continuing import fit_measured  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "predictors", "training", "screening/acquisition"])


def simulate(data: Dataset, batch: MoleculeBatch, strategy: str, seed: int, protocol: dict[str, Any]) -> dict[str, Any]:
    """Measure in rounds; what is not measured yet is never looked at except to count at the end."""
    n = len(data)
    size, wanted = round(protocol["batch"] * n), round(protocol["top"] * n)
    y = data.y[:, 0]
    best = set(np.lexsort((np.arange(n), -y))[:wanted].tolist())
    measured = [int(row) for row in generator(seed, "first round").permutation(n)[:size]]
    found = [len(best.intersection(measured)) / wanted]
    settings = {**protocol["model"], "blocks": tuple(protocol["model"]["blocks"])}
    for number in range(1, protocol["rounds"]):
        own = derive_seed(seed, "round", number)
        if strategy == "random":
            values = acquire("random", np.zeros(n), seed=own)
        else:
            model = fit_measured(TreesConfig(**settings), data.take(measured), seed=own % 2**31)
            predictions = model.predict(batch)
            assert predictions.std is not None
            values = acquire(strategy, predictions.mean[:, 0], predictions.std[:, 0], best=float(y[measured].max()), beta=protocol["beta"], seed=own)
        values[measured] = -np.inf
        measured += pick(values, size).tolist()
        found.append(len(best.intersection(measured)) / wanted)
    return {"n": n, "measured": len(measured), "wanted": wanted, "share_found": found, "picked": measured}


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean and 95 % interval by Student's t."""
    half = student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    for name in [options.set] if options.set else protocol["sets"]:
        data = read_dataset(name)
        batch = MoleculeBatch(data.smiles)
        data = data.take(np.flatnonzero(batch.valid & ~np.isnan(data.y[:, 0])))
        batch = MoleculeBatch(data.smiles)
        for seed in protocol["seeds"]:
            for strategy in protocol["strategies"]:
                cell(HERE / "results" / "cells", f"{name}_{seed}_{strategy}", lambda s=strategy, k=seed, d=data, b=batch: simulate(d, b, s, k, protocol), code=CODE)
    write_table(protocol)


def write_table(protocol: dict[str, Any]) -> None:
    """The table of all cells that are there."""
    lines = ["| set | molecules | strategy | share of the best 1 % found [95 %] | minus random, paired [95 %] | better than random |", "|---|---|---|---|---|---|"]
    table: dict[str, Any] = {}
    for name in protocol["sets"]:
        shares: dict[str, np.ndarray] = {}
        n = 0
        for strategy in protocol["strategies"]:
            files = [HERE / "results" / "cells" / f"{name}_{seed}_{strategy}.json" for seed in protocol["seeds"]]
            cells = [json.loads(file.read_text()) for file in files if file.is_file()]
            if len(cells) < len(files) or any("failed" in found for found in cells):
                lines.append(f"| {name} | | {strategy} | {len(cells)} of {len(files)} seeds are there | | |")
                continue
            n = cells[0]["n"]
            shares[strategy] = np.array([found["share_found"][-1] for found in cells])
        for strategy, values in shares.items():
            mean, low, high = interval(values)
            entry: dict[str, Any] = {"seeds": values.tolist(), "mean": mean, "interval": [low, high]}
            text = ""
            better = ""
            if strategy != "random" and "random" in shares:
                entry["minus_random"] = interval(values - shares["random"])
                text = "{:+.3f} [{:+.3f}, {:+.3f}]".format(*entry["minus_random"])
                better = "yes" if entry["minus_random"][1] > 0 else "no"
            table.setdefault(name, {})[strategy] = entry
            lines.append(f"| {name} | {n:,} | {strategy} | {mean:.3f} [{max(low, 0):.3f}, {high:.3f}] | {text} | {better} |")
    caption = "\n\nAfter measuring 5 % in five rounds, five seeds; `python experiments/16_next_batch/run.py`.\n"
    print("\n".join(lines))
    write_text_atomically(HERE / "results" / "table.md", "\n".join(lines) + caption)
    write_text_atomically(HERE / "results" / "table.json", json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
