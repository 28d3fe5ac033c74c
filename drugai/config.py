"""The Config tree: frozen dataclasses whose fields state default, meaning and search range on one line.

From one declaration come the command line (``--set depth=4``), the TOML file and the Optuna search space; nothing is retyped.

Example:
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class TreeConfig(Config):
    ...     depth: int = tunable(6, 2, 12, help="depth of a tree")
    >>> TreeConfig.from_dict({"depth": 4})
    TreeConfig(depth=4)
    >>> TreeConfig.from_dict({"dept": 4})
    Traceback (most recent call last):
    drugai.errors.ConfigError: TreeConfig: unknown key 'dept'; did you mean 'depth'? the keys are: depth
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from drugai.errors import ConfigError, nearest


@dataclass(frozen=True)
class Range:
    """Where a field may be searched: numbers between ``low`` and ``high`` (on a log scale if ``log``), or one of ``choices``."""

    low: float | None = None
    high: float | None = None
    log: bool = False
    step: float | None = None
    choices: tuple[Any, ...] = ()


def tunable(
    default: Any,
    low: float | None = None,
    high: float | None = None,
    *,
    choices: Sequence[Any] = (),
    log: bool = False,
    step: float | None = None,
    help: str = "",
) -> Any:
    """A field that a study may search: its default, its range or choices, and what it means."""
    return field(default=default, metadata={"range": Range(low, high, log, step, tuple(choices)), "help": help})


def setting(default: Any, *, help: str = "", choices: Sequence[Any] = ()) -> Any:
    """A field that a user may set but no study searches. ``choices``, where given, are enforced."""
    return field(default=default, metadata={"help": help, "choices": tuple(choices)})


@dataclass(frozen=True)
class Config:
    """Base of every Config: checked on construction, readable from a dict or a TOML file."""

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            _check(type(self).__name__, item, getattr(self, item.name))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build from plain values. Raises ConfigError for an unknown key, naming the nearest legal one."""
        types_of = typing.get_type_hints(cls)
        known = {item.name: item for item in dataclasses.fields(cls) if item.init}
        problems = []
        arguments: dict[str, Any] = {}
        for key, value in values.items():
            if key not in known:
                near = nearest(key, known)
                hint = f"did you mean {near!r}? " if near else ""
                problems.append(f"unknown key {key!r}; {hint}the keys are: {', '.join(known)}")
                continue
            try:
                arguments[key] = _convert(value, types_of[key])
            except (TypeError, ValueError) as error:
                problems.append(f"key {key!r}: {error}")
        if problems:
            raise ConfigError(f"{cls.__name__}: " + "; ".join(problems[:10]))
        return cls(**arguments)

    @classmethod
    def from_toml(cls, path: str | Path) -> Self:
        """Build from a TOML file; an unreadable file is a ConfigError with the parser's line."""
        try:
            with open(path, "rb") as stream:
                values = tomllib.load(stream)
        except FileNotFoundError:
            raise ConfigError(f"{path}: no such config file") from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: not valid TOML ({error})") from None
        return cls.from_dict(values)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, nested Configs as dicts and tuples as lists: what goes into JSON and TOML."""
        return {item.name: _plain(getattr(self, item.name)) for item in dataclasses.fields(self) if item.init}

    def replace(self, **changes: Any) -> Self:
        """The same Config with some fields changed; nested fields as ``encoder.depth``. Unknown keys are refused."""
        return type(self).from_dict(_merged(self.to_dict(), changes))

    @classmethod
    def ranges(cls) -> dict[str, Range]:
        """The tunable fields and their ranges, nested ones as ``encoder.depth``."""
        types_of = typing.get_type_hints(cls)
        found: dict[str, Range] = {}
        for item in dataclasses.fields(cls):
            declared = types_of[item.name]
            if isinstance(declared, type) and issubclass(declared, Config):
                found.update({f"{item.name}.{key}": value for key, value in declared.ranges().items()})
            elif "range" in item.metadata:
                found[item.name] = item.metadata["range"]
        return found

    @classmethod
    def describe(cls) -> list[tuple[str, str, Any, str]]:
        """Rows (key, type, default, meaning) for ``--help`` and the reference."""
        types_of = typing.get_type_hints(cls)
        rows: list[tuple[str, str, Any, str]] = []
        for item in dataclasses.fields(cls):
            declared = types_of[item.name]
            if isinstance(declared, type) and issubclass(declared, Config):
                rows.extend((f"{item.name}.{key}", kind, default, text) for key, kind, default, text in declared.describe())
                continue
            default = item.default if item.default is not dataclasses.MISSING else None
            rows.append((item.name, getattr(declared, "__name__", str(declared)), default, item.metadata.get("help", "")))
        return rows


def parse_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """``["depth=4", "name=abc"]`` → values as TOML reads them; text that is no TOML value stays text."""
    values: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set {pair!r}: expected KEY=VALUE, for example depth=4")
        try:
            values[key.strip()] = tomllib.loads(f"value = {text.strip()}")["value"]
        except tomllib.TOMLDecodeError:
            values[key.strip()] = text.strip()
    return values


def _merged(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        head, dot, rest = key.partition(".")
        if dot and isinstance(merged.get(head), dict):
            merged[head] = _merged(merged[head], {rest: value})
        else:
            merged[key] = value.to_dict() if isinstance(value, Config) else value
    return merged


def _plain(value: Any) -> Any:
    if isinstance(value, Config):
        return value.to_dict()
    if isinstance(value, (tuple, list)):
        return [_plain(element) for element in value]
    return value


def _convert(value: Any, declared: Any) -> Any:
    """``value`` as the declared type, or a TypeError in words."""
    origin = typing.get_origin(declared)
    if isinstance(declared, type) and issubclass(declared, Config):
        return value if isinstance(value, declared) else declared.from_dict(value)
    if origin in (types.UnionType, typing.Union):
        options = typing.get_args(declared)
        if value is None and type(None) in options:
            return None
        return _convert(value, next(option for option in options if option is not type(None)))
    if origin is tuple:
        if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
            raise TypeError(f"expected a list, got {value!r}")
        element = typing.get_args(declared)[0]
        return tuple(_convert(part, element) for part in value)
    if origin is typing.Literal:
        return value
    if declared is bool and not isinstance(value, bool):
        raise TypeError(f"expected true or false, got {value!r}")
    if declared is int and (isinstance(value, bool) or not isinstance(value, int)):
        if isinstance(value, float) and value.is_integer():
            return int(value)
        raise TypeError(f"expected a whole number, got {value!r}")
    if declared is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f"expected a number, got {value!r}")
        return float(value)
    if declared is str and not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r}")
    return value


def _check(owner: str, item: dataclasses.Field[Any], value: Any) -> None:
    """Choices are enforced; a range is where a study searches, not a law, so numbers outside it are allowed."""
    found: Range | None = item.metadata.get("range")
    choices = found.choices if found else item.metadata.get("choices", ())
    if choices and value not in choices:
        near = nearest(str(value), [str(choice) for choice in choices])
        hint = f"did you mean {near!r}? " if near else ""
        raise ConfigError(f"{owner}: {item.name}={value!r} is not a choice; {hint}the choices are: {', '.join(map(str, choices))}")
