"""Files of one's own and cards become Datasets; what cannot be used is said in words."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from drugai import catalogue
from drugai.contracts import Dataset
from drugai.data import read_csv, read_dataset, read_dataset_with_rejected
from drugai.errors import ConfigError, DatasetError


def test_smiles_ids_and_the_one_numeric_column_are_inferred_and_noted(write, caplog):
    path = write("mine.csv", "compound_id,Canonical SMILES,source,pIC50", "A-001,CCO,lab,5.5", "A-002,c1ccccc1,lab,6.5")  # ethanol, benzene
    with caplog.at_level(logging.INFO, "drugai.data.reading"):
        result = read_dataset_with_rejected(path)
    data = result.dataset
    assert data.smiles == ("CCO", "c1ccccc1")
    assert data.ids == ("A-001", "A-002")
    assert data.name == "mine"
    assert [task.name for task in data.tasks] == ["pIC50"]
    assert data.tasks[0].kind == "regression"
    assert data.columns["source"].tolist() == ["lab", "lab"]
    assert any("'Canonical SMILES'" in note for note in result.notes)
    assert any("'pIC50'" in note for note in result.notes)
    assert "the target is column 'pIC50'" in caplog.text


def test_two_numeric_columns_ask_for_the_target(write):
    path = write("mine.csv", "smiles,pIC50,logP", "CCO,5,1", "CCN,6,2")
    with pytest.raises(DatasetError, match="the numeric columns are pIC50, logP"):
        read_dataset(path)
    assert read_dataset(path, targets=["logP"]).y[:, 0].tolist() == [1.0, 2.0]
    assert read_dataset(path, targets=["logP"]).columns["pIC50"].tolist() == [5.0, 6.0]


def test_the_row_numbers_that_pandas_writes_are_no_target(write):
    path = write("mine.csv", ",smiles,pIC50", "0,CCO,5.5", "1,CCN,6.5", "2,CCC,7.5")
    assert read_dataset(path).tasks[0].name == "pIC50"


def test_no_numeric_column_names_those_there_are(write):
    path = write("mine.csv", "smiles,remark", "CCO,good", "CCN,bad")
    with pytest.raises(DatasetError, match="no column is numeric; the columns are: remark"):
        read_dataset(path)
    assert read_dataset(path, targets=[]).y.shape == (2, 0)


def test_a_missing_column_names_the_columns_and_the_nearest(write):
    path = write("mine.csv", "smiles,pIC50", "CCO,5", "CCN,6")
    with pytest.raises(DatasetError, match=r"no column 'pIC5'.*did you mean 'pIC50'.*smiles, pIC50"):
        read_dataset(path, targets=["pIC5"])
    with pytest.raises(DatasetError, match="no column is named like SMILES; the columns are: structure_text, y"):
        read_dataset(write("other.csv", "structure_text,y", "x,1", "y,2"))


def test_text_in_the_target_names_file_and_line(write):
    path = write("mine.csv", "smiles,y", "CCO,5", "CCN,n.d.", "CCC,6")
    with pytest.raises(DatasetError, match=r"mine.csv line 3: 'n.d.' is not a number"):
        read_dataset(path, targets=["y"])


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("n.d.", r"column 'y': mine.csv line 3: 'n.d.' is not a number"),
        (">6", r"column 'y': mine.csv line 3: '>6' is a bound and not a value"),
    ],
)
def test_a_target_that_was_not_named_is_found_although_a_cell_spoils_it(write, cell, said):
    path = write("mine.csv", "smiles,y,series", "CCO,5,a", f"CCN,{cell},a", "CCC,6,b")
    with pytest.raises(DatasetError, match=said):
        read_dataset(path)


def test_row_numbers_are_no_target_where_nothing_else_is_numeric(write):
    with pytest.raises(DatasetError, match="no column is numeric"):
        read_dataset(write("mine.csv", ",smiles,series", "0,CCO,a", "1,CCN,a", "2,CCC,b"))
    with pytest.raises(DatasetError, match=r"column 'y': spoilt.csv line 3: 'n.d.' is not a number"):
        read_dataset(write("spoilt.csv", ",smiles,y", "0,CCO,5", "1,CCN,n.d.", "2,CCC,6"))


def test_texts_and_padded_ids_are_no_target_with_cells_to_mend(write):
    path = write("mine.csv", "smiles,batch,series", "CCO,00123,a", "CCN,4567,a", "CCC,n.d.,b")
    with pytest.raises(DatasetError, match="no column is numeric; the columns are: batch, series"):
        read_dataset(path)


def test_decimal_commas_are_read_as_points_and_said(write):
    path = write("mine.csv", "Name;Smiles;pIC50", "a;CCO;5,34", "b;CCN;6", "c;CCC;", "d;CC;7,125")
    found = read_dataset_with_rejected(path)
    np.testing.assert_allclose(found.dataset.y[:, 0], [5.34, 6.0, np.nan, 7.125])
    assert "target 'pIC50': decimal commas are read as points" in found.notes
    np.testing.assert_allclose(read_dataset(path, targets=["pIC50"]).y[:, 0], [5.34, 6.0, np.nan, 7.125])
    bounds = read_dataset_with_rejected(write("bounds.csv", "Smiles;pIC50", "CCO;5,34", "CCN;>6,5", "CCC;7,1"), censored="drop").dataset
    np.testing.assert_allclose(bounds.y[:, 0], [5.34, np.nan, 7.1])


@pytest.mark.parametrize(
    ("cells", "named"),
    [
        (("1,234", "5,678", "12"), r"line 2: '1,234'"),  # thousands or a decimal comma: nobody knows
        (("5.1", "6,2", "7.3"), r"line 3: '6,2'"),  # both in one column
        (("5,1", "n.d.", "7,3"), r"line 3: 'n.d.'"),
    ],
)
def test_commas_that_may_mean_something_else_are_refused_with_their_lines(write, cells, named):
    path = write("mine.csv", "Smiles;y", *(f"{'C' * (row + 1)};{cell}" for row, cell in enumerate(cells)))
    with pytest.raises(DatasetError, match=named):
        read_dataset(path, targets=["y"])


def test_a_constant_target_is_refused(write):
    with pytest.raises(DatasetError, match="constant"):
        read_dataset(write("mine.csv", "smiles,y", "CCO,5", "CCN,5"), targets=["y"])


def test_unreadable_rows_stay_or_go_or_stop_as_asked(write):
    path = write("mine.csv", "smiles,y", "CCO,1", "c1ccccc,2", "CCC,3")  # the second ring is never closed
    assert len(read_dataset(path)) == 3
    result = read_dataset_with_rejected(path, on_invalid="drop")
    assert result.dataset.smiles == ("CCO", "CCC")
    assert result.dataset.y[:, 0].tolist() == [1, 3]
    (row,) = result.rejected
    assert row.place == "mine.csv line 3"
    assert row.smiles == "c1ccccc"
    assert row.reason.startswith("E_PARSE")
    with pytest.raises(DatasetError, match=r"mine.csv line 3: 'c1ccccc' .*on_invalid=\"drop\""):
        read_dataset(path, on_invalid="raise")


def test_a_damaged_record_carries_no_value(write):
    path = write("mine.csv", "smiles,y", "CCO,1", "CCN,2,3,4", "CCC,3")  # four cells under a header of two
    data = read_dataset(path, targets=["y"])
    assert len(data) == 3
    assert np.isnan(data.y[1, 0])


def test_names_like_na_and_ids_with_zeros_survive(write):
    data = read_dataset(write("mine.csv", "id,smiles,y", "00123,CCO,1", "NA,CCN,2", "1e5,CCC,3"))
    assert data.ids == ("00123", "NA", "1e5")


def test_the_same_data_come_from_csv_tsv_and_smiles_files(write):
    csv = read_dataset(write("a.csv", "smiles,y", "CCO,1", "CCN,2"))
    tsv = read_dataset(write("a.tsv", "smiles\ty", "CCO\t1", "CCN\t2"))
    smi = read_dataset(write("a.smi", "CCO one", "CCN two"), targets=[])
    assert csv.checksum == tsv.checksum
    assert smi.smiles == csv.smiles
    assert smi.ids == ("one", "two")


def test_kinds_can_be_set(write):
    path = write("mine.csv", "smiles,stage", "CCO,0", "CCN,1", "CCC,2")
    assert read_csv(path, kinds={"stage": "multiclass"}).tasks[0].n_classes == 3


def test_a_missing_file_and_a_misspelt_card_get_the_nearest_name(write):
    path = write("solubilities.csv", "smiles,y", "CCO,1")
    with pytest.raises(DatasetError, match=r"no such file; did you mean 'solubilities.csv'"):
        read_dataset(path.with_name("solubilites.csv"))
    with pytest.raises(DatasetError, match="did you mean 'freesolv'"):
        read_dataset("freesolve")


def test_targets_is_a_list_and_on_invalid_one_of_three(write):
    path = write("mine.csv", "smiles,y", "CCO,1", "CCN,2")
    with pytest.raises(ConfigError, match=r"write \['y'\]"):
        read_dataset(path, targets="y")
    with pytest.raises(ConfigError, match="keep, drop or raise"):
        read_dataset(path, on_invalid="skip")


def test_the_compounds_that_rdkit_carries_are_read_with_no_download(monkeypatch):
    monkeypatch.delenv("DRUGAI_DATA", raising=False)
    data = read_dataset("chembl2321810")
    assert data.y.shape == (1017, 1)
    assert not np.isnan(data.y).any()
    # first lines of RDKit's two files: molecule 1520012 has 5.48
    assert data.ids[0] == "1520012"
    assert data.y[0, 0] == pytest.approx(5.48)


@pytest.mark.parametrize(("name", "rows"), [("wehi_10k", 10000), ("nci_5k", 4999)])
def test_the_libraries_that_rdkit_carries_have_no_tasks(name, rows):
    data = read_dataset(name)
    assert data.y.shape == (rows, 0)
    assert len(set(data.ids)) == rows


def test_a_card_takes_task_names_and_no_columns():
    with pytest.raises(DatasetError, match="did you mean 'pActivity'"):
        read_dataset("chembl2321810", targets=["pActiv"])
    with pytest.raises(ConfigError, match="states its SMILES"):
        read_dataset("chembl2321810", smiles="smiles")


def test_a_table_without_molecules_is_refused_in_words():
    with pytest.raises(DatasetError, match="a table without molecules"):
        read_dataset("pharmacotherapydb_curated")


def test_a_registered_data_set_is_read_by_its_name(series, monkeypatch):
    monkeypatch.setitem(catalogue._registered, "dataset", {"my_series": lambda: series})
    found = read_dataset("my_series")
    assert isinstance(found, Dataset)
    assert found.checksum == series.checksum
