"""Does a prediction change with the way in which the SMILES is written?

    DRUGAI_DATA=… python experiments/21_enumerations/run.py [--only gp …] [--table]

A cell is one data set and one model of ``config.toml``: it predicts each molecule in 20 random spellings. Another kind of model is a further table ``[models.NAME]`` there.
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
from drugai.runtime import generator  # noqa: E402
from drugai.training import fit_predictor, model_config  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "models", "predictors", "training"])


def spellings(smi: str, n: int, seed: int) -> list[str]:
    """n random SMILES of a molecule, as different as it allows."""
    return list(Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(smi), n, randomSeed=seed))


def one(protocol: dict[str, Any], name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """``[molecules]`` largest difference between two spellings of each molecule."""
    data = drugai.read_dataset(name)
    split = drugai.split(data, method=protocol["split"], fractions=tuple(protocol["fractions"]), seed=0)
    rest = {key: value for key, value in settings.items() if key not in ("kind", "as_written")}
    model = fit_predictor(model_config(settings["kind"], rest), data, split, seed=protocol["seed"])
    test = data.take(split.test).smiles
    rows = sorted(generator(protocol["seed"], "enumerations", name).choice(len(test), min(protocol["molecules"], len(test)), replace=False).tolist())
    k = protocol["enumerations"]
    written = [spellings(test[row], k, 1 + row) for row in rows]
    if settings.get("as_written"):  # the network alone: predict() of a language model reads the canonical SMILES whatever it is given
        found = model.predict_spellings([test[row] for row in rows], k).mean(1)[:, :, 0].T.astype(float)
    else:
        found = model.predict([smi for each in written for smi in each]).mean[:, 0].reshape(len(rows), k).astype(float)
    plain = model.predict([test[row] for row in rows]).mean[:, 0].astype(float)
    ranges = found.max(1) - found.min(1)
    return {
        "split_checksum": split.checksum, "rows": rows, "different_spellings": float(np.mean([len(set(each)) for each in written])), "undefined": int(np.isnan(found).any(1).sum()),
        "range": [float(f"{value:.3g}") for value in ranges], "of_the_given": [float(f"{value:.3g}") for value in np.abs(found - plain[:, None]).max(1)], "spread_of_predictions": float(plain.std()),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", help="these models alone")
    parser.add_argument("--table", action="store_true", help="compute nothing: make the table from the stored cells")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    folder = HERE / "results" / "cells"
    lines = ["| data | model | molecules | different spellings | largest difference between two spellings | mean | ÷ spread of the predictions | bar 1e-5 |", "|" + "---|" * 8]
    rows: dict[str, Any] = {}
    for name in protocol["sets"]:
        for model, settings in protocol["models"].items():
            key = f"{name}_{model.replace(' ', '_')}"
            if not (folder / f"{key}.json").is_file() and (options.table or (options.only and model not in options.only)):
                lines.append(f"| {name} | {model} | not run |" + " |" * 5)
                continue
            found = cell(folder, key, partial(one, protocol, name, settings), code=CODE)
            if "failed" in found:
                lines.append(f"| {name} | {model} | {found['failed']} |" + " |" * 5)
                continue
            values = np.array(found["range"])
            rows[key] = {"largest": float(np.nanmax(values)), "mean": float(np.nanmean(values)), "undefined": found["undefined"], "share": float(np.nanmax(values) / found["spread_of_predictions"])}
            rows[key] |= {"molecules": len(values), "code": found["code"]}
            met = "-" if settings.get("as_written") else "met" if rows[key]["largest"] <= protocol["bar"] and not found["undefined"] else "missed"
            lines.append(f"| {name} | {model} | {len(values)} | {found['different_spellings']:.1f} | {rows[key]['largest']:.2g} | {rows[key]['mean']:.2g} | {rows[key]['share']:.2g} | {met} |")
            print(lines[-1], flush=True)
    text = "\n".join(lines) + "\n"
    write_text_atomically(HERE / "results" / "table.json", json.dumps({"protocol": protocol, "rows": rows}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "table.md", text)
    print(text)


if __name__ == "__main__":
    main()
