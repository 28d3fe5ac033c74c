"""Pages, tables and pictures: one design for all, each page one HTML file that needs no network.

The names load when they are first used. ``%load_ext drugai.reports`` in a notebook makes Predictions and Hits show themselves as tables with structures.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "Column": "drugai.reports.tables",
    "ModelCard": "drugai.reports.model_card",
    "RowTable": "drugai.reports.tables",
    "candidates_page": "drugai.reports.candidates",
    "hits_page": "drugai.reports.hits",
    "linking_page": "drugai.reports.linking",
    "make_card": "drugai.reports.model_card",
    "predictions_page": "drugai.reports.predictions",
    "ranking_page": "drugai.reports.ranking",
    "render": "drugai.reports.page",
    "show": "drugai.reports.notebook",
    "show_in_notebooks": "drugai.reports.notebook",
    "to_html": "drugai.reports.notebook",
    "write_page": "drugai.reports.page",
}

if TYPE_CHECKING:
    from drugai.reports.candidates import candidates_page as candidates_page
    from drugai.reports.hits import hits_page as hits_page
    from drugai.reports.linking import linking_page as linking_page
    from drugai.reports.model_card import ModelCard as ModelCard
    from drugai.reports.model_card import make_card as make_card
    from drugai.reports.notebook import show as show
    from drugai.reports.notebook import show_in_notebooks as show_in_notebooks
    from drugai.reports.notebook import to_html as to_html
    from drugai.reports.page import render as render
    from drugai.reports.page import write_page as write_page
    from drugai.reports.predictions import predictions_page as predictions_page
    from drugai.reports.ranking import ranking_page as ranking_page
    from drugai.reports.tables import Column as Column
    from drugai.reports.tables import RowTable as RowTable


def load_ipython_extension(ipython: Any) -> None:
    """What ``%load_ext drugai.reports`` calls."""
    from drugai.reports.notebook import show_in_notebooks

    show_in_notebooks(ipython)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'drugai.reports' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
