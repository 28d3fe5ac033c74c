"""What a study is, as far as every worker must know it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drugai.runtime import derive_seed

Evaluate = Callable[..., Any]
Callback = Callable[[Any, Any], Any]
"""(Optuna's study, the finished trial) → True to end the study."""


@dataclass(frozen=True)
class StudyPlan:
    """Everything that a worker process needs to take part in a study.

    Attributes:
        config: The starting Config, or several of different kinds.
        evaluate: Config → score; None in an ask-and-tell study.
        trials: Total of the study.
        minutes: Wall-clock budget of this call (0: none).
        patience: Finished trials without a better one after which the study ends (0: never).
        folder: Where each trial leaves its config and log, or None.
        keep: Of how many best trials the fitted model is kept in ``folder``.
        jobs: Worker processes of this call.
    """

    config: Any
    evaluate: Evaluate | None
    trials: int
    storage: str
    name: str
    directions: tuple[str, ...]
    seed: int
    sampler: str
    pruner: str
    overrides: Mapping[str, Any]
    minutes: float = 0.0
    patience: int = 0
    folder: Path | None = None
    keep: int = 1
    jobs: int = 1
    callbacks: tuple[Callback, ...] = ()


def trial_seed(study_seed: int, number: int) -> int:
    """The seed of a trial's evaluation: a function of the study's seed and the trial's number."""
    return derive_seed(study_seed, "trial", number) % 2**31
