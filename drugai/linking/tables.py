"""Drugs, diseases and indications as tables of one folder: ``drugs.csv``, ``diseases.csv``, ``indications.csv``.

The project's own primer and the open tables built from public sources have the same columns, so everything above reads either.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from drugai.artifact import write_text_atomically
from drugai.errors import DatasetError, nearest

POSITIVE_KINDS = ("treats", "palliates")
XREFS = ("mesh", "umls", "icd10", "orphanet", "omim", "mondo")
"""Columns of ``diseases.csv`` with identifiers elsewhere."""
KINDS = (*POSITIVE_KINDS, "clinical", "trial_failed", "non_indication", "contraindicated")


@dataclass(frozen=True)
class Drug:
    """One drug: mechanism and class are apart, because class words (``Antihypertensive Agents``) name indications and mechanisms seldom do."""

    id: str
    name: str
    smiles: str = ""
    mechanism: str = ""
    drug_class: str = ""
    targets: tuple[str, ...] = ()
    atc: str = ""
    phase: int = 0
    """Highest phase reached: 4 approved somewhere, 1–3 in trials, 0 not known."""

    def text(self, view: str = "mechanism+class") -> str:
        """What is said of the drug: ``mechanism``, ``class`` or ``mechanism+class``. Its name is never part of it."""
        parts = {"mechanism": (self.mechanism,), "class": (self.drug_class,), "mechanism+class": (self.mechanism, self.drug_class)}
        if view not in parts:
            raise DatasetError(f"unknown text view {view!r}; the views are {', '.join(parts)}")
        return " ".join(part for part in parts[view] if part)


@dataclass(frozen=True)
class Disease:
    """One disease: its term, definition, synonyms, identifiers elsewhere and place in the ontology."""

    id: str
    name: str
    definition: str = ""
    synonyms: tuple[str, ...] = ()
    area: str = ""
    xrefs: tuple[str, ...] = ()
    ancestors: tuple[str, ...] = ()

    def text(self, view: str = "full") -> str:
        """``full`` (name, definition, synonyms) or ``name``."""
        if view == "name":
            return self.name
        also = f" Also called {', '.join(self.synonyms[:6])}." if self.synonyms else ""
        return f"{self.name}. {self.definition}{also}".strip()


@dataclass(frozen=True)
class Indication:
    """One judged pair of a drug and a disease, with where the judgement comes from."""

    drug: str
    disease: str
    kind: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class LinkTables:
    """The three tables; indications that name an unknown drug or disease are refused."""

    name: str
    drugs: tuple[Drug, ...]
    diseases: tuple[Disease, ...]
    indications: tuple[Indication, ...]

    def __post_init__(self) -> None:
        for what, rows in (("drug", self.drugs), ("disease", self.diseases)):
            seen: set[str] = set()
            for row in rows:
                if row.id in seen:
                    raise DatasetError(f"{self.name}: {what} id {row.id!r} stands there twice; ids must be unique")
                seen.add(row.id)
        lost = [pair for pair in self.indications if pair.drug not in self.drug_rows or pair.disease not in self.disease_rows]
        if lost:
            shown = "; ".join(f"{pair.drug} - {pair.disease}" for pair in lost[:10])
            raise DatasetError(f"{self.name}: {len(lost)} indications name a drug or disease that has no row: {shown}")

    @cached_property
    def drug_rows(self) -> Mapping[str, int]:
        """Drug id → row."""
        return {drug.id: row for row, drug in enumerate(self.drugs)}

    @cached_property
    def disease_rows(self) -> Mapping[str, int]:
        """Disease id → row."""
        return {disease.id: row for row, disease in enumerate(self.diseases)}

    def pairs(self, kinds: Iterable[str] = POSITIVE_KINDS) -> dict[tuple[int, int], list[Indication]]:
        """(drug row, disease row) → the judgements of these kinds."""
        found: dict[tuple[int, int], list[Indication]] = {}
        wanted = set(kinds)
        for pair in self.indications:
            if pair.kind in wanted:
                found.setdefault((self.drug_rows[pair.drug], self.disease_rows[pair.disease]), []).append(pair)
        return found

    def contradictions(self) -> list[tuple[Indication, Indication]]:
        """Pairs that one source says are treated and another says are not (or contraindicated). They are reported and stay in the tables."""
        against = self.pairs(("non_indication", "contraindicated"))
        return [(positive[0], against[key][0]) for key, positive in self.pairs().items() if key in against]

    def select(self, drugs: Sequence[str], diseases: Sequence[str]) -> LinkTables:
        """The rows of these ids, in that order, and the indications between them."""
        chosen, named = set(drugs), set(diseases)
        return LinkTables(
            self.name,
            tuple(self.drugs[self.drug_rows[one]] for one in drugs),
            tuple(self.diseases[self.disease_rows[one]] for one in diseases),
            tuple(pair for pair in self.indications if pair.drug in chosen and pair.disease in named),
        )


def read_tables(folder: str | Path | None = None) -> LinkTables:
    """Read the three tables of a folder; without one, ``$DRUGAI_DATA/linking``.

    Raises:
        DatasetError: A table or a column is missing (named), a kind is unknown, or an indication names what has no row.
    """
    if folder is None:
        own = os.environ.get("DRUGAI_DATA")
        if not own:
            raise DatasetError("no folder of linking tables; name one, set DRUGAI_DATA, or use the primer (read_primer)")
        folder = Path(own) / "linking"
    place = Path(folder)
    drugs = tuple(_drug(row) for row in _rows(place, ("drugs.csv", "drugs_open.csv"), ("drug_id", "name", "smiles")))
    diseases = tuple(_disease(row) for row in _rows(place, ("diseases.csv",), ("disease_id", "name", "definition", "synonyms")))
    judged = _rows(place, ("indications.csv", "indications_open.csv"), ("drug_id", "disease_id", "kind", "sources"))
    if (place / "indications_open_chembl_clinical.csv").is_file():
        judged = [*judged, *_rows(place, ("indications_open_chembl_clinical.csv",), ("drug_id", "disease_id", "kind", "sources"))]
    wrong = sorted({row["kind"] for row in judged} - set(KINDS))
    if wrong:
        raise DatasetError(f"{place}: unknown kind of indication {', '.join(map(repr, wrong))}; the kinds are {', '.join(KINDS)}")
    indications = tuple(Indication(row["drug_id"], row["disease_id"], row["kind"], _split(row["sources"])) for row in judged)
    return LinkTables(place.name, drugs, diseases, indications)


def write_tables(tables: LinkTables, folder: str | Path) -> Path:
    """Write the three tables as :func:`read_tables` reads them, each file beside and renamed."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    drugs = [
        [one.id, one.name, one.smiles, one.mechanism, one.drug_class, "|".join(one.targets), one.atc, str(one.phase or "")] for one in tables.drugs
    ]
    diseases = [
        [one.id, one.name, one.area, one.definition, "|".join(one.synonyms)]
        + ["|".join(xref.partition(":")[2] for xref in one.xrefs if xref.startswith(f"{source}:")) for source in XREFS]
        + ["|".join(one.ancestors)]
        for one in tables.diseases
    ]
    pairs = [[one.drug, one.disease, one.kind, "|".join(one.sources)] for one in tables.indications]
    _write(place / "drugs.csv", ["drug_id", "name", "smiles", "mechanism", "class", "targets", "atc", "phase"], drugs)
    _write(place / "diseases.csv", ["disease_id", "name", "area", "definition", "synonyms", *XREFS, "ancestors"], diseases)
    _write(place / "indications.csv", ["drug_id", "disease_id", "kind", "sources"], pairs)
    return place


