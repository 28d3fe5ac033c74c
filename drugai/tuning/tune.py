"""One ``tune`` for everything: predictors, generators, linkers, or a user's own function of a Config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drugai.config import Config
from drugai.errors import ConfigError
from drugai.tuning.plan import Evaluate, StudyPlan
from drugai.tuning.space import KIND, config_space
from drugai.tuning.stale import reap
from drugai.tuning.storage import exclusive
from drugai.tuning.study import Study
from drugai.tuning.workers import run_workers
from drugai.tuning.working import open_study, work


def tune(
    config: Config | Sequence[Config],
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
        config: Where to start; it is trial 0. Several Configs of different kinds (graph network, trees …) are searched together, the kind being a choice.
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
    overrides = {**_idle(config, evaluate), **(space or {})}
    plan = StudyPlan(config, evaluate, trials, str(storage), name, directions, seed, sampler, pruner, overrides, minutes, patience)
    study = open_study(plan)
    if jobs == 1:
        work(plan)
    else:
        run_workers(plan, jobs)
    with exclusive(plan.storage):
        reap(study)
    return Study(study, config, config_space(config, plan.overrides))


def _idle(config: Config | Sequence[Config], evaluate: Evaluate) -> dict[str, Any]:
    """The fields that change nothing, if ``evaluate`` can say (``fixed(config)``); searching them would waste trials."""
    if not hasattr(evaluate, "fixed"):
        return {}
    if not isinstance(config, Sequence):
        return dict(evaluate.fixed(config))
    return {f"{getattr(each, KIND, type(each).__name__)}.{key}": value for each in config for key, value in evaluate.fixed(each).items()}
