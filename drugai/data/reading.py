"""A card's name or a file → Dataset.

Of a file of one's own, the SMILES and id columns are inferred by name and the target only where exactly one numeric column is left; what was inferred
stands in the notes and in the log. Row law: n records give n rows, the unreadable ones too, unless ``on_invalid="drop"`` is asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from drugai.catalogue import lookup
from drugai.contracts import Dataset, Task, TaskKind
from drugai.data.bounds import CHOICES, bound_names, take_bounds
from drugai.data.dataset_card import EVERY_OTHER_COLUMN, Card, CardTask, card, cards
from drugai.data.tables import TextTable, read_any_table, read_card_table, require
from drugai.data.targets import check_units, infer_task, is_missing, is_nearly_numeric, is_numeric, parse_values, read_commas
from drugai.errors import ConfigError, DatasetError, nearest

log = logging.getLogger(__name__)

OnInvalid = Literal["keep", "drop", "raise"]


@dataclass(frozen=True)
class RejectedRow:
    """A row that was left out: its place in the file, its SMILES as written, and the reason."""

    place: str
    smiles: str
    reason: str


@dataclass(frozen=True)
class ReadResult:
    """A Dataset, the rows that were left out, and what was inferred."""

    dataset: Dataset
    rejected: tuple[RejectedRow, ...] = ()
    notes: tuple[str, ...] = ()


def read_dataset(
    name_or_path: str | Path,
    *,
    smiles: str | None = None,
    targets: Sequence[str] | None = None,
    ids: str | None = None,
    kinds: Mapping[str, TaskKind] | None = None,
    on_invalid: OnInvalid = "keep",
    censored: str = "refuse",
) -> Dataset:
    """Read the data set of a card, or a file (CSV, TSV, SMILES, SDF, Parquet, gzipped or not).

    Args:
        name_or_path: A card's name (``esol``) or a path.
        smiles: SMILES column of a file; inferred by its name if not given.
        targets: Target columns of a file or task names of a card; an empty list reads molecules alone. Not given: all tasks of the card, or the one
            numeric column that is left in the file.
        ids: Id column of a file; inferred by its name if not given.
        kinds: Kind of a target where the values mislead: ``{"stage": "multiclass"}``.
        on_invalid: What becomes of rows whose SMILES cannot be read: ``keep`` (they stay, and no split places them), ``drop``
            (:func:`read_dataset_with_rejected` also returns them) or ``raise``.
        censored: What becomes of ``>10`` and ``<0.1`` in a target of a file: ``refuse`` (an error names the rows), ``bounds`` (no value, but a bound that
            models with a bounded loss learn from; see :mod:`drugai.data.bounds`) or ``drop`` (no value at all).

    Returns:
        The Dataset; columns that are no target are kept in ``columns``.

    Raises:
        DatasetError: no such card, file or column; text, bounds or nothing at all in a target column; unreadable SMILES with ``raise``.

    Example:
        >>> read_dataset("chembl2321810").tasks[0].label
        'pActivity [-log10 M]'
    """
    return read_dataset_with_rejected(name_or_path, smiles=smiles, targets=targets, ids=ids, kinds=kinds, on_invalid=on_invalid, censored=censored).dataset


def read_csv(
    path: str | Path,
    *,
    smiles: str | None = None,
    targets: Sequence[str] | None = None,
    ids: str | None = None,
    kinds: Mapping[str, TaskKind] | None = None,
    on_invalid: OnInvalid = "keep",
    censored: str = "refuse",
) -> Dataset:
    """Read a file of one's own, never a card: :func:`read_dataset` of a path."""
    return read_dataset(Path(path), smiles=smiles, targets=targets, ids=ids, kinds=kinds, on_invalid=on_invalid, censored=censored)


def read_dataset_with_rejected(
    name_or_path: str | Path,
    *,
    smiles: str | None = None,
    targets: Sequence[str] | None = None,
    ids: str | None = None,
    kinds: Mapping[str, TaskKind] | None = None,
    on_invalid: OnInvalid = "keep",
    censored: str = "refuse",
) -> ReadResult:
    """As :func:`read_dataset`, with the rows that were dropped and notes on what was inferred."""
    if on_invalid not in ("keep", "drop", "raise"):
        raise ConfigError(f"on_invalid is keep, drop or raise, got {on_invalid!r}")
    if censored not in CHOICES:
        raise ConfigError(f"censored is {', '.join(CHOICES)}, got {censored!r}")
    if isinstance(targets, str):
        raise ConfigError(f"targets is a list of column names, got the text {targets!r}; write [{targets!r}]")
    found = _find(name_or_path)
    places: Sequence[str]
    notes: tuple[str, ...] = ()
    if isinstance(found, Dataset):
        data = found if targets is None else found.select(targets)
        places, damaged = [f"row {row}" for row in range(len(data))], {}
    elif isinstance(found, Card):
        if smiles is not None or ids is not None or kinds:
            raise ConfigError(f"the card {found.name!r} states its SMILES, ids and kinds; give these for a file of your own")
        data, table = _from_card(found, targets)
        places, damaged = table.places, table.reasons
    else:
        data, table, notes = _from_file(found, smiles, targets, ids, kinds or {}, censored)
        places, damaged = table.places, table.reasons
    for note in notes:
        log.info("%s: %s", data.name, note)
    if damaged:
        row, why = next(iter(damaged.items()))
        log.warning("%s: %d records are damaged and carry no values (first: %s, %s)", data.name, len(damaged), places[row], why)
    if on_invalid == "keep":
        return ReadResult(data, (), notes)
    return _without_invalid(data, places, damaged, on_invalid, notes)


