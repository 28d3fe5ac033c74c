"""Dataset cards: what a data set is, where its files are, and which column is which task.

A card is ``datasets/<name>/dataset.toml``: data, never code. It names the files (path, sha256, URL or package), the SMILES and id columns, the tasks
with kind and unit, the licence and citation, the recommended split and metric, and the problems known. :mod:`drugai.data.reading` reads it into a Dataset.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from drugai.contracts import Task, TaskKind
from drugai.errors import DatasetError, nearest, unknown

EVERY_OTHER_COLUMN = "*"
"""A task of this name stands for every column that the card does not name otherwise (ToxCast has 617 of them)."""


@dataclass(frozen=True)
class CardFile:
    """One file of a data set."""

    path: str
    """Path under a data folder (``DRUGAI_DATA``), or inside ``package``."""
    sha256: str
    bytes: int = 0
    rows: int = 0
    url: str = ""
    """Where to download it, pinned to a commit; empty for a file that a package carries."""
    package: str = ""
    """Python package that carries it; ``rdkit:data`` and ``rdkit:contrib`` are RDKit's own folders."""
    format: str = ""
    """``csv``, ``tsv`` or ``smi`` where the extension does not say."""
    header: tuple[str, ...] = ()
    """Column names of a file whose first line is already a record."""
    join: str = ""
    """Name of the column by which this file's columns are looked up for the rows of the first file."""
    set: Mapping[str, str] = field(default_factory=dict)
    """Constant columns of this file's rows: the part, the target, active or decoy."""


@dataclass(frozen=True)
class CardTask:
    """One target column: its name as a Task, its column in the file, and how text becomes a number."""

    name: str
    column: str
    kind: TaskKind = "regression"
    unit: str = ""
    classes: tuple[str, ...] = ()
    """Texts of class 0, 1, … where the column holds words."""
    transform: str = ""
    """Name of a transform in :mod:`drugai.data.targets`, e.g. ``nM_to_pX``."""

    @property
    def task(self) -> Task:
        """The contract's Task."""
        return Task(self.name, self.kind, self.unit, len(self.classes) if self.kind == "multiclass" else 0)


@dataclass(frozen=True)
class Card:
    """All that is known about one data set before it is read."""

    name: str
    title: str
    group: str
    rows: int
    licence: str
    files: tuple[CardFile, ...]
    citation: tuple[str, ...]
    tasks: tuple[CardTask, ...] = ()
    task_count: int = 0
    smiles: str = "smiles"
    ids: str = ""
    columns: tuple[str, ...] = ()
    """Further columns that are kept: a split, a cluster, a date."""
    where: Mapping[str, str] = field(default_factory=dict)
    """Rows are kept only where these columns hold these texts (``standard_relation = "="`` leaves censored values out)."""
    split: str = "scaffold"
    metric: str = ""
    problems: tuple[str, ...] = ()
    licence_note: str = ""
    source: str = ""

    @property
    def bytes(self) -> int:
        """Size of all files [bytes]."""
        return sum(file.bytes for file in self.files)


def find_cards() -> Path:
    """The folder of cards: ``drugai/_datasets`` in an installed wheel, else ``datasets/`` of the source tree.

    Raises:
        DatasetError: neither is there.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_datasets", package.parent / "datasets"):
        if folder.is_dir():
            return folder
    raise DatasetError(f"no dataset cards beside the package at {package}; install drugai again")


def read_card(path: str | Path) -> Card:
    """Read one ``dataset.toml``.

    Raises:
        DatasetError: not TOML, an unknown key (the nearest legal one is named), a missing one, or a wrong kind of task.
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DatasetError(f"card {path}: cannot be read ({error})") from error
    files = tuple(_build(CardFile, entry, f"card {path}: [[file]]") for entry in data.pop("file", []))
    tasks = tuple(_build(CardTask, entry, f"card {path}: [[task]]") for entry in data.pop("task", []))
    if not files:
        raise DatasetError(f"card {path}: names no [[file]]; a card needs one")
    data.setdefault("task_count", len(tasks))
    card: Card = _build(Card, {**data, "files": files, "tasks": tasks}, f"card {path}")
    for task in tasks:
        if task.name != EVERY_OTHER_COLUMN:
            _ = task.task  # a wrong kind is refused here and not when the data is read
    return card


@cache
def cards() -> Mapping[str, Card]:
    """Every card that comes with drugai, by name, in alphabetical order."""
    found = [read_card(path) for path in sorted(find_cards().glob("*/dataset.toml"))]
    return MappingProxyType({card.name: card for card in found})


def card(name: str) -> Card:
    """The card of a data set.

    Raises:
        DatasetError: there is none; the nearest name is given.

    Example:
        >>> card("esol").tasks[0].unit
        'log mol/L'
    """
    known = cards()
    if name in known:
        return known[name]
    near = nearest(name, known)
    if near is None:
        raise DatasetError(f"unknown data set {name!r}; `drugai data list` shows the {len(known)} cards")
    raise DatasetError(f"unknown data set {name!r}; did you mean {near!r}? `drugai data list` shows the {len(known)} cards")


def _build(kind: type, entry: Mapping[str, Any], where: str) -> Any:
    """A frozen dataclass from a TOML table; lists become tuples, and no key is ignored."""
    names = [one.name for one in fields(kind)]
    for key in entry:
        if key not in names:
            raise DatasetError(f"{where}: {unknown('key', key, names, DatasetError)}")
    try:
        return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()})
    except TypeError as error:
        raise DatasetError(f"{where}: {error}") from error
