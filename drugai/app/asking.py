"""Requests: plain values from the browser → a job's checked settings. Whatever is wrong is said at once, before a job exists."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from drugai.app.limits import BUDGET, QUERY_CHARACTERS, ROWS, TEXT_BYTES
from drugai.app.shelf import Shelved, pick
from drugai.errors import ConfigError, unknown

ALERTS = ("PAINS", "BRENK", "NIH", "ZINC", "CHEMBL")
METHODS = ("genetic", "reinvent", "hybrid")
TERMS = ("property", "qed", "synthetic_accessibility", "predicted", "alerts", "substructure", "forbidden", "similarity", "objective")
"""Terms of a scorer that the app takes: none that runs a program or reads a file that the request names."""


def check_request(kind: str, given: Mapping[str, Any], models: dict[str, Shelved]) -> dict[str, Any]:
    """The settings of a job of a kind.

    Raises:
        ConfigError: Unknown kind or key, a value out of range, a model that is not on the shelf.
    """
    if kind not in KINDS:
        raise unknown("kind of job", kind, tuple(KINDS))
    legal, check = KINDS[kind]
    wrong = [key for key in given if key not in legal]
    if wrong:
        raise ConfigError(f"{kind}: unknown key {wrong[0]!r}; the keys are {', '.join(legal)}")
    return check(dict(given), models)


def _predict(given: dict[str, Any], models: dict[str, Shelved]) -> dict[str, Any]:
    model = pick(models, _text(given, "model"))
    level = given.get("level")
    if level is not None:
        level = _number(given, "level", 0.5, 0.99)
        if not model.calibrated:
            raise ConfigError(
                f"{model.name} has no calibration data, so it gives no intervals; `drugai calibrate {model.path}` adds it, or ask without intervals"
            )
    return {"model": model.name, "path": str(model.path.resolve()), "level": level, "explain": bool(given.get("explain")), **_molecules(given, "predict")}


def _admet(given: dict[str, Any], _models: dict[str, Shelved]) -> dict[str, Any]:
    return {"level": _number(given, "level", 0.5, 0.99), **_molecules(given, "admet")}


def _screen(given: dict[str, Any], models: dict[str, Shelved]) -> dict[str, Any]:
    model = pick(models, _text(given, "model"))
    task, _, direction = _text(given, "rank_by").rpartition(":")
    names = tuple(name for name, _, _ in model.tasks)
    if task not in names:
        raise unknown("task", task, names)
    if direction not in ("max", "min"):
        raise unknown("direction", direction, ("max", "min"))
    alerts = given.get("alerts") or []
    if not isinstance(alerts, list) or any(name not in ALERTS for name in alerts):
        raise ConfigError(f"alerts {alerts!r}: a list of {', '.join(ALERTS)} is needed")
    top = int(_number(given, "top", 1, 10_000))
    return {
        "model": model.name, "path": str(model.path.resolve()), "rank_by": f"{task}:{direction}", "alerts": alerts, "top": top, **_molecules(given, "screen"),
    }  # fmt: skip


def _link(given: dict[str, Any], _models: dict[str, Shelved]) -> dict[str, Any]:
    side = given.get("side", "diseases")
    if side not in ("diseases", "drugs"):
        raise unknown("side", str(side), ("diseases", "drugs"))
    text, smiles = str(given.get("text") or "").strip(), str(given.get("smiles") or "").strip()
    if len(text) > QUERY_CHARACTERS or len(smiles) > QUERY_CHARACTERS:
        raise ConfigError(f"the description has {max(len(text), len(smiles)):,} characters; {QUERY_CHARACTERS:,} at most")
    if not text and (not smiles or side == "drugs"):
        raise ConfigError("there is nothing to ask for: give a description" + (" or a SMILES" if side == "diseases" else ""))
    return {
        "side": side,
        "text": text,
        "smiles": smiles if side == "diseases" else "",
        "top": int(_number(given, "top", 1, 100)),
        "novel": bool(given.get("novel")),
    }


def _optimize(given: dict[str, Any], models: dict[str, Shelved]) -> dict[str, Any]:
    method = given.get("method", "genetic")
    if method not in METHODS:
        raise unknown("method", str(method), METHODS)
    scorer = read_terms(_text(given, "scorer"), models)
    return {
        "method": method,
        "scorer": scorer,
        "text": _text(given, "scorer"),
        "budget": int(_number(given, "budget", 10, BUDGET)),
        "seed": int(_number(given, "seed", 0, 2**31)),
    }


def read_terms(text: str, models: dict[str, Shelved]) -> dict[str, Any]:
    """The values of a scorer's TOML text, with models by their names on the shelf turned into folders."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the scorer is not valid TOML ({error})") from None
    terms = values.get("term")
    if not isinstance(terms, list) or not terms:
        raise ConfigError("the scorer has no [[term]]; it needs at least one")
    for number, term in enumerate(terms, start=1):
        kind = term.get("kind") if isinstance(term, dict) else None
        if kind not in TERMS:
            raise ConfigError(f"term {number}: kind {kind!r}; the app takes {', '.join(TERMS)}, `drugai optimize` takes the others")
        if "file" in term:
            raise ConfigError(f'term {number}: the app reads no file that a scorer names; write the molecules in, as smiles = ["…"]')
        if kind == "predicted":
            term["model"] = str(pick(models, str(term.get("model"))).path.resolve())
    return values


def _molecules(given: dict[str, Any], kind: str) -> dict[str, Any]:
    """The molecules of a request: pasted text, or the key of an uploaded file."""
    text, file = given.get("text") or "", given.get("file") or ""
    if not isinstance(text, str) or not isinstance(file, str) or bool(text.strip()) == bool(file):
        raise ConfigError(f"give molecules: SMILES or a table as text, or a file; {ROWS[kind]:,} at most")
    if len(text.encode()) > TEXT_BYTES:
        raise ConfigError(f"the text has {len(text.encode()):,} bytes; {TEXT_BYTES:,} at most: put it into a file")
    return {"text": text, "file": file}


def _text(given: Mapping[str, Any], key: str) -> str:
    value = given.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{key} is missing")
    return value.strip()


def _number(given: Mapping[str, Any], key: str, low: float, high: float) -> float:
    value = given.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ConfigError(f"{key} is {value!r}; a number from {low:g} to {high:g} is needed")
    return float(value)


KINDS: dict[str, tuple[tuple[str, ...], Callable[[dict[str, Any], dict[str, Shelved]], dict[str, Any]]]] = {
    "predict": (("model", "text", "file", "level", "explain"), _predict),
    "admet": (("text", "file", "level"), _admet),
    "screen": (("model", "text", "file", "rank_by", "alerts", "top"), _screen),
    "link": (("side", "text", "smiles", "top", "novel"), _link),
    "optimize": (("method", "scorer", "budget", "seed"), _optimize),
}
