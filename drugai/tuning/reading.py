"""Studies on disk or in a database, opened and as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drugai.errors import ConfigError
from drugai.tuning.storage import open_storage


@dataclass(frozen=True)
class StudyEntry:
    """One line of ``drugai study list``."""

    name: str
    counts: Mapping[str, int]
    best: str


def find_studies(place: str | Path) -> list[StudyEntry]:
    """The studies of a database URL, or those whose journals lie in a folder.

    Raises:
        ConfigError: There is none.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    entries = []
    for source in _sources(place):
        storage = open_storage(source)
        for name in optuna.get_all_study_names(storage):
            study = optuna.load_study(study_name=name, storage=storage)
            entries.append(StudyEntry(name, state_counts(study), _best(study)))
    if not entries:
        raise ConfigError(f"{place}: no study is there; give the folder that holds a *.journal file with --out, or the database with --storage")
    return entries


def load_study(place: str | Path, name: str) -> Any:
    """Optuna's study of that name from a database URL, or from the journals of a folder.

    Raises:
        ConfigError: There is none of that name.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    known: list[str] = []
    for source in _sources(place, name):
        storage = open_storage(source)
        names = optuna.get_all_study_names(storage)
        if name in names:
            return optuna.load_study(study_name=name, storage=storage)
        known += names
    raise ConfigError(f"{place}: no study {name!r}; the studies there are: {', '.join(known) or 'none'}")


def study_columns(place: str | Path, name: str) -> dict[str, list[Any]]:
    """Every trial as a row."""
    study = load_study(place, name)
    trials = study.get_trials(deepcopy=False)
    keys = sorted({key for trial in trials for key in trial.params})
    columns: dict[str, list[Any]] = {"number": [trial.number for trial in trials], "state": [trial.state.name for trial in trials]}
    for index in range(len(study.directions)):
        label = "value" if len(study.directions) == 1 else f"value_{index}"
        columns[label] = [trial.values[index] if trial.values else None for trial in trials]
    columns |= {key: [trial.params.get(key) for trial in trials] for key in keys}
    constraints = sorted({key for trial in trials for key in trial.constraints})
    columns |= {f"constraint_{key}": [trial.constraints.get(key) for trial in trials] for key in constraints}
    columns["started"] = [trial.datetime_start.timestamp() if trial.datetime_start else None for trial in trials]
    columns["seconds"] = [trial.duration.total_seconds() if trial.duration else None for trial in trials]
    workers = [trial.user_attrs.get("worker", {}) for trial in trials]
    columns["worker"] = [f"{worker.get('host', '')}:{worker.get('pid', '')}" for worker in workers]
    for attribute in ATTRIBUTES:
        columns[attribute] = [trial.user_attrs.get(attribute) for trial in trials]
    return columns


ATTRIBUTES = ("seed", "epochs", "folds", "cpu_seconds", "retry_of", "attempt", "duplicate_of", "error")
"""What a worker writes into its trials."""


def state_counts(study: Any) -> dict[str, int]:
    """Trials by state."""
    counts: dict[str, int] = {}
    for trial in study.get_trials(deepcopy=False):
        counts[trial.state.name] = counts.get(trial.state.name, 0) + 1
    return counts


def _sources(place: str | Path, name: str | None = None) -> list[str]:
    """Storages to look into; the journal that bears the study's name first."""
    if "://" in str(place):
        return [str(place)]
    journals = sorted(Path(place).glob("*.journal"))
    return [str(file) for file in sorted(journals, key=lambda file: file.stem != name)]


def _best(study: Any) -> str:
    if len(study.directions) > 1:
        return f"{len(study.best_trials)} on the Pareto front"
    try:
        return f"{study.best_value:.5g} (trial {study.best_trial.number})"
    except ValueError:
        return "-"
