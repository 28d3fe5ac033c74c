"""A study with the Config that gave its trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from drugai.errors import ConfigError
from drugai.tuning.plan import trial_seed
from drugai.tuning.space import KindSpace, Space


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
    space: Space | KindSpace

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
        return self.space.config(trial.params)

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
