"""How well the measurements of one molecule agree with each other, on train and validation part: what no model of these sets can pass.

    python experiments/17_admet_panel/noise.py

Of molecules with several values two are compared, the first two of the table.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from cells import code_hash  # noqa: E402
from protocol import ENDPOINTS, measured_of  # noqa: E402

from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.data.grouping import canonical_smiles  # noqa: E402
from drugai.metrics.property import metric_function  # noqa: E402

FEWEST = 20
"""Molecules with two values, below which nothing is said."""


def agreement(entry: dict[str, Any]) -> dict[str, Any]:
    """Molecules with two values, and by Spearman's ρ and mean absolute difference how these agree."""
    data = measured_of(entry)
    values: dict[str, list[float]] = {}
    for text, value in zip(canonical_smiles(data.smiles), data.y[:, 0], strict=True):
        values.setdefault(text, []).append(float(value))
    pairs = np.array([found[:2] for found in values.values() if len(found) > 1]).reshape(-1, 2)
    found: dict[str, Any] = {"molecules": len(values), "twice": len(pairs)}
    if len(pairs) >= FEWEST:
        found |= {metric: round(metric_function(metric)(pairs[:, 0], pairs[:, 1]), 4) for metric in ("spearman", "mae")}
    return found


def main() -> None:
    found = {entry["name"]: agreement(entry) for entry in ENDPOINTS if measured_of(entry).tasks[0].kind == "regression"}
    lines = ["| endpoint | molecules | measured twice | Spearman's ρ of the two values | mean absolute difference |", "|---|---|---|---|---|"]
    for name, one in found.items():
        told = f"{one['spearman']:.2f} | {one['mae']:.3g}" if "spearman" in one else " | "
        lines.append(f"| {name} | {one['molecules']} | {one['twice']} | {told} |")
    text = "\n".join(lines) + "\n"
    write_text_atomically(HERE / "results" / "noise.md", text)
    write_text_atomically(HERE / "results" / "noise.json", json.dumps({"code": code_hash(["data", "molecules", "metrics"]), "endpoints": found}, indent=1) + "\n")
    print(text)


if __name__ == "__main__":
    main()
