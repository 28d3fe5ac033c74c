"""Text cells of a target column → float32 values, with a word for every cell that cannot be one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from drugai.contracts import Task, TaskKind
from drugai.errors import DatasetError

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})
"""Cells that mean 'not measured', in lower case."""

_CENSORED = re.compile(r"^\s*(?:[<>≤≥~]=?|=[<>])\s*[-+.\d]")
_NUMBER = re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")
_WORDS = {"true": 1.0, "false": 0.0}
SHOWN = 10
"""Cells named in an error."""


def _nm_to_px(values: np.ndarray) -> np.ndarray:
    """Concentration [nM] → -log10 of it in mol/L."""
    return 9.0 - np.log10(values)


TRANSFORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"nM_to_pX": _nm_to_px}


def is_missing(cell: str) -> bool:
    """True for a cell that means 'not measured'."""
    return cell.strip().lower() in MISSING


def is_numeric(cells: Sequence[str]) -> bool:
    """True where every cell that is not missing is a number and there is one. ``00123`` is no number but an id."""
    seen = False
    for cell in cells:
        text = cell.strip()
        if text.lower() in MISSING:
            continue
        if not _NUMBER.match(text) or _padded(text):
            return False
        seen = True
    return seen


def parse_values(cells: Sequence[str], places: Sequence[str], column: str, *, classes: Sequence[str] = (), transform: str = "") -> np.ndarray:
    """Values of a target column, ``[n]`` float32, NaN where the cell says 'not measured'.

    Args:
        cells: n texts.
        places: n places for the errors, ``mine.csv line 17``.
        column: Name of the column.
        classes: Texts of class 0, 1, … where the column holds words.
        transform: A name in ``TRANSFORMS``, applied to the numbers.

    Raises:
        DatasetError: cells that are neither numbers nor missing; up to ten are named. A censored value (``>10``) has an error of its own.
    """
    by_word = {word: float(number) for number, word in enumerate(classes)} if classes else _WORDS
    values = np.full(len(cells), np.nan, dtype=np.float64)
    censored: list[int] = []
    bad: list[int] = []
    for row, cell in enumerate(cells):
        text = cell.strip()
        if text in by_word or text.lower() in by_word:
            values[row] = by_word[text if text in by_word else text.lower()]
        elif text.lower() in MISSING:
            continue
        elif _NUMBER.match(text) and not classes:
            values[row] = float(text)
        elif _CENSORED.match(text):
            censored.append(row)
        else:
            bad.append(row)
    if bad:
        wanted = f"one of {', '.join(classes)}" if classes else "a number"
        raise DatasetError(f"column {column!r}: {_named(bad, cells, places)} is not {wanted}; fix the cells, empty them, or take another column")
    if censored:
        raise DatasetError(
            f"column {column!r}: {_named(censored, cells, places)} is a bound and not a value (censored); leave these rows out or empty the cells"
        )
    if transform:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = TRANSFORMS[transform](values)
    with np.errstate(over="ignore"):
        out = values.astype(np.float32)
    infinite = np.flatnonzero(np.isinf(out)).tolist()
    if infinite:
        raise DatasetError(f"column {column!r}: {_named(infinite, cells, places)} has no finite value; fix or empty the cells")
    return out


def infer_task(name: str, values: np.ndarray, kind: TaskKind | None = None) -> Task:
    """The Task of a column: binary where its values are 0 and 1, else regression, unless ``kind`` says so.

    Raises:
        DatasetError: nothing was measured, all values are equal, or the values are not classes of the ``kind`` asked for.
    """
    known = np.unique(values[~np.isnan(values)])
    if known.size == 0:
        raise DatasetError(f"column {name!r} has no value at all (all {values.size} cells are missing); take another column as target")
    if known.size == 1:
        raise DatasetError(f"column {name!r} is constant: every value is {known[0]:g}; nothing can be learnt from it, take another column as target")
    chosen: TaskKind = kind or ("binary" if known.tolist() == [0.0, 1.0] else "regression")
    if chosen == "binary" and known.tolist() != [0.0, 1.0]:
        raise DatasetError(f"column {name!r} was to be binary, but its values are {_few(known)}; classes are 0 and 1")
    if chosen == "multiclass":
        if (known != np.round(known)).any() or known[0] < 0:
            raise DatasetError(f"column {name!r} was to be multiclass, but its values are {_few(known)}; classes are 0, 1, 2, …")
        return Task(name, chosen, "", max(int(known[-1]) + 1, 2))
    return Task(name, chosen)


def _padded(text: str) -> bool:
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()


def _few(values: np.ndarray) -> str:
    return ", ".join(f"{value:g}" for value in values[:5]) + (f" and {values.size - 5} more" if values.size > 5 else "")


def _named(rows: list[int], cells: Sequence[str], places: Sequence[str]) -> str:
    shown = "; ".join(f"{places[row]}: {cells[row].strip()[:40]!r}" for row in rows[:SHOWN])
    return shown + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")
