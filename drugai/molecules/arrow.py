"""Arrow columns from arrays and texts, and back, through their buffers: pyarrow's own converters import pandas, which costs a process half a CPU-second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_NUMPY = {"halffloat": "float16", "float": "float32", "double": "float64"}
"""Arrow's names of the types that numpy calls otherwise."""


def to_arrow(values: Sequence[Any] | np.ndarray, *, nan_is_null: bool = False) -> Any:
    """Values as an Arrow array.

    Args:
        values: ``[n]`` numbers or bools as a numpy array, or n texts, None among them as null. Anything else goes through pyarrow's converter.
        nan_is_null: Whether a NaN becomes null, so that the statistics of a Parquet file make sense.

    Returns:
        An Arrow array of the numpy type, or of strings.
    """
    import pyarrow as pa

    if isinstance(values, np.ndarray):
        if values.dtype.kind in "iuf" and values.ndim == 1:
            return _numbers(values, nan_is_null)
        return pa.array(values, from_pandas=nan_is_null)
    found = list(values)
    if found and all(value is None or isinstance(value, str) for value in found) and not all(value is None for value in found):
        return _texts(found)
    return pa.array(found)


def texts_to_arrow(texts: Sequence[str]) -> Any:
    """n texts, none of them None, as an Arrow array of strings; also for n = 0."""
    return _texts(list(texts))


def numbers_of(column: Any) -> np.ndarray:
    """The numbers ``[n]`` of an Arrow column, NaN for null (an integer column with nulls becomes float64)."""
    import pyarrow as pa

    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # more than one array can hold
        return np.concatenate([numbers_of(chunk) for chunk in array.chunks])
    n, offset = len(array), array.offset
    dtype = np.dtype(_NUMPY.get(str(array.type), str(array.type)))
    validity, data = array.buffers()
    if n == 0 or data is None:
        return np.zeros(0, dtype=dtype)
    values = np.frombuffer(data, dtype=dtype)[offset : offset + n]
    if array.null_count == 0:
        return values
    known = np.unpackbits(np.frombuffer(validity, dtype=np.uint8), bitorder="little")[offset : offset + n].astype(bool)
    return np.where(known, values, np.nan).astype(dtype if dtype.kind == "f" else np.float64)


def _numbers(values: np.ndarray, nan_is_null: bool) -> Any:
    import pyarrow as pa

    kept = np.ascontiguousarray(values)
    validity, nulls = None, 0
    if nan_is_null and kept.dtype.kind == "f":
        missing = np.isnan(kept)
        nulls = int(missing.sum())
        if nulls:
            kept = np.where(missing, kept.dtype.type(0), kept)
            validity = pa.py_buffer(np.packbits(~missing, bitorder="little"))
    return pa.Array.from_buffers(pa.from_numpy_dtype(kept.dtype), len(kept), [validity, pa.py_buffer(kept)], nulls)


def _texts(texts: Sequence[str | None]) -> Any:
    import pyarrow as pa

    encoded = [b"" if text is None else text.encode("utf-8") for text in texts]
    ends = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in encoded], out=ends[1:])
    if ends[-1] > np.iinfo(np.int32).max:  # the string type counts in 32 bits
        return pa.array(list(texts), type=pa.string())
    known = np.array([text is not None for text in texts], dtype=bool)
    nulls = int((~known).sum())
    validity = pa.py_buffer(np.packbits(known, bitorder="little")) if nulls else None
    return pa.Array.from_buffers(pa.string(), len(encoded), [validity, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(b"".join(encoded))], nulls)
