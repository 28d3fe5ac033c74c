"""Molecules without labels as one flat file: read once from libraries of any size with flat memory, mapped into memory afterwards.

A store is a folder: ``smiles.bin`` (the SMILES, one after another), ``offsets.npy`` and ``store.json`` (what became of the rows of each file).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drugai.artifact import write_text_atomically
from drugai.errors import E_TOO_LONG, DatasetError, code_of
from drugai.featurizers.tokens import split_smiles
from drugai.molecules import read_library

NOTES = "store.json"
LONGEST = 200
"""Tokens beyond which a molecule is left out of a corpus: one long row makes a whole batch slow."""


@dataclass(frozen=True, eq=False)
class MoleculeStore:
    """n readable SMILES, each different from the others.

    Attributes:
        flat: uint8, all SMILES in a row.
        offsets: ``[n + 1]`` int64.
        sources: For each file its name, its rows, how many were kept and how many were left out by reason code (``repeat``: seen before).
    """

    flat: np.ndarray
    offsets: np.ndarray
    sources: tuple[Mapping[str, Any], ...]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """``[n]`` characters of each SMILES."""
        return np.diff(self.offsets)

    def smiles(self, rows: Sequence[int] | np.ndarray) -> list[str]:
        """The SMILES at ``rows``."""
        return [bytes(self.flat[self.offsets[row] : self.offsets[row + 1]]).decode("ascii") for row in rows]

    @classmethod
    def open(cls, folder: str | Path) -> MoleculeStore:
        """A store that :func:`build_store` finished."""
        source = Path(folder)
        if not (source / NOTES).is_file():
            raise DatasetError(f"{source}: no {NOTES} there, so it is no finished store of molecules; build_store() makes one")
        notes = json.loads((source / NOTES).read_text(encoding="utf-8"))
        return cls(np.memmap(source / "smiles.bin", dtype=np.uint8, mode="r"), np.load(source / "offsets.npy", allow_pickle=False), tuple(notes["sources"]))


def build_store(files: Sequence[str | Path], folder: str | Path, *, smiles: str | None = None, limit: int | None = None) -> MoleculeStore:
    """Read libraries into a store; a finished store that is there already is opened.

    Args:
        files: Libraries of any format.
        folder: Where the store lies.
        smiles: SMILES column; inferred in each file if not given.
        limit: Most molecules that are kept of each file, from its beginning.

    Raises:
        DatasetError: No file holds a readable molecule.
    """
    target = Path(folder)
    if (target / NOTES).is_file():
        return MoleculeStore.open(target)
    target.mkdir(parents=True, exist_ok=True)
    seen: set[int] = set()
    sizes: list[int] = []
    sources: list[dict[str, Any]] = []
    with open(target / "smiles.bin", "wb") as stream:
        for file in files:
            counts: dict[str, int] = {}
            rows = kept = 0
            for chunk in read_library(file, smiles=smiles):
                batch = chunk.batch()
                for smi, why in zip(batch.smiles, batch.reasons, strict=True):
                    if limit is not None and kept >= limit:
                        break
                    rows += 1
                    code = code_of(why) or (E_TOO_LONG if len(smi) > LONGEST and len(split_smiles(smi)) > LONGEST else "repeat" if hash(smi) in seen else "")
                    if code:
                        counts[code] = counts.get(code, 0) + 1
                        continue
                    seen.add(hash(smi))
                    stream.write(smi.encode("ascii"))
                    sizes.append(len(smi))
                    kept += 1
                if limit is not None and kept >= limit:
                    break
            sources.append({"file": Path(file).name, "rows": rows, "kept": kept, "left_out": dict(sorted(counts.items()))})
        stream.flush()
        os.fsync(stream.fileno())
    if not sizes:
        raise DatasetError(f"no readable molecule in {', '.join(str(file) for file in files)}: {[source['left_out'] for source in sources]}")
    np.save(target / "offsets.npy", np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), allow_pickle=False)
    write_text_atomically(target / NOTES, json.dumps({"sources": sources}, indent=1) + "\n")
    return MoleculeStore.open(target)
