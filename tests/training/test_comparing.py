"""Comparisons on the same folds, and a test that is not fooled by overlapping training parts."""

import numpy as np
import pytest

from drugai.errors import ConfigError
from drugai.predictors import MeanConfig, TreesConfig
from drugai.training.comparing import Comparison, compare_models

TREES = TreesConfig(blocks=("morgan",), members=1, rounds=30, threads=1)


def test_a_better_model_is_found_better_on_the_same_folds(activity):
    found = compare_models(activity, {"trees": TREES, "mean": MeanConfig()}, folds=4, repeats=2)
    assert len(found.scores["trees"]) == len(found.scores["mean"]) == 8
    mean, low, high, p = found.difference("trees", "mean")
    assert low < mean < high < 0  # less is better
    assert p < 0.05
    assert str(found).index("trees") < str(found).index("mean ")


def test_the_corrected_variance_is_by_hand():
    # four folds, differences 1, 2, 3, 2: mean 2, variance 2/3; (1/4 + 1/2) · 2/3 = 1/2
    found = Comparison("rmse", "min", {"a": np.array([2.0, 3, 4, 3]), "b": np.ones(4)}, 0.5)
    mean, low, high, p = found.difference("a", "b")
    assert mean == 2
    assert high - mean == pytest.approx(3.18245 * 0.5**0.5, abs=1e-4)  # Student's t, 3 degrees of freedom, 97.5 %
    assert p == pytest.approx(0.0663, abs=1e-3)  # t = 2 ÷ √½ = 2.83
    assert found.difference("a", "a") == (0, 0, 0, 1)


def test_a_killed_comparison_goes_on_and_another_is_refused(activity, tmp_path):
    out = tmp_path / "c.json"
    first = compare_models(activity, {"trees": TREES}, folds=3, out=out)

    class Dies(MeanConfig):
        def fit(self, train, valid, seed=0):
            raise KeyboardInterrupt

    stamp = out.read_text()
    again = compare_models(activity, {"trees": TREES}, folds=3, out=out)
    assert out.read_text() == stamp  # nothing was fitted again
    np.testing.assert_array_equal(first.scores["trees"], again.scores["trees"])
    with pytest.raises(ConfigError, match="another comparison"):
        compare_models(activity, {"trees": TREES, "dies": Dies()}, folds=3, out=out)
    (tmp_path / "thesis.json").write_text("[]")
    with pytest.raises(ConfigError, match="holds no comparison"):
        compare_models(activity, {"trees": TREES}, folds=3, out=tmp_path / "thesis.json")


def test_two_folds_leave_nothing_to_learn_from(activity):
    with pytest.raises(ConfigError, match="at least 3 folds"):
        compare_models(activity, {"trees": TREES}, folds=2)
