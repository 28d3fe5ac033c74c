"""The search space, read from the Config tree: what is ``tunable`` there is suggested here, narrowed or fixed by the user's file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from drugai.config import Range
from drugai.errors import ConfigError, unknown


@dataclass(frozen=True)
class Space:
    """Ranges by key, and keys that are fixed."""

    ranges: Mapping[str, Range]
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def suggest(self, trial: Any) -> dict[str, Any]:
        """Values of one trial, fixed ones included."""
        values: dict[str, Any] = dict(self.fixed)
        for key, found in self.ranges.items():
            values[key] = _suggest(trial, key, found)
        return values

    def start(self, config: Any) -> dict[str, Any]:
        """The starting config's values in this space: trial 0. A value outside its range is moved to the nearest end."""
        flat = _flat(config.to_dict())
        return {key: _inside(flat[key], found) for key, found in self.ranges.items() if key in flat}


def config_space(config: Any, overrides: Mapping[str, Any] | None = None) -> Space:
    """The space of a Config.

    Args:
        config: Its class states the ranges.
        overrides: Key → a value (fixed), a list of two numbers (range), or ``{choices = [...]}``, ``{low =, high =, log =}``.

    Raises:
        ConfigError: A key that the Config does not have, or a range that is empty.
    """
    ranges = dict(type(config).ranges())
    flat = _flat(config.to_dict())
    fixed: dict[str, Any] = {}
    for key, value in _flat(dict(overrides or {}), stop=("choices", "low", "high", "log", "step")).items():
        if key not in flat:
            raise unknown("key", key, sorted(flat))
        base = ranges.get(key, Range())
        if isinstance(value, Mapping):
            ranges[key] = replace(base, **{name: tuple(part) if name == "choices" else part for name, part in value.items()})
        elif isinstance(value, list) and len(value) == 2 and all(isinstance(part, (int, float)) for part in value) and not isinstance(flat[key], list):
            ranges[key] = replace(base, low=value[0], high=value[1], choices=())
        else:
            ranges.pop(key, None)
            fixed[key] = value
    for key, found in ranges.items():
        if not found.choices and (found.low is None or found.high is None or not found.low < found.high):
            raise ConfigError(f"{key}: needs low < high or choices to be searched; got low={found.low}, high={found.high}")
        if not found.choices:
            # whether a field is a whole number is told by its value, not by how the range was typed
            number = int if isinstance(flat[key], int) and not isinstance(flat[key], bool) else float
            ranges[key] = replace(found, low=number(found.low or 0), high=number(found.high or 0))
    if not ranges:
        raise ConfigError(f"{type(config).__name__} has nothing left to search; mark fields as tunable or fix fewer of them")
    return Space(ranges, fixed)


def read_space(path: str | Path) -> dict[str, Any]:
    """Overrides from a TOML file."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such space file") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML ({error})") from None


def _suggest(trial: Any, key: str, found: Range) -> Any:
    if found.choices:
        return trial.suggest_categorical(key, list(found.choices))
    if isinstance(found.low, int) and isinstance(found.high, int):
        step = int(found.step or 1)
        return trial.suggest_int(key, found.low, found.low + (found.high - found.low) // step * step, log=found.log, **({} if found.log else {"step": step}))
    return trial.suggest_float(key, float(found.low or 0), float(found.high or 0), log=found.log)


def _inside(value: Any, found: Range) -> Any:
    if found.choices:
        return value if value in found.choices else found.choices[0]
    low, high = found.low or 0, found.high or 0
    value = min(max(value, low), high)
    if isinstance(low, int) and isinstance(high, int):
        step = int(found.step or 1) if not found.log else 1
        return min(low + round((value - low) / step) * step, low + (high - low) // step * step)
    return value


def _flat(values: Mapping[str, Any], prefix: str = "", stop: tuple[str, ...] = ()) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and not (stop and set(value) <= set(stop)):
            found.update(_flat(value, f"{prefix}{key}.", stop))
        else:
            found[prefix + key] = value
    return found
