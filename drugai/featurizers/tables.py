"""Feature tables and standardized tables of whole files, for those who want only that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from drugai.errors import count_reasons
from drugai.featurizers.blocks import featurize_blocks
from drugai.molecules import read_library, standardize
from drugai.molecules.appending import TableWriter

CHUNK = 4096


def featurize_file(source: str | Path, out: str | Path, *, blocks: Sequence[str], smiles: str | None = None) -> str:
    """Write id, smiles, ``<block>_<index>`` columns and the reason of every row; returns a sentence on what became of them."""
    counts: dict[str, int] = {}
    with TableWriter(out) as writer:
        for part in read_library(source, smiles=smiles, chunk=CHUNK):
            batch = part.batch()
            columns: dict[str, Sequence[object] | np.ndarray] = {"id": part.ids, "smiles": part.smiles}
            for block in blocks:
                matrix = featurize_blocks(batch, [block])
                columns |= {f"{block}_{index}": matrix[:, index] for index in range(matrix.shape[1])}
            writer.append({**columns, "reason": list(batch.reasons)})
            _count(counts, batch.reasons)
    return _sentence(out, writer.rows, counts)


def standardize_file(
    source: str | Path, out: str | Path, *, smiles: str | None = None, salts: bool = True, charges: bool = True, tautomers: bool = False
) -> str:
    """Write id, the SMILES as read, the standardized one, what was done and the reason of every row; returns a sentence on what became of them."""
    counts: dict[str, int] = {}
    with TableWriter(out) as writer:
        for part in read_library(source, smiles=smiles, chunk=CHUNK):
            done = standardize(part.batch(), salts=salts, charges=charges, tautomers=tautomers)
            changes = ["; ".join(of_row) for of_row in done.changes]
            writer.append({"id": part.ids, "input": part.smiles, "smiles": list(done.smiles), "changes": changes, "reason": list(done.reasons)})
            _count(counts, done.reasons)
    return _sentence(out, writer.rows, counts)


def _count(counts: dict[str, int], reasons: Sequence[str]) -> None:
    for code, count in count_reasons(reasons).items():
        counts[code] = counts.get(code, 0) + count


def _sentence(out: str | Path, rows: int, counts: dict[str, int]) -> str:
    bad = ", ".join(f"{count} {code}" for code, count in counts.items())
    return f"{rows:,} rows → {out}" + (f"; could not be used: {bad}" if bad else "; all could be used")
