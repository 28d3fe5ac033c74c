"""``drugai report`` and the exit status of ``drugai doctor``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from drugai.cli.app import app
from drugai.contracts import Task
from drugai.predictors.constant import MeanPredictor
from drugai.screening import screen


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    (folder / "library.smi").write_text("CCO ethanol\nc1ccccc1 benzene\nc1ccccc broken\n")
    (folder / "scorer.toml").write_text('[[term]]\nkind = "qed"\n')
    screen(folder / "library.smi", folder / "scorer.toml", out=folder / "run", top=2)
    return folder / "run"


def test_report_writes_the_page_where_it_is_told_and_prints_the_place(run, tmp_path):
    found = CliRunner().invoke(app, ["report", str(run), "--out", str(tmp_path / "page.html"), "--title", "Two <b>hits</b>"])
    assert found.exit_code == 0, found.output
    assert found.output.strip() == str(tmp_path / "page.html")
    assert "Two &lt;b&gt;hits&lt;/b&gt;" in (tmp_path / "page.html").read_text()


def test_report_of_a_part_without_a_model_says_what_is_missing(run):
    found = CliRunner().invoke(app, ["report", str(run), "--part", "test"])
    assert found.exit_code != 0
    assert "used no model" in str(found.exception)


@pytest.mark.slow
def test_doctor_names_a_damaged_model_and_ends_with_status_1(tmp_path):
    model = MeanPredictor((Task("logS", "regression"),), np.array([-3.0])).save(tmp_path / "model")
    (model / "mean.safetensors").write_bytes(b"damaged")
    found = CliRunner().invoke(app, ["doctor", "--model", str(model)])
    assert found.exit_code == 1
    assert "mean.safetensors" in found.output
    assert "1 broken" in found.output
