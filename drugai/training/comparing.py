"""Which model is better on my data? Repeated cross-validation on the same folds, with a paired test that knows that folds share training molecules.

Source: the corrected resampled t-test of Nadeau and Bengio, Machine Learning 2003, 52, 239 (10.1023/A:1024068626366).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drugai.artifact import write_text_atomically
from drugai.contracts import Dataset
from drugai.data.grouping import usable_rows
from drugai.errors import ConfigError
from drugai.metrics.property import direction
from drugai.runtime import derive_seed
from drugai.training.fit import fit_on
from drugai.training.folds import cut_rows
from drugai.training.primary import PRIMARY, score_predictions

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Scores of m models on the same r × k test folds.

    Attributes:
        metric: What is measured.
        direction: ``min`` or ``max``.
        scores: Model → ``[r · k]`` scores, in the same order of folds for all.
        ratio: Molecules of a test fold ÷ molecules of its training part.
    """

    metric: str
    direction: str
    scores: Mapping[str, np.ndarray]
    ratio: float

    def difference(self, first: str, second: str) -> tuple[float, float, float, float]:
        """Mean of (first − second), its 95 % interval (low, high), and the two-sided p-value; NaN where only one fold was run."""
        from scipy.stats import t as student

        gaps = self.scores[first] - self.scores[second]
        n, mean = len(gaps), float(gaps.mean())
        if n < 2:
            return mean, float("nan"), float("nan"), float("nan")
        # the folds' training parts overlap: the plain variance of the mean is too small by the share that is not independent
        error = float(np.sqrt((1 / n + self.ratio) * gaps.var(ddof=1)))
        if error == 0:
            return mean, mean, mean, 1.0 if mean == 0 else 0.0
        reach = float(student.ppf(0.975, n - 1)) * error
        return mean, mean - reach, mean + reach, float(2 * student.sf(abs(mean) / error, n - 1))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"metric": self.metric, "direction": self.direction, "ratio": self.ratio, "scores": {name: found.tolist() for name, found in self.scores.items()}}

    def __str__(self) -> str:
        names = sorted(self.scores, key=lambda name: float(self.scores[name].mean()), reverse=self.direction == "max")
        lines = [f"{self.metric} ({'less' if self.direction == 'min' else 'more'} is better), {len(self.scores[names[0]])} test folds; difference from {names[0]} [95 %], p"]
        for name in names:
            found = self.scores[name]
            line = f"  {name:24s} {found.mean():.4f} ± {found.std(ddof=1) if len(found) > 1 else float('nan'):.4f}"
            if name != names[0]:
                mean, low, high, p = self.difference(name, names[0])
                line += f"   {mean:+.4f} [{low:+.4f}, {high:+.4f}]  " + ("p < 0.001" if p < 0.001 else f"p = {p:.3f}")
            lines.append(line)
        return "\n".join(lines)


def compare_models(
    data: Dataset,
    configs: Mapping[str, Any],
    *,
    folds: int = 5,
    repeats: int = 1,
    method: str = "random",
    metric: str | None = None,
    seed: int = 0,
    out: str | Path | None = None,
) -> Comparison:
    """Fit every model on the same folds. Of k folds one is the test, the next one ends training, k − 2 are learnt from.

    Args:
        data: Measured molecules; all that are readable and labelled take part.
        configs: Name → Config.
        folds: k, at least 3.
        repeats: r different cuts into folds.
        method: ``random``, or ``scaffold``: ring systems stay in one fold.
        metric: By default by the kind of the first task.
        seed: Of cuts and fits.
        out: JSON file of the scores, written after every fold; a run that was killed continues from it.

    Raises:
        ConfigError: Fewer than three folds, no model, or a file of another comparison.
    """
    if folds < 3 or repeats < 1 or not configs:
        raise ConfigError(f"a comparison needs at least 3 folds (test, validation, training), 1 repeat and 1 model; got {folds}, {repeats}, {len(configs)}")
    chosen = metric or PRIMARY[data.tasks[0].kind]
    asked = {
        "data": data.checksum,
        "folds": folds,
        "method": method,
        "metric": chosen,
        "seed": seed,
        "models": {name: {"kind": getattr(config, "kind", ""), **config.to_dict()} for name, config in configs.items()},
    }
    cells = _stored(out, asked)
    rows = usable_rows(data)
    for repeat in range(repeats):
        parts = cut_rows(data, rows, method, folds, derive_seed(seed, "repeat", repeat))
        for number, test in enumerate(parts):
            valid = parts[(number + 1) % folds]
            train = np.setdiff1d(rows, np.concatenate([test, valid]))
            for name, config in configs.items():
                key = f"{name} {repeat} {number}"
                if key in cells:
                    continue
                held_out = data.take(test)
                model = fit_on(config, data.take(train), data.take(valid), seed=derive_seed(seed, "fold", repeat, number) % 2**31)
                cells[key] = score_predictions(model.predict(held_out.smiles), held_out, chosen)
                logger.info("%s, repeat %d, fold %d: %s %.4f", name, repeat, number, chosen, cells[key])
                if out is not None:
                    write_text_atomically(Path(out), json.dumps({"asked": asked, "cells": cells}, indent=1) + "\n")
    scores = {name: np.array([cells[f"{name} {repeat} {number}"] for repeat in range(repeats) for number in range(folds)]) for name in configs}
    return Comparison(chosen, direction(chosen), scores, 1 / (folds - 2))


def _stored(out: str | Path | None, asked: dict[str, Any]) -> dict[str, float]:
    if out is None or not Path(out).is_file():
        return {}
    try:
        found = json.loads(Path(out).read_text())
        same = found["asked"] == json.loads(json.dumps(asked))
    except (json.JSONDecodeError, KeyError, TypeError):
        raise ConfigError(f"{out} is there and holds no comparison; choose another file") from None
    if not same:
        raise ConfigError(f"{out} holds another comparison (other data, folds, metric, seed or models); choose another file")
    return dict(found["cells"])
