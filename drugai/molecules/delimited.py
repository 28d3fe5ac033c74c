"""Records of CSV, TSV and SMILES text files: rows of cells, one a record, the damaged ones in their place.

Three speeds: a block of lines without a quote is split at its delimiters; one whose lines each hold an even number of quotes goes to the csv module
whole; only the rest is looked at line by line. A cell may run over several lines inside quotes. A quote that is never closed would swallow the rest of the
file: the record is then refused alone and reading goes on at the next line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from drugai.errors import E_RECORD, reason
from drugai.molecules.columns import distinct, infer_smiles_column, looks_like_smiles
from drugai.molecules.sources import RECORD_CAP, LineSource

LOOK_AHEAD = 1000
"""Lines that a quoted cell may span."""


@dataclass
class Rows:
    """Some records of a file."""

    lines: list[int] = field(default_factory=list)
    """1-based line of the file on which each record starts."""
    cells: list[list[str]] = field(default_factory=list)
    """One list of cells a record, all of the header's width."""
    reasons: dict[int, str] = field(default_factory=dict)
    """Position in this block → why the record cannot be used."""


@dataclass(frozen=True)
class Layout:
    """How a text file is laid out.

    Attributes:
        names: Column names, made up where there is no header.
        delimiter: One character, or ``""``: a SMILES, white space, and an optional name.
        header_lines: Lines before the first record.
        named: True where the names stand in the file.
    """

    names: tuple[str, ...]
    delimiter: str
    header_lines: int
    named: bool


def read_layout(source: LineSource, kind: str) -> Layout:
    """The layout of a text file of ``kind`` csv, tsv or smi, found from its first record."""
    first = next((block[0] for block in source if block), "")
    where = source.path.name
    delimiter = _delimiter(first, kind)
    if not delimiter:
        cells = first.split(None, 1)
        if cells and infer_smiles_column(cells[:1]) and not looks_like_smiles(cells[0]):
            return Layout(("smiles", "id"), "", 1, False)
        return Layout(("smiles", "id"), "", 0, False)
    cells = _parse_line(first, delimiter) or first.split(delimiter)
    if infer_smiles_column(cells) is None:
        at = next((k for k, cell in enumerate(cells) if len(cell) > 1 and looks_like_smiles(cell)), None)
        if at is not None:  # the first line is a molecule, so the file has no header
            made = [f"column_{k + 1}" for k in range(len(cells))]
            made[at] = "smiles"
            if len(cells) > 1:
                made[1 if at == 0 else 0] = "id"
            return Layout(tuple(made), delimiter, 0, False)
    return Layout(distinct(cells, where), delimiter, 1, True)


def _delimiter(line: str, kind: str) -> str:
    if kind == "tsv":
        return "\t"
    counts = {mark: line.count(mark) for mark in ",;\t"}
    best = max(counts, key=lambda mark: counts[mark])
    if kind == "csv":
        return best if counts[best] else ","
    # A .smi or .txt file is white-space separated unless its first line is a header cut at something else or it has tabs; what is no text (an archive under
    # such a name) is neither, whatever bytes it holds
    if not line.replace("\t", "").isprintable():
        return ""
    if counts["\t"]:
        return "\t"
    cells = line.split(best) if counts[best] else []
    return best if len(cells) > 1 and infer_smiles_column([cell.strip('"') for cell in cells]) else ""


def read_rows(source: LineSource, layout: Layout, first_line: int = 1) -> Iterator[Rows]:
    """The records of a text file, block by block.

    Args:
        source: The open file; its first line is line ``first_line`` of the file.
        layout: From :func:`read_layout`.
        first_line: 1 at the start of the file (the header is then skipped), else the number of the line at which the source was entered.

    Yields:
        Rows. Blank lines at the end of the file are no records; a blank line within a file of one column is a record with an empty
        SMILES; within a file of several columns it is skipped, as by every CSV reader.
    """
    width = len(layout.names)
    keep_blank = not layout.delimiter or width == 1
    skip = layout.header_lines if first_line == 1 else 0
    number = first_line
    blanks: list[int] = []
    stream = iter(source)
    for block in stream:
        if skip:
            block, number, skip = block[skip:], number + skip, 0
        rows, block = _read_block(block, number, layout, stream)
        if blanks or [] in rows.cells:
            rows, blanks = _place_blanks(rows, blanks, width, keep_blank)
        number += len(block)
        if rows.lines:
            yield rows
    if source.damage:
        yield Rows([number], [[""] * width], {0: reason(E_RECORD, f"{source.damage}; the rows from here on are lost")})


