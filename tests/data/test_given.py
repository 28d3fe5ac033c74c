"""A split that the data bring along is kept, and cleaned of repeats."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from drugai.contracts import Dataset, Task
from drugai.data import split
from drugai.errors import DatasetError
from drugai.molecules.scaffolds import murcko_scaffolds


def data_with(smiles: tuple[str, ...], words: list[str]) -> Dataset:
    y = np.arange(len(smiles), dtype=np.float32)[:, None]
    return Dataset("given", smiles, y, (Task("y", "regression"),), (), {"split": np.array(words, dtype=object)})


def test_the_words_of_the_column_are_followed():
    data = data_with(("CCO", "CCN", "CCC", "CCCC"), ["Train", "val", "TEST", "train"])
    found = split(data, "given")
    assert (found.train.tolist(), found.valid.tolist(), found.test.tolist()) == ([0, 3], [1], [2])


def test_rows_with_another_word_lie_in_no_part():
    data = data_with(("CCO", "CCN", "CCC", "CCCC"), ["train", "valid", "test", "test_scaffolds"])
    found = split(data, "given")
    assert found.test.tolist() == [2]


def test_a_repeat_of_a_test_molecule_leaves_train_and_is_counted(caplog):
    data = data_with(("CCO", "CCN", "OCC", "CCC"), ["train", "valid", "test", "train"])  # ethanol in train and test
    with caplog.at_level(logging.WARNING, "drugai.data.given"):
        found = split(data, "given")
    assert found.train.tolist() == [3]
    assert found.test.tolist() == [2]
    assert "1 rows of train repeat a molecule of test" in caplog.text


def test_valid_is_cut_from_train_by_scaffold_where_it_is_missing(series):
    words = ["test" if row >= 19 else "train_valid" for row in range(len(series))]
    data = data_with(series.smiles, words)
    found = split(data, "given", fractions=(0.6, 0.2, 0.2), seed=0)
    assert found.test.tolist() == list(range(19, 26))
    scaffolds = murcko_scaffolds(series.smiles)
    assert not {scaffolds[row] for row in found.train.tolist()} & {scaffolds[row] for row in found.valid.tolist()}
    assert sorted([*found.train.tolist(), *found.valid.tolist()]) == list(range(19))
    assert abs(len(found.valid) - 19 / 4) <= 2


def test_the_seed_moves_valid_and_never_test(series):
    data = data_with(series.smiles, ["test" if row >= 19 else "train" for row in range(len(series))])
    found = [split(data, "given", fractions=(0.8, 0.05, 0.15), seed=seed) for seed in range(6)]
    assert len({one.checksum for one in found}) > 1
    assert len({tuple(one.test.tolist()) for one in found}) == 1
    assert found[0].checksum == split(data, "given", fractions=(0.8, 0.05, 0.15), seed=0).checksum


def test_a_column_without_test_rows_is_refused():
    with pytest.raises(DatasetError, match="marks no row as test; its words are 'holdout', 'train'"):
        split(data_with(("CCO", "CCN"), ["train", "holdout"]), "given")


def test_a_data_set_without_the_column_names_those_there_are(series):
    with pytest.raises(DatasetError, match="no column 'split'; the columns are none"):
        split(series, "given")


def test_one_scaffold_cannot_be_cut():
    with pytest.raises(DatasetError, match="of 1 scaffolds"):
        split(data_with(("CCO", "CCN", "CCC", "CCCC"), ["train", "train", "train", "test"]), "given")
