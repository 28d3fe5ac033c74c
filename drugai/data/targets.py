"""Text cells of a target column → float32 values, with a word for every cell that cannot be one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from drugai.contracts import Task, TaskKind
from drugai.errors import DatasetError

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})
"""Cells that mean 'not measured', in lower case."""

_CENSORED = re.compile(r"^\s*(?:[<>≤≥~]=?|=[<>])\s*[-+.\d]")
_NUMBER = re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")
_COMMA = re.compile(r"^[<>≤≥~= ]*[-+]?(?P<before>\d+)(?:,(?P<after>\d+))?(?:[eE][-+]?\d+)?$")
_WITH_UNIT = re.compile(r"^[<>=~ ]*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*([µμa-zA-Z%°][\w/%^·.µμ-]*)$")
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


def read_commas(cells: Sequence[str]) -> list[str] | None:
    """The cells with decimal commas turned into points, as spreadsheets of many countries write them; None where the column is not written so.

    A column is if more than half of the cells that are not missing are whole numbers or numbers with a comma, none has a point, and a comma stands somewhere that no separator of
    thousands could. ``1,234`` and ``5,678`` alone may be either and are left as they are, as are cells that are no numbers: :func:`parse_values` names them.
    """
    if not any("," in cell for cell in cells):
        return None
    texts = [text for cell in cells if (text := cell.strip()).lower() not in MISSING]
    found = [match for text in texts if (match := _COMMA.match(text))]
    plain = any(len(match["after"]) != 3 or len(match["before"]) > 3 or match["before"] == "0" for match in found if match["after"])
    if not plain or 2 * len(found) <= len(texts) or any(_NUMBER.match(text) and "." in text for text in texts):
        return None
    return [cell.replace(",", ".") if _COMMA.match(cell.strip()) else cell for cell in cells]


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


def is_nearly_numeric(cells: Sequence[str]) -> bool:
    """True where more than half of the cells that are not missing are numbers or bounds (``>10``) and none is an id like ``00123``: a target with some cells to mend."""
    texts = [text for cell in cells if (text := cell.strip()).lower() not in MISSING]
    good = sum(bool(_NUMBER.match(text) or _CENSORED.match(text)) for text in texts)
    return 2 * good > len(texts) and not any(_padded(text) for text in texts)


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
            f"column {column!r}: {_named(censored, cells, places)} is a bound and not a value (censored); "
            "learn from it as a bound (censored='bounds', --censored bounds), leave it out (censored='drop', --censored drop), or edit the cells"
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


def check_units(column: str, cells: Sequence[str], places: Sequence[str], others: Mapping[str, Sequence[str]]) -> None:
    """Refuse a target whose rows carry different units: in a column beside it, or in its own cells.

    A column of units is one named ``<target> units``, ``<target>_unit`` and the like, or ``units`` and ``standard_units`` alone.

    Raises:
        DatasetError: Two or more units among the rows with a value; up to ten rows are named.
    """
    plain = {name: re.sub(r"[^a-z0-9]", "", name.lower()) for name in [column, *others]}
    wanted = {f"{plain[column]}unit", f"{plain[column]}units", "unit", "units", "standardunit", "standardunits"}
    for name, beside in others.items():
        if plain[name] in wanted:
            rows = {row: beside[row].strip() for row, cell in enumerate(cells) if not is_missing(cell) and beside[row].strip()}
            _one_unit(column, f"column {name!r}", rows, places)
    inside = {row: found[1] for row, cell in enumerate(cells) if (found := _WITH_UNIT.match(cell.strip()))}
    if inside and len(inside) < len(cells):
        inside |= {row: "" for row, cell in enumerate(cells) if _NUMBER.match(cell.strip())}
    if inside:
        _one_unit(column, "its cells", inside, places)


def _one_unit(column: str, where: str, rows: Mapping[int, str], places: Sequence[str]) -> None:
    kinds = sorted(set(rows.values()))
    if len(kinds) > 1:
        most = max(kinds, key=list(rows.values()).count)
        odd = [row for row, unit in rows.items() if unit != most]
        shown = "; ".join(f"{places[row]}: {rows[row] or 'none'!r}" for row in odd[:SHOWN]) + (f" and {len(odd) - SHOWN} more" if len(odd) > SHOWN else "")
        raise DatasetError(f"column {column!r} has mixed units by {where}: most are {most or 'none'!r}, but {shown}; convert them to one unit (`drugai data curate` does it for ChEMBL exports)")


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
