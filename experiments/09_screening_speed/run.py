"""`drugai screen` beside `chemprop predict` in CPU-seconds, and how a screen grows from 10,000 to 1,000,000 molecules. See README.md for the three commands."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import code_hash  # noqa: E402
from rdkit import Chem  # noqa: E402
from rdkit.Chem import Crippen  # noqa: E402

from drugai.artifact import versions, write_text_atomically  # noqa: E402
from drugai.contracts import Dataset, Task  # noqa: E402
from drugai.data import fetch_files  # noqa: E402
from drugai.predictors.gnn import GNNConfig  # noqa: E402
from drugai.training.fit import fit_on  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "models", "predictors", "screening"])
PROTOCOL = tomllib.loads((HERE / "config.toml").read_text())
NETS = {
    "dmpnn": {"net.encoder": "dmpnn", "net.width": 300, "net.depth": 3, "net.head_width": 300, "net.head_depth": 1, "net.dropout": 0.0},
    "gin": {"net.encoder": "gin", "net.width": 128, "net.depth": 4, "net.head_width": 128, "net.head_depth": 1, "net.dropout": 0.0},
}


def moses(name: str, n: int) -> list[str]:
    """The first ``n`` SMILES of a MOSES file."""
    path = next(file for file in fetch_files("moses") if file.name == name)
    with gzip.open(path, "rt") as stream:
        next(stream)
        return [line.split(",")[0].strip() for line, _ in zip(stream, range(n), strict=False)]


def run(command: list[str]) -> dict[str, float]:
    """CPU-seconds (user + system, with all descendants) and wall seconds of a command as a whole process."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(["/usr/bin/time", "-f", "PEAK %M", *command], capture_output=True, text=True, env=environment, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"{command[:3]} ended with {done.returncode}: {done.stderr[-1500:]}")
    largest = int(done.stderr.rsplit("PEAK ", 1)[1].split()[0]) / 1024
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_seconds": round(seconds, 3), "wall_seconds": round(time.perf_counter() - begun, 3), "largest_process_mb": round(largest)}


def prepare(work: Path, chemprop: str) -> None:
    """Libraries and models."""
    work.mkdir(parents=True, exist_ok=True)
    train = moses("test.csv.gz", PROTOCOL["train_rows"])
    y = np.array([[Crippen.MolLogP(Chem.MolFromSmiles(smi))] for smi in train], dtype=np.float32)
    data = Dataset("logp", tuple(train), y, (Task("logp", "regression"),))
    cut = PROTOCOL["train_rows"] * 4 // 5
    for name, net in NETS.items():
        fit_on(GNNConfig().replace(**net, epochs=PROTOCOL["epochs"]), data.take(range(cut)), data.take(range(cut, len(data)))).save(work / name)
    (work / "train.csv").write_text("smiles,logp\n" + "".join(f"{smi},{value[0]}\n" for smi, value in zip(train, y, strict=True)))
    shutil.rmtree(work / "chemprop", ignore_errors=True)
    run([chemprop, "train", "-i", str(work / "train.csv"), "-s", "smiles", "--target-columns", "logp", "-t", "regression", "-o", str(work / "chemprop"), "--epochs",
         str(PROTOCOL["epochs"]), "-n", "0", "--accelerator", "cpu", "--devices", "1"])  # fmt: skip
    smiles = moses("train.csv.gz", max(PROTOCOL["million"]["sizes"]))
    for n in (PROTOCOL["small"], PROTOCOL["molecules"]):
        (work / f"library_{n}.csv").write_text("smiles\n" + "\n".join(smiles[:n]) + "\n")
    for n in PROTOCOL["million"]["sizes"]:
        with gzip.open(work / f"library_{n}.smi.gz", "wt", compresslevel=6) as stream:
            stream.writelines(f"{smi} m{row}\n" for row, smi in enumerate(smiles[:n]))


