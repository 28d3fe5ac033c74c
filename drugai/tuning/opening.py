"""Open a study, or create it with the starting config as trial 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drugai.errors import ConfigError
from drugai.tuning.locking import exclusive
from drugai.tuning.plan import StudyPlan
from drugai.tuning.space import config_space
from drugai.tuning.stale import reap
from drugai.tuning.storage import make_pruner, make_sampler, open_storage


def open_study(plan: StudyPlan) -> Any:
    """Optuna's study of a plan.

    Raises:
        ConfigError: The study exists with another seed or other directions.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = config_space(plan.config, plan.overrides)
    directions = ["minimize" if each == "min" else "maximize" for each in plan.directions]
    with exclusive(plan.storage) as lock:
        study = optuna.create_study(
            study_name=plan.name,
            storage=open_storage(plan.storage),
            directions=directions,
            sampler=make_sampler(plan.sampler, plan.seed),
            # Optuna cannot prune trials of several objectives
            pruner=make_pruner(plan.pruner if len(plan.directions) == 1 else "none"),
            load_if_exists=True,
        )
        known = study.user_attrs.get("seed")
        if known is not None and known != plan.seed:
            raise ConfigError(f"study {plan.name!r} has seed {known}, asked is {plan.seed}; resume with the same seed or name another study")
        found = [direction.name.lower() for direction in study.directions]
        if found != directions:
            raise ConfigError(f"study {plan.name!r} has the directions {', '.join(found)}, asked is {', '.join(directions)}; name another study")
        if not study.user_attrs.get("ready"):
            configs = plan.config if isinstance(plan.config, Sequence) else [plan.config]
            study.set_user_attr("seed", plan.seed)
            study.set_user_attr("config", [{"class": type(each).__name__, "values": each.to_dict()} for each in configs])
            study.set_user_attr("fixed", dict(space.fixed))
            study.set_user_attr("metric", str(getattr(plan.evaluate, "metric", "score")))
            study.set_user_attr("unit", str(getattr(plan.evaluate, "unit", "")))
            for start in space.starts():
                study.enqueue_trial(start, skip_if_exists=True)
            study.set_user_attr("ready", True)  # last: a process that dies before leaves a study that the next one completes
        reap(study, plan.storage, lock.unfinished)
    return study
