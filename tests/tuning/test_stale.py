"""Trials of dead workers: whose process is gone here, whose heartbeat is old elsewhere."""

import os
import time
from dataclasses import dataclass

import optuna

from drugai.config import Config, tunable
from drugai.tuning import stale, tune
from drugai.tuning.heartbeat import Worker, beats_folder, machine, process_start
from drugai.tuning.locking import exclusive
from drugai.tuning.stale import is_stale, reap
from drugai.tuning.storage import open_storage

HERE = {"name": "w", "machine": machine(), "pid": os.getpid(), "process_start": process_start(os.getpid())}
ELSEWHERE = {"name": "w", "machine": "another|boot|pid:[1]", "pid": os.getpid(), "process_start": "1"}


@dataclass(frozen=True)
class Bowl(Config):
    x: float = tunable(3.0, -5.0, 5.0)


def square(config, seed=0):
    return config.x**2


def abandoned(journal, worker=None, params=True):
    """A study with one trial that was asked for and never told."""
    study = optuna.create_study(study_name="s", storage=open_storage(journal))
    trial = study.ask()
    if params:
        trial.suggest_float("x", -5.0, 5.0)
    if worker is not None:
        trial.set_user_attr("worker", worker)
    return study, trial


def test_a_process_is_judged_on_its_own_machine_alone(tmp_path):
    assert not is_stale(HERE, tmp_path)
    assert is_stale({**HERE, "process_start": "1"}, tmp_path)  # the process id was given to another process since
    assert is_stale({**HERE, "pid": 2**22 + 1}, tmp_path)
    (tmp_path / "w").touch()
    assert not is_stale({**ELSEWHERE, "pid": 2**22 + 1}, tmp_path)  # no such process here says nothing of there


def test_elsewhere_the_age_of_the_heartbeat_file_decides(tmp_path):
    beat = tmp_path / "w"
    beat.touch()
    assert not is_stale(ELSEWHERE, tmp_path)
    old = time.time() - stale.STALE_AFTER - 5
    os.utime(beat, (old, old))
    assert is_stale(ELSEWHERE, tmp_path)
    beat.unlink()
    assert is_stale(ELSEWHERE, tmp_path)  # a worker takes its file away when it ends


def test_a_worker_touches_its_file_and_takes_it_away(tmp_path, monkeypatch):
    monkeypatch.setattr(stale, "HEARTBEAT", 0.02)
    journal = tmp_path / "s.journal"
    with Worker(journal, open_storage(journal)) as worker:
        os.utime(worker.file, (1, 1))
        deadline = time.monotonic() + 10
        while worker.file.stat().st_mtime < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert worker.file.stat().st_mtime > 2
        assert worker.file.parent == beats_folder(journal)
    assert not worker.file.exists()


def test_a_dead_workers_trial_fails_and_runs_again_once_with_its_own_seed(tmp_path):
    journal = tmp_path / "s.journal"
    study, trial = abandoned(journal, ELSEWHERE)
    assert reap(study, journal) == 1
    assert reap(study, journal) == 0
    found = tune(Bowl(), square, trials=4, storage=journal, name="s", direction="min")
    assert found.study.trials[0].state.name == "FAIL"
    again = [each for each in found.study.trials if each.user_attrs.get("retry_of") == 0]
    assert len(again) == 1
    assert again[0].params == trial.params
    assert again[0].user_attrs["seed"] == found.seed_of(0)
    assert found.counts() == {"FAIL": 1, "COMPLETE": 4}


def test_a_trial_that_was_being_given_out_when_its_worker_died_is_found_at_once(tmp_path):
    journal = tmp_path / "s.journal"
    study, _ = abandoned(journal, worker=None, params=False)
    assert reap(study, journal, unfinished=None) == 0  # unsigned but young: someone else may be asking
    with exclusive(journal) as lock:
        lock.note(0)  # the holder dies here
    with exclusive(journal) as lock:
        assert lock.unfinished == 0
        assert reap(study, journal, lock.unfinished) == 1
    assert [trial.state.name for trial in study.trials] == ["FAIL", "WAITING"]


def test_parameters_that_keep_killing_their_worker_are_given_up(tmp_path):
    journal = tmp_path / "s.journal"
    study, _ = abandoned(journal, ELSEWHERE)
    for _ in range(stale.MOST_RETRIES):
        assert reap(study, journal) == 1
        trial = study.ask()
        trial.set_user_attr("worker", ELSEWHERE)
    assert reap(study, journal) == 1
    states = [trial.state.name for trial in study.trials]
    assert states == ["FAIL"] * (stale.MOST_RETRIES + 1)  # and none waits
    assert {trial.user_attrs.get("retry_of") for trial in study.trials[1:]} == {0}


def test_an_enqueued_start_survives_a_death_before_it_had_its_parameters(tmp_path):
    journal = tmp_path / "s.journal"
    study = optuna.create_study(study_name="s", storage=open_storage(journal))
    study.enqueue_trial({"x": 1.25})
    study.ask().set_user_attr("worker", ELSEWHERE)
    reap(study, journal)
    assert study.ask().suggest_float("x", -5.0, 5.0) == 1.25


def test_a_dead_process_that_no_parent_has_waited_for_is_dead(tmp_path):
    child = os.fork()
    if child == 0:
        os._exit(0)
    try:
        limit = time.monotonic() + 10
        while process_start(child) is not None and time.monotonic() < limit:
            time.sleep(0.01)
        assert os.path.exists(f"/proc/{child}")  # it is there still, as a zombie
        assert process_start(child) is None
        assert is_stale({"name": "w", "machine": machine(), "pid": child, "process_start": "1"}, tmp_path)
    finally:
        os.waitpid(child, 0)
