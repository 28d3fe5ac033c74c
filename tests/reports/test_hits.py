"""The hits page: every row, every number, and names that hold HTML; read from the file and by a browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drugai.errors import ArtifactError
from drugai.molecules import write_table
from drugai.reports import hits_page
from drugai.reports.hits_table import hits_table
from drugai.reports.page import write_page
from drugai.reports.structures import draw_many
from drugai.reports.tables import Column, RowTable
from drugai.screening import read_hits, screen
from drugai.screening.folder import RunFolder

SCRIPT = "<script>document.title='owned'</script>"
IMAGE = '"><img src=x onerror="document.title=\'owned\'">'

# ethanol, aspirin, caffeine, paracetamol, ibuprofen, an unclosed ring, nicotine, phenol
MOLECULES = {
    SCRIPT: "CCO",
    IMAGE: "CC(=O)Oc1ccccc1C(=O)O",
    "=HYPERLINK(1)": "CN1C=NC2=C1C(=O)N(C)C(=O)N2C",
    "paracetamol": "CC(=O)Nc1ccc(O)cc1",
    "ibuprofen": "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "broken": "c1ccccc",
    "nicotine": "CN1CCC[C@H]1c1cccnc1",
    "phenol": "Oc1ccccc1",
}
SCORER = """
[[term]]
kind = "qed"
[[term]]
kind = "property"
property = "logp"
transform = "gaussian"
mean = 2.0
sigma = 2.0
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_table(folder / "library.parquet", {"id": list(MOLECULES), "smiles": list(MOLECULES.values()), "note": [SCRIPT] * len(MOLECULES)})
    (folder / "scorer.toml").write_text(SCORER)
    screen(folder / "library.parquet", folder / "scorer.toml", out=folder / "run", top=10, keep=["note"], diverse=3, actives=["CC(=O)Oc1ccccc1C(=O)O"])
    return folder / "run"


@pytest.fixture(scope="module")
def page(run: Path) -> Path:
    return hits_page(run)


def payload(html: str) -> dict:
    start = html.index('id="rows">') + len('id="rows">')
    return json.loads(html[start : html.index("</script>", start)])


def test_every_hit_is_in_the_page_with_its_numbers(run, page):
    hits, data = read_hits(run), payload(page.read_text())
    columns = {column["label"]: column for column in data["columns"]}
    assert data["smiles"] == hits.smiles
    assert len(data["smiles"]) == 7
    assert columns["id"]["values"] == list(hits.table["id"])
    np.testing.assert_allclose(columns["total"]["values"], hits.table["total"], rtol=1e-4)
    np.testing.assert_allclose(columns["QED"]["values"], hits.table["qed"], rtol=1e-4)
    np.testing.assert_allclose(columns["logP"]["score"], hits.table["logp_score"], rtol=1e-4)
    assert columns["similarity"]["values"][data["smiles"].index(MOLECULES[IMAGE])] == 1.0  # aspirin is the known active
    assert columns["diverse pick"]["values"].count(None) == 4  # three of seven were picked
    assert all(data["structures"])


def test_counts_and_reasons_stand_in_the_page(page):
    html = page.read_text()
    assert "7 hits from 8 molecules" in html
    assert "<code>E_PARSE</code>" in html
    assert "unclosed ring" in html
    assert "c1ccccc</code>" in html  # the SMILES as it was written


def test_names_and_notes_with_html_are_escaped(page):
    html = page.read_text()
    assert SCRIPT not in html
    assert IMAGE not in html
    assert html.count("<script") == 2  # the rows as JSON, and our own
    assert not re.search(r"<[^>]*\bonerror=", html)


