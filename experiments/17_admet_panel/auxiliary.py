"""Which endpoints should learn from the others' outputs: scores with and without, on outer folds of scaffolds that no booster of the endpoint has seen. No test molecule is read.

    python experiments/17_admet_panel/run.py fit --endpoints NAME …       # the endpoints that are learnt from, see config.toml
    python experiments/17_admet_panel/auxiliary.py [--endpoints NAME …]
    python experiments/17_admet_panel/auxiliary.py --table                # from the stored cells alone

What an auxiliary endpoint says of a molecule it was grown on comes from the booster whose fold held the molecule out, in growing and in scoring: the score is that of molecules which nobody
has measured anything of.
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
from protocol import ENDPOINTS, PROTOCOL, fit_folder, measured_of, plan_of, recipe  # noqa: E402

from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.featurizers.blocks import featurize_blocks  # noqa: E402
from drugai.metrics.property import direction, known_pairs, metric_function  # noqa: E402
from drugai.molecules import MoleculeBatch  # noqa: E402
from drugai.predictors.admet_panel import with_auxiliary  # noqa: E402
from drugai.training.admet import FoldFit, fit_folds, merge_replicates  # noqa: E402
from drugai.training.folds import cut_rows  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "predictors/packed_trees", "training/admet"])
CELLS = HERE / "results" / "auxiliary"
RULE: dict[str, Any] = PROTOCOL["auxiliary"]
WAYS = ("alone", "auxiliary")


def score(entry: dict[str, Any], way: str, cut: int) -> dict[str, Any]:
    """The endpoint's recipe with or without auxiliary outputs, on outer folds; values of all outer folds are scored together."""
    fits = [FoldFit.load(fit_folder(name, PROTOCOL["seed"])) for name in RULE["of"]] if way == "auxiliary" else []
    data = merge_replicates(measured_of(entry))
    matrix = featurize_blocks(MoleculeBatch(data.smiles), recipe().blocks)
    matrix = with_auxiliary(matrix, [fit.not_grown_on(data.smiles, matrix) for fit in fits])
    rows = np.arange(len(data))
    said = np.full(len(data), np.nan)
    for inside in cut_rows(data, rows, "scaffold", RULE["outer"], cut):
        plan = plan_of(entry, auxiliary=tuple(RULE["of"]) if fits else ())
        said[inside] = fit_folds(plan, data.take(np.setdiff1d(rows, inside)), recipe(), seed=PROTOCOL["seed"], auxiliary=fits).values(matrix[inside])
    return {"metric": entry["metric"], "outer": metric_function(entry["metric"])(*known_pairs(data.y[:, 0], said)), "n": len(data)}


def table() -> str:
    """Scores as Markdown, and what the rule of config.toml says of them."""
    lines = ["| endpoint | metric | molecules | alone | with auxiliary outputs | cuts that are better | taken |", "|---|---|---|---|---|---|---|"]
    for entry in ENDPOINTS:
        paths = {way: [CELLS / f"{entry['name']}_{way}_{cut}.json" for cut in RULE["cuts"]] for way in WAYS}
        if not all(path.is_file() for of_way in paths.values() for path in of_way):
            continue
        cells = {way: [json.loads(path.read_text()) for path in of_way] for way, of_way in paths.items()}
        alone, with_them = (np.array([one["outer"] for one in cells[way]]) for way in WAYS)
        gain = (with_them - alone) * (-1 if direction(entry["metric"]) == "min" else 1)
        better = int((gain > 0).sum())
        taken = gain.mean() > 0 and better >= 2
        if taken != entry.get("auxiliary", False):
            print(f"{entry['name']}: config.toml says auxiliary = {entry.get('auxiliary', False)}, the rule {taken}", file=sys.stderr)
        means = " | ".join(f"{values.mean():.4f} ({', '.join(f'{value:.4f}' for value in values)})" for values in (alone, with_them))
        lines.append(f"| {entry['name']} | {entry['metric']} | {cells['alone'][0]['n']} | {means} | {better} of {len(gain)} | {'yes' if taken else 'no'} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", nargs="*")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    small = [entry for entry in ENDPOINTS if entry["name"] not in RULE["of"]]
    for entry in [] if options.table else small:
        for way in WAYS:
            for cut in RULE["cuts"]:
                if not options.endpoints or entry["name"] in options.endpoints:
                    found = cell(CELLS, f"{entry['name']}_{way}_{cut}", partial(score, entry, way, cut), code=CODE)
                    print(entry["name"], way, cut, found.get("failed") or found["outer"], found["cpu_seconds"], flush=True)
    write_text_atomically(HERE / "results" / "auxiliary.md", table())
    if options.table:
        print(table())


if __name__ == "__main__":
    main()
