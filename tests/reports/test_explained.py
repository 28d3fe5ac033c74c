"""``drugai predict --explain --report``: the atoms' table, the page, and rows that stay in their place."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import drugai
from drugai.cli.app import app
from drugai.errors import ConfigError
from drugai.reports.explained import parse_explain
from drugai.reports.structures import draw_paths
from drugai.training.run import train_predictor


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained")
    data = drugai.read_dataset("chembl2321810")
    rows = range(0, 1017, 5)
    (folder / "mine.csv").write_text("smiles,pActivity\n" + "".join(f"{data.smiles[row]},{data.y[row, 0]}\n" for row in rows))
    settings = {"blocks": ("morgan",), "members": 1, "rounds": 30, "threads": 1}
    train_predictor(folder / "mine.csv", folder / "model", model="trees", method="random", settings=settings)
    (folder / "library.csv").write_text("id,smiles\n" + "".join(f"M{row},{data.smiles[row]}\n" for row in range(1, 40, 2)) + "bad,C1CC\n<b>,CCO\n")
    return folder


def test_the_highest_are_explained_and_the_page_shows_them(model: Path, tmp_path: Path) -> None:
    typed = ["predict", str(model / "model"), str(model / "library.csv"), "--out", str(tmp_path / "p.csv"), "--explain", "top:3", "--interval", "0.8", "--report", str(tmp_path / "p.html")]
    found = CliRunner().invoke(app, typed)
    assert found.exit_code == 0, found.output
    with (tmp_path / "p.csv").open() as stream:
        predicted = list(csv.DictReader(stream))
    assert len(predicted) == 22
    assert predicted[20]["reason"].startswith("E_PARSE")
    with (tmp_path / "p.atoms.csv").open() as stream:
        atoms = list(csv.DictReader(stream))
    best = sorted(range(22), key=lambda row: -float(predicted[row]["pActivity"] or "-inf"))[:3]
    assert {int(each["row"]) - 1 for each in atoms} == set(best)
    one = [each for each in atoms if int(each["row"]) - 1 == best[0]]
    smi = predicted[best[0]]["smiles"]
    whole = drugai.explain(drugai.load_predictor(model / "model"), [smi])[0]
    values = {int(each["atom"]) - 1: float(each["contribution"]) for each in one}
    np.testing.assert_allclose([values[atom] for atom in range(len(whole.atoms))], whole.atoms, atol=1e-5)
    page = (tmp_path / "p.html").read_text()
    assert "x4 v" in page or "y4 v" in page  # halos
    assert "nearest measured" in page
    assert "(similarity 0." in page or "(similarity 1.00)" in page
    assert "<b>" not in page.replace("\\u003cb\\u003e", "")


def test_without_the_training_data_the_rest_still_comes(model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    moved = tmp_path / "model"
    import json
    import shutil

    shutil.copytree(model / "model", moved)
    manifest = json.loads((moved / "manifest.json").read_text())
    assert manifest["source"]["data"]
    from drugai.predictors import load_predictor

    predictor = load_predictor(moved)
    predictor.record["source"] = {**predictor.record["source"], "data": str(tmp_path / "gone.csv")}
    from drugai.reports.explained import nearest_measured

    assert nearest_measured(predictor, moved, ["CCO"]) == [""]
    assert "not named" in caplog.text


def test_a_molecule_over_the_drawing_cap_is_explained_in_the_table_and_one_over_the_explaining_cap_says_why(model: Path, tmp_path: Path) -> None:
    large, huge = "NCC(=O)" * 40 + "O", "C" * 301  # 161 atoms: more than the 150 that are drawn; 301: more than the 300 that are explained
    (tmp_path / "big.csv").write_text(f"id,smiles\nlarge,{large}\nhuge,{huge}\n")
    typed = ["predict", str(model / "model"), str(tmp_path / "big.csv"), "--out", str(tmp_path / "p.csv"), "--explain", "top:2", "--report", str(tmp_path / "p.html")]
    found = CliRunner().invoke(app, typed)
    assert found.exit_code == 0, found.output
    with (tmp_path / "p.atoms.csv").open() as stream:
        atoms = list(csv.DictReader(stream))
    assert len(atoms) == 161
    assert {each["id"] for each in atoms} == {"large"}
    sizes = [abs(float(each["contribution"])) for each in atoms]
    assert sizes == sorted(sizes, reverse=True)
    assert "1 of 2 molecules could not be explained" in found.output
    assert "301 atoms; 1 to 300 can be explained" in (tmp_path / "p.html").read_text()


@pytest.mark.parametrize("text", ["top", "top:0", "20", "top:2000", "best:3"])
def test_what_explain_takes_is_said(text: str) -> None:
    with pytest.raises(ConfigError, match="top:N"):
        parse_explain(text)


def test_halos_are_paths_of_four_steps() -> None:
    paths = draw_paths("CCO", weights=[0.1, -0.5, 1.0])
    kinds = {kind for kind, _ in paths}
    assert {"x1 v", "y2 v", "x4 v"} <= kinds
    assert not any(kind[0] in "xy" for kind, _ in draw_paths("CCO"))
