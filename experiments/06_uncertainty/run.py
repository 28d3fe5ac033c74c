"""Do intervals hold, does the standard deviation know where the error is, do probabilities mean what they say?

    DRUGAI_DATA=… python experiments/06_uncertainty/run.py [--only tdc_herg …] [--minutes M] [--table]

A cell is one data set, split and seed: it fits one model, calibrates it on the validation part and keeps what it says of each test molecule. All numbers of the table are
computed from these. With ``--minutes`` a run ends before the next cell after so many CPU-minutes (status 75); the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import cell, code_hash  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.contracts import Dataset  # noqa: E402
from drugai.metrics.calibration import coverage, expected_calibration_error, set_coverage  # noqa: E402
from drugai.metrics.property import spearman  # noqa: E402
from drugai.predictors.calibration import conformal_quantile, width_of  # noqa: E402
from drugai.runtime import generator  # noqa: E402
from drugai.training import fit_on, model_config  # noqa: E402
from drugai.training.calibrating import calibrate, calibrate_values  # noqa: E402
from drugai.training.rows import batch_of, take_rows  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "models", "predictors", "training", "metrics"])
RESAMPLES = 500


def one(protocol: dict[str, Any], data: Dataset, method: str, seed: int) -> dict[str, Any]:
    """One model, calibrated on the validation part, and what it says of the test part."""
    split = drugai.split(data, method=method, fractions=tuple(protocol["fractions"]), seed=seed)
    train, valid, test = (take_rows(data, split.part(name)) for name in ("train", "valid", "test"))
    model = fit_on(model_config(protocol["model"], protocol["settings"]), train, valid, seed=seed)
    calibrate(model, train, valid, seed=seed)
    raw = model.predict(batch_of(test))
    told = model.predict(batch_of(test), level=protocol["level"])
    members = model.predict_members(batch_of(test))[0][:, :, 0]
    columns = {"row": split.test, "y": test.y[:, 0], "raw": raw.mean[:, 0], "mean": told.mean[:, 0], "std": raw.std[:, 0], "spread": members.std(0, ddof=1), "near": told.domain}
    if data.tasks[0].kind == "regression":
        errors = np.sort(np.abs(valid.y[:, 0] - model.predict(batch_of(valid)).mean[:, 0]))  # without a width of its own for each molecule
        found = {"constant_half_width": conformal_quantile(errors[~np.isnan(errors)], protocol["level"])}
        columns |= {"lower": told.lower[:, 0], "upper": told.upper[:, 0]}
    else:
        found = {}
    calm = model.predict(batch_of(valid), level=protocol["level"])
    before = model.predict(batch_of(valid))
    held = {"y": valid.y[:, 0], "raw": before.mean[:, 0], "std": before.std[:, 0], "near": calm.domain}
    there = ~np.isnan(before.mean[:, 0]) & ~np.isnan(valid.y[:, 0])
    kept = ~np.isnan(raw.mean[:, 0]) & ~np.isnan(test.y[:, 0])
    out = {name: [round(float(value), 4) for value in np.asarray(values)[kept]] for name, values in columns.items()}
    out["row"] = [int(value) for value in out["row"]]
    if told.sets:
        out["set"] = [text for text, fine in zip(told.sets[data.tasks[0].name], kept, strict=True) if fine]
    return {
        "split_checksum": split.checksum, "n": [len(train), len(valid), int(kept.sum())], "domain_limit": round(float(told.domain_limit), 4), **found,
        "test": out, "valid": {name: [round(float(value), 4) for value in np.asarray(values)[there]] for name, values in held.items()},
        "fit_cpu_seconds": model.record["fit_cpu_seconds"],
    }  # fmt: skip


def divided(found: dict[str, Any], protocol: dict[str, Any]) -> dict[str, float]:
    """Coverage of the intervals when the molecules of validation and test part are divided anew, mean and standard deviation over the divisions."""
    at = {name: np.array(found["valid"][name] + found["test"][name], dtype=float) for name in ("y", "raw", "std", "near")}
    error, n = np.abs(at["y"] - at["raw"]), len(found["valid"]["y"])
    random = generator(0, "06 divisions")
    values = []
    for _ in range(protocol["divisions"]):
        order = random.permutation(len(error))
        calm, rest = order[:n], order[n:]
        known = calibrate_values(error[calm], at["std"][calm], at["near"][calm], np.arange(n) % 5)
        half = conformal_quantile(known.scores, protocol["level"]) * width_of(known.width, at["std"][rest], at["near"][rest])
        values.append(float((error[rest] <= half).mean()))
    return {"mean": round(float(np.mean(values)), 4), "sd": round(float(np.std(values, ddof=1)), 4)}


class Pooled:
    """The test molecules of all seeds of one set and split; a molecule that was in several test parts counts as one where intervals are resampled."""

    def __init__(self, cells: list[dict[str, Any]]) -> None:
        self.cells = cells
        names = [name for name in cells[0]["test"] if name != "set"]
        self.at = {name: np.concatenate([np.array(each["test"][name], dtype=float) for each in cells]) for name in names}
        self.sets = np.array([text for each in cells for text in each["test"].get("set", [])], dtype=object)
        self.error = np.abs(self.at["y"] - self.at["mean"])
        self.constant = np.concatenate([np.full(each["n"][2], each.get("constant_half_width", np.nan)) for each in cells])
        self.inside = np.concatenate([np.array(each["test"]["near"]) >= each["domain_limit"] for each in cells])
        order = np.argsort(self.at["row"], kind="stable")
        self.groups = np.split(order, np.flatnonzero(np.diff(self.at["row"][order])) + 1)

    def estimate(self, measure: Callable[[np.ndarray], float]) -> dict[str, float]:
        """A measure of rows, with its 95 % bootstrap interval over molecules."""
        every = np.arange(len(self.error))
        draws = generator(0, "06 bootstrap").integers(0, len(self.groups), (RESAMPLES, len(self.groups)))
        values = [measure(np.concatenate([self.groups[group] for group in draw])) for draw in draws]
        low, high = np.nanpercentile(values, [2.5, 97.5])
        return {"value": round(measure(every), 4), "low": round(float(low), 4), "high": round(float(high), 4)}

    def numbers(self, regression: bool) -> dict[str, Any]:
        """All numbers of a row of the table."""
        at = self.at
        found: dict[str, Any] = {"seeds": len(self.cells), "molecules": len(self.groups), "rows": len(self.error), "out_of_domain": round(float(1 - self.inside.mean()), 4)}
        found["error"] = self.estimate(lambda rows: float(self.error[rows].mean()))
        found["error_in_and_out_of_domain"] = [round(float(self.error[part].mean()), 4) if part.any() else None for part in (self.inside, ~self.inside)]
        found["spearman_std"] = self.estimate(lambda rows: spearman(at["std"][rows], self.error[rows]))
        found["spearman_spread"] = self.estimate(lambda rows: spearman(at["spread"][rows], self.error[rows]))
        found["spearman_distance"] = self.estimate(lambda rows: spearman(-at["near"][rows], self.error[rows]))
        if regression:
            width = at["upper"] - at["lower"]
            found["coverage"] = self.estimate(lambda rows: coverage(at["y"][rows], at["lower"][rows], at["upper"][rows]))
            found["coverage_by_seed"] = [round(coverage(*(np.array(each["test"][name]) for name in ("y", "lower", "upper"))), 4) for each in self.cells]
            found["coverage_in_and_out_of_domain"] = [
                round(coverage(at["y"][part], at["lower"][part], at["upper"][part]), 4) if part.any() else None for part in (self.inside, ~self.inside)
            ]
            found["width"] = self.estimate(lambda rows: float(width[rows].mean()))
            found["constant_width"] = round(float(2 * self.constant.mean()), 4)
            found["constant_coverage"] = round(float((self.error <= self.constant).mean()), 4)
            found["spearman_width"] = self.estimate(lambda rows: spearman(width[rows], self.error[rows]))
            return found
        bernoulli = np.sqrt(at["mean"] * (1 - at["mean"]))
        found["spearman_bernoulli"] = self.estimate(lambda rows: spearman(bernoulli[rows], self.error[rows]))
        for name in ("raw", "mean"):
            found["ece_before" if name == "raw" else "ece_after"] = self.estimate(partial(lambda rows, name: expected_calibration_error(at["y"][rows], at[name][rows]), name=name))
        found["set_coverage"] = self.estimate(lambda rows: set_coverage(at["y"][rows], self.sets[rows]))
        found["set_coverage_by_class"] = [round(set_coverage(at["y"][at["y"] == label], self.sets[at["y"] == label]), 4) for label in (0, 1)]
        sizes = np.array([len(text.split()) for text in self.sets])
        found["sets_of_none_one_two"] = [round(float((sizes == size).mean()), 4) for size in (0, 1, 2)]
        return found


def markdown(protocol: dict[str, Any], rows: dict[str, Any], kinds: dict[str, str]) -> str:
    """Two tables: regressions and classes."""
    bars = protocol["bars"]

    def told(found: dict[str, float]) -> str:
        return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"

    lines = [
        "| data | split | seeds, molecules | 90 % intervals cover [95 %] | by seed | divided anew (sd) | mean width | width of an interval that is the same for all | Spearman(std, error) [95 %] | of the spread | of the distance "
        "| MAE | coverage in, out of domain |",
        "|" + "---|" * 13,
    ]
    classes = [
        "",
        "| data | split | seeds, molecules | ECE before | after calibration | class sets cover [95 %] | class 0, 1 | sets of 0, 1, 2 classes | Spearman(std, error) [95 %] | of √(p (1 − p)) | error in, out of domain |",
        "|" + "---|" * 11,
    ]
    for key, row in rows.items():
        name, _, method = key.partition("/")
        if "failed" in row or "missing" in row:
            (lines if kinds[name] == "regression" else classes).append(f"| {name} | {method} | {row.get('failed', 'not run')} |" + " |" * (10 if kinds[name] == "regression" else 8))
            continue
        seeds = f"{row['seeds']}, {row['molecules']:,}" + (f"; not run: seeds {', '.join(map(str, row['absent']))}" if row["absent"] else "")
        if kinds[name] == "regression":
            anew = ", ".join(f"{each['mean']:.3f} ({each['sd']:.3f})" for each in row.get("coverage_divided_anew", [])) or "-"
            lines.append(
                f"| {name} | {method} | {seeds} | {told(row['coverage'])} | {', '.join(f'{value:.3f}' for value in row['coverage_by_seed'])} | {anew} | {row['width']['value']:.2f} | {row['constant_width']:.2f}"
                f" (covers {row['constant_coverage']:.3f}) | {told(row['spearman_std'])} | {row['spearman_spread']['value']:.3f} | {row['spearman_distance']['value']:.3f} | {row['error']['value']:.3f} |"
                f" {', '.join('-' if value is None else f'{value:.3f}' for value in row['coverage_in_and_out_of_domain'])} |"
            )
        else:
            classes.append(
                f"| {name} | {method} | {seeds} | {told(row['ece_before'])} | {told(row['ece_after'])} | {told(row['set_coverage'])} | {', '.join(f'{value:.3f}' for value in row['set_coverage_by_class'])} |"
                f" {', '.join(f'{value:.0%}' for value in row['sets_of_none_one_two'])} | {told(row['spearman_std'])} | {row['spearman_bernoulli']['value']:.3f} |"
                f" {', '.join('-' if value is None else f'{value:.3f}' for value in row['error_in_and_out_of_domain'])} |"
            )
    notes = [""]
    for method in protocol["splits"]:
        there = {key: row for key, row in rows.items() if key.endswith("/" + method) and "spearman_std" in row}
        values = [row["spearman_std"]["value"] for row in there.values()]
        plain = [row["spearman_std"]["value"] for key, row in there.items() if kinds[key.partition("/")[0]] == "regression"]
        if values:
            notes.append(f"{method}: Spearman(std, error) {np.mean(values):.3f} on average over {len(values)} sets (bar {bars['spearman']}); over the {len(plain)} regressions alone {np.mean(plain):.3f}.")
    return "\n".join([*lines, *classes, *notes]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", help="these data sets alone")
    parser.add_argument("--splits", nargs="*", help="these splits alone")
    parser.add_argument("--minutes", type=float, default=0.0, help="CPU-minutes after which no further cell is begun (0: no limit)")
    parser.add_argument("--table", action="store_true", help="compute nothing: make the table from the stored cells")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    folder = HERE / "results" / "cells"
    began, stopped = time.process_time(), False
    for name in protocol["sets"] if not options.table else []:
        if options.only and name not in options.only:
            continue
        data = None
        for method in options.splits or protocol["splits"]:
            for seed in protocol["sets"][name][method]:
                if (folder / f"{name}_{method}_{seed}.json").is_file() or stopped:
                    continue
                stopped = bool(options.minutes) and time.process_time() - began > 60 * options.minutes
                if stopped:
                    continue
                data = drugai.read_dataset(name) if data is None else data  # one for all its cells: features are computed once
                found = cell(folder, f"{name}_{method}_{seed}", partial(one, protocol, data, method, seed), code=CODE)
                print(name, method, seed, f"{found['cpu_seconds']:.0f} CPU-s", found.get("failed", ""), flush=True)
    rows: dict[str, Any] = {}
    kinds = {name: drugai.read_dataset(name).tasks[0].kind for name in protocol["sets"]}
    for name, seeds in protocol["sets"].items():
        for method in protocol["splits"]:
            paths = {seed: folder / f"{name}_{method}_{seed}.json" for seed in seeds[method]}
            stored = {seed: json.loads(path.read_text()) for seed, path in paths.items() if path.is_file()}
            failed = [f"seed {seed}: {found['failed']}" for seed, found in stored.items() if "failed" in found]
            good = [found for found in stored.values() if "failed" not in found]
            if not good:
                rows[f"{name}/{method}"] = {"failed": "; ".join(failed)} if failed else {"missing": True}
                continue
            absent = [seed for seed in seeds[method] if seed not in stored or "failed" in stored[seed]]
            row = Pooled(good).numbers(kinds[name] == "regression") | {"absent": absent, "failures": failed, "codes": sorted({found["code"] for found in good})}
            if kinds[name] == "regression" and method == "random":
                row["coverage_divided_anew"] = [divided(each, protocol) for each in good]
            rows[f"{name}/{method}"] = row
    text = markdown(protocol, rows, kinds)
    write_text_atomically(HERE / "results" / "table.json", json.dumps({"protocol": protocol, "rows": rows}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "table.md", text)
    print(text)
    if stopped:
        raise SystemExit(75)


if __name__ == "__main__":
    main()
