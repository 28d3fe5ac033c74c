"""Does a small student repeat its teacher on a library, and how much faster is it?

    DRUGAI_DATA=… python experiments/08_distillation/run.py [--only egfr] [--work FOLDER] [--table]

A cell is one data set: its teacher is trained and kept in ``--work``, the student is taught on 80,000 molecules of a library, and its fidelity is that on 10,000 others.
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

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import cell, code_hash  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import is_artifact, write_text_atomically  # noqa: E402
from drugai.data import fetch_files  # noqa: E402
from drugai.metrics.property import estimate  # noqa: E402
from drugai.molecules import MoleculeBatch, descriptors, read_library  # noqa: E402
from drugai.predictors.base import TrainedPredictor  # noqa: E402
from drugai.predictors.loading import load_predictor  # noqa: E402
from drugai.runtime import generator  # noqa: E402
from drugai.training import fit_predictor, model_config  # noqa: E402
from drugai.training.distilling import distill, fidelity  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "models", "predictors", "training"])


def library(protocol: dict[str, Any], known: set[str]) -> list[str]:
    """The library's molecules, none of them among ``known`` canonical SMILES."""
    out: list[str] = []
    for name, n in protocol["library"].items():
        texts = [smi for file in fetch_files(name) for part in read_library(file) for smi in part.smiles]
        order = generator(protocol["seed"], "library", name).permutation(len(texts))
        canonical = MoleculeBatch([texts[row] for row in order[: n + n // 10]]).canonical
        out += [smi for smi in canonical if smi and smi not in known][:n]
    return out


def seconds_of(model: TrainedPredictor, smiles: list[str]) -> float:
    """CPU-seconds of one call from SMILES to predictions, the better of two."""
    spent = []
    for _ in range(2):
        begun = time.process_time()
        model.predict(smiles)
        spent.append(time.process_time() - begun)
    return min(spent)


def one(protocol: dict[str, Any], name: str, work: Path) -> dict[str, Any]:
    """Teacher, student, and the linear fit beside it."""
    data = drugai.read_dataset(name)
    split = drugai.split(data, method=protocol["split"], fractions=tuple(protocol["fractions"]), seed=0)
    place = work / f"teacher_{name}"
    if not is_artifact(place):
        fit_predictor(model_config("auto", protocol["teacher"]), data, split, seed=protocol["seed"]).save(place)
    teacher = load_predictor(place)
    texts = library(protocol, set(MoleculeBatch(data.smiles).canonical))
    begun = time.process_time()
    student = distill(teacher, texts, seed=protocol["seed"], checkpoint=work / f"student_{name}.checkpoint")
    cost = time.process_time() - begun
    student.save(work / f"student_{name}")
    told = student.record["distilled"]
    # a linear fit on logP and weight, taught and judged on the same number of molecules
    sample = generator(protocol["seed"], "linear").permutation(len(texts))[:10_000]
    chosen = [texts[row] for row in sample]
    y = teacher.predict(chosen).mean.astype(float)
    x = np.c_[np.ones(len(chosen)), descriptors(MoleculeBatch(chosen), ("MolLogP", "MolWt"))]
    fine = ~np.isnan(y).any(axis=1)
    half = np.flatnonzero(fine)[::2], np.flatnonzero(fine)[1::2]
    weights, *_ = np.linalg.lstsq(x[half[0]], y[half[0]], rcond=None)
    linear = fidelity(x[half[1]] @ weights, y[half[1]], [task.name for task in data.tasks])
    few = texts[:: max(1, len(texts) // protocol["throughput"])][: protocol["throughput"]]
    seconds = {"teacher": seconds_of(teacher, few), "student": seconds_of(student, few)}
    test = data.take(split.test)
    scores = {who: estimate("rmse", test.y[:, 0], model.predict(test.smiles).mean[:, 0]).to_dict() for who, model in (("teacher", teacher), ("student", student))}
    return {
        "split_checksum": split.checksum, "teacher": teacher.record.get("auto", {}), "library": len(texts), "used": told["used"], "fidelity": told["fidelity"], "linear": linear,
        "seconds": {who: round(value, 3) for who, value in seconds.items()}, "molecules": len(few), "distillation_cpu_seconds": round(cost, 1), "test_rmse": scores,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", help="these data sets alone")
    parser.add_argument("--work", type=Path, default=Path("runs/08_distillation"), help="folder for teachers and students")
    parser.add_argument("--table", action="store_true", help="compute nothing: make the table from the stored cells")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    options.work.mkdir(parents=True, exist_ok=True)
    cells, bars = HERE / "results" / "cells", protocol["bars"]
    lines = [
        f"| data | taught | Spearman (bar {bars['spearman']}) | R² | of the teacher's top 1 % (bar {bars['top']:.0%}) | linear fit: Spearman, top | times the teacher's throughput (bar {bars['times']:.0f}) "
        "| test RMSE: teacher | student | distillation [CPU-s] |",
        "|" + "---|" * 10,
    ]
    rows: dict[str, Any] = {}
    for name in protocol["sets"]:
        if not (cells / f"{name}.json").is_file() and (options.table or (options.only and name not in options.only)):
            lines.append(f"| {name} | not run |" + " |" * 8)
            continue
        found = cell(cells, name, partial(one, protocol, name, options.work), code=CODE)
        if "failed" in found:
            lines.append(f"| {name} | {found['failed']} |" + " |" * 8)
            continue
        rows[name] = {key: value for key, value in found.items() if key not in ("versions",)}
        for task, told in found["fidelity"].items():
            plain, times = found["linear"][task], found["seconds"]["teacher"] / found["seconds"]["student"]
            rmse = {who: f"{each['value']:.3f} [{each['low']:.3f}, {each['high']:.3f}]" for who, each in found["test_rmse"].items()}
            lines.append(
                f"| {name} ({task}) | {found['used']:,} | {told['spearman']:.3f} | {told['r2']:.3f} | {told['top']:.0%} | {plain['spearman']:.3f}, {plain['top']:.0%} | {times:.1f} |"
                f" {rmse['teacher']} | {rmse['student']} | {found['distillation_cpu_seconds']:.0f} |"
            )
    text = "\n".join(lines) + "\n"
    write_text_atomically(HERE / "results" / "table.json", json.dumps({"protocol": protocol, "rows": rows}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "table.md", text)
    print(text)


if __name__ == "__main__":
    main()
