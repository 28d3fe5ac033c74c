"""The table of 05_moleculenet from its cells and those of 01_property_baselines: ours against chemprop and against the best tree, with paired intervals over the test molecules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from comparing import better, paired_molecules

from drugai.metrics.property import direction

NAMES_IN_01 = {"ours": "drugai", "chemprop": "chemprop"}
Cells = dict[str, dict[int, dict[str, Any]]]
"""Model → seed → cell."""


def load(folders: Mapping[str, Path], name: str, model: str, seed: int, checksum: str) -> dict[str, Any] | None:
    """The cell of this experiment or, of ``ours`` and ``chemprop``, that of 01_property_baselines on the same split; None if there is none.

    Args:
        folders: ``own`` and ``first``, the cells of both experiments.

    Raises:
        ValueError: A cell of this experiment rests on another split.
    """
    path = folders["own"] / f"{name}_{seed}_{model}.json"
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text())
        if "failed" not in found and found["split_checksum"] != checksum:
            raise ValueError(f"{path.name} rests on another split; delete it and run again")
        return found
    if model in NAMES_IN_01:
        path = folders["first"] / f"{name}_{seed}_{NAMES_IN_01[model]}.json"
        found = json.loads(path.read_text()) if path.is_file() else {}
        if found.get("split_checksum") == checksum and "failed" not in found:
            return {**found, "from": "01_property_baselines"}
    return None


def summarize(cells: Cells, metric: str, true: np.ndarray, protocol: Mapping[str, Any]) -> dict[str, Any]:
    """One data set's row.

    Args:
        cells: Those that were run, failed ones too.
        true: ``[n, t]`` measured values of the test molecules.
    """
    row: dict[str, Any] = {"metric": metric, "models": {}, "failed": [f"{model} {seed}: {cell['failed']}" for model, of in cells.items() for seed, cell in of.items() if "failed" in cell]}
    good = {model: {seed: cell for seed, cell in of.items() if "failed" not in cell} for model, of in cells.items()}
    choose = min if direction(metric) == "min" else max
    mine = good.get("ours", {})
    if mine:
        row["own"] = {name: {part: float(np.mean([cell["models"][name][part] for cell in mine.values()])) for part in ("valid", "test")} for name in ("mean", *protocol["own"])}
        row["picked"] = choose(protocol["own"], key=lambda name: row["own"][name]["valid"])
        good["ours"] = {seed: cell["models"][row["picked"]] for seed, cell in mine.items()}
    for model, of in good.items():
        if of:
            tests = [cell["test"] for cell in of.values()]
            row["models"][model] = {"test": float(np.mean(tests)), "sd": float(np.std(tests, ddof=1)) if len(tests) > 1 else None, "seeds": sorted(of)}
    row["stored"] = sorted(model for model, of in cells.items() if any("from" in cell for cell in of.values()))
    run = [name for name in protocol["trees"] if good.get(name)]
    if len(run) == len(protocol["trees"]):
        row["best_tree"] = choose(run, key=lambda name: row["models"][name]["test"])
        row["tree_by_valid"] = choose(run, key=lambda name: float(np.mean([cell["valid"] for cell in good[name].values()])))
    for key, other in (("chemprop", "chemprop"), ("best_tree", row.get("best_tree")), ("tree_by_valid", row.get("tree_by_valid"))):
        if mine and other and good.get(other):
            row[f"against_{key}"] = against(metric, true, good["ours"], good[other])
    return row


def against(metric: str, true: np.ndarray, first: Mapping[int, Mapping[str, Any]], second: Mapping[int, Mapping[str, Any]]) -> dict[str, Any] | None:
    """``first`` minus ``second`` on the seeds that both have: whether the seeds' mean test score is better, and the paired interval of their mean predictions."""
    seeds = sorted(set(first) & set(second))
    if not seeds:
        return None
    means = [float(np.mean([of[seed]["test"] for seed in seeds])) for of in (first, second)]
    predicted = [np.mean([np.array(of[seed]["predictions"]).reshape(true.shape) for seed in seeds], axis=0) for of in (first, second)]
    return {"seeds": seeds, "difference": means[0] - means[1], "better": better(metric, *means), "interval": paired_molecules(metric, true, *predicted).to_dict()}


