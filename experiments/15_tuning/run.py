"""Default against tuned configs on the test part, and what pruning saves.

    python experiments/15_tuning/run.py [--only esol_gnn …] [--minutes 12] [--runs FOLDER] [--table]

Studies are kept as journals in ``--runs`` and continue where they stopped; a finished study, and each refit, becomes one JSON file under results/cells. The test
part of a data set is opened by the refits alone, after its study has ended.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from cells import cell, code_hash  # noqa: E402
from tables import markdown, rows_of  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.contracts import Dataset, Split  # noqa: E402
from drugai.metrics.property import estimate  # noqa: E402
from drugai.training import fit_predictor, model_config, validation_score  # noqa: E402
from drugai.training.evaluation import ValidationScore, score_predictions  # noqa: E402
from drugai.tuning import Study, tune  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "models", "predictors", "training", "tuning"])


STEPS = ("study", "refit", "unpruned")


class OutOfTime(Exception):
    """The call's minutes are over; the study goes on in the next one."""


def starting_config(protocol: dict[str, Any], name: str, refit: bool = False) -> Any:
    """The default config with what the protocol fixes for both arms."""
    model = name.rpartition("_")[2]
    values = {**protocol["start"].get(model, {}), **protocol["start"].get(name, {}), **(protocol["refit"].get(model, {}) if refit else {})}
    return model_config(model, values)


def run_study(protocol: dict[str, Any], name: str, score: ValidationScore, runs: Path, until: float, pruner: str) -> Study:
    """Continue a study until its trials are done or the time is over."""
    label, trials = (name, protocol["trials"][name]) if pruner != "none" else (f"{name}_unpruned", protocol["unpruned"][name])
    study = tune(
        starting_config(protocol, name), score, trials=trials, storage=runs / f"{label}.journal", name=label, seed=protocol["study_seed"],
        sampler=protocol["sampler"], pruner=pruner, space=protocol["space"].get(name.rpartition("_")[2]), minutes=max(0.01, (until - time.monotonic()) / 60),
    )  # fmt: skip
    counts = study.counts()
    print(f"{label}: {counts}, best {study.best_value:.4f} (trial {study.study.best_trial.number}), {time.strftime('%H:%M:%S')}", flush=True)
    if counts.get("COMPLETE", 0) + counts.get("PRUNED", 0) < trials:
        raise OutOfTime
    return study


def study_cell(study: Study, score: ValidationScore) -> dict[str, Any]:
    """Every trial of a finished study as plain values."""
    trials = [
        {
            "number": trial.number,
            "state": trial.state.name,
            "value": trial.values[0] if trial.values else None,
            "params": trial.params,
            "seed": trial.user_attrs.get("seed"),
            "epochs": trial.user_attrs.get("epochs", 0),
            "cpu_seconds": trial.user_attrs.get("cpu_seconds"),
            "duplicate_of": trial.user_attrs.get("duplicate_of"),
            "curve": [round(value, 6) for _, value in sorted(trial.intermediate_values.items())],
        }
        for trial in study.study.get_trials(deepcopy=False)
    ]
    return {
        "metric": score.metric,
        "counts": study.counts(),
        "best": {"trial": study.study.best_trial.number, "value": study.best_value, "params": study.study.best_params},
        "study_cpu_seconds": round(sum(trial["cpu_seconds"] or 0.0 for trial in trials), 1),
        "trials": trials,
    }


def refit_cell(config: Any, data: Dataset, split: Split, seed: int, metric: str) -> dict[str, Any]:
    """One refit, scored on the validation and the test part."""
    model = fit_predictor(config, data, split, seed=seed)
    valid, test = data.take(split.valid), data.take(split.test)
    predictions = model.predict(test.smiles)
    return {
        "split_checksum": split.checksum,
        "config": config.to_dict(),
        "valid": score_predictions(model.predict(valid.smiles), valid, metric),
        "test": score_predictions(predictions, test, metric),
        "test_interval": estimate(metric, test.y[:, 0], predictions.mean[:, 0]).to_dict(),
        "predictions": [round(float(value), 5) for value in predictions.mean[:, 0]],
    }


def run_one(protocol: dict[str, Any], name: str, runs: Path, cells: Path, until: float, steps: list[str]) -> None:
    """The study of one data set and model, its refits, its unpruned twin: those of ``steps`` that are not there yet."""
    dataset, _, model = name.rpartition("_")
    metric = protocol["metrics"][dataset]
    data = drugai.read_dataset(dataset)
    split = drugai.split(data, method=protocol["split"], fractions=tuple(protocol["fractions"]), seed=0)
    score = validation_score(data, split, metric)
    if "study" in steps and not (cells / f"{name}.json").is_file():
        cell(cells, name, partial(study_cell, run_study(protocol, name, score, runs, until, protocol["pruner"]), score), code=CODE)
    if "refit" in steps:
        best = json.loads((cells / f"{name}.json").read_text())["best"]["params"]
        default = starting_config(protocol, name, refit=True)
        for seed in protocol["refit_seeds"]:
            for arm, config in (("default", default), ("tuned", default.replace(**best))):
                if time.monotonic() > until:
                    raise OutOfTime
                cell(cells, f"{name}_refit_{arm}_{seed}", partial(refit_cell, config, data, split, seed, metric), code=CODE)
    if "unpruned" in steps and name in protocol["unpruned"] and not (cells / f"{name}_unpruned.json").is_file():
        cell(cells, f"{name}_unpruned", partial(study_cell, run_study(protocol, name, score, runs, until, "none"), score), code=CODE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", help="these studies alone, for example esol_gnn")
    parser.add_argument("--steps", nargs="*", default=list(STEPS), choices=STEPS, help="these steps alone")
    parser.add_argument("--minutes", type=float, default=600.0, help="end this call after so many minutes; the next one goes on")
    parser.add_argument("--runs", type=Path, default=Path("runs/15_tuning"), help="folder of the studies' journals")
    parser.add_argument("--table", action="store_true", help="compute nothing: make the table from the stored cells")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    cells = HERE / "results" / "cells"
    until = time.monotonic() + 60 * options.minutes
    try:
        for name in [] if options.table else options.only or protocol["trials"]:
            run_one(protocol, name, options.runs, cells, until, options.steps)
    except OutOfTime:
        print("out of time; the same command goes on")
        return
    rows = rows_of(protocol, cells)
    text = markdown(rows)
    print(text)
    write_text_atomically(HERE / "results" / "table.json", json.dumps({"protocol": protocol, "rows": rows}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "table.md", text)


if __name__ == "__main__":
    main()
