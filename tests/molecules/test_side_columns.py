"""Columns beside the SMILES."""

import numpy as np
import pytest

from drugai.errors import ConfigError, DatasetError
from drugai.featurizers.blocks import featurize_blocks
from drugai.molecules import MoleculeBatch, with_columns


def test_a_column_is_a_block_of_one_number():
    batch = with_columns(["CCO", "CCN", "c1ccccc"], {"pH": [7.4, "", 1.0]})
    matrix = featurize_blocks(batch, ["column:pH"])
    np.testing.assert_array_equal(matrix, np.array([[7.4], [np.nan], [np.nan]], dtype=np.float32))  # the unreadable molecule is a NaN row
    assert batch.reasons[1] == ""  # a missing number is missing, not an error


def test_text_in_a_column_is_a_reason_of_its_row():
    batch = with_columns(["CCO", "CCN"], {"pH": ["acid", "7"]})
    assert batch.reasons[0].startswith("E_VALUE: column 'pH': 'acid'")
    assert batch.reasons[1] == ""


def test_columns_go_with_the_rows_that_are_taken():
    batch = with_columns(["CCO", "CCN", "CCC"], {"pH": [1.0, 2.0, 3.0]}).take([2, 0])
    assert featurize_blocks(batch, ["column:pH"])[:, 0].tolist() == [3.0, 1.0]


def test_a_missing_column_is_named_and_a_short_one_refused():
    with pytest.raises(ConfigError, match="needs the column 'pH'"):
        featurize_blocks(MoleculeBatch(["CCO"]), ["column:pH"])
    with pytest.raises(DatasetError, match="1 values for 2 molecules"):
        with_columns(["CCO", "CCN"], {"pH": [1.0]})
