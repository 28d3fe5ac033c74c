"""Give out the next trial under the study's lock, as long as the budgets last."""

from __future__ import annotations

import time
from typing import Any

from drugai.runtime import derive_seed
from drugai.tuning.heartbeat import Worker
from drugai.tuning.locking import exclusive
from drugai.tuning.plan import StudyPlan, trial_seed
from drugai.tuning.space import KindSpace, Space
from drugai.tuning.stale import reap
from drugai.tuning.storage import make_sampler


def ask(plan: StudyPlan, study: Any, space: Space | KindSpace, worker: Worker) -> Any | None:
    """The next trial, signed and with its parameters; None when the study is over."""
    from optuna.trial import TrialState

    with exclusive(plan.storage) as lock:
        reap(study, plan.storage, lock.unfinished)
        existing = study.get_trials(deepcopy=False)
        counted = sum(trial.state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING) for trial in existing)
        if counted >= plan.trials or study.user_attrs.get("ended") == plan.trials or out_of_patience(study, plan.patience):
            return None
        # a sampler of its own for each trial number: a resumed study draws what an undisturbed one would
        study.sampler = make_sampler(plan.sampler, derive_seed(plan.seed, "sampler", len(existing)) % 2**31)
        waiting = [trial.number for trial in existing if trial.state == TrialState.WAITING]
        lock.note(min(waiting) if waiting else len(existing))
        trial = study.ask()
        space.suggest(trial)
        # a retry takes the seed of the trial it repeats
        trial.set_user_attr("seed", trial_seed(plan.seed, int(trial.user_attrs.get("retry_of", trial.number))))
        worker.sign(trial)
        lock.note(None)
    return trial


def same_parameters(study: Any, trial: Any, stop: Any = lambda: False) -> Any | None:
    """A trial with the same parameters that has ended. One that another worker is running is waited for; only older ones are, so that no two wait for each other."""
    from optuna.trial import TrialState

    while True:
        twins = [other for other in study.get_trials(deepcopy=False) if other.number != trial.number and other.params == trial.params]
        ended = [other for other in twins if other.state in (TrialState.COMPLETE, TrialState.PRUNED)]
        if ended:
            return ended[0]
        if not any(other.state == TrialState.RUNNING and other.number < trial.number for other in twins) or stop():
            return None
        time.sleep(0.2)


def out_of_patience(study: Any, patience: int) -> bool:
    """Whether the last ``patience`` finished trials brought no better one. For several objectives: none on the Pareto front."""
    from optuna.trial import TrialState

    if not patience:
        return False
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    if not any(trial.state == TrialState.COMPLETE for trial in finished):
        return False
    best = best_numbers(study)
    if not best:
        return False
    return sum(trial.number > max(best) for trial in finished) >= patience


def best_numbers(study: Any) -> set[int]:
    """Number of the best trial, or those on the Pareto front; empty while no trial that keeps the constraints is complete."""
    if len(study.directions) > 1:
        return {trial.number for trial in study.best_trials}
    try:
        return {study.best_trial.number}
    except ValueError:
        return set()
