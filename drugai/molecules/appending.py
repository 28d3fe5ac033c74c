"""Tables written chunk by chunk, so that a library of any size goes through in flat memory."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from drugai.errors import DatasetError
from drugai.molecules.formats import kind_of
from drugai.molecules.writing import _cells, _is_text, _packed, atomic_file, neutral


class TableWriter:
    """A CSV, TSV or Parquet file that grows by chunks and takes its name when it is closed whole.

    Example:
        >>> with TableWriter("predictions.csv") as writer:     # doctest: +SKIP
        ...     writer.append({"smiles": ["CCO"], "logS": np.array([1.1])})
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.kind = kind_of(self.path)
        if self.kind not in ("csv", "tsv", "parquet"):
            raise DatasetError(f"{self.path.name}: a stream of rows is written as .csv, .tsv or .parquet (text also with .gz), not as {self.kind}")
        self.rows = 0
        self._names: tuple[str, ...] | None = None
        self._stack = contextlib.ExitStack()
        self._text: Any = None
        self._parquet: Any = None
        self._stream: Any = None

    def __enter__(self) -> TableWriter:
        self._stream = self._stack.enter_context(atomic_file(self.path))
        return self

    def append(self, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> None:
        """Add rows; every chunk must have the same columns."""
        names = tuple(columns)
        if self._names is None:
            self._names = names
        if names != self._names:
            raise DatasetError(f"{self.path.name}: a chunk has the columns {', '.join(names)}, the first had {', '.join(self._names)}")
        self.rows += len(next(iter(columns.values())))
        if self.kind == "parquet":
            self._append_parquet(columns)
            return
        if self._text is None:
            self._text = _packed(self._stream, self.path.name.lower().endswith(".gz"))
            self._writer = csv.writer(self._text, delimiter="," if self.kind == "csv" else "\t", lineterminator="\n")
            self._writer.writerow([neutral(name) for name in names])
        ready = [[neutral(cell) for cell in _cells(values)] if _is_text(values) else _cells(values) for values in columns.values()]
        self._writer.writerows(zip(*ready, strict=True))

    def _append_parquet(self, columns: Mapping[str, Any]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.table({name: _arrow(values) for name, values in columns.items()})
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(pa.PythonFile(self._stream, mode="w"), table.schema, compression="zstd")
        self._parquet.write_table(table.cast(self._parquet.schema))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            if self._parquet is not None:
                self._parquet.close()
            if self._text is not None:
                self._text.flush()
                self._text.close()
        self._stack.__exit__(kind, error, trace)


def _arrow(values: Any) -> Any:
    import pyarrow as pa

    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        return pa.array(values)
    return pa.array([None if value is None else str(value) for value in values], type=pa.string())
