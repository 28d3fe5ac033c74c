"""Everything together: upstream files → the three tables, with a report of what each source gave and what was lost on the way."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drugai.artifact import file_checksum, write_text_atomically
from drugai.errors import DatasetError
from drugai.linking.sources import drugs as drug_sources
from drugai.linking.sources.claims import LICENCES, Claim, SourceReport
from drugai.linking.sources.judgements import READERS, collect
from drugai.linking.sources.ontology import DiseaseIndex, ontology_diseases, read_mondo, read_ontology
from drugai.linking.tables import Disease, Drug, Indication, LinkTables, write_tables

if TYPE_CHECKING:
    from drugai.data.dataset_card import CardFile

CARDS = ("linking_public_domain", "linking_share_alike")
_DRUG_FILES = (
    "everycure_medi_drug_list_stringent.csv", "hetionet-v1.0-nodes.tsv", "drugcentral2016_classes.tsv", "drugcentral2016_drug-to-class.tsv",
    "drugcentral2016_targets.tsv", "drugcentral_AllTargets.json", "drugcentral_structures.smiles.tsv",
)  # fmt: skip
ONTOLOGY, MONDO = "HumanDO.obo", "txgnn_mondo_references.csv"


@dataclass(frozen=True, eq=False)
class Upstream:
    """Indexes of drugs and diseases read once; every source of pairs is mapped through them."""

    drugs: drug_sources.DrugIndex
    diseases: DiseaseIndex
    terms: Sequence[Disease]


def upstream_files(folder: str | Path | None = None) -> dict[str, Path]:
    """File name → path: of a folder, or through the dataset cards (the folder named by DRUGAI_DATA, the cache, a download).

    Raises:
        DatasetError: A file is missing (all of them are named).
    """
    if folder is None:
        from drugai.data import card

        wanted = {Path(file.path).name: file for name in CARDS for file in card(name).files}
        return {name: _found(wanted[name]) for name in needed_files()}
    place = Path(folder)
    missing = [name for name in needed_files() if not (place / name).is_file()]
    if missing:
        raise DatasetError(f"{place}: {len(missing)} upstream files are missing: {', '.join(missing[:10])}; `drugai data fetch {CARDS[0]}` downloads them")
    return {name: place / name for name in needed_files()}


def _found(file: CardFile) -> Path:
    """The file under DRUGAI_DATA even where its card names a package (the ontology comes in one), else as any data set's file."""
    from drugai.data.download import fetch_file, sha256_of

    own = os.environ.get("DRUGAI_DATA")
    place = Path(own) / "linking" / "raw" / Path(file.path).name if own else None
    return place if place is not None and place.is_file() and sha256_of(place) == file.sha256 else fetch_file(file)


def needed_files() -> tuple[str, ...]:
    """Names of the upstream files that a build reads."""
    return (*_DRUG_FILES, ONTOLOGY, MONDO, *(file for file, _ in READERS.values()))


def read_upstream(files: Mapping[str, Path]) -> Upstream:
    """Drugs and diseases of the open files."""
    index = drug_sources.DrugIndex()
    drug_sources.read_hetionet_compounds(files["hetionet-v1.0-nodes.tsv"], index)
    drug_sources.read_every_cure(files["everycure_medi_drug_list_stringent.csv"], index)
    drug_sources.read_classes(files["drugcentral2016_classes.tsv"], files["drugcentral2016_drug-to-class.tsv"], index)
    drug_sources.read_targets(files["drugcentral2016_targets.tsv"], drug_sources.read_gene_symbols(files["hetionet-v1.0-nodes.tsv"]), index)
    drug_sources.read_target_names(files["drugcentral_AllTargets.json"], index)
    drug_sources.read_structures(files["drugcentral_structures.smiles.tsv"], index)
    terms = read_ontology(files[ONTOLOGY])
    mondo = read_mondo(files[MONDO])
    return Upstream(index, DiseaseIndex(terms, mondo), ontology_diseases(terms, mondo))


