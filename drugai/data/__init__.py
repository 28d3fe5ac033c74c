"""Measured molecules: dataset cards → Dataset → Split, and the audit of both.

The names load when they are first used; importing this package reads no file and loads neither RDKit nor pooch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drugai.data.auditing import AuditReport, audit
    from drugai.data.dataset_card import Card, card, cards
    from drugai.data.download import fetch, fetch_files, locate
    from drugai.data.reading import ReadResult, RejectedRow, read_csv, read_dataset, read_dataset_with_rejected
    from drugai.data.splitting import SPLIT_METHODS, split

_HOMES = {
    "AuditReport": "auditing",
    "audit": "auditing",
    "Card": "dataset_card",
    "card": "dataset_card",
    "cards": "dataset_card",
    "fetch": "download",
    "fetch_files": "download",
    "locate": "download",
    "ReadResult": "reading",
    "RejectedRow": "reading",
    "read_csv": "reading",
    "read_dataset": "reading",
    "read_dataset_with_rejected": "reading",
    "SPLIT_METHODS": "splitting",
    "split": "splitting",
}

__all__ = [
    "SPLIT_METHODS",
    "AuditReport",
    "Card",
    "ReadResult",
    "RejectedRow",
    "audit",
    "card",
    "cards",
    "fetch",
    "fetch_files",
    "locate",
    "read_csv",
    "read_dataset",
    "read_dataset_with_rejected",
    "split",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
