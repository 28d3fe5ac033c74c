"""The candidates page: every candidate with its parts, the nearest active, the filters, the charts; a run that was stopped; a lead's matched pairs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from drugai.cli.app import app
from drugai.errors import ArtifactError
from drugai.generation import GeneticConfig, optimize
from drugai.generation.lead import optimize_lead
from drugai.generation.reading import read_run
from drugai.molecules import fingerprint, tanimoto
from drugai.reports import candidates_page
from drugai.scoring import no_alerts, product_of, qed, synthesizable, within

ASPIRIN, IBUPROFEN, CELECOXIB = "CC(=O)Oc1ccccc1C(=O)O", "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1"
SMALL = GeneticConfig(population=20, offspring=20)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("candidates") / "run"
    scorer = product_of(qed(), synthesizable(), no_alerts("PAINS"), within("weight", 0, 400))
    optimize(None, scorer, budget=120, start=[ASPIRIN, IBUPROFEN], out=folder, config=SMALL)
    return folder


def rows(page: Path) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="rows">(.*?)</script>', page.read_text(), re.S).group(1))


def test_a_folder_says_what_was_run(run: Path) -> None:
    stored = read_run(run)
    assert len(stored.scored) == 120
    assert stored.objectives == ("qed", "synthetic_accessibility")
    assert [term["name"] for term in stored.terms if term["filter"]] == ["alerts", "weight"]
    assert stored.steps[-1].used == 120
    assert stored.front
    assert stored.front[0].total > 0


def test_every_candidate_stands_there_with_its_parts_its_nearest_active_and_why_it_passed(run: Path, tmp_path: Path) -> None:
    (tmp_path / "actives.smi").write_text(f"{CELECOXIB} celecoxib\n{IBUPROFEN} ibuprofen\n")
    said = CliRunner().invoke(app, ["report", str(run), "--actives", str(tmp_path / "actives.smi")], catch_exceptions=False)
    page = run / "index.html"
    assert said.stdout.strip() == str(page)
    found = rows(page)
    best = read_run(run).top(100)
    columns = {column["label"]: column["values"] for column in found["columns"]}
    assert found["smiles"] == [one.smiles for one in best]
    assert columns["total"] == pytest.approx([one.total for one in best], rel=1e-4)
    assert columns["QED"] == pytest.approx([one.raw["qed"] for one in best], rel=1e-4)
    near = tanimoto(fingerprint(found["smiles"]), fingerprint([CELECOXIB, IBUPROFEN]))
    assert columns["similarity"] == pytest.approx(near.max(1), abs=1e-4)
    assert columns["nearest active"][0] == [CELECOXIB, IBUPROFEN][int(np.argmax(near[0]))]
    assert re.fullmatch(r"alerts 0 \(at most 0\); weight \d+ \(0 to 400\)", columns["passed"][0])
    text = page.read_text()
    for head in ("How the search went", "Filters that every candidate passed", "Pareto front", "Properties beside the start of the run", "Where they lie in chemical space"):
        assert head in text


def test_other_molecules_may_be_the_reference(run: Path, tmp_path: Path) -> None:
    page = candidates_page(run, reference=[CELECOXIB, ASPIRIN, "c1ccccc"], out=tmp_path / "page.html", top=5)
    assert "Properties beside the reference" in page.read_text()
    assert len(rows(page)["smiles"]) == 5


def test_a_stopped_run_has_a_page_that_says_so_and_a_wrong_folder_is_refused(run: Path, tmp_path: Path) -> None:
    for name in ("scored.jsonl", "run.json"):
        (tmp_path / name).write_bytes((run / name).read_bytes()[: -40 if name == "scored.jsonl" else None])
    text = candidates_page(tmp_path).read_text()
    assert "was stopped: it can be continued with the same command" in text
    assert "How the search went" not in text
    with pytest.raises(ArtifactError, match="no run of optimisation is there"):
        candidates_page(tmp_path / "nothing")


def test_a_leads_matched_pairs_are_shown(tmp_path: Path) -> None:
    found = optimize_lead(CELECOXIB, product_of(qed()), budget=60, out=tmp_path, config=SMALL)
    text = candidates_page(tmp_path).read_text()
    assert "Matched pairs with the molecule to start from" in text
    assert f"{len(found.pairs)} scored molecules differ from it at one place" in text
    assert str(found.pairs[0][1]).replace(">", "&gt;") in text
