"""A scorer as plain values that a worker process can rebuild, with hashes of everything that it reads."""

from __future__ import annotations

import hashlib
import importlib.util
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from drugai.artifact import file_checksum, is_artifact, read_artifact
from drugai.contracts import Scorer
from drugai.errors import ConfigError, unknown
from drugai.scoring import build_scorer
from drugai.screening.cascade import stage_entries

Specification = tuple[dict[str, Any], tuple[dict[str, str], ...]]


def specify(scorer: Any, rank_by: str | None = None, filters: Sequence[Mapping[str, Any]] = ()) -> Specification:
    """What ``scorer`` is: a folder of a model, a TOML file, ``"module:function"`` or ``"file.py:function"`` that makes a Scorer, or a Scorer itself.

    ``filters`` are terms, as in a scorer's file, that a molecule must pass before a model sees it.

    Returns:
        The specification, and the models that it names.

    Raises:
        ConfigError: It is none of these, or ``rank_by`` does not fit.
        ArtifactError: The model's folder is damaged.
    """
    if not isinstance(scorer, (str, Path)):
        if filters:
            raise ConfigError("filters go with a model's folder; a scorer made in Python has terms of its own for them")
        if not isinstance(scorer, Scorer):
            raise ConfigError(f"scorer: got a {type(scorer).__name__}; give a scorer, a model's folder or a scorer's TOML file")
        _refuse_rank_by(rank_by)
        return {"kind": "object", "sha256": _object_checksum(scorer), "words": _words(scorer)}, ()
    path = Path(scorer)
    if is_artifact(path) or (path.is_dir() and path.suffix != ".toml"):
        found, models = _model(path, rank_by)
        if filters:
            build_scorer({"term": [dict(term) for term in filters]}, where="filters")  # what is wrong with them is said here, not by a worker
            found["filters"] = [dict(term) for term in filters]
        return found, models
    if filters:
        raise ConfigError("filters beside a scorer: write them into the scorer as terms with filter = true, or into a cascade's first stage")
    _refuse_rank_by(rank_by)
    if path.suffix == ".toml":
        return _file(path)
    if ":" in str(scorer):
        return _factory(str(scorer))
    raise ConfigError(f"scorer {str(scorer)!r} is no folder of a model, no TOML file and no module:function; check the path")


def _refuse_rank_by(rank_by: str | None) -> None:
    if rank_by is not None:
        raise ConfigError(f"rank_by={rank_by!r} goes with a model alone; a scorer says itself what is good")


def _model(path: Path, rank_by: str | None) -> Specification:
    artifact = read_artifact(path, "predictor")
    tasks = {entry["name"]: entry for entry in artifact.manifest["tasks"]}
    name, colon, direction = (rank_by or "").rpartition(":")
    if rank_by is not None and (not colon or direction not in ("max", "min")):
        if rank_by not in tasks:
            raise ConfigError(f"rank_by={rank_by!r}: expected TASK:max or TASK:min, for example {next(iter(tasks))}:max")
        name, direction = rank_by, "max"
    if rank_by is None:
        if len(tasks) != 1:
            raise ConfigError(f"{path} predicts {', '.join(tasks)}; say by which to rank, for example rank_by={next(iter(tasks))!r} + ':max'")
        name, direction = next(iter(tasks)), "max"
    if name not in tasks:
        raise unknown("task", name, list(tasks))
    if tasks[name]["kind"] == "multiclass":
        raise ConfigError(f"task {name!r} has classes without an order; rank by it in a scorer file, whose values say how good each class is")
    checksum = artifact.checksum
    entry = {"path": str(path.resolve()), "sha256": checksum, "kind": artifact.kind}
    return {"kind": "model", "path": str(path.resolve()), "sha256": checksum, "task": name, "direction": direction}, (entry,)


