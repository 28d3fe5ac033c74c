"""The table of 03_tdc_admet from its cells: seeds' means, wins, ties and losses against MapLight as run here, and the published columns."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from comparing import better, verdict

import drugai
from drugai.metrics.property import direction, paired_difference


def summarize(folder: Path, endpoints: Sequence[Mapping[str, Any]], protocol: Mapping[str, Any]) -> dict[str, Any]:
    """Of each task and model: mean and standard deviation over the seeds that were run, failures, and the difference to the reference of the mean predictions, over the seeds that both have."""
    rows: dict[str, Any] = {}
    for entry in endpoints:
        name = entry["data"]
        row: dict[str, Any] = {"metric": entry["metric"], "models": {}, "failed": []}
        cells: dict[str, dict[int, dict[str, Any]]] = {}
        for model in protocol["models"]:
            stored = [json.loads(path.read_text()) for seed in protocol["seeds"] if (path := folder / f"{name}_{model}_{seed}.json").is_file()]
            row["failed"] += [f"{model}: {found['failed']}" for found in stored if "failed" in found]
            good = [found for found in stored if "failed" not in found]
            if good:
                values = [found["test"]["value"] for found in good]
                row["models"][model] = {
                    "test": float(np.mean(values)), "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None, "seeds": len(values),
                    "cpu_seconds": float(np.mean([found["cpu_seconds"] for found in good])),
                    **({"coverage": float(np.mean(covered))} if (covered := [found["coverage"] for found in good if "coverage" in found]) else {}),
                }  # fmt: skip
                cells[model] = {found["seed"]: found for found in good}
        reference = cells.get(protocol["reference"], {})
        if reference:
            data = drugai.read_dataset(name)
            true = data.y[drugai.split(data, method=protocol["split"], seed=0).test, 0]
            for model, own in cells.items():
                common = sorted(set(own) & set(reference))
                if not common:
                    continue
                found = row["models"][model]
                predicted, other = (np.mean([of[seed]["predictions"] for seed in common], axis=0) for of in (own, reference))
                found["difference"] = paired_difference(entry["metric"], true, predicted, other).to_dict()
                found["verdict"] = verdict(entry["metric"], *(float(np.mean([of[seed]["test"]["value"] for seed in common])) for of in (own, reference)), protocol["tie"])
        rows[name] = row
    return rows


def markdown(rows: Mapping[str, Any], protocol: Mapping[str, Any]) -> str:
    """The tables as Markdown."""
    models, columns = protocol["models"], protocol["published"]["columns"]
    lines = ["| task | metric | " + " | ".join(models) + " | seeds |", "|" + "---|" * (len(models) + 3)]
    for name, row in rows.items():
        sign = min if direction(row["metric"]) == "min" else max
        values = {model: found["test"] for model, found in row["models"].items()}
        best = sign(values.values()) if values else math.nan
        told = [_cell(row["models"].get(model), best) for model in models]
        seeds = sorted({found["seeds"] for found in row["models"].values()})
        lines.append(f"| {name.removeprefix('tdc_')} | {row['metric']} | " + " | ".join(told) + f" | {'–'.join(map(str, [seeds[0], seeds[-1]] if len(seeds) > 1 else seeds))} |")
    text = "\n".join(lines) + "\n\nMean ± standard deviation over the seeds that were run; the best in bold. What stands below against MapLight rests on the seeds that both have.\n\n"
    text += "| against MapLight as run here | wins | ties | losses | tasks | paired 95 % interval above 0 | below 0 |\n|" + "---|" * 7 + "\n"
    for model in models:
        found = [(row["metric"], row["models"][model]) for row in rows.values() if "verdict" in row["models"].get(model, {})]
        if model != protocol["reference"] and found:
            counts = [sum(one["verdict"] == word for _, one in found) for word in ("win", "tie", "loss")]
            signed = [(one["difference"], -1 if direction(metric) == "min" else 1) for metric, one in found]
            above = sum(min(sign * each["low"], sign * each["high"]) > 0 for each, sign in signed)
            below = sum(max(sign * each["low"], sign * each["high"]) < 0 for each, sign in signed)
            text += f"| {model} | {counts[0]} | {counts[1]} | {counts[2]} | {len(found)} | {above} | {below} |\n"
    own = [model for model in models if model not in ("mean", protocol["reference"])]
    text += "\nPublished (means of five seeds of TDC's protocol; see config.toml):\n\n| task | metric | " + " | ".join(columns) + " | beaten by |\n|" + "---|" * (len(columns) + 3) + "\n"
    beaten = dict.fromkeys(own, 0)
    for name, row in rows.items():
        published = protocol["published"][name]
        told = ["-" if math.isnan(value) else f"{value:.3f}" for value in published]
        won = [model for model in own if model in row["models"] and better(row["metric"], row["models"][model]["test"], published[-1])]
        for model in won:
            beaten[model] += 1
        text += f"| {name.removeprefix('tdc_')} | {row['metric']} | " + " | ".join(told) + f" | {', '.join(won) or '-'} |\n"
    run = {model: sum(model in row["models"] for row in rows.values()) for model in own}
    text += "\nThe best trustworthy published bar is beaten by " + ", ".join(f"{model} on {beaten[model]} of {run[model]}" for model in own if run[model]) + ".\n"
    covered = {name.removeprefix("tdc_"): found["coverage"] for name, row in rows.items() if "coverage" in (found := row["models"].get("auto", {}))}
    if covered:
        text += f"\nIntervals and class sets of `auto` at {protocol['level']:.0%} hold of the test molecules (mean over the seeds that noted it): "
        text += ", ".join(f"{name} {value:.2f}" for name, value in covered.items()) + f"; {np.mean(list(covered.values())):.3f} on average over {len(covered)} tasks.\n"
    failed = [f"{name}: {'; '.join(row['failed'])}" for name, row in rows.items() if row["failed"]]
    return text + "Failed cells: " + ("; ".join(failed) if failed else "none") + ".\n"


def _cell(found: Mapping[str, Any] | None, best: float) -> str:
    if found is None:
        return "not run"
    text = f"{found['test']:.3f}" + (f" ± {found['sd']:.3f}" if found["sd"] is not None else "")
    return f"**{text}**" if found["test"] == best else text
