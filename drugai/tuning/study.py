"""A study with the Config that gave its trials."""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from drugai.errors import ConfigError
from drugai.tuning.asking import ask
from drugai.tuning.heartbeat import Worker
from drugai.tuning.plan import StudyPlan, trial_seed
from drugai.tuning.space import KindSpace, Space
from drugai.tuning.trial import Offered, finish


@dataclass(frozen=True, eq=False)
class Study:
    """A study with the Config that gave its trials.

    Attributes:
        study: Optuna's own study, for everything that Optuna can do with it.
        base: The starting Config.
        space: What was searched.
        plan: All that was asked for.
    """

    study: Any
    base: Any
    space: Space | KindSpace
    plan: StudyPlan

    def ask(self) -> Asked | None:
        """The next trial of an ask-and-tell study, to be evaluated by the caller in any way; None when the study's trials are given out.

        Example:
            >>> while (asked := study.ask()) is not None:         # doctest: +SKIP
            ...     study.tell(asked, measure(asked.config))      # doctest: +SKIP
        """
        trial = ask(self.plan, self.study, self.space, _own_worker(self.plan.storage, self.study._storage))
        return None if trial is None else Asked(trial.number, self.space.config(trial.params), Offered(trial, self.plan.directions))

    def tell(self, asked: Asked, score: float | Sequence[float] | None) -> None:
        """The result of a trial: its score (one for each objective), or None if it failed."""
        from optuna.trial import TrialState

        state = TrialState.FAIL if score is None else TrialState.COMPLETE
        finish(self.plan, self.study, asked.offered.trial, score, state=state, model=asked.offered.model)

    @property
    def best_config(self) -> Any:
        """The Config of the best complete trial that keeps the constraints."""
        return self.config_of(self.best_trial)

    @property
    def best_trial(self) -> Any:
        """Optuna's best complete trial that keeps the constraints.

        Raises:
            ConfigError: No such trial, or a study of several objectives, which has a front and no best.
        """
        if len(self.study.directions) > 1:
            raise ConfigError(f"a study of {len(self.study.directions)} objectives has no best trial; take pareto(), or choose(weights)")
        try:
            return self.study.best_trial
        except ValueError:
            raise ConfigError(f"study {self.study.study_name!r} has no complete trial that keeps the constraints yet; its trials are {self.counts()}") from None

    @property
    def best_value(self) -> float:
        """The best validation score."""
        return float(self.best_trial.value)

    def config_of(self, trial: Any) -> Any:
        """The Config of a trial."""
        return self.space.config(trial.params)

    def seed_of(self, number: int) -> int:
        """The seed with which trial ``number`` was evaluated."""
        return trial_seed(int(self.study.user_attrs["seed"]), number)

    def pareto(self) -> list[tuple[Any, tuple[float, ...]]]:
        """Configs on the Pareto front and their values, of a study with several objectives."""
        return [(self.config_of(trial), tuple(trial.values)) for trial in self.study.best_trials]

    def choose(self, weights: Sequence[float]) -> Any:
        """The Config on the Pareto front with the best weighted sum of values, each scaled to [0, 1] over the front (1 = best)."""
        return self.config_of(choose_trial(self.study, weights))

    def counts(self) -> dict[str, int]:
        """Trials by state."""
        states: dict[str, int] = {}
        for trial in self.study.get_trials(deepcopy=False):
            states[trial.state.name] = states.get(trial.state.name, 0) + 1
        return states


@dataclass(frozen=True, eq=False)
class Asked:
    """A trial that was asked for.

    Attributes:
        number: Of the trial.
        config: To be evaluated.
        offered: Its seed, and ``on_epoch``, ``on_fold``, ``constrain``, ``on_model`` to be called on the way.
    """

    number: int
    config: Any
    offered: Offered

    @property
    def seed(self) -> int:
        """Of the evaluation."""
        return self.offered.seed


_WORKERS: dict[str, Worker] = {}


def _own_worker(storage: str, opened: Any) -> Worker:
    """This process as a worker for as long as it lives: who asks may tell hours later, and other hosts must see meanwhile that the trial is not lost."""
    if storage not in _WORKERS:
        _WORKERS[storage] = Worker(storage, opened).__enter__()
        atexit.register(_WORKERS[storage].__exit__)
    return _WORKERS[storage]


def choose_trial(study: Any, weights: Sequence[float]) -> Any:
    """The trial on the Pareto front with the best weighted sum of values, each scaled to [0, 1] over the front (1 = best).

    Args:
        study: Optuna's study.
        weights: One an objective, not negative.

    Raises:
        ConfigError: Another number of weights, a negative one, or no complete trial.
    """
    import numpy as np

    front = study.best_trials
    if not front or len(weights) != len(study.directions) or min(weights) < 0:
        raise ConfigError(f"need one weight of 0 or more for each of {len(study.directions)} objectives and a complete trial; got {list(weights)}, {len(front)} on the front")
    values = np.array([trial.values for trial in front], dtype=float)
    values *= np.array([1.0 if direction.name == "MAXIMIZE" else -1.0 for direction in study.directions])
    spread = np.ptp(values, axis=0)
    scaled = (values - values.min(axis=0)) / np.where(spread > 0, spread, 1.0)
    return front[int(np.argmax(scaled @ np.asarray(weights, dtype=float)))]
