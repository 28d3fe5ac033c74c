"""Trials whose worker died: found, marked as failed, and their parameters run again."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

HEARTBEAT = 20.0
STALE_AFTER = 180.0
MOST_RETRIES = 5
"""A trial whose parameters killed their worker so often (out of memory, say) is given up."""


def is_stale(worker: Mapping[str, Any], folder: Path | None) -> bool:
    """Whether the worker that signed a trial is dead: on its own machine by its process, elsewhere by the age of its heartbeat file.

    Args:
        worker: What it wrote into the trial.
        folder: Of the heartbeat files; None where a server keeps the heartbeat, which then decides.
    """
    from drugai.tuning.heartbeat import machine, process_start

    if worker["machine"] == machine():
        start = process_start(int(worker["pid"]))
        return start is None or start != worker["process_start"]
    if folder is None:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / ".now"
    probe.touch()  # the time of the file system that all hosts share, not of this host's clock
    try:
        return probe.stat().st_mtime - (folder / str(worker["name"])).stat().st_mtime > STALE_AFTER
    except FileNotFoundError:
        return True  # a worker takes its file away when it ends


def reap(study: Any, storage: str | Path, unfinished: int | None = None) -> int:
    """Mark stale trials as FAIL and enqueue their parameters again; returns how many. Call it under the study's lock.

    Args:
        study: Optuna's study.
        storage: Path or URL.
        unfinished: The trial number that a dead holder of the lock was giving out: that trial carries no signature.
    """
    from optuna.trial import TrialState

    from drugai.tuning.heartbeat import beats_folder

    folder = beats_folder(storage)
    found = 0
    silent = _without_heartbeat(study)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if "worker" in trial.user_attrs:
            dead = trial.number in silent or is_stale(trial.user_attrs["worker"], folder)
        else:
            age = time.time() - trial.datetime_start.timestamp() if trial.datetime_start is not None else 0.0
            dead = trial.number == unfinished or age > STALE_AFTER
        if not dead:
            continue
        run_again(study, trial)  # before the FAIL: a death in between leaves a trial that is found again, not one that is lost
        study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
        logger.warning("trial %d was left by a worker that died; its parameters run again", trial.number)
        found += 1
    return found


def run_again(study: Any, trial: Any, *, counts: bool = True) -> None:
    """Enqueue a trial's parameters once more, unless that was done already or too often.

    Args:
        study: Optuna's study.
        trial: The trial that did not end.
        counts: Whether this counts as an attempt; a trial that its user interrupted was not at fault.
    """
    attributes = trial.user_attrs
    attempt = int(attributes.get("attempt", 0)) + (1 if counts else 0)
    if attempt > MOST_RETRIES:
        logger.warning("trial %d: its parameters ended their worker %d times; they are given up", trial.number, attempt)
        return
    if any(other.user_attrs.get("after") == trial.number for other in study.get_trials(deepcopy=False)):
        return
    # a retry is the same experiment as the trial it repeats; what was enqueued and not yet asked for goes along
    root = int(attributes.get("retry_of", trial.number))
    parameters = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
    study.enqueue_trial(parameters, user_attrs={"retry_of": root, "after": trial.number, "attempt": attempt})


def _without_heartbeat(study: Any) -> set[int]:
    """Numbers of running trials whose heartbeat on the database server is too old, by the server's clock."""
    storage = study._storage
    if getattr(storage, "get_heartbeat_interval", lambda: None)() is None:
        return set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {storage.get_trial(trial_id).number for trial_id in storage._get_stale_trial_ids(study._study_id)}
