"""Upstream files are mapped to the tables' ids; what cannot be mapped is counted by name, and the licence of every source is known."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from drugai.errors import DatasetError
from drugai.linking.sources.assembling import Upstream, assemble, build_open, licences_of, merge_tables, upstream_files
from drugai.linking.sources.brought import bring
from drugai.linking.sources.claims import LICENCES, Claim
from drugai.linking.sources.drugs import DrugIndex
from drugai.linking.sources.judgements import READERS, collect, labeledin, pharmacotherapydb
from drugai.linking.sources.ontology import DiseaseIndex, ancestors_of, ontology_diseases, read_ontology
from drugai.linking.tables import Drug, read_tables, write_tables

OBO = """format-version: 1.2

[Term]
id: DOID:4
name: disease

[Term]
id: DOID:9351
name: diabetes mellitus
xref: MESH:D003920
is_a: DOID:4 ! disease

[Term]
id: DOID:9352
name: type 2 diabetes mellitus
alt_id: DOID:999
def: "A diabetes \\"of adults\\"." [url:x]
synonym: "NIDDM" EXACT []
synonym: "sugar disease" RELATED []
xref: UMLS_CUI:C0011860
is_a: DOID:9351 ! diabetes mellitus

[Term]
id: DOID:1
name: gone
is_obsolete: true

