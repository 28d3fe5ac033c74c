"""Heads for a handful of labels: each against arithmetic or a case where the answer is known."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from drugai.errors import ConfigError, DatasetError
from drugai.runtime import derive_seed
from drugai.training.few_labels import HEADS, draw_rows, few_label_scores, gaussian_process, minmax, prototype, ridge


def made(n=300, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 12))
    return x, x[:, 0] + 0.5 * x[:, 1] + 0.1 * random.normal(size=n)


def test_ridge_is_the_ridge_of_its_penalty_with_least_leave_one_out_error():
    from sklearn.linear_model import RidgeCV

    x, y = made(40)
    penalties = np.logspace(-2, 3, 11) * np.linalg.eigvalsh((x[:30] - x[:30].mean(0)) @ (x[:30] - x[:30].mean(0)).T).clip(0).mean()
    center = x[:30].mean(0)
    theirs = RidgeCV(penalties, fit_intercept=False).fit(x[:30] - center, y[:30] - y[:30].mean()).predict(x[30:] - center) + y[:30].mean()
    assert np.allclose(ridge(x[:30], y[:30], x[30:], False, 0), theirs, atol=1e-6)


def test_prototype_finds_the_nearer_class():
    known = np.array([[1.0, 0.1], [0.9, 0.0], [0.0, 1.0], [0.1, 0.8]])
    score = prototype(known, np.array([1, 1, 0, 0]), np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), True, 0)
    assert score[0] > 0.5 > -0.5 > score[1]
    assert abs(score[2]) < 0.1


def test_the_process_goes_through_points_without_noise():
    x = np.linspace(0, 6, 25)[:, None]
    found = gaussian_process(x[::2], np.sin(x[::2, 0]), x[1::2], False, 0)
    assert np.abs(found - np.sin(x[1::2, 0])).max() < 0.1


def test_minmax_of_counts_by_hand():
    assert minmax(np.array([[2.0, 1, 0], [0, 0, 0]]), np.array([[1.0, 1, 3], [0, 0, 0]])).round(4).tolist() == [[0.3333, 0.0], [0.0, 1.0]]  # (1+1+0) / (2+1+3)


@pytest.mark.parametrize("head", list(HEADS))
def test_every_head_learns_a_line_and_two_classes(head):
    x, y = made()
    features = {"made": x, "made counts": np.round(np.exp(x))}
    name = "made counts" if head == "tanimoto gp" else "made"
    rows = np.arange(300)
    value = few_label_scores(features, y, rows[:150], rows[150:], [(name, head)], classes=False, shots=(64,), draws=2)[0]
    label = few_label_scores(features, (y > 0).astype(float), rows[:150], rows[150:], [(name, head)], classes=True, shots=(64,), draws=2)[0]
    assert min(value.scores) > 0.4
    assert min(label.scores) > 0.7


def test_scores_are_those_of_the_test_rows_and_the_same_each_time():
    x, y = made()
    rows = np.arange(300)
    arguments = ({"made": x}, y, rows[:100], rows[100:], [("made", "ridge"), ("made", "prototype")])
    found = few_label_scores(*arguments, classes=False, shots=(16, 32), draws=3, seed=1)
    assert [(one.head, one.shots, len(one.scores)) for one in found] == [("ridge", 16, 3), ("prototype", 16, 3), ("ridge", 32, 3), ("prototype", 32, 3)]
    assert found == few_label_scores(*arguments, classes=False, shots=(16, 32), draws=3, seed=1)
    order = draw_rows(y, rows[:100], 16, False, derive_seed(1, "draw", 0))
    center, spread = x[:100].mean(0), x[:100].std(0)
    z = np.clip((x - center) / spread, -5, 5)
    own = spearmanr(y[100:], ridge(z[order[:16]], y[order[:16]], z[100:], False, 0)).statistic
    assert found[0].scores[0] == pytest.approx(own, abs=1e-9)


def test_a_draw_of_classes_has_two_of_each_and_every_row_once():
    y = np.zeros(200)
    y[[7, 90, 150]] = 1
    for seed in range(20):
        order = draw_rows(y, np.arange(200), 16, True, seed)
        assert sorted(order.tolist()) == list(range(200))
        assert y[order[:16]].sum() >= 2


def test_what_cannot_be_asked():
    x, y = made(50)
    rows = np.arange(50)
    with pytest.raises(ConfigError, match="the heads are prototype"):
        few_label_scores({"made": x}, y, rows[:30], rows[30:], [("made", "oracle")], classes=False)
    with pytest.raises(DatasetError, match="64 labels"):
        few_label_scores({"made": x}, y, rows[:30], rows[30:], [("made", "ridge")], classes=False)
    with pytest.raises(DatasetError, match="fewer than 2"):
        few_label_scores({"made": x}, np.zeros(50), rows[:30], rows[30:], [("made", "ridge")], classes=True, shots=(8,))
