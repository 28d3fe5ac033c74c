"""One chemprop run with its defaults, in its own virtual environment, on rows and parts that we give it."""

from __future__ import annotations

import csv
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from drugai.contracts import Dataset, Split


def chemprop_predictions(executable: str, data: Dataset, split: Split, seed: int) -> tuple[np.ndarray, list[str]]:
    """Train on train, stop on valid, predict test: ``[n_test, t]`` in the order of ``split.test``, and the command."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "data.csv"
        parts = {int(row): part for part in ("train", "valid", "test") for row in split.part(part)}
        names = {"train": "train", "valid": "val", "test": "test"}
        order = [*split.train, *split.valid, *split.test]
        with open(table, "w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["smiles", *(task.name for task in data.tasks), "split"])
            for row in order:
                values = ["" if np.isnan(value) else repr(float(value)) for value in data.y[row]]
                writer.writerow([data.smiles[row], *values, names[parts[int(row)]]])
        kind = "regression" if data.tasks[0].kind == "regression" else "classification"
        command = [executable, "train", "-i", str(table), "-s", "smiles", "--target-columns", *(task.name for task in data.tasks)]
        command += ["-t", kind, "--splits-column", "split", "--pytorch-seed", str(seed), "-n", "0", "--accelerator", "cpu", "--devices", "1"]
        command += ["-o", str(Path(folder) / "out"), "--remove-checkpoints"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = sorted((Path(folder) / "out").rglob("test_predictions.csv"))
        if done.returncode != 0 or not found:
            raise RuntimeError(f"chemprop ended with {done.returncode}: {done.stderr[-2000:]}")
        with open(found[0], newline="") as stream:
            rows = list(csv.DictReader(stream))
        predictions = np.array([[float(row[task.name]) for task in data.tasks] for row in rows])
        if len(predictions) != len(split.test):
            raise RuntimeError(f"chemprop predicted {len(predictions)} of {len(split.test)} test molecules")
        shown = [part.replace(folder, "FOLDER") for part in command[1:]]
        return predictions, ["chemprop", *shown]