[Typedef]
id: part_of
name: part of
"""


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    (tmp_path / "do.obo").write_text(OBO)
    terms = read_ontology(tmp_path / "do.obo")
    mondo = {"DOID:9352": ["0005148"]}
    drugs = DrugIndex()
    drugs.record("DB00331", "Metformin")
    drugs.know("DB00331", ["metformin"], ["RXCUI:6809", "CHEMBL1431"])
    return Upstream(drugs, DiseaseIndex(terms, mondo), ontology_diseases(terms, mondo))


def test_the_ontology_is_read_with_quotes_alternatives_and_ancestors_and_without_obsolete_terms(upstream: Upstream, tmp_path: Path):
    terms = read_ontology(tmp_path / "do.obo")
    assert set(terms) == {"DOID:4", "DOID:9351", "DOID:9352"}
    assert terms["DOID:9352"].definition == 'A diabetes "of adults".'
    assert ancestors_of(terms)["DOID:9352"] == ("DOID:4", "DOID:9351")
    found = next(one for one in upstream.terms if one.id == "DOID:9352")
    assert set(found.xrefs) == {"umls:C0011860", "mondo:0005148"}


@pytest.mark.parametrize("identifier", ["DOID:9352", "doid:999", "C0011860", "UMLS:C0011860", "MONDO:0005148"])
def test_a_term_is_found_by_every_identifier(upstream: Upstream, identifier: str):
    assert upstream.diseases.by_id(identifier) == "DOID:9352"


def test_a_term_is_found_by_name_synonym_and_inverted_name(upstream: Upstream):
    for name in ("Type 2 Diabetes Mellitus", "niddm", "Diabetes Mellitus, Type 2"):
        assert upstream.diseases.by_name(name) == "DOID:9352"
    assert upstream.diseases.by_name("gone") is None


def test_a_loop_in_the_ontology_does_not_hang(tmp_path: Path):
    (tmp_path / "loop.obo").write_text("[Term]\nid: A\nname: a\nis_a: B\n\n[Term]\nid: B\nname: b\nis_a: A\n")
    assert ancestors_of(read_ontology(tmp_path / "loop.obo")) == {"A": ("B",), "B": ("A",)}


def test_a_salt_is_its_drug_and_an_unknown_drug_is_counted_by_name(upstream: Upstream, tmp_path: Path):
    assert upstream.drugs.by_name("Metformin hydrochloride") == "DB00331"
    path = tmp_path / "labeledin.tsv"
    path.write_text(
        "rxnorm_id\tdisease_cui\tdisease_mesh_name\trxnorm_name\n6809\tC0011860\tDiabetes\tMetformin\n1\tC0011860\tx\tUnheardol\n6809\tC1\tPain\tMetformin\n"
    )
    claims, report = collect("LabeledIn", labeledin(path, upstream.drugs, upstream.diseases))
    assert claims == [Claim("DB00331", "DOID:9352", "treats", "LabeledIn")]
    assert (report.rows, report.used, report.lost_drugs["Unheardol"], report.lost_diseases["Pain"]) == (3, 1, 1, 1)


def test_physicians_categories_become_kinds(upstream: Upstream, tmp_path: Path):
    path = tmp_path / "ptdb.tsv"
    path.write_text("doid_id\tdrugbank_id\tcategory\n" + "".join(f"DOID:9352\tDB00331\t{kind}\n" for kind in ("DM", "SYM", "NOT")))
    claims, _ = collect("PharmacotherapyDB", pharmacotherapydb(path, upstream.drugs, upstream.diseases))
    assert [claim.kind for claim in claims] == ["treats", "palliates", "non_indication"]


def test_claims_of_one_pair_are_joined_with_all_sources_and_survive_writing(upstream: Upstream, tmp_path: Path):
    claims = [Claim("DB00331", "DOID:9352", "treats", source) for source in ("NDF-RT", "LabeledIn")]
    tables = assemble("mine", {"DB00331": Drug("DB00331", "Metformin", phase=4)}, {one.id: one for one in upstream.terms}, claims)
    assert tables.indications[0].sources == ("LabeledIn", "NDF-RT")
    assert set(licences_of(tables)) == {"LabeledIn", "NDF-RT"}
    again = read_tables(write_tables(tables, tmp_path / "tables"))
    assert again.drugs == tables.drugs
    assert again.diseases == tables.diseases
    assert again.indications == tables.indications


def test_every_reader_has_a_licence():
    assert set(READERS) <= set(LICENCES)


def test_repodb_brings_failed_trials_that_contradict_nothing_silently(upstream: Upstream, tmp_path: Path):
    path = tmp_path / "full.csv"
    path.write_text(
        "drug_name,drugbank_id,ind_name,ind_id,NCT,status,phase,DetailedStatus\n"
        "Metformin,DB00331,Type 2,C0011860,NA,Approved,NA,NA\nMetformin,DB00331,Diabetes Mellitus,C9,NCT1,Terminated,Phase 2,x\n"
    )
    start = assemble("mine", {"DB00331": Drug("DB00331", "Metformin")}, {one.id: one for one in upstream.terms}, [Claim("DB00331", "DOID:9352", "non_indication", "LabeledIn")])
    tables, (report,) = bring(start, upstream, {"repodb": path})
    assert {(pair.disease, pair.kind) for pair in tables.indications} == {
        ("DOID:9352", "non_indication"),
        ("DOID:9352", "treats"),
        ("DOID:9351", "trial_failed"),
    }
    assert report.used == 2
    assert len(tables.contradictions()) == 1


def test_the_repurposing_hub_brings_structures_phases_and_mechanisms(upstream: Upstream, tmp_path: Path):
    (tmp_path / "repurposing_drugs_1.txt").write_text(
        "!a comment\npert_iname\tclinical_phase\tmoa\ttarget\tdisease_area\tindication\n"
        "metformin\tLaunched\tinsulin sensitizer\tACACB|PRKAB1\tendocrinology\tNIDDM\nnewdrug\tPhase 2\tkinase inhibitor\tEGFR\t\tNIDDM\n"
    )
    (tmp_path / "repurposing_samples_1.txt").write_text("!a comment\npert_iname\tsmiles\nmetformin\tCN(C)C(=N)NC(N)=N\n")
    tables, _ = bring(assemble("mine", {}, {}, []), upstream, {"repurposing_hub": tmp_path / "repurposing_drugs_1.txt"})
    found = {drug.id: drug for drug in tables.drugs}
    assert found["DB00331"].smiles == "CN(C)C(=N)NC(N)=N"
    assert found["DB00331"].phase == 4
    assert found["HUB:newdrug"].targets == ("EGFR",)
    assert {(pair.drug, pair.kind) for pair in tables.indications} == {("DB00331", "treats"), ("HUB:newdrug", "clinical")}


def test_drugmechdb_gives_mechanisms_without_the_disease(upstream: Upstream, tmp_path: Path):
    path = tmp_path / "indication_paths.json"
    nodes = [{"id": "a", "name": "metformin"}, {"id": "b", "name": "AMPK"}, {"id": "c", "name": "NIDDM"}]
    links = [{"source": "a", "key": "increases activity of", "target": "b"}, {"source": "b", "key": "negatively correlated with", "target": "c"}]
    graph = {"drug": "metformin", "drugbank": "DB:DB00331", "disease": "NIDDM", "disease_mesh": "MESH:D003920"}
    path.write_text(json.dumps([{"graph": graph, "nodes": nodes, "links": links}]))
    tables, _ = bring(assemble("mine", {}, {}, []), upstream, {"drugmechdb": path})
    assert tables.drugs[0].mechanism == "metformin increases activity of AMPK."
    path.write_text("[{}]")
    with pytest.raises(DatasetError, match="indication_paths"):
        bring(tables, upstream, {"drugmechdb": path})


def test_drugbank_xml_and_table_fill_empty_fields_and_keep_full_ones(upstream: Upstream, tmp_path: Path):
    (tmp_path / "full.xml").write_text(
        '<drugbank xmlns="http://www.drugbank.ca"><drug type="small molecule"><drugbank-id primary="true">DB00331</drugbank-id><name>Metformin</name>'
        "<groups><group>approved</group></groups><mechanism-of-action>Activates AMPK.</mechanism-of-action>"
        '<atc-codes><atc-code code="A10BA02"/></atc-codes></drug></drugbank>'
    )
    start = assemble("mine", {"DB00331": Drug("DB00331", "Metformin", "CN(C)C(=N)NC(N)=N")}, {one.id: one for one in upstream.terms}, [Claim("DB00331", "DOID:9352", "treats", "x")])
    tables, (report,) = bring(start, upstream, {"drugbank": tmp_path / "full.xml"})
    assert str(report) == "DrugBank: 1 drugs and no pairs"  # its indications are prose
    assert tables.drugs[0] == Drug("DB00331", "Metformin", "CN(C)C(=N)NC(N)=N", "Activates AMPK.", "", (), "A10BA02", 4)
    (tmp_path / "bad.xml").write_text("<drugbank")
    with pytest.raises(DatasetError, match="XML"):
        bring(start, upstream, {"drugbank": tmp_path / "bad.xml"})
    (tmp_path / "drugs.tsv").write_text("drugbank_id\tname\tdescriptio\nDB00331\tMetformin\tx\n")
    with pytest.raises(DatasetError, match="'description' is missing"):
        bring(start, upstream, {"drugbank": tmp_path / "drugs.tsv"})


def test_an_unknown_adapter_and_missing_upstream_files_are_named(upstream: Upstream, tmp_path: Path):
    with pytest.raises(DatasetError, match="repodb"):
        bring(assemble("mine", {}, {}, []), upstream, {"repod": tmp_path})
    with pytest.raises(DatasetError, match="hetionet"):
        upstream_files(tmp_path)


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("DRUGAI_DATA"), reason="DRUGAI_DATA names no folder")
def test_the_open_tables_agree_with_the_ones_assembled_before():
    folder = Path(os.environ["DRUGAI_DATA"]) / "linking"
    tables, reports = build_open(upstream_files(folder / "raw"))
    before = read_tables(folder)
    for kind, share in (("treats", 0.9), ("palliates", 1.0), ("non_indication", 1.0), ("clinical", 0.9)):
        mine = {(pair.drug, pair.disease) for pair in tables.indications if pair.kind == kind}
        theirs = {(pair.drug, pair.disease) for pair in before.indications if pair.kind == kind}
        assert len(mine & theirs) >= share * len(theirs), kind
    assert {report.source: report.used for report in reports}["PharmacotherapyDB"] == 1388
    assert merge_tables(tables, [], [], []).indications == tables.indications
