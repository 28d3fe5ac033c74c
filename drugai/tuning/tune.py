"""One ``tune`` for everything: predictors, generators, linkers, or a user's own function of a Config."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drugai.config import Config
from drugai.errors import ConfigError
from drugai.runtime import defer_interrupts, derive_seed
from drugai.tuning.space import Space, config_space
from drugai.tuning.stale import Heartbeat, reap, sign
from drugai.tuning.storage import exclusive, make_pruner, make_sampler, open_storage

logger = logging.getLogger(__name__)

Evaluate = Callable[..., Any]


@dataclass(frozen=True)
class StudyPlan:
    """Everything that a worker process needs to take part in a study."""

    config: Any
    evaluate: Evaluate
    trials: int
    storage: str
    name: str
    directions: tuple[str, ...]
    seed: int
    sampler: str
    pruner: str
    overrides: Mapping[str, Any]
    minutes: float
    patience: int


@dataclass(frozen=True, eq=False)
class Study:
    """A study with the Config that gave its trials.

    Attributes:
        study: Optuna's own study, for everything that Optuna can do with it.
        base: The starting Config.
        space: What was searched.
    """

    study: Any
    base: Any
    space: Space

    @property
    def best_config(self) -> Any:
        """The Config of the best complete trial."""
        return self.config_of(self.study.best_trial)

    @property
    def best_value(self) -> float:
        """The best validation score."""
        return float(self.study.best_value)

    def config_of(self, trial: Any) -> Any:
        """The Config of a trial."""
        return self.base.replace(**{**self.space.fixed, **trial.params})

    def seed_of(self, number: int) -> int:
        """The seed with which trial ``number`` was evaluated."""
        return trial_seed(int(self.study.user_attrs["seed"]), number)

    def pareto(self) -> list[tuple[Any, tuple[float, ...]]]:
        """Configs on the Pareto front and their values, of a study with several objectives."""
        return [(self.config_of(trial), tuple(trial.values)) for trial in self.study.best_trials]

    def choose(self, weights: Sequence[float]) -> Any:
        """The Config on the Pareto front with the best weighted sum of values, each scaled to [0, 1] over the front (1 = best)."""
        import numpy as np

        front = self.pareto()
        if not front or len(weights) != len(self.study.directions):
            raise ConfigError(f"need one weight for each of {len(self.study.directions)} objectives and a complete trial; got {list(weights)}")
        values = np.array([value for _, value in front], dtype=float)
        signs = np.array([1.0 if direction.name == "MAXIMIZE" else -1.0 for direction in self.study.directions])
        values = values * signs
        spread = np.ptp(values, axis=0)
        scaled = (values - values.min(axis=0)) / np.where(spread > 0, spread, 1.0)
        return front[int(np.argmax(scaled @ np.asarray(weights, dtype=float)))][0]

    def counts(self) -> dict[str, int]:
        """Trials by state."""
        states: dict[str, int] = {}
        for trial in self.study.get_trials(deepcopy=False):
            states[trial.state.name] = states.get(trial.state.name, 0) + 1
        return states


def trial_seed(study_seed: int, number: int) -> int:
    """The seed of a trial's evaluation: a function of the study's seed and the trial's number."""
    return derive_seed(study_seed, "trial", number) % 2**31


def tune(
    config: Config,
    evaluate: Evaluate,
    *,
    trials: int = 50,
    storage: str | Path = "study.journal",
    name: str = "study",
    direction: str | Sequence[str] | None = None,
    seed: int = 0,
    jobs: int = 1,
    sampler: str = "tpe",
    pruner: str = "median",
    space: Mapping[str, Any] | None = None,
    minutes: float = 0.0,
    patience: int = 0,
) -> Study:
    """Search the tunable fields of a Config; continues the study of that name if it exists.

    Args:
        config: Where to start; it is trial 0.
        evaluate: Config → score (a tuple for several objectives). If it takes ``seed`` and ``on_epoch`` it gets them, and can be pruned:
            ``validation_score(data, split)`` does.
        trials: Total of the study, those of earlier calls included. Failed trials do not count.
        storage: Journal file (default), ``sqlite:///…`` or ``postgresql://…``.
        name: Of the study.
        direction: ``min`` or ``max`` (one for each objective); by default what ``evaluate.direction`` says.
        seed: Trial seeds derive from it and the trial's number.
        jobs: Worker processes on this host; other hosts may join by the same call.
        sampler, pruner: By name.
        space: Narrows or fixes fields: ``{"net.depth": [2, 4], "net.encoder": "gin"}``.
        minutes: Wall-clock budget of this call (0: none).
        patience: End after so many trials without a better one (0: never).

    Returns:
        The study with ``best_config``, ``best_value`` and Optuna's own study.
    """

    found = direction if direction is not None else getattr(evaluate, "direction", None)
    if found is None:
        raise ConfigError("say the direction: direction='min' or 'max' (evaluate itself does not say)")
    directions = (found,) if isinstance(found, str) else tuple(found)
    if any(each not in ("min", "max") for each in directions) or trials < 1 or jobs < 1:
        raise ConfigError(f"direction must be min or max, trials and jobs at least 1; got {directions}, {trials}, {jobs}")
    plan = StudyPlan(config, evaluate, trials, str(storage), name, directions, seed, sampler, pruner, dict(space or {}), minutes, patience)
    study = open_study(plan)
    if jobs == 1:
        work(plan)
    else:
        from drugai.tuning.workers import run_workers

        run_workers(plan, jobs)
    with exclusive(plan.storage):
        reap(study)
    return Study(study, config, config_space(config, plan.overrides))


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
            study.set_user_attr("config", {"class": type(plan.config).__name__, "values": plan.config.to_dict()})
            study.set_user_attr("fixed", dict(space.fixed))
            study.enqueue_trial(space.start(plan.config))
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
                values = space.suggest(trial)
                sign(trial)
            _run_one(plan, study, trial, values)
            done += 1
    return done


def _run_one(plan: StudyPlan, study: Any, trial: Any, values: Mapping[str, Any]) -> None:
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
        if len(plan.directions) == 1 and "loss" in scores:
            # the loss falls as the score improves, whichever way the score counts
            trial.report(scores["loss"] if plan.directions[0] == "min" else -scores["loss"], epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

    try:
        with Heartbeat(trial):
            config = plan.config.replace(**values)
            score = _call(plan.evaluate, config, trial_seed(plan.seed, origin), on_epoch)
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
