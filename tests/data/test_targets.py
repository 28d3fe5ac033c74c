"""Text to numbers: what is missing, what is a number, what is refused and how."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.data.targets import infer_task, is_numeric, parse_values
from drugai.errors import DatasetError


def places(n: int) -> list[str]:
    return [f"mine.csv line {row + 2}" for row in range(n)]


def test_numbers_and_missing_cells_are_told_apart():
    cells = ["6.5", " -1e-3 ", "", "NA", "nan", "null", ".5"]
    values = parse_values(cells, places(7), "y")
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, [6.5, -0.001, np.nan, np.nan, np.nan, np.nan, 0.5], rtol=1e-6)


def test_text_in_a_target_is_refused_with_its_lines_ten_at_most():
    with pytest.raises(DatasetError) as caught:
        parse_values(["1.0", *["high"] * 12], places(13), "y")
    text = str(caught.value)
    assert "mine.csv line 3: 'high'" in text
    assert "mine.csv line 12" in text
    assert "line 13" not in text
    assert "and 2 more" in text


@pytest.mark.parametrize("cell", [">10", "< 5.0", ">=4", "~7", "≤3"])
def test_a_censored_value_is_named_as_one(cell):
    with pytest.raises(DatasetError, match=r"line 3: .* is a bound"):
        parse_values(["1", cell], places(2), "pIC50")


def test_infinite_and_overflowing_values_are_refused():
    with pytest.raises(DatasetError, match="no finite value"):
        parse_values(["1", "1e300"], places(2), "y")
    with pytest.raises(DatasetError, match="'inf' is not a number"):
        parse_values(["1", "inf"], places(2), "y")


def test_true_and_false_are_classes():
    assert parse_values(["True", "false", ""], places(3), "y").tolist()[:2] == [1.0, 0.0]


def test_words_become_classes_in_the_order_of_the_card():
    values = parse_values(["BBB+", "BBB-"], places(2), "y", classes=("BBB-", "BBB+"))
    assert values.tolist() == [1.0, 0.0]
    with pytest.raises(DatasetError, match="is not one of BBB-, BBB"):
        parse_values(["BBB?"], places(1), "y", classes=("BBB-", "BBB+"))


def test_ic50_in_nanomolar_becomes_pic50():
    # 10 nM = 1e-8 mol/L: pIC50 8; 1 µM: 6 (by hand)
    values = parse_values(["10", "1000"], places(2), "IC50", transform="nM_to_pX")
    np.testing.assert_allclose(values, [8, 6], rtol=1e-6)


def test_ids_with_leading_zeros_are_no_numbers():
    assert not is_numeric(["00123", "00124"])
    assert is_numeric(["0", "0.5", "", "-0.25"])
    assert not is_numeric(["", "NA"])


def test_zero_and_one_are_binary_and_anything_else_regression():
    assert infer_task("y", np.array([0, 1, np.nan, 1], np.float32)).kind == "binary"
    assert infer_task("y", np.array([1, 2, 1], np.float32)).kind == "regression"
    assert infer_task("y", np.array([0, 1], np.float32), "regression").kind == "regression"
    assert infer_task("y", np.array([0, 2, 1], np.float32), "multiclass").n_classes == 3


def test_a_constant_or_empty_target_is_refused_with_the_reason():
    with pytest.raises(DatasetError, match="constant: every value is 3"):
        infer_task("y", np.array([3, 3, np.nan], np.float32))
    with pytest.raises(DatasetError, match="no value at all"):
        infer_task("y", np.array([np.nan, np.nan], np.float32))
    with pytest.raises(DatasetError, match="classes are 0 and 1"):
        infer_task("y", np.array([1, 2], np.float32), "binary")
