"""A screening job: a list and a model → the hits and their page, by the same run folder as ``drugai screen``; a job that was stopped continues."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from drugai.app.inputs import input_file
from drugai.app.jobs import Job
from drugai.reports.hits import hits_page
from drugai.screening import screen
from drugai.screening.filters import filter_terms


def screen_job(job: Job, folder: Path, tell: Callable[[int, int, str], None]) -> dict[str, Any]:
    """Score every row, keep the best."""
    asked = job.asked
    path, _ = input_file(asked, folder, "screen")
    hits = screen(
        path, asked["path"], out=folder / "run", top=asked["top"], rank_by=asked["rank_by"], filters=filter_terms(alerts=asked["alerts"]), shard_size=5_000,
        on_progress=lambda done, total: tell(done, total, "molecules screened"),
    )  # fmt: skip
    tell(1, 1, "drawing")
    hits_page(hits, out=folder / "page.html")
    found = hits.summary
    return {"n": found["n"], "reasons": found["reasons"], "hits": len(hits), "page": "page.html", "files": ["run/hits.csv"], "notes": []}
