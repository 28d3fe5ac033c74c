"""Does adversarial training of the embeddings (FGM) help: error on test molecules, and on random spellings of them?

    DRUGAI_DATA=… python experiments/22_adversarial_training/run.py [--only esol] [--table]

A cell is one data set, kind of model and seed, with the option off and on. Another kind is a further table ``[settings.NAME]`` in ``config.toml``; its Config has the field
``adversarial``.
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
from rdkit import Chem

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import cell, code_hash  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.metrics.property import estimate, metric_function, paired_difference  # noqa: E402
from drugai.training import fit_predictor, model_config  # noqa: E402
from drugai.training.primary import PRIMARY  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "models", "predictors", "training"])
WHO = ("off", "on")


def one(protocol: dict[str, Any], name: str, settings: dict[str, Any], seed: int) -> dict[str, Any]:
    """Predictions of the test molecules as given, and the mean error over spellings, off and on."""
    data = drugai.read_dataset(name)
    split = drugai.split(data, method=protocol["split"], fractions=tuple(protocol["fractions"]), seed=0)
    test = data.take(split.test)
    k = protocol["enumerations"]
    written = [smi for row, text in enumerate(test.smiles) for smi in Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(text), k, randomSeed=1 + row)]
    found: dict[str, Any] = {"split_checksum": split.checksum, "true": [round(float(value), 5) for value in test.y[:, 0]]}
    for who, epsilon in zip(WHO, (0.0, protocol["epsilon"]), strict=True):
        rest = {key: value for key, value in settings.items() if key != "kind"}
        model = fit_predictor(model_config(settings["kind"], {**rest, "adversarial": epsilon}), data, split, seed=seed)
        spelt = model.predict(written).mean[:, 0].astype(float)
        found[who] = {
            "predictions": [round(float(value), 5) for value in model.predict(test.smiles).mean[:, 0]], "spelt": [round(float(value), 5) for value in spelt],
            "fit_cpu_seconds": model.record["fit_cpu_seconds"], "best_epochs": [each["best_epoch"] for each in model.record.get("histories", [])],
        }  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", help="these data sets alone")
    parser.add_argument("--table", action="store_true", help="compute nothing: make the table from the stored cells")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    folder = HERE / "results" / "cells"
    lines = [
        "| data | model | metric | seeds | off: test (sd over seeds) | on | on − off of the seeds' mean prediction [95 %] | under spellings: off | on | largest difference between spellings: off, on | CPU-s a fit: off, on |",
        "|" + "---|" * 11,
    ]
    rows: dict[str, Any] = {}
    for name in protocol["sets"]:
        for model, settings in protocol["settings"].items():
            stored = []
            metric = PRIMARY[drugai.read_dataset(name).tasks[0].kind]
            for seed in protocol["seeds"]:
                key = f"{name}_{model}_{seed}"
                if not (folder / f"{key}.json").is_file() and (options.table or (options.only and name not in options.only)):
                    continue
                found = cell(folder, key, partial(one, protocol, name, settings, seed), code=CODE)
                print(key, f"{found['cpu_seconds']:.0f} CPU-s", found.get("failed", ""), flush=True)
                if "failed" not in found:
                    stored.append(found)
            if not stored:
                lines.append(f"| {name} | {model} | {metric} | not run or failed |" + " |" * 7)
                continue
            true, k = np.array(stored[0]["true"]), protocol["enumerations"]
            measure = metric_function(metric)
            test = {who: [measure(true, np.array(each[who]["predictions"])) for each in stored] for who in WHO}
            spelt = {who: [measure(np.repeat(true, k), np.array(each[who]["spelt"])) for each in stored] for who in WHO}
            ranges = {who: max(float(np.ptp(np.array(each[who]["spelt"]).reshape(len(true), k), axis=1).max()) for each in stored) for who in WHO}
            seconds = {who: float(np.mean([each[who]["fit_cpu_seconds"] for each in stored])) for who in WHO}
            means = {who: np.mean([each[who]["predictions"] for each in stored], axis=0) for who in WHO}
            difference = paired_difference(metric, true, means["on"], means["off"])
            rows[f"{name}_{model}"] = {
                "metric": metric, "seeds": len(stored), "test": test, "under_spellings": spelt, "largest_difference": ranges, "cpu_seconds": seconds, "difference": difference.to_dict(),
                "interval_of_the_seeds_mean": {who: estimate(metric, true, means[who]).to_dict() for who in WHO}, "codes": sorted({each["code"] for each in stored}),
            }  # fmt: skip
            spread = {who: f"{np.mean(test[who]):.3f} ({np.std(test[who], ddof=1) if len(stored) > 1 else float('nan'):.3f})" for who in WHO}
            lines.append(
                f"| {name} | {model} | {metric} | {len(stored)} | {spread['off']} | {spread['on']} | {difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}] |"
                f" {np.mean(spelt['off']):.3f} | {np.mean(spelt['on']):.3f} | {ranges['off']:.1g}, {ranges['on']:.1g} | {seconds['off']:.0f}, {seconds['on']:.0f} |"
            )
    text = "\n".join(lines) + "\n"
    write_text_atomically(HERE / "results" / "table.json", json.dumps({"protocol": protocol, "rows": rows}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "table.md", text)
    print(text)


if __name__ == "__main__":
    main()
