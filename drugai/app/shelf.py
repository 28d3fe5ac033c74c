"""The models that the app offers: predictors under the folders that it was given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drugai.artifact import MANIFEST
from drugai.errors import ConfigError

DEPTH = 4


@dataclass(frozen=True)
class Shelved:
    """A predictor on the shelf: a name for people, its folder, its tasks as (name, unit, kind), and whether it knows how sure it is."""

    name: str
    path: Path
    kind: str
    tasks: tuple[tuple[str, str, str], ...]
    calibrated: bool


def find_models(folders: Sequence[str | Path]) -> dict[str, Shelved]:
    """Name → predictor, of every model under the folders; a folder that is a model itself counts.

    Only manifests are read here: checksums are verified when a model is used. The name is the path below the folder searched, and is what requests say, so
    that no request can name a path.
    """
    found: dict[str, Shelved] = {}
    for folder in map(Path, folders):
        for place in _models_under(folder, DEPTH):
            one = _read(place, str(place.relative_to(folder)) if place != folder else folder.name)
            if one is not None:
                found.setdefault(one.name, one)
    return dict(sorted(found.items()))


def pick(models: dict[str, Shelved], name: str) -> Shelved:
    """A model by its name.

    Raises:
        ConfigError: There is none.
    """
    if name not in models:
        raise ConfigError(f"there is no model {name!r}; the models are: {', '.join(models) or 'none'}")
    return models[name]


def _models_under(folder: Path, depth: int) -> list[Path]:
    if not folder.is_dir():
        return []
    if (folder / MANIFEST).is_file():
        return [folder]
    if depth == 0:
        return []
    below = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    return [place for entry in below for place in _models_under(entry, depth - 1)]


def _read(place: Path, name: str) -> Shelved | None:
    """The predictor of a folder; None for another kind, or where the manifest cannot be read (using it would say why)."""
    try:
        manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        kind = str(manifest["kind"])
        if not kind.startswith("predictor/"):
            return None
        tasks = tuple((task["name"], task.get("unit", ""), task["kind"]) for task in manifest["tasks"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Shelved(name, place, kind.removeprefix("predictor/"), tasks, bool(manifest.get("calibrated")))
