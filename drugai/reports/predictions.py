"""The page of predictions: one row a molecule with its structure, values, intervals and domain, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from drugai.contracts import Predictions
from drugai.errors import DatasetError, count_reasons
from drugai.reports.page import pretty_unit, whole, write_page
from drugai.reports.structures import draw_many, draw_paths
from drugai.reports.tables import Column, RowTable

if TYPE_CHECKING:
    from drugai.predictors.explaining import Explanation

DRAWN = 1000


def predictions_page(
    found: Predictions, smiles: Sequence[str], out: str | Path, *, ids: Sequence[str] | None = None, title: str = "", lead: str = "", drawn: int = DRAWN,
    explained: Mapping[int, Explanation] | None = None, evidence: Mapping[int, str] | None = None, rows: Sequence[int] | None = None,
) -> Path:  # fmt: skip
    """Write predictions as one HTML file.

    Args:
        found: n predictions.
        smiles: Their n SMILES.
        out: The file.
        ids: n identifiers; by default the number of the row, from 1.
        title, lead: Head of the page and the sentence below it.
        drawn: Molecules whose structures are drawn; the rest are shown as SMILES.
        explained: Row → what its atoms add: their halos in the drawing, and the strongest by name.
        evidence: Row → the nearest measured molecules in words.
        rows: Their n numbers in the file, where they are not in its order.

    Raises:
        DatasetError: Not one SMILES and one id a prediction.
    """
    return write_page(
        out,
        "table_page.html",
        title=title or f"Predictions for {whole(len(found))} molecules",
        lead=lead or _lead(found),
        table=predictions_table(found, smiles, ids, drawn, explained, evidence, rows),
    )


def predictions_table(
    found: Predictions, smiles: Sequence[str], ids: Sequence[str] | None = None, drawn: int = DRAWN, explained: Mapping[int, Explanation] | None = None,
    evidence: Mapping[int, str] | None = None, rows: Sequence[int] | None = None,
) -> RowTable:  # fmt: skip
    """Predictions as rows of a page, in their order; see :func:`predictions_page`."""
    names = list(ids) if ids is not None else [str(row) for row in rows or range(1, len(found) + 1)]
    if len(smiles) != len(found) or len(names) != len(found):
        raise DatasetError(f"{len(found)} predictions came with {len(smiles)} SMILES and {len(names)} ids; one of each a prediction is needed")
    columns = [Column("row", np.arange(1, len(found) + 1) if rows is None else np.array(rows, dtype=np.int64), help="as in the file", ascending=True), Column("id", names)]
    # NaN, the similarity of a row that could not be used, is not below any limit
    outside = None if found.domain is None or found.domain_limit is None else found.domain < found.domain_limit
    for index, task in enumerate(found.tasks):
        sides: dict[str, np.ndarray | None] = {name: None if getattr(found, name) is None else getattr(found, name)[:, index] for name in ("std", "lower", "upper")}
        if sides["lower"] is not None:
            sides["std"] = None  # the interval says it, calibrated
        words = (
            f"in brackets the {found.level:.0%} interval"
            if sides["lower"] is not None and found.level
            else "± is the model's standard deviation"
            if sides["std"] is not None
            else ""
        )
        columns.append(Column(task.name, found.mean[:, index], unit=task.unit, help=words, std=sides["std"], lower=sides["lower"], upper=sides["upper"], doubtful=outside))
        if task.name in found.probabilities:
            columns += [Column(f"{task.name} p{label}", share, hidden=True) for label, share in enumerate(found.probabilities[task.name].T)]
        if task.name in found.sets:
            words = f"classes that cannot be refused at {found.level:.0%}" if found.level else "classes that cannot be refused"
            columns.append(Column(f"{task.name} set", [str(value) for value in found.sets[task.name]], help=words))
    if found.domain is not None:
        columns.append(Column("domain", found.domain, help="Tanimoto similarity to the nearest training molecule"))
        if found.domain_limit is not None:
            columns.append(Column("in domain", ["" if np.isnan(value) else "in" if value >= found.domain_limit else "out" for value in found.domain]))
    if any(found.reasons):
        columns.append(Column("reason", list(found.reasons), help="why there is no prediction"))
    structures = draw_many(smiles, drawn)
    if explained:
        strongest = {row: _strongest(each) for row, each in explained.items()}
        columns.append(Column("atoms", [strongest.get(row, "") for row in range(len(found))], help="what the prediction loses without the atom, strongest first; atoms are counted from 1"))
        structures += [None] * (min(len(smiles), max(explained) + 1) - len(structures))
        for row, each in explained.items():
            if not each.reason:
                structures[row] = draw_paths(each.smiles, weights=each.atoms)
    if evidence:
        columns.append(Column("nearest measured", [evidence.get(row, "") for row in range(len(found))], help="training molecules most like it: measured value, Tanimoto similarity, SMILES", hidden=True))
        columns.append(Column("nearest", [_nearest(evidence.get(row, "")) for row in range(len(found))], help="measured value of the most similar training molecule; the others in the details"))
    return RowTable("molecules", list(smiles), columns, structures)


def _nearest(words: str) -> str:
    """Value and similarity of the first, without its SMILES."""
    return words.split(")", 1)[0] + ")" if words else ""


def _strongest(found: Explanation, most: int = 3) -> str:
    return found.reason or ", ".join(f"{symbol}{atom + 1} {value:+.2g}".replace("-", "\u2212") for atom, symbol, value in found.words()[:most])


def _lead(found: Predictions) -> str:
    bad = ", ".join(f"{count:,} {code}" for code, count in count_reasons(found.reasons).items())
    tasks = ", ".join(pretty_unit(task.label) for task in found.tasks)
    return f"{tasks}. " + (f"{sum(map(bool, found.reasons)):,} could not be used: {bad}." if bad else "All could be used.")
