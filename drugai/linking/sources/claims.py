"""What a source says of a drug and a disease, in the ids of the tables, and under which licence it says so."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drugai.errors import DatasetError, nearest

LICENCES = {
    "PharmacotherapyDB": "CC0-1.0",
    "LabeledIn": "public domain (NLM)",
    "NDF-RT": "public domain (US Government)",
    "DrugCentral2016": "CC-BY-SA-4.0 (DrugCentral)",
    "DrugCentral-gold": "CC-BY-SA-4.0 (DrugCentral)",
    "ChEMBL": "CC-BY-SA-3.0 (ChEMBL)",
    "primer": "MIT (written for this project)",
    "DrugBank": "the licence of your copy",
    "Repurposing Hub": "research use; may not be repackaged or redistributed for commercial purposes (Broad Institute)",
    "repoDB": "not stated in its repository; upstream DrugCentral CC-BY-SA-4.0 and AACT",
    "DrugMechDB": "CC0-1.0",
}
"""Source → licence of its statements. What is built from share-alike sources is share-alike as well."""


@dataclass(frozen=True)
class Claim:
    """One source's word on one pair; ids are those of the tables."""

    drug: str
    disease: str
    kind: str
    source: str


@dataclass
class SourceReport:
    """How much of a source could be used: rows read, rows that became claims, and what the others named that is not known here."""

    source: str
    rows: int = 0
    used: int = 0
    lost_drugs: Counter[str] = field(default_factory=Counter)
    lost_diseases: Counter[str] = field(default_factory=Counter)
    drugs: int = 0
    """Rows of drugs that a user's own file gave beside its pairs."""

    def __str__(self) -> str:
        if not self.rows:
            return f"{self.source}: {self.drugs} drugs and no pairs"
        lost = f"; without a known drug {sum(self.lost_drugs.values())}, without a disease term {sum(self.lost_diseases.values())}"
        return f"{self.source}: {self.used} of {self.rows} rows{lost if self.used < self.rows else ''}"


def read_rows(path: Path, columns: Sequence[str], delimiter: str = "\t", comment: str = "") -> Iterator[dict[str, str]]:
    """Rows of a delimited file with a header as text; lines before the header that begin with ``comment`` are passed over.

    Raises:
        DatasetError: No such file, or a column is missing (named, with the nearest that is there).
    """
    if not path.is_file():
        raise DatasetError(f"{path}: no such file")
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader((line for line in stream if not comment or not line.startswith(comment)), delimiter=delimiter)
        header = list(reader.fieldnames or ())
        missing = [column for column in columns if column not in header]
        if missing:
            near = nearest(missing[0], header)
            hint = f" (is it {near!r}?)" if near else ""
            raise DatasetError(f"{path}: column {', '.join(map(repr, missing))} is missing{hint}; the columns are {', '.join(header)}")
        for row in reader:
            yield {key: value or "" for key, value in row.items() if key is not None}
