"""Studies on disk, as tables and words."""

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


def find_studies(folder: str | Path) -> list[StudyEntry]:
    """The studies whose journals lie in a folder."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    entries = []
    for journal in sorted(Path(folder).glob("*.journal")):
        for name in optuna.get_all_study_names(open_storage(journal)):
            study = optuna.load_study(study_name=name, storage=open_storage(journal))
            entries.append(StudyEntry(name, _counts(study), _best(study)))
    if not entries:
        raise ConfigError(f"{folder}: no *.journal file with a study is there")
    return entries


def load_study(folder: str | Path, name: str) -> Any:
    """Optuna's study from ``<folder>/<name>.journal`` (or any journal of the folder), or from a storage URL given as ``folder``."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    text = str(folder)
    # a URL keeps its two slashes as text, a Path would fold them
    places: list[str] = [text.replace(":/", "://", 1) if ":/" in text and "://" not in text else text] if ":/" in text else []
    if not places:
        own = Path(folder) / f"{name}.journal"
        places = [str(own)] if own.is_file() else [str(file) for file in sorted(Path(folder).glob("*.journal"))]
    known: list[str] = []
    for place in places:
        storage = open_storage(place)
        names = optuna.get_all_study_names(storage)
        if name in names:
            return optuna.load_study(study_name=name, storage=storage)
        known += names
    raise ConfigError(f"{folder}: no study {name!r}; the studies there are: {', '.join(known) or 'none'}")


def study_summary(folder: str | Path, name: str) -> dict[str, Any]:
    """Counts by state, best trials, importances, costs: plain values."""
    from optuna.trial import TrialState

    study = load_study(folder, name)
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    maximize = study.direction.name == "MAXIMIZE" if len(study.directions) == 1 else False
    ordered = sorted(complete, key=lambda trial: trial.values[0], reverse=maximize)
    epochs = {state.name: [t.user_attrs["epochs"] for t in study.trials if t.state == state and "epochs" in t.user_attrs] for state in (TrialState.COMPLETE, TrialState.PRUNED)}
    return {
        "name": name,
        "directions": [direction.name.lower() for direction in study.directions],
        "seed": study.user_attrs.get("seed"),
        "counts": _counts(study),
        "start": complete[0].values if complete and complete[0].number == 0 else None,
        "best": [{"number": trial.number, "values": trial.values, "params": trial.params, "seed": trial.user_attrs.get("seed")} for trial in ordered[:10]],
        "importances": _importances(study, complete),
        "cpu_seconds": round(sum(trial.user_attrs.get("cpu_seconds", 0.0) for trial in study.trials), 2),
        "mean_epochs": {state: round(sum(found) / len(found), 2) for state, found in epochs.items() if found},
    }


def describe_study(summary: Mapping[str, Any]) -> str:
    """The summary in words."""
    lines = [f"study {summary['name']} ({', '.join(summary['directions'])}), seed {summary['seed']}: " + ", ".join(f"{count} {state.lower()}" for state, count in summary["counts"].items())]
    if summary["start"]:
        lines.append(f"starting config: {summary['start'][0]:.5g}")
    for place, trial in enumerate(summary["best"], start=1):
        values = ", ".join(f"{value:.5g}" for value in trial["values"])
        lines.append(f"{place:3d}. trial {trial['number']:4d}  {values}  " + ", ".join(f"{key}={_short(value)}" for key, value in trial["params"].items()))
    if summary["importances"]:
        lines.append("importance: " + ", ".join(f"{key} {share:.2f}" for key, share in summary["importances"].items()))
    lines.append(f"CPU {summary['cpu_seconds']:.0f} s" + "".join(f", {state.lower()} trials ran {mean:g} epochs on average" for state, mean in summary["mean_epochs"].items()))
    return "\n".join(lines)


def best_as_toml(folder: str | Path, name: str) -> str:
    """The best trial's values as TOML."""
    study = load_study(folder, name)
    values = {**study.user_attrs.get("fixed", {}), **study.best_trial.params}
    lines = [f"# study {name}, trial {study.best_trial.number}, validation score {study.best_value:.6g}"]
    # plain keys first: in TOML they would otherwise belong to the table above them
    lines += [f"{key} = {_toml(value)}" for key, value in values.items() if "." not in key]
    for table in sorted({key.rpartition(".")[0] for key in values if "." in key}):
        lines.append(f"\n[{table}]")
        lines += [f"{key.rpartition('.')[2]} = {_toml(value)}" for key, value in values.items() if key.rpartition(".")[0] == table]
    return "\n".join(lines)


def study_columns(folder: str | Path, name: str) -> dict[str, list[Any]]:
    """Every trial as a row."""
    study = load_study(folder, name)
    trials = study.get_trials(deepcopy=False)
    keys = sorted({key for trial in trials for key in trial.params})
    columns: dict[str, list[Any]] = {"number": [trial.number for trial in trials], "state": [trial.state.name for trial in trials]}
    for index in range(len(study.directions)):
        label = "value" if len(study.directions) == 1 else f"value_{index}"
        columns[label] = [trial.values[index] if trial.values else None for trial in trials]
    columns |= {key: [trial.params.get(key) for trial in trials] for key in keys}
    columns["started"] = [trial.datetime_start.timestamp() if trial.datetime_start else None for trial in trials]
    columns["seconds"] = [trial.duration.total_seconds() if trial.duration else None for trial in trials]
    columns["worker"] = [f"{trial.user_attrs.get('host', '')}:{trial.user_attrs.get('pid', '')}" for trial in trials]
    for attribute in ("seed", "epochs", "cpu_seconds", "retry_of", "duplicate_of", "error"):
        columns[attribute] = [trial.user_attrs.get(attribute) for trial in trials]
    return columns


def _counts(study: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for trial in study.get_trials(deepcopy=False):
        counts[trial.state.name] = counts.get(trial.state.name, 0) + 1
    return counts


def _best(study: Any) -> str:
    if len(study.directions) > 1:
        return f"{len(study.best_trials)} on the Pareto front"
    return f"{study.best_value:.5g} (trial {study.best_trial.number})" if _counts(study).get("COMPLETE") else "-"


def _importances(study: Any, complete: list[Any]) -> dict[str, float]:
    """PED-ANOVA importances; none where too few trials or parameters that never varied leave nothing to say."""
    if len(complete) < 10 or len(study.directions) > 1:
        return {}
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    try:
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    except (RuntimeError, ValueError):
        return {}
    return {key: round(float(value), 4) for key, value in found.items()}


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return repr(value) if isinstance(value, (int, float)) else '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
