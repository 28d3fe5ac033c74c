"""The commands as a user types them."""

import csv
import json
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from drugai.cli.app import app
from drugai.errors import REASON_CODES, DatasetError

QUICK = ["--model", "trees", "--set", "members=1", "--set", "rounds=30", "--set", 'blocks=["morgan"]', "--set", "threads=1"]


def run(*arguments):
    found = CliRunner().invoke(app, ["--log", "error", *map(str, arguments)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    out = tmp_path_factory.mktemp("cli") / "model"
    found = run("train", "chembl2321810", *QUICK, "--out", out)
    assert found.exit_code == 0
    assert "train 813, valid 102, test 102" in found.output
    return out


def test_evaluate_opens_the_test_part_and_writes_json(model, tmp_path):
    found = run("evaluate", model, "--part", "test", "--json", tmp_path / "e.json")
    assert "pActivity [-log10 M]  (n = 102)" in found.output
    scores = json.loads((tmp_path / "e.json").read_text())["scores"]["pActivity"]
    assert scores["rmse"]["low"] < scores["rmse"]["value"] < scores["rmse"]["high"]


def test_predict_keeps_bad_rows_and_counts_them(model, tmp_path):
    (tmp_path / "mine.csv").write_text("id,SMILES\n007,CCO\nNA,c1ccccc\n1e5,CC(=O)Oc1ccccc1C(=O)O\n")
    found = run("predict", model, tmp_path / "mine.csv", "--smiles", "SMILES", "--out", tmp_path / "out.csv")
    assert found.exit_code == 0
    assert "1 could not be used: 1 E_PARSE" in found.output
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert [row["id"] for row in rows] == ["007", "NA", "1e5"]
    assert run("predict", model, tmp_path / "mine.csv", "--out", tmp_path / "out.csv", "--max-errors", 0).exit_code == 3


def test_a_missing_column_names_the_nearest(model, tmp_path):
    (tmp_path / "mine.csv").write_text("id,SMILES\na,CCO\n")
    with pytest.raises(DatasetError, match="SMILES"):
        run("predict", model, tmp_path / "mine.csv", "--smiles", "SMILE", "--out", tmp_path / "out.csv")


def test_an_error_is_one_line_and_status_2():
    done = subprocess.run([sys.executable, "-c", "from drugai.cli import main; main()", "evaluate", "no/such/model"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("ArtifactError: no/such/model")
    assert "Traceback" not in done.stderr


def test_data_commands_tell_of_at_least_sixty_sets_and_their_licences():
    found = run("data", "list")
    count = int(re.search(r"(\d+) data sets;", found.output).group(1))
    assert count >= 60
    shown = run("data", "show", "esol").output
    assert all(word in shown for word in ("1,128", "logS [log mol/L]", "licence", "sha256"))


def test_split_writes_a_row_for_every_molecule(tmp_path):
    found = run("split", "chembl2321810", "--method", "scaffold", "--out", tmp_path / "parts.csv")
    assert "train 813, valid 102, test 102" in found.output
    rows = list(csv.DictReader((tmp_path / "parts.csv").open()))
    assert len(rows) == 1017
    assert {row["part"] for row in rows} == {"train", "valid", "test"}


def test_featurize_and_standardize_keep_every_row(tmp_path):
    (tmp_path / "mine.smi").write_text("CCO ethanol\nc1ccccc broken\n[Na+].CC(=O)[O-] acetate\n")
    run("featurize", tmp_path / "mine.smi", "--block", "maccs", "--out", tmp_path / "f.csv")
    assert len((tmp_path / "f.csv").read_text().splitlines()) == 4
    run("standardize", tmp_path / "mine.smi", "--out", tmp_path / "s.csv")
    rows = list(csv.DictReader((tmp_path / "s.csv").open()))
    assert [row["smiles"] for row in rows] == ["CCO", "", "CC(=O)O"]
    assert rows[1]["reason"].startswith("E_PARSE")


def test_every_reason_code_stands_in_the_docs():
    from pathlib import Path

    text = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "reason-codes.md").read_text()
    assert all(f"| `{code}` | {meaning} |" in text for code, meaning in REASON_CODES.items())


@pytest.mark.slow
def test_the_log_of_auto_says_what_was_tried_and_not_each_epoch(tmp_path):
    settings = ['candidates=["trees", "gnn"]', "most=2", "folds=2", "trees.rounds=20", "trees.members=1", "gnn.epochs=2", "gnn.net.width=16", "gnn.net.head_width=16"]
    command = ["train", "chembl2321810", "--model", "auto", "--minutes", "1", "--out", str(tmp_path / "m"), *(part for one in settings for part in ("--set", one))]
    done = subprocess.run([sys.executable, "-c", "from drugai.cli import main; main()", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "gnn: held-out" in done.stderr
    assert "epoch 0" not in done.stderr
