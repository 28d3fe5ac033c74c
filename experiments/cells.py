"""Cells of an experiment's table: each is one JSON file, computed once, so that a killed run continues where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from drugai.artifact import versions, write_text_atomically

ROOT = Path(__file__).resolve().parents[1]


def code_hash(rooms: Sequence[str]) -> str:
    """sha256 over the Python files of the named rooms (``drugai/<room>``): results rest on this code."""
    digest = hashlib.sha256()
    for room in sorted(rooms):
        place = ROOT / "drugai" / room
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
        for file in files:
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def cell(folder: Path, name: str, compute: Callable[[], dict[str, Any]], *, code: str = "", again: bool = False) -> dict[str, Any]:
    """The stored result called ``name``, computed and stored if it is not there (or ``again``).

    A cell whose computation raises is stored as failed, with the error, and shown in the table as such.
    """
    path = folder / f"{name}.json"
    if path.is_file() and not again:
        stored: dict[str, Any] = json.loads(path.read_text())
        return stored
    wall, before = time.perf_counter(), os.times()
    try:
        found = compute()
    except Exception as error:
        found = {"failed": f"{type(error).__name__}: {error}"}
        print(f"{name}: {found['failed']}", file=sys.stderr)
    after = os.times()
    found["cpu_seconds"] = round(sum(after[:4]) - sum(before[:4]), 2)
    found["wall_seconds"] = round(time.perf_counter() - wall, 2)
    found["code"] = code
    found["versions"] = versions()
    write_text_atomically(path, json.dumps(found, indent=1) + "\n")
    return found


def write_tables(folder: Path, rows: Any, text: str, *, show: bool) -> None:
    """``table.md`` and ``table.json`` of an experiment; printed too with ``show``."""
    write_text_atomically(folder / "table.md", text)
    write_text_atomically(folder / "table.json", json.dumps(rows, indent=1) + "\n")
    if show:
        print(text)
