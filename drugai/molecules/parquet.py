"""Parquet files as columns of strings, batch by batch."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

from drugai.errors import DatasetError
from drugai.molecules.sources import LineSource
from drugai.stores import place


def names(path: str | Path) -> tuple[str, ...]:
    """The columns of the file."""
    with _open(path) as file:
        return tuple(file.schema_arrow.names)


def count(path: str | Path) -> int:
    """The rows of the file, from its footer."""
    with _open(path) as file:
        return int(file.metadata.num_rows)


def batches(path: str | Path, wanted: Sequence[str], size: int = 8192) -> Iterator[tuple[int, dict[str, list[str]]]]:
    """(number of rows, column name -> cells as strings) of consecutive rows."""
    with _open(path) as file:
        for batch in file.iter_batches(batch_size=size, columns=list(wanted)):
            yield batch.num_rows, {name: _strings(batch.column(name)) for name in wanted}


@contextlib.contextmanager
def _open(path: str | Path) -> Iterator[Any]:
    """A pyarrow ParquetFile; the whole file may be gzipped once more."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    packed = LineSource(path).gzipped  # also says in our words that a file is missing
    with cast("IO[bytes]", gzip.open(place(path).open("rb"))) if packed else place(path).open("rb") as stream:
        try:
            file = pq.ParquetFile(stream)
        except pa.ArrowInvalid as error:
            raise DatasetError(f"{path} is not a Parquet file ({error}); give a file that Parquet wrote") from error
        yield file


def _strings(column: Any) -> list[str]:
    """Cells of an Arrow array as text: ``""`` for null and for a missing number, the shortest digits of a float32."""
    import pyarrow as pa

    if pa.types.is_floating(column.type):
        return ["" if text == "nan" else text for text in column.to_numpy(zero_copy_only=False).astype(str).tolist()]
    return ["" if value is None else str(value) for value in column.to_pylist()]
