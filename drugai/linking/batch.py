"""Many queries from a table: n rows in, n rows out, in the same order; a row that cannot be answered carries a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from drugai.errors import ConfigError, DatasetError, MoleculeError
from drugai.linking.evidence import Ranking
from drugai.linking.filters import Filters
from drugai.linking.linker import Linker

COLUMNS = ("text", "drug", "smiles", "disease")
"""Columns that say what a row asks: a drug by any of the first three, or a disease."""


def check_columns(header: Sequence[str], path: str = "the table") -> None:
    """DatasetError where no column asks anything."""
    from drugai.errors import nearest

    if not set(COLUMNS) & set(header):
        near = next((found for column in header if (found := nearest(column, COLUMNS))), None)
        hint = f" (is one meant as {near!r}?)" if near else ""
        raise DatasetError(f"{path}: has none of the columns {', '.join(COLUMNS)}{hint}; its columns are {', '.join(header)}")


def rank_rows(linker: Linker, rows: Iterable[Mapping[str, str]], *, top: int = 5, filters: Filters | None = None, popularity: float = 0.0) -> list[dict[str, Any]]:
    """One answer a row.

    Args:
        linker: That answers.
        rows: With a drug (``text``, ``drug``, ``smiles``) or a ``disease``; other columns are kept.
        top: Hits a row: columns ``hit_1``, ``id_1``, ``score_1``, ``p_1``, ``status_1`` …
        filters, popularity: As of ``rank``.

    Returns:
        The rows with their hits, ``warnings``, ``abstained`` and ``reason`` (empty where the row was answered).
    """
    found = []
    for row in rows:
        out: dict[str, Any] = dict(row)
        try:
            ranking = _ask(linker, row, top, filters, popularity)
        except (ConfigError, DatasetError, MoleculeError) as error:
            out |= {"reason": str(error), "abstained": "", "warnings": ""} | _hits(None, top)
        else:
            out |= {"reason": "", "abstained": "yes" if ranking.abstained else "no", "warnings": " | ".join(ranking.warnings)} | _hits(ranking, top)
        found.append(out)
    return found


def _ask(linker: Linker, row: Mapping[str, str], top: int, filters: Filters | None, popularity: float) -> Ranking:
    told = {column: row.get(column, "").strip() for column in COLUMNS}
    if told["disease"] and (told["text"] or told["drug"] or told["smiles"]):
        raise ConfigError("the row has both a drug and a disease; it can ask one thing")
    if told["disease"]:
        return linker.rank_drugs(told["disease"], top=top, filters=filters, popularity=popularity)
    if not (told["text"] or told["drug"] or told["smiles"]):
        raise ConfigError("the row is empty: it needs a text, a drug, a SMILES or a disease")
    return linker.rank(told["text"], drug=told["drug"] or None, smiles=told["smiles"] or None, top=top, filters=filters, popularity=popularity)


def _hits(ranking: Ranking | None, top: int) -> dict[str, str]:
    out: dict[str, str] = {}
    hits = ranking.hits if ranking is not None else ()
    for place in range(1, top + 1):
        hit = hits[place - 1] if place <= len(hits) else None
        chance = f"{hit.probability:.3f}" if hit is not None and hit.probability is not None else ""
        out |= {
            f"hit_{place}": hit.name if hit else "",
            f"id_{place}": hit.id if hit else "",
            f"score_{place}": f"{hit.score:.3f}" if hit else "",
            f"p_{place}": chance,
            f"status_{place}": hit.status if hit else "",
        }
    return out
