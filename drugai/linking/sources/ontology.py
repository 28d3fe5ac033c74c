"""The Disease Ontology's OBO file → diseases with definitions, synonyms, identifiers elsewhere and ancestors; and an index that finds a term by any of them.

Source: Human Disease Ontology, CC0 (10.1093/nar/gky1032); OBO format 1.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drugai.errors import DatasetError
from drugai.linking.tables import Disease

ROOT = "DOID:4"
XREFS = {"MESH": "mesh", "UMLS_CUI": "umls", "ICD10CM": "icd10", "ORDO": "orphanet", "OMIM": "omim"}
"""Prefix in the OBO file → prefix in the tables."""
AREAS = {
    "DOID:162": "cancer", "DOID:14566": "cancer", "DOID:0050117": "infection", "DOID:1287": "cardiovascular", "DOID:150": "mental", "DOID:5614": "eye",
    "DOID:863": "nervous system", "DOID:1579": "respiratory", "DOID:77": "digestive", "DOID:28": "endocrine", "DOID:0014667": "metabolic",
    "DOID:2914": "immune", "DOID:74": "blood", "DOID:16": "skin", "DOID:17": "musculoskeletal", "DOID:18": "urogenital", "DOID:15": "urogenital",
    "DOID:630": "genetic",
}  # fmt: skip
"""Top terms → area, in the order in which they decide for a disease that lies under several (a lung cancer is a cancer)."""

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(\w*)')


@dataclass
class OntologyTerm:
    """One live term as the file has it."""

    id: str = ""
    name: str = ""
    definition: str = ""
    synonyms: list[str] = field(default_factory=list)
    related: list[str] = field(default_factory=list)
    alternatives: list[str] = field(default_factory=list)
    xrefs: list[str] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    obsolete: bool = False


def read_ontology(path: str | Path) -> dict[str, OntologyTerm]:
    """Id → term, obsolete ones left out.

    Raises:
        DatasetError: The file holds no term.
    """
    found = {term.id: term for term in _stanzas(Path(path).read_text(encoding="utf-8").splitlines()) if term.id and not term.obsolete}
    if not found:
        raise DatasetError(f"{path}: holds no [Term]; an ontology in OBO format is needed, for example HumanDO.obo")
    return found


def ancestors_of(terms: Mapping[str, OntologyTerm]) -> dict[str, tuple[str, ...]]:
    """Id → every term above it by is_a, sorted; a loop in the file ends the walk and does not hang it."""
    found: dict[str, tuple[str, ...]] = {}
    for one in terms:
        seen: set[str] = set()
        front = list(terms[one].parents)
        while front:
            parent = front.pop()
            if parent in terms and parent not in seen and parent != one:
                seen.add(parent)
                front.extend(terms[parent].parents)
        found[one] = tuple(sorted(seen))
    return found


def ontology_diseases(terms: Mapping[str, OntologyTerm], mondo: Mapping[str, Iterable[str]] | None = None) -> list[Disease]:
    """Every term as a Disease, by id; ``mondo`` (DOID → MONDO ids) adds those identifiers."""
    above = ancestors_of(terms)
    diseases = []
    for one, term in sorted(terms.items()):
        xrefs = [f"{XREFS[prefix]}:{rest}" for prefix, _, rest in (xref.partition(":") for xref in term.xrefs) if prefix in XREFS]
        xrefs += [f"mondo:{other}" for other in (mondo or {}).get(one, ())]
        lineage = {one, *above[one]}
        area = next((name for top, name in AREAS.items() if top in lineage), "")
        diseases.append(Disease(one, term.name, term.definition, tuple(dict.fromkeys(term.synonyms)), area, tuple(dict.fromkeys(xrefs)), above[one]))
    return diseases


class DiseaseIndex:
    """Finds the term that an identifier or a name stands for; a name shared by several terms goes to the one whose proper name it is."""

    def __init__(self, terms: Mapping[str, OntologyTerm], mondo: Mapping[str, Iterable[str]] | None = None) -> None:
        self.terms = terms
        self._ids: dict[str, str] = {}
        self._names: dict[str, str] = {}
        for one, term in terms.items():
            for other in (one, *term.alternatives, *term.xrefs):
                self._ids.setdefault(other.upper().removeprefix("UMLS_CUI:"), one)
            for other in (mondo or {}).get(one, ()):
                self._ids.setdefault(f"MONDO:{other}", one)
        for pick in (lambda term: [term.name], lambda term: term.synonyms, lambda term: term.related):
            for one, term in terms.items():
                for name in pick(term):
                    self._names.setdefault(_plain(name), one)

    def by_id(self, identifier: str) -> str | None:
        """DOID of a DOID, an alternative id, ``MESH:…``, ``MONDO:…``, a bare UMLS concept …, or None."""
        return self._ids.get(identifier.strip().upper().removeprefix("UMLS_CUI:").removeprefix("UMLS:"))

    def by_name(self, name: str) -> str | None:
        """DOID of a name or synonym; word order about a comma is straightened (``Arthritis, Rheumatoid``)."""
        found = self._names.get(_plain(name))
        if found is None and name.count(",") == 1:
            first, _, second = name.partition(",")
            found = self._names.get(_plain(f"{second.strip()} {first.strip()}"))
        return found


def read_mondo(path: str | Path) -> dict[str, list[str]]:
    """DOID → MONDO ids, from the table ``ontology_id, ontology, mondo_id``."""
    from drugai.linking.sources.claims import read_rows

    found: dict[str, list[str]] = {}
    for row in read_rows(Path(path), ("ontology_id", "ontology", "mondo_id"), ","):
        if row["ontology"] == "DOID":
            found.setdefault(f"DOID:{row['ontology_id']}", []).append(row["mondo_id"].zfill(7))
    return found


def _plain(name: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", name.lower().replace("'s ", " ").removesuffix("'s")))


def _stanzas(lines: Iterable[str]) -> Iterator[OntologyTerm]:
    term: OntologyTerm | None = None
    for line in lines:
        if line.startswith("["):
            if term is not None:
                yield term
            term = OntologyTerm() if line.strip() == "[Term]" else None
        elif term is not None:
            _take(term, line)
    if term is not None:
        yield term


def _take(term: OntologyTerm, line: str) -> None:
    key, _, value = line.partition(": ")
    if key == "id":
        term.id = value.strip()
    elif key == "name":
        term.name = value.strip()
    elif key == "alt_id":
        term.alternatives.append(value.strip())
    elif key == "is_obsolete":
        term.obsolete = value.strip() == "true"
    elif key == "is_a":
        term.parents.append(value.partition("!")[0].strip())
    elif key == "xref":
        term.xrefs.append(value.partition(" ")[0].strip())
    elif key in ("def", "synonym") and (match := _QUOTED.match(value)):
        text = match.group(1).replace('\\"', '"').replace("\\n", " ")
        if key == "def":
            term.definition = text
        else:
            (term.synonyms if match.group(2) == "EXACT" else term.related).append(text)
