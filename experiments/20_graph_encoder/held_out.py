"""What do the shipped graph encoder's features add to a Gaussian process and to boosters? On folds of train and validation part; no test molecule is looked at. `auto` was settled by it.

    DRUGAI_DATA=… python experiments/20_graph_encoder/held_out.py [--only tdc_herg …] [--table]
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

from cells import cell, code_hash, write_tables  # noqa: E402

import drugai  # noqa: E402
from drugai.metrics.property import direction, estimate, paired_difference  # noqa: E402
from drugai.predictors.auto import embedded_config, fragments_config, process_config  # noqa: E402
from drugai.predictors.gaussian_process import GPConfig  # noqa: E402
from drugai.training.fit_auto import rescaled, target_scale  # noqa: E402
from drugai.training.folding import assign_folds, fold_gp, fold_trees  # noqa: E402
from drugai.training.rows import both_parts  # noqa: E402

CELLS = HERE / "results" / "held_out" / "cells"
CODE = code_hash(["molecules", "featurizers", "models", "predictors", "training"])
METRICS = {
    "tdc_caco2_wang": "mae", "tdc_bioavailability_ma": "roc_auc", "tdc_herg": "roc_auc", "tdc_clearance_hepatocyte_az": "spearman", "tdc_vdss_lombardo": "spearman", "tdc_dili": "roc_auc",
    "tdc_cyp2d6_substrate_carbonmangels": "pr_auc", "tdc_cyp3a4_substrate_carbonmangels": "roc_auc", "tdc_hia_hou": "roc_auc", "tdc_bbb_martins": "roc_auc", "tdc_ppbr_az": "mae",
}  # fmt: skip
PAIRS = {"gp": (GPConfig, process_config, fold_gp), "boosters": (fragments_config, embedded_config, fold_trees)}


def one(name: str) -> dict[str, Any]:
    """Both pairs of one task: the held-out scores without and with the encoder, and their paired difference."""
    data = drugai.read_dataset(name)
    split = drugai.split(data, method="given", seed=0)
    learnt = both_parts(data.take(split.train), data.take(split.valid))
    scales = (target_scale("auto", learnt, 0),)
    scaled = rescaled(learnt, scales)
    fold, method = assign_folds(scaled, 5, 0)
    rows = np.flatnonzero(fold >= 0)
    found: dict[str, Any] = {"data": name, "metric": METRICS[name], "n": len(rows), "scale": scales[0], "folds": method}
    for kind, (without, with_encoder, fit) in PAIRS.items():
        told = [fit(make(), scaled, fold, 0)[1][rows, 0] for make in (without, with_encoder)]  # type: ignore[operator]
        y = scaled.y[rows, 0]
        found[kind] = {"without": estimate(METRICS[name], y, told[0]).value, "with": estimate(METRICS[name], y, told[1]).value, "difference": paired_difference(METRICS[name], y, told[1], told[0]).to_dict()}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=list(METRICS))
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    for name in [] if options.table else options.only:
        cell(CELLS, name, partial(one, name), code=CODE)
    lines = ["| task | metric (on the scale that `auto` learns) | molecules | " + " | ".join(f"{kind} | with the encoder | difference [95 %]" for kind in PAIRS) + " |", "|" + "---|" * 9]
    rows, better = {}, dict.fromkeys(PAIRS, 0)
    for name in METRICS:
        path = CELLS / f"{name}.json"
        if not path.is_file() or "failed" in (found := json.loads(path.read_text())):
            continue
        rows[name] = found
        text = f"| {name.removeprefix('tdc_')} | {found['metric']} ({found['scale']}) | {found['n']:,} |"
        for kind in PAIRS:
            gap = found[kind]["difference"]
            better[kind] += (gap["value"] > 0) == (direction(found["metric"]) == "max")
            text += f" {found[kind]['without']:.4f} | {found[kind]['with']:.4f} | {gap['value']:+.4f} [{gap['low']:+.4f}, {gap['high']:+.4f}] |"
        lines.append(text)
    told = "; ".join(f"{kind} on {count}" for kind, count in better.items())
    text = "\n".join(lines) + f"\n\nBetter with the encoder, of {len(rows)} tasks: {told}. Five folds of train and validation part, seed 0.\n"
    (HERE / "results" / "held_out").mkdir(parents=True, exist_ok=True)
    write_tables(HERE / "results" / "held_out", rows, text, show=True)


if __name__ == "__main__":
    main()
