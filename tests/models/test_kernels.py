import numpy as np

from drugai.models.kernels import minmax_kernel, squared_distance


def test_minmax_is_sum_of_minima_over_sum_of_maxima():
    counts = np.random.default_rng(0).poisson(0.7, (6, 50))  # all at most 4, where the levels are exact
    assert counts.max() <= 4
    by_hand = [[np.minimum(a, b).sum() / np.maximum(a, b).sum() for b in counts] for a in counts]
    np.testing.assert_allclose(minmax_kernel(counts, counts), by_hand, atol=1e-6)


def test_minmax_of_bits_is_tanimoto_and_of_nothing_is_zero():
    a, b, nothing = np.array([[1, 1, 0, 1]]), np.array([[1, 0, 1, 1]]), np.zeros((1, 4))
    assert minmax_kernel(a, b)[0, 0] == 0.5  # 2 in common of 4
    assert minmax_kernel(a, nothing)[0, 0] == minmax_kernel(nothing, nothing)[0, 0] == 0


def test_minmax_is_positive_definite():
    counts = np.random.default_rng(1).poisson(1.0, (30, 20)) * np.random.default_rng(2).integers(1, 6, (30, 20))
    assert np.linalg.eigvalsh(minmax_kernel(counts, counts).astype(np.float64)).min() > -1e-5


def test_squared_distance_is_the_mean_over_columns():
    a, b = np.array([[0.0, 0.0]], dtype=np.float32), np.array([[3.0, 4.0]], dtype=np.float32)
    assert squared_distance(a, b)[0, 0] == 12.5
