"""Studies on a function whose best value is known by hand."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from drugai.config import Config, tunable
from drugai.errors import ConfigError
from drugai.tuning import config_space, tune


@dataclass(frozen=True)
class Bowl(Config):
    x: float = tunable(3.0, -5.0, 5.0)
    n: int = tunable(3, 1, 9)
    shape: str = tunable("a", choices=("a", "b"))


def height(config, seed=0, on_epoch=None):
    """Least at x = 1, n = 4, shape b, where it is 0."""
    value = (config.x - 1) ** 2 + abs(config.n - 4) + (config.shape == "a")
    for epoch in range(8):
        on_epoch(epoch, {"loss": value + 1 / (epoch + 1)})
    return value


def test_trial_zero_is_the_starting_config_and_the_best_is_found(tmp_path):
    study = tune(Bowl(), height, trials=30, storage=tmp_path / "s.journal", name="bowl", direction="min")
    assert study.study.trials[0].params == {"x": 3.0, "n": 3, "shape": "a"}
    assert study.best_value < height(Bowl(), on_epoch=lambda *_: None)
    assert height(study.best_config, on_epoch=lambda *_: None) == study.best_value
    assert sum(study.counts().values()) == 30


def test_a_resumed_study_is_the_straight_one(tmp_path):
    straight = tune(Bowl(), height, trials=14, storage=tmp_path / "a.journal", name="s", direction="min")
    for total in (3, 9, 14):
        resumed = tune(Bowl(), height, trials=total, storage=tmp_path / "b.journal", name="s", direction="min")
    assert [trial.params for trial in resumed.study.trials] == [trial.params for trial in straight.study.trials]
    assert [trial.value for trial in resumed.study.trials] == [trial.value for trial in straight.study.trials]


def test_space_can_be_narrowed_and_fixed_and_unknown_keys_are_refused(tmp_path):
    study = tune(Bowl(), height, trials=6, storage=tmp_path / "s.journal", name="s", direction="min", space={"x": [0.5, 1.5], "shape": "b"})
    assert all(0.5 <= trial.params["x"] <= 1.5 and "shape" not in trial.params for trial in study.study.trials)
    assert study.best_config.shape == "b"
    with pytest.raises(ConfigError, match="did you mean 'shape'"):
        config_space(Bowl(), {"shap": "b"})


def test_direction_comes_from_the_function_or_must_be_said(tmp_path):
    with pytest.raises(ConfigError, match="direction"):
        tune(Bowl(), height, trials=1, storage=tmp_path / "s.journal")


def test_a_failing_trial_carries_its_error_and_the_study_goes_on(tmp_path):
    def sometimes(config):
        if config.n > 4:
            raise ValueError("n too large")
        return config.x**2

    study = tune(Bowl(), sometimes, trials=15, storage=tmp_path / "s.journal", name="s", direction="min", sampler="random")
    failed = [trial for trial in study.study.trials if trial.state.name == "FAIL"]
    assert failed
    assert all("n too large" in trial.user_attrs["error"] for trial in failed)
    assert study.counts()["COMPLETE"] == 15


def test_a_function_that_always_fails_ends_the_study_with_its_error(tmp_path):
    def broken(config):
        raise KeyError("no such column")

    with pytest.raises(ConfigError, match="no such column"):
        tune(Bowl(), broken, trials=5, storage=tmp_path / "s.journal", name="s", direction="min")


def test_equal_parameters_are_not_run_twice(tmp_path):
    @dataclass(frozen=True)
    class Two(Config):
        shape: str = tunable("a", choices=("a", "b"))

    calls = []

    def count(config):
        calls.append(config.shape)
        return float(config.shape == "a")

    study = tune(Two(), count, trials=8, storage=tmp_path / "s.journal", name="s", direction="max", sampler="random")
    assert sorted(calls) == ["a", "b"]
    assert sum("duplicate_of" in trial.user_attrs for trial in study.study.trials) == 6


def test_several_objectives_give_a_front_and_a_choice_by_weights(tmp_path):
    study = tune(Bowl(), lambda config: (config.x**2, (config.x - 2) ** 2), trials=25, storage=tmp_path / "s.journal", name="s", direction=["min", "min"], sampler="nsga2")
    assert len(study.pareto()) > 1
    assert abs(study.choose([1, 0]).x) <= min(abs(config.x) for config, _ in study.pareto()) + 1e-9
    assert study.choose([0, 1]).x > study.choose([1, 0]).x


WORKER = """
import sys, time
sys.path.insert(0, {folder!r})
from test_tune_slowly import Bowl, slow
from drugai.tuning import tune
if __name__ == "__main__":
    tune(Bowl(), slow, trials=24, storage={journal!r}, name="s", direction="min", jobs=2)
"""
SLOW = """
import time
from dataclasses import dataclass
from drugai.config import Config, tunable
@dataclass(frozen=True)
class Bowl(Config):
    x: float = tunable(3.0, -5.0, 5.0)
