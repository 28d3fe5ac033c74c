"""Files that a user brings, because they may not be redistributed or are too large: DrugBank, the Repurposing Hub, repoDB, DrugMechDB.

Each adapter gives drugs (rows of the tables, by DrugBank accession where the file has one) and raw pairs; pairs are mapped by the same indexes as the open ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from drugai.errors import DatasetError, unknown
from drugai.linking.sources.assembling import Upstream, merge_tables
from drugai.linking.sources.claims import SourceReport, read_rows
from drugai.linking.sources.drugs import DrugIndex
from drugai.linking.sources.judgements import Raw, collect
from drugai.linking.tables import Drug, LinkTables

_PHASES = {"launched": 4, "phase 3": 3, "phase 2/phase 3": 2, "phase 2": 2, "phase 1/phase 2": 1, "phase 1": 1}
Brought = tuple[list[Drug], Iterator[Raw]]


def drugbank(path: Path, upstream: Upstream) -> Brought:
    """DrugBank: the full XML, or a table with ``drugbank_id``, ``name`` and ``description``. It gives drugs and their texts; its indications are prose."""
    drugs = list(_drugbank_xml(path)) if path.suffix.lower() == ".xml" else list(_drugbank_table(path))
    if not drugs:
        raise DatasetError(f"{path}: holds no drug; a DrugBank XML export or a table with drugbank_id, name, description is needed")
    return drugs, iter(())


def repurposing_hub(path: Path, upstream: Upstream) -> Brought:
    """Broad Repurposing Hub, drug file: ``pert_iname``, ``clinical_phase``, ``moa``, ``target``, ``indication``. Only launched drugs' indications are treatments.

    A sample file (``*_samples_*``) that lies beside it gives the structures.
    """
    rows = list(read_rows(path, ("pert_iname", "clinical_phase", "moa", "target", "indication"), comment="!"))
    beside = path.with_name(path.name.replace("_drugs_", "_samples_"))
    smiles: dict[str, str] = {}
    if beside != path and beside.is_file():
        for row in read_rows(beside, ("pert_iname", "smiles"), comment="!"):
            smiles.setdefault(row["pert_iname"], row["smiles"].split(",")[0])
    index = upstream.drugs
    drugs = []
    for row in rows:
        one = index.by_name(row["pert_iname"]) or f"HUB:{row['pert_iname']}"
        kind = ", ".join(part for part in row["moa"].split("|") if part)
        targets = tuple(part for part in row["target"].split("|") if part)
        mechanism = f"Target genes: {', '.join(targets)}." if targets else ""
        phase = _PHASES.get(row["clinical_phase"].strip().lower(), 0)
        drugs.append(Drug(one, row["pert_iname"], smiles.get(row["pert_iname"], ""), mechanism, f"Mechanism: {kind}." if kind else "", targets, "", phase))

    def pairs() -> Iterator[Raw]:
        for row, drug in zip(rows, drugs, strict=True):
            for name in filter(None, (part.strip() for part in row["indication"].split("|"))):
                yield drug.id, upstream.diseases.by_name(name), "treats" if drug.phase == 4 else "clinical", drug.name, name

    return drugs, pairs()


def repodb(path: Path, upstream: Upstream) -> Brought:
    """repoDB: approved indications, and trials that were terminated, withdrawn or suspended (kind ``trial_failed``)."""
    rows = list(read_rows(path, ("drug_name", "ind_name", "ind_id", "status"), ","))
    if rows and not {"drugbank_id", "drug_id"} & set(rows[0]):
        raise DatasetError(f"{path}: column 'drugbank_id' is missing; the columns are {', '.join(rows[0])}")
    ids = {row.get("drugbank_id") or row.get("drug_id") or "": row["drug_name"] for row in rows}
    drugs = [Drug(one, name) for one, name in ids.items() if one]

    def pairs() -> Iterator[Raw]:
        for row in rows:
            kind = "treats" if row["status"].strip().lower() == "approved" else "trial_failed"
            disease = upstream.diseases.by_id(row["ind_id"]) or upstream.diseases.by_name(row["ind_name"])
            yield row.get("drugbank_id") or row.get("drug_id") or None, disease, kind, row["drug_name"], row["ind_name"]

    return drugs, pairs()


def drugmechdb(path: Path, upstream: Upstream) -> Brought:
    """DrugMechDB (CC0), the JSON form: each path is an indication, and its links in words are the drug's mechanism."""
    try:
        paths = json.loads(path.read_text(encoding="utf-8"))
        told = [(entry["graph"], {node["id"]: node["name"] for node in entry["nodes"]}, entry["links"]) for entry in paths]
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: not DrugMechDB's JSON ({type(error).__name__}: {error}); indication_paths.json of a release is needed") from None
    mechanisms: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    raw: list[Raw] = []
    for graph, nodes, links in told:
        drug = str(graph.get("drugbank") or "").removeprefix("DB:") or upstream.drugs.by_name(graph["drug"])
        disease = upstream.diseases.by_id(graph.get("disease_mesh") or "") or upstream.diseases.by_name(graph["disease"])
        raw.append((drug, disease, "treats", graph["drug"], graph["disease"]))
        if drug is None:
            continue
        names.setdefault(drug, graph["drug"])
        # the last link ends at the disease itself: it names the indication and is no mechanism
        for link in links:
            if nodes.get(link["target"]) != graph["disease"]:
                said = f"{nodes.get(link['source'], '')} {link['key'].replace('_', ' ')} {nodes.get(link['target'], '')}."
                if said not in mechanisms.setdefault(drug, []):
                    mechanisms[drug].append(said)
    return [Drug(one, name, mechanism=" ".join(mechanisms.get(one, []))) for one, name in names.items()], iter(raw)