def counts(rows: Mapping[str, Any], names: Sequence[str], key: str) -> dict[str, int]:
    """On how many of the sets ours is better, on how many the interval lies on our side of 0 or on the other, and how many were compared."""
    found = [(rows[name]["metric"], rows[name][f"against_{key}"]) for name in names if rows.get(name, {}).get(f"against_{key}")]
    sides = [sorted(sign * one["interval"][end] for end in ("low", "high")) for metric, one in found for sign in (-1 if direction(metric) == "min" else 1,)]
    return {"better": sum(one["better"] for _, one in found), "surely": sum(low > 0 for low, _ in sides), "surely_worse": sum(high < 0 for _, high in sides), "compared": len(found)}


def markdown(rows: Mapping[str, Any], protocol: Mapping[str, Any]) -> str:
    """The tables as Markdown."""
    shown = ["ours", "chemprop", *protocol["trees"]]
    text = "| data set | metric | picked as ours | " + " | ".join(shown) + " | ours − chemprop [95 %] | best tree | ours − best tree [95 %] | tree picked on valid | ours − that [95 %] |\n"
    text += "|" + "---|" * (len(shown) + 8) + "\n"
    for name, row in rows.items():
        told = [_score(row["models"].get(model), len(protocol["seeds"])) for model in shown]
        told += [_difference(row, "chemprop"), row.get("best_tree", "-"), _difference(row, "best_tree"), row.get("tree_by_valid", "-"), _difference(row, "tree_by_valid")]
        text += f"| {name} | {row['metric']} | {row.get('picked', '-')} | " + " | ".join(told) + " |\n"
    text += "\nTest scores: mean ± standard deviation over the seeds, whose number stands in parentheses where it is not "
    text += f"{len(protocol['seeds'])}. A difference is that of the mean scores over the seeds that both models have; its interval is a paired bootstrap over the test molecules of the mean predictions of these seeds. "
    text += "The best tree is the one with the best test score.\n\n"
    names = list(protocol["datasets"])
    for key, title in (("chemprop", "chemprop 2.3.1"), ("tree", "the best tree")):
        one = counts(rows, names, "best_tree" if key == "tree" else key)
        bar = protocol["bars"][key]
        state = "reached" if one["better"] >= bar else "not reached" if one["better"] + len(names) - one["compared"] < bar else "open"
        text += f"Ours is better than {title} on {one['better']} of {one['compared']} sets compared (interval on our side on {one['surely']}, on the other on {one['surely_worse']}); "
        text += f"the bar is {bar} of {len(names)}: {state}.\n"
    one = counts(rows, names, "tree_by_valid")
    text += f"Ours is better than the tree that the validation part picks on {one['better']} of {one['compared']}.\n\n"
    own = ["mean", *protocol["own"]]
    text += "Our models, test score (validation score)\n\n| data set | " + " | ".join(own) + " |\n|" + "---|" * (len(own) + 1) + "\n"
    for name, row in rows.items():
        told = [f"{row['own'][model]['test']:.3f} ({row['own'][model]['valid']:.3f})" if "own" in row else "not run" for model in own]
        text += f"| {name} | " + " | ".join(told) + " |\n"
    stored = [f"{name} ({', '.join(row['stored'])})" for name, row in rows.items() if row["stored"]]
    text += f"\nTaken from the stored cells of 01_property_baselines, with the same split and seeds: {'; '.join(stored) or 'none'}.\n"
    failed = [f"{name}: {'; '.join(row['failed'])}" for name, row in rows.items() if row["failed"]]
    return text + f"Failed cells: {'; '.join(failed) or 'none'}.\n"


def _score(found: Mapping[str, Any] | None, of: int) -> str:
    if found is None:
        return "not run"
    seeds = len(found["seeds"])
    return f"{found['test']:.3f}" + (f" ± {found['sd']:.3f}" if found["sd"] is not None else "") + ("" if seeds == of else f" ({seeds})")


def _difference(row: Mapping[str, Any], key: str) -> str:
    found = row.get(f"against_{key}")
    return f"{found['difference']:+.3f} [{found['interval']['low']:+.3f}, {found['interval']['high']:+.3f}]" if found else "-"