def build_open(
    files: Mapping[str, Path], *, sources: Iterable[str] | None = None, upstream: Upstream | None = None
) -> tuple[LinkTables, list[SourceReport]]:
    """The open tables.

    Args:
        files: File name → path (:func:`upstream_files`).
        upstream: Indexes, if they were read before.
        sources: Only these (names of ``READERS``); all by default.

    Returns:
        Tables of every drug and disease that a claim names, and one report a source.

    Raises:
        DatasetError: Unknown source.
    """
    wanted = list(sources) if sources is not None else list(READERS)
    for name in wanted:
        if name not in READERS:
            raise DatasetError(f"unknown source {name!r}; the sources are {', '.join(READERS)}")
    upstream = upstream or read_upstream(files)
    claims: list[Claim] = []
    reports = []
    for name in wanted:
        file, reader = READERS[name]
        found, report = collect(name, reader(files[file], upstream.drugs, upstream.diseases))
        claims += found
        reports.append(report)
    rows = {one: record.to_drug() for one, record in upstream.drugs.records.items()}
    return assemble("open", rows, {term.id: term for term in upstream.terms}, claims), reports


def assemble(name: str, drugs: Mapping[str, Drug], diseases: Mapping[str, Disease], claims: Iterable[Claim]) -> LinkTables:
    """Claims of the same pair and kind joined with all their sources; drugs and diseases that none names are left out."""
    joined: dict[tuple[str, str, str], list[str]] = {}
    for claim in claims:
        sources = joined.setdefault((claim.drug, claim.disease, claim.kind), [])
        if claim.source not in sources:
            sources.append(claim.source)
    pairs = tuple(Indication(*key, tuple(sorted(sources))) for key, sources in sorted(joined.items()))
    named_drugs, named_diseases = sorted({pair.drug for pair in pairs}), sorted({pair.disease for pair in pairs})
    return LinkTables(name, tuple(drugs[one] for one in named_drugs), tuple(diseases[one] for one in named_diseases), pairs)


def merge_tables(tables: LinkTables, drugs: Iterable[Drug], diseases: Iterable[Disease], claims: Iterable[Claim]) -> LinkTables:
    """Tables with a user's own claims added; a drug that is there already keeps its row, its empty fields filled from the new one."""
    rows = {drug.id: drug for drug in tables.drugs}
    for drug in drugs:
        rows[drug.id] = _filled(rows[drug.id], drug) if drug.id in rows else drug
    terms = {disease.id: disease for disease in [*diseases, *tables.diseases]}
    old = [Claim(pair.drug, pair.disease, pair.kind, source) for pair in tables.indications for source in pair.sources or ("",)]
    return assemble(tables.name, rows, terms, [*old, *claims])


def licences_of(tables: LinkTables) -> dict[str, str]:
    """Source → licence, for the sources that the tables' pairs name."""
    return {source: LICENCES.get(source, "not known") for source in sorted({source for pair in tables.indications for source in pair.sources})}


def write_prepared(tables: LinkTables, folder: str | Path, reports: Sequence[SourceReport], files: Mapping[str, Path]) -> Path:
    """The three tables, and ``sources.json``: licences, checksums of the files that were read, and what each source gave."""
    place = write_tables(tables, folder)
    told = {
        "licences": licences_of(tables),
        "files": {name: file_checksum(path) for name, path in sorted(files.items())},
        "sources": [
            {"source": one.source, "rows": one.rows, "used": one.used, "without_a_drug": sum(one.lost_drugs.values()), "without_a_disease": sum(one.lost_diseases.values())}
            for one in reports
        ],
        "contradictions": [[first.drug, first.disease, first.kind, second.kind] for first, second in tables.contradictions()],
        "use": "research only",
    }  # fmt: skip
    write_text_atomically(place / "sources.json", json.dumps(told, indent=1) + "\n")
    return place


def _filled(own: Drug, other: Drug) -> Drug:
    from dataclasses import fields, replace

    return replace(own, **{item.name: getattr(other, item.name) for item in fields(Drug) if not getattr(own, item.name)})
