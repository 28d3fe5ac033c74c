"""What a run does, as plain values: two runs with equal plans give the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from drugai.artifact import file_checksum, versions
from drugai.errors import ArtifactError
from drugai.molecules import Caps

FORMAT = 1
CHUNK = 4096
"""Molecules that are scored together; part of the plan, since a network's last bits depend on the batch."""

# what a result depends on: the rooms that compute it and the part of this room that writes it
_CODE = ("errors.py", "contracts.py", "molecules", "featurizers", "scoring", "models", "predictors", "screening/cascade.py", "screening/scorers.py", "screening/shard.py", "screening/graph_shard.py")
_VERSIONS = ("drugai", "rdkit", "torch", "numpy", "lightgbm")


@dataclass(frozen=True)
class Library:
    """The input file: where it is, what it is (checksum), and its columns."""

    path: str
    name: str
    kind: str
    sha256: str
    bytes: int
    records: int
    smiles: str | None = None
    ids: str | None = None


@dataclass(frozen=True)
class Column:
    """One column of the shards: its role, and the term, task, unit and model that it belongs to (see the room's docstring)."""

    name: str
    role: str
    term: str = ""
    task: str = ""
    unit: str = ""
    model: int = -1
    key: str = ""


@dataclass(frozen=True)
class Plan:
    """Everything that decides the rows of a run.

    Attributes:
        library: The input.
        scorer: What a worker rebuilds the scorer from, with its sha256 (:mod:`drugai.screening.specification`).
        models: Path and sha256 of every model that the scorer uses.
        caps, trusted: How the SMILES are read.
        shard_size, chunk: Records a shard and molecules scored together.
        keep: Columns of the library that are carried over.
        precision, device: As asked; as decided once :attr:`columns` is filled.
        center, scale: Of the score when a regression model ranks alone.
        code: sha256 of drugai's code and the versions of what it calls.
        columns: Of the shards; empty until a worker has decided them.
        thresholds: Of a cascade's stages, decided on the library's first records.
        graphs: Path and sha256 of a store with the library's graphs, or None; the rows are the same with and without it.
    """

    library: Library
    scorer: dict[str, Any]
    models: tuple[dict[str, str], ...] = ()
    caps: Caps = field(default_factory=Caps)
    trusted: bool = False
    shard_size: int = 100_000
    chunk: int = CHUNK
    keep: tuple[str, ...] = ()
    precision: str = "auto"
    device: str = "auto"
    center: float = 0.0
    scale: float = 1.0
    code: dict[str, Any] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    thresholds: tuple[float | None, ...] = ()
    graphs: dict[str, str] | None = None

    @property
    def decided(self) -> bool:
        """Whether precision, center, scale and columns stand."""
        return bool(self.columns)

    @property
    def n_shards(self) -> int:
        """Shards of the library."""
        return -(-self.library.records // self.shard_size)

    @property
    def checksum(self) -> str:
        """Identity of the decided plan, which each shard's manifest row carries; the paths of the files do not count."""
        values = self.to_dict()
        for entry in (values["library"], values["scorer"], *values["models"]):
            entry.pop("path", None)
        values["library"].pop("name")
        values.pop("graphs")
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    def decide(self, found: Mapping[str, Any]) -> Plan:
        """The plan with what was decided: precision, device, center, scale, columns (as JSON gives them)."""
        columns = tuple(Column(**entry) for entry in found["columns"])
        thresholds = tuple(found.get("thresholds", ()))
        return replace(
            self, precision=found["precision"], device=found["device"], center=found["center"], scale=found["scale"], columns=columns, thresholds=thresholds
        )

    def decision(self) -> dict[str, Any]:
        """What :meth:`decide` takes."""
        values = self.to_dict()
        return {name: values[name] for name in ("precision", "device", "center", "scale", "columns", "thresholds")}

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        values: dict[str, Any] = {"format": FORMAT, **json.loads(json.dumps(asdict(self)))}
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "plan") -> Plan:
        """From :meth:`to_dict`, also after JSON.

        Raises:
            ArtifactError: A later format, or not a plan.
        """
        if int(values.get("format", 0)) > FORMAT:
            raise ArtifactError(f"{where}: format {values['format']} is newer than this drugai reads ({FORMAT}); upgrade drugai")
        own = {entry.name for entry in fields(cls)}
        try:
            given = {key: value for key, value in values.items() if key in own}
            given["library"] = Library(**given["library"])
            given["caps"] = Caps(**given["caps"])
            given["columns"] = tuple(Column(**entry) for entry in given["columns"])
            given["models"], given["keep"], given["thresholds"] = tuple(given["models"]), tuple(given["keep"]), tuple(given.get("thresholds", ()))
            return cls(**given)
        except (KeyError, TypeError) as error:
            raise ArtifactError(f"{where}: damaged or no plan of a run ({error}); use another folder") from None


def differences(old: Plan, new: Plan) -> list[str]:
    """In words, what of ``new`` would give other rows than ``old``; what ``new`` leaves to be decided does not count."""
    found = []

    def compare(what: str, before: Any, after: Any) -> None:
        if before != after:
            found.append(f"{what} ({_short(before)} → {_short(after)})")

    compare("the library's content", old.library.sha256, new.library.sha256)
    compare("the SMILES column", old.library.smiles, new.library.smiles)
    compare("the id column", old.library.ids, new.library.ids)
    for name, what in (("kind", "the kind of scorer"), ("task", "the task"), ("direction", "the direction"), ("filters", "the filters")):
        compare(what, old.scorer.get(name), new.scorer.get(name))
    if old.scorer.get("kind") != "model":
        compare("the scorer", old.scorer.get("sha256"), new.scorer.get("sha256"))
    compare("the model", [entry["sha256"] for entry in old.models], [entry["sha256"] for entry in new.models])
    for name in ("caps", "trusted", "shard_size", "chunk", "keep"):
        compare(name, getattr(old, name), getattr(new, name))
    for name in ("precision", "device"):
        if getattr(new, name) != "auto":
            compare(name, getattr(old, name), getattr(new, name))
    compare("versions", _changed(old, new), _changed(new, old))
    compare("drugai's code", old.code.get("sha256"), new.code.get("sha256"))
    return found


def _changed(plan: Plan, other: Plan) -> dict[str, str]:
    own, its = plan.code.get("versions", {}), other.code.get("versions", {})
    return {name: own.get(name, "none") for name in sorted({*own, *its}) if own.get(name) != its.get(name)}


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)) and value:
        return ", ".join(_short(entry) for entry in value)
    text = str(value)
    return text[:12] + "…" if len(text) == 64 and text.isalnum() else text


@cache
def code_identity() -> tuple[str, tuple[tuple[str, str], ...]]:
    """sha256 of the code that decides a result, and the versions of what it calls."""
    root = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for name in _CODE:
        place = root / name
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(f"{file.relative_to(root)}\0{file_checksum(file)}\n".encode())
    found = versions()
    return digest.hexdigest(), tuple((name, found[name]) for name in _VERSIONS if name in found)
