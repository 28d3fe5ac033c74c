"""A scorer from a TOML file: one ``[[term]]`` a term."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drugai.catalogue import lookup
from drugai.contracts import Predictor
from drugai.errors import ConfigError, nearest
from drugai.scoring.external import external_term
from drugai.scoring.objectives import objective_term
from drugai.scoring.scorer import TermScorer
from drugai.scoring.terms import Term, no_alerts, predicted, property_term, similar_to, substructure
from drugai.scoring.transforms import Transform, make_transform

LoadPredictor = Callable[[str], Predictor]
_TRANSFORM_KEYS = ("low", "high", "direction", "steepness", "width", "margin", "mean", "sigma", "values", "other")


def read_scorer(path: str | Path, load_predictor: LoadPredictor | None = None) -> TermScorer:
    """Read a scorer; paths inside it are relative to the file.

    Args:
        path: The TOML file.
        load_predictor: How a ``model = "runs/egfr"`` becomes a Predictor (scoring itself knows no models).

    Raises:
        ConfigError: The file is missing or not TOML, a key or term is unknown (the nearest is named); all problems found, ten at most.
    """
    file = Path(path)
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{file}: no such scorer file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not valid TOML ({error})") from None
    return build_scorer(values, load_predictor, folder=file.parent, where=str(file))


def build_scorer(
    values: Mapping[str, Any], load_predictor: LoadPredictor | None = None, *, folder: str | Path = ".", where: str = "scorer"
) -> TermScorer:
    """A scorer from plain values (see :func:`read_scorer`)."""
    problems = [f"unknown key {key!r}; the keys are combine, term" for key in values if key not in ("combine", "term")]
    terms: list[Term] = []
    for number, entry in enumerate(values.get("term", []), start=1):
        try:
            terms.append(_term(dict(entry), load_predictor, Path(folder)))
        except ConfigError as error:
            problems.append(f"term {number}: {error}")
    if problems:
        raise ConfigError(f"{where}: " + "; ".join(problems[:10]))
    if not terms:
        raise ConfigError(f"{where}: no [[term]] is there; a scorer needs at least one")
    return TermScorer(tuple(terms), values.get("combine", "geometric"))


def _term(entry: dict[str, Any], load_predictor: LoadPredictor | None, folder: Path) -> Term:
    kind = entry.pop("kind", None)
    if kind is None:
        raise ConfigError("has no kind; for example kind = \"qed\"")
    build: Callable[..., Term] = lookup("term", kind, TERMS)
    if kind in _OWN_PROPERTIES:
        entry["_property"] = kind
    return build(entry, load_predictor, folder)


def take_keys(entry: dict[str, Any], legal: tuple[str, ...]) -> dict[str, Any]:
    """The entry of a term, if it has no other keys; else a ConfigError that names the nearest."""
    for key in entry:
        if key not in legal:
            near = nearest(key, legal)
            raise ConfigError(f"unknown key {key!r}; {f'did you mean {near!r}? ' if near else ''}the keys are: {', '.join(legal)}")
    return entry


def take_transform(entry: dict[str, Any]) -> Transform | None:
    """Take out the transform that the keys describe: named, or a ramp where only low and high stand."""
    name = entry.pop("transform", None)
    given = {key: entry.pop(key) for key in _TRANSFORM_KEYS if key in entry}
    if "values" in given:
        given["values"] = {int(key): float(value) for key, value in given["values"].items()}
    if name is None and not given:
        return None
    return make_transform(name or "ramp", given)


def _property(entry: dict[str, Any], _load: LoadPredictor | None, _folder: Path) -> Term:
    name = entry.pop("_property", None) or entry.pop("property", None)
    if name is None:
        raise ConfigError('has no property; for example property = "logp"')
    transform = take_transform(entry)
    found = take_keys(entry, ("weight", "filter"))
    return property_term(name, transform, weight=found.get("weight", 1.0), filter=found.get("filter", False))


def _predicted(entry: dict[str, Any], load: LoadPredictor | None, folder: Path) -> Term:
    model = entry.pop("model", None)
    if model is None:
        raise ConfigError('has no model; for example model = "runs/egfr"')
    if load is None:
        raise ConfigError(f"model {model!r} cannot be loaded here; pass load_predictor=drugai.load_predictor")
    place = folder / model
    predictor = load(str(place if place.exists() else model))
    transform = take_transform(entry)
    found = take_keys(entry, ("task", "name", "weight"))
    return predicted(predictor, found.get("task"), transform=transform, name=found.get("name"), weight=found.get("weight", 1.0))


def _alerts(entry: dict[str, Any], _load: LoadPredictor | None, _folder: Path) -> Term:
    return no_alerts(*take_keys(entry, ("sets",)).get("sets", ["PAINS"]))


def _substructure(entry: dict[str, Any], _load: LoadPredictor | None, _folder: Path) -> Term:
    found = take_keys(entry, ("smarts", "name", "low", "high"))
    if "smarts" not in found:
        raise ConfigError('has no smarts; for example smarts = ["c1ncnc2ccccc12"]')
    smarts = found["smarts"] if isinstance(found["smarts"], list) else [found["smarts"]]
    return substructure(smarts, name=found.get("name", "substructure"), low=found.get("low", 1), high=found.get("high", float("inf")))


def _forbidden(entry: dict[str, Any], load: LoadPredictor | None, folder: Path) -> Term:
    return _substructure({"name": "forbidden", **entry, "low": 0, "high": 0}, load, folder)


def _similarity(entry: dict[str, Any], _load: LoadPredictor | None, folder: Path) -> Term:
    from drugai.molecules import read_table

    transform = take_transform(entry)
    found = take_keys(entry, ("smiles", "file", "name", "weight", "filter"))
    smiles = list(found.get("smiles", []))
    if "file" in found:
        columns = read_table(folder / found["file"]).columns
        smiles += next(iter(columns.values())) if "smiles" not in columns else columns["smiles"]
    return similar_to(smiles, transform, name=found.get("name", "similarity"), weight=found.get("weight", 1.0), filter=found.get("filter", False))


def _objective(entry: dict[str, Any], _load: LoadPredictor | None, _folder: Path) -> Term:
    found = take_keys(entry, ("name", "weight"))
    if "name" not in found:
        raise ConfigError('has no name; for example name = "perindopril_mpo"')
    return objective_term(found["name"], weight=found.get("weight", 1.0))


def _external(entry: dict[str, Any], _load: LoadPredictor | None, folder: Path) -> Term:
    transform = take_transform(entry)
    found = take_keys(entry, ("command", "name", "deadline", "batch", "weight", "filter"))
    if "command" not in found:
        raise ConfigError('has no command; for example command = ["python", "dock.py"]')
    command = found.pop("command")
    name = found.pop("name", Path(command[0]).name if isinstance(command, list) and command else "external")
    return external_term(command, name, transform, folder=folder, **found)


_OWN_PROPERTIES = ("qed", "synthetic_accessibility")
TERMS: dict[str, Callable[..., Term]] = {
    "property": _property,
    "qed": _property,
    "synthetic_accessibility": _property,
    "predicted": _predicted,
    "alerts": _alerts,
    "substructure": _substructure,
    "forbidden": _forbidden,
    "similarity": _similarity,
    "objective": _objective,
    "external": _external,
}
