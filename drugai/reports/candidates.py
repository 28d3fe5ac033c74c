"""The page of an optimisation: how it went, the candidates and why they stand there, and where they lie among known molecules."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from drugai.errors import REASON_CODES, count_reasons
from drugai.generation.lead import PAIRS
from drugai.generation.oracle import Scored
from drugai.generation.reading import StoredRun, read_run
from drugai.molecules import MoleculeBatch, find_alerts, fingerprint, murcko_scaffolds, read_library, tanimoto
from drugai.reports.candidates_charts import course_charts, front_chart, property_charts, space_map
from drugai.reports.hits import UNLIKE
from drugai.reports.hits_table import label_of
from drugai.reports.page import share, short, whole, write_page
from drugai.reports.structures import draw_many
from drugai.reports.tables import Column, RowTable

_ALERTS = ("PAINS", "BRENK")
_MOST_PAIRS = 20


def candidates_page(
    run: str | Path,
    *,
    actives: Sequence[str] | str | Path | None = None,
    reference: Sequence[str] | str | Path | None = None,
    out: str | Path | None = None,
    top: int = 100,
    drawn: int = 100,
    title: str = "",
) -> Path:
    """Write the page of a run of ``drugai optimize``: one HTML file.

    Args:
        run: Its folder, finished or not.
        actives: Known actives (SMILES or a file): the nearest is shown beside each candidate.
        reference: Molecules (SMILES or a file) with whose properties and place the candidates are compared; by default those that the run began with.
        out: The file; ``index.html`` in the folder by default.
        top: Candidates in the table.
        drawn: How many of them are drawn.
        title: Head of the page.

    Raises:
        ArtifactError: The folder is no run of optimisation.
    """
    stored = read_run(run)
    best = stored.top(top)
    batch = MoleculeBatch([one.smiles for one in best])
    known = _molecules(actives)
    begun = [one.smiles for one in stored.scored if one.step == 0]
    compared, name = (_molecules(reference), "reference") if reference is not None else (MoleculeBatch(begun), "start of the run")
    bits = fingerprint(batch)
    near = tanimoto(bits, fingerprint(known)) if known is not None and len(known) else None
    scaffolds = murcko_scaffolds(batch)
    alerts = find_alerts(batch, _ALERTS)
    front = stored.front if len(stored.objectives) > 1 else []
    return write_page(
        out or Path(run) / "index.html",
        "candidates.html",
        title=title or f"{whole(len(best))} candidates from {whole(len(stored.scored))} scored molecules",
        lead=f"Found by {_METHODS.get(stored.settings.get('method', ''), 'optimisation')}; the score is made of {_words(stored)}.",
        tiles=_tiles(stored, best, bits, scaffolds, front),
        caveats=_caveats(stored, near, alerts),
        course=course_charts(stored),
        table=_table(best, batch, stored, known, near, alerts, scaffolds, {one.smiles for one in front}, drawn),
        filters=_filters(stored),
        front=front_chart(stored, front) if front else "",
        n_front=len(front),
        objectives=[label_of(term) for term in stored.objectives],
        properties=property_charts({name: compared, "candidates": batch}) if compared is not None else [],
        reference=name,
        space=space_map(stored, batch, known, compared, name),
        pairs=_pairs(Path(run) / PAIRS),
        reasons=[{"code": code, "count": count, "words": REASON_CODES.get(code, "")} for code, count in count_reasons(one.reason for one in stored.scored).items()],
        made=_made(stored),
    )


_METHODS = {"genetic": "a genetic algorithm", "reinvent": "a steered language model", "hybrid": "a steered language model with genetic proposals", "pareto": "a genetic Pareto search"}


def _molecules(source: Sequence[str] | str | Path | None) -> MoleculeBatch | None:
    """Readable molecules of a file or a list."""
    if source is None:
        return None
    smiles = [smi for part in read_library(source) for smi in part.smiles] if isinstance(source, (str, Path)) else list(source)
    batch = MoleculeBatch(smiles)
    return batch.take(np.flatnonzero(batch.valid))


def _words(stored: StoredRun) -> str:
    names = [label_of(term["name"]) for term in stored.terms] or sorted({name for one in stored.scored[:100] for name in one.parts})
    return ", ".join(names) or "one number"


def _tiles(stored: StoredRun, best: Sequence[Scored], bits: np.ndarray, scaffolds: Sequence[str], front: Sequence[Scored]) -> list[dict[str, str]]:
    failed = sum(bool(one.reason) for one in stored.scored)
    tiles = [
        {"value": whole(len(stored.scored)), "label": "molecules scored", "note": f"{failed:,} with a reason in place of a score" if failed else "each once"},
        {"value": f"{best[0].total:.3f}" if best else "–", "label": "best total", "note": f"mean of the ten best {np.mean([one.total for one in best[:10]]):.3f}" if best else ""},
        {"value": whole(len(set(scaffolds) - {""})), "label": "ring scaffolds", "note": f"among {len(best):,} candidates"},
    ]
    if len(best) > 1:
        similarity = tanimoto(bits)[np.triu_indices(len(best), 1)]
        tiles.append({"value": f"{1 - similarity.mean():.2f}", "label": "diversity", "note": "1 − mean Tanimoto similarity of two candidates"})
    if front:
        tiles.append({"value": whole(len(front)), "label": "on the Pareto front", "note": "no other beats them in all objectives"})
    return tiles


def _caveats(stored: StoredRun, near: np.ndarray | None, alerts: Sequence[Sequence[Any]]) -> list[str]:
    found = [
        "A high score is what the scorer thinks, and the search looked for what it overrates: the best of many are partly its errors. "
        "Judge candidates by something that took no part in the search."
    ]
    if near is not None and near.size:
        middle = float(np.median(near.max(axis=1)))
        if middle < UNLIKE:
            found.append(f"The candidates are far from the known actives: the median similarity to the nearest is {middle:.2f}; what a model says of them is extrapolation.")
    flagged = sum(bool(hits) for hits in alerts)
    if flagged:
        found.append(f"{flagged} of {len(alerts)} candidates carry a structural alert ({' or '.join(_ALERTS)}); a row's details (Enter) say which.")
    if not stored.steps:
        found.append("The run has not ended, or was stopped: it can be continued with the same command.")
    return found


def _table(
    best: Sequence[Scored], batch: MoleculeBatch, stored: StoredRun, known: MoleculeBatch | None, near: np.ndarray | None, alerts: Sequence[Sequence[Any]],
    scaffolds: Sequence[str], front: set[str], drawn: int,
) -> RowTable:  # fmt: skip
    totals = np.array([one.total for one in best])
    columns = [
        Column("rank", np.arange(1, len(best) + 1), help="by total; of equal ones the first found", ascending=True),
        Column("total", totals, help="all terms together, 0 to 1", score=totals, digits=3),
    ]
    filters = {term["name"] for term in stored.terms if term["filter"]}
    for name in dict.fromkeys(name for one in best for name in one.parts):
        raw = np.array([one.raw.get(name, np.nan) for one in best])
        score = np.array([one.parts.get(name, np.nan) for one in best])
        columns.append(Column(label_of(name), raw, help=f"value of the term {name}; the bar is its part of the score, 0 to 1", score=score, hidden=name in filters))
    if near is not None and known is not None and near.size:
        columns.append(Column("similarity", near.max(axis=1), help="Tanimoto similarity (Morgan, radius 2) to the nearest known active", digits=2))
        columns.append(Column("nearest active", [known.canonical[row] for row in near.argmax(axis=1)], hidden=True))
    columns.append(Column("alerts", [", ".join(dict.fromkeys(str(hit) for hit in hits)) or "none" for hits in alerts], help=f"structural alerts: {', '.join(_ALERTS)}", hidden=True))
    if filters:
        columns.append(Column("passed", [_passed(one, stored) for one in best], help="each filter with the candidate's value and what is allowed", hidden=True))
    if front:
        columns.append(Column("front", ["yes" if one.smiles in front else "" for one in best], help="on the Pareto front"))
    columns.append(Column("found at step", np.array([one.step for one in best]), help="step of the run", ascending=True))
    columns.append(Column("by", [one.origin for one in best], help="what proposed it"))
    return RowTable("candidates", list(batch.smiles), columns, draw_many(batch.smiles, drawn), {"scaffold": list(scaffolds)})


def _allowed(term: Any) -> str:
    low, high = term.get("low"), term.get("high")
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"at most {high:g}" if high is not None else f"at least {low:g}" if low is not None else str(term["transform"])


def _passed(one: Scored, stored: StoredRun) -> str:
    told = [f"{label_of(term['name'])} {one.raw[term['name']]:.3g} ({_allowed(term)})" for term in stored.terms if term["filter"] and one.parts.get(term["name"], 0.0) > 0]
    return "; ".join(told)


def _filters(stored: StoredRun) -> list[dict[str, str]]:
    found = []
    for term in stored.terms:
        if term["filter"]:
            reached = [one.parts[term["name"]] for one in stored.scored if not np.isnan(one.parts.get(term["name"], np.nan))]
            passed = sum(value > 0 for value in reached)
            found.append({"name": label_of(term["name"]), "allowed": _allowed(term), "reached": whole(len(reached)), "passed": f"{whole(passed)} ({share(passed, len(reached))})"})
    return found


def _pairs(file: Path) -> dict[str, Any]:
    """The first matched pairs of a lead's run; {} for another run."""
    if not file.is_file():
        return {}
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    changes = [name for name in (rows[0] if rows else {}) if name.startswith("change of ")]
    shown = [[row["exchange"], *(short(float(row[name]) if row[name] else None) for name in changes), short(float(row["similarity"])), row["smiles"]] for row in rows[:_MOST_PAIRS]]
    return {"n": len(rows), "head": ["exchange", *changes, "similarity", "molecule"], "rows": shown}


def _made(stored: StoredRun) -> dict[str, str]:
    made = {"Run": stored.path.name, "Method": str(stored.settings.get("method", "")), "Seed": str(stored.settings.get("seed", ""))}
    for term in stored.terms:
        kind = "filter" if term["filter"] else f"weight {term['weight']:g}"
        made[f"Term {term['name']}"] = f"{kind}, {term['transform']}"
    if stored.settings.get("keep"):
        made["Limits"] = str(stored.settings["keep"])
    made["Every molecule"] = "scored.jsonl (what was paid for), steps.csv (a row a molecule a step), course.csv (the curves)"
    return made
