"""Run one trial: hand the function what it takes, report its epochs or folds, tell its result."""

from __future__ import annotations

import inspect
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from drugai.errors import ConfigError
from drugai.tuning.asking import same_parameters
from drugai.tuning.folders import keep_best, trial_log, write_result
from drugai.tuning.heartbeat import Worker
from drugai.tuning.locking import exclusive
from drugai.tuning.plan import Evaluate, StudyPlan
from drugai.tuning.space import KindSpace, Space
from drugai.tuning.stale import run_again

logger = logging.getLogger(__name__)


class Interrupted(Exception):
    """The user asked the run to end in the middle of a trial."""


class Offered:
    """What a trial offers the function that is tuned; the function gets those that it names among its parameters.

    ``seed`` · ``on_epoch(epoch, scores)`` and ``on_fold(fold, score)``, which end the trial where it is pruned · ``constrain(name, value)``: fulfilled where the
    value is 0 or less · ``on_model(model)``: the fitted model, kept of the best trials.
    """

    def __init__(self, trial: Any, directions: tuple[str, ...], interrupted: Callable[[], bool] = lambda: False) -> None:
        self.trial, self.directions, self.interrupted = trial, directions, interrupted
        self.seed = int(trial.user_attrs["seed"])
        self.model: Any = None
        self.steps: dict[str, int] = {}

    def on_epoch(self, epoch: int, scores: Mapping[str, float]) -> None:
        """Report an epoch. Of its scores ``error`` counts (one measure for all configs), else ``loss``; both fall as the study's score improves. Else ``score``."""
        self.steps["epochs"] = epoch + 1
        falls = scores.get("error", scores.get("loss"))
        if falls is not None:
            self._report(float(falls) if self.directions[0] == "min" else -float(falls), epoch)
        elif "score" in scores:
            self._report(float(scores["score"]), epoch)
        self._end_if_asked()

    def on_fold(self, fold: int, score: float) -> None:
        """Report the score of a fold (or of any instance that all trials share)."""
        self.steps["folds"] = fold + 1
        self._report(float(score), fold)
        self._end_if_asked()

    def constrain(self, name: str, value: float) -> None:
        """State a constraint: fulfilled where ``value`` is 0 or less."""
        self.trial.set_constraint(name, float(value))

    def on_model(self, model: Any) -> None:
        """Hand over the fitted model."""
        self.model = model

    def _report(self, value: float, step: int) -> None:
        import optuna

        if len(self.directions) > 1:
            return
        self.trial.report(value, step)
        if self.trial.should_prune():
            raise optuna.TrialPruned

    def _end_if_asked(self) -> None:
        if self.interrupted():
            raise Interrupted

    def call(self, evaluate: Evaluate, config: Any) -> Any:
        """The function's value for a config."""
        parameters = inspect.signature(evaluate).parameters
        takes_all = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
        given = {"seed": self.seed, "on_epoch": self.on_epoch, "on_fold": self.on_fold, "constrain": self.constrain, "on_model": self.on_model}
        return evaluate(config, **{key: value for key, value in given.items() if takes_all or key in parameters})


def run_trial(plan: StudyPlan, study: Any, trial: Any, space: Space | KindSpace, worker: Worker, interrupted: Callable[[], bool] = lambda: False) -> None:
    """Evaluate a trial and tell its result. An error of the function is the trial's; when the first three all fail it is passed on."""
    import optuna
    from optuna.trial import TrialState

    assert plan.evaluate is not None
    with worker.running(trial):
        same = same_parameters(study, trial, interrupted)
        if same is not None:
            trial.set_user_attr("duplicate_of", same.number)
            for name, value in same.constraints.items():
                trial.set_constraint(name, value)
            finish(plan, study, trial, same.values, state=same.state)
            return
        offered = Offered(trial, plan.directions, interrupted)
        began = time.process_time()
        values: Any = None
        state, failure = TrialState.COMPLETE, None
        try:
            config = space.config(trial.params)
            with trial_log(plan.folder, trial.number, config, offered.seed):
                try:
                    values = offered.call(plan.evaluate, config)
                    logger.info("trial %d: %s", trial.number, values, extra={"fields": {"trial": trial.number, "score": values}})
                except (optuna.TrialPruned, Interrupted):
                    raise
                except Exception as error:
                    logger.info("trial %d failed: %s", trial.number, "".join(traceback.format_exception(error)))
                    raise
        except optuna.TrialPruned:
            state = TrialState.PRUNED
        except Interrupted:
            state = TrialState.FAIL
            trial.set_user_attr("error", "interrupted by the user; it runs again")
            run_again(study, study.trials[trial.number], counts=False)
        except Exception as error:  # whatever the user's function raises belongs to its trial
            state, failure = TrialState.FAIL, error
            trial.set_user_attr("error", f"{type(error).__name__}: {error}")
            logger.warning("trial %d failed: %s: %s", trial.number, type(error).__name__, error)
        for key, value in {**offered.steps, "cpu_seconds": round(time.process_time() - began, 3)}.items():
            trial.set_user_attr(key, value)
        finish(plan, study, trial, values, state=state, model=offered.model)
    if failure is not None:
        _stop_if_hopeless(study, failure)


def finish(plan: StudyPlan, study: Any, trial: Any, values: Any, *, state: Any, model: Any = None) -> None:
    """Tell the result, write the trial's folder, keep the model if it is among the best, call the user's callbacks."""
    from optuna.trial import TrialState

    given = values if state == TrialState.COMPLETE else None
    told = study.tell(trial, None if given is None else list(given) if isinstance(given, (tuple, list)) else float(given), state=None if given is not None else state)
    write_result(plan.folder, told)
    if told.state == TrialState.COMPLETE and model is not None and plan.folder is not None:
        with exclusive(plan.storage):
            keep_best(plan.folder, study, trial.number, model, plan.keep)
    for callback in plan.callbacks:
        if callback(study, told) is True:
            study.set_user_attr("ended", plan.trials)


def _stop_if_hopeless(study: Any, error: Exception) -> None:
    """When the first trials all fail, the fault is not in the parameters: pass the error on instead of failing for ever."""
    from optuna.trial import TrialState

    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    if states.count(TrialState.FAIL) >= 3 and not any(state in (TrialState.COMPLETE, TrialState.PRUNED) for state in states):
        raise ConfigError(f"the first {states.count(TrialState.FAIL)} trials all failed; the last with {type(error).__name__}: {error}") from error
