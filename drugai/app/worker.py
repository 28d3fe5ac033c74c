"""The process that runs the app's jobs: names on standard input, each answered on standard output when the job is over."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drugai.app.jobs import Job, JobStore
from drugai.errors import DrugaiError
from drugai.runtime import configure_logging, die_with_parent

logger = logging.getLogger(__name__)

Tell = Callable[[int, int, str], None]
"""Called with (done, total, words)."""
EVERY = 0.4
"""Seconds between two notes of progress."""


def run_job(store: JobStore, name: str) -> Job:
    """Run one job and keep what became of it; an error is the job's, never the caller's."""
    job = store.change(name, state="running", words="loading")
    last = 0.0

    def tell(done: int, total: int, words: str) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY or done >= total:
            last = time.monotonic()
            store.change(name, done=done, total=total, words=words)

    try:
        result = _kind(job.kind)(job, store.folder(name), tell)
    except DrugaiError as error:
        return store.change(name, state="failed", words=str(error), ended=time.time())
    except Exception as error:  # whatever else a job may raise ends this job alone, with its name, and stands in the log
        logger.exception("job %s failed", name)
        return store.change(name, state="failed", words=f"{type(error).__name__}: {error}", ended=time.time())
    return store.change(name, state="done", result=result, words="", ended=time.time())


def _kind(kind: str) -> Callable[[Job, Path, Tell], dict[str, Any]]:
    """The function of a kind; what it needs is imported when it is first used."""
    if kind == "predict":
        from drugai.app.predicting import predict_job

        return predict_job
    if kind == "admet":
        from drugai.app.admet import admet_job

        return admet_job
    if kind == "screen":
        from drugai.app.screening import screen_job

        return screen_job
    if kind == "link":
        from drugai.app.linking import link_job

        return link_job
    from drugai.app.optimizing import optimize_job

    return optimize_job


def main() -> None:
    """Serve the folder named by the first argument until standard input ends."""
    die_with_parent()
    configure_logging("info")
    store = JobStore(sys.argv[1])
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a library prints must not be taken for an answer
    for line in sys.stdin:
        name = run_job(store, line.strip()).id
        answers.write(name + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
