"""The hits of a screening run as rows of a page."""

from __future__ import annotations

from typing import Any

import numpy as np

from drugai.reports.structures import draw_many
from drugai.reports.tables import Column, RowTable
from drugai.screening import Hits, Plan

DRAWN = 1000
"""Structures in a page by default: 3 kB and 2 ms each."""

_LABELS = {
    "alerts": "alerts", "diverse": "diverse pick", "hac": "heavy atoms", "logp": "logP", "nearest_active": "nearest active", "qed": "QED",
    "similarity": "similarity", "synthetic_accessibility": "synthetic accessibility", "tpsa": "TPSA", "weight": "weight",
}  # fmt: skip
UNITS = {"tpsa": "Å²", "weight": "Da"}
_HELP = {
    "similarity": "Tanimoto similarity (Morgan, radius 2) to the nearest known active",
    "cluster": "hits within Tanimoto distance 0.35 of a centre; 0 is the largest cluster",
    "diverse": "order in which MaxMin picks hits unlike those before",
    "qed": "quantitative estimate of drug-likeness, 0 to 1 (Bickerton 2012)",
    "synthetic_accessibility": "1 easy to 10 hard (Ertl 2009)",
    "alerts": "structural alerts found",
}


def hits_table(hits: Hits, plan: Plan, drawn: int = DRAWN) -> RowTable:
    """The hits as rows of a page: total, then each term with its raw value and score, then what else the run wrote."""
    table = hits.table
    by_role: dict[tuple[str, str], str] = {(column.role, column.term or column.task): column.name for column in plan.columns}
    columns = [
        Column("rank", np.asarray(table["rank"]), help="by total, then by place in the library", ascending=True),
        Column("id", table["id"], help="as in the library's file"),
        Column("total", table["total"], help="all terms together, 0 to 1", score=table["total"], digits=3),
    ]
    used = {"rank", "index", "id", "smiles", "total", "reason"}
    for column in plan.columns:
        if column.role == "raw":
            score = by_role[("score", column.term)]
            std, lower, upper = (_floats(table, by_role.get((role, column.task or "-"), "")) for role in ("std", "lower", "upper"))
            words = _HELP.get(column.term, f"value of the term {column.term}") + "; the bar is its score from 0 to 1"
            words += "; ± is the model's standard deviation" if std is not None else ""
            unit, values = column.unit or UNITS.get(column.term, ""), np.asarray(table[column.name])
            same = len(values) > 1 and bool(np.all(values == values[0]))  # a filter that all hits passed alike says nothing in a column
            columns.append(Column(label_of(column.term), values, unit=unit, help=words, score=table[score], std=std, lower=lower, upper=upper, hidden=same))
            used |= {column.name, score, *(by_role.get((role, column.task or "-"), "") for role in ("std", "lower", "upper"))}
        elif column.role in ("mean", "probability", "domain") and column.name not in used:
            columns.append(Column(column.name, table[column.name], unit=column.unit))
            used.add(column.name)
        elif column.role == "kept":
            columns.append(Column(column.key or column.name, table[column.name]))
            used.add(column.name)
    for name, values in table.items():
        if name not in used:
            hidden = name in ("scaffold", "nearest_active")
            if name == "diverse":
                values = np.where(values == 0, np.nan, values)  # 0: not picked
            digits = 0 if name == "diverse" else 2 if name == "similarity" else None
            columns.append(Column(label_of(name), values, help=_HELP.get(name, ""), hidden=hidden, digits=digits, ascending=name in ("cluster", "diverse")))
    groups = {"scaffold": table["scaffold"]}
    if "cluster" in table:
        groups["cluster"] = [str(number) for number in table["cluster"]]
    return RowTable("hits", hits.smiles, columns, draw_many(hits.smiles, drawn), groups)


def label_of(name: str) -> str:
    """A column's name as a chemist writes it: ``qed`` → ``QED``; names of one's own stay."""
    return _LABELS.get(name, name)


def _floats(table: dict[str, Any], name: str) -> np.ndarray | None:
    return np.asarray(table[name], dtype=float) if name in table else None
