"""Model cards: the numbers of model and baselines side by side, a plot, and a way through JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from drugai.contracts import Dataset, Predictions, Task
from drugai.errors import ArtifactError, ConfigError
from drugai.metrics.property import estimate
from drugai.predictors.constant import MeanPredictor
from drugai.reports.model_card import ModelCard, facts_of, make_card
from drugai.training.evaluation import Evaluation

RECORD = {
    "data": {"name": "esol", "checksum": "ab" * 32, "n": 1128},
    "split": {"method": "scaffold", "seed": 0, "checksum": "cd" * 32, "n": [902, 113, 113]},
    "seed": 7,
    "left_out": {"E_PARSE": 2},
}


def evaluation(task: Task, y: np.ndarray, mean: np.ndarray, std: np.ndarray | None = None) -> Evaluation:
    names = ("rmse", "r2") if task.kind == "regression" else ("roc_auc",)
    scores = {task.name: {name: estimate(name, y[:, 0], mean[:, 0], resamples=50) for name in names}}
    return Evaluation("test", scores, {task.name: task.unit}, len(y), {}, Predictions((task,), mean, ("",) * len(y), std=std))


@pytest.fixture
def solubility() -> tuple[MeanPredictor, dict[str, Evaluation], Dataset]:
    task = Task("logS", "regression", "log mol/L")
    y = np.linspace(-4, 0, 20, dtype=np.float32)[:, None]
    good = y + 0.1 * np.where(np.arange(20) % 2, 1, -1)[:, None].astype(np.float32)  # off by 0.1 everywhere: RMSE 0.1
    tests = {"train mean": evaluation(task, y, np.full_like(y, -2.0)), "network": evaluation(task, y, good, np.full_like(y, 0.2))}
    data = Dataset("test", tuple("C" * (k + 1) for k in range(20)), y, (task,))
    return MeanPredictor((task,), np.array([-2.0]), dict(RECORD)), tests, data


def test_a_card_has_the_models_numbers_and_the_baselines_with_intervals(solubility):
    predictor, tests, data = solubility
    card = make_card(predictor, tests, chosen="network", measured=data, title="network")
    html = str(card.to_html())
    assert "0.100<small>[0.100, 0.100]</small>" in html
    assert "train mean" in html
    assert 'class="chosen"' in html
    assert html.count('class="dot"') == 20
    assert html.count('class="error"') == 20
    # RMSE of the mean over −4 … 0 in 20 steps is 4 · sqrt(19 · 21 / 12) / 19 = 1.214; the network's is 0.1
    assert card.contenders[0].difference["logS"].value == pytest.approx(1.214 - 0.1, abs=1e-3)


def test_facts_name_data_split_sizes_and_what_was_left_out():
    facts = facts_of(RECORD)
    assert facts["Data"] == "esol, 1,128 measured molecules"
    assert facts["Sizes"] == "train 902, validation 113, test 113"
    assert facts["Split"].startswith("scaffold, seed 0, checksum cdcd")
    assert facts["Left out of training"] == "2 E_PARSE"


def test_a_card_comes_back_from_json_and_says_the_same(solubility):
    predictor, tests, data = solubility
    card = make_card(predictor, tests, chosen="network", measured=data, validations=tests, words={"network": "D-MPNN"}, caveats=["one series"])
    again = ModelCard.from_dict(json.loads(json.dumps(card.to_dict(), allow_nan=False)))
    assert again.to_html() == card.to_html()
    assert again.to_markdown() == card.to_markdown()


def test_a_metric_that_is_no_number_is_a_dash(solubility):
    predictor, _, _ = solubility
    task = predictor.tasks[0]
    constant = evaluation(task, np.ones((3, 1), np.float32), np.ones((3, 1), np.float32))  # R2 of a constant part
    assert np.isnan(constant.scores["logS"]["r2"].value)
    card = make_card(predictor, constant)
    assert "–" in card.to_html()
    assert ModelCard.from_dict(json.loads(json.dumps(card.to_dict(), allow_nan=False))).to_html() == card.to_html()


def test_a_binary_task_has_a_roc_curve_for_the_model_and_each_baseline():
    task = Task("active", "binary")
    y = np.array([[0.0], [0.0], [1.0], [1.0]], dtype=np.float32)
    tests = {"network": evaluation(task, y, np.array([[0.1], [0.4], [0.35], [0.8]])), "mean": evaluation(task, y, np.full((4, 1), 0.5))}
    card = make_card(MeanPredictor((task,), np.array([0.5])), tests, measured=Dataset("test", ("C", "CC", "CCC", "CCCC"), y, (task,)), title="network")
    html = str(card.to_html())
    assert html.count('class="curve c') == 2
    assert "0.750<small>" in html  # three of the four pairs are in order


def test_a_card_of_a_model_without_an_evaluation_shows_its_validation_scores(solubility):
    predictor, tests, _ = solubility
    predictor.record["validation"] = tests["network"].to_dict()
    html = str(make_card(predictor, title="network").to_html())
    assert "validation part" in html
    assert "0.100<small>" in html


def test_markdown_cannot_be_broken_by_a_name(solubility):
    predictor, tests, _ = solubility
    text = make_card(predictor, {"a|b <script>": tests["network"]}).to_markdown()
    assert "a\\|b &lt;script>" in text


def test_a_chosen_model_that_was_not_evaluated_is_refused(solubility):
    predictor, tests, _ = solubility
    with pytest.raises(ConfigError, match="'forest' is not among"):
        make_card(predictor, tests, chosen="forest")


def test_a_later_format_or_a_damaged_card_is_refused():
    with pytest.raises(ArtifactError, match="newer"):
        ModelCard.from_dict({"format": 99})
    with pytest.raises(ArtifactError, match="damaged"):
        ModelCard.from_dict({"format": 1, "title": "half"})
