"""How many folds an endpoint's boosters should be grown over: scores on outer folds of scaffolds that no booster has seen. No test molecule is read.

    python experiments/17_admet_panel/nested.py [--endpoints NAME …]
    python experiments/17_admet_panel/nested.py --table            # from the stored cells alone

The held-out scores of `choose.py` are of single boosters; what more boosters add to their mean shows on molecules outside all their folds alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from cells import cell, code_hash  # noqa: E402
from protocol import ENDPOINTS, PROTOCOL, measured_of, plan_of, recipe  # noqa: E402

from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.featurizers.blocks import featurize_blocks  # noqa: E402
from drugai.metrics.property import direction, known_pairs, metric_function  # noqa: E402
from drugai.molecules import MoleculeBatch  # noqa: E402
from drugai.training.admet import fit_folds, merge_replicates  # noqa: E402
from drugai.training.folds import cut_rows  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "predictors/packed_trees", "training/admet"])
CELLS = HERE / "results" / "nested"
NESTED: dict[str, Any] = PROTOCOL["nested"]


def score(entry: dict[str, Any], folds: int) -> dict[str, Any]:
    """The mean of ``folds`` boosters on outer folds; values of all outer folds are scored together."""
    data = merge_replicates(measured_of(entry))
    rows = np.arange(len(data))
    outer = cut_rows(data, rows, "scaffold", NESTED["outer"], PROTOCOL["seed"])
    said, trees = np.full(len(data), np.nan), []
    for inside in outer:
        fitted = fit_folds(plan_of(entry, auxiliary=()), data.take(np.setdiff1d(rows, inside)), recipe(folds=folds), seed=PROTOCOL["seed"])
        said[inside] = fitted.values(featurize_blocks(MoleculeBatch(data.take(inside).smiles), recipe().blocks))
        trees.append(sum(fitted.sizes))
    return {"metric": entry["metric"], "outer": metric_function(entry["metric"])(*known_pairs(data.y[:, 0], said)), "n": len(data), "trees": trees}


def table() -> str:
    """Scores as Markdown, and what the rule of config.toml says of them."""
    counts = [str(folds) for folds in NESTED["folds"]]
    lines = ["| endpoint | metric | molecules | " + " | ".join(f"{folds} folds" for folds in counts) + " |", "|" + "---|" * (3 + len(counts))]
    better = counted = 0
    for entry in ENDPOINTS:
        paths = [CELLS / f"{entry['name']}_{folds}.json" for folds in counts]
        if not all(path.is_file() for path in paths):
            continue
        found = [json.loads(path.read_text()) for path in paths]
        values = [one["outer"] for one in found]
        lines.append(f"| {entry['name']} | {entry['metric']} | {found[0]['n']} | " + " | ".join(f"{value:.4f}" for value in values) + " |")
        small = found[0]["n"] < NESTED["below"]
        counted += small
        better += small and (values[-1] < values[0] if direction(entry["metric"]) == "min" else values[-1] > values[0])
    verdict = f"Of {counted} endpoints below {NESTED['below']} molecules {better} are better with {counts[-1]} folds than with {counts[0]}; the rule asks for {NESTED['at_least']}."
    return "\n".join(lines) + f"\n\n{verdict}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", nargs="*")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    for entry in [] if options.table else ENDPOINTS:
        if (entry["name"] in options.endpoints) if options.endpoints else len(merge_replicates(measured_of(entry))) < NESTED["below"]:
            for folds in NESTED["folds"]:
                found = cell(CELLS, f"{entry['name']}_{folds}", partial(score, entry, folds), code=CODE)
                print(entry["name"], folds, found.get("outer"), found["cpu_seconds"], flush=True)
    write_text_atomically(HERE / "results" / "nested.md", table())
    if options.table:
        print(table())


if __name__ == "__main__":
    main()