def speed(work: Path, chemprop: str, repeats: int) -> None:
    """Every command on both libraries, interleaved."""
    drugai = str(Path(sys.executable).parent / "drugai")
    found = next((work / "chemprop").rglob("best.pt"), None) or next((work / "chemprop").rglob("*.pt"))
    results: dict[str, Any] = {"code": CODE, "versions": versions(), "protocol": PROTOCOL, "runs": []}

    def screen(model: str, n: int, *more: str) -> list[str]:
        out = work / "run"
        shutil.rmtree(out, ignore_errors=True)
        return [drugai, "screen", str(work / f"library_{n}.csv"), "--model", str(work / model), "--out", str(out), "--top", str(PROTOCOL["top"]), "--workers", "1", *more]

    for repeat in range(repeats):
        for n in (PROTOCOL["small"], PROTOCOL["molecules"]):
            library, store = str(work / f"library_{n}.csv"), work / f"library_{n}.graphs"
            shutil.rmtree(store, ignore_errors=True)
            commands = {
                "chemprop": lambda n=n, library=library: [
                    chemprop, "predict", "-i", library, "-s", "smiles", "--model-paths", str(found), "-o", str(work / "out.csv"), "-n", "0", "--accelerator", "cpu", "--devices", "1",
                ],
                "dmpnn": lambda n=n: screen("dmpnn", n),
                "dmpnn_fp32": lambda n=n: screen("dmpnn", n, "--precision", "fp32"),
                "gin": lambda n=n: screen("gin", n),
                "build": lambda library=library, store=store: [drugai, "library", "build", library, "--out", str(store)],
                "gin_graphs": lambda n=n, store=store: screen("gin", n, "--graphs", str(store)),
            }  # fmt: skip
            if (work / "student").is_dir():
                commands["student"] = lambda n=n: screen("student", n)
            for name, command in commands.items():
                entry = {"name": name, "n": n, "repeat": repeat, **run(command())}
                if name not in ("chemprop", "build"):
                    summary = json.loads((work / "run" / "summary.json").read_text())
                    entry |= {"precision": summary["precision"], "peak_memory_mb": summary["peak_memory_mb"]}
                results["runs"].append(entry)
                print(entry, flush=True)
    write_text_atomically(HERE / "results" / "speed.json", json.dumps(results, indent=1) + "\n")


def million(work: Path) -> None:
    """The same screen of ever larger libraries."""
    drugai = str(Path(sys.executable).parent / "drugai")
    protocol = PROTOCOL["million"]
    results: dict[str, Any] = {"code": CODE, "versions": versions(), "protocol": PROTOCOL, "runs": []}
    for n in protocol["sizes"]:
        out = work / f"run_{n}"
        shutil.rmtree(out, ignore_errors=True)
        library = work / f"library_{n}.smi.gz"
        measured = run([drugai, "screen", str(library), "--model", str(work / "gin"), "--out", str(out), "--top", str(PROTOCOL["top"]),
                        "--workers", str(protocol["workers"]), "--shard-size", str(protocol["shard_size"])])  # fmt: skip
        summary = json.loads((out / "summary.json").read_text())
        kept = {key: summary[key] for key in ("n", "n_bad", "rate", "peak_memory_mb", "precision", "replaced", "shards")}
        size = sum(file.stat().st_size for file in (out / "shards").glob("*.parquet"))
        results["runs"].append({**measured, **kept, "library_bytes": library.stat().st_size, "shard_bytes": size})
        print(results["runs"][-1], flush=True)
        shutil.rmtree(out)
    write_text_atomically(HERE / "results" / "million.json", json.dumps(results, indent=1) + "\n")


