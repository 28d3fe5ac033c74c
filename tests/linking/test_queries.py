"""Filters, tables of queries, mechanisms, examples, abstention: what a user asks beside a plain ranking."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.errors import ConfigError, DatasetError
from drugai.linking import fit_linker
from drugai.linking.batch import check_columns, rank_rows
from drugai.linking.filters import Filters
from drugai.linking.linker import Linker
from drugai.linking.prototypes import with_examples
from drugai.linking.queries import Names
from drugai.linking.tables import Disease, Drug, Indication, LinkTables

SGLT2 = "Blocks the renal sodium-glucose cotransporter 2, so glucose leaves with the urine."


@pytest.fixture(scope="module")
def linker(primer, quick, encoder) -> Linker:
    return fit_linker(primer, quick, encoder=encoder)


def test_filters_keep_what_they_say(linker: Linker):
    drugs = {drug.id: drug for drug in linker.tables.drugs}
    assert all(drugs[hit.id].atc.startswith("C09") for hit in linker.rank_drugs("hypertension", filters=Filters(atc="C09"), top=20).hits)
    assert all("PTGS2" in drugs[hit.id].targets for hit in linker.rank_drugs("hypertension", filters=Filters(target="ptgs2"), top=20).hits)
    areas = {disease.id: disease.area for disease in linker.tables.diseases}
    assert {areas[hit.id] for hit in linker.rank(SGLT2, filters=Filters(area="cancer"), top=20).hits} == {"cancer"}
    subtree = linker.rank(SGLT2, filters=Filters(area="DOID:162"), top=100).hits
    rows = {disease.id: disease for disease in linker.tables.diseases}
    assert subtree
    assert all("DOID:162" in (*rows[hit.id].ancestors, hit.id) for hit in subtree)


def test_a_drug_of_unknown_phase_is_left_out_where_a_phase_is_asked():
    approved, unknown = Drug("a", "Old", phase=4), Drug("b", "New")
    assert Filters(phase=3).keeps_drug(approved)
    assert not Filters(phase=1).keeps_drug(unknown)
    with pytest.raises(ConfigError, match="phase"):
        Filters(phase=5)


def test_safe_leaves_out_contraindicated_pairs_and_contradictory_ones():
    status = {1: ("treats", ("x",)), 2: ("contraindicated", ("x",)), 3: ("treats+non_indication", ("x", "y"))}
    assert [row for row in range(5) if Filters(safe=True).keeps_pair(row, status)] == [0, 1, 4]
    assert [row for row in range(5) if Filters(novel=True).keeps_pair(row, status)] == [0, 4]


def test_a_filter_that_fits_nothing_is_an_error_with_a_near_name(linker: Linker):
    with pytest.raises(ConfigError, match="did you mean 'cancer'"):
        linker.rank(SGLT2, filters=Filters(area="cancr"))
    with pytest.raises(ConfigError, match="ATC"):
        linker.rank_drugs("gout", filters=Filters(atc="Z99"))


def test_a_disease_is_found_by_every_identifier():
    disease = Disease("DOID:9352", "type 2 diabetes mellitus", synonyms=("NIDDM",), xrefs=("mesh:D003924", "umls:C0011860", "mondo:0005148", "orphanet:1"))
    names = Names([], [disease])
    for name in ("DOID:9352", "MESH:D003924", "D003924", "UMLS:C0011860", "c0011860", "MONDO:0005148", "ORDO:1", "niddm", "Type 2 Diabetes Mellitus"):
        assert names.disease(name) == 0, name
    assert names.disease("gout") is None


def test_an_identifier_of_no_known_disease_is_refused_and_a_near_name_is_suggested(linker: Linker):
    with pytest.raises(DatasetError, match="MONDO:9999999"):
        linker.rank_drugs("MONDO:9999999")
    assert any("did you mean rheumatoid arthritis" in one for one in linker.rank_drugs("rhuematoid artritis").warnings)


def test_n_rows_in_are_n_rows_out_each_with_hits_or_a_reason(linker: Linker):
    rows = [{"n": "1", "text": SGLT2}, {"n": "2", "drug": "nosuchdrug"}, {"n": "3", "smiles": "C1CC"}, {"n": "4"}, {"n": "5", "disease": "gout"}, {"n": "6", "drug": "Metformin", "disease": "gout"}]
    found = rank_rows(linker, rows, top=2)
    assert [row["n"] for row in found] == [row["n"] for row in rows]
    assert [bool(row["reason"]) for row in found] == [False, True, True, True, False, True]
    assert found[0]["hit_1"]
    assert found[4]["hit_1"] in {"Allopurinol", "Febuxostat", "Colchicine", "Probenecid"}
    assert all(set(row) >= {"hit_1", "p_2", "status_2", "abstained"} for row in found)
    with pytest.raises(DatasetError, match="'text'"):
        check_columns(["texts", "n"])


def test_the_class_of_a_drug_is_voted_by_its_neighbours_and_not_by_itself(linker: Linker):
    votes = linker.mechanism(drug="Dapagliflozin")
    assert votes[0].term == "sglt2 inhibitor"
    assert "Dapagliflozin" not in votes[0].drugs
    assert votes[0].share <= 1.0


def test_examples_move_their_likes_up_and_are_not_hits_themselves(linker: Linker):
    text = "A disease that no one has described"
    without = [hit.name for hit in linker.rank_drugs(text, top=264).hits]
    found = [hit.name for hit in linker.rank_drugs(text, top=264, examples=["Atorvastatin", "Simvastatin"]).hits]
    assert "Atorvastatin" not in found
    assert found.index("Rosuvastatin") < without.index("Rosuvastatin")
    with pytest.raises(DatasetError, match="did you mean Atorvastatin"):
        linker.rank_drugs(text, examples=["Atorvastatn"])


def test_the_weight_of_examples_grows_with_their_number():
    likeness = np.eye(4) + np.array([[0, 0.9, 0.8, 0.0]] * 4).T * 0
    likeness[1, 0] = likeness[0, 1] = 0.9
    likeness[2, 0] = likeness[0, 2] = 0.8
    scores = np.array([0.0, 0.0, 0.0, 1.0])
    assert with_examples(scores, likeness, []).argmax() == 3
    assert with_examples(scores, likeness, [0])[1] > with_examples(scores, likeness, [])[1]


def test_what_says_nothing_is_abstained_from(linker: Linker):
    assert linker.rank("").abstained
    assert linker.rank_drugs(" ").abstained
    assert not linker.rank(drug="Metformin").abstained


def test_both_directions_have_calibrated_probabilities_and_licences(linker: Linker):
    for ranking in (linker.rank(drug="Metformin", top=90), linker.rank_drugs("gout", top=264)):
        chances = [hit.probability for hit in ranking.hits if hit.status == "novel"]
        assert all(chance is not None and 0 <= chance <= 1 for chance in chances)
        assert chances == sorted(chances, reverse=True)
        assert {hit.probability for hit in ranking.hits if hit.status == "treats"} == {None}  # a fact needs no probability
        known = next(hit for hit in ranking.hits if hit.status == "treats")
        assert known.licences == ("MIT (written for this project)",)


def test_contradictory_pairs_carry_both_kinds_in_their_status(primer, quick, encoder):
    pair = primer.indications[0]
    both = (Indication(pair.drug, pair.disease, "non_indication", ("LabeledIn",)), *primer.indications)
    linker = fit_linker(LinkTables("contradictory", primer.drugs, primer.diseases, both), quick, encoder=encoder)
    hit = next(hit for hit in linker.rank(drug=pair.drug, top=90).hits if hit.id == pair.disease)
    assert hit.status == "treats+non_indication"
    assert set(hit.sources) == {"primer", "LabeledIn"}
