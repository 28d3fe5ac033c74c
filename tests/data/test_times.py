"""Dates sort in time whatever way they are written."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.data.times import read_times
from drugai.errors import DatasetError


def test_iso_dates_months_and_times_sort():
    texts = np.array(["2021-03-09", "2021-03", "2021-03-09T12:00:00", "2020-12-31"], dtype=object)
    assert np.argsort(read_times(texts, "d", "date", np.arange(4))).tolist() == [3, 1, 0, 2]


def test_years_are_numbers():
    assert read_times(np.array([2001.0, 1999.0]), "d", "year", np.arange(2)).tolist() == [2001.0, 1999.0]


def test_a_cell_that_is_no_date_is_named():
    with pytest.raises(DatasetError, match="row 1: 'last spring'"):
        read_times(np.array(["2021-03-09", "last spring"], dtype=object), "d", "date", np.arange(2))


def test_only_the_rows_that_are_placed_need_a_date():
    times = read_times(np.array(["2021-03-09", ""], dtype=object), "d", "date", np.array([0]))
    assert np.isnan(times[1])
