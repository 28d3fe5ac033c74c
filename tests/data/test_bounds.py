"""Censored cells: refused, learnt from as bounds, or dropped; never taken for values."""

import numpy as np
import pytest

import drugai
from drugai.data.bounds import bounds_of, take_bounds
from drugai.errors import ConfigError, DatasetError

ROWS = ["C" * n + "O" for n in range(1, 9)]  # the alcohols from methanol to octanol


@pytest.fixture
def table(tmp_path):
    cells = ["5.0", ">6", "5.5", "<4.5", "≥ 7", "4.8", "<=4", ""]
    path = tmp_path / "mine.csv"
    path.write_text("SMILES,pIC50\n" + "\n".join(f"{smi},{cell}" for smi, cell in zip(ROWS, cells, strict=True)) + "\n", encoding="utf-8")
    return path


def test_bounds_are_told_from_values_and_from_text():
    rest, lower, upper = take_bounds(["1", ">2", "< 3e-1", "~4", "=>5", "> high", "> 5 nM"])
    assert rest == ["1", "", "", "~4", "", "> high", "> 5 nM"]
    np.testing.assert_array_equal(lower, [np.nan, 2, np.nan, np.nan, 5, np.nan, np.nan])
    np.testing.assert_array_equal(upper, [np.nan, np.nan, 0.3, np.nan, np.nan, np.nan, np.nan])


def test_censored_cells_are_refused_unless_a_choice_is_stated(table):
    with pytest.raises(DatasetError, match=r"line 3: '>6'.*--censored bounds"):
        drugai.read_csv(table, targets=["pIC50"])
    with pytest.raises(ConfigError, match="refuse, bounds, drop"):
        drugai.read_csv(table, targets=["pIC50"], censored="ignore")


def test_a_bound_is_no_value_and_stands_beside(table):
    data = drugai.read_csv(table, censored="bounds")  # the target is found: the column is numeric but for its bounds
    np.testing.assert_array_equal(data.y[:, 0], np.array([5, np.nan, 5.5, np.nan, np.nan, 4.8, np.nan, np.nan], dtype=np.float32))
    found = bounds_of(data)
    np.testing.assert_array_equal(found[:, 0, 0], np.array([np.nan, 6, np.nan, np.nan, 7, np.nan, np.nan, np.nan], dtype=np.float32))
    np.testing.assert_array_equal(found[:, 0, 1], np.array([np.nan, np.nan, np.nan, 4.5, np.nan, np.nan, 4, np.nan], dtype=np.float32))
    assert bounds_of(data.take([0, 1]))[1, 0, 0] == 6


def test_dropped_bounds_leave_no_value_and_a_note(table):
    from drugai.data import read_dataset_with_rejected

    found = read_dataset_with_rejected(table, targets=["pIC50"], censored="drop")
    assert bounds_of(found.dataset) is None
    assert int(np.isnan(found.dataset.y).sum()) == 5
    assert any("2 cells with > and 2 with <" in note for note in found.notes)


def test_a_split_places_rows_of_which_a_bound_is_known(table):
    parts = drugai.split(drugai.read_csv(table, censored="bounds"), method="random", fractions=(0.4, 0.3, 0.3))
    placed = np.sort(np.concatenate([parts.train, parts.valid, parts.test]))
    assert placed.tolist() == [0, 1, 2, 3, 4, 5, 6]  # the last row says nothing


def test_text_is_refused_whatever_the_choice(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("SMILES,y\nCO,1\nCCO,>2\nCCCO,high\n")
    with pytest.raises(DatasetError, match=r"line 4: 'high' is not a number"):
        drugai.read_csv(path, targets=["y"], censored="bounds")


def test_mixed_units_are_refused_with_their_rows(tmp_path):
    path = tmp_path / "units.csv"
    path.write_text("SMILES,IC50,IC50 units\nCO,1,nM\nCCO,2,nM\nCCCO,3,uM\n")
    with pytest.raises(DatasetError, match=r"mixed units by column 'IC50 units': most are 'nM', but units.csv line 4: 'uM'"):
        drugai.read_csv(path, targets=["IC50"])
    path.write_text("SMILES,IC50\nCO,1 nM\nCCO,2 nM\nCCCO,3 uM\n")
    with pytest.raises(DatasetError, match=r"mixed units by its cells.*line 4: 'uM'"):
        drugai.read_csv(path, targets=["IC50"])
    path.write_text("SMILES,IC50,units\nCO,1,nM\nCCO,2,nM\nCCCO,,uM\nCCCCO,4,nM\n")  # a unit without a value mixes nothing
    assert drugai.read_csv(path, targets=["IC50"]).tasks[0].name == "IC50"
