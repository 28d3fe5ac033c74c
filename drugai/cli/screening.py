"""``drugai screen``, ``demo`` and ``doctor``."""

from __future__ import annotations
