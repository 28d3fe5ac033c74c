"""What does a graph network that was taught on a million molecules without labels add to one from random weights?

    DRUGAI_DATA=… python experiments/20_graph_encoder/run.py [--encoder graph_encoder_small] [--only esol] [--models same full] [--seeds 0] [--table]

A cell is one data set, one model and one seed; a killed run continues.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import cell, code_hash, write_tables  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import read_artifact  # noqa: E402
from drugai.metrics.property import direction, estimate, paired_difference  # noqa: E402
from drugai.models.graph_pretraining import load_graph_encoder, shipped_graph_encoders  # noqa: E402
from drugai.training import fit_predictor, model_config  # noqa: E402

PROTOCOL: dict[str, Any] = tomllib.loads((HERE / "config.toml").read_text())
CELLS = HERE / "results" / "cells"
CODE = code_hash(["molecules", "featurizers", "models", "predictors", "training"])


def one(name: str, model: str, seed: int, encoder: str) -> dict[str, Any]:
    """Fit, and score the validation and the test part."""
    how = {key: value for key, value in PROTOCOL["models"][model].items() if key not in ("kind", "encoder", "shape", "once")}
    kind = PROTOCOL["models"][model]["kind"]
    pretrained = PROTOCOL["models"][model].get("encoder", False)
    if kind == "gnn":
        how["epochs"] = PROTOCOL["epochs"]
    if pretrained:
        how["encoder"] = encoder
    if PROTOCOL["models"][model].get("shape"):
        shape = load_graph_encoder(encoder).config
        how |= {f"net.{key}": getattr(shape, key) for key in ("encoder", "width", "depth", "pooling")}
    data = drugai.read_dataset(name)
    split = drugai.split(data, method=PROTOCOL["split"], fractions=tuple(PROTOCOL["fractions"]), seed=0)
    predictor = fit_predictor(model_config(kind, how), data, split, seed=seed)
    test, valid = data.take(split.test), data.take(split.valid)
    metric = PROTOCOL["datasets"][name]
    predicted = predictor.predict(test.smiles).mean[:, 0]
    found: dict[str, Any] = {
        "data": name, "model": model, "seed": seed, "split_checksum": split.checksum, "metric": metric, "n_test": len(test),
        "test": estimate(metric, test.y[:, 0], predicted).to_dict(), "valid": estimate(metric, valid.y[:, 0], predictor.predict(valid.smiles).mean[:, 0]).to_dict(),
        "y": test.y[:, 0].tolist(), "predicted": [round(float(value), 5) for value in predicted], "fit_cpu_seconds": predictor.record.get("fit_cpu_seconds"),
    }  # fmt: skip
    if pretrained:
        found["encoder"] = read_artifact(shipped_graph_encoders().get(encoder, Path(encoder))).manifest["files"]["trunk.safetensors"][:16]
    return found


def table() -> tuple[dict[str, Any], str]:
    """The rows of the stored cells, and the table in Markdown."""
    import json

    lines = ["| data (metric) | model | test | difference from the same network, paired [95 %] | valid | fit [CPU-s] | seeds |", "|" + "---|" * 7]
    rows: dict[str, Any] = {}
    better = compared = 0
    for name, metric in PROTOCOL["datasets"].items():
        sign = 1.0 if direction(metric) == "max" else -1.0
        kept = {}
        for model in PROTOCOL["models"]:
            paths = [CELLS / f"{name}_{model}_{seed}.json" for seed in PROTOCOL["seeds"]]
            kept[model] = {one["seed"]: one for path in paths if path.is_file() and "failed" not in (one := json.loads(path.read_text()))}
        rows[name] = {model: _summary(found, kept[PROTOCOL["scratch"]] if model != PROTOCOL["scratch"] else {}, metric) for model, found in kept.items() if found}
        for model in PROTOCOL["models"]:
            lines.append(_line(name, metric, model, rows[name].get(model)))
        offered = [model for model in PROTOCOL["pretrained"] if model in rows[name]]
        if offered and PROTOCOL["scratch"] in rows[name]:
            compared += 1
            picked = max(offered, key=lambda model: sign * rows[name][model]["valid"])
            rows[name]["picked"] = picked
            better += sign * rows[name][picked]["test"] > sign * rows[name][PROTOCOL["scratch"]]["test"]
    picks = ", ".join(f"{name}: {found['picked']}" for name, found in rows.items() if "picked" in found)
    text = "\n".join(lines) + f"\n\nPicked by the validation part: {picks}. So picked, the pre-trained encoder is better than the same network from random weights on {better} of {compared} sets compared.\n"
    text += "\nMean over the seeds, ± their standard deviation; a difference is that of the seeds' mean predictions over test molecules, on the seeds that both have.\n"
    return {"protocol": PROTOCOL, "rows": rows, "better": int(better), "compared": compared}, text


def _summary(found: dict[int, dict[str, Any]], base: dict[int, dict[str, Any]], metric: str) -> dict[str, Any]:
    scores = [one["test"]["value"] for one in found.values()]
    out = {
        "test": float(np.mean(scores)), "spread": float(np.std(scores, ddof=1)) if len(scores) > 1 else None, "valid": float(np.mean([one["valid"]["value"] for one in found.values()])),
        "fit_cpu_seconds": float(np.mean([one["fit_cpu_seconds"] or np.nan for one in found.values()])), "seeds": sorted(found), "codes": sorted({one["code"] for one in found.values()}),
    }  # fmt: skip
    both = sorted(set(found) & set(base))
    if both:
        y = np.array(found[both[0]]["y"])
        mine, other = (np.mean([one[seed]["predicted"] for seed in both], axis=0) for one in (found, base))
        out["difference"] = paired_difference(metric, y, mine, other).to_dict()
    return out


def _line(name: str, metric: str, model: str, row: dict[str, Any] | None) -> str:
    if row is None:
        return f"| {name} ({metric}) | {model} | not run | | | | |"
    spread = f" ± {row['spread']:.3f}" if row["spread"] is not None else ""
    gap = row.get("difference")
    shown = f"{gap['value']:+.3f} [{gap['low']:+.3f}, {gap['high']:+.3f}]" if gap else ""
    return f"| {name} ({metric}) | {model} | {row['test']:.3f}{spread} | {shown} | {row['valid']:.3f} | {row['fit_cpu_seconds']:.0f} | {len(row['seeds'])} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="graph_encoder_small", help="shipped name or folder")
    parser.add_argument("--only", nargs="*", default=list(PROTOCOL["datasets"]), help="these data sets alone")
    parser.add_argument("--models", nargs="*", default=list(PROTOCOL["models"]), help="these models alone")
    parser.add_argument("--seeds", nargs="*", type=int, default=PROTOCOL["seeds"])
    parser.add_argument("--table", action="store_true", help="compute nothing: make the table from the stored cells")
    options = parser.parse_args()
    for seed in [] if options.table else options.seeds:
        for name in options.only:
            for model in options.models:
                if seed == PROTOCOL["seeds"][0] or not PROTOCOL["models"][model].get("once"):
                    found = cell(CELLS, f"{name}_{model}_{seed}", partial(one, name, model, seed, options.encoder), code=CODE)
                    print(name, model, seed, found.get("failed") or found["test"]["value"], found["cpu_seconds"], flush=True)
    rows, text = table()
    write_tables(HERE / "results", rows, text, show=options.table)


if __name__ == "__main__":
    main()
