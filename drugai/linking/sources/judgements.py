"""Readers of judged pairs, one a source: rows of the upstream file → claims in the ids of the tables, and a count of what could not be mapped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from drugai.linking.sources.claims import Claim, SourceReport, read_rows
from drugai.linking.sources.drugs import DrugIndex
from drugai.linking.sources.ontology import DiseaseIndex

_CATEGORIES = {"DM": "treats", "SYM": "palliates", "NOT": "non_indication"}
Raw = tuple[str | None, str | None, str, str, str]
"""Drug id or None, disease id or None, kind, and what the source called the two."""


def collect(source: str, rows: Iterable[Raw]) -> tuple[list[Claim], SourceReport]:
    """Claims of the rows whose drug and disease are known; the rest is counted by name."""
    report = SourceReport(source)
    claims: dict[Claim, None] = {}
    for drug, disease, kind, drug_name, disease_name in rows:
        report.rows += 1
        if drug is None:
            report.lost_drugs[drug_name] += 1
        elif disease is None:
            report.lost_diseases[disease_name] += 1
        else:
            report.used += 1
            claims[Claim(drug, disease, kind, source)] = None
    return list(claims), report


def pharmacotherapydb(path: Path, drugs: DrugIndex, diseases: DiseaseIndex) -> Iterator[Raw]:
    """PharmacotherapyDB 1.0 (CC0): disease-modifying, symptomatic, and physicians' NOT."""
    for row in read_rows(path, ("doid_id", "drugbank_id", "category")):
        yield (
            drugs.by_id(row["drugbank_id"]),
            diseases.by_id(row["doid_id"]),
            _CATEGORIES[row["category"]],
            row["drugbank_id"],
            row["doid_id"],
        )


def labeledin(path: Path, drugs: DrugIndex, diseases: DiseaseIndex) -> Iterator[Raw]:
    """LabeledIn (NLM, public domain): indications that experts or the crowd read off drug labels."""
    for row in read_rows(path, ("rxnorm_id", "disease_cui", "disease_mesh_name", "rxnorm_name")):
        drug = drugs.by_name(row["rxnorm_name"]) or drugs.by_id(f"RXCUI:{row['rxnorm_id']}")
        disease = diseases.by_id(row["disease_cui"]) or diseases.by_name(row["disease_mesh_name"])
        yield drug, disease, "treats", row["rxnorm_name"], row["disease_mesh_name"]


def ndfrt(path: Path, drugs: DrugIndex, diseases: DiseaseIndex) -> Iterator[Raw]:
    """NDF-RT (VA and NLM, public domain): drug name and UMLS concept that it may treat."""
    for row in read_rows(path, ("Drug", "Disease")):
        yield drugs.by_name(row["Drug"]), diseases.by_id(row["Disease"]), "treats", row["Drug"], row["Disease"]


def drugcentral_2016(path: Path, drugs: DrugIndex, diseases: DiseaseIndex) -> Iterator[Raw]:
    """DrugCentral 2016 as mapped for Rephetio: DrugBank and Disease Ontology ids; a row that no physician has put into a category is an indication."""
    for row in read_rows(path, ("doid_id", "drugbank_id", "category")):
        kind = _CATEGORIES.get(row["category"], "treats")
        yield drugs.by_id(row["drugbank_id"]), diseases.by_id(row["doid_id"]), kind, row["drugbank_id"], row["doid_id"]


def drugcentral_gold(path: Path, drugs: DrugIndex, diseases: DiseaseIndex) -> Iterator[Raw]:
    """DrugCentral's indications by DrugBank accession and UMLS concept; class 1 is indicated."""
    for row in read_rows(path, ("Drug", "Disease", "Class")):
        if row["Class"] == "1":
            yield drugs.by_id(row["Drug"]), diseases.by_id(row["Disease"]), "treats", row["Drug"], row["Disease"]


def chembl_clinical(path: Path, drugs: DrugIndex, diseases: DiseaseIndex) -> Iterator[Raw]:
    """ChEMBL's drug indications without a phase: something was tried in people, nothing more is said, so the kind is ``clinical``."""
    prefix = "A list of medical conditions:"
    for row in read_rows(path, ("chembl_id", "pref_name", "indication_name"), ","):
        drug = drugs.by_id(row["chembl_id"]) or drugs.by_name(row["pref_name"])
        for name in row["indication_name"].removeprefix(prefix).split(", "):
            yield drug, diseases.by_name(name), "clinical", row["pref_name"], name.strip()


READERS: dict[str, tuple[str, Callable[[Path, DrugIndex, DiseaseIndex], Iterator[Raw]]]] = {
    "PharmacotherapyDB": ("pharmacotherapydb_indications.tsv", pharmacotherapydb),
    "LabeledIn": ("labeledin_indications.tsv", labeledin),
    "NDF-RT": ("ndfrt_gold_standard_umls.tsv", ndfrt),
    "DrugCentral2016": ("drugcentral2016_indications.tsv", drugcentral_2016),
    "DrugCentral-gold": ("drugcentral_gold_standard_umls.tsv", drugcentral_gold),
    "ChEMBL": ("chembl_indications_pittnail.csv", chembl_clinical),
}
"""Source → its file and reader."""
