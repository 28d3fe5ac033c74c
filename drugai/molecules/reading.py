"""Libraries of molecules from files, streamed in chunks: SMILES, CSV, TSV, SDF and Parquet, each also gzipped.

Cells stay strings: ``NA`` and ``nan`` may be names, ``00123`` and ``1e5`` are ids. A damaged record keeps its row with a reason. Any range of records can be
read alone, so that a shard is (file, start, stop); with an index (:mod:`drugai.molecules.indexing`) a plain text file is entered at the right byte.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from drugai.errors import ConfigError, DatasetError
from drugai.molecules import delimited, parquet, sdf
from drugai.molecules.batch import MoleculeBatch
from drugai.molecules.caps import DEFAULT_CAPS, Caps
from drugai.molecules.columns import distinct, find_column, infer_id_column, infer_smiles_column
from drugai.molecules.formats import kind_of
from drugai.molecules.sources import LineSource
from drugai.stores import place

if TYPE_CHECKING:
    from drugai.molecules.indexing import LibraryIndex

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LibraryChunk:
    """Consecutive records of a library.

    Attributes:
        smiles: n SMILES as they stand in the file (from SDF: canonical), ``""`` where a record has none.
        ids: n identifiers; the 1-based number of the record where the file has none.
        lines: n line numbers (of a Parquet file: row numbers), from 1.
        reasons: n reasons of damaged records, ``""`` where the record is whole. The SMILES are not checked yet: see :meth:`batch`.
        columns: Further columns that were asked for, strings.
        start: Index of the first record in the file, from 0.
    """

    smiles: list[str]
    ids: list[str]
    lines: list[int]
    reasons: list[str]
    columns: dict[str, list[str]]
    start: int = 0

    def __len__(self) -> int:
        return len(self.smiles)

    def batch(self, caps: Caps = DEFAULT_CAPS, trusted: bool = False, transient: bool = False) -> MoleculeBatch:
        """The molecules of the chunk; damaged records keep their reason."""
        return MoleculeBatch(self.smiles, caps, trusted, self.reasons, transient)


@dataclass(frozen=True)
class Table:
    """A whole small file: every column as strings, the line of each record and the reasons of damaged ones."""

    columns: dict[str, list[str]]
    lines: list[int]
    reasons: list[str]

    def __len__(self) -> int:
        return len(self.lines)


@dataclass
class Block:
    """Some records with the columns that were asked for; what a format gives."""

    lines: list[int]
    columns: dict[str, list[str]]
    reasons: dict[int, str] = field(default_factory=dict)


def read_library(
    path: str | Path,
    smiles: str | None = None,
    ids: str | None = None,
    chunk: int = 8192,
    keep_columns: Sequence[str] = (),
    start: int = 0,
    stop: int | None = None,
    index: LibraryIndex | None = None,
    caps: Caps = DEFAULT_CAPS,
) -> Iterator[LibraryChunk]:
    """Stream a library in chunks, with flat memory.

    Args:
        path: The file; its format is told by its name, packing and encoding by its content.
        smiles: Name of the SMILES column; inferred by name if not given.
        ids: Name of the column of identifiers; inferred by name if not given.
        chunk: Records a chunk.
        keep_columns: Further columns to hand on; ``("*",)`` for all.
        start: First record, from 0.
        stop: Record before which to stop; None for the end.
        index: From :func:`~drugai.molecules.indexing.index_library`, to start in the middle without reading what is before.
        caps: Limits for SDF records, which are turned into SMILES here.

    Yields:
        Chunks of ``chunk`` records, the last one shorter. The same range gives the same rows, however it is cut.

    Raises:
        DatasetError: The file or a named column does not exist, or no column can be taken for the SMILES. Raised at the call, not at the first chunk.
    """
    if chunk < 1 or start < 0 or (stop is not None and stop < start):
        raise ConfigError(f"chunk={chunk}, start={start}, stop={stop}: need chunk >= 1 and 0 <= start <= stop")
    names = column_names(path)
    where = place(path).name
    smiles = find_column(smiles, names, where) if smiles is not None else infer_smiles_column(names)
    if smiles is None:
        raise DatasetError(f"{where}: no column is named like SMILES; name it with smiles=. The columns are: {', '.join(names) or 'none'}")
    ids = find_column(ids, names, where) if ids is not None else infer_id_column(names, smiles)
    open_names = kind_of(path) == "sdf"  # a later record may have properties that the first ones lack
    if tuple(keep_columns) == ("*",):
        keep = tuple(name for name in names if name not in (smiles, ids))
    else:
        keep = tuple(name if open_names and name not in names else find_column(name, names, where) for name in keep_columns)
    wanted = tuple(dict.fromkeys([smiles, *([ids] if ids else []), *keep]))
    entry = index.entry(path, start) if index is not None else (0, 1, 0)
    return _chunks(blocks(path, wanted, entry, start, caps), smiles, ids, keep, chunk, start, stop, entry[0])


def _chunks(
    stream: Iterator[Block], smiles: str, ids: str | None, keep: Sequence[str], chunk: int, start: int, stop: int | None, at: int
) -> Iterator[LibraryChunk]:
    """Cut blocks of any size, the first of which begins at record ``at``, into chunks of one size."""
    wanted = tuple(dict.fromkeys([smiles, *([ids] if ids else []), *keep]))
    held = Block([], {name: [] for name in wanted})
    reasons: list[str] = []
    first = start
    for block in stream:
        n = len(block.lines)
        low, high = max(0, start - at), n if stop is None else min(n, stop - at)
        at += n
        if high > low:
            whole = low == 0 and high == n
            held.lines.extend(block.lines if whole else block.lines[low:high])
            for name in wanted:
                held.columns[name].extend(block.columns[name] if whole else block.columns[name][low:high])
            reasons.extend([""] * (high - low))
            for row, why in block.reasons.items():
                if low <= row < high:
                    reasons[len(reasons) - high + row] = why
        begin = 0
        while len(held.lines) - begin >= chunk:
            yield _one(held, reasons, begin, begin + chunk, smiles, ids, keep, first)
            begin += chunk
            first += chunk
        if begin:
            held = Block(held.lines[begin:], {name: values[begin:] for name, values in held.columns.items()})
            reasons = reasons[begin:]
        if stop is not None and at >= stop:
            break
    if held.lines:
        yield _one(held, reasons, 0, len(held.lines), smiles, ids, keep, first)


def _one(held: Block, reasons: list[str], begin: int, end: int, smiles: str, ids: str | None, keep: Sequence[str], first: int) -> LibraryChunk:
    n = end - begin
    given = held.columns[ids][begin:end] if ids else [""] * n
    return LibraryChunk(
        smiles=held.columns[smiles][begin:end],
        ids=[value or str(first + k + 1) for k, value in enumerate(given)],
        lines=held.lines[begin:end],
        reasons=reasons[begin:end],
        columns={name: held.columns[name][begin:end] for name in keep},
        start=first,
    )


def column_names(path: str | Path) -> tuple[str, ...]:
    """The columns of a file; for SDF ``smiles``, ``id`` (the title line) and the properties of the first hundred records."""
    kind = kind_of(path)
    if kind == "parquet":
        return parquet.names(path)
    source = LineSource(path)
    if kind != "sdf":
        return delimited.read_layout(source, kind).names
    seen = dict.fromkeys(["smiles", "id"])
    for count, (_, lines, _) in enumerate(sdf.cut(source, 1)):
        seen.update(dict.fromkeys(sdf.properties_of(lines)))
        if count >= 99:
            break
    return tuple(seen)


def blocks(path: str | Path, wanted: Sequence[str], entry: tuple[int, int, int] = (0, 1, 0), start: int = 0, caps: Caps = DEFAULT_CAPS) -> Iterator[Block]:
    """Blocks of records with the wanted columns, from an entry point (record, line, byte) on."""
    kind = kind_of(path)
    record, line, offset = entry
    if kind == "parquet":
        at = 1
        for n, columns in parquet.batches(path, wanted):
            yield Block(list(range(at, at + n)), columns)
            at += n
        return
    source = LineSource(path, offset)
    if kind == "sdf":
        yield from _sdf_blocks(source, wanted, line, caps, start - record)
    else:
        layout = delimited.read_layout(LineSource(path), kind)
        picks = [(name, layout.names.index(name)) for name in wanted]
        for rows in delimited.read_rows(source, layout, line):
            yield Block(rows.lines, {name: [cells[k] for cells in rows.cells] for name, k in picks}, rows.reasons)
    if source.damage:
        log.warning("%s: %s; the rows before the break were read", source.path.name, source.damage)


def _sdf_blocks(source: LineSource, wanted: Sequence[str], line: int, caps: Caps, unread: int, size: int = 1000) -> Iterator[Block]:
    block = Block([], {name: [] for name in wanted})
    bad = 0
    for number, (at, lines, why) in enumerate(sdf.cut(source, line)):
        if number < unread:  # before the range that was asked for: cut out, not parsed
            record = sdf.Record(at)
        else:
            record = sdf.Record(at, reason=why) if why else sdf.read_one(at, lines, caps)
        if record.reason:
            block.reasons[len(block.lines)] = record.reason
            bad += 1
        block.lines.append(record.line)
        for name in wanted:
            own = record.smiles if name == "smiles" else record.title if name == "id" else ""
            block.columns[name].append(own or record.properties.get(name, ""))
        if len(block.lines) >= size:
            yield block
            block = Block([], {name: [] for name in wanted})
    if block.lines:
        yield block
    if bad:
        log.warning("%s: %d damaged records keep their rows with a reason", source.path.name, bad)


def read_table(path: str | Path) -> Table:
    """A whole file of moderate size, all columns as strings; for tables of measurements rather than libraries."""
    names = column_names(path)
    columns: dict[str, list[str]] = {name: [] for name in distinct(names, place(path).name)}
    lines: list[int] = []
    reasons: list[str] = []
    for block in blocks(path, names):
        for name in columns:
            columns[name].extend(block.columns[name])
        reasons.extend(block.reasons.get(row, "") for row in range(len(block.lines)))
        lines.extend(block.lines)
    return Table(columns, lines, reasons)
