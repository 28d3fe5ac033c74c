"""From what was asked to a plan: the library is looked at, hashed and indexed, and an earlier plan of the folder is taken up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from drugai.molecules import LibraryIndex, column_names, index_library, infer_id_column, infer_smiles_column, read_library
from drugai.molecules.columns import find_column
from drugai.molecules.formats import kind_of
from drugai.screening.folder import RunFolder
from drugai.screening.plan import Library, Plan, code_identity
from drugai.stores import checksum_of


def make_plan(folder: RunFolder, library: str | Path, *, smiles: str | None, ids: str | None, keep: tuple[str, ...], **own: Any) -> tuple[Plan, LibraryIndex]:
    """The plan, decided if the folder has decided it before, and the index of the library."""
    from drugai.predictors.streaming import library_path

    path = library_path(library)
    names = column_names(path)
    smiles = find_column(smiles, names, path.name) if smiles is not None else infer_smiles_column(names)
    if smiles is not None:  # if None the reader says what is wrong, and names the columns
        ids = find_column(ids, names, path.name) if ids is not None else infer_id_column(names, smiles)
    next(iter(read_first(path, smiles, ids, keep)), None)
    checksum, code = checksum_of(path), code_identity()
    found = Library(str(path.resolve()), path.name, kind_of(path), checksum, path.stat().st_size, 0, smiles, ids)
    plan = folder.open_plan(Plan(found, keep=keep, code={"sha256": code[0], "versions": dict(code[1])}, **own))
    index = folder.read_index(plan)
    if index is None:
        index = index_library(path, plan.shard_size)
        folder.write_index(plan, index)
    return replace(plan, library=replace(found, records=index.records)), index


def read_first(path: Path, smiles: str | None, ids: str | None, keep: Sequence[str]) -> Iterator[Any]:
    """The first records, so that a missing column is told before the file is hashed and indexed."""
    return read_library(path, smiles=smiles, ids=ids, chunk=1, keep_columns=keep, stop=1)
