"""Rows for a page: numbers as JSON can hold them, groups, and a clear refusal of columns that do not fit."""

import json

import numpy as np
import pytest

from drugai.errors import DatasetError
from drugai.reports import render
from drugai.reports.tables import Column, RowTable, rounded


def test_numbers_become_json_and_missing_ones_null():
    assert rounded(np.array([0.123456789, np.nan, np.inf, 2.0])) == [0.12346, None, None, 2.0]
    assert rounded(np.array([3, 4])) == [3, 4]


def test_whole_numbers_are_shown_without_a_point_and_a_rank_is_sorted_upwards():
    found = Column("rank", np.array([1, 2]), ascending=True).payload()
    assert (found["kind"], found["digits"], found["ascending"]) == ("number", 0, True)
    assert Column("QED", np.array([0.5])).payload()["ascending"] is False


def test_columns_of_another_length_are_refused_by_name():
    with pytest.raises(DatasetError, match=r"2 rows needs 2 values.*QED: 1"):
        RowTable("hits", ["C", "CC"], [Column("QED", np.array([0.5]))])


def test_equal_scaffolds_are_one_group_and_molecules_without_rings_one_each():
    table = RowTable("hits", ["c1ccccc1C", "CC", "c1ccccc1", "CCC"], [], groups={"scaffold": ["c1ccccc1", "", "c1ccccc1", ""]})
    assert table.payload()["groups"]["scaffold"] == [0, 1, 0, 3]


def test_a_script_in_a_text_cannot_close_the_json_element():
    table = RowTable("hits", ["C"], [Column("id", ["</script><script>alert(1)</script>"])])
    html = render("table.html", table=table)
    assert "<script>alert" not in html
    start = html.index('id="rows">') + len('id="rows">')
    payload = json.loads(html[start : html.index("</script>", start)])
    assert payload["columns"][0]["values"] == ["</script><script>alert(1)</script>"]


def test_values_outside_the_domain_are_named_by_their_rows():
    assert Column("x", np.array([1.0, 2.0, 3.0]), doubtful=np.array([False, True, True])).payload()["doubtful"] == [1, 2]
    assert "doubtful" not in Column("x", np.array([1.0]), doubtful=np.array([False])).payload()
