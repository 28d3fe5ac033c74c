"""What does a pre-trained encoder of SMILES add, and what do two spellings held together do to the spread?

    DRUGAI_DATA=… python experiments/18_language_model/run.py [--encoder encoder_small] [--only esol] [--models scratch trees] [--table]

A cell is one data set and one model, seed 0.
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

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import cell, code_hash  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import file_checksum, write_text_atomically  # noqa: E402
from drugai.metrics.property import direction, estimate, paired_difference  # noqa: E402
from drugai.models.encoder_store import shipped_encoders  # noqa: E402
from drugai.predictors.language import LanguagePredictor  # noqa: E402
from drugai.training import fit_predictor, model_config  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "models", "predictors", "training"])


def one(protocol: dict[str, Any], name: str, model: str, encoder: str) -> dict[str, Any]:
    """Fit, predict the test part, and how far spellings of a test molecule differ."""
    how = {key: value for key, value in protocol["models"][model].items() if key not in ("kind", "only", "encoder")}
    kind = protocol["models"][model]["kind"]
    pretrained = protocol["models"][model].get("encoder", False)
    if kind == "lm":
        how |= {"epochs": protocol["epochs"], **({"encoder": encoder} if pretrained else {})}
    data = drugai.read_dataset(name)
    split = drugai.split(data, method=protocol["split"], fractions=tuple(protocol["fractions"]), seed=0)
    predictor = fit_predictor(model_config(kind, how), data, split, seed=0)
    test, valid = data.take(split.test), data.take(split.valid)
    metric = protocol["datasets"][name]
    found = predictor.predict(test.smiles)
    known = ~np.isnan(test.y[:, 0]) & ~np.isnan(found.mean[:, 0])
    out: dict[str, Any] = {
        "split_checksum": split.checksum, "metric": metric, "n_test": len(test), "unread": int((~known).sum()),
        "test": estimate(metric, test.y[known, 0], found.mean[known, 0]).to_dict(), "valid": estimate(metric, valid.y[:, 0], predictor.predict(valid.smiles).mean[:, 0]).to_dict(),
        "y": test.y[:, 0].tolist(), "predicted": found.mean[:, 0].tolist(), "fit_cpu_seconds": predictor.record.get("fit_cpu_seconds"),
    }  # fmt: skip
    if pretrained:
        place = shipped_encoders().get(encoder, Path(encoder))
        out["encoder"] = file_checksum(place / "encoder.safetensors")[:16]
    if isinstance(predictor, LanguagePredictor):
        outputs = predictor.predict_spellings(list(test.smiles), protocol["draws"]).mean(1)[:, :, 0]  # [k, n]
        out["spread"] = float(outputs.std(0, ddof=1)[known].mean())
        error = np.sqrt(((outputs.mean(0) - test.y[:, 0])[known] ** 2).mean())
        out["spread_share"] = float(outputs.std(0, ddof=1)[known].mean() / max(error, 1e-9))
    return out


def row(cells: dict[str, dict[str, Any]], name: str, model: str) -> str:
    """One line of the table: the score with its interval, and the paired difference from the network of random weights."""
    found = cells[model]
    if "failed" in found:
        return f"| {name} | {model} | {found['failed']} |" + " |" * 5
    test, metric = found["test"], found["metric"]
    line = f"| {name} ({metric}) | {model} | {test['value']:.3f} [{test['low']:.3f}, {test['high']:.3f}] |"
    base = cells.get("scratch")
    if base and model != "scratch" and "failed" not in base:
        y, mine, other = (np.array(values, dtype=float) for values in (found["y"], found["predicted"], base["predicted"]))
        fine = ~np.isnan(y) & ~np.isnan(mine) & ~np.isnan(other)
        gap = paired_difference(metric, y[fine], mine[fine], other[fine])
        line += f" {gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}] |"
    else:
        line += " |"
    spread = f" {found['spread']:.3f} ({found['spread_share']:.0%}) |" if "spread" in found else " |"
    return line + f" {found['valid']['value']:.3f} |{spread} {found['fit_cpu_seconds'] or float('nan'):.0f} | {found['unread']} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="encoder_small", help="shipped name or folder")
    parser.add_argument("--only", nargs="*", help="these data sets alone")
    parser.add_argument("--models", nargs="*", help="these models alone")
    parser.add_argument("--table", action="store_true", help="compute nothing: make the table from the stored cells")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    place = HERE / "results" / "cells"
    lines = [
        "| data (metric) | model | test [95 %] | difference from scratch, paired [95 %] | valid | spread over 10 spellings (share of the error) | fit [CPU-s] | test rows without a value |",
        "|" + "---|" * 8,
    ]
    table: dict[str, Any] = {}
    for name in protocol["datasets"]:
        cells: dict[str, dict[str, Any]] = {}
        for model, how in protocol["models"].items():
            if name not in how.get("only", [name]):
                continue
            left = options.table or (options.only and name not in options.only) or (options.models and model not in options.models)
            if left and not (place / f"{name}_{model}.json").is_file():
                continue
            cells[model] = cell(place, f"{name}_{model}", partial(one, protocol, name, model, options.encoder), code=CODE)
        for model in protocol["models"]:
            if model in cells:
                lines.append(row(cells, name, model))
            elif name in protocol["models"][model].get("only", [name]):
                lines.append(f"| {name} | {model} | not run |" + " |" * 5)
        table[name] = {model: {key: found.get(key) for key in ("test", "valid", "spread", "fit_cpu_seconds", "code", "failed")} for model, found in cells.items()}
    better = 0
    for name, cells_of in table.items():
        sign = 1 if direction(protocol["datasets"][name]) == "max" else -1
        scores = {model: sign * found["test"]["value"] for model, found in cells_of.items() if found.get("test")}
        better += "scratch" in scores and max(scores.get("full", -np.inf), scores.get("frozen", -np.inf)) > scores["scratch"]
    text = "\n".join(lines) + f"\n\nThe pre-trained encoder, whole or frozen, is better than random weights on {better} of {len(table)} sets.\n"
    write_text_atomically(HERE / "results" / "table.json", json.dumps({"protocol": protocol, "rows": table, "better": int(better)}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "table.md", text)
    print(text)


if __name__ == "__main__":
    main()
