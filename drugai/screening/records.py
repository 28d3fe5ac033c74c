"""The records of a shard, chunk by chunk, around those that must not be touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from drugai.molecules import LibraryChunk, LibraryIndex, read_library
from drugai.screening.plan import Plan


def read_chunks(
    plan: Plan, start: int, stop: int, *, chunk: int, index: LibraryIndex | None = None, skip: Mapping[int, str] | None = None
) -> Iterator[LibraryChunk]:
    """Chunks of the records [start, stop); records in ``skip`` keep their row with the reason given there.

    RDKit parses the records of an SDF while they are read, so that a record that kills the process must be left out of the reading itself; from the other
    formats its text is read as it stands.
    """
    around = sorted(row for row in (skip or {}) if start <= row < stop) if plan.library.kind == "sdf" else []
    if not around:
        stream = _read(plan, start, stop, chunk, index)
    else:
        stream = _cut(_read_around(plan, start, stop, around, index), chunk)
    for part in stream:
        for row, why in (skip or {}).items():
            if part.start <= row < part.start + len(part):
                part.reasons[row - part.start] = why
        yield part


def _read(plan: Plan, start: int, stop: int, chunk: int, index: LibraryIndex | None) -> Iterator[LibraryChunk]:
    library = plan.library
    return read_library(
        library.path, smiles=library.smiles, ids=library.ids, chunk=chunk, keep_columns=plan.keep, start=start, stop=stop, index=index, caps=plan.caps
    )  # fmt: skip


def _read_around(plan: Plan, start: int, stop: int, around: list[int], index: LibraryIndex | None) -> Iterator[LibraryChunk]:
    at = start
    for row in [*around, stop]:
        if row > at:
            yield from _read(plan, at, row, plan.chunk, index)
        if row < stop:
            yield LibraryChunk([""], [str(row + 1)], [0], [""], {name: [""] for name in plan.keep}, row)
        at = row + 1


def _cut(pieces: Iterator[LibraryChunk], chunk: int) -> Iterator[LibraryChunk]:
    held: LibraryChunk | None = None
    for piece in pieces:
        held = piece if held is None else _join(held, piece)
        while len(held) >= chunk:
            yield _slice(held, 0, chunk)
            held = _slice(held, chunk, len(held))
    if held is not None and len(held):
        yield held


def _join(a: LibraryChunk, b: LibraryChunk) -> LibraryChunk:
    columns = {name: a.columns[name] + b.columns[name] for name in a.columns}
    return LibraryChunk(a.smiles + b.smiles, a.ids + b.ids, a.lines + b.lines, a.reasons + b.reasons, columns, a.start)


def _slice(part: LibraryChunk, begin: int, end: int) -> LibraryChunk:
    columns = {name: values[begin:end] for name, values in part.columns.items()}
    return LibraryChunk(part.smiles[begin:end], part.ids[begin:end], part.lines[begin:end], part.reasons[begin:end], columns, part.start + begin)
