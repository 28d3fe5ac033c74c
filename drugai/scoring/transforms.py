"""From a raw value to a desirability in [0, 1].

Source: the sigmoids, steps and value maps are those of REINVENT 4 (Loeffler et al., J. Cheminform. 2024, 16, 20); the Gaussians those of GuacaMol
(Brown et al., J. Chem. Inf. Model. 2019, 59, 1096), where MinGaussian is full *below* its mean and MaxGaussian full *above* it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from drugai.errors import ConfigError, unknown


class Transform(Protocol):
    """``[n]`` raw values → ``[n]`` in [0, 1]; NaN stays NaN."""

    def __call__(self, raw: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Identity:
    """The value itself, cut to [0, 1]."""

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        return np.clip(raw, 0.0, 1.0)


@dataclass(frozen=True)
class Ramp:
    """0 at ``low``, 1 at ``high``, straight between; for ``direction="min"`` 1 at ``low`` and 0 at ``high``."""

    low: float
    high: float
    direction: str = "max"

    def __post_init__(self) -> None:
        if self.direction not in ("max", "min"):
            raise ConfigError(f"direction {self.direction!r} is not one of max, min")
        if not self.low < self.high:
            raise ConfigError(f"a ramp needs low < high, got low={self.low}, high={self.high}; say which way is better with direction")

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        share = np.clip((raw - self.low) / (self.high - self.low), 0.0, 1.0)
        return share if self.direction == "max" else 1.0 - share


@dataclass(frozen=True)
class Sigmoid:
    """Smooth ramp with 0.5 halfway between ``low`` and ``high`` and 0.04 and 0.96 near the ends at ``steepness`` 1."""

    low: float
    high: float
    direction: str = "max"
    steepness: float = 1.0

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        Ramp(self.low, self.high, self.direction)
        middle, width = (self.low + self.high) / 2, self.high - self.low
        along = np.clip(6.4 * self.steepness * (raw - middle) / width, -60, 60)
        share = 1.0 / (1.0 + np.exp(-along))
        return share if self.direction == "max" else 1.0 - share


@dataclass(frozen=True)
class DoubleSigmoid:
    """High between ``low`` and ``high``, falling smoothly over ``width`` on both sides."""

    low: float
    high: float
    width: float = 1.0

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        rise = 1.0 / (1.0 + np.exp(-np.clip(6.4 * (raw - self.low) / self.width, -60, 60)))
        fall = 1.0 / (1.0 + np.exp(-np.clip(6.4 * (self.high - raw) / self.width, -60, 60)))
        return rise * fall


@dataclass(frozen=True)
class Step:
    """1 within [low, high], else 0; an end that is not given is open."""

    low: float = -np.inf
    high: float = np.inf

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        inside = ((raw >= self.low) & (raw <= self.high)).astype(float)
        return np.where(np.isnan(raw), np.nan, inside)


@dataclass(frozen=True)
class Window:
    """1 within [low, high], falling straight to 0 over ``margin`` on both sides."""

    low: float
    high: float
    margin: float = 1.0

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        outside = np.maximum(np.maximum(self.low - raw, raw - self.high), 0.0)
        return np.clip(1.0 - outside / self.margin, 0.0, 1.0)


@dataclass(frozen=True)
class Gaussian:
    """exp(−½ ((x − mean) / sigma)²)."""

    mean: float
    sigma: float

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * ((raw - self.mean) / self.sigma) ** 2)


@dataclass(frozen=True)
class MinGaussian:
    """1 at or below the mean, the Gaussian above it: less is better."""

    mean: float
    sigma: float

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        return Gaussian(self.mean, self.sigma)(np.maximum(raw, self.mean))


@dataclass(frozen=True)
class MaxGaussian:
    """1 at or above the mean, the Gaussian below it: more is better."""

    mean: float
    sigma: float

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        return Gaussian(self.mean, self.sigma)(np.minimum(raw, self.mean))


@dataclass(frozen=True)
class ValueMap:
    """Whole numbers to desirabilities; a number that is not named gets ``other``."""

    values: Mapping[int, float] = field(default_factory=dict)
    other: float = 0.0

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        mapped = np.array([self.values.get(round(value), self.other) if value == value else np.nan for value in raw.tolist()])
        return np.clip(mapped, 0.0, 1.0)


TRANSFORMS: dict[str, type] = {
    "identity": Identity,
    "ramp": Ramp,
    "sigmoid": Sigmoid,
    "double_sigmoid": DoubleSigmoid,
    "step": Step,
    "window": Window,
    "gaussian": Gaussian,
    "min_gaussian": MinGaussian,
    "max_gaussian": MaxGaussian,
    "value_map": ValueMap,
}


def make_transform(name: str, values: Mapping[str, Any]) -> Transform:
    """The transform called ``name``. Raises ConfigError for an unknown name or key."""
    if name not in TRANSFORMS:
        raise unknown("transform", name, list(TRANSFORMS))
    try:
        made: Transform = TRANSFORMS[name](**values)
    except TypeError as error:
        raise ConfigError(f"transform {name!r}: {str(error).removeprefix(TRANSFORMS[name].__name__ + '.__init__() ')}") from None
    return made
