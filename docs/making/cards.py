"""Pages of what comes with drugai: the cards of the data sets and of the models that ship, as they stand in the repository."""

from __future__ import annotations

import json
import tomllib
from html import escape
from pathlib import Path
from typing import Any


def data_sets_page(folder: Path) -> str:
    """Markdown: one row a dataset card, by group."""
    cards = [tomllib.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*/dataset.toml"))]
    parts = [
        "# Data sets",
        "",
        f"{len(cards)} cards; `drugai data show NAME` says more, `drugai data fetch NAME` downloads and checks what is not there. No data lie in the repository.",
        "",
    ]
    for group in sorted({str(card.get("group", "other")) for card in cards}):
        parts += [f"## {group}", "", "| name | what it is | rows | tasks | licence | known problems |", "|---|---|---|---|---|---|"]
        for card in cards:
            if str(card.get("group", "other")) == group:
                tasks = [str(task["name"]) for task in card.get("task", [])]
                shown = ", ".join(tasks[:3]) + (f" and {len(tasks) - 3} more" if len(tasks) > 3 else "")
                row = [
                    f"`{card['name']}`",
                    card.get("title", ""),
                    f"{card['rows']:,}" if "rows" in card else "",
                    shown,
                    card.get("licence", ""),
                    "; ".join(card.get("problems", [])),
                ]
                parts.append("| " + " | ".join(cell(str(text)) for text in row) + " |")
        parts.append("")
    return "\n".join(parts)


def models_page(folder: Path) -> str:
    """Markdown: the card of each shipped model, and what its manifest says where it has no card of its own."""
    parts = ["# Models that ship", "", "Each is a folder of JSON and safetensors inside the package; `drugai doctor` verifies every checksum.", ""]
    for place in sorted(path.parent for path in folder.glob("*/manifest.json")):
        manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
        size = sum(file.stat().st_size for file in place.iterdir())
        parts += [f"## `{place.name}`", "", f"A {manifest['kind']}, {size / 1e6:.1f} MB.", ""]
        card = place / "README.md"
        if card.is_file():
            text = card.read_text(encoding="utf-8").strip()
            parts += [line.replace("#", "##", 1) if line.startswith("#") else line for line in text.splitlines()]
        else:
            parts += [
                f"- **{key}**: {_plain(manifest[key])}"
                for key in ("counts", "use", "encoder", "licences", "leakage", "contradictions", "seed")
                if key in manifest
            ]
        parts.append("")
    return "\n".join(parts)


def cell(text: str) -> str:
    """A text that may stand in a Markdown table."""
    return escape(text, quote=False).replace("|", "\\|").replace("\n", " ")


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return f"{value:.3g}" if isinstance(value, float) else cell(str(value))
