"""A study in numbers and words: counts, best trials, what mattered, cost; the best config as TOML."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from drugai.errors import ConfigError
from drugai.tuning.reading import load_study, state_counts
from drugai.tuning.space import KIND
from drugai.tuning.study import choose_trial


def study_summary(folder: Any, name: str) -> dict[str, Any]:
    """Counts by state, best trials (of several objectives the Pareto front), importances, costs: plain values."""
    from optuna.trial import TrialState

    study = load_study(folder, name)
    trials = study.get_trials(deepcopy=False)
    several = len(study.directions) > 1
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    allowed = [trial for trial in complete if all(value <= 0 for value in trial.constraints.values())]
    if several:
        ordered = list(study.best_trials)
    else:
        ordered = sorted(allowed, key=lambda trial: trial.values[0], reverse=study.direction.name == "MAXIMIZE")
    epochs = {state: [t.user_attrs["epochs"] for t in trials if t.state.name == state and "epochs" in t.user_attrs] for state in ("COMPLETE", "PRUNED")}
    usual = sum(epochs["COMPLETE"]) / max(len(epochs["COMPLETE"]), 1)
    spared = sum(max(0.0, usual - ran) for ran in epochs["PRUNED"])
    return {
        "name": name,
        "directions": [direction.name.lower() for direction in study.directions],
        "metric": study.user_attrs.get("metric", "score"),
        "unit": study.user_attrs.get("unit", ""),  # studies of earlier versions do not say
        "seed": study.user_attrs.get("seed"),
        "counts": state_counts(study),
        "start": trials[0].values if trials and trials[0].state == TrialState.COMPLETE else None,
        "best": [_entry(trial) for trial in ordered[: None if several else 10]],
        "broken_constraints": len(complete) - len(allowed),
        "importances": _importances(study, complete),
        "cpu_seconds": round(sum(trial.user_attrs.get("cpu_seconds", 0.0) for trial in trials), 2),
        "mean_epochs": {state: round(sum(found) / len(found), 2) for state, found in epochs.items() if found},
        # of what the trials would have run if the pruned ones had run as long as the complete ones did on average
        "epochs_saved": round(spared / (spared + sum(map(sum, epochs.values()))), 4) if usual and spared else 0.0,
    }


def describe_study(summary: Mapping[str, Any]) -> str:
    """The summary in words."""
    counts = ", ".join(f"{count} {state.lower()}" for state, count in summary["counts"].items())
    unit = f" [{summary['unit']}]" if summary.get("unit") else ""
    lines = [f"study {summary['name']}: {summary['metric']}{unit} ({', '.join(summary['directions'])}), seed {summary['seed']}: {counts}"]
    if summary["start"]:
        lines.append("starting config: " + ", ".join(f"{value:.5g}" for value in summary["start"]))
    if summary["broken_constraints"]:
        lines.append(f"{summary['broken_constraints']} complete trials break a constraint and cannot win")
    for place, trial in enumerate(summary["best"], start=1):
        values = ", ".join(f"{value:.5g}" for value in trial["values"])
        lines.append(f"{place:3d}. trial {trial['number']:4d}  {values}  " + ", ".join(f"{key}={_short(value)}" for key, value in trial["params"].items()))
    if summary["importances"]:
        lines.append("importance: " + ", ".join(f"{key} {share:.2f}" for key, share in summary["importances"].items()))
    lines.append(
        f"CPU {summary['cpu_seconds']:.0f} s"
        + "".join(f", {state.lower()} trials ran {mean:g} epochs on average" for state, mean in summary["mean_epochs"].items())
        + (f"; pruning saved about {summary['epochs_saved']:.0%} of the epochs" if summary["epochs_saved"] else "")
    )
    return "\n".join(lines)


def best_as_toml(folder: Any, name: str, weights: Sequence[float] | None = None) -> str:
    """The best trial's values as TOML, or those of the trial on the Pareto front that the weights choose.

    Raises:
        ConfigError: No complete trial, or several objectives and no weights.
    """
    study = load_study(folder, name)
    if len(study.directions) > 1:
        if weights is None:
            raise ConfigError(f"study {name!r} has {len(study.directions)} objectives; say --weights, one each, to choose on its Pareto front of {len(study.best_trials)}")
        trial = choose_trial(study, weights)
    else:
        try:
            trial = study.best_trial
        except ValueError:
            raise ConfigError(f"study {name!r} has no complete trial that keeps the constraints yet: {state_counts(study)}") from None
    values = {**study.user_attrs.get("fixed", {}), **trial.params}
    lines = [f"# study {name}, trial {trial.number}, validation {study.user_attrs.get('metric', 'score')} " + ", ".join(f"{value:.6g}" for value in trial.values)]
    if KIND in trial.params:
        # a study over kinds: the chosen kind's own fields, for --model KIND --config
        kind = trial.params[KIND]
        lines.append(f"# --model {kind}")
        values = {key.removeprefix(f"{kind}."): value for key, value in values.items() if key.startswith(f"{kind}.")}
    # plain keys first: in TOML they would otherwise belong to the table above them
    lines += [f"{key} = {_toml(value)}" for key, value in values.items() if "." not in key]
    for table in sorted({key.rpartition(".")[0] for key in values if "." in key}):
        lines.append(f"\n[{table}]")
        lines += [f"{key.rpartition('.')[2]} = {_toml(value)}" for key, value in values.items() if key.rpartition(".")[0] == table]
    return "\n".join(lines)


def _entry(trial: Any) -> dict[str, Any]:
    return {"number": trial.number, "values": trial.values, "params": trial.params, "seed": trial.user_attrs.get("seed")}


def _importances(study: Any, complete: list[Any]) -> dict[str, float]:
    """PED-ANOVA importances (of several objectives, for the first); none where too few trials or parameters that never varied leave nothing to say."""
    if len(complete) < 10:
        return {}
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    target = None if len(study.directions) == 1 else lambda trial: trial.values[0] * (1 if study.directions[0].name == "MINIMIZE" else -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that low values of the target count as good, which is what the sign above is for
        try:
            found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(), target=target)
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
