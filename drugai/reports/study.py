"""The page of a study: history, what mattered, slices, parallel coordinates, time line, leaderboard."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from drugai.reports.page import pretty_unit, write_page
from drugai.reports.svg import Frame, bars, lines, scatter
from drugai.tuning.reading import study_columns, study_summary

_RESERVED = {"number", "state", "value", "started", "seconds", "worker", "seed", "epochs", "cpu_seconds", "retry_of", "duplicate_of", "error"}
MOST_LINES = 300


def study_page(folder: str | Path, name: str, out: str | Path | None = None) -> Path:
    """Write ``<folder>/<name>.html`` for a study; needs at least one complete trial.

    Args:
        folder: Where its journal lies.
        name: Of the study.
        out: Another file.
    """
    summary, columns = study_summary(folder, name), study_columns(folder, name)
    values_key = "value" if "value" in columns else "value_0"
    parameters = [key for key in columns if key not in _RESERVED and not key.startswith("value_")]
    complete = [row for row, state in enumerate(columns["state"]) if state == "COMPLETE"]
    values = [float(value) if value is not None else math.nan for value in columns[values_key]]
    maximize = summary["directions"][0] == "maximize"
    best = summary["best"][0]["number"] if summary["best"] else None
    axis = "validation score" + (" (more is better)" if maximize else " (less is better)")
    pruned = summary["counts"].get("PRUNED", 0)
    total = sum(summary["counts"].values())
    tiles = [
        {"value": f"{summary['best'][0]['values'][0]:.4g}" if summary["best"] else "–", "label": "best validation score", "note": f"trial {best}"},
        {"value": f"{summary['start'][0]:.4g}" if summary["start"] else "–", "label": "starting config", "note": "trial 0"},
        {"value": str(total), "label": "trials", "note": ", ".join(f"{count} {state.lower()}" for state, count in summary["counts"].items())},
        {"value": f"{100 * pruned / max(total, 1):.0f} %", "label": "pruned", "note": _epochs_words(summary["mean_epochs"])},
        {"value": f"{summary['cpu_seconds']:,.0f} s", "label": "CPU of all trials", "note": ""},
    ]
    running: list[float] = []
    for row in complete:
        better = values[row] if not running else (max if maximize else min)(running[-1], values[row])
        running.append(better)
    numbers = [float(columns["number"][row]) for row in complete]
    history = lines({"trial": (numbers, [values[row] for row in complete]), "best so far": (numbers, running)}, x_label="trial", y_label=axis, size=(500, 300))
    board_head = ["trial", "score", *parameters]
    board = [[str(trial["number"]), ", ".join(f"{value:.5g}" for value in trial["values"]), *[_short(trial["params"].get(key)) for key in parameters]] for trial in summary["best"]]
    made = {"study": name, "seed": str(summary["seed"]), "direction": ", ".join(summary["directions"]), "continue it": f"drugai tune … --name {name} --out {folder}"}
    target = Path(out) if out is not None else Path(folder) / f"{name}.html"
    return write_page(
        target,
        "study.html",
        title=f"Study {name}",
        lead=f"{total} trials over {len(parameters)} parameters; trial 0 is the starting config.",
        tiles=tiles,
        history=history,
        timeline=_timeline(columns, complete),
        importances=bars(summary["importances"], label="Importance") if summary["importances"] else "",
        slices=[_slice(key, columns, complete, values, best, axis) for key in parameters],
        parallel=_parallel(parameters, columns, complete, values, maximize),
        board_head=board_head,
        board=board,
        made=made,
    )


def _epochs_words(means: Mapping[str, float]) -> str:
    return ", ".join(f"{state.lower()} ran {value:g} epochs" for state, value in means.items())


def _slice(key: str, columns: Mapping[str, Sequence[Any]], complete: Sequence[int], values: Sequence[float], best: int | None, axis: str) -> Markup:
    """Score against one parameter; choices stand at 0, 1, 2 … and are named in the label."""
    given = [columns[key][row] for row in complete]
    label = pretty_unit(key)
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in given if value is not None):
        numbers = [float(value) if value is not None else math.nan for value in given]
        if numbers and min(numbers) > 0 and max(numbers) / min(numbers) > 30:
            numbers, label = [math.log10(value) for value in numbers], f"log₁₀ {label}"
    else:
        choices = sorted({str(value) for value in given})
        numbers = [float(choices.index(str(value))) for value in given]
        label += ": " + ", ".join(f"{place} = {choice}" for place, choice in enumerate(choices))
    words = [f"trial {columns['number'][row]}: {key} = {_short(columns[key][row])}, score {values[row]:.5g}" for row in complete]
    strong = next((place for place, row in enumerate(complete) if columns["number"][row] == best), None)
    return scatter(numbers, [values[row] for row in complete], x_label=label, y_label=axis.partition(" (")[0], words=words, strong=strong)


def _timeline(columns: Mapping[str, Sequence[Any]], complete: Sequence[int]) -> Markup:
    """When each trial began and how long it took."""
    begun = [columns["started"][row] for row in complete if columns["started"][row] is not None]
    if not begun:
        return Markup("")
    first = min(begun)
    rows = [row for row in complete if columns["started"][row] is not None]
    words = [f"trial {columns['number'][row]} on {columns['worker'][row]}: {columns['seconds'][row] or 0:.1f} s" for row in rows]
    minutes = [(columns["started"][row] - first) / 60 for row in rows]
    return scatter(minutes, [columns["seconds"][row] or 0.0 for row in rows], x_label="begun after [min]", y_label="duration [s]", words=words)


def _parallel(parameters: Sequence[str], columns: Mapping[str, Sequence[Any]], complete: Sequence[int], values: Sequence[float], maximize: bool) -> Markup:
    """One polyline a trial over all parameters, each scaled to [0, 1] over the study."""
    if not complete or not parameters:
        return Markup("")
    scaled = {key: _scaled([columns[key][row] for row in complete]) for key in parameters}
    order = sorted(range(len(complete)), key=lambda place: values[complete[place]], reverse=maximize)[:MOST_LINES]
    width = max(520, 110 * len(parameters))
    frame = Frame(width, 260, (0, max(len(parameters) - 1, 1)), (0, 1), left=60, right=60, bottom=34)
    parts = []
    for place in reversed(order):
        points = " ".join(f"{frame.px(column):.1f},{frame.py(scaled[key][place]):.1f}" for column, key in enumerate(parameters))
        kind = "curve c0" if place == order[0] else "band"
        parts.append(Markup('<polyline class="{}" points="{}"><title>{}</title></polyline>').format(kind, points, f"trial {columns['number'][complete[place]]}: {values[complete[place]]:.5g}"))
    for column, key in enumerate(parameters):
        at = frame.px(column)
        parts.append(Markup('<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="12" y2="226"/>').format(at))
        parts.append(Markup('<text class="tick" x="{:.1f}" y="246" text-anchor="middle">{}</text>').format(at, key))
    return Markup('<svg class="chart" viewBox="0 0 {} 260" role="img" aria-label="Parallel coordinates"><title>Parallel coordinates</title>{}</svg>').format(width, Markup("").join(parts))


def _scaled(given: Sequence[Any]) -> list[float]:
    numeric = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in given if value is not None)
    choices = sorted({str(value) for value in given})
    numbers = [float(value) if value is not None else 0.0 for value in given] if numeric else [float(choices.index(str(value))) for value in given]
    if numeric and min(numbers) > 0 and max(numbers) / min(numbers) > 30:
        numbers = [math.log10(value) for value in numbers]
    low, high = min(numbers), max(numbers)
    return [(value - low) / (high - low) if high > low else 0.5 for value in numbers]


def _short(value: Any) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