ADAPTERS: dict[str, tuple[str, Callable[[Path, Upstream], Brought]]] = {
    "drugbank": ("DrugBank", drugbank),
    "repurposing_hub": ("Repurposing Hub", repurposing_hub),
    "repodb": ("repoDB", repodb),
    "drugmechdb": ("DrugMechDB", drugmechdb),
}


def bring(tables: LinkTables, upstream: Upstream, files: dict[str, Path]) -> tuple[LinkTables, list[SourceReport]]:
    """Tables with the user's own files merged in.

    Args:
        tables: Built or read before.
        upstream: Indexes that map names and identifiers.
        files: Adapter's name (``drugbank``, ``repurposing_hub``, ``repodb``, ``drugmechdb``) → file.
    """
    reports = []
    for name, path in files.items():
        if name not in ADAPTERS:
            raise unknown("adapter", name, list(ADAPTERS), DatasetError)
        source, adapter = ADAPTERS[name]
        drugs, rows = adapter(Path(path), upstream)
        _learn(upstream.drugs, drugs)
        claims, report = collect(source, rows)
        report.drugs = len(drugs)
        tables = merge_tables(tables, drugs, upstream.terms, claims)
        reports.append(report)
    return tables, reports


def _learn(index: DrugIndex, drugs: list[Drug]) -> None:
    for drug in drugs:
        index.record(drug.id, drug.name)


def _drugbank_table(path: Path) -> Iterator[Drug]:
    for row in read_rows(path, ("drugbank_id", "name", "description"), "," if path.suffix.lower() == ".csv" else "\t"):
        atc = re.search(r"[A-Z]\d\d[A-Z]{2}\d\d", row.get("atc_codes", ""))
        approved = "approved" in row.get("groups", "").split("|")
        yield Drug(row["drugbank_id"], row["name"], row.get("smiles", ""), row["description"], "", (), atc.group() if atc else "", 4 if approved else 0)


def _drugbank_xml(path: Path) -> Iterator[Drug]:
    space = "{http://www.drugbank.ca}"
    try:
        # record by record: the full export is 1.5 GB
        for _, element in ElementTree.iterparse(path):
            if element.tag != f"{space}drug" or element.find(f"{space}drugbank-id") is None or element.find(f"{space}groups") is None:
                continue
            one = next((found.text for found in element.findall(f"{space}drugbank-id") if found.get("primary") == "true"), None)
            if one:
                smiles = next(
                    (prop.findtext(f"{space}value") for prop in element.iter(f"{space}property") if prop.findtext(f"{space}kind") == "SMILES"), None
                )
                mechanism = element.findtext(f"{space}mechanism-of-action") or element.findtext(f"{space}description") or ""
                code = element.find(f"{space}atc-codes/{space}atc-code")
                genes = tuple(gene.text for gene in element.findall(f"{space}targets/{space}target/{space}polypeptide/{space}gene-name") if gene.text)
                approved = any(group.text == "approved" for group in element.findall(f"{space}groups/{space}group"))
                atc = code.get("code", "") if code is not None else ""
                yield Drug(one, element.findtext(f"{space}name") or "", smiles or "", " ".join(mechanism.split()), "", genes, atc, 4 if approved else 0)
            element.clear()
    except ElementTree.ParseError as error:
        raise DatasetError(f"{path}: not well-formed XML ({error}); unpack the DrugBank export again") from None