def write_table() -> None:
    """results/table.md from what is there."""
    lines: list[str] = []
    if (HERE / "results" / "speed.json").is_file():
        runs = json.loads((HERE / "results" / "speed.json").read_text())["runs"]
        large, small = PROTOCOL["molecules"], PROTOCOL["small"]
        cpu = {(name, n): float(np.median([r["cpu_seconds"] for r in runs if r["name"] == name and r["n"] == n])) for name in {r["name"] for r in runs} for n in (large, small)}
        rate = {name: (large - small) / (cpu[name, large] - cpu[name, small]) for name, n in cpu if n == large}
        bars = {"dmpnn": "full", "gin": "small_model", "gin_graphs": "small_model_graphs"}
        words = {
            "chemprop": "chemprop predict 2.3.1, default size", "dmpnn": "drugai screen, D-MPNN of that size", "dmpnn_fp32": "the same in float32", "gin": "drugai screen, GIN 4×128",
            "build": "drugai library build", "gin_graphs": "drugai screen, GIN 4×128, from the graph store", "student": "drugai screen, the student of EGFR's `auto` model",
        }  # fmt: skip
        lines += [f"| {large:,} molecules, one worker | CPU-s, whole process | times chemprop | bar | met | marginal rate [molecules/CPU-s] | times chemprop | peak memory [MB] |",
                  "|---|---|---|---|---|---|---|---|"]  # fmt: skip
        for name, text in words.items():
            if (name, large) not in cpu:
                continue
            ratio = cpu["chemprop", large] / cpu[name, large]
            bar = PROTOCOL["bars"].get(bars.get(name, ""), "")
            met = "" if bar == "" else "yes" if ratio >= bar else "no"
            peak = max(r.get("peak_memory_mb", r["largest_process_mb"]) for r in runs if r["name"] == name and r["n"] == large)
            precision = next((r["precision"] for r in runs if r["name"] == name and "precision" in r and r["n"] == large), "")
            lines.append(f"| {text}{f' ({precision})' if precision else ''} | {cpu[name, large]:.1f} | {ratio:.1f} | {bar} | {met} | {rate[name]:,.0f} | {rate[name] / rate['chemprop']:.1f} | {peak:,.0f} |")
        done = 1 + max(r["repeat"] for r in runs)
        lines += ["", f"{done} of {PROTOCOL['repeats']} repeats."] if done < PROTOCOL["repeats"] else []
        lines.append("")
    if (HERE / "results" / "million.json").is_file():
        runs = json.loads((HERE / "results" / "million.json").read_text())["runs"]
        lines += ["| molecules | wall [s] | CPU [s] | rate [molecules/s] | CPU-s a million | peak memory, all processes [MB] | shards [bytes a molecule] |", "|---|---|---|---|---|---|---|"]
        for r in runs:
            per = r["cpu_seconds"] / r["n"] * 1e6
            lines.append(f"| {r['n']:,} | {r['wall_seconds']:.1f} | {r['cpu_seconds']:.1f} | {r['n'] / r['wall_seconds']:,.0f} | {per:,.0f} | {r['peak_memory_mb']:,} | {r['shard_bytes'] / r['n']:.0f} |")
        last, before = runs[-1], runs[-2]
        limits = PROTOCOL["million"]
        growth = last["peak_memory_mb"] / before["peak_memory_mb"] - 1
        slope = (last["cpu_seconds"] - before["cpu_seconds"]) / (last["n"] - before["n"])
        hours = slope * 1e9 / 3600
        lines += [
            "",
            f"Peak memory at {last['n']:,}: {last['peak_memory_mb'] / 1024:.2f} GB (bar {limits['peak_gb']} GB: {'met' if last['peak_memory_mb'] / 1024 <= limits['peak_gb'] else 'missed'}), "
            f"{growth:+.1%} of that at {before['n']:,} (bar ±{limits['flat']:.0%}: {'met' if abs(growth) <= limits['flat'] else 'missed'}).",
            "",
            f"**A billion, by arithmetic.** From {before['n']:,} to {last['n']:,} a molecule costs {slope * 1e6:.0f} µs of CPU, start-up left out. A billion is then {hours:,.0f} core-hours: "
            f"{hours / 64:.1f} h on one 64-core machine, {hours / 1000 * 60:.0f} min on 1,000 cores if the file system keeps up. 10,000 shards of 100,000 molecules; their Parquet files take "
            f"{last['shard_bytes'] / last['n']:.0f} bytes a molecule, {last['shard_bytes'] / last['n']:.0f} GB in all, the gzipped SMILES {last['library_bytes'] / last['n']:.0f} GB, a graph store about 280 GB. "
            "A gzipped file cannot be entered in the middle: a library of that size is to be cut into files, or kept as plain text, which is sought into. Nothing of this paragraph was run.",
        ]
    print("\n".join(lines))
    write_text_atomically(HERE / "results" / "table.md", "\n".join(lines) + "\n\n`python experiments/09_screening_speed/run.py` (README.md has the three commands).\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--chemprop", default="chemprop")
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--part", choices=("speed", "million"))
    parser.add_argument("--repeats", type=int, default=PROTOCOL["repeats"], help="fewer than the protocol's are stated in the table")
    options = parser.parse_args()
    if options.prepare:
        prepare(options.work, options.chemprop)
    if options.part == "speed":
        speed(options.work, options.chemprop, options.repeats)
    if options.part == "million":
        million(options.work)
    write_table()


if __name__ == "__main__":
    main()
