"""An optimisation job: a scorer → candidates, with the course of the run as progress; a job that was stopped continues and its budget is spent once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from drugai.app.jobs import Job
from drugai.app.predicting import load_once
from drugai.generation import load_generator, optimize
from drugai.generation.course import Step
from drugai.generation.oracle import Scored
from drugai.reports.hits_table import UNITS, label_of
from drugai.reports.page import write_page
from drugai.reports.structures import draw_many
from drugai.reports.tables import Column, RowTable
from drugai.scoring.reading import build_scorer

SHOWN = 500


def optimize_job(job: Job, folder: Path, tell: Callable[[int, int, str], None]) -> dict[str, Any]:
    """Find molecules that the scorer likes."""
    asked = job.asked
    scorer = build_scorer(asked["scorer"], load_once, folder=folder)

    def on_step(step: Step) -> None:
        tell(min(step.used, asked["budget"]), asked["budget"], f"molecules scored; best {step.best:.3f}, best ten {step.top10:.3f}")

    found = optimize(load_generator(), scorer, budget=asked["budget"], seed=asked["seed"], method=asked["method"], out=folder / "run", on_step=on_step)
    best = [one for one in found.top(SHOWN) if one.total > 0]
    lead = f"{len(found):,} molecules scored by {asked['method']}, seed {asked['seed']}; area under the curve of the ten best {found.auc_top10:.3f}. Not one has been made or measured."
    write_page(folder / "page.html", "table_page.html", title=f"{len(best):,} candidates", lead=lead, table=candidates_table(best))
    return {"n": len(found), "hits": len(best), "page": "page.html", "files": ["run/top.csv"], "notes": []}


def candidates_table(best: list[Scored]) -> RowTable:
    """Scored molecules as rows of a page."""
    terms = list(dict.fromkeys(name for one in best for name in one.parts))
    total = np.array([one.total for one in best])
    columns = [Column("rank", np.arange(1, len(best) + 1), ascending=True), Column("total", total, score=total, digits=3)]
    for name in terms:
        raw, score = (np.array([part.get(name, np.nan) for part in parts], dtype=float) for parts in ([one.raw for one in best], [one.parts for one in best]))
        columns.append(Column(label_of(name), raw, unit=UNITS.get(name, ""), score=score, help="the bar is the term's score from 0 to 1"))
    columns += [Column("step", np.array([one.step for one in best]), ascending=True), Column("origin", [one.origin for one in best])]
    return RowTable("candidates", [one.smiles for one in best], columns, draw_many([one.smiles for one in best], len(best)))
