"""How Predictions, Hits and what an optimisation found show themselves in a notebook: a table with structures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from drugai.contracts import Predictions
from drugai.errors import DatasetError
from drugai.generation.optimization import Optimization
from drugai.reports.page import environment
from drugai.reports.structures import draw_paths, to_svg
from drugai.screening.hits import Hits

ROWS = 25


def to_html(found: Predictions | Hits | Optimization, smiles: Sequence[str] | None = None, *, rows: int = ROWS) -> str:
    """A table of the first rows as HTML, every text escaped; structures where SMILES are known.

    Args:
        found: Predictions (give their SMILES to see structures), Hits, or what :func:`drugai.optimize` returned (the best candidates are shown).
        smiles: n SMILES of the predictions.
        rows: Rows shown.
    """
    n = len(found)
    if isinstance(found, Optimization):
        table = found.table(rows)
        smiles = table["smiles"]
        columns: dict[str, Any] = {"rank": [float(place) for place in range(1, len(smiles) + 1)], **{name: table[name] for name in table if name not in ("smiles", "reason")}}
    elif isinstance(found, Hits):
        smiles = found.smiles
        names = ["rank", "id", "total", *(entry["name"] for entry in found.summary["terms"])]
        columns = {name: list(found.table[name][:rows]) for name in dict.fromkeys(names) if name in found.table}
    else:
        if smiles is not None and len(smiles) != n:
            raise DatasetError(f"{len(smiles)} SMILES for {n} predictions; give the ones that were predicted")
        units = {task.name: task.label for task in found.tasks}
        columns = {units.get(name, name): list(values[:rows]) for name, values in found.to_columns().items() if name != "reason" or any(found.reasons)}
    shown = list(smiles[:rows]) if smiles is not None else []
    structures = [to_svg(draw_paths(smi), smi) or smi for smi in shown]
    cells = [[_text(values[row]) for values in columns.values()] for row in range(min(n, rows))]
    return environment().get_template("cell.html").render(names=list(columns), cells=cells, structures=structures, n=n, rows=min(n, rows))


@dataclass(frozen=True)
class Shown:
    """A table that a notebook shows as HTML, and anything else as a sentence."""

    html: str
    words: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.words


def show(found: Predictions | Hits | Optimization, smiles: Sequence[str] | None = None, *, rows: int = ROWS) -> Shown:
    """Results as the value of a notebook's cell, with structures; see :func:`to_html`.

    Example:
        >>> show(model.predict(smiles, level=0.9), smiles)    # doctest: +SKIP
    """
    return Shown(to_html(found, smiles, rows=rows), f"{type(found).__name__} of {len(found):,} rows; a notebook shows them as a table")


def show_in_notebooks(ipython: Any = None) -> None:
    """Register :func:`to_html` with the running IPython; does nothing outside of one."""
    if ipython is None:
        try:
            from IPython import get_ipython
        except ImportError:
            return
        ipython = get_ipython()
    if ipython is None:
        return
    formatter = ipython.display_formatter.formatters["text/html"]
    formatter.for_type(Predictions, to_html)
    formatter.for_type(Hits, to_html)
    formatter.for_type(Optimization, to_html)


def _text(value: Any) -> str | Markup:
    if isinstance(value, str):
        return value
    number = float(value)
    if not math.isfinite(number):
        return "–"
    return f"{number:.0f}" if number == int(number) and abs(number) >= 1 else f"{number:.3g}"
