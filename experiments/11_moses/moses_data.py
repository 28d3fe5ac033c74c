"""The files of the MOSES benchmark, below the folder that DRUGAI_DATA names."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import numpy as np

from drugai.generation import Reference
from drugai.molecules.patterns import PatternSet


def folder() -> Path:
    return Path(os.environ["DRUGAI_DATA"]) / "moses"


def molecules(part: str) -> list[str]:
    """SMILES of ``train``, ``test`` or ``test_scaffolds``."""
    with gzip.open(folder() / f"{part}.csv.gz", "rt", encoding="ascii") as stream:
        next(stream)
        return [line.strip() for line in stream]


def filters() -> PatternSet:
    """The 502 SMARTS of the benchmark's filters."""
    with open(folder() / "mcf.csv", encoding="utf-8") as stream:
        smarts = [row["smarts"] for row in csv.DictReader(stream)]
    with open(folder() / "wehi_pains.csv", encoding="utf-8") as stream:
        smarts.extend(row[0].strip() for row in csv.reader(stream))
    return PatternSet(smarts)


def references(cache: Path, threads: int = 1) -> dict[str, Reference]:
    """The two test sets with the published ChemNet moments; computed once (about ten CPU-minutes) and kept in ``cache``."""
    found = {}
    for name, part in (("Test", "test"), ("TestSF", "test_scaffolds")):
        if not (cache / part).is_dir():
            with np.load(folder() / "fcd_reference.npz", allow_pickle=False) as stored:
                moments = stored[f"{part}_mu"], stored[f"{part}_sigma"]
            Reference.build(molecules(part), moments=moments, threads=threads).save(cache / part)
        found[name] = Reference.load(cache / part)
    return found
