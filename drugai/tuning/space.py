"""The search space, read from the Config tree: what is ``tunable`` there is suggested here, narrowed or fixed by the user's file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from drugai.config import Config, Range
from drugai.errors import ConfigError, unknown

KIND = "kind"
_RANGE_WORDS = ("choices", "low", "high", "log", "step")


@dataclass(frozen=True)
class Space:
    """Ranges by key, and keys that are fixed, around a starting Config."""

    base: Any
    ranges: Mapping[str, Range]
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def suggest(self, trial: Any, prefix: str = "") -> None:
        """Ask for a value of each key; they stand in ``trial.params`` afterwards."""
        for key, found in self.ranges.items():
            _suggest(trial, prefix + key, found)

    def config(self, params: Mapping[str, Any]) -> Any:
        """The Config of a trial's parameters."""
        return self.base.replace(**{**self.fixed, **params})

    def values(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """What a trial sets in the Config, fixed values included."""
        return {**self.fixed, **params}

    def starts(self) -> list[dict[str, Any]]:
        """The starting Config's values: trial 0. A value outside a range that the user narrowed is moved to its nearest end."""
        flat = _flat(self.base.to_dict())
        return [{key: _inside(flat[key], found) for key, found in self.ranges.items()}]


@dataclass(frozen=True)
class KindSpace:
    """Several kinds of model in one study: the kind is a choice, and a kind's fields are searched only where it is chosen."""

    spaces: Mapping[str, Space]

    @property
    def fixed(self) -> dict[str, Any]:
        """The fixed values of all kinds, each with its kind in front."""
        return {f"{kind}.{key}": value for kind, space in self.spaces.items() for key, value in space.fixed.items()}

    def suggest(self, trial: Any) -> None:
        """Ask for a kind and for a value of each of its keys."""
        kind = trial.suggest_categorical(KIND, list(self.spaces))
        self.spaces[kind].suggest(trial, f"{kind}.")

    def config(self, params: Mapping[str, Any]) -> Any:
        """The Config of a trial's parameters."""
        return self.spaces[params[KIND]].config(self._own(params))

    def values(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """What a trial sets in its kind's Config."""
        return self.spaces[params[KIND]].values(self._own(params))

    def starts(self) -> list[dict[str, Any]]:
        """Each kind's starting Config, in the order given: trials 0, 1 …"""
        return [{KIND: kind, **{f"{kind}.{key}": value for key, value in start.items()}} for kind, space in self.spaces.items() for start in space.starts()]

    @staticmethod
    def _own(params: Mapping[str, Any]) -> dict[str, Any]:
        prefix = f"{params[KIND]}."
        return {key.removeprefix(prefix): value for key, value in params.items() if key.startswith(prefix)}


def config_space(config: Config | Sequence[Config], overrides: Mapping[str, Any] | None = None) -> Space | KindSpace:
    """The space of a Config, or of several Configs of different kinds.

    Args:
        config: Its class states the ranges. Its values are always inside: a range is widened to hold them, and the steps of a range are counted from them.
        overrides: Key → a value (fixed), a list of two numbers (range), or ``{choices = [...]}``, ``{low =, high =, log =}``. For several Configs the kind
            stands in front: ``gnn.net.depth``.

    Raises:
        ConfigError: A key that the Config does not have, or a range that is empty.
    """
    if not isinstance(config, Sequence):
        return _space_of(config, overrides or {})
    kinds = [str(getattr(each, KIND, type(each).__name__)) for each in config]
    if len(set(kinds)) != len(kinds) or not kinds:
        raise ConfigError(f"a study over kinds needs Configs of different kinds; got {', '.join(kinds) or 'none'}")
    given = dict(overrides or {})
    # a TOML file has a table a kind, a script may write the key in full: both are the same
    tables: dict[str, dict[str, Any]] = {kind: {} for kind in kinds}
    for key, value in _flat(given, stop=_RANGE_WORDS).items():
        kind, dot, rest = key.partition(".")
        if kind not in tables or not dot:
            raise unknown("kind in a key of the space", key, [f"{each}.…" for each in kinds])
        tables[kind][rest] = value
    return KindSpace({kind: _space_of(each, tables[kind]) for kind, each in zip(kinds, config, strict=True)})


def read_space(path: str | Path) -> dict[str, Any]:
    """The user's file that narrows or fixes fields."""
    try:
        with open(path, "rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file of a search space") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML ({error})") from None


def _space_of(config: Any, overrides: Mapping[str, Any]) -> Space:
    ranges = dict(type(config).ranges())
    flat = _flat(config.to_dict())
    fixed: dict[str, Any] = {}
    narrowed: set[str] = set()
    for key, value in _flat(overrides, stop=_RANGE_WORDS).items():
        if key not in flat:
            raise unknown("key", key, sorted(flat))
        base = ranges.get(key, Range())
        if isinstance(value, Mapping):
            ranges[key] = replace(base, **{name: tuple(part) if name == "choices" else part for name, part in value.items()})
            narrowed.add(key)
        elif isinstance(value, list) and len(value) == 2 and all(isinstance(part, (int, float)) for part in value) and not isinstance(flat[key], list):
            ranges[key] = replace(base, low=value[0], high=value[1], choices=())
            narrowed.add(key)
        else:
            ranges.pop(key, None)
            fixed[key] = value
    for key, found in ranges.items():
        if found.choices:
            continue
        if found.low is None or found.high is None or not found.low < found.high:
            raise ConfigError(f"{key}: needs low < high or choices to be searched; got low={found.low}, high={found.high}")
        ranges[key] = _around(flat[key], found, widen=key not in narrowed)
    if not ranges:
        raise ConfigError(f"{type(config).__name__} has nothing left to search; mark fields as tunable or fix fewer of them")
    return Space(config, ranges, fixed)


def _around(value: Any, found: Range, widen: bool) -> Range:
    """The range with the starting value inside it and on one of its steps, so that trial 0 is the starting Config to the last digit."""
    # whether a field is a whole number is told by its value, not by how the range was typed
    number = int if isinstance(value, int) and not isinstance(value, bool) else float
    low, high = number(found.low or 0), number(found.high or 0)
    if widen:
        low, high = min(low, value), max(high, value)
    if number is int and found.step and low <= value <= high:
        low += (value - low) % int(found.step)
    return replace(found, low=low, high=high)


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