def slow(config, seed=0):
    time.sleep(0.4)
    return (config.x - 1) ** 2 + seed * 1e-12
"""


@pytest.mark.slow
def test_t23_a_study_killed_five_times_leaves_no_trial_running_and_runs_its_parameters_again(tmp_path):
    (tmp_path / "test_tune_slowly.py").write_text(SLOW)
    script = tmp_path / "run.py"
    script.write_text(WORKER.format(folder=str(tmp_path), journal=str(tmp_path / "s.journal")))
    draw = random.Random(0)
    process, killed = None, []
    while len(killed) < 5:
        if process is None:
            process = subprocess.Popen([sys.executable, str(script)])
        before = finished(tmp_path)
        while finished(tmp_path) <= before and process.poll() is None:
            time.sleep(0.05)
        assert process.poll() is None, "the study ended before it was killed five times"
        time.sleep(draw.uniform(0.0, 0.4))
        kind = ("worker", "parent")[len(killed) % 2]
        workers = workers_of(process.pid)
        while kind == "worker" and not workers and process.poll() is None:
            workers = workers_of(process.pid)  # one that was killed is being replaced
        os.kill(process.pid if kind == "parent" else draw.choice(workers), signal.SIGKILL)
        killed.append(kind)
        if kind == "parent":
            process.wait()
            process = None
    if process is not None:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run([sys.executable, str(script)], check=True)
    sys.path.insert(0, str(tmp_path))
    from test_tune_slowly import Bowl as Slow
    from test_tune_slowly import slow

    study = tune(Slow(), slow, trials=24, storage=tmp_path / "s.journal", name="s", direction="min")
    trials = study.study.trials
    assert set(study.counts()) <= {"COMPLETE", "FAIL"}  # none RUNNING
    assert study.counts()["COMPLETE"] == 24
    assert [trial.number for trial in trials] == list(range(len(trials)))
    root = {trial.number: trial.user_attrs.get("retry_of", trial.number) for trial in trials}
    complete = {root[trial.number] for trial in trials if trial.state.name == "COMPLETE"}
    assert all(root[trial.number] in complete for trial in trials if trial.state.name == "FAIL")
    best = study.study.best_trial
    assert slow(study.best_config, seed=best.user_attrs["seed"]) == pytest.approx(best.value, abs=1e-6)


def workers_of(parent):
    """Process ids of the workers of a study's parent process."""
    try:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    except FileNotFoundError:
        return []


def finished(folder):
    """Trials of the study in a folder that have ended."""
    from drugai.tuning.reading import load_study

    try:
        return sum(trial.state.is_finished() for trial in load_study(folder, "s").trials)
    except ConfigError:
        return 0  # not created yet


@pytest.mark.slow
def test_sigterm_ends_a_trial_at_its_next_epoch_and_its_parameters_run_again(tmp_path):
    (tmp_path / "test_tune_epochs.py").write_text(SLOW.replace("def slow(config, seed=0):", "def slow(config, seed=0, on_epoch=None):").replace("    time.sleep(0.4)\n", EPOCHS))
    script = tmp_path / "run.py"
    script.write_text(WORKER.replace("test_tune_slowly", "test_tune_epochs").replace("jobs=2", "jobs=1, pruner='none'").format(folder=str(tmp_path), journal=str(tmp_path / "s.journal")))
    process = subprocess.Popen([sys.executable, str(script)])
    while not (tmp_path / "began").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0  # a hundred seconds of epochs are left
    from drugai.tuning.reading import load_study

    first, again = load_study(tmp_path, "s").trials
    assert (first.state.name, again.state.name) == ("FAIL", "WAITING")
    assert again.system_attrs["fixed_params"] == first.params
    assert again.user_attrs == {"retry_of": 0, "after": 0, "attempt": 0}


EPOCHS = """    for epoch in range(1000):
        open(__file__.rpartition("/")[0] + "/began", "w").close()
        time.sleep(0.1)
        on_epoch(epoch, {"loss": 1.0})
"""


def test_two_workers_share_one_journal_without_losing_or_repeating_a_trial(tmp_path):
    (tmp_path / "test_tune_slowly.py").write_text(SLOW.replace("0.4", "0.01"))
    script = tmp_path / "run.py"
    script.write_text(WORKER.format(folder=str(tmp_path), journal=str(tmp_path / "s.journal")))
    subprocess.run([sys.executable, str(script)], check=True, cwd=Path(tmp_path))
    import optuna
    from optuna.storages.journal import JournalFileBackend

    study = optuna.load_study(study_name="s", storage=optuna.storages.JournalStorage(JournalFileBackend(str(tmp_path / "s.journal"))))
    assert [trial.number for trial in study.trials] == list(range(24))
    assert all(trial.state.name == "COMPLETE" for trial in study.trials)
