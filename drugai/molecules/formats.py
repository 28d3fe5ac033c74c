"""Which format a file has, told by its name."""

from __future__ import annotations

from pathlib import Path

from drugai.errors import DatasetError
from drugai.stores import place

KINDS = {".smi": "smi", ".smiles": "smi", ".ism": "smi", ".txt": "smi", ".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
         ".sdf": "sdf", ".sd": "sdf", ".mol": "sdf", ".parquet": "parquet", ".pq": "parquet"}  # fmt: skip


def kind_of(path: str | Path) -> str:
    """The format by the file's name: smi, csv, tsv, sdf or parquet (``library.csv.gz`` is csv)."""
    name = place(path).name.lower()
    suffixes = Path(name.removesuffix(".gz")).suffixes
    kind = KINDS.get(suffixes[-1]) if suffixes else None
    if kind is None:
        raise DatasetError(f"{path}: the format is told by the name, and {name!r} ends in none of {', '.join(KINDS)} (each also with .gz)")
    return kind
