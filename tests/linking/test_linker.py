"""A linker fitted on the primer answers both ways, says why, and is the same after saving."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from drugai.errors import ConfigError, DatasetError, MoleculeError
from drugai.linking import fit_linker, load_linker, save_linker
from drugai.linking import loading as loading_module
from drugai.linking.filters import Filters
from drugai.linking.linker import Linker

SGLT2 = "Blocks the renal sodium-glucose cotransporter 2, so glucose leaves with the urine."


@pytest.fixture(scope="module")
def linker(primer, quick, encoder) -> Linker:
    return fit_linker(primer, quick, encoder=encoder)


def test_a_mechanism_is_linked_to_its_disease_with_known_drugs_as_evidence(linker: Linker):
    found = linker.rank(SGLT2, top=5)
    hit = next(hit for hit in found.hits[:3] if "diabetes" in hit.name)
    assert {"Dapagliflozin", "Empagliflozin", "Canagliflozin"} & {one.name for one in hit.neighbours}
    assert "research only" in str(found)


def test_a_known_drug_has_its_known_pairs_marked_with_their_sources(linker: Linker):
    found = linker.rank(drug="metformin", top=3)
    known = [hit for hit in found.hits if hit.status == "treats"]
    assert known
    assert known[0].sources == ("primer",)
    assert all(hit.status == "novel" for hit in linker.rank(drug="Metformin", filters=Filters(novel=True), top=20).hits)


def test_a_structure_alone_finds_the_diseases_of_drugs_like_it(linker: Linker):
    # simvastatin's close relative lovastatin
    lovastatin = "CC[C@H](C)C(=O)O[C@H]1C[C@@H](C)C=C2C=C[C@H](C)[C@H](CC[C@@H]3C[C@@H](O)CC(=O)O3)[C@H]12"
    found = linker.rank(smiles=lovastatin, top=3)
    assert "familial hypercholesterolemia" in [hit.name for hit in found.hits]
    assert linker.similar(smiles=lovastatin, top=1)[0].name == "Simvastatin"


def test_the_structure_of_a_known_drug_is_recognised_however_it_is_written(linker: Linker):
    # aspirin, atoms in another order
    assert any("that of Acetylsalicylic acid" in one for one in linker.rank(smiles="OC(=O)c1ccccc1OC(C)=O").warnings)
    assert not any("the structure is that of" in one for one in linker.rank(smiles="OC(=O)c1ccccc1OC(=O)CC").warnings)


def test_a_disease_text_ranks_drugs(linker: Linker):
    found = linker.rank_drugs("Uric acid crystals settle in joints, which swell and hurt", top=5)
    assert {"Allopurinol", "Febuxostat", "Colchicine", "Probenecid"} & {hit.name for hit in found.hits}
    assert linker.rank_drugs("bilharzia", top=1).hits[0].name == "Praziquantel"


def test_every_row_of_the_ranking_is_a_disease_once(linker: Linker):
    hits = linker.rank(SGLT2, top=1000).hits
    assert sorted(hit.id for hit in hits) == sorted(disease.id for disease in linker.tables.diseases)
    assert all(first.score >= second.score for first, second in itertools.pairwise(hits))


def test_words_and_shares_say_why(linker: Linker):
    found = linker.explain("type 2 diabetes mellitus", SGLT2)
    assert found.hit.rank <= 3
    assert found.contributions
    assert found.hit.other_words
    assert {word for word, _ in found.hit.words} & {"sodium-glucose", "glucose", "urine", "renal", "cotransporter"}


def test_normalize_finds_a_synonym_and_a_misspelling(linker: Linker):
    assert linker.normalize("sugar disease")[0].name == "diabetes mellitus"
    assert linker.normalize("rhuematoid artritis")[0].name == "rheumatoid arthritis"
    with pytest.raises(ConfigError, match="empty"):
        linker.normalize("  ")


def test_an_unknown_drug_suggests_near_ones_and_a_bad_smiles_says_why(linker: Linker):
    with pytest.raises(DatasetError, match="did you mean Metformin"):
        linker.rank(drug="metfornin")
    with pytest.raises(MoleculeError, match="E_PARSE"):
        linker.rank(smiles="C1CC")


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("", "empty"),
        ("kinase", "one word"),
        ("Blockiert den Angiotensinrezeptor der Gefäße und senkt Blutdruck", "English"),
        ("抑制肾脏钠葡萄糖共转运蛋白", "English"),
    ],
)
def test_texts_that_say_little_are_answered_with_a_warning(linker: Linker, text: str, warning: str):
    found = linker.rank(text, top=3)
    assert len(found.hits) == 3
    assert any(warning in one for one in found.warnings)


def test_a_saved_linker_answers_as_before(linker: Linker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder):
    folder = save_linker(linker, tmp_path / "linker")
    monkeypatch.setattr(loading_module, "TextEncoder", lambda *_, **__: encoder)
    again = load_linker(folder)
    first, second = linker.rank(SGLT2, top=20), again.rank(SGLT2, top=20)
    assert [hit.id for hit in first.hits] == [hit.id for hit in second.hits]
    assert np.allclose([hit.score for hit in first.hits], [hit.score for hit in second.hits], atol=1e-4)


def test_the_popularity_knob_favours_rarely_treated_diseases(linker: Linker):
    counts = dict(zip((disease.id for disease in linker.tables.diseases), linker.knowledge.labels.sum(0), strict=True))
    plain, rare = linker.rank(SGLT2, top=10), linker.rank(SGLT2, top=10, popularity=3.0)
    assert sum(counts[hit.id] for hit in rare.hits) < sum(counts[hit.id] for hit in plain.hits)
