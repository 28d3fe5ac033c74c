"""Do the atoms that an explanation names carry the prediction? Deletion of the top 20 % against deletion of random atoms.

    DRUGAI_DATA=… python experiments/07_explanations/run.py [--only egfr] [--table]

Each cell trains one model and explains molecules of its test part; the measured values of that part are not looked at.
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

from cells import cell, code_hash  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.molecules import MoleculeBatch  # noqa: E402
from drugai.predictors.explaining import explain, predict_without  # noqa: E402
from drugai.runtime import generator  # noqa: E402
from drugai.training import fit_predictor, model_config  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "models", "predictors"])


def deletion(protocol: dict[str, Any], name: str, kind: str, seed: int) -> dict[str, Any]:
    """One model: the change of each prediction when the named atoms go, and when random ones go."""
    data = drugai.read_dataset(name)
    split = drugai.split(data, method=protocol["split"], fractions=tuple(protocol["fractions"]), seed=0)
    model = fit_predictor(model_config(kind, protocol["settings"][kind]), data, split, seed=seed)
    draws = generator(seed, "explanations", name)
    test = data.take(split.test).smiles
    batch = MoleculeBatch(test)
    large = [row for row, mol in enumerate(batch.mols) if mol is not None and mol.GetNumAtoms() >= 10]
    rows = sorted(draws.choice(large, min(protocol["molecules"], len(large)), replace=False).tolist())
    begun, found = time.process_time(), explain(model, [test[row] for row in rows])
    seconds = (time.process_time() - begun) / len(rows)
    named, random = [], []
    for each in found:
        k = len(each.top(protocol["share"]))
        others = [draws.choice(len(each.atoms), k, replace=False).tolist() for _ in range(protocol["random_draws"])]
        values = predict_without(model, each.smiles, [(), each.top(protocol["share"]).tolist(), *others])
        named.append(abs(values[1] - values[0]))
        random.append(float(np.nanmean(np.abs(values[2:] - values[0]))))
    fine = ~(np.isnan(named) | np.isnan(random))
    return {
        "split_checksum": split.checksum, "rows": rows, "named": [round(float(value), 5) for value in named], "random": [round(value, 5) for value in random],
        "undefined": int((~fine).sum()), "seconds_a_molecule": round(seconds, 4),
    }  # fmt: skip


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """The ratio of the mean changes with its 95 % interval (bootstrap over molecules), and how often the named atoms carry more."""
    named, random = np.array(found["named"]), np.array(found["random"])
    fine = ~(np.isnan(named) | np.isnan(random))
    named, random = named[fine], random[fine]
    picked = np.random.default_rng(0).integers(0, len(named), (2000, len(named)))
    ratios = named[picked].mean(1) / random[picked].mean(1)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return {
        "n": len(named), "named": float(named.mean()), "random": float(random.mean()), "ratio": float(named.mean() / random.mean()), "low": float(low), "high": float(high),
        "more": float((named > random).mean()), "undefined": found["undefined"], "seconds_a_molecule": found["seconds_a_molecule"],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", help="these data sets alone")
    parser.add_argument("--table", action="store_true", help="compute nothing: make the table from the stored cells")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    cells = HERE / "results" / "cells"
    rows: dict[str, Any] = {}
    lines = ["| data | model | molecules | change: named atoms | random atoms | ratio [95 %] | bar 2 | named carry more | CPU-s a molecule |", "|" + "---|" * 9]
    for name in protocol["sets"]:
        for kind in protocol["kinds"]:
            for seed in protocol["seeds"]:
                key = f"{name}_{kind}_{seed}"
                if not (cells / f"{key}.json").is_file() and (options.table or (options.only and name not in options.only)):
                    lines.append(f"| {name} | {kind} | not run |" + " |" * 6)
                    continue
                found = cell(cells, key, partial(deletion, protocol, name, kind, seed), code=CODE)
                if "failed" in found:
                    lines.append(f"| {name} | {kind} | {found['failed']} |" + " |" * 6)
                    continue
                row = rows[key] = summary(found)
                met = "met" if row["ratio"] >= 2 else "missed"
                lines.append(
                    f"| {name} | {kind} | {row['n']} | {row['named']:.3f} | {row['random']:.3f} | {row['ratio']:.2f} [{row['low']:.2f}, {row['high']:.2f}] | {met} |"
                    f" {row['more']:.0%} | {row['seconds_a_molecule']:.3f} |"
                )
                print(lines[-1], flush=True)
    text = "\n".join([*lines, "", f"The {protocol['share']:.0%} of the atoms named by the explanation against as many random ones ({protocol['random_draws']} draws averaged)."]) + "\n"
    write_text_atomically(HERE / "results" / "table.json", json.dumps({"protocol": protocol, "rows": rows}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "table.md", text)
    print(text)


if __name__ == "__main__":
    main()
