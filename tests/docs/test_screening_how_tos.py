"""The how-tos on screening: their commands and scripts are run as they stand, in a folder with a small library and two small models.

A comment ``<!-- test: … -->`` above a block says how it differs: ``slurm`` is run as each task of an array of two, ``store`` with a folder in place of the bucket, ``ray`` and ``cluster`` in the
slow test alone (the cluster being this machine), ``skip`` not at all.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import drugai
from drugai.models.gnn import GNNNetConfig
from drugai.molecules import MoleculeBatch, write_table
from drugai.predictors.gnn import GNNConfig
from drugai.training.run import train_predictor

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(?:<!-- test: (?P<how>\w+)[^\n]*-->\n)?```(?P<language>\w+)\n(?P<code>.*?)```", re.S)


def blocks(name: str) -> list[tuple[str, str, str]]:
    """(how, language, code) of each block."""
    text = (ROOT / "docs" / "how-to" / f"{name}.md").read_text()
    return [(found["how"] or "", found["language"], found["code"]) for found in BLOCK.finditer(text)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of 300, known actives, and models trained as a user would."""
    place = tmp_path_factory.mktemp("docs")
    data = drugai.read_dataset("chembl2321810")
    smiles = list(data.smiles[:300])
    columns = {"id": [f"m{k}" for k in range(300)], "smiles": smiles}
    write_table(place / "library.smi.gz", columns)
    write_table(place / "library.csv", {**columns, "price": [1 + k % 3 for k in range(300)]})
    (place / "actives.smi").write_text("".join(f"{smi} a{k}\n" for k, smi in enumerate(data.smiles[400:405])))
    (place / "first.csv").write_text("smiles,pActivity\n" + "".join(f"{data.smiles[row]},{data.y[row, 0]}\n" for row in range(500, 700)))
    train_predictor(place / "first.csv", place / "runs" / "model", model="trees", method="random", settings={"blocks": ("morgan",), "members": 3, "rounds": 20, "threads": 1})
    small = GNNConfig(GNNNetConfig(encoder="gin", width=64, depth=2, head_width=64), epochs=1)
    train_predictor(place / "first.csv", place / "runs" / "gnn", model="gnn", method="random", config=small)
    commands = place / "bin"
    commands.mkdir()
    (commands / "drugai").write_text(f"#!/bin/bash\nexec {sys.executable} -c 'from drugai.cli import main; main()' --log error \"$@\"\n")
    (commands / "drugai").chmod(0o755)
    return place


def run(folder: Path, code: str, language: str = "bash", **more: str) -> str:
    environment = {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), **more}
    command = ["bash", "-euo", "pipefail", "-c", code] if language == "bash" else [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def measure(folder: Path) -> None:
    """The laboratory's part: the empty column of the first round filled in."""
    data = drugai.read_dataset("chembl2321810")
    truth = dict(zip(MoleculeBatch(data.smiles).canonical, data.y[:, 0], strict=True))
    with (folder / "runs" / "round1" / "proposals.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row["measured_pActivity"] = str(truth[MoleculeBatch([row["smiles"]]).canonical[0]])
    with (folder / "runs" / "round1" / "measured.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.slow
def test_screen_a_large_library(folder: Path) -> None:
    for _, language, code in blocks("screen-a-large-library"):
        if language == "toml":
            (folder / "cascade.toml").write_text(code)
        else:
            run(folder, code, language)
    for name in ("hits", "filtered", "again", "cascade", "python"):
        assert (folder / "runs" / name / "summary.json").is_file()
    assert (folder / "runs" / "filtered" / "index.html").is_file()


@pytest.mark.slow
def test_choose_the_next_batch(folder: Path) -> None:
    (_, _, first), (_, _, second) = blocks("choose-the-next-batch")
    run(folder, first)
    measure(folder)
    assert "12 of 12 asked, 212 measured molecules left out" in run(folder, second)


@pytest.mark.slow
def test_slurm_job_arrays(folder: Path) -> None:
    for how, language, code in blocks("slurm-job-arrays"):
        if how == "slurm":
            for task in ("0", "1"):
                run(folder, code, language, SLURM_ARRAY_TASK_ID=task, SLURM_ARRAY_TASK_COUNT="2")
        else:
            assert "300 molecules" in run(folder, code, language)
    assert len(list((folder / "runs" / "array" / "shards").glob("*.parquet"))) == 3


def test_object_stores(folder: Path) -> None:
    (folder / "bucket").mkdir(exist_ok=True)
    for how, language, code in blocks("object-stores"):
        if how == "store":
            (folder / "bucket" / "library.csv").write_bytes((folder / "library.csv").read_bytes())
            run(folder, code.replace("s3://bucket", f"file://{folder}/bucket"), language, XDG_CACHE_HOME=str(folder / "cache"))
            assert (folder / "bucket" / "runs" / "hits" / "hits.csv").is_file()
        else:
            assert "hits.csv" in run(folder, code, language)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (drugai[ray])")
def test_ray_cluster(folder: Path) -> None:
    for how, language, code in blocks("ray-cluster"):
        if how == "ray":
            run(folder, code, language)
        elif how == "cluster":  # this machine in place of the cluster
            run(folder, code.replace("/shared", str(folder)).replace("--ray-address auto --workers 256", "--workers 2"), language)
    assert (folder / "runs" / "ray" / "hits.csv").is_file()
    assert (folder / "runs" / "hits" / "hits.csv").is_file()
