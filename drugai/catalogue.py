"""Choices by name: models, splits, score terms, data sets. One door for a user's own and for other libraries.

Each room keeps a literal dict of its own choices and hands it to :func:`lookup`; what is registered here is found beside them.

Example:
    >>> register("model", "mine", dict)
    >>> lookup("model", "mine", {}) is dict
    True
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from drugai.errors import ConfigError, unknown

KINDS = ("model", "predictor", "split", "term", "dataset", "featurizer", "sampler", "pruner", "encoder")

_registered: dict[str, dict[str, Callable[..., Any]]] = {kind: {} for kind in KINDS}
_providers: dict[str, str] = {}


def register(kind: str, name: str, factory: Callable[..., Any]) -> None:
    """Make ``name`` a choice of ``kind``. Registering a name again replaces it."""
    if kind not in _registered:
        raise unknown("kind", kind, KINDS)
    if not name or name.startswith("-"):
        raise ConfigError(f"a {kind} cannot be named {name!r}; use a word")
    _registered[kind][name] = factory


def provide(prefix: str, module: str) -> None:
    """Say that importing ``module`` registers the names ``<prefix>`` and ``<prefix>:…``: it is imported when one of them is first asked for.

    So a name of another library works in every process, and costs nothing where it is not used.
    """
    _providers[prefix] = module


def names(kind: str, own: Mapping[str, Any]) -> list[str]:
    """Every name of ``kind``: the room's own and the registered."""
    return sorted({*own, *_registered[kind]})


def lookup(kind: str, name: str, own: Mapping[str, Any]) -> Any:
    """The choice called ``name``; an unknown one is a ConfigError that lists them all."""
    prefix = name.partition(":")[0]
    if name not in _registered[kind] and prefix in _providers:
        importlib.import_module(_providers[prefix])
    if name in _registered[kind]:
        return _registered[kind][name]
    if name in own:
        return own[name]
    raise unknown(kind, name, names(kind, own))
