"""The tables of the experiment, from its stored cells."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np

import drugai
from drugai.metrics.property import direction, paired_difference

PRUNERS = ("median", "halving", "hyperband")


def rows_of(protocol: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One row a study: scores of both arms, their paired difference, cost, and what pruning saved."""
    rows: dict[str, Any] = {}
    for name in protocol["trials"]:
        study = _read(folder / f"{name}.json")
        if study is None:
            rows[name] = {"missing": True}
            continue
        metric = protocol["metrics"][name.rpartition("_")[0]]
        row: dict[str, Any] = {
            "metric": metric,
            "counts": study["counts"],
            # trial 0, or its retry where a kill met it
            "default_valid": next((t["value"] for t in study["trials"] if t["value"] is not None and t["params"] == study["trials"][0]["params"]), float("nan")),
            "best_valid": study["best"]["value"],
            "best_trial": study["best"]["trial"],
            "best_params": study["best"]["params"],
            "cpu_seconds": study["study_cpu_seconds"],
        }
        twin = _read(folder / f"{name}_unpruned.json")
        if twin is not None:
            row["pruning"] = _pruning(study, twin, metric)
        arms = {arm: [_read(folder / f"{name}_refit_{arm}_{seed}.json") for seed in protocol["refit_seeds"]] for arm in ("default", "tuned")}
        found = {arm: [each for each in cells if each is not None and "failed" not in each] for arm, cells in arms.items()}
        row["failed"] = [f"{arm} {seed}" for arm, cells in arms.items() for seed, each in zip(protocol["refit_seeds"], cells, strict=True) if each and "failed" in each]
        row["seeds"] = [len(cells) for cells in found.values()]
        if all(len(cells) == len(protocol["refit_seeds"]) for cells in found.values()):
            row |= _refits(protocol, name, metric, found)
        rows[name] = row
    return rows


def _refits(protocol: dict[str, Any], name: str, metric: str, found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    data = drugai.read_dataset(name.rpartition("_")[0])
    split = drugai.split(data, method=protocol["split"], fractions=tuple(protocol["fractions"]), seed=0)
    if {each["split_checksum"] for cells in found.values() for each in cells} != {split.checksum}:
        raise SystemExit(f"{name}: the cells rest on another split")
    row: dict[str, Any] = {}
    for arm, cells in found.items():
        scores = [each["test"] for each in cells]
        row[arm] = {"test": float(np.mean(scores)), "sd": float(np.std(scores, ddof=1)), "valid": float(np.mean([each["valid"] for each in cells]))}
    means = {arm: np.mean([each["predictions"] for each in cells], axis=0) for arm, cells in found.items()}
    row["difference"] = paired_difference(metric, data.y[split.test, 0], means["tuned"], means["default"]).to_dict()
    row["selection_bias"] = row["tuned"]["test"] - row["tuned"]["valid"]
    row["refit_cpu_seconds"] = round(sum(each["cpu_seconds"] for cells in found.values() for each in cells), 1)
    return row


def _pruning(study: dict[str, Any], twin: dict[str, Any], metric: str) -> dict[str, Any]:
    """Epochs of the pruned and the unpruned study over as many trials, their best scores, and the replay of each pruner on the unpruned curves."""
    n = sum(trial["state"] in ("COMPLETE", "PRUNED") for trial in twin["trials"])
    first = study["trials"][:n]
    pick = min if direction(metric) == "min" else max
    epochs = [sum(trial["epochs"] for trial in each) for each in (first, twin["trials"])]
    return {
        "trials": n,
        "epochs_pruned": epochs[0],
        "epochs_unpruned": epochs[1],
        "saved": 1 - epochs[0] / epochs[1],
        "best_pruned": pick(trial["value"] for trial in first if trial["state"] == "COMPLETE"),
        "best_unpruned": twin["best"]["value"],
        "cpu_pruned": sum(trial["cpu_seconds"] or 0.0 for trial in first),
        "cpu_unpruned": twin["study_cpu_seconds"],
        "replay": {pruner: _replay(twin, pruner, metric) for pruner in PRUNERS},
    }


def _replay(twin: dict[str, Any], pruner: str, metric: str) -> dict[str, Any]:
    """The recorded curves of an unpruned study shown to a pruner in order."""
    import optuna

    from drugai.tuning.storage import make_pruner

    optuna.logging.set_verbosity(logging.ERROR)
    way = direction(metric)
    # Hyperband draws a trial's bracket from the name of its study: a name of its own makes the replay the same each time
    study = optuna.create_study(study_name="replay", direction="minimize" if way == "min" else "maximize", pruner=make_pruner(pruner))
    run, total, kept = 0, 0, []
    for recorded in twin["trials"]:
        if recorded["state"] != "COMPLETE" or recorded["duplicate_of"] is not None:
            continue
        trial = study.ask()
        total += len(recorded["curve"])
        pruned = False
        for epoch, value in enumerate(recorded["curve"]):
            trial.report(value, epoch)
            run += 1
            if epoch + 1 < len(recorded["curve"]) and trial.should_prune():
                pruned = True
                break
        if pruned:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, recorded["value"])
            kept.append(recorded["value"])
    best = (min if way == "min" else max)(kept)
    return {"saved": 1 - run / total, "best": best, "best_kept": best == twin["best"]["value"]}