def read_primer() -> LinkTables:
    """The project's own small tables: written for demonstration, not for clinical use."""
    from drugai.data.dataset_card import find_cards

    return read_tables(find_cards() / "drug_disease_primer")


def _drug(row: Mapping[str, str]) -> Drug:
    mechanism = row.get("mechanism", row.get("text_mechanism_open", ""))
    kind = row.get("class", row.get("text_class_open", ""))
    targets = row.get("targets", row.get("targets_dc_symbols", ""))
    phase = row.get("phase") or ("4" if row.get("approved_usa", "").startswith("1") else "0")
    if phase not in ("0", "1", "2", "3", "4"):
        raise DatasetError(f"drug {row['drug_id']}: phase {phase!r} is none; write 1, 2, 3, 4 (approved) or leave it empty")
    return Drug(row["drug_id"], row["name"], row["smiles"], mechanism, kind, _split(targets), row.get("atc", row.get("atc_everycure", "")), int(phase))


def _disease(row: Mapping[str, str]) -> Disease:
    xrefs = tuple(f"{source}:{one}" for source in XREFS for one in _split(row.get(source, "")))
    synonyms = _split(row["synonyms"])
    return Disease(row["disease_id"], row["name"], row["definition"], synonyms, row.get("area", ""), xrefs, _split(row.get("ancestors", "")))


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text_atomically(path, text.getvalue())


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|") if part.strip())


def _rows(folder: Path, names: Sequence[str], columns: Sequence[str]) -> list[dict[str, str]]:
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        raise DatasetError(f"{folder}: has no {' or '.join(names)}; linking needs drugs.csv, diseases.csv and indications.csv")
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        header = list(reader.fieldnames or ())
        missing = [column for column in columns if column not in header]
        if missing:
            near = nearest(missing[0], header)
            hint = f" (is it {near!r}?)" if near else ""
            raise DatasetError(f"{path}: column {', '.join(map(repr, missing))} is missing{hint}; the columns are {', '.join(header)}")
        return [{key: value or "" for key, value in row.items() if key is not None} for row in reader]
