"""Which blocks, and which scale and loss of each regression endpoint: scores on scaffolds that the folds hold out. No test molecule is read.

    python experiments/17_admet_panel/choose.py [--endpoints NAME …] [--candidates NAME …]
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from cells import cell, code_hash  # noqa: E402
from protocol import ENDPOINTS, PROTOCOL, measured_of, plan_of, recipe  # noqa: E402

from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.metrics.property import direction  # noqa: E402
from drugai.training.admet import fit_folds  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "predictors/packed_trees", "training/admet"])
SCALES = {"vdss": ["log10"], "clearance": ["log10"], "ppb": ["percent"], "caco2": [], "logd": [], "solubility": [], "ld50": []}


def score(entry: dict[str, Any], settings: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """One candidate of one endpoint."""
    fit = fit_folds(plan_of(entry, auxiliary=(), **changes), measured_of(entry), recipe(**settings), seed=PROTOCOL["seed"])
    return {"metric": entry["metric"], "held_out": fit.score(entry["metric"]), "n": len(fit.data), "trees": list(fit.sizes)}


def candidates(entry: dict[str, Any]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Name → changes of the recipe and of the plan."""
    found: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {name: (settings, {"scale": "linear", "loss": "mse"}) for name, settings in PROTOCOL["candidates"].items()}
    if entry["name"] in SCALES:
        blocks = {"blocks": PROTOCOL["candidates"]["recipe"]["blocks"]}
        for scale in ["linear", *SCALES[entry["name"]]]:
            for loss in ("mse", "mae"):
                if (scale, loss) != ("linear", "mse"):
                    found[f"recipe_{scale}_{loss}"] = (blocks, {"scale": scale, "loss": loss})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", nargs="*")
    parser.add_argument("--candidates", nargs="*")
    options = parser.parse_args()
    folder = HERE / "results" / "choose"
    for entry in ENDPOINTS:
        for name, (settings, changes) in candidates(entry).items():
            if (not options.endpoints or entry["name"] in options.endpoints) and (not options.candidates or name in options.candidates):
                found = cell(folder, f"{entry['name']}_{name}", partial(score, entry, settings, changes), code=CODE)
                print(entry["name"], name, found.get("held_out"), found["cpu_seconds"], flush=True)
    write_text_atomically(HERE / "results" / "choose.md", table(folder))


def table(folder: Path) -> str:
    """Held-out scores as Markdown, the best of each endpoint in bold."""
    names = list(dict.fromkeys(name for entry in ENDPOINTS for name in candidates(entry)))
    lines = ["| endpoint | metric | " + " | ".join(names) + " |", "|" + "---|" * (len(names) + 2)]
    for entry in ENDPOINTS:
        stored = {name: folder / f"{entry['name']}_{name}.json" for name in names}
        values = {name: json.loads(path.read_text()).get("held_out", float("nan")) for name, path in stored.items() if path.is_file()}
        best = (min if direction(entry["metric"]) == "min" else max)(values, key=values.__getitem__) if values else ""
        told = [f"**{values[name]:.3f}**" if name == best else f"{values[name]:.3f}" if name in values else "" for name in names]
        lines.append(f"| {entry['name']} | {entry['metric']} | " + " | ".join(told) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