def _read_block(block: list[str], number: int, layout: Layout, stream: Iterator[list[str]]) -> tuple[Rows, list[str]]:
    """Rows of a block, with the block as it was used: it grows when its last record runs into the next."""
    width, delimiter = len(layout.names), layout.delimiter
    if max(map(len, block), default=0) <= 131_072:  # the csv module's own limit for a cell
        numbers = list(range(number, number + len(block)))
        if not delimiter:
            return Rows(numbers, [_split_smiles(line) for line in block]), block
        text = "".join(block)
        if '"' not in text:
            return _fit(Rows(numbers, [line.split(delimiter) if line else [] for line in block]), width), block
        if not any(line.count('"') & 1 for line in block):
            try:
                cells = list(csv.reader(block, delimiter=delimiter))
            except csv.Error:
                cells = []  # one bad line; found below, line by line
            if len(cells) == len(block):
                return _fit(Rows(numbers, cells), width), block
    return _read_carefully(block, number, layout, stream)


def _split_smiles(line: str) -> list[str]:
    parts = line.split(None, 1)
    if len(parts) == 2:
        smi, rest = parts
        if rest.startswith("|"):  # CXSMILES: dropped
            rest = rest[1:].partition("|")[2].strip()
        return [smi, rest.rstrip()]
    return [parts[0], ""] if parts else []


def _fit(rows: Rows, width: int) -> Rows:
    """Every record at the header's width; too many cells are a damaged record, missing ones are empty."""
    for k, cells in enumerate(rows.cells):
        n = len(cells)
        if n == width or not n:
            continue
        if n > width:
            if any(cells[width:]):
                rows.reasons[k] = reason(E_RECORD, f"line {rows.lines[k]}: {n} cells, the header has {width}")
            del cells[width:]
        else:
            cells.extend([""] * (width - n))
    return rows


def _read_carefully(block: list[str], number: int, layout: Layout, stream: Iterator[list[str]]) -> tuple[Rows, list[str]]:
    width, delimiter = len(layout.names), layout.delimiter
    block = list(block)
    rows = Rows()
    at = 0
    while at < len(block):
        line, why, used = block[at], "", 1
        cells: list[str] | None
        if len(line) > RECORD_CAP:
            cells, why = [line[:100]], f"line {number + at} is longer than {RECORD_CAP} characters"
        elif not line:
            cells = []
        elif not delimiter:
            cells = _split_smiles(line)
        elif '"' not in line:
            cells = line.split(delimiter)
        else:
            cells = _parse_line(line, delimiter)
            if cells is None:
                cells, used = _parse_across(block, at, delimiter, width, stream)
            if cells is None:
                cells, why = line[:RECORD_CAP].split(delimiter), f"line {number + at}: a quote is not closed or a cell is too long"
                cells = (cells + [""] * width)[:width]
        if why:
            rows.reasons[len(rows.cells)] = reason(E_RECORD, why)
        rows.lines.append(number + at)
        rows.cells.append(cells)
        at += used
    return _fit(rows, width), block


def _parse_line(line: str, delimiter: str) -> list[str] | None:
    """Cells of one line, None if it ends within quotes or breaks the csv module's rules."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


def _parse_across(block: list[str], at: int, delimiter: str, width: int, stream: Iterator[list[str]]) -> tuple[list[str] | None, int]:
    """Cells of a record that starts at ``block[at]`` and runs over several lines, and their number; None if it never closes."""
    if block[at].count('"') & 1 == 0:
        return None, 1
    length = len(block[at])
    for used in range(2, LOOK_AHEAD + 1):
        if at + used > len(block):
            more = next(stream, None)
            if more is None:
                break
            block.extend(more)
        line = block[at + used - 1]
        length += len(line)
        if length > RECORD_CAP:
            break
        if line.count('"') & 1:
            try:
                cells = next(csv.reader(chain((part + "\n" for part in block[at : at + used - 1]), [line]), delimiter=delimiter, strict=True))
            except csv.Error:
                break
            # A stray quote pairs up with the next stray quote: then the cells do not fit the header
            return (cells, used) if len(cells) == width else (None, 1)
    return None, 1


def _place_blanks(rows: Rows, blanks: list[int], width: int, keep: bool) -> tuple[Rows, list[int]]:
    """Blank lines turned into empty records, or dropped; those at the end wait until something follows."""
    out = Rows()
    for k, (line, cells) in enumerate(zip(rows.lines, rows.cells, strict=True)):
        if not cells:
            blanks.append(line)
            continue
        if keep:
            out.lines.extend(blanks)
            out.cells.extend([""] * width for _ in blanks)
        blanks = []
        if k in rows.reasons:
            out.reasons[len(out.cells)] = rows.reasons[k]
        out.lines.append(line)
        out.cells.append(cells)
    return out, blanks
