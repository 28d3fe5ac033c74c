"""The closures that tuning takes: folds, cost as a second objective, weights of an ensemble. No test row in any of them."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from drugai.contracts import Dataset, Task
from drugai.errors import ConfigError
from drugai.predictors import AutoConfig, GNNConfig, MeanConfig, TreesConfig
from drugai.training import cost_score, fit_predictor, fold_score, validation_score, weights_score
from drugai.training.costs import model_bytes
from drugai.training.primary import unit_of
from drugai.training.rows import batch_of
from drugai.tuning import tune

TREES = TreesConfig(blocks=("morgan",), members=1, rounds=30, threads=1)


def test_folds_hold_every_train_and_valid_row_once_and_no_test_row(activity, parts):
    score = fold_score(activity, parts, folds=4)
    held = [smi for fold in score.folds for smi in fold.valid.smiles]
    assert sorted(held) == sorted(activity.take(parts.train).smiles + activity.take(parts.valid).smiles)
    for fold in score.folds:
        assert len(fold.train) + len(fold.valid) == len(held)
        assert not set(fold.train.ids) & set(fold.valid.ids)
        assert not (set(fold.train.ids) | set(fold.valid.ids)) & set(activity.take(parts.test).ids)


def test_folds_of_a_scaffold_split_keep_each_scaffold_in_one_fold(activity):
    from drugai import split
    from drugai.molecules.scaffolds import murcko_scaffolds

    score = fold_score(activity, split(activity, method="scaffold"), folds=3)
    found = [set(murcko_scaffolds(list(fold.valid.smiles))) for fold in score.folds]
    assert not (found[0] & found[1])
    assert not (found[0] & found[2])
    assert not (found[1] & found[2])


def test_each_fold_is_reported_and_the_score_is_their_mean(activity, parts):
    told = {}
    found = fold_score(activity, parts, folds=3)(TREES, seed=1, on_fold=told.__setitem__)
    assert list(told) == [0, 1, 2]
    assert found == pytest.approx(np.mean(list(told.values())))


def test_fewer_than_two_folds_are_refused(activity, parts):
    with pytest.raises(ConfigError, match="at least 2 folds"):
        fold_score(activity, parts, folds=1)


def test_the_size_of_a_model_grows_with_its_trees_and_the_front_is_a_trade(activity, parts, tmp_path):
    score = cost_score(validation_score(activity, parts), "size")
    small, large = (score(TREES.replace(rounds=rounds, patience=1000)) for rounds in (2, 200))
    assert small[1] < large[1]
    assert small[0] > large[0]  # two trees predict little more than the mean
    assert score.direction == ("min", "min")
    model = fit_predictor(TREES, activity, parts)
    assert abs(sum(file.stat().st_size for file in model.save(tmp_path / "m").glob("*.txt")) - model_bytes(model)) < 10


def test_latency_is_the_microseconds_a_molecule_of_the_fastest_pass(activity, parts, monkeypatch):
    readings = iter([0.0, 3.0, 10.0, 11.5, 20.0, 22.0])
    monkeypatch.setattr("drugai.training.costs.time", SimpleNamespace(process_time=lambda: next(readings)))
    _, found = cost_score(validation_score(activity, parts), "latency")(MeanConfig())
    assert found == pytest.approx(1.5e6 / len(parts.valid))
    with pytest.raises(ConfigError, match="latency"):
        cost_score(validation_score(activity, parts), "speed")


def test_tuned_weights_are_no_worse_than_equal_ones_and_prefer_the_better_member(activity, parts, tmp_path):
    members = [fit_predictor(TREES, activity, parts), fit_predictor(MeanConfig(), activity, parts)]
    score = weights_score(members, activity.take(parts.valid))
    study = tune(score.start(), score, trials=40, storage=tmp_path / "s.journal", name="s", pruner="none")
    assert study.best_value <= study.study.trials[0].value
    assert study.best_config.trees > study.best_config.mean
    ensemble = score.ensemble(study.best_config)
    valid = activity.take(parts.valid)
    expected = np.sqrt(np.mean((ensemble.predict(valid.smiles).mean - valid.y) ** 2))
    assert expected == pytest.approx(study.best_value, rel=1e-5)


def test_members_of_one_kind_get_numbers_and_one_alone_is_refused(activity, parts):
    model = fit_predictor(MeanConfig(), activity, parts)
    assert weights_score([model, model], activity.take(parts.valid)).names == ("mean_1", "mean_2")
    with pytest.raises(ConfigError, match="two or more"):
        weights_score([model], activity.take(parts.valid))


def test_fields_without_effect_are_named(activity, parts):
    regression = validation_score(activity, parts)
    classes = Dataset("c", activity.smiles, (activity.y > np.nanmedian(activity.y)).astype(float), (Task("a", "binary"),))
    assert regression.fixed(GNNConfig()) == {}
    assert validation_score(classes, parts).fixed(GNNConfig()) == {"loss": "mse"}
    from drugai.predictors import EnsembleConfig

    fixed = regression.fixed(EnsembleConfig(members=("trees", "gp")))
    assert fixed["gnn.net.depth"] == EnsembleConfig().gnn.net.depth
    assert not any(key.startswith("trees.") for key in fixed)
    fixed = regression.fixed(AutoConfig(candidates=("trees", "fragments")))
    assert {"gp.steps", "hybrid.loss", "lm.learning_rate"} <= set(fixed)
    assert "fragments.leaves" not in fixed


def test_an_ensemble_is_tuned_like_any_other_model(activity, parts, tmp_path):
    from drugai.predictors import EnsembleConfig

    config = EnsembleConfig(members=("trees", "gp"), trees=TREES)
    score = validation_score(activity, parts)
    study = tune(config, score, trials=2, storage=tmp_path / "s.journal", name="s")
    assert {key.partition(".")[0] for key in study.study.trials[1].params} == {"trees", "gp"}
    assert study.study.trials[0].value == score(config, seed=study.seed_of(0))


def test_auto_is_tuned_over_the_kinds_it_may_try(activity, parts, tmp_path):
    from drugai.predictors.auto import AutoConfig

    config = AutoConfig(minutes=0.02, candidates=("trees",), most=1, trees=TREES)
    study = tune(config, validation_score(activity, parts), trials=2, storage=tmp_path / "s.journal", name="s")
    assert {key.partition(".")[0] for key in study.study.trials[1].params} == {"trees"}
    assert study.counts() == {"COMPLETE": 2}


def test_molecules_are_parsed_once_for_all_trials(activity, parts):
    score = validation_score(activity, parts)
    batch = batch_of(score.train)
    score(TREES)
    assert batch_of(score.train) is batch
    calls = []
    batch.compute(("block", "morgan"), partial(calls.append))
    assert not calls  # the fingerprints are there already


def test_a_validation_score_hands_over_its_model(activity, parts):
    models = []
    score = validation_score(activity, parts)
    value = score(TREES, on_model=models.append)
    assert score.score(models[0]) == value


def test_a_score_has_the_unit_of_its_tasks_where_its_metric_does(activity, parts):
    unit = activity.tasks[0].unit
    assert unit
    assert validation_score(activity, parts).unit == validation_score(activity, parts, "mae").unit == unit
    assert validation_score(activity, parts, "r2").unit == ""
    assert fold_score(activity, parts, folds=2).unit == unit
    assert unit_of("rmse", (Task("a", "regression", unit="mV"), Task("b", "regression", unit="%"))) == ""
