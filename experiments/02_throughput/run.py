"""How fast featurization and prediction are beside chemprop 2.3.1: ratios in one run, in CPU-seconds, on one thread.

    OMP_NUM_THREADS=1 python experiments/02_throughput/run.py --chemprop-python PYTHON

PYTHON is the interpreter of a virtual environment with chemprop 2.3.1; its `chemprop` executable must lie beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import code_hash  # noqa: E402
from rdkit import Chem, RDLogger  # noqa: E402

from drugai.artifact import versions, write_text_atomically  # noqa: E402
from drugai.contracts import Dataset, Task  # noqa: E402
from drugai.data import fetch_files  # noqa: E402
from drugai.featurizers.graphs import featurize_graphs  # noqa: E402
from drugai.molecules import MoleculeBatch, read_table  # noqa: E402
from drugai.predictors import GNNConfig  # noqa: E402
from drugai.training.fit import fit_on  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "models", "predictors"])
CHEMPROP_NET = {"net.encoder": "dmpnn", "net.width": 300, "net.depth": 3, "net.head_width": 300, "net.head_depth": 1, "net.dropout": 0.0}


def children(command: list[str], environment: dict[str, str]) -> tuple[float, float, str]:
    """CPU seconds (user + system) and peak memory [MB] of a command as a whole process, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(["/usr/bin/time", "-f", "PEAK %M", *command], capture_output=True, text=True, env=environment, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-1500:]}")
    peak = int(done.stderr.rsplit("PEAK ", 1)[1].split()[0]) / 1024
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak, done.stdout


