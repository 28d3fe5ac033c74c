"""What one worker does: ask for a trial, run it, tell its result, until the study's total is reached."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drugai.errors import ConfigError
from drugai.runtime import defer_interrupts, derive_seed
from drugai.tuning.plan import Evaluate, StudyPlan, trial_seed
from drugai.tuning.space import KindSpace, Space, config_space
from drugai.tuning.stale import Heartbeat, reap, sign
from drugai.tuning.storage import exclusive, make_pruner, make_sampler, open_storage

logger = logging.getLogger(__name__)


def open_study(plan: StudyPlan) -> Any:
    """Open the study, or create it with the starting config as trial 0."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = config_space(plan.config, plan.overrides)
    with exclusive(plan.storage):
        study = optuna.create_study(
            study_name=plan.name,
            storage=open_storage(plan.storage),
            directions=["minimize" if each == "min" else "maximize" for each in plan.directions],
            sampler=make_sampler(plan.sampler, plan.seed),
            pruner=make_pruner(plan.pruner if len(plan.directions) == 1 else "none"),
            load_if_exists=True,
        )
        if "seed" not in study.user_attrs:
            study.set_user_attr("seed", plan.seed)
            configs = plan.config if isinstance(plan.config, Sequence) else [plan.config]
            study.set_user_attr("config", [{"class": type(each).__name__, "values": each.to_dict()} for each in configs])
            study.set_user_attr("fixed", dict(space.fixed))
            for start in space.starts():
                study.enqueue_trial(start)
        elif study.user_attrs["seed"] != plan.seed:
            raise ConfigError(f"study {plan.name!r} has seed {study.user_attrs['seed']}, asked is {plan.seed}; resume with the same seed or name another study")
        reap(study)
    return study


def work(plan: StudyPlan) -> int:
    """Run trials until the study's total is reached; returns how many this process ran."""
    from optuna.trial import TrialState

    study = open_study(plan)
    space = config_space(plan.config, plan.overrides)
    began, done = time.monotonic(), 0
    with defer_interrupts() as interrupted:
        while not interrupted():
            if plan.minutes and time.monotonic() - began > 60 * plan.minutes:
                break
            with exclusive(plan.storage):
                reap(study)
                existing = study.get_trials(deepcopy=False)
                counted = sum(trial.state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING) for trial in existing)
                if counted >= plan.trials or _out_of_patience(study, plan):
                    break
                # a sampler of its own for each trial number: a resumed study draws what an undisturbed one would
                study.sampler = make_sampler(plan.sampler, derive_seed(plan.seed, "sampler", len(existing)) % 2**31)
                trial = study.ask()
                space.suggest(trial)
                sign(trial)
            _run_one(plan, study, trial, space)
            done += 1
    return done


def _run_one(plan: StudyPlan, study: Any, trial: Any, space: Space | KindSpace) -> None:
    import optuna
    from optuna.trial import TrialState

    same = _same_parameters(study, trial)
    if same is not None:
        trial.set_user_attr("duplicate_of", same.number)
        study.tell(trial, same.values)
        return
    # a retry is the same experiment as the trial it repeats: it takes that trial's seed
    origin = int(trial.user_attrs.get("retry_of", trial.number))
    trial.set_user_attr("seed", trial_seed(plan.seed, origin))
    began = time.process_time()

    def on_epoch(epoch: int, scores: Mapping[str, float]) -> None:
        trial.set_user_attr("epochs", epoch + 1)
        # "error" is one measure for all configs, "loss" may be of the config's own kind; both fall as the score improves, whichever way the score counts
        watched = scores.get("error", scores.get("loss"))
        if len(plan.directions) == 1 and watched is not None:
            trial.report(watched if plan.directions[0] == "min" else -watched, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

    try:
        with Heartbeat(trial):
            score = _call(plan.evaluate, space.config(trial.params), trial_seed(plan.seed, origin), on_epoch)
        trial.set_user_attr("cpu_seconds", round(time.process_time() - began, 3))
        study.tell(trial, score)
        logger.info("trial %d: %s", trial.number, score, extra={"fields": {"trial": trial.number, "score": score}})
    except optuna.TrialPruned:
        trial.set_user_attr("cpu_seconds", round(time.process_time() - began, 3))
        study.tell(trial, state=TrialState.PRUNED)
    except Exception as error:
        trial.set_user_attr("error", f"{type(error).__name__}: {error}")
        study.tell(trial, state=TrialState.FAIL)
        logger.warning("trial %d failed: %s: %s", trial.number, type(error).__name__, error)
        _stop_if_hopeless(study, error)


def _stop_if_hopeless(study: Any, error: Exception) -> None:
    """When the first trials all fail, the fault is not in the parameters: pass the error on instead of failing for ever."""
    from optuna.trial import TrialState

    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    if states.count(TrialState.FAIL) >= 3 and not any(state in (TrialState.COMPLETE, TrialState.PRUNED) for state in states):
        raise ConfigError(f"the first {states.count(TrialState.FAIL)} trials all failed; the last with {type(error).__name__}: {error}") from error


def _call(evaluate: Evaluate, config: Any, seed: int, on_epoch: Callable[[int, Mapping[str, float]], None]) -> Any:
    """Hand over seed and on_epoch if the function takes them."""
    import inspect

    parameters = inspect.signature(evaluate).parameters
    takes_all = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    options = {key: value for key, value in {"seed": seed, "on_epoch": on_epoch}.items() if takes_all or key in parameters}
    return evaluate(config, **options)


def _same_parameters(study: Any, trial: Any) -> Any:
    from optuna.trial import TrialState

    for other in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        if other.number != trial.number and other.params == trial.params:
            return other
    return None


def _out_of_patience(study: Any, plan: StudyPlan) -> bool:
    from optuna.trial import TrialState

    if not plan.patience or len(plan.directions) > 1:
        return False
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    if not any(trial.state == TrialState.COMPLETE for trial in complete):
        return False
    return len(complete) - 1 - [trial.number for trial in complete].index(study.best_trial.number) >= plan.patience
