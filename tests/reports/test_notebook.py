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


def test_what_an_optimisation_found_is_a_table_of_the_best_with_structures():
    from drugai.generation import optimize
    from drugai.scoring import product_of, qed

    found = optimize(None, product_of(qed()), budget=30, start=["CC(=O)Oc1ccccc1C(=O)O"])  # from aspirin
    html = to_html(found, rows=5)
    assert html.count('<svg class="mol"') == 5
    assert f"The first 5 of {len(found)} rows" in html
    assert html.index("<th>rank</th>") < html.index("<th>total</th>")


def test_a_shown_table_is_html_in_a_notebook_and_a_sentence_elsewhere(predictions):
    from drugai.reports import show

    shown = show(predictions, ["CCO", "c1ccccc1"])
    assert shown._repr_html_() == to_html(predictions, ["CCO", "c1ccccc1"])
    assert repr(shown) == "Predictions of 2 rows; a notebook shows them as a table"