def _find(name_or_path: str | Path) -> Card | Dataset | Path:
    """The registered data set, card or file that is meant; a file in the working folder does not hide a card."""
    if isinstance(name_or_path, str):
        known = cards()
        if name_or_path in known:
            return known[name_or_path]
        path = Path(name_or_path)
        if not path.exists():
            try:
                made = lookup("dataset", name_or_path, {})()
            except ConfigError:
                pass  # not registered either; the errors below know more names
            else:
                if not isinstance(made, Dataset):
                    raise ConfigError(f"the registered data set {name_or_path!r} gave {type(made).__name__}, not a Dataset")
                return made
            if not path.suffix and path.name == name_or_path:
                return card(name_or_path)  # raises, with the nearest name
    path = Path(name_or_path)
    if not path.is_file():
        near = nearest(path.name, [other.name for other in path.parent.iterdir()]) if path.parent.is_dir() else None
        hint = f"; did you mean {near!r}?" if near else ""
        raise DatasetError(f"{path}: {'is a folder and no file' if path.is_dir() else 'no such file'}{hint}")
    return path


def _from_card(found: Card, targets: Sequence[str] | None) -> tuple[Dataset, TextTable]:
    if not found.smiles:
        raise DatasetError(f"{found.name!r} is a table without molecules; `drugai data path {found.name}` gives the file")
    table = read_card_table(found)
    smiles = [text.strip() for text in require(table, found.smiles, found.name)]
    names = _card_tasks(found, table)
    if targets is not None:
        known = [task.name for task in names]
        for target in targets:
            if target not in known:
                near = nearest(target, known)
                hint = f"; did you mean {near!r}?" if near else ""
                raise DatasetError(f"{found.name!r} has no task {target!r}{hint}; its tasks are {', '.join(known[:30]) or 'none'}")
        names = [names[known.index(target)] for target in targets]
    values = [
        parse_values(require(table, task.column, found.name), table.places, task.column, classes=task.classes, transform=task.transform) for task in names
    ]
    kept = {name: require(table, name, found.name) for name in found.columns}
    kept.update({name: table.columns[name] for file in found.files for name in file.set if name not in [task.column for task in found.tasks]})
    ids = tuple(table.columns[found.ids]) if found.ids else ()
    return _assemble(found.name, smiles, values, [task.task for task in names], ids, kept), table


def _card_tasks(found: Card, table: TextTable) -> list[CardTask]:
    """The card's tasks, ``*`` written out."""
    named = {found.smiles, found.ids, *found.columns, *(task.column for task in found.tasks)}
    tasks: list[CardTask] = []
    for task in found.tasks:
        if task.name == EVERY_OTHER_COLUMN:
            tasks.extend(replace(task, name=column, column=column) for column in table.columns if column not in named)
        else:
            tasks.append(task)
    return tasks


def _from_file(
    path: Path, smiles: str | None, targets: Sequence[str] | None, ids: str | None, kinds: Mapping[str, TaskKind], censored: str = "refuse"
) -> tuple[Dataset, TextTable, tuple[str, ...]]:
    from drugai.molecules.columns import find_column, infer_id_column, infer_smiles_column

    table = read_any_table(path)
    names, notes = list(table.columns), []
    if smiles is None:
        smiles = infer_smiles_column(names)
        if smiles is None:
            raise DatasetError(f"{path.name}: no column is named like SMILES; the columns are: {', '.join(names) or 'none'}. Name it with smiles=…")
        notes.append(f"SMILES are taken from column {smiles!r}")
    smiles = find_column(smiles, names, path.name)
    if ids is None:
        ids = infer_id_column(names, smiles)
        if ids is not None and targets is not None and ids in targets:
            ids = None
        elif ids is not None:
            notes.append(f"ids are taken from column {ids!r}")
    else:
        ids = find_column(ids, names, path.name)
    others = [name for name in names if name not in (smiles, ids)]
    written = {name: table.target(name) for name in others}
    commas = {name: cells for name in others if (cells := read_commas(written[name])) is not None}
    written |= commas
    taken = {name: take_bounds(cells) for name, cells in written.items()} if censored != "refuse" else {}
    numeric = [name for name in others if is_numeric(taken[name][0] if taken else written[name])]
    if targets is None:
        targets = [_only_target(path, written, numeric, table)]
        notes.append(f"the target is column {targets[0]!r}, the only numeric one left")
    columns = [find_column(target, names, path.name) for target in targets]
    values, tasks = [], []
    for column in columns:
        if column == smiles:
            raise DatasetError(f"{path.name}: column {column!r} holds the SMILES and cannot be a target")
        if column in commas:
            notes.append(f"target {column!r}: decimal commas are read as points")
        cells = written[column] if column in written else table.target(column)
        check_units(column, cells, table.places, {name: table.columns[name] for name in others if name not in columns})
        value = parse_values(taken[column][0] if taken else cells, table.places, column)
        values.append(value)
        tasks.append(infer_task(column, value, kinds.get(column)))
        notes.append(f"target {column!r} is read as {tasks[-1].kind}")
    bounds = {column: taken[column][1:] for column in columns if taken and not np.isnan(np.stack(taken[column][1:])).all()}
    notes += [_on_bounds(column, censored, *pair) for column, pair in bounds.items()]
    kept = {name: table.columns[name] for name in others if name not in columns}
    data = _assemble(_stem(path), [text.strip() for text in table.columns[smiles]], values, tasks, tuple(table.columns[ids]) if ids else (), kept)
    if censored == "bounds" and bounds:
        further = {name: side.astype(np.float32) for column, pair in bounds.items() for name, side in zip(bound_names(column), pair, strict=True)}
        data = replace(data, columns={**data.columns, **further})
    return data, table, tuple(notes)


