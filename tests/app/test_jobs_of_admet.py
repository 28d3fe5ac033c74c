"""An ADMET job as the app's worker runs it: every row in its place, a table and a page."""

from __future__ import annotations

import csv

import pytest

from drugai.app.asking import check_request
from drugai.app.inputs import input_file
from drugai.app.jobs import JobStore
from drugai.app.limits import ROWS
from drugai.app.pages import job_page
from drugai.app.worker import run_job
from drugai.errors import ConfigError
from drugai.predictors.loading import SHIPPED

MOLECULES = "CC(=O)Oc1ccccc1C(=O)O aspirin\nc1ccccc broken\n[Na+].[Cl-] salt\n"


@pytest.mark.skipif(not (SHIPPED / "admet").is_dir(), reason="no panel ships in this build")
def test_three_rows_in_are_three_rows_out_without_a_model(tmp_path):
    store = JobStore(tmp_path)
    name = store.create("admet", check_request("admet", {"text": MOLECULES, "level": 0.8}, {})).id
    job = run_job(store, name)
    assert (job.state, job.result["n"], job.result["reasons"]) == ("done", 3, {"E_PARSE": 1})
    assert (job.done, job.total) == (3, 3)
    with open(tmp_path / name / "admet.csv") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == ["aspirin", "broken", "salt"]
    assert rows[1]["reason"].startswith("E_PARSE")
    assert "ADMET of 3 molecules" in (tmp_path / name / "page.html").read_text()
    assert "all endpoints, 80 % intervals" in job_page(job)


def test_a_level_and_molecules_are_needed():
    with pytest.raises(ConfigError, match="level"):
        check_request("admet", {"text": "CCO"}, {})
    with pytest.raises(ConfigError, match="give molecules"):
        check_request("admet", {"level": 0.9}, {})


def test_too_many_molecules_are_refused_and_the_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(ROWS, "admet", 1)
    with pytest.raises(ConfigError, match="drugai admet FILE --out"):
        input_file({"text": "C\nCC", "file": ""}, tmp_path, "admet")
