"""Where a quantity is learnt: on the value itself, its decades, or the logit of a share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scale:
    """A monotone map from a value in its unit to the scale on which it is learnt, and back."""

    there: Callable[[np.ndarray], np.ndarray]
    back: Callable[[np.ndarray], np.ndarray]


def _same(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)


def _log10(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log10(np.asarray(values, dtype=np.float64)))


def _power(values: np.ndarray) -> np.ndarray:
    return np.asarray(10.0 ** np.clip(values, -30, 30))


def _logit_percent(values: np.ndarray) -> np.ndarray:
    # 100 % bound is "nothing free was seen": half of a tenth of a percent is left, the precision of such tables
    share = np.clip(np.asarray(values, dtype=np.float64) / 100.0, 0.0005, 0.9995)
    return np.asarray(np.log(share / (1.0 - share)))


def _percent(values: np.ndarray) -> np.ndarray:
    return np.asarray(100.0 / (1.0 + np.exp(-np.clip(values, -60, 60))))


def _logit(values: np.ndarray) -> np.ndarray:
    inside = np.clip(np.asarray(values, dtype=np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)))


def _probability(values: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -60, 60))))


# name → the map; one line a scale
SCALES: dict[str, Scale] = {
    "linear": Scale(_same, _same),
    "log10": Scale(_log10, _power),
    "percent": Scale(_logit_percent, _percent),
    "classes": Scale(_logit, _probability),
}
