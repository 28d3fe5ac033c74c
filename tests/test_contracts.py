from dataclasses import replace

import numpy as np
import pytest

from drugai.contracts import Dataset, Predictions, Split, Task
from drugai.errors import DatasetError

ETHANOL, BENZENE, ASPIRIN = "CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O"


def dataset() -> Dataset:
    tasks = (Task("logS", "regression", "log mol/L"), Task("toxic", "binary"))
    y = np.array([[1.1, 0], [np.nan, 1], [-2.1, np.nan]])
    return Dataset("three", (ETHANOL, BENZENE, ASPIRIN), y, tasks, ("a", "b", "c"), {"year": np.array([1999, 2004, 2020])})


def test_take_keeps_order_values_and_columns():
    part = dataset().take([2, 0])
    assert part.smiles == (ASPIRIN, ETHANOL)
    assert part.ids == ("c", "a")
    assert part.columns["year"].tolist() == [2020, 1999]
    assert part.y[1].tolist() == pytest.approx([1.1, 0])


def test_select_keeps_the_named_task_and_refuses_an_unknown_one():
    assert dataset().select(["toxic"]).y.shape == (3, 1)
    with pytest.raises(DatasetError, match="its tasks are logS, toxic"):
        dataset().select(["colour"])


def test_checksum_depends_on_every_value():
    changed = dataset()
    y = changed.y.copy()
    y[0, 0] += 1e-3
    assert Dataset("three", changed.smiles, y, changed.tasks, changed.ids).checksum != dataset().checksum
    assert dataset().checksum == dataset().checksum


def test_wrong_shapes_are_refused():
    with pytest.raises(DatasetError, match="expected"):
        Dataset("bad", (ETHANOL,), np.zeros((2, 1)), (Task("a", "regression"),))


@pytest.mark.parametrize(("train", "valid", "test"), [([0, 1], [1], [2]), ([], [1], [2]), ([0, 0], [1], [2])])
def test_split_refuses_overlap_emptiness_and_repeats(train, valid, test):
    with pytest.raises(DatasetError):
        Split(np.array(train, dtype=int), np.array(valid), np.array(test), "random")


def test_predictions_as_columns_end_with_the_reason():
    found = Predictions((Task("logS", "regression"),), np.array([[1.0], [np.nan]]), ("", "E_PARSE: unclosed ring"), std=np.array([[0.1], [np.nan]]))
    assert list(found.to_columns()) == ["logS", "logS_std", "reason"]
    with pytest.raises(DatasetError, match="shape"):
        Predictions((Task("logS", "regression"),), np.zeros((3, 1)), ("",))


def test_taking_rows_of_predictions_takes_their_class_sets_along():
    from drugai.contracts import Predictions, Task

    found = Predictions((Task("a", "binary"),), np.array([[0.1], [0.9]]), ("", ""), sets={"a": np.array(["0", "1"], dtype=object)})
    assert found.take([1]).sets["a"].tolist() == ["1"]


def test_weights_go_with_their_molecules_and_are_numbers_of_0_or_more():
    weighed = replace(dataset(), weights=[0.5, 1, 2])
    assert weighed.take([2, 0]).weights.tolist() == [2.0, 0.5]
    assert dataset().take([0]).weights is None
    with pytest.raises(DatasetError, match=r"'three': row 2: -1, row 3: nan is no weight"):
        replace(dataset(), weights=[1, -1, np.nan])
    with pytest.raises(DatasetError, match="one a molecule"):
        replace(dataset(), weights=[1.0])
