"""Link drugs to diseases by text and structure in one shared space. Names load when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drugai.linking.evidence import Hit as Hit
    from drugai.linking.evidence import Ranking as Ranking
    from drugai.linking.fitting import LinkerConfig as LinkerConfig
    from drugai.linking.linker import Linker as Linker
    from drugai.linking.loading import fit_linker as fit_linker
    from drugai.linking.loading import load_linker as load_linker
    from drugai.linking.loading import save_linker as save_linker
    from drugai.linking.protocol import read_benchmark as read_benchmark
    from drugai.linking.study import LinkScore as LinkScore
    from drugai.linking.study import link_score as link_score
    from drugai.linking.tables import read_primer as read_primer
    from drugai.linking.tables import read_tables as read_tables

_HOMES = {
    "Hit": "evidence",
    "Ranking": "evidence",
    "LinkerConfig": "fitting",
    "Linker": "linker",
    "fit_linker": "loading",
    "load_linker": "loading",
    "save_linker": "loading",
    "read_benchmark": "protocol",
    "LinkScore": "study",
    "link_score": "study",
    "read_primer": "tables",
    "read_tables": "tables",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
