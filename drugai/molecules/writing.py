"""Tables of molecules to files: CSV, TSV, SMILES, SDF and Parquet, each also gzipped.

Written beside and renamed, so that a file is whole or not there. In CSV and TSV a text cell that a spreadsheet would run as a formula gets an apostrophe in front;
numbers, and identifiers such as ``-001``, stay as they are.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem, rdBase

from drugai.errors import DatasetError
from drugai.molecules.arrow import to_arrow
from drugai.molecules.columns import infer_id_column, infer_smiles_column
from drugai.molecules.formats import kind_of

# What a spreadsheet takes for a formula begins with one of these; tab and carriage return are cut off before it looks.
_FORMULA = re.compile(r"^[\t\r\n ]*[=+\-@]")
# A sign and then only digits, letters and separators without an operator or a call: "-001", "+1.5e-3", "-OH"
_HARMLESS = re.compile(r"^[+\-][\w.,]*(?:[eE][+\-]\d+)?$")


def write_table(path: str | Path, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> Path:
    """Write columns of equal length; the format is told by the name.

    Args:
        path: ``.csv``, ``.tsv``, ``.smi``, ``.sdf`` or ``.parquet``, the text formats also with ``.gz``.
        columns: Name → n values. NaN and None become empty cells. ``.smi`` and ``.sdf`` need a column named like SMILES.

    Returns:
        The path.

    Raises:
        DatasetError: Columns of different lengths, or none that holds SMILES where one is needed.
    """
    target = Path(path)
    kind = kind_of(target)
    lengths = {name: len(values) for name, values in columns.items()}
    if not lengths or len(set(lengths.values())) != 1:
        raise DatasetError(f"{target.name}: columns need one common length, got {lengths or 'no columns'}")
    if kind == "parquet":
        _write_parquet(target, columns)
        return target
    with atomic_file(target) as stream:
        text = _packed(stream, target.name.lower().endswith(".gz"))
        if kind in ("csv", "tsv"):
            _write_delimited(text, columns, "," if kind == "csv" else "\t")
        elif kind == "smi":
            _write_smiles(text, columns, target.name)
        else:
            _write_sdf(text, columns, target.name)
        text.flush()
        text.close()
    return target


@contextlib.contextmanager
def atomic_file(path: str | Path) -> Iterator[Any]:
    """A binary stream to a file beside ``path`` that takes its name once it is whole and on the disk; on an error nothing is left."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as stream:
            yield _Unclosed(stream)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


class _Unclosed(io.RawIOBase):
    """A writable stream whose closing leaves the file open, so that it can be synced after the packers above it have finished."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        count: int = self._stream.write(data)
        return count


def _packed(stream: Any, gzipped: bool) -> io.TextIOWrapper:
    # mtime=0: the same table gives the same bytes
    binary = gzip.GzipFile(filename="", fileobj=stream, mode="wb", mtime=0, compresslevel=6) if gzipped else io.BufferedWriter(stream, 1 << 20)
    return io.TextIOWrapper(binary, encoding="utf-8", newline="")  # type: ignore[type-var]


def neutral(cell: str) -> str:
    """A text cell that no spreadsheet runs as a formula.

    Example:
        >>> neutral("=HYPERLINK(1)"), neutral("-001"), neutral("aspirin")
        ("'=HYPERLINK(1)", '-001', 'aspirin')
    """
    return "'" + cell if _FORMULA.match(cell) and not _HARMLESS.match(cell) else cell


def _cells(values: Sequence[Any] | np.ndarray) -> list[str]:
    """Values as text: the shortest digits that read back as the same number, ``""`` for NaN and None."""
    array = values if isinstance(values, np.ndarray) else None
    if array is not None and array.dtype.kind in "biu":
        return [str(value) for value in array.tolist()]
    if array is not None and array.dtype.kind == "f":
        # repr of a float32 through its own type: 0.1, not 0.10000000149011612
        return ["" if text == "nan" else text for text in array.astype(str).tolist()]
    return [_cell(value) for value in values]


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, (float, np.floating)) and value != value):
        return ""
    if isinstance(value, (list, tuple)):
        return "; ".join(map(str, value))
    return str(value)


def _is_text(values: Sequence[Any] | np.ndarray) -> bool:
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        return False
    return any(isinstance(value, (str, list, tuple)) for value in values)


def _write_delimited(text: io.TextIOWrapper, columns: Mapping[str, Any], delimiter: str) -> None:
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow([neutral(name) for name in columns])
    ready = [[neutral(cell) for cell in _cells(values)] if _is_text(values) else _cells(values) for values in columns.values()]
    writer.writerows(zip(*ready, strict=True))


def _roles(columns: Mapping[str, Any], where: str) -> tuple[str, str | None]:
    smiles = infer_smiles_column(list(columns))
    if smiles is None:
        raise DatasetError(f"{where}: no column is named like SMILES; the columns are: {', '.join(columns)}")
    return smiles, infer_id_column(list(columns), smiles)


def _write_smiles(text: io.TextIOWrapper, columns: Mapping[str, Any], where: str) -> None:
    smiles, ids = _roles(columns, where)
    names = _cells(columns[ids]) if ids else [""] * len(columns[smiles])
    for smi, name in zip(_cells(columns[smiles]), names, strict=True):
        text.write(f"{smi} {' '.join(name.split())}".rstrip() + "\n")


def _write_sdf(text: io.TextIOWrapper, columns: Mapping[str, Any], where: str) -> None:
    from drugai.molecules.batch import MoleculeBatch

    smiles, ids = _roles(columns, where)
    cells = {name: _cells(values) for name, values in columns.items()}
    batch = MoleculeBatch(cells[smiles])
    for row, mol in enumerate(batch.full_mols):
        with rdBase.BlockLogs():
            # a molecule without atoms keeps the row of a SMILES that cannot be read
            block = Chem.MolToMolBlock(mol if mol is not None else Chem.Mol())
        title = " ".join(cells[ids][row].split())[:80] if ids else ""
        text.write(title + "\n" + block.split("\n", 1)[1])
        for name, values in cells.items():
            # a blank line would end the property and "$$$$" the record
            value = "\n".join(line for line in values[row].splitlines() if line.strip()).replace("$$$$", "$$$")
            text.write(f">  <{name.replace('<', '(').replace('>', ')')}>\n{value}\n\n")
        text.write("$$$$\n")


def _write_parquet(target: Path, columns: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    ready = {name: to_arrow(values if isinstance(values, np.ndarray) and values.dtype.kind in "biuf" else list(values)) for name, values in columns.items()}
    with atomic_file(target) as stream:
        pq.write_table(pa.table(ready), pa.PythonFile(stream, mode="w"), compression="zstd")