def _file(path: Path) -> Specification:
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such scorer file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML ({error})") from None
    digest = hashlib.sha256(text.encode())
    models: dict[str, dict[str, str]] = {}
    stages = stage_entries(values, str(path)) if "stage" in values else []
    terms = [*values.get("term", []), *stages, *(term for stage in stages for term in stage.get("filters", []))]
    for term in terms:
        if isinstance(term, Mapping) and isinstance(term.get("file"), str) and (path.parent / term["file"]).is_file():
            digest.update(file_checksum(path.parent / term["file"]).encode())
        if isinstance(term, Mapping) and isinstance(term.get("model"), str):
            place = path.parent / term["model"]
            place = place if place.exists() else Path(term["model"])
            artifact = read_artifact(place, "predictor")
            models.setdefault(str(place.resolve()), {"path": str(place.resolve()), "sha256": artifact.checksum, "kind": artifact.kind})
    return {"kind": "cascade" if stages else "file", "path": str(path.resolve()), "sha256": digest.hexdigest()}, tuple(models.values())


def _factory(place: str) -> Specification:
    module, _, function = place.rpartition(":")
    if module.endswith(".py"):
        file = Path(module).resolve()
        if not file.is_file():
            raise ConfigError(f"scorer {place!r}: no such file")
        module = str(file)
    else:
        try:
            spec = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            spec = None
        if spec is None or spec.origin is None:
            raise ConfigError(f"scorer {place!r}: there is no module {module!r}")
        file = Path(spec.origin)
    return {"kind": "factory", "path": f"{module}:{function}", "sha256": file_checksum(file), "function": function}, ()


def make_from_factory(place: str) -> Scorer:
    """Call the function that ``"module:function"`` or ``"file.py:function"`` names."""
    module_name, _, function = place.rpartition(":")
    if module_name.endswith(".py"):
        spec = importlib.util.spec_from_file_location(Path(module_name).stem, module_name)
        if spec is None or spec.loader is None:
            raise ConfigError(f"scorer {place!r}: not a Python file")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(module_name)
    make: Callable[[], Scorer] | None = getattr(module, function, None)
    if make is None:
        raise ConfigError(f"scorer {place!r}: {module_name} has no {function!r}")
    scorer = make()
    if not isinstance(scorer, Scorer):
        raise ConfigError(f"scorer {place!r}: {function}() gave a {type(scorer).__name__}, which has no score()")
    return scorer


def _words(scorer: Scorer) -> str:
    terms = getattr(scorer, "terms", None)
    return ", ".join(term.name for term in terms) if terms else type(scorer).__name__


def _object_checksum(scorer: Scorer) -> str:
    """A hash of what can be seen of an object: enough to refuse most changed scorers, not a proof that two are equal."""
    digest = hashlib.sha256(type(scorer).__qualname__.encode())
    terms = getattr(scorer, "terms", ())
    digest.update(str(getattr(scorer, "combine", "")).encode())
    for term in terms:
        digest.update(f"{term.name}\0{term.transform!r}\0{term.weight}\0{term.filter}\0".encode())
        _digest_value(digest, term.function)
    return digest.hexdigest()


def _digest_value(digest: Any, value: Any, depth: int = 0) -> None:
    if isinstance(value, (str, int, float, bool, bytes, type(None))):
        digest.update(repr(value).encode())
    elif isinstance(value, np.ndarray):
        digest.update(value.tobytes())
    elif isinstance(value, (list, tuple)) and depth < 3:
        for entry in value:
            _digest_value(digest, entry, depth + 1)
    elif callable(value) and hasattr(value, "__code__") and depth < 3:
        digest.update(value.__code__.co_code)
        for cell in value.__closure__ or ():
            _digest_value(digest, cell.cell_contents, depth + 1)
    elif isinstance(getattr(value, "record", None), dict):  # a predictor: its record tells data, split, seed and history
        digest.update(repr(sorted(value.record.items(), key=lambda item: str(item[0]))).encode())
    else:
        digest.update(type(value).__qualname__.encode())
