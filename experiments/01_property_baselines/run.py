"""Boosted trees, graph networks and their ensemble against chemprop's defaults, on the same scaffold splits.

    python experiments/01_property_baselines/run.py [--chemprop EXECUTABLE] [--only NAME …] [--again]

Without ``--chemprop`` the stored chemprop cells are shown and missing ones are named. Every cell is one JSON file under results/cells.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from cells import cell, code_hash  # noqa: E402
from chemprop_cell import chemprop_predictions  # noqa: E402

import drugai  # noqa: E402
from drugai.contracts import Dataset, Split  # noqa: E402
from drugai.metrics.property import direction, estimate, known_pairs, metric_function, paired_difference  # noqa: E402

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chemprop", help="the chemprop 2.3.1 executable of another virtual environment")
    parser.add_argument("--only", nargs="*", help="these models alone (chemprop among them)")
    parser.add_argument("--datasets", nargs="*", help="these data sets alone")
    parser.add_argument("--again", action="store_true", help="compute cells that are stored already")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    folder = HERE / "results" / "cells"
    for name in options.datasets or protocol["datasets"]:
        metric = protocol["datasets"][name]
        data = drugai.read_dataset(name)
        split = drugai.split(data, method=protocol["split"], fractions=tuple(protocol["fractions"]), seed=0)
        for seed in protocol["seeds"]:
            if options.chemprop and (not options.only or "chemprop" in options.only):
                cell(folder, f"{name}_{seed}_chemprop", lambda: chemprop(data, split, seed, metric, options.chemprop), again=options.again)


if __name__ == "__main__":
    main()
