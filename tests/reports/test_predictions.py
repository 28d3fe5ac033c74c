"""The page of predictions: every row, its interval and domain, its reason."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.contracts import Predictions, Task
from drugai.errors import DatasetError
from drugai.reports.predictions import predictions_page, predictions_table

TASKS = (Task("logS", "regression", "log mol/L"), Task("toxic", "binary"))
SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "c1ccccc", "CCO"]  # aspirin, an unclosed ring, ethanol


@pytest.fixture
def found() -> Predictions:
    mean = np.array([[-1.7, 0.1], [np.nan, np.nan], [1.1, 0.2]])
    return Predictions(
        TASKS, mean, ("", "E_PARSE: unclosed ring", ""), std=np.full((3, 2), 0.3), lower=mean - 1, upper=mean + 1, level=0.9,
        domain=np.array([0.8, np.nan, 0.2]), domain_limit=0.4, sets={"toxic": np.array(["0", "", "0 1"], dtype=object)},
    )  # fmt: skip


def test_every_row_is_there_in_order_with_what_is_known_of_it(found):
    columns = {column.label: column for column in predictions_table(found, SMILES, ["a", "b", "c"]).columns}
    assert list(columns) == ["row", "id", "logS", "toxic", "toxic set", "domain", "in domain", "reason"]
    assert columns["logS"].payload()["values"] == [-1.7, None, 1.1]
    assert columns["logS"].payload()["lower"] == [-2.7, None, 0.1]
    assert "std" not in columns["logS"].payload()  # the interval says it
    assert "90%" in columns["logS"].help
    assert columns["in domain"].values == ["in", "", "out"]
    assert columns["logS"].payload()["doubtful"] == [2]
    assert columns["reason"].values[1] == "E_PARSE: unclosed ring"


def test_without_intervals_the_standard_deviation_is_shown(found):
    plain = Predictions(TASKS, found.mean, found.reasons, std=found.std)
    [_, _, logs, *_] = predictions_table(plain, SMILES).columns
    assert logs.payload()["std"] == [0.3, 0.3, 0.3]
    assert "standard deviation" in logs.help


def test_the_page_says_how_many_could_not_be_used_and_escapes_names(found, tmp_path):
    text = predictions_page(found, SMILES, tmp_path / "page.html", ids=["<script>x</script>", "b", "c"]).read_text()
    assert "1 could not be used: 1 E_PARSE." in text
    assert "<script>x" not in text
    assert "logS [log mol/L]" in text


def test_a_wrong_number_of_smiles_is_refused(found):
    with pytest.raises(DatasetError, match="3 predictions came with 2 SMILES"):
        predictions_table(found, SMILES[:2])
