"""Trials whose worker died: found, marked as failed, and their parameters run again."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

HEARTBEAT = 20.0
STALE_AFTER = 180.0


def process_start(pid: int) -> str | None:
    """When a process started, in clock ticks since boot as Linux tells; None if there is no such process. Process ids are reused, their starts are not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def sign(trial: Any) -> None:
    """Write into a trial who runs it."""
    for key, value in {"host": socket.gethostname(), "pid": os.getpid(), "process_start": process_start(os.getpid()), "heartbeat": time.time()}.items():
        trial.set_user_attr(key, value)


class Heartbeat:
    """While open, a thread writes the time into the trial, so that workers on other hosts see that this one lives."""

    def __init__(self, trial: Any, every: float = HEARTBEAT) -> None:
        self._trial, self._every = trial, every
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def _beat(self) -> None:
        while not self._done.wait(self._every):
            self._trial.set_user_attr("heartbeat", time.time())

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def is_stale(attributes: dict[str, Any], now: float | None = None) -> bool:
    """Whether the worker of a running trial is dead: on this host by its process, on another by the age of its heartbeat."""
    if attributes.get("host") == socket.gethostname():
        start = process_start(int(attributes["pid"]))
        return start is None or start != attributes.get("process_start")
    if "heartbeat" not in attributes:
        return False  # it was asked for a moment ago and has not signed yet
    return (now or time.time()) - float(attributes["heartbeat"]) > STALE_AFTER


def reap(study: Any) -> int:
    """Mark stale trials as FAIL and enqueue their parameters again; returns how many. Call it under the study's lock."""
    from optuna.trial import TrialState

    found = 0
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        unsigned = "host" not in trial.user_attrs and trial.datetime_start is not None and time.time() - trial.datetime_start.timestamp() > STALE_AFTER
        if not unsigned and not is_stale(dict(trial.user_attrs)):
            continue
        study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
        if trial.params:
            study.enqueue_trial(trial.params, user_attrs={"retry_of": trial.number})
        logger.warning("trial %d was left by a worker that died; its parameters run again", trial.number)
        found += 1
    return found
