"""`drugai admet` and `drugai embed` from the shell's side."""

import csv
import json

import pytest
from typer.testing import CliRunner

from drugai.cli.app import app
from drugai.predictors.loading import SHIPPED

run = CliRunner().invoke
shipped = pytest.mark.skipif(not (SHIPPED / "admet").is_dir(), reason="no panel ships in this build")


@pytest.fixture
def library(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("name,SMILES\naspirin,CC(=O)Oc1ccccc1C(=O)O\nan unclosed ring,c1ccccc\ncaffeine,CN1C=NC2=C1C(=O)N(C)C(=O)N2C\n")
    return path


@shipped
def test_three_rows_in_are_three_rows_out_and_one_has_a_reason(library, tmp_path):
    done = run(app, ["admet", str(library), "--out", str(tmp_path / "o.csv"), "--report", str(tmp_path / "p.html")])
    assert done.exit_code == 0, done.output
    assert "1 could not be used: 1 E_PARSE" in done.output
    with open(tmp_path / "o.csv") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == ["aspirin", "an unclosed ring", "caffeine"]
    assert rows[1]["reason"].startswith("E_PARSE")
    assert rows[1]["herg"] == ""
    assert 0 <= float(rows[0]["herg"]) <= 1
    assert float(rows[0]["logd_lower"]) < float(rows[0]["logd"]) < float(rows[0]["logd_upper"])
    page = (tmp_path / "p.html").read_text()
    start = page.index('id="rows">') + len('id="rows">')
    columns = [one["label"] for one in json.loads(page[start : page.index("</script>", start)])["columns"]]
    assert columns[:5] == ["row", "id", "reason", "caco2", "caco2 percentile"]  # why there is no value, before the values
    assert "an unclosed ring" in page


@shipped
def test_endpoints_are_chosen_by_name_and_a_wrong_one_is_an_error(library, tmp_path):
    done = run(app, ["admet", str(library), "--out", str(tmp_path / "o.csv"), "--endpoint", "herg", "--level", "0.8"])
    assert done.exit_code == 0, done.output
    header = (tmp_path / "o.csv").read_text().splitlines()[0]
    assert header == "id,smiles,herg,herg_set,herg_similarity,herg_domain,herg_percentile,reason"
    wrong = run(app, ["admet", str(library), "--out", str(tmp_path / "x.csv"), "--endpoint", "hergg"])
    assert "did you mean 'herg'" in str(wrong.exception)


@shipped
def test_too_many_errors_end_with_status_3(library, tmp_path):
    assert run(app, ["admet", str(library), "--out", str(tmp_path / "o.csv"), "--max-errors", "0"]).exit_code == 3


@shipped
def test_cards_say_what_was_measured():
    told = run(app, ["admet", "--cards"]).output
    assert "Ames test" in told
    assert "µL/min/10^6 cells" in told


@shipped
def test_the_panel_is_a_model_by_name(library, tmp_path):
    done = run(app, ["predict", "admet", str(library), "--out", str(tmp_path / "o.csv")])
    assert done.exit_code == 0, done.output
    assert len((tmp_path / "o.csv").read_text().splitlines()) == 4


def test_without_data_it_says_what_to_give():
    assert "--cards" in str(run(app, ["admet"]).exception)
