"""The arithmetic of the experiments' tables, on cells made up by hand."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
pytestmark = pytest.mark.skipif(not EXPERIMENTS.is_dir(), reason="a source distribution carries no experiments")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that loads a script of the experiments, whose folders are on its path as when it is run."""

    def load(place: str) -> ModuleType:
        path = EXPERIMENTS / place
        monkeypatch.syspath_prepend(str(EXPERIMENTS))
        for name in ("comparing", "baselines"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        specification = importlib.util.spec_from_file_location(place.replace("/", "_").removesuffix(".py"), path)
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        return module

    return load


def test_relative_difference_is_of_the_means_and_its_interval_pairs_the_data_sets(script: Any) -> None:
    comparing = script("comparing.py")
    # 0.9 of each score: whatever data sets are drawn, the ratio of the means is 0.9
    found = comparing.relative_of_means(np.array([0.9, 1.8, 0.45]), np.array([1.0, 2.0, 0.5]))
    assert found.value == pytest.approx(-0.1)
    assert (found.low, found.high) == (pytest.approx(-0.1), pytest.approx(-0.1))
    # means 1.5 and 2.5; the mean of the ratios is 0.75
    assert comparing.relative_of_means(np.array([1.0, 2.0]), np.array([1.0, 4.0])).value == pytest.approx(-0.4)
    with pytest.raises(ValueError, match="same data sets"):
        comparing.relative_of_means(np.array([1.0]), np.array([1.0, 2.0]))


def test_mean_score_leaves_out_missing_values_and_tasks_of_one_class(script: Any) -> None:
    comparing = script("comparing.py")
    true = np.array([[0, 1], [1, 1], [np.nan, 1], [1, 1]])
    predicted = np.array([[0.2, 0.1], [0.9, 0.2], [0.0, 0.3], [0.1, 0.4]])
    # first task: 0.2 against 0.9 (ranked right) and 0.1 (wrong); second task: one class
    assert comparing.mean_score("roc_auc", true, predicted) == pytest.approx(0.5)


def test_paired_interval_of_equal_predictions_is_zero_and_a_better_one_is_told_by_the_sign(script: Any) -> None:
    comparing = script("comparing.py")
    true = np.linspace(0, 1, 40)[:, None]
    worse = true + np.where(np.arange(40) % 2, 0.3, -0.3)[:, None]
    same = comparing.paired_molecules("rmse", true, worse, worse)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    found = comparing.paired_molecules("rmse", true, true, worse)
    assert found.value == pytest.approx(-0.3)  # no error against errors of 0.3
    assert found.high == pytest.approx(-0.3)


ACE: dict[str, Any] = {
    "models": ["mean", "rf", "svm", "refit"], "baselines": ["rf", "svm"], "ours": "refit", "bar": 0.05, "seeds": [0],
    "published": {"columns": ["svm", "svm_cliff", "gbm", "gbm_cliff"], "a": [0.8, 1.0, 0.9, 1.1], "b": [0.6, 0.7, 0.7, 0.8], "c": [0.5, 0.5, 0.5, 0.5]},
}  # fmt: skip


def test_moleculeace_compares_with_the_baseline_of_the_lower_mean_over_the_common_targets(script: Any, tmp_path: Path) -> None:
    table = script("04_moleculeace/table.py")
    scores = {"a": {"mean": 1.5, "rf": 0.7, "svm": 0.8, "refit": 0.72}, "b": {"mean": 1.0, "rf": 0.9, "svm": 0.6, "refit": 0.54}, "c": {"refit": 0.1}}
    for target, row in scores.items():
        for model, value in row.items():
            (tmp_path / f"{target}_{model}_0.json").write_text(json.dumps({"all": value, "cliff": 2 * value}))
    (tmp_path / "c_svm_0.json").write_text(json.dumps({"failed": "ValueError: made up"}))
    found = table.summarize(tmp_path, ACE, ["a", "b", "c"])
    mine = found["against"]["refit"]["all"]
    # means over a and b, where all three are there: rf 0.8, svm 0.7, refit 0.63: 10 % below svm; better than svm on both, better than both on b alone
    assert (mine["baseline"], mine["targets"], mine["wins"], mine["wins_over_each_best"]) == ("svm", 2, 2, 1)
    assert mine["relative"]["value"] == pytest.approx(-0.1)
    assert mine["relative_to_published"]["value"] == pytest.approx(0.63 / 0.7 - 1, abs=1e-6)
    assert mine["reaches_the_bar"]
    assert not found["against"]["svm"]["all"]["reaches_the_bar"]
    text = table.markdown(found, ACE)
    assert "-10.0% over 2 of 3 targets, open, 1 are not run" in text
    assert "-10.0% over 2 of 2 targets, reached" in table.markdown(table.summarize(tmp_path, ACE, ["a", "b"]), ACE)
    assert "| mean of 2 | 1.250 | 0.800 | 0.700 | 0.630 | 0.700 | 0.800 |" in text
    assert "c svm: ValueError: made up" in text


NET: dict[str, Any] = {"own": ["gp", "gnn"], "trees": ["rf", "lightgbm", "maplight"], "seeds": [0, 1], "datasets": {"one": "rmse", "two": "rmse"}, "bars": {"chemprop": 1, "tree": 2}}


def cell_of(test: float, predictions: list[float], **more: Any) -> dict[str, Any]:
    return {"test": test, "predictions": predictions, **more}


def test_moleculenet_picks_ours_on_the_validation_part_and_the_best_tree_on_the_test_part(script: Any) -> None:
    table = script("05_moleculenet/table.py")
    true = np.array([[0.0], [1.0], [2.0], [3.0]])
    exact, off, far = [0.0, 1.0, 2.0, 3.0], [0.5, 0.5, 2.5, 2.5], [1.0, 2.0, 3.0, 4.0]
    mine = {"models": {"mean": cell_of(2.0, far, valid=2.0), "gp": cell_of(0.5, off, valid=0.4), "gnn": cell_of(0.0, exact, valid=0.6)}, "from": "01_property_baselines"}
    cells = {
        "ours": {0: mine, 1: mine}, "chemprop": {0: cell_of(1.0, far), 1: {"failed": "RuntimeError: made up"}},
        "rf": {0: cell_of(0.0, exact, valid=0.9)}, "lightgbm": {0: cell_of(0.5, off, valid=0.7)}, "maplight": {0: cell_of(1.0, far, valid=0.2)},
    }  # fmt: skip
    row = table.summarize(cells, "rmse", true, NET)
    assert row["picked"] == "gp"  # though the network's test score is better
    assert row["models"]["ours"] == {"test": 0.5, "sd": 0.0, "seeds": [0, 1]}
    assert (row["best_tree"], row["tree_by_valid"]) == ("rf", "maplight")
    assert row["against_chemprop"]["seeds"] == [0]
    assert (row["against_chemprop"]["difference"], row["against_chemprop"]["better"]) == (-0.5, True)
    assert row["against_chemprop"]["interval"]["value"] == pytest.approx(-0.5)
    assert (row["against_best_tree"]["difference"], row["against_best_tree"]["better"]) == (0.5, False)
    assert row["failed"] == ["chemprop 1: RuntimeError: made up"]
    empty = table.summarize({model: {} for model in cells}, "rmse", true, NET)
    rows = {"one": row, "two": empty}
    assert table.counts(rows, ["one", "two"], "chemprop") == {"better": 1, "surely": 1, "surely_worse": 0, "compared": 1}
    assert table.counts(rows, ["one", "two"], "best_tree") == {"better": 0, "surely": 0, "surely_worse": 1, "compared": 1}
    text = table.markdown(rows, NET)
    assert "the bar is 1 of 2: reached" in text
    assert "the bar is 2 of 2: not reached" in text  # one lost, one open
    assert "| two | rmse | - | not run |" in text


def test_moleculenet_reads_the_stored_cells_of_the_same_split_alone(script: Any, tmp_path: Path) -> None:
    table = script("05_moleculenet/table.py")
    folders = {"own": tmp_path / "own", "first": tmp_path / "first"}
    for folder in folders.values():
        folder.mkdir()
    (folders["first"] / "one_0_drugai.json").write_text(json.dumps({"split_checksum": "same", "models": {}}))
    assert table.load(folders, "one", "ours", 0, "same")["from"] == "01_property_baselines"
    assert table.load(folders, "one", "ours", 0, "other") is None
    assert table.load(folders, "one", "ours", 1, "same") is None
    (folders["own"] / "one_0_rf.json").write_text(json.dumps({"split_checksum": "other"}))
    with pytest.raises(ValueError, match="another split"):
        table.load(folders, "one", "rf", 0, "same")


def test_settings_are_searched_over_folds_that_cover_every_row_once(script: Any) -> None:
    fits = script("04_moleculeace/fits.py")
    y = np.arange(10, dtype=float)
    held_out: list[int] = []

    def predict(settings: dict[str, float], learnt: np.ndarray, held: np.ndarray) -> np.ndarray:
        assert not set(learnt.tolist()) & set(held.tolist())
        assert len(learnt) + len(held) == 10
        if settings["shift"] == 0.25:
            held_out.extend(held.tolist())
        return y[held] + settings["shift"]

    chosen, scores = fits.search([{"shift": 1.0}, {"shift": 0.25}, {"shift": -0.5}], predict, y, 5, 0)
    assert chosen == {"shift": 0.25}
    assert scores == [1.0, 0.25, 0.5]
    assert sorted(held_out) == list(range(10))
    bits = np.array([[1, 0, 1], [0, 0, 1]], dtype=np.float32)
    assert fits.distances(bits, bits).tolist() == [[0, 1], [1, 0]]


def test_a_verdict_rests_on_the_seeds_that_both_models_have(script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = script("03_tdc_admet/table.py")
    true = np.linspace(0, 1, 30)
    data = SimpleNamespace(y=true[:, None])
    monkeypatch.setattr(table, "drugai", SimpleNamespace(read_dataset=lambda _: data, split=lambda *_, **__: SimpleNamespace(test=np.arange(30))))
    # with seed 0 alone the model is ahead; the reference's seed 1, which the model lacks, would turn the verdict
    for model, seed, error in (("mine", 0, 0.10), ("reference", 0, 0.12), ("reference", 1, 0.01)):
        values = (true + error).tolist()
        (tmp_path / f"task_{model}_{seed}.json").write_text(json.dumps({"seed": seed, "test": {"value": error}, "predictions": values, "cpu_seconds": 1.0}))
    protocol = {"models": ["mine", "reference", "absent"], "reference": "reference", "seeds": [0, 1], "split": "given", "tie": 0.005}
    row = table.summarize(tmp_path, [{"data": "task", "metric": "mae"}], protocol)["task"]
    assert row["models"]["reference"]["test"] == pytest.approx(0.065)
    assert row["models"]["mine"]["verdict"] == "win"
    assert row["models"]["mine"]["difference"]["value"] == pytest.approx(-0.02)
    assert row["models"]["reference"]["verdict"] == "tie"
    assert "absent" not in row["models"]
