"""Several worker processes on one study; one that dies is replaced."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from multiprocessing import get_context

from drugai.errors import ConfigError
from drugai.runtime import configure_logging, defer_interrupts, die_with_parent, divide_threads
from drugai.tuning.plan import StudyPlan
from drugai.tuning.working import work

logger = logging.getLogger(__name__)

MOST_REPLACEMENTS = 10


def run_workers(plan: StudyPlan, jobs: int, watch: Callable[[], None] | None = None) -> None:
    """Run ``jobs`` worker processes until the study is over.

    Args:
        plan: The study.
        jobs: How many; the processor's threads are divided among them.
        watch: Called about once a second.

    Raises:
        ConfigError: Workers keep dying.
    """
    context = get_context("spawn")
    threads = divide_threads(jobs)
    # read when numpy, torch and lightgbm load in the new process, so that workers do not fight over the processors
    kept = {key: os.environ.get(key) for key in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    os.environ.update(dict.fromkeys(kept, str(threads)))
    try:
        workers = [context.Process(target=_worker, args=(plan,)) for _ in range(jobs)]
        for worker in workers:
            worker.start()
        replaced, looked = 0, time.monotonic()
        with defer_interrupts() as interrupted:
            while any(worker.is_alive() for worker in workers) and not interrupted():
                time.sleep(0.1)
                if watch is not None and time.monotonic() - looked > 1.0:
                    watch()
                    looked = time.monotonic()
                for index, worker in enumerate(workers):
                    if worker.exitcode is not None and worker.exitcode < 0 and replaced < MOST_REPLACEMENTS:
                        logger.warning("a tuning worker was killed by signal %d; another takes its place", -worker.exitcode)
                        workers[index] = context.Process(target=_worker, args=(plan,))
                        workers[index].start()
                        replaced += 1
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
            worker.join()
        if watch is not None:
            watch()
    finally:
        for key, value in kept.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
    failed = [worker.exitcode for worker in workers if worker.exitcode not in (0, None)]
    if failed and not interrupted():
        raise ConfigError(f"{len(failed)} tuning workers ended with an error (status {failed}); their log says which")


def _worker(plan: StudyPlan) -> None:
    die_with_parent()
    configure_logging("warning")
    work(plan)
