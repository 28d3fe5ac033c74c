"""A student repeats its teacher, says how well, and is refused what it cannot learn from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import drugai
from drugai.cli.app import app
from drugai.errors import DatasetError
from drugai.predictors.gnn import GNNConfig
from drugai.training.distilling import distill, fidelity
from drugai.training.run import evaluate_saved, train_predictor


def test_fidelity_of_a_copy_of_a_mirror_and_of_noise():
    teacher = np.arange(500, dtype=float)[:, None]
    assert fidelity(teacher, teacher, ["x"])["x"] == {"r2": 1.0, "spearman": 1.0, "top": 1.0, "n": 500}
    mirrored = fidelity(-teacher, teacher, ["x"])["x"]
    assert mirrored["spearman"] == -1.0
    assert mirrored["top"] == 0.0
    assert mirrored["r2"] < 0
    nearly = teacher.copy()
    nearly[[494, 495]] = nearly[[495, 494]]  # the fifth of the top five changes places with the sixth
    assert fidelity(nearly, teacher, ["x"])["x"]["top"] == 0.8


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teacher")
    data = drugai.read_dataset("chembl2321810")
    (folder / "mine.csv").write_text("smiles,pActivity\n" + "".join(f"{smi},{value}\n" for smi, value in zip(data.smiles[::4], data.y[::4, 0], strict=True)))
    train_predictor(folder / "mine.csv", folder / "model", model="trees", method="random", settings={"blocks": ("morgan",), "members": 1, "rounds": 40, "threads": 1})
    (folder / "library.csv").write_text("smiles\nC1CC\n" + "".join(f"{smi}\n" for smi in (*data.smiles, *data.smiles[:50])))
    return folder


def test_the_command_trains_saves_and_says_the_fidelity(teacher: Path, tmp_path: Path) -> None:
    typed = ["distill", str(teacher / "model"), str(teacher / "library.csv"), "--out", str(tmp_path / "student"), "--set", "epochs=4", "--set", "net.width=32", "--set", "net.depth=2"]
    found = CliRunner().invoke(app, typed)
    assert found.exit_code == 0, found.output
    assert "Spearman" in found.output
    manifest = json.loads((tmp_path / "student" / "manifest.json").read_text())
    told = manifest["distilled"]
    assert told["library"] == 1068
    assert told["used"] <= 1017  # copies and the unreadable one left out
    assert told["fidelity"]["pActivity"]["spearman"] > 0.5
    # it stands on the teacher's parts and is calibrated on its validation part
    assert evaluate_saved(tmp_path / "student").to_dict()
    assert drugai.load_predictor(tmp_path / "student").predict(["CCO"], level=0.5).lower is not None


def test_a_small_library_is_refused(teacher: Path) -> None:
    with pytest.raises(DatasetError, match="at least 1000"):
        distill(drugai.load_predictor(teacher / "model"), ["CCO", "CCN"] * 600)


def test_what_the_teacher_said_before_teaches_the_same(teacher: Path) -> None:
    model = drugai.load_predictor(teacher / "model")
    library = list(drugai.read_dataset("chembl2321810").smiles)
    config = GNNConfig().replace(**{"epochs": 1, "net.width": 16, "net.depth": 2})
    students = [distill(model, library, said=said, config=config) for said in (None, model.predict(library).mean)]
    assert np.array_equal(students[0].predict(library[:20]).mean, students[1].predict(library[:20]).mean)
    with pytest.raises(DatasetError, match=r"has shape \(3, 1\)"):
        distill(model, library, said=np.zeros((3, 1)))
