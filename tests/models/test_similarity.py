"""The search by blocks finds what comparing all with all finds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from drugai.errors import ConfigError
from drugai.models.similarity import ReferenceBits, mean_similarity, nearest_similarity


def tanimoto(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    common = a.astype(np.int64) @ b.T.astype(np.int64)
    total = a.sum(1, dtype=np.int64)[:, None] + b.sum(1, dtype=np.int64) - common
    return np.where(total == 0, 1.0, common / np.maximum(total, 1))


def families(n: int, seed: int) -> np.ndarray:
    """Bits in families of like rows, as congeneric series are."""
    random = np.random.default_rng(seed)
    parents = random.random((max(1, n // 10), 128)) < 0.2
    return (parents[random.integers(len(parents), size=n)] ^ (random.random((n, 128)) < 0.02)).astype(np.uint8)


@pytest.mark.parametrize("n", [1, 7, 8, 500])
def test_the_nearest_is_that_of_the_full_matrix(n):
    reference, query = families(n, 0), families(300, 1)
    found = nearest_similarity(query, ReferenceBits.prepare(reference))
    np.testing.assert_allclose(found, tanimoto(query, reference).max(1), atol=1e-7)


def test_a_member_of_the_reference_has_similarity_one():
    reference = families(200, 2)
    np.testing.assert_array_equal(nearest_similarity(reference, ReferenceBits.prepare(reference)), 1.0)


def test_rows_without_bits_equal_each_other_alone():
    reference = families(20, 3)
    empty = np.zeros((1, 128), dtype=np.uint8)
    assert nearest_similarity(empty, ReferenceBits.prepare(reference))[0] == 0
    assert nearest_similarity(empty, ReferenceBits.prepare(np.concatenate([reference, empty])))[0] == 1


def test_mean_similarity_is_that_of_the_full_matrix():
    bits = np.concatenate([families(1300, 4), np.zeros((2, 128), dtype=np.uint8)])
    full = tanimoto(bits, bits)
    found = mean_similarity(bits)
    np.testing.assert_allclose(found[1], full.mean(1), atol=1e-6)
    np.testing.assert_allclose(found[2], (full**2).mean(1), atol=1e-6)


def test_a_saved_reference_is_the_same():
    reference = ReferenceBits.prepare(families(50, 5))
    again = ReferenceBits.from_arrays(reference.to_arrays())
    query = families(20, 6)
    np.testing.assert_array_equal(nearest_similarity(query, reference), nearest_similarity(query, again))


def test_widths_must_agree():
    with pytest.raises(ConfigError, match="same width"):
        nearest_similarity(np.zeros((1, 64), dtype=np.uint8), ReferenceBits.prepare(families(9, 7)))
    with pytest.raises(ConfigError, match="multiple of 64"):
        ReferenceBits.prepare(np.zeros((3, 100), dtype=np.uint8))


def test_torch_state_is_left_alone():
    state = torch.get_rng_state()
    ReferenceBits.prepare(families(30, 8))
    assert torch.equal(state, torch.get_rng_state())
