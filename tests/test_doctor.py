"""The self-check: it names a damaged model, a missing extra and a wrong folder, and says how to mend them."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from drugai import doctor
from drugai.contracts import Task
from drugai.predictors.constant import MeanPredictor


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return MeanPredictor((Task("logS", "regression", "log mol/L"),), np.array([-3.0])).save(tmp_path / "model")


def test_a_sound_model_is_ok_and_says_what_it_predicts(model):
    check = doctor.check_models(model)[-1]
    assert check.status == "ok"
    assert "logS [log mol/L] of aspirin -3" in check.words


def test_a_changed_byte_is_named_with_its_file_and_a_way_to_mend_it(model):
    file = model / "mean.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    check = doctor.check_models(model)[-1]
    assert check.status == "broken"
    assert "mean.safetensors" in check.words
    assert "changed since it was written" in check.words
    assert "restore" in check.mend
    assert doctor.is_broken([check])


def test_a_folder_that_is_no_model_is_broken(tmp_path):
    assert doctor.check_models(tmp_path / "nothing")[-1].status == "broken"


def test_a_missing_extra_is_a_note_with_the_command_that_gets_it(monkeypatch):
    monkeypatch.setattr(metadata, "requires", lambda name: ["torch>=2.6", 'no-such-package>=1 ; extra == "moon"', "pytest>=8; extra == 'dev'"])
    [check] = doctor.check_extras()
    assert (check.name, check.status) == ("extra moon", "note")
    assert 'pip install "drugai[moon]"' in check.mend
    assert not doctor.is_broken([check])


def test_a_missing_package_is_broken(monkeypatch):
    monkeypatch.setattr(doctor, "NEEDED", ("numpy", "no-such-package"))
    found = [check for check in doctor.check_versions() if check.status == "broken"]
    assert found[0].mend == "pip install no-such-package"


def test_a_data_folder_that_is_not_there_is_broken(monkeypatch, tmp_path):
    monkeypatch.setenv("DRUGAI_DATA", str(tmp_path / "none"))
    check = doctor.check_data()
    assert check.status == "broken"
    assert "is no folder" in check.mend


def test_more_threads_than_processors_are_a_note(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4096")
    assert "more than there are processors" in doctor.check_processor().mend


def test_whatever_a_round_trip_raises_is_the_finding(tmp_path):
    def part(folder: Path) -> str:
        raise ZeroDivisionError("by zero")

    check = doctor.attempt("part", part, tmp_path)
    assert check.status == "broken"
    assert "ZeroDivisionError: by zero" in str(check)


def test_the_round_trips_of_molecules_and_trees_work_here(tmp_path):
    for part in (doctor._molecules, doctor._trees, doctor._scorer):
        assert doctor.attempt("part", part, tmp_path).status == "ok"


@pytest.mark.slow
def test_every_check_is_well_here():
    checks = list(doctor.run_doctor())
    assert [str(check) for check in checks if check.status == "broken"] == []
    assert set(doctor.PARTS) <= {check.name for check in checks}


@pytest.mark.slow
def test_a_damaged_model_and_a_missing_extra_are_both_said_by_the_command(model, monkeypatch):
    from typer.testing import CliRunner

    from drugai.cli.app import app

    file = model / "mean.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    declared = metadata.requires
    monkeypatch.setattr(metadata, "requires", lambda name: [*(declared(name) or []), 'no-such-package>=1; extra == "moon"'])
    found = CliRunner().invoke(app, ["doctor", "--model", str(model)])
    assert found.exit_code == 1
    assert "BROKEN model model" in found.output
    assert "changed since it was written" in found.output
    assert "missing: no-such-package" in found.output
    assert 'pip install "drugai[moon]"' in found.output
    assert "1 broken; the arrows say how to mend it" in found.output


def test_a_round_trip_of_study_and_generator_works_here(tmp_path):
    for part in (doctor._study, doctor._generator):
        check = doctor.attempt("part", part, tmp_path)
        assert check.status == "ok", check.words
