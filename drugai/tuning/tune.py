"""One ``tune`` for everything: predictors, generators, linkers, or a user's own function of a Config."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from drugai.config import Config
from drugai.errors import ConfigError
from drugai.tuning.locking import exclusive
from drugai.tuning.opening import open_study
from drugai.tuning.plan import Callback, Evaluate, StudyPlan
from drugai.tuning.progress import Standing, Watch
from drugai.tuning.space import KIND, config_space
from drugai.tuning.stale import reap
from drugai.tuning.study import Study
from drugai.tuning.workers import run_workers
from drugai.tuning.working import work


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
    folder: str | Path | None = None,
    keep: int = 1,
    callbacks: Sequence[Callback] = (),
    on_progress: Callable[[Standing], None] | None = None,
) -> Study:
    """Search the tunable fields of a Config; continues the study of that name if it exists.

    Args:
        config: Where to start; it is trial 0. Several Configs of different kinds (graph network, trees …) are searched together, the kind being a choice.
        evaluate: Config → score (a tuple for several objectives). It gets those of ``seed``, ``on_epoch``, ``on_fold``, ``constrain`` and ``on_model`` that it names
            among its parameters (see ``tuning.trial.Offered``): ``validation_score(data, split)`` takes seed and on_epoch, and so can be pruned.
        trials: Total of the study, those of earlier calls included. Failed trials do not count.
        storage: Journal file (default), ``sqlite:///…`` or ``postgresql://…``.
        name: Of the study.
        direction: ``min`` or ``max`` (one for each objective); by default what ``evaluate.direction`` says.
        seed: Trial seeds derive from it and the trial's number.
        jobs: Worker processes on this host, for which ``evaluate`` and ``callbacks`` must be picklable; other hosts may join by the same call.
        sampler, pruner: By name.
        space: Narrows or fixes fields: ``{"net.depth": [2, 4], "net.encoder": "gin"}``.
        minutes: Wall-clock budget of this call (0: none); a trial that has begun is finished.
        patience: End after so many finished trials without a better one (0: never).
        folder: Each trial leaves its config, log and result there (``trial_00007``), the best ``keep`` their fitted models too.
        keep: How many.
        callbacks: Called with (Optuna's study, finished trial) in the process that ran the trial; one that returns True ends the study.
        on_progress: Called in this process with best so far and time left as trials end.

    Returns:
        The study with ``best_config``, ``best_value`` and Optuna's own study.

    Raises:
        ConfigError: Unknown names, an empty space, a study that exists with another seed, or a function that fails from the start.
    """
    plan = _plan(config, evaluate, trials, storage, name, direction, seed, sampler, pruner, space, minutes, patience, folder, keep, jobs, callbacks)
    study = open_study(plan)
    watch = Watch(plan, on_progress) if on_progress is not None else None
    if jobs == 1:
        work(plan, watch)
    else:
        run_workers(plan, jobs, (lambda: watch(study)) if watch is not None else None)
    with exclusive(plan.storage) as lock:
        reap(study, plan.storage, lock.unfinished)
    return Study(study, config, config_space(config, plan.overrides), plan)


def open_tuning(
    config: Config | Sequence[Config],
    *,
    direction: str | Sequence[str],
    trials: int = 50,
    storage: str | Path = "study.journal",
    name: str = "study",
    seed: int = 0,
    sampler: str = "tpe",
    pruner: str = "none",
    space: Mapping[str, Any] | None = None,
    folder: str | Path | None = None,
) -> Study:
    """An ask-and-tell study: the caller evaluates, in a laboratory if need be. The arguments are those of :func:`tune`.

    Example:
        >>> study = open_tuning(MyConfig(), direction="max", trials=20)    # doctest: +SKIP
        >>> while (asked := study.ask()) is not None:                      # doctest: +SKIP
        ...     study.tell(asked, measure(asked.config, asked.seed))       # doctest: +SKIP
    """
    plan = _plan(config, None, trials, storage, name, direction, seed, sampler, pruner, space, 0.0, 0, folder, 1, 1, ())
    return Study(open_study(plan), config, config_space(config, plan.overrides), plan)


def _plan(
    config: Config | Sequence[Config],
    evaluate: Evaluate | None,
    trials: int,
    storage: str | Path,
    name: str,
    direction: str | Sequence[str] | None,
    seed: int,
    sampler: str,
    pruner: str,
    space: Mapping[str, Any] | None,
    minutes: float,
    patience: int,
    folder: str | Path | None,
    keep: int,
    jobs: int,
    callbacks: Sequence[Callback],
) -> StudyPlan:
    found = direction if direction is not None else getattr(evaluate, "direction", None)
    if found is None:
        raise ConfigError("say the direction: direction='min' or 'max' (evaluate itself does not say)")
    directions = (found,) if isinstance(found, str) else tuple(found)
    if not directions or any(each not in ("min", "max") for each in directions) or trials < 1 or jobs < 1:
        raise ConfigError(f"direction must be min or max, trials and jobs at least 1; got {directions}, {trials}, {jobs}")
    return StudyPlan(
        config, evaluate, trials, str(storage), name, directions, seed, sampler, pruner, {**_idle(config, evaluate), **(space or {})}, minutes, patience,
        Path(folder) if folder is not None else None, keep, jobs, tuple(callbacks),
    )  # fmt: skip


def _idle(config: Config | Sequence[Config], evaluate: Evaluate | None) -> dict[str, Any]:
    """The fields that change nothing, if ``evaluate`` can say (``fixed(config)``); searching them would waste trials."""
    fixed: Callable[[Any], Mapping[str, Any]] | None = getattr(evaluate, "fixed", None)
    if fixed is None:
        return {}
    if not isinstance(config, Sequence):
        return dict(fixed(config))
    return {f"{getattr(each, KIND, type(each).__name__)}.{key}": value for each in config for key, value in fixed(each).items()}
