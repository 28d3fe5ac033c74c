"""The local app: the four things that users come for, in a browser on this machine. What ``drugai serve`` runs; needs the extra ``app``."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {"build_app": "drugai.app.server", "serve": "drugai.app.serving"}

if TYPE_CHECKING:
    from drugai.app.server import build_app as build_app
    from drugai.app.serving import serve as serve


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'drugai.app' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
