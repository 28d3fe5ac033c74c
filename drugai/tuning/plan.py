"""What a study is, as far as every worker must know it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from drugai.runtime import derive_seed

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


def trial_seed(study_seed: int, number: int) -> int:
    """The seed of a trial's evaluation: a function of the study's seed and the trial's number."""
    return derive_seed(study_seed, "trial", number) % 2**31
