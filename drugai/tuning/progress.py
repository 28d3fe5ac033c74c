"""Where a study stands while it runs: best so far and time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from drugai.tuning.asking import best_numbers
from drugai.tuning.plan import StudyPlan


@dataclass(frozen=True)
class Standing:
    """Where a study stands.

    Attributes:
        finished: Complete and pruned trials, those of earlier calls included.
        total: Trials asked for.
        counts: Trials by state.
        best: Best value or values so far (of the first trial on the Pareto front), None before a trial is complete.
        best_trial: Its number.
        seconds_left: Estimate from the trials of this call; None before one of them ended.
    """

    finished: int
    total: int
    counts: Mapping[str, int]
    best: tuple[float, ...] | None
    best_trial: int | None
    seconds_left: float | None

    def __str__(self) -> str:
        best = "no complete trial yet" if self.best is None else f"best {', '.join(f'{value:.5g}' for value in self.best)} (trial {self.best_trial})"
        others = ", ".join(f"{count} {state.lower()}" for state, count in self.counts.items() if state in ("PRUNED", "FAIL", "RUNNING"))
        left = "" if self.seconds_left is None else f", about {_span(self.seconds_left)} left"
        return f"{self.finished}/{self.total} trials, {best}{', ' + others if others else ''}{left}"


class Watch:
    """Tells ``report`` where the study stands, each time a trial has ended."""

    def __init__(self, plan: StudyPlan, report: Callable[[Standing], None]) -> None:
        self._plan, self._report = plan, report
        self._began = time.monotonic()
        self._before: int | None = None
        self._told: tuple[int, int] | None = None

    def __call__(self, study: Any) -> None:
        """Look at the study and report if a trial has ended since."""
        counts: dict[str, int] = {}
        trials = study.get_trials(deepcopy=False)
        for trial in trials:
            counts[trial.state.name] = counts.get(trial.state.name, 0) + 1
        finished = counts.get("COMPLETE", 0) + counts.get("PRUNED", 0)
        ended = (finished, counts.get("FAIL", 0))
        if self._before is None:
            self._before = finished - (1 if self._plan.jobs == 1 and finished else 0)
        if ended == self._told or not sum(ended):
            return
        self._told = ended
        chosen = best_numbers(study)
        best = trials[min(chosen)] if chosen else None
        values = None if best is None else tuple(best.values)
        self._report(Standing(finished, self._plan.trials, counts, values, None if best is None else best.number, self._left(finished)))

    def _left(self, finished: int) -> float | None:
        own = finished - (self._before or 0)
        if own < 1:
            return None
        elapsed = time.monotonic() - self._began
        left = elapsed / own * max(0, self._plan.trials - finished)
        return min(left, max(0.0, 60 * self._plan.minutes - elapsed)) if self._plan.minutes else left


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
