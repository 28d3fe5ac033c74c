"""The table of 04_moleculeace from its cells: RMSE over all and over cliff molecules, means over the targets, wins, paired intervals over the targets, and the bar."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from comparing import relative_of_means

KINDS = ("all", "cliff")


def summarize(folder: Path, protocol: Mapping[str, Any], targets: Sequence[str]) -> dict[str, Any]:
    """Each target's RMSE of every model (mean over the seeds that were run), over all and over cliff molecules; and the comparisons over the targets that both models have."""
    rows: dict[str, Any] = {}
    failed = []
    for target in targets:
        row: dict[str, Any] = {}
        for model in protocol["models"]:
            stored = [json.loads(path.read_text()) for seed in protocol["seeds"] if (path := folder / f"{target}_{model}_{seed}.json").is_file()]
            failed += [f"{target} {model}: {found['failed']}" for found in stored if "failed" in found]
            good = [found for found in stored if "failed" not in found]
            if good:
                row[model] = {**{kind: float(np.mean([found[kind] for found in good])) for kind in KINDS}, "seeds": len(good)}
        rows[target] = row
    return {"targets": rows, "against": {one: {kind: compare(rows, protocol, one, kind) for kind in KINDS} for one in protocol["models"]}, "failed": failed}


def compare(rows: Mapping[str, Any], protocol: Mapping[str, Any], model: str, kind: str) -> dict[str, Any] | None:
    """``model`` against that baseline which has the lower mean over the targets; None for want of common targets.

    The same against MoleculeACE's published support-vector machine, whose settings were searched more widely. The mean's relative difference has a 95 % interval from 10,000 resamples of the targets; ``wins`` counts the targets on which the model is better.
    """
    common = [target for target, row in rows.items() if model in row and all(name in row for name in protocol["baselines"])]
    if not common:
        return None
    values = {name: np.array([rows[target][name][kind] for target in common]) for name in {model, *protocol["baselines"]}}
    best = min(protocol["baselines"], key=lambda name: float(values[name].mean()))
    found = relative_of_means(values[model], values[best])
    published = np.array([protocol["published"][target][protocol["published"]["columns"].index("svm" if kind == "all" else "svm_cliff")] for target in common])
    theirs = relative_of_means(values[model], published)
    return {
        "baseline": best, "targets": len(common), "mean": float(values[model].mean()), "baseline_mean": float(values[best].mean()), "relative": found.to_dict(),
        "wins": int((values[model] < values[best]).sum()), "wins_over_each_best": int((values[model] < np.minimum.reduce([values[name] for name in protocol["baselines"]])).sum()),
        "reaches_the_bar": bool(found.value <= -protocol["bar"]),
        "published_mean": float(published.mean()), "relative_to_published": theirs.to_dict(), "wins_over_published": int((values[model] < published).sum()),
    }  # fmt: skip


def markdown(found: Mapping[str, Any], protocol: Mapping[str, Any]) -> str:
    """The tables as Markdown."""
    models, rows, columns = protocol["models"], found["targets"], protocol["published"]["columns"]
    text = ""
    for kind, title, theirs in (("all", "RMSE over all test molecules", (0, 2)), ("cliff", "RMSE over the activity cliffs of the test part", (1, 3))):
        text += f"{title}\n\n| target | " + " | ".join(models) + " | " + " | ".join(f"published {columns[at]}" for at in theirs) + " |\n|" + "---|" * (len(models) + 3) + "\n"
        for target, row in rows.items():
            least = min((row[model][kind] for model in row), default=0.0)
            told = ["not run" if model not in row else f"**{row[model][kind]:.3f}**" if row[model][kind] == least else f"{row[model][kind]:.3f}" for model in models]
            text += f"| {target.removeprefix('moleculeace_')} | " + " | ".join(told) + " | " + " | ".join(f"{protocol['published'][target][at]:.3f}" for at in theirs) + " |\n"
        complete = [target for target, row in rows.items() if all(model in row for model in models)]
        if complete:
            means = [np.mean([rows[target][model][kind] for target in complete]) for model in models]
            means += [np.mean([protocol["published"][target][at] for target in complete]) for at in theirs]
            text += f"| mean of {len(complete)} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |\n"
        text += "\n"
    text += "Against the better of RF and SVM as run here (the one with the lower mean over the targets)\n\n"
    text += "| model | molecules | targets | mean RMSE | baseline | its mean | relative [95 %, over targets] | better on | better than the target's best of both on | published SVM's mean | relative [95 %] | better on |\n|" + "---|" * 12 + "\n"
    for model in models:
        for kind in KINDS:
            one = found["against"][model][kind]
            if one:
                change, theirs_change = one["relative"], one["relative_to_published"]
                text += f"| {model} | {kind} | {one['targets']} | {one['mean']:.3f} | {one['baseline']} | {one['baseline_mean']:.3f} | "
                text += f"{change['value']:+.1%} [{change['low']:+.1%}, {change['high']:+.1%}] | {one['wins']} | {one['wins_over_each_best']} | "
                text += f"{one['published_mean']:.3f} | {theirs_change['value']:+.1%} [{theirs_change['low']:+.1%}, {theirs_change['high']:+.1%}] | {one['wins_over_published']} |\n"
    mine = found["against"][protocol["ours"]]["all"]
    if mine:
        state = f"open, {len(rows) - mine['targets']} are not run" if mine["targets"] < len(rows) else "reached" if mine["reaches_the_bar"] else "not reached"
        text += f"\nThe bar: mean RMSE of `{protocol['ours']}`, named as ours before the first test set was opened, at least {protocol['bar']:.0%} below {mine['baseline']}: "
        text += f"{mine['relative']['value']:+.1%} over {mine['targets']} of {len(rows)} targets, {state}. "
        text += f"Below MoleculeACE's published support-vector machine: {mine['relative_to_published']['value']:+.1%}.\n"
    seeds = sorted({row[model]["seeds"] for row in rows.values() for model in row})
    text += f"\nSeeds: {'–'.join(map(str, [seeds[0], seeds[-1]] if len(seeds) > 1 else seeds)) or 'none'} a cell. Failed cells: {'; '.join(found['failed']) or 'none'}.\n"
    return text
