"""The index gives what the comparison with every molecule gives."""

import numpy as np
import pytest

import drugai
from drugai.errors import ConfigError
from drugai.molecules import MoleculeBatch, fingerprint, fingerprint_index, nearest
from drugai.molecules.fingerprint_index import FingerprintIndex, pack


@pytest.mark.parametrize("block", [7, 65_536])
def test_the_index_finds_the_nearest_of_all_and_the_lowest_row_among_equals(monkeypatch, block):
    monkeypatch.setattr(fingerprint_index, "_BLOCK", block)
    smiles = list(drugai.read_dataset("chembl2321810").smiles)
    known = [*smiles[:300], "not a molecule", *smiles[:5]]  # the first five stand in it twice
    queries = fingerprint(MoleculeBatch(smiles[280:400]), "morgan", bits=2048, radius=2)
    values, rows = FingerprintIndex(known).nearest(queries)
    expected, places = nearest(queries, fingerprint(MoleculeBatch(known), "morgan", bits=2048, radius=2), 1)
    np.testing.assert_allclose(values, expected[:, 0], atol=1e-6)
    np.testing.assert_array_equal(rows, places[:, 0])


def test_an_unreadable_query_resembles_nothing_and_an_empty_index_is_refused():
    values, _ = FingerprintIndex(["CCO", "c1ccccc1"]).nearest(np.zeros((1, 2048), dtype=np.uint8))
    assert values.tolist() == [0.0]
    with pytest.raises(ConfigError, match="holds no molecule"):
        FingerprintIndex([]).nearest(np.zeros((1, 2048), dtype=np.uint8))
    assert pack(np.eye(2, 128, dtype=np.uint8)).shape == (2, 2)