def markdown(rows: dict[str, Any]) -> str:
    """The tables as Markdown."""
    lines = [
        "| study | metric | trials (complete / pruned / failed) | valid: default → best (trial) | test: default | test: tuned | tuned − default [95 %] | test − valid of the tuned | CPU: study + refits [s] |",
        "|" + "---|" * 9,
    ]
    for name, row in rows.items():
        if "missing" in row:
            lines.append(f"| {name} | not run |" + " |" * 7)
            continue
        counts = " / ".join(str(row["counts"].get(state, 0)) for state in ("COMPLETE", "PRUNED", "FAIL"))
        begin = f"| {name} | {row['metric']} | {counts} | {row['default_valid']:.3f} → {row['best_valid']:.3f} ({row['best_trial']}) |"
        if "difference" not in row:
            lines.append(begin + f" refits not run or failed ({row['failed']}) |" + " |" * 4)
            continue
        told = row["difference"]
        lines.append(
            begin + f" {row['default']['test']:.3f} ± {row['default']['sd']:.3f} | {row['tuned']['test']:.3f} ± {row['tuned']['sd']:.3f} |"
            f" {told['value']:+.3f} [{told['low']:+.3f}, {told['high']:+.3f}] | {row['selection_bias']:+.3f} | {row['cpu_seconds']:.0f} + {row['refit_cpu_seconds']:.0f} |"
        )
    lines += [
        "",
        "Pruning. An epoch of the trees is 25 of them. Replay: the unpruned study's curves shown to the pruner; \"kept\" if it would not have cut off the best trial.",
        "",
        "| study | trials | epochs: unpruned → median | saved | best valid: unpruned / median | CPU [s] | " + " | ".join(f"replay {pruner}: saved, best" for pruner in PRUNERS) + " |",
        "|" + "---|" * (6 + len(PRUNERS)),
    ]
    for name, row in rows.items():
        if "pruning" not in row:
            continue
        told = row["pruning"]
        replays = " | ".join(f"{each['saved']:.0%}, {each['best']:.3f} ({'kept' if each['best_kept'] else 'cut off'})" for each in told["replay"].values())
        lines.append(
            f"| {name} | {told['trials']} | {told['epochs_unpruned']} → {told['epochs_pruned']} | {told['saved']:.0%} | {told['best_unpruned']:.3f} / {told['best_pruned']:.3f} |"
            f" {told['cpu_unpruned']:.0f} → {told['cpu_pruned']:.0f} | {replays} |"
        )
    return "\n".join(lines) + "\n"


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path.is_file() else None
