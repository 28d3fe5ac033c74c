"""Packed trees against LightGBM, which grew them."""

import numpy as np
import pytest

from drugai.errors import ConfigError
from drugai.predictors.packed_trees import PackedTrees, pack_boosters


def grown(seed, leaves=31, objective="regression", holes=True):
    import lightgbm

    random = np.random.default_rng(seed)
    matrix = random.integers(0, 6, (400, 12)).astype(np.float32)
    matrix[:, 6:] = random.normal(size=(400, 6)).astype(np.float32)
    if holes:
        matrix[random.random(matrix.shape) < 0.1] = np.nan
    y = np.nan_to_num(matrix[:, 0]) * np.nan_to_num(matrix[:, 7]) + np.nan_to_num(matrix[:, 8])
    y = (y > 0).astype(float) if objective == "binary" else y
    parameters = {"objective": objective, "num_leaves": leaves, "min_data_in_leaf": 3, "verbosity": -1, "seed": seed, "num_threads": 1}
    return lightgbm.train(parameters, lightgbm.Dataset(matrix, y), 40), matrix


@pytest.mark.parametrize("objective", ["regression", "binary"])
@pytest.mark.parametrize("holes", [True, False])
def test_packed_trees_say_what_the_booster_says(objective, holes):
    booster, matrix = grown(0, objective=objective, holes=holes)
    packed = pack_boosters([booster.dump_model()])
    fresh = np.random.default_rng(5).normal(size=(700, 12)).astype(np.float32)  # more rows than a block
    fresh[::7, 3] = np.nan  # a missing value, where training had none too
    for features in (matrix, fresh):
        assert np.allclose(packed(features), booster.predict(features, raw_score=True), atol=1e-5)


def test_several_boosters_are_their_mean():
    pairs = [grown(seed) for seed in (1, 2, 3)]
    packed = pack_boosters([booster.dump_model() for booster, _ in pairs])
    matrix = pairs[0][1]
    assert np.allclose(packed(matrix), np.mean([booster.predict(matrix) for booster, _ in pairs], axis=0), atol=1e-5)


def test_arrays_and_back_change_nothing():
    booster, matrix = grown(4)
    packed = pack_boosters([booster.dump_model()])
    again = PackedTrees.from_arrays(packed.to_arrays("a."), "a.")
    assert np.array_equal(packed(matrix), again(matrix))


def test_a_value_equal_to_a_threshold_goes_where_the_booster_sends_it():
    booster, matrix = grown(6, holes=False)
    packed = pack_boosters([booster.dump_model()])
    edges = np.tile(matrix[:1], (len(packed.threshold), 1))
    edges[np.arange(len(edges)), packed.feature] = packed.threshold
    assert np.allclose(packed(edges), booster.predict(edges, raw_score=True), atol=1e-5)


def test_too_many_leaves_are_refused():
    booster, _ = grown(0, leaves=63)
    with pytest.raises(ConfigError, match="leaves"):
        pack_boosters([booster.dump_model()])


def test_no_rows_give_no_values():
    booster, _ = grown(0)
    assert pack_boosters([booster.dump_model()])(np.zeros((0, 12), dtype=np.float32)).shape == (0,)
