"""What one worker does: ask for a trial, run it, tell its result, until the study's budgets are spent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from drugai.runtime import defer_interrupts
from drugai.tuning.asking import ask
from drugai.tuning.heartbeat import Worker
from drugai.tuning.opening import open_study
from drugai.tuning.plan import StudyPlan
from drugai.tuning.space import config_space
from drugai.tuning.trial import run_trial


def work(plan: StudyPlan, after_each: Callable[[Any], None] | None = None) -> int:
    """Run trials until the study is over; returns how many this process ran.

    SIGTERM and Ctrl-C end the running trial at its next epoch or fold; its parameters run again when the study goes on.

    Args:
        plan: The study.
        after_each: Called with Optuna's study after each trial.
    """
    study = open_study(plan)
    space = config_space(plan.config, plan.overrides)
    began, done = time.monotonic(), 0
    with defer_interrupts() as interrupted, Worker(plan.storage, study._storage) as worker:
        while not interrupted():
            if plan.minutes and time.monotonic() - began > 60 * plan.minutes:
                break
            trial = ask(plan, study, space, worker)
            if trial is None:
                break
            run_trial(plan, study, trial, space, worker, interrupted)
            done += 1
            if after_each is not None:
                after_each(study)
    return done
