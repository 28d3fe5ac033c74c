"""An optimisation job: a scorer → candidates, with the course of the run as progress; a job that was stopped continues and its budget is spent once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from drugai.app.jobs import Job
from drugai.app.predicting import load_once
from drugai.generation import load_generator, optimize
from drugai.generation.course import Step
from drugai.reports.candidates import candidates_page
from drugai.scoring.reading import build_scorer

SHOWN = 200


def optimize_job(job: Job, folder: Path, tell: Callable[[int, int, str], None]) -> dict[str, Any]:
    """Find molecules that the scorer likes."""
    asked = job.asked
    scorer = build_scorer(asked["scorer"], load_once, folder=folder)

    def on_step(step: Step) -> None:
        tell(min(step.used, asked["budget"]), asked["budget"], f"molecules scored; best {step.best:.3f}, best ten {step.top10:.3f}")

    found = optimize(load_generator(), scorer, budget=asked["budget"], seed=asked["seed"], method=asked["method"], out=folder / "run", on_step=on_step)
    candidates_page(folder / "run", out=folder / "page.html", top=SHOWN, drawn=SHOWN)
    return {"n": len(found), "hits": sum(one.total > 0 for one in found.scored), "page": "page.html", "files": ["run/top.csv"], "notes": []}
