"""Which graph network should be the default? Pooling and encoder compared on validation parts alone: no test row is read.

    python experiments/01_property_baselines/choose_gnn.py

Each cell is the best validation score of one network on one data set and seed; `results/choose_gnn.md` holds the table.
"""

from __future__ import annotations

import json
import sys
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import cell, code_hash  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.contracts import Dataset, Split  # noqa: E402
from drugai.predictors import GNNConfig  # noqa: E402
from drugai.training.evaluation import score_predictions  # noqa: E402

CODE = code_hash(["featurizers", "models", "training"])


def fitted(data: Dataset, split: Split, seed: int, metric: str, values: dict[str, Any]) -> dict[str, Any]:
    """Validation score of one network; the test rows are taken out of the split before it is fitted."""
    model = drugai.fit_predictor(GNNConfig().replace(**values), data, split, seed=seed)
    valid = data.take(split.valid)
    return {"valid": score_predictions(model.predict(valid.smiles), valid, metric), "fit_cpu_seconds": model.record.get("fit_cpu_seconds")}


def main() -> None:
    protocol = tomllib.loads((HERE / "choose_gnn.toml").read_text())
    folder = HERE / "results" / "choose_gnn"
    found: dict[str, dict[str, list[float]]] = {name: {} for name in protocol["networks"]}
    for dataset, options in protocol["datasets"].items():
        data = drugai.read_dataset(dataset)
        split = drugai.split(data, method="scaffold", fractions=(0.8, 0.1, 0.1), seed=0)
        for seed in options["seeds"]:
            for name, values in protocol["networks"].items():
                stored = cell(folder, f"{dataset}_{seed}_{name}", partial(fitted, data, split, seed, options["metric"], values), code=CODE)
                found[name].setdefault(dataset, []).append(stored.get("valid", float("nan")))
    names = list(protocol["datasets"])
    lines = ["| network | " + " | ".join(f"{name}, {protocol['datasets'][name]['metric']}" for name in names) + " |", "|" + "---|" * (len(names) + 1)]
    for network, scores in found.items():
        lines.append(f"| {network} | " + " | ".join(f"{np.mean(scores[name]):.3f}" for name in names) + " |")
    text = "\n".join(lines) + "\n"
    print(text)
    write_text_atomically(HERE / "results" / "choose_gnn.md", text)
    write_text_atomically(HERE / "results" / "choose_gnn.json", json.dumps({"protocol": protocol, "code": CODE, "valid": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
