"""Arrow columns and back give what pyarrow's own converters give."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from drugai.molecules.arrow import numbers_of, texts_to_arrow, to_arrow


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "uint8"])
def test_numbers_are_those_of_pyarrow(dtype):
    values = np.arange(17).astype(dtype)
    assert to_arrow(values).equals(pa.array(values))
    assert np.array_equal(numbers_of(to_arrow(values)), values)


def test_nan_becomes_null_where_asked_and_comes_back():
    values = np.array([1.5, np.nan, 3.0, np.nan], dtype=np.float32)
    assert to_arrow(values, nan_is_null=True).equals(pa.array(values, from_pandas=True))
    assert to_arrow(values).null_count == 0
    assert np.array_equal(numbers_of(to_arrow(values, nan_is_null=True)), values, equal_nan=True)


@pytest.mark.parametrize("texts", [["C", "", "ß∆"], ["C", None, "CC"], []])
def test_texts_are_those_of_pyarrow(texts):
    expected = pa.array(texts, type=pa.string())
    assert (texts_to_arrow(texts) if None not in texts else to_arrow(texts)).equals(expected)


def test_other_lists_go_through_pyarrow():
    assert to_arrow([1, None, 3]).equals(pa.array([1, None, 3]))
    assert to_arrow([None, None]).equals(pa.array([None, None]))
    assert to_arrow(np.array([True, False])).equals(pa.array([True, False]))


def test_slices_and_chunks_keep_their_place():
    whole = pa.array([1.0, None, 3.0, 4.0, None, 6.0])
    assert np.array_equal(numbers_of(whole.slice(2, 3)), [3.0, 4.0, np.nan], equal_nan=True)
    assert np.array_equal(numbers_of(pa.chunked_array([whole.slice(0, 1), whole.slice(3, 3)])), [1.0, 4.0, np.nan, 6.0], equal_nan=True)
    assert np.array_equal(numbers_of(pa.array([1, None], type=pa.int64())), [1.0, np.nan], equal_nan=True)
    assert len(numbers_of(pa.array([], type=pa.float32()))) == 0


def test_pandas_is_not_imported():
    program = (
        "import sys, numpy as np; from drugai.molecules.arrow import numbers_of, to_arrow; "
        "numbers_of(to_arrow(np.array([1.0, np.nan]), nan_is_null=True)); to_arrow(['a', None]); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
