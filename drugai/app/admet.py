"""An ADMET job: molecules → the endpoints of the panel that ships; needs no model of the user's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from drugai.app.inputs import input_file
from drugai.app.jobs import Job
from drugai.molecules import LibraryChunk
from drugai.predictors.admet_file import admet_file
from drugai.predictors.admet_panel import AdmetProfile
from drugai.reports.admet import MOST_ROWS, Gathered, admet_page

CHUNK = 500


def admet_job(job: Job, folder: Path, tell: Callable[[int, int, str], None]) -> dict[str, Any]:
    """Every endpoint of every row; n rows in, n rows out."""
    path, n = input_file(job.asked, folder, "admet")
    gathered = Gathered()

    def add(part: LibraryChunk, profile: AdmetProfile) -> None:
        gathered.add(part, profile)
        tell(gathered.n, n, "molecules predicted")

    found = admet_file(path, folder / "admet.csv", level=job.asked["level"], chunk=CHUNK, on_part=add)
    tell(n, n, "drawing")
    admet_page(gathered, folder / "page.html")
    notes = [f"The page shows the first {MOST_ROWS:,} of {n:,} rows; the table has all."] if n > MOST_ROWS else []
    return {"n": n, "reasons": found.reasons, "page": "page.html", "files": ["admet.csv"], "notes": notes}
