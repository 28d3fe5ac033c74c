"""Drugs from open upstream files: names and identifiers (Every Cure, Hetionet), classes, targets and structures (DrugCentral), put together by DrugBank accession.

Texts are composed of fields that may be shared: mechanism, physiologic effect and targets on one side, classes and roles on the other, because class words
name indications (``Antihypertensive Agents``) and mechanisms seldom do.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drugai.errors import DatasetError
from drugai.linking.sources.claims import read_rows
from drugai.linking.tables import Drug

_KINDS = {
    ("FDA", "Mechanism of Action"): "mechanism",
    ("FDA", "Physiologic Effect"): "effect",
    ("FDA", "Chemical/Ingredient"): "chemical",
    ("FDA", "FDA Established Pharmacologic Class"): "epc",
    ("MeSH", "Pharmacological Action"): "action",
    ("CHEBI", "Application"): "role",
}
MOST_TARGETS = 12


@dataclass
class DrugRecord:
    """What the sources say of one drug, before it is a row."""

    id: str
    name: str = ""
    smiles: str = ""
    atc: str = ""
    phase: int = 0
    facts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def to_drug(self) -> Drug:
        """The row: mechanism and class as sentences."""
        facts = {kind: list(dict.fromkeys(values)) for kind, values in self.facts.items()}
        mechanism = _sentences(
            ("Mechanism of action: ", facts.get("mechanism")), ("Physiologic effect: ", facts.get("effect")), ("Acts on ", facts.get("target", [])[:MOST_TARGETS]),
            ("Target actions: ", sorted(facts.get("act", []))), ("Target genes: ", sorted(facts.get("gene", []))[:MOST_TARGETS]), ("Chemical class: ", facts.get("chemical")),
        )  # fmt: skip
        kind = _sentences(("Pharmacologic class: ", facts.get("epc")), ("Pharmacological action: ", facts.get("action")), ("Role: ", facts.get("role")))
        return Drug(self.id, self.name, self.smiles, mechanism, kind, tuple(sorted(facts.get("gene", []))), self.atc, self.phase)


class DrugIndex:
    """Records by DrugBank accession, found by name, RxNorm, ChEMBL or DrugCentral identifier."""

    def __init__(self) -> None:
        self.records: dict[str, DrugRecord] = {}
        self._names: dict[str, str] = {}
        self._ids: dict[str, str] = {}

    def record(self, id: str, name: str = "") -> DrugRecord:
        """The record of an accession, made if it is not there; the first name given stays."""
        found = self.records.setdefault(id, DrugRecord(id))
        found.name = found.name or name
        if name:
            self._names.setdefault(plain_drug(name), id)
        return found

    def know(self, id: str, names: Iterable[str] = (), identifiers: Iterable[str] = ()) -> None:
        """Further names and identifiers of a drug; what is known already is not moved to another drug."""
        for name in names:
            if plain_drug(name):
                self._names.setdefault(plain_drug(name), id)
        for identifier in identifiers:
            self._ids.setdefault(identifier.upper(), id)

    def by_name(self, name: str) -> str | None:
        """Accession of a name, salts and the like taken off (``metformin hydrochloride`` → metformin), or None."""
        wanted = plain_drug(name)
        return self._names.get(wanted) or self._names.get(_without_salt(wanted))

    def by_id(self, identifier: str) -> str | None:
        """Accession of ``RXCUI:…``, ``CHEMBL…``, ``DRUGCENTRAL:…`` or of an accession itself."""
        return identifier if identifier in self.records else self._ids.get(identifier.upper())


def read_every_cure(path: Path, index: DrugIndex) -> None:
    """Every Cure's drug list (CC0): names, structures, ATC code, approval, identifiers elsewhere. Combinations are left out: their parts have rows."""
    for row in read_rows(path, ("curie_label", "alternate_ids", "smiles", "atc_main", "approved_usa", "is_combination_therapy"), ","):
        accessions = re.findall(r"DRUGBANK:(DB\d{5})", row["alternate_ids"])
        if not accessions or row["is_combination_therapy"] == "TRUE":
            continue
        one = accessions[0]
        found = index.record(one, row["curie_label"])
        found.smiles = found.smiles or row["smiles"]
        found.atc = found.atc or row["atc_main"]
        found.phase = 4 if any(row.get(f"approved_{region}") == "1" for region in ("usa", "europe", "japan")) else found.phase
        chembl = re.findall(r"'CHEMBL\.COMPOUND:(CHEMBL\d+)'", row["alternate_ids"])
        others = re.findall(r"'((?:RXCUI|DrugCentral|UNII):[^']+)'", row["alternate_ids"])
        index.know(one, row["source_ingredients"].split("|"), [*chembl, *others, *accessions])