def _on_bounds(column: str, censored: str, lower: np.ndarray, upper: np.ndarray) -> str:
    told = f"target {column!r}: {int((~np.isnan(lower)).sum())} cells with > and {int((~np.isnan(upper)).sum())} with <"
    return f"{told} are bounds to learn from; scores rest on measured values alone" if censored == "bounds" else f"{told} are left without a value"


def _only_target(path: Path, written: Mapping[str, Sequence[str]], numeric: list[str], table: TextTable) -> str:
    # an unnamed first column of row numbers is what pandas writes beside the data
    candidates = [name for name in numeric if not (name.lower() in ("unnamed: 0", "column_1", "index") and _counts_up(table.columns[name]))]
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        # what is a target but for some cells is taken, so that the error of these cells is told, with their lines; row numbers, which are numeric throughout, are none
        nearly = [name for name, cells in written.items() if name not in numeric and is_nearly_numeric(cells)]
        if len(nearly) == 1:
            return nearly[0]
    what = f"the numeric columns are {', '.join(candidates)}" if candidates else f"no column is numeric; the columns are: {', '.join(written) or 'none'}"
    raise DatasetError(f"{path.name}: the target is not plain: {what}. Name it with targets=[…] (an empty list reads molecules alone)")


def _counts_up(cells: Sequence[str]) -> bool:
    numbers = [cell.strip() for cell in cells]
    return all(text.isdigit() for text in numbers) and all(int(b) == int(a) + 1 for a, b in pairwise(numbers))


def _assemble(
    name: str, smiles: Sequence[str], values: Sequence[np.ndarray], tasks: Sequence[Task], ids: tuple[str, ...], kept: Mapping[str, Sequence[str]]
) -> Dataset:
    y = np.stack(values, axis=1) if values else np.zeros((len(smiles), 0), dtype=np.float32)
    return Dataset(name, tuple(smiles), y, tuple(tasks), ids, {column: _as_array(cells) for column, cells in kept.items()})


def _as_array(cells: Sequence[str]) -> np.ndarray:
    """A further column: float64 where every cell is a number or missing, else the texts as they are."""
    if is_numeric(cells):
        return np.array([np.nan if is_missing(cell) else float(cell) for cell in cells])
    return np.array(cells, dtype=object)


def _stem(path: Path) -> str:
    name = path.name
    for suffix in reversed(path.suffixes[-2:]):
        name = name.removesuffix(suffix)
    return name or path.name


def _without_invalid(data: Dataset, places: Sequence[str], damaged: Mapping[int, str], on_invalid: OnInvalid, notes: tuple[str, ...]) -> ReadResult:
    from drugai.molecules.batch import MoleculeBatch

    reasons = [damaged.get(row, why) for row, why in enumerate(MoleculeBatch(data.smiles).reasons)]
    rejected = tuple(RejectedRow(places[row], data.smiles[row], why) for row, why in enumerate(reasons) if why)
    if rejected and on_invalid == "raise":
        shown = "; ".join(f"{row.place}: {row.smiles[:60]!r} ({row.reason})" for row in rejected[:10])
        more = f" and {len(rejected) - 10} more" if len(rejected) > 10 else ""
        raise DatasetError(f'{data.name}: {shown}{more} cannot be used; fix the rows or pass on_invalid="drop"')
    if rejected:
        log.warning("%s: %d of %d rows cannot be read and are dropped", data.name, len(rejected), len(data))
        data = data.take([row for row, why in enumerate(reasons) if not why])
    return ReadResult(data, rejected, notes)
