"""What a trial offers its function, what it leaves behind, and when a study ends."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import pytest

from drugai.config import Config, tunable
from drugai.errors import ConfigError
from drugai.tuning import open_tuning, tune


@dataclass(frozen=True)
class Bowl(Config):
    x: float = tunable(3.0, -5.0, 5.0)


class Model:
    """Saves one number."""

    def __init__(self, x):
        self.x = x

    def save(self, path):
        Path(path).mkdir(parents=True)
        (Path(path) / "x.txt").write_text(str(self.x))


def fitted(config, seed=0, on_model=None):
    logging.getLogger("drugai.test").info("fitting at %s", config.x)
    if on_model is not None:
        on_model(Model(config.x))
    return config.x**2


def start(tmp_path, evaluate, **options):
    return tune(Bowl(), evaluate, storage=tmp_path / "s.journal", name="s", **{"direction": "min", "trials": 12, **options})


def test_each_trial_leaves_config_log_and_result_and_the_best_two_their_models(tmp_path):
    study = start(tmp_path, fitted, folder=tmp_path / "trials", keep=2)
    best = sorted(study.study.trials, key=lambda trial: trial.value)[:2]
    for trial in study.study.trials:
        place = tmp_path / "trials" / f"trial_{trial.number:05d}"
        config = json.loads((place / "config.json").read_text())
        assert config["config"]["x"] == trial.params["x"]
        assert config["seed"] == trial.user_attrs["seed"]
        assert f"fitting at {trial.params['x']}" in (place / "log.jsonl").read_text()
        assert json.loads((place / "result.json").read_text())["values"] == trial.values
        assert (place / "model").exists() == (trial.number in {each.number for each in best})
    assert (tmp_path / "trials" / f"trial_{best[0].number:05d}" / "model" / "x.txt").read_text() == str(best[0].params["x"])


def test_the_log_of_a_trial_leaves_the_users_logging_as_it_was(tmp_path, caplog):
    logger = logging.getLogger("drugai")
    before = (logger.level, logger.propagate, list(logger.handlers))

    def warns(config):
        logger.info("an epoch")
        logger.warning("look at this")
        return config.x**2

    with caplog.at_level(logging.WARNING):
        start(tmp_path, warns, trials=1, folder=tmp_path / "trials")
    assert (logger.level, logger.propagate, list(logger.handlers)) == before
    assert [record.message for record in caplog.records] == ["look at this"]


def test_the_error_of_a_failed_trial_is_in_its_log(tmp_path):
    def sometimes(config):
        if config.x < 0:
            raise ValueError("below zero")
        return config.x

    study = start(tmp_path, sometimes, sampler="random", folder=tmp_path / "trials")
    failed = next(trial for trial in study.study.trials if trial.state.name == "FAIL")
    assert "ValueError: below zero" in (tmp_path / "trials" / f"trial_{failed.number:05d}" / "log.jsonl").read_text()


def test_a_config_that_breaks_a_constraint_cannot_win(tmp_path):
    def constrained(config, constrain):
        constrain("at least one", 1.0 - config.x)
        return config.x**2

    study = start(tmp_path, constrained, trials=25)
    assert min(trial.value for trial in study.study.trials) < 1.0
    assert study.best_value >= 1.0
    assert study.best_config.x >= 1.0


def test_no_config_that_keeps_the_constraint_is_an_error_in_words(tmp_path):
    def never(config, constrain):
        constrain("never", 1.0)
        return 0.0

    study = start(tmp_path, never, trials=2)
    with pytest.raises(ConfigError, match="keeps the constraints"):
        _ = study.best_config


def test_wilcoxon_ends_a_config_that_is_worse_on_every_fold_and_keeps_the_best(tmp_path):
    shifts = [0.1, 0.3, 0.2, 0.15, 0.25, 0.05, 0.4, 0.35]
    run = []

    def folds(config, on_fold):
        scores = []
        for number, shift in enumerate(shifts):
            scores.append(config.x**2 + shift)
            run.append(number)
            on_fold(number, scores[-1])
        return sum(scores) / len(scores)

    study = start(tmp_path, folds, trials=20, pruner="wilcoxon", sampler="random")
    pruned = [trial for trial in study.study.trials if trial.state.name == "PRUNED"]
    assert pruned
    # four folds worse on every one: p = 1/16 < 0.1
    assert {trial.user_attrs["folds"] for trial in pruned} == {4}
    assert len(run) < 20 * len(shifts)
    assert study.best_value == min(trial.value for trial in study.study.trials if trial.state.name == "COMPLETE")
    assert all(trial.params["x"] ** 2 > study.best_config.x**2 for trial in pruned)


def test_a_pruned_trial_runs_no_further_epoch_and_saves_what_it_should(tmp_path):
    run = []

    def epochs(config, on_epoch):
        for epoch in range(40):
            run.append(epoch)
            on_epoch(epoch, {"loss": config.x**2 + 1 / (epoch + 1)})
        return config.x**2

    study = start(tmp_path, epochs, trials=30, sampler="random")
    by_state = {state: [trial.user_attrs["epochs"] for trial in study.study.trials if trial.state.name == state] for state in ("COMPLETE", "PRUNED")}
    assert sum(map(sum, by_state.values())) == len(run)
    assert set(by_state["COMPLETE"]) == {40}
    assert set(by_state["PRUNED"]) == {6}  # the median rule waits for five epochs
    assert len(by_state["PRUNED"]) > 5


@pytest.mark.parametrize("pruner", ["median", "hyperband", "halving"])
def test_pruners_keep_the_best_of_configs_whose_curves_do_not_cross(tmp_path, pruner):
    def epochs(config, on_epoch):
        for epoch in range(30):
            on_epoch(epoch, {"loss": config.x**2 + 1 / (epoch + 1)})
        return config.x**2

    pruned = start(tmp_path, epochs, trials=25, sampler="random", pruner=pruner)
    assert pruned.counts()["PRUNED"] > 0
    assert pruned.best_value == min(trial.params["x"] ** 2 for trial in pruned.study.trials)


def test_epochs_of_different_losses_are_compared_by_their_common_error(tmp_path):
    # "loss" would prune every config but the first; "error" says that they are better
    def epochs(config, on_epoch):
        for epoch in range(10):
            on_epoch(epoch, {"loss": 0.0 if config.x == 3.0 else 99.0, "error": config.x})
        return config.x

    study = start(tmp_path, epochs, trials=8, sampler="random", space={"x": [-5.0, 3.0]})
    assert study.best_value < 3.0


def test_patience_ends_a_study_without_a_better_trial(tmp_path):
    study = start(tmp_path, lambda config: 0.0 if config.x == 3.0 else 1.0, trials=50, patience=4)
    assert study.counts() == {"COMPLETE": 5}
    assert start(tmp_path, lambda config: 1.0, trials=50, patience=4).counts() == {"COMPLETE": 5}  # and it stays ended


def test_a_callback_sees_each_trial_and_can_end_the_study(tmp_path):
    seen = []

    def after(study, trial):
        seen.append((trial.number, trial.value))
        return trial.number == 3

    study = start(tmp_path, fitted, callbacks=[after])
    assert seen == [(trial.number, trial.value) for trial in study.study.trials]
    assert len(seen) == 4


def test_parameters_of_a_pruned_trial_are_not_run_twice(tmp_path):
    @dataclass(frozen=True)
    class Three(Config):
        x: int = tunable(0, 0, 2)

    calls = []

    def epochs(config, on_epoch):
        calls.append(config.x)
        for epoch in range(10):
            on_epoch(epoch, {"loss": float(config.x)})
        return float(config.x)

    tune(Three(), epochs, trials=25, storage=tmp_path / "s.journal", name="s", direction="min", sampler="random")
    assert sorted(calls) == [0, 1, 2]


def test_progress_says_best_so_far_and_time_left(tmp_path):
    told = []
    study = start(tmp_path, fitted, trials=6, on_progress=told.append)
    assert [standing.finished for standing in told] == [1, 2, 3, 4, 5, 6]
    assert told[-1].best == (study.best_value,)
    assert told[-1].best_trial == study.best_trial.number
    assert told[-1].seconds_left == 0
    assert all(standing.seconds_left is not None for standing in told)
    assert f"6/6 trials, best {study.best_value:.5g}" in str(told[-1])


def test_ask_and_tell_gives_configs_with_their_seeds_and_takes_results(tmp_path):
    study = open_tuning(Bowl(), direction="min", trials=6, storage=tmp_path / "s.journal", name="s")
    asked = study.ask()
    assert asked.config == Bowl()
    assert asked.seed == study.seed_of(0)
    study.tell(asked, 9.0)
    study.tell(study.ask(), None)  # an experiment that failed does not count
    while (asked := study.ask()) is not None:
        study.tell(asked, asked.config.x**2)
    assert study.counts() == {"COMPLETE": 6, "FAIL": 1}
    assert study.best_value == min(trial.value for trial in study.study.trials if trial.value is not None)


def test_ask_and_tell_continues_in_another_process_and_two_askers_get_different_trials(tmp_path):
    first = open_tuning(Bowl(), direction="min", trials=6, storage=tmp_path / "s.journal", name="s")
    second = open_tuning(Bowl(), direction="min", trials=6, storage=tmp_path / "s.journal", name="s")
    one, two = first.ask(), second.ask()
    assert (one.number, two.number) == (0, 1)
    second.tell(two, 1.0)
    first.tell(one, 2.0)
    assert second.counts() == {"COMPLETE": 2}
