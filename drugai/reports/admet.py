"""The page of ADMET profiles: structures, one column an endpoint with its interval, what is outside its domain, and percentiles in the details."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from drugai.errors import DatasetError, count_reasons
from drugai.molecules import LibraryChunk
from drugai.predictors.admet_panel import AdmetProfile
from drugai.reports.page import whole, write_page
from drugai.reports.structures import draw_many
from drugai.reports.tables import Column, RowTable

SHORT = 4
"""Most endpoints outside their domain that are named without their number."""
MOST_ROWS = 2000
"""Rows of a page: of a larger file the first ones."""


class Gathered:
    """Collects, while a file goes through, the rows that the page shows; hand :meth:`add` to ``admet_file``."""

    def __init__(self) -> None:
        self.n = 0
        self.parts: list[tuple[LibraryChunk, AdmetProfile]] = []

    def add(self, part: LibraryChunk, profile: AdmetProfile) -> None:
        """Take a chunk."""
        if self.n < MOST_ROWS:
            self.parts.append((part, profile))
        self.n += len(part)


def admet_page(gathered: Gathered, out: str | Path, *, source: str = "", drawn: int = 1000) -> Path:
    """Write the page.

    Args:
        gathered: At least one row.
        out: The HTML file.
        source: Name of the file, for the head.
        drawn: Molecules whose structures are drawn.

    Raises:
        DatasetError: There is no row.
    """
    if gathered.n == 0:
        raise DatasetError("the file has no row, so there is no page to write")
    shown = min(gathered.n, MOST_ROWS)
    smiles = [smi for part, _ in gathered.parts for smi in part.smiles][:shown]
    ids = [name or str(row + 1) for row, name in enumerate(name for part, _ in gathered.parts for name in part.ids)][:shown]
    profiles = [profile for _, profile in gathered.parts]
    tasks = profiles[0].predictions.tasks
    level = profiles[0].predictions.level or 0.9

    def joined(values: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(values)[:shown]

    reasons = [why for profile in profiles for why in profile.predictions.reasons][:shown]
    inside = joined([profile.in_domain for profile in profiles])
    usable = np.array([not why for why in reasons])
    outside = ["" if why else _outside([task.name for task, near in zip(tasks, row, strict=True) if not near], len(tasks)) for why, row in zip(reasons, inside, strict=True)]
    # beside the id and not behind eighteen endpoints: what a reader must know before the values
    columns = [Column("row", np.arange(1, shown + 1), help="as in the file", ascending=True), Column("id", ids)]
    if any(reasons):
        columns.append(Column("reason", reasons, help="why there are no values"))
    if any(outside):
        columns.append(Column("outside its domain", outside, help="endpoints whose training molecules are all unlike this one"))
    for index, task in enumerate(tasks):
        ends: dict[str, np.ndarray] = {}
        if task.kind == "regression":
            ends = {name: joined([getattr(profile.predictions, name)[:, index] for profile in profiles]) for name in ("lower", "upper")}
        words = f"in brackets the {level:.0%} interval" if ends else "calibrated probability"
        columns.append(Column(task.name, joined([profile.predictions.mean[:, index] for profile in profiles]), unit=task.unit, help=words, lower=ends.get("lower"), upper=ends.get("upper"), doubtful=usable & ~inside[:, index]))
        columns.append(Column(f"{task.name} percentile", joined([profile.percentile[:, index] for profile in profiles]), help="share of approved drugs with a lower value", digits=0, hidden=True))
    bad = ", ".join(f"{count:,} {code}" for code, count in count_reasons(reasons).items())
    lead = f"{len(tasks)} endpoints, in brackets the {level:.0%} interval; a value without one is the calibrated probability of what its column names. Values in italics are outside the domain of their endpoint: guesses. " + (f"Could not be used: {bad}." if bad else "All could be used.")
    if shown < gathered.n:
        lead += f" The first {whole(shown)} of {whole(gathered.n)} rows; the table has all."
    table = RowTable("molecules", smiles, columns, draw_many(smiles, min(drawn, shown)))
    return write_page(out, "table_page.html", title=f"ADMET of {source or whole(gathered.n) + ' molecules'}", lead=lead, table=table)


def _outside(names: list[str], n: int) -> str:
    """Endpoints outside their domain as one cell: a row shows a few lines of it alone, so a long list begins with their number."""
    return f"{len(names)} of {n}: {', '.join(names)}" if len(names) > SHORT else ", ".join(names)