def test_the_page_asks_for_nothing_from_anywhere(page):
    html = page.read_text()
    assert not re.search(r"<[a-z][^<>]*\s(?:src|href)\s*=", html)
    assert "@import" not in html
    addresses = set(re.findall(r"https?://[^\"'\s<]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # the namespace of SVG
    assert "default-src 'none'" in html


def test_without_scripts_the_first_rows_are_a_plain_table(page):
    plain = page.read_text().split("<noscript>")[1].split("</noscript>")[0]
    assert plain.count("<tr>") == 8  # a head and seven hits
    assert "paracetamol" in plain


def test_the_page_is_the_same_twice(run, tmp_path):
    assert hits_page(run, out=tmp_path / "a.html").read_bytes() == hits_page(run, out=tmp_path / "b.html").read_bytes()


def test_molecules_beyond_the_drawn_ones_are_shown_as_smiles(run):
    table = hits_table(read_hits(run), RunFolder(run).read_plan(), drawn=2)
    assert len(table.structures) == 2
    assert len(table.payload()["smiles"]) == 7


def test_far_hits_are_called_extrapolation(page):
    assert "What the model says of the others is extrapolation" in page.read_text()


def test_a_folder_without_a_finished_run_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match=r"run\.json"):
        hits_page(tmp_path)


def test_a_damaged_card_in_the_run_folder_is_named(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "model_card.json").write_text("{")
    with pytest.raises(ArtifactError, match=r"model_card\.json: damaged"):
        hits_page(tmp_path / "run")


def browse(page: Path, tmp_path: Path, view: str = "") -> str:
    """The document after the page's script ran."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("no Chromium here")
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu", "--no-sandbox"]
    command = [binary, "--headless", *quiet, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,1800", "--virtual-time-budget=5000", "--dump-dom"]
    found = subprocess.run([*command, f"{page.resolve().as_uri()}{view}"], capture_output=True, text=True, timeout=120, check=False, env=os.environ | {"TZ": "UTC"})
    assert found.returncode == 0, found.stderr[-500:]
    return found.stdout


def shown(document: str) -> list[str]:
    """Ids of the rows in the table, from the top."""
    body = document.split('<tbody id="body">')[1].split("</tbody>")[0]
    return [re.search(r'<td class="text"><div class="clip">(.*?)</div>', row).group(1) for row in body.split('<tr class="row')[1:]]


@pytest.mark.slow
def test_in_a_browser_a_script_in_a_name_is_text(page, tmp_path):
    document = browse(page, tmp_path)
    assert "<title>7 hits from 8 molecules</title>" in document
    assert "owned</title>" not in document
    assert "&lt;script&gt;document.title='owned'&lt;/script&gt;" in shown(document)
    assert "data-ready=" in document


@pytest.mark.slow
def test_in_a_browser_the_table_sorts_both_ways(run, page, tmp_path):
    hits = read_hits(run)
    names = {"&lt;script&gt;document.title='owned'&lt;/script&gt;": SCRIPT, "\"&gt;&lt;img src=x onerror=\"document.title='owned'\"&gt;": IMAGE}
    order = [hits.table["id"][row] for row in np.argsort(-np.asarray(hits.table["logp"]), kind="stable")]
    assert [names.get(text, text) for text in shown(browse(page, tmp_path, "#sort=logP:desc"))] == order
    assert [names.get(text, text) for text in shown(browse(page, tmp_path, "#sort=logP:asc"))] == order[::-1]


@pytest.mark.slow
def test_in_a_browser_filters_keep_what_passes_and_count_it(run, page, tmp_path):
    hits = read_hits(run)
    document = browse(page, tmp_path, "#where=QED:%3E0.6&where=logP:1..3")
    passed = [name for name, a, b in zip(hits.table["id"], hits.table["qed"], hits.table["logp"], strict=True) if a > 0.6 and 1 <= b <= 3]
    assert shown(document) == passed
    assert f"{len(passed)} of 7 hits" in document
    assert shown(browse(page, tmp_path, "#find=nicot")) == ["nicotine"]


@pytest.mark.slow
def test_in_a_browser_one_row_a_scaffold_is_left(run, page, tmp_path):
    hits = read_hits(run)
    rings = [text for text in hits.table["scaffold"] if text]
    alone = sum(not text for text in hits.table["scaffold"])  # ethanol has no ring: a group of its own
    assert len(shown(browse(page, tmp_path, "#first=scaffold"))) == len(set(rings)) + alone


@pytest.mark.slow
def test_ten_thousand_rows_open_in_two_seconds(run, page, tmp_path):
    random, n = np.random.default_rng(0), 10_000
    smiles = [list(MOLECULES.values())[k % 5] for k in range(n)]
    values = random.random(n)
    columns = [Column("rank", np.arange(1, n + 1), ascending=True), Column("id", [f"M-{k:05d}" for k in range(n)])]
    columns += [Column(f"term {k}", random.random(n), score=random.random(n)) for k in range(6)]
    table = RowTable("hits", smiles, [*columns, Column("total", values, score=values)], draw_many(smiles, 1000), {"scaffold": smiles})
    file = write_page(tmp_path / "big.html", "table_page.html", title="ten thousand", table=table)
    document = browse(file, tmp_path, "#sort=total:desc")
    assert shown(document)[0] == f"M-{int(np.argmax(values)):05d}"
    assert len(shown(document)) < 60  # only what is in view is in the document
    assert int(re.search(r'data-ready="(\d+)"', document).group(1)) < 2000


def test_terms_stand_in_the_order_in_which_molecules_reach_them(run, tmp_path):
    hits = read_hits(run)
    terms = [{"name": "dear", "reached": 3, "passed": 2, "mean_score": 0.5}, {"name": "cheap", "reached": 7, "passed": 3, "mean_score": 0.4}]
    html = hits_page(replace(hits, summary={**hits.summary, "terms": terms}), out=tmp_path / "page.html").read_text()
    assert 0 < html.index('<th scope="row">cheap') < html.index('<th scope="row">dear')
