"""The navigation of the site, from the pages that there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

SECTIONS = {
    "Tutorials": ("tutorials", ("model-and-screen", "tune-a-predictor", "pretrain-an-encoder", "generate-and-optimise", "link")),
    "How-to": ("how-to", ("your-own-table", "your-own-model-and-scorer")),
    "Explanation": ("explanation", ("how-sure", "evaluation-and-leakage")),
    "Decisions": ("explanation/decisions", ()),
    "Reference": ("reference", ("glossary", "reason-codes", "commands")),
}
"""Tab → folder, and the pages that come first; the others of the folder follow by name."""


def navigation(pages: Iterable[str], modules: Iterable[str]) -> list[dict[str, Any]]:
    """Every page under its tab: a new page needs no line anywhere.

    Args:
        pages: Sources of the pages, ``how-to/gpu.md``.
        modules: Names of the pages of the Python reference, in their order.
    """
    found = sorted(pages)
    out: list[dict[str, Any]] = [{"drugai": "index.md"}]
    for title, (folder, first) in SECTIONS.items():
        here = [page for page in found if page.rpartition("/")[0] == folder]
        lead = [f"{folder}/{name}.md" for name in first if f"{folder}/{name}.md" in here]
        entries: list[Any] = [*lead, *(page for page in here if page not in lead)]
        if title == "Reference":
            entries.append({"Python": [f"reference/api/{name}.md" for name in modules]})
        if entries:
            out.append({title: entries})
    return out
