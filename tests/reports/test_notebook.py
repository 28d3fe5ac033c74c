"""Predictions and Hits in a notebook."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.contracts import Predictions, Task
from drugai.errors import DatasetError
from drugai.reports import show_in_notebooks, to_html


@pytest.fixture
def predictions() -> Predictions:
    mean = np.array([[-0.77], [np.nan]], dtype=np.float32)
    return Predictions((Task("logS", "regression", "log mol/L"),), mean, ("", "E_PARSE: <b>unclosed</b> ring"), std=np.array([[0.1], [np.nan]], dtype=np.float32))


def test_predictions_are_a_table_with_units_structures_and_reasons(predictions):
    html = to_html(predictions, ["CCO", "c1ccccc"])  # ethanol, an unclosed ring
    assert "<th>logS [log mol/L]</th>" in html
    assert "<td>-0.77</td>" in html
    assert html.count('<svg class="mol"') == 1
    assert "c1ccccc" in html
    assert "&lt;b&gt;unclosed" in html


def test_predictions_without_smiles_have_no_structures(predictions):
    assert "<svg" not in to_html(predictions)


def test_the_wrong_number_of_smiles_is_refused(predictions):
    with pytest.raises(DatasetError, match="1 SMILES for 2 predictions"):
        to_html(predictions, ["CCO"])


def test_only_the_first_rows_are_shown_and_the_rest_counted():
    many = Predictions((Task("x", "regression"),), np.arange(100, dtype=np.float32)[:, None], ("",) * 100)
    html = to_html(many, rows=10)
    assert html.count("<tr>") == 11
    assert "The first 10 of 100 rows" in html


def test_a_running_notebook_gets_the_tables_and_outside_of_one_nothing_happens(predictions):
    show_in_notebooks()
    known: dict[type, object] = {}

    class Formatter:
        def for_type(self, kind: type, function: object) -> None:
            known[kind] = function

    class Shell:
        class display_formatter:
            formatters = {"text/html": Formatter()}  # noqa: RUF012

    show_in_notebooks(Shell())
    assert known[Predictions] is to_html
