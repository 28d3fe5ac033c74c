"""Does a small student repeat its teacher on a library, and how much faster is it?

    DRUGAI_DATA=… python experiments/08_distillation/run.py [--only egfr] [--work FOLDER] [--minutes M] [--table]

A cell is one data set: its teacher is trained and kept in ``--work``, the student is taught on 80,000 molecules of a library, and its fidelity is that on 10,000 others.
What the teachers say of the library is kept there too, one file a part, and the student's training has a checkpoint: with ``--minutes`` a run ends by itself after so
long (status 75) and the same command goes on where it ended.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
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
PART = 2500


class Clock:
    """CPU-seconds spent, kept over runs, and the time at which this run is to end."""

    def __init__(self, path: Path, minutes: float) -> None:
        self.path = path
        self.spent: dict[str, float] = json.loads(path.read_text()) if path.is_file() else {}
        self.began, self.mark = time.monotonic(), time.process_time()
        self.most = 60 * minutes

    def add(self, what: str) -> None:
        """Book the CPU time since the last call."""
        now = time.process_time()
        self.spent[what] = round(self.spent.get(what, 0.0) + now - self.mark, 1)
        self.mark = now
        write_text_atomically(self.path, json.dumps(self.spent) + "\n")

    def pause(self) -> None:
        """End the process where its time is over."""
        if self.most and time.monotonic() - self.began > self.most:
            print("time is over; the same command goes on from here", file=sys.stderr)
            raise SystemExit(75)


def library(protocol: dict[str, Any]) -> list[str]:
    """The library's molecules, none of them in one of the data sets."""
    known = {smi for name in protocol["sets"] for smi in MoleculeBatch(drugai.read_dataset(name).smiles).canonical}
    out: list[str] = []
    for name, n in protocol["library"].items():
        texts = [smi for file in fetch_files(name) for part in read_library(file) for smi in part.smiles]
        order = generator(protocol["seed"], "library", name).permutation(len(texts))
        canonical = MoleculeBatch([texts[row] for row in order[: n + n // 10]]).canonical
        out += [smi for smi in canonical if smi and smi not in known][:n]
    return out


def ask(teachers: Mapping[str, TrainedPredictor], texts: Sequence[str], work: Path, clock: Clock) -> dict[str, np.ndarray]:
    """``[n, t]`` what each teacher says of the library; features that two teachers share are computed once a part."""
    place = work / "told"
    place.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[np.ndarray]] = {name: [] for name in teachers}
    for start in range(0, len(texts), PART):
        batch = MoleculeBatch(texts[start : start + PART])
        for name, teacher in teachers.items():
            file = place / f"{name}_{start}.npy"
            if not file.is_file():
                clock.pause()
                np.save(file, teacher.predict(batch).mean)
                clock.add("library")
            found[name].append(np.load(file))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def seconds_of(model: TrainedPredictor, smiles: list[str]) -> float:
    """CPU-seconds of one call from SMILES to predictions, the better of two."""
    spent = []
    for _ in range(2):
        begun = time.process_time()
        model.predict(smiles)
        spent.append(time.process_time() - begun)
    return min(spent)


def teachers(protocol: dict[str, Any], names: Sequence[str], work: Path, clock: Clock) -> dict[str, TrainedPredictor]:
    """The teachers, trained where they are not there yet."""
    found = {}
    for name in names:
        place = work / f"teacher_{name}"
        if not is_artifact(place):
            clock.pause()
            data = drugai.read_dataset(name)
            split = drugai.split(data, method=protocol["split"], fractions=tuple(protocol["fractions"]), seed=0)
            fit_predictor(model_config("auto", protocol["teacher"]), data, split, seed=protocol["seed"]).save(place)
            clock.add(f"teacher {name}")
        found[name] = load_predictor(place)
    return found


def one(protocol: dict[str, Any], name: str, work: Path, teacher: TrainedPredictor, texts: list[str], mean: np.ndarray, clock: Clock) -> dict[str, Any]:
    """Student, and the linear fit beside it."""
    data = drugai.read_dataset(name)
    split = drugai.split(data, method=protocol["split"], fractions=tuple(protocol["fractions"]), seed=0)
    place = work / f"student_{name}"
    if not is_artifact(place):

        def after_epoch(epoch: int, scores: Mapping[str, float]) -> None:
            print(name, epoch, dict(scores), flush=True)
            clock.add(f"student {name}")
            clock.pause()

        distill(teacher, texts, said=mean, seed=protocol["seed"], checkpoint=work / f"student_{name}.checkpoint", on_epoch=after_epoch).save(place)
        clock.add(f"student {name}")
    student = load_predictor(place)
    spoken = student.record["distilled"]
    # a linear fit on logP and weight, taught and judged on the same number of molecules
    sample = generator(protocol["seed"], "linear").permutation(len(texts))[:10_000]
    chosen = [texts[row] for row in sample]
    y = mean[sample].astype(float)
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
        "split_checksum": split.checksum, "teacher": teacher.record.get("auto", {}), "library": len(texts), "used": spoken["used"], "fidelity": spoken["fidelity"], "linear": linear,
        "seconds": {who: round(value, 3) for who, value in seconds.items()}, "molecules": len(few), "spent_cpu_seconds": clock.spent, "test_rmse": scores,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", help="these data sets alone")
    parser.add_argument("--work", type=Path, default=Path("runs/08_distillation"), help="folder for teachers and students")
    parser.add_argument("--minutes", type=float, default=0.0, help="minutes after which this run ends, to be continued by the same command (0: none)")
    parser.add_argument("--table", action="store_true", help="compute nothing: make the table from the stored cells")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    cells, bars = HERE / "results" / "cells", protocol["bars"]
    lines = [
        f"| data | taught | Spearman (bar {bars['spearman']}) | R² | of the teacher's top 1 % (bar {bars['top']:.0%}) | linear fit: Spearman, top | times the teacher's throughput (bar {bars['times']:.0f}) "
        "| test RMSE: teacher | student | student's training [CPU-s] |",
        "|" + "---|" * 10,
    ]
    rows: dict[str, Any] = {}
    todo = [name for name in protocol["sets"] if not (cells / f"{name}.json").is_file() and not options.table and (not options.only or name in options.only)]
    ready: dict[str, Any] = {}
    if todo:
        options.work.mkdir(parents=True, exist_ok=True)
        clock = Clock(options.work / "spent.json", options.minutes)
        known = teachers(protocol, todo, options.work, clock)
        texts = library(protocol)
        clock.add("reading the library")
        said = ask(known, texts, options.work, clock)
        ready = {name: partial(one, protocol, name, options.work, known[name], texts, said[name], clock) for name in todo}
    for name in protocol["sets"]:
        if not (cells / f"{name}.json").is_file() and (options.table or (options.only and name not in options.only)):
            lines.append(f"| {name} | not run |" + " |" * 8)
            continue
        found = cell(cells, name, ready.get(name, dict), code=CODE)
        if "failed" in found:
            lines.append(f"| {name} | {found['failed']} |" + " |" * 8)
            continue
        rows[name] = {key: value for key, value in found.items() if key not in ("versions",)}
        for task, told in found["fidelity"].items():
            plain, times = found["linear"][task], found["seconds"]["teacher"] / found["seconds"]["student"]
            rmse = {who: f"{each['value']:.3f} [{each['low']:.3f}, {each['high']:.3f}]" for who, each in found["test_rmse"].items()}
            lines.append(
                f"| {name} ({task}) | {found['used']:,} | {told['spearman']:.3f} | {told['r2']:.3f} | {told['top']:.0%} | {plain['spearman']:.3f}, {plain['top']:.0%} | {times:.1f} |"
                f" {rmse['teacher']} | {rmse['student']} | {found['spent_cpu_seconds'][f'student {name}']:.0f} |"
            )
    text = "\n".join(lines) + "\n"
    write_text_atomically(HERE / "results" / "table.json", json.dumps({"protocol": protocol, "rows": rows}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "table.md", text)
    print(text)


if __name__ == "__main__":
    main()
