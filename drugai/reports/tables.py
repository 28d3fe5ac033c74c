"""Rows of a page: columns of numbers, bars and texts, and structures, as the JSON that the page's script draws from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from drugai.errors import DatasetError
from drugai.reports.page import pretty_unit
from drugai.reports.structures import SIZE, Paths


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a table.

    Attributes:
        label: Its head.
        values: n numbers (NaN: missing) or n texts.
        unit: Shown beside the head.
        help: What it means, shown on the head.
        score: ``[n]`` in [0, 1], drawn as a bar under the number.
        std, lower, upper: ``[n]`` uncertainty, shown beside the number.
        doubtful: ``[n]`` whether a value is outside the domain of the model: shown as such.
        digits: Digits after the point; None: three significant ones.
        hidden: Shown only in a row's details.
        ascending: The first click on the head sorts the least first (a rank); numbers are otherwise sorted greatest first, texts by alphabet.
    """

    label: str
    values: Sequence[Any] | np.ndarray
    unit: str = ""
    help: str = ""
    score: np.ndarray | None = None
    std: np.ndarray | None = None
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    doubtful: np.ndarray | None = None
    digits: int | None = None
    hidden: bool = False
    ascending: bool = False

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return isinstance(self.values, np.ndarray) and self.values.dtype.kind in "iuf"

    def payload(self) -> dict[str, Any]:
        """What the script needs of it; numbers to five significant digits, missing ones null."""
        out: dict[str, Any] = {"label": self.label, "unit": pretty_unit(self.unit), "help": self.help, "hidden": self.hidden, "ascending": self.ascending or not self.numeric}
        out["digits"] = 0 if self.numeric and np.asarray(self.values).dtype.kind in "iu" else self.digits
        out["kind"] = "number" if self.numeric else "text"
        out["values"] = rounded(self.values) if self.numeric else [str(value) for value in self.values]
        for name in ("score", "std", "lower", "upper"):
            values = getattr(self, name)
            if values is not None:
                out[name] = rounded(values)
        if self.doubtful is not None and self.doubtful.any():
            out["doubtful"] = [int(row) for row in np.flatnonzero(self.doubtful)]
        return out


@dataclass(frozen=True, eq=False)
class RowTable:
    """n rows for a page, in their order.

    Attributes:
        name: What one row is, in the plural: ``hits``.
        smiles: n SMILES.
        columns: Of n values each.
        structures: Drawings of the first rows; the rest are shown as SMILES.
        groups: Label → n texts: a switch that shows only the first row of each group (``scaffold``). ``""`` is a group of its own each time.
    """

    name: str
    smiles: Sequence[str]
    columns: Sequence[Column]
    structures: Sequence[Paths | None] = ()
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.smiles)
        wrong = [f"{column.label}: {len(column.values)}" for column in self.columns if len(column.values) != n]
        wrong += [f"{label}: {len(values)}" for label, values in self.groups.items() if len(values) != n]
        if wrong:
            raise DatasetError(f"a table of {n} rows needs {n} values a column; got {', '.join(wrong)}")

    def __len__(self) -> int:
        return len(self.smiles)

    def payload(self) -> dict[str, Any]:
        """Plain values for the page; jinja's ``tojson`` escapes them for a script element."""
        return {
            "name": self.name,
            "size": list(SIZE),
            "smiles": list(self.smiles),
            "structures": list(self.structures),
            "columns": [column.payload() for column in self.columns],
            "groups": {label: _numbered(values) for label, values in self.groups.items()},
        }

    def first(self, n: int) -> list[list[str]]:
        """The first rows as texts, for readers without scripts: SMILES, then the columns."""
        shown = [column.payload()["values"][:n] for column in self.columns]
        return [[smi, *(("–" if value is None else str(value)) for value in row)] for smi, *row in zip(self.smiles[:n], *shown, strict=True)]


def rounded(values: Sequence[float] | np.ndarray) -> list[float | int | None]:
    """Numbers as JSON can hold them: five significant digits, whole ones whole, NaN and infinity null."""
    array = np.asarray(values)
    if array.dtype.kind in "iu":
        return [int(value) for value in array]
    return [float(f"{value:.5g}") if math.isfinite(value) else None for value in array.astype(float).tolist()]


def _numbered(values: Sequence[str]) -> list[int]:
    """Equal texts get equal numbers; an empty text is unlike every other."""
    seen: dict[str, int] = {}
    out = []
    for row, text in enumerate(values):
        out.append(seen.setdefault(text, row) if text else row)
    return out
