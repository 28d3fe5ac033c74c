"""Tables of 12_pmo from its cells."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def read_cells(folder: Path) -> dict[str, dict[str, dict[int, dict[str, Any]]]]:
    """method → task → seed → cell."""
    found: dict[str, dict[str, dict[int, dict[str, Any]]]] = {}
    for file in sorted(folder.glob("*/*.json")):
        task, _, seed = file.stem.rpartition("_")
        found.setdefault(file.parent.name, {}).setdefault(task, {})[int(seed)] = json.loads(file.read_text())
    return found


def choosing_table(folder: Path, config: Mapping[str, Any]) -> str:
    """AUC top-10 of each method on the tasks that are named for choosing."""
    tasks = config["choosing"]["tasks"]
    cells = read_cells(folder)
    lines = [f"| method | {' | '.join(tasks)} | mean | CPU-s a run |", "|---" * (len(tasks) + 3) + "|"]
    for method in config["methods"]:
        values, seconds = [], []
        for task in tasks:
            known = [cell for cell in cells.get(method, {}).get(task, {}).values() if "failed" not in cell]
            values.append(float(np.mean([cell["auc_top10"] for cell in known])) if known else float("nan"))
            seconds += [cell["cpu_seconds"] for cell in known]
        numbers = " | ".join(_text(value) for value in [*values, float(np.mean(values))])
        lines.append(f"| {method} | {numbers} | {np.mean(seconds):.0f} |" if seconds else f"| {method} | {numbers} | not run |")
    return "\n".join(lines) + "\n"


def pmo_table(folder: Path, config: Mapping[str, Any], tasks: Sequence[str], published: Mapping[str, Mapping[str, float]]) -> str:
    """Tasks down, our methods (mean over the seeds that were run, their number) and the published ones across; the sum at the end, – where a task is missing."""
    cells = read_cells(folder)
    ours = [method for method in config["methods"] if method in cells]
    lines = [f"| task | {' | '.join([*(f'drugai {method} (seeds)' for method in ours), *published])} |", "|---" * (1 + len(ours) + len(published)) + "|"]
    sums = dict.fromkeys(ours, 0.0)
    for task in tasks:
        row = []
        for method in ours:
            known = {seed: cell for seed, cell in cells[method].get(task, {}).items() if "failed" not in cell}
            broken = len(cells[method].get(task, {})) - len(known)
            mean = float(np.mean([cell["auc_top10"] for cell in known.values()])) if known else float("nan")
            spread = f" ± {np.std([cell['auc_top10'] for cell in known.values()], ddof=1):.3f}" if len(known) > 1 else ""
            sums[method] += mean
            row.append(f"{_text(mean)}{spread} ({len(known)}{f', {broken} failed' if broken else ''})")
        lines.append(f"| {task} | {' | '.join([*row, *(_text(published[name][task]) for name in published)])} |")
    totals = [*(sums[method] for method in ours), *(sum(published[name][task] for task in tasks) for name in published)]
    lines.append(f"| **sum of the {len(tasks)}** | {' | '.join(f'**{_text(total)}**' for total in totals)} |")
    return "\n".join(lines) + "\n"


def _text(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"
