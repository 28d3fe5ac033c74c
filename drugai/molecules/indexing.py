"""Where the records of a library are: their number, and the bytes at which a reader can enter.

A shard of a large library is a range of records. Without an index a worker reads the file from the start to reach its range (fast, but once a shard); with one
it seeks. Gzipped and UTF-16 files cannot be entered in the middle; their index has the count alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from drugai.errors import ConfigError, DatasetError
from drugai.molecules import delimited, parquet, sdf
from drugai.molecules.formats import kind_of
from drugai.molecules.sources import LineSource
from drugai.stores import place


@dataclass(frozen=True)
class LibraryIndex:
    """Entry points into a library.

    Attributes:
        records: Number of records.
        every: Records between two entry points.
        size: Bytes of the file when it was indexed.
        lines: Line of each entry point; the k-th is the start of record ``k * every``.
        offsets: Byte of each entry point; empty where the file cannot be entered.
    """

    records: int
    every: int
    size: int
    lines: tuple[int, ...] = ()
    offsets: tuple[int, ...] = ()

    def entry(self, path: str | Path, start: int) -> tuple[int, int, int]:
        """(record, line, byte) of the last entry point at or before record ``start``."""
        size = place(path).stat().st_size
        if size != self.size:
            raise DatasetError(f"{path} has {size} bytes, its index was made when it had {self.size}; index it again")
        if not self.offsets:
            return 0, 1, 0
        k = min(start // self.every, len(self.offsets) - 1)
        return (k * self.every, self.lines[k], self.offsets[k]) if k else (0, 1, 0)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LibraryIndex:
        """From :meth:`to_dict`, also after JSON."""
        return cls(data["records"], data["every"], data["size"], tuple(data["lines"]), tuple(data["offsets"]))


def count_molecules(path: str | Path) -> int:
    """The number of records that :func:`~drugai.molecules.reading.read_library` gives for a whole file, without any chemistry."""
    if kind_of(path) == "parquet":
        return parquet.count(path)
    return sum(1 for _ in _starts(path))


def index_library(path: str | Path, every: int = 100_000) -> LibraryIndex:
    """Index a library: its count, and for plain text a byte offset every so many records.

    Args:
        path: The file.
        every: Records between two entry points.
    """
    if every < 1:
        raise ConfigError(f"every={every}: an index has an entry point every 1 or more records")
    size = place(path).stat().st_size if place(path).is_file() else 0
    if kind_of(path) == "parquet":
        return LibraryIndex(parquet.count(path), every, size)
    lines: list[int] = []
    records = 0
    for records, line in enumerate(_starts(path), start=1):
        if (records - 1) % every == 0:
            lines.append(line)
    source = LineSource(path)
    if not source.seekable or source.carriage_return:
        return LibraryIndex(records, every, size)
    return LibraryIndex(records, every, size, tuple(lines), tuple(_offsets(source, lines)))


def _starts(path: str | Path) -> Iterator[int]:
    """Line of each record."""
    kind = kind_of(path)
    source = LineSource(path)
    if kind == "sdf":
        yield from sdf.record_starts(source)
        return
    layout = delimited.read_layout(source, kind)
    for rows in delimited.read_rows(source, layout):
        yield from rows.lines


def _offsets(source: LineSource, lines: Iterable[int]) -> Iterator[int]:
    """Byte at which each of some ascending lines (from 1) starts."""
    wanted = iter(lines)
    line = next(wanted, None)
    if line == 1:
        yield 0
        line = next(wanted, None)
    passed, base = 0, 0  # line ends and bytes before this block
    with source.path.open("rb") as stream:
        while line is not None and (block := stream.read(1 << 22)):
            ends = block.count(b"\n")
            while line is not None and line - 1 <= passed + ends:
                yield base + _after(block, line - 1 - passed)
                line = next(wanted, None)
            passed += ends
            base += len(block)


def _after(block: bytes, ends: int) -> int:
    """Position behind the ``ends``-th line end."""
    at = 0
    for _ in range(ends):
        at = block.index(b"\n", at) + 1
    return at