def own_featurization(smiles: list[str], trusted: bool) -> float:
    """CPU seconds from SMILES to graphs, in chunks as prediction takes them."""
    start = time.process_time()
    for first in range(0, len(smiles), 1000):
        featurize_graphs(MoleculeBatch(smiles[first : first + 1000], trusted=trusted, transient=True))
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chemprop-python", required=True)
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    n, repeats = protocol["molecules"], protocol["repeats"]
    RDLogger.DisableLog("rdApp.*")
    path = next(file for file in fetch_files("moses") if file.name == "test.csv.gz")
    columns = read_table(path).columns
    smiles = (columns.get("SMILES") or columns["smiles"])[:n]
    canonical = [Chem.CanonSmiles(smi) for smi in smiles]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    chemprop = str(Path(options.chemprop_python).parent / "chemprop")
    drugai = str(Path(sys.executable).parent / "drugai")
    results: dict[str, Any] = {"code": CODE, "versions": versions(), "molecules": n}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "smiles.txt").write_text("\n".join(canonical))
        # interleaved, so that a change of the machine's speed meets all of them
        own_featurization(canonical[:500], False), own_featurization(canonical[:500], True)
        rates: dict[str, list[float]] = {"parse": [], "any": [], "trusted": [], "chemprop": []}
        for _ in range(repeats):
            start = time.process_time()
            for smi in canonical:
                Chem.MolFromSmiles(smi)
            rates["parse"].append(n / (time.process_time() - start))
            rates["any"].append(n / own_featurization(canonical, False))
            rates["trusted"].append(n / own_featurization(canonical, True))
            peer = subprocess.run([options.chemprop_python, str(HERE / "peer.py"), str(place / "smiles.txt"), "1"], capture_output=True, text=True, env=environment, check=True)
            rates["chemprop"].append(n / json.loads(peer.stdout.splitlines()[-1])["seconds"][0])
        median = {key: float(np.median(values)) for key, values in rates.items()}
        results["featurization"] = {"molecules_per_cpu_second": rates, "median": median}
        results["ratios"] = {"featurize_any": median["any"] / median["chemprop"], "featurize_trusted": median["trusted"] / median["chemprop"]}

        # one trained model of the same shape on each side; what it learned does not change what it costs
        train = canonical[:200]
        y = np.array([[float(Chem.MolFromSmiles(smi).GetNumAtoms())] for smi in train])
        with open(place / "train.csv", "w") as stream:
            stream.write("smiles,y\n" + "\n".join(f"{smi},{value[0]}" for smi, value in zip(train, y, strict=True)) + "\n")
        data = Dataset("size", tuple(train), y, (Task("y", "regression"),))
        config = GNNConfig().replace(**CHEMPROP_NET, epochs=2)
        fit_on(config, data.take(range(150)), data.take(range(150, 200))).save(place / "model")
        children([chemprop, "train", "-i", str(place / "train.csv"), "-s", "smiles", "--target-columns", "y", "-t", "regression", "-o", str(place / "chemprop"), "--epochs", "3",
                  "-n", "0", "--accelerator", "cpu", "--devices", "1"], environment)  # fmt: skip
        found = next((place / "chemprop").rglob("best.pt"), None) or next((place / "chemprop").rglob("*.pt"))
        small, large = place / "small.csv", place / "large.csv"
        small.write_text("smiles\n" + "\n".join(canonical[: n // 10]) + "\n")
        large.write_text("smiles\n" + "\n".join(canonical) + "\n")
        runs: dict[str, list[dict[str, float]]] = {"chemprop": [], "drugai": [], "drugai_fp32": []}
        for _ in range(repeats):
            for name in runs:
                for library in (small, large):
                    out = str(place / f"{name}.csv")
                    if name == "chemprop":
                        command = [chemprop, "predict", "-i", str(library), "-s", "smiles", "--model-paths", str(found), "-o", out, "-n", "0", "--accelerator", "cpu", "--devices", "1"]
                    else:
                        command = [drugai, "predict", str(place / "model"), str(library), "--out", out, "--precision", "fp32" if name == "drugai_fp32" else "auto"]
                    seconds, peak, _ = children(command, environment)
                    runs[name].append({"n": n if library == large else n // 10, "cpu_seconds": seconds, "peak_mb": peak})
        results["predict"] = runs
        whole = {name: float(np.median([run["cpu_seconds"] for run in of_name if run["n"] == n])) for name, of_name in runs.items()}
        short = {name: float(np.median([run["cpu_seconds"] for run in of_name if run["n"] != n])) for name, of_name in runs.items()}
        results["predict_median_cpu_seconds"] = whole
        results["predict_marginal_rate"] = {name: (n - n // 10) / (whole[name] - short[name]) for name in runs}
        results["ratios"]["predict"] = whole["chemprop"] / whole["drugai"]
        results["ratios"]["predict_fp32"] = whole["chemprop"] / whole["drugai_fp32"]
        results["peak_mb"] = {name: float(np.median([run["peak_mb"] for run in of_name if run["n"] == n])) for name, of_name in runs.items()}
        results["drugai_memory_growth_mb"] = results["peak_mb"]["drugai_fp32"] - float(np.median([run["peak_mb"] for run in runs["drugai_fp32"] if run["n"] != n]))
    start_up = {"import drugai": [sys.executable, "-c", "import drugai"], "drugai --help": [drugai, "--help"], "chemprop --help": [chemprop, "--help"]}
    results["start_cpu_seconds"] = {name: float(np.median([children(command, environment)[0] for _ in range(repeats)])) for name, command in start_up.items()}
    lines = ["| what | drugai | chemprop 2.3.1 | ratio | bar |", "|---|---|---|---|---|"]
    bars, ratios = protocol["bars"], results["ratios"]
    lines.append(f"| featurize, any SMILES [molecules/CPU-s] | {median['any']:,.0f} | {median['chemprop']:,.0f} | {ratios['featurize_any']:.1f} | {bars['featurize_any']} |")
    lines.append(f"| featurize, trusted canonical SMILES | {median['trusted']:,.0f} | {median['chemprop']:,.0f} | {ratios['featurize_trusted']:.1f} | {bars['featurize_trusted']} |")
    lines.append(f"| predict {n:,} molecules, whole process [CPU-s] | {whole['drugai']:.1f} | {whole['chemprop']:.1f} | {ratios['predict']:.1f} | {bars['predict']} |")
    lines.append(f"| the same in float32 [CPU-s] | {whole['drugai_fp32']:.1f} | {whole['chemprop']:.1f} | {ratios['predict_fp32']:.1f} | |")
    lines.append(f"| peak memory of that run [MB] | {results['peak_mb']['drugai']:.0f} | {results['peak_mb']['chemprop']:.0f} | | |")
    started = results["start_cpu_seconds"]
    lines.append(f"| `--help` [CPU-s] | {started['drugai --help']:.2f} | {started['chemprop --help']:.2f} | {started['chemprop --help'] / started['drugai --help']:.0f} | 0.5 s |")
    lines.append(f"| `import drugai` [CPU-s] | {started['import drugai']:.2f} | | | 0.3 s |")
    text = "\n".join(lines) + f"\n\nRDKit's bare parse of the same molecules in the same run: {median['parse']:,.0f} molecules per CPU-second.\n"
    print(text)
    write_text_atomically(HERE / "results" / "throughput.json", json.dumps(results, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "table.md", text)


if __name__ == "__main__":
    main()
