"""Which standard deviation knows where the error is? On validation parts alone, before a test molecule was predicted.

    DRUGAI_DATA=… python experiments/06_uncertainty/choose.py

Writes results/choose.json and results/choose.md.
"""

from __future__ import annotations

import json
import sys
import time
import tomllib
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import code_hash  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.metrics.property import estimate  # noqa: E402
from drugai.training import fit_on, model_config  # noqa: E402
from drugai.training.rows import batch_of, take_rows  # noqa: E402

SETS = ("tdc_lipophilicity_astrazeneca", "tdc_herg")


def main() -> None:
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    found: dict[str, object] = {"code": code_hash(["molecules", "featurizers", "models", "predictors", "training", "metrics"])}
    lines = ["| data | molecules of the validation part | model | MAE | standard deviation | Spearman with the error [95 %] | fit, CPU-s |", "|" + "---|" * 7]
    for name in SETS:
        data = drugai.read_dataset(name)
        split = drugai.split(data, method="random", fractions=tuple(protocol["fractions"]), seed=0)
        train, valid = take_rows(data, split.train), take_rows(data, split.valid)
        batch, y = batch_of(valid), valid.y[:, 0]
        rows = []
        for kind, settings in ((protocol["model"], protocol["settings"]), ("gp", {"descriptors": ["descriptors"]})):
            begun = time.process_time()
            model = fit_on(model_config(kind, settings), train, valid, seed=0)
            seconds = time.process_time() - begun
            told = model.predict(batch)
            mean, std = told.mean[:, 0].astype(float), told.std[:, 0].astype(float)
            error = np.abs(y - mean)
            kinds = {"its own": std}
            if kind == "bagged":
                spread = model.predict_members(batch)[0][:, :, 0].std(0, ddof=1)
                kinds |= {"spread of the members": spread, "both: root of the sum of squares": np.hypot(std, spread), "both: product": std * spread, "distance to the training molecules": 1 - model.similarity(batch)}
            if data.tasks[0].kind == "binary":
                kinds["√(p (1 − p))"] = np.sqrt(mean * (1 - mean))
            for what, values in kinds.items():
                score = estimate("spearman", error, values)
                rows.append({"model": kind, "deviation": what, "mae": round(float(error.mean()), 4), "spearman": score.to_dict(), "fit_cpu_seconds": round(seconds, 1)})
                lines.append(f"| {name} | {len(valid)} | {kind} | {error.mean():.3f} | {what} | {score} | {seconds:.0f} |")
                print(lines[-1], flush=True)
        found[name] = rows
    (HERE / "results").mkdir(exist_ok=True)
    write_text_atomically(HERE / "results" / "choose.json", json.dumps(found, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "choose.md", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
