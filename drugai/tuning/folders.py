"""Each trial's folder: its config, its log, its result, and the fitted model of the best few."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from drugai.artifact import write_text_atomically
from drugai.runtime import JsonLines

MODEL = "model"


def trial_folder(folder: Path, number: int) -> Path:
    """``<folder>/trial_00012``."""
    return folder / f"trial_{number:05d}"


@contextmanager
def trial_log(folder: Path | None, number: int, config: Any, seed: int) -> Iterator[None]:
    """While open, drugai's log also goes to the trial's ``log.jsonl``; its config is written before."""
    if folder is None:
        yield
        return
    place = trial_folder(folder, number)
    place.mkdir(parents=True, exist_ok=True)
    described = {"kind": getattr(config, "kind", type(config).__name__), "seed": seed, "config": config.to_dict()}
    write_text_atomically(place / "config.json", json.dumps(described, indent=1) + "\n")
    logger = logging.getLogger("drugai")
    handler = logging.FileHandler(place / "log.jsonl", encoding="utf-8")
    handler.setFormatter(JsonLines())
    # the file has every epoch; what the user sees elsewhere stays as it was
    level, seen, propagates = logger.level, logger.getEffectiveLevel(), logger.propagate
    kept = {other: other.level for other in logger.handlers}
    for other in kept:
        other.setLevel(max(other.level, seen))
    forward = _Forward(seen)
    logger.setLevel(min(logging.INFO, seen))
    logger.propagate = False
    logger.addHandler(handler)
    if propagates:
        logger.addHandler(forward)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.removeHandler(forward)
        handler.close()
        logger.setLevel(level)
        logger.propagate = propagates
        for other, before in kept.items():
            other.setLevel(before)


class _Forward(logging.Handler):
    """Passes on to the root logger what it would have got at the level of before."""

    def emit(self, record: logging.LogRecord) -> None:
        root = logging.getLogger()
        if root.handlers:
            root.callHandlers(record)


def write_result(folder: Path | None, trial: Any) -> None:
    """``result.json`` of a finished trial."""
    if folder is not None:
        place = trial_folder(folder, trial.number)
        place.mkdir(parents=True, exist_ok=True)
        attributes = {key: trial.user_attrs[key] for key in ("seed", "epochs", "cpu_seconds", "retry_of", "duplicate_of", "error") if key in trial.user_attrs}
        found = {"number": trial.number, "state": trial.state.name, "values": trial.values, "params": trial.params, **attributes}
        write_text_atomically(place / "result.json", json.dumps(found, indent=1) + "\n")


def keep_best(folder: Path | None, study: Any, number: int, model: Any, keep: int) -> None:
    """Save the model of trial ``number`` if it is among the ``keep`` best, and take away that of the one it displaces. Call it under the study's lock."""
    from optuna.trial import TrialState

    if folder is None or model is None or keep < 1:
        return
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(study.directions) > 1:
        chosen = {trial.number for trial in study.best_trials}
    else:
        maximize = study.direction.name == "MAXIMIZE"
        allowed = [trial for trial in complete if all(value <= 0 for value in trial.constraints.values())] or complete
        chosen = {trial.number for trial in sorted(allowed, key=lambda trial: trial.values[0], reverse=maximize)[:keep]}
    if number in chosen:
        model.save(trial_folder(folder, number) / MODEL)
    for other in complete:
        if other.number not in chosen:
            shutil.rmtree(trial_folder(folder, other.number) / MODEL, ignore_errors=True)