def read_hetionet_compounds(path: Path, index: DrugIndex) -> None:
    """Hetionet's compounds (CC0 as integrated): names of 1,552 DrugBank accessions."""
    for row in read_rows(path, ("id", "name", "kind")):
        if row["kind"] == "Compound":
            one = row["id"].removeprefix("Compound::")
            index.record(one, row["name"])
            index.know(one, [row["name"]])


def read_classes(classes: Path, of_drugs: Path, index: DrugIndex) -> None:
    """DrugCentral 2016: FDA mechanism, effect, chemical and established class, MeSH action, ChEBI role."""
    kinds = {row["class_id"]: _KINDS.get((row["class_source"], row["class_type"])) for row in read_rows(classes, ("class_id", "class_source", "class_type"))}
    for row in read_rows(of_drugs, ("drugbank_id", "drugbank_name", "class_id", "class_name")):
        kind = kinds.get(row["class_id"])
        if kind is not None:
            index.record(row["drugbank_id"], row["drugbank_name"]).facts[kind].append(row["class_name"])


def read_targets(path: Path, genes: Mapping[str, str], index: DrugIndex) -> None:
    """DrugCentral 2016: genes that a drug acts on, and how."""
    for row in read_rows(path, ("GeneID", "drugbank_id", "drugbank_name", "actions")):
        facts = index.record(row["drugbank_id"], row["drugbank_name"]).facts
        if row["GeneID"] in genes:
            facts["gene"].append(genes[row["GeneID"]])
        facts["act"] += [part.strip() for part in row["actions"].split("|") if part.strip()]


def read_gene_symbols(path: Path) -> dict[str, str]:
    """Entrez id → symbol, from Hetionet's nodes."""
    return {row["id"].removeprefix("Gene::"): row["name"] for row in read_rows(path, ("id", "name", "kind")) if row["kind"] == "Gene"}


def read_target_names(path: Path, index: DrugIndex) -> None:
    """DrugCentral's target names by drug name (JSON list of ``struct_id, target_name, name``)."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(rows, list) or (rows and not {"target_name", "name"} <= set(rows[0])):
        raise DatasetError(f"{path}: a JSON list of objects with 'target_name' and 'name' is needed")
    for row in rows:
        one = index.by_id(f"DrugCentral:{row.get('struct_id')}") or index.by_name(row["name"])
        if one is not None:
            index.record(one).facts["target"].append(row["target_name"])


def read_structures(path: Path, index: DrugIndex) -> None:
    """DrugCentral's structures by its own id or the INN; a structure that is there already stays."""
    for row in read_rows(path, ("SMILES", "ID", "INN")):
        one = index.by_id(f"DrugCentral:{row['ID']}") or index.by_name(row["INN"])
        if one is not None:
            found = index.record(one)
            found.smiles = found.smiles or row["SMILES"]


_SALTS = re.compile(
    r"\b(hydrochloride|dihydrochloride|hydrobromide|sodium|potassium|calcium|magnesium|sulfate|phosphate|acetate|citrate|maleate|fumarate|tartrate|mesylate|"
    r"besylate|succinate|nitrate|bromide|chloride|hydrate|monohydrate|anhydrous|tromethamine|gluconate|lactate|pamoate|tosylate|disodium)\b"
)


def plain_drug(name: str) -> str:
    """A name in lower case, letters and digits alone."""
    return " ".join(re.findall(r"[a-z0-9]+", name.lower()))


def _without_salt(name: str) -> str:
    return " ".join(_SALTS.sub(" ", name).split())


def _sentences(*parts: tuple[str, Iterable[str] | None]) -> str:
    return " ".join(f"{label}{', '.join(values)}." for label, found in parts if (values := list(found or ())))
