"""The page of a study: history, what mattered, slices, parallel coordinates, time line, leaderboard."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from drugai.reports.page import pretty_unit, write_page
from drugai.reports.svg import Frame, bars, padded, scatter
from drugai.tuning.describing import study_summary
from drugai.tuning.reading import ATTRIBUTES, study_columns

_RESERVED = {"number", "state", "value", "started", "seconds", "worker", *ATTRIBUTES}
MOST_LINES = 300
_STATES = {"COMPLETE": "ran", "PRUNED": "cutoff", "FAIL": "broke"}


def study_page(folder: str | Path, name: str, out: str | Path | None = None) -> Path:
    """Write ``<folder>/<name>.html`` for a study.

    Args:
        folder: Where its journal lies, or the URL of its database.
        name: Of the study.
        out: Another file.
    """
    summary, columns = study_summary(folder, name), study_columns(folder, name)
    values_key = "value" if "value" in columns else "value_0"
    parameters = [key for key in columns if key not in _RESERVED and not key.startswith(("value_", "constraint_"))]
    complete = [row for row, state in enumerate(columns["state"]) if state == "COMPLETE"]
    values = [float(value) if value is not None else math.nan for value in columns[values_key]]
    maximize = summary["directions"][0] == "maximize"
    best = summary["best"][0]["number"] if summary["best"] else None
    metric = str(summary["metric"]).partition(", ")[0]
    unit = f" [{pretty_unit(summary['unit'])}]" if summary["unit"] else ""
    axis = f"validation {metric}{unit}" + (" (more is better)" if maximize else " (less is better)")
    pruned = summary["counts"].get("PRUNED", 0)
    total = sum(summary["counts"].values())
    tiles = [
        {"value": f"{summary['best'][0]['values'][0]:.4g}" if summary["best"] else "–", "label": f"best validation {metric}{unit}", "note": f"trial {best}"},
        {"value": f"{summary['start'][0]:.4g}" if summary["start"] else "–", "label": f"starting config{unit}", "note": "trial 0"},
        {"value": str(total), "label": "trials", "note": ", ".join(f"{count} {state.lower()}" for state, count in summary["counts"].items())},
        {"value": f"{100 * pruned / max(total, 1):.0f} %", "label": "pruned", "note": _epochs_words(summary["mean_epochs"], summary["epochs_saved"])},
        {"value": f"{summary['cpu_seconds']:,.0f} s", "label": "CPU of all trials", "note": ""},
    ]
    history = _history(columns, complete, values, maximize, axis)
    board_head = ["trial", "score", *parameters]
    board = [[str(trial["number"]), ", ".join(f"{value:.5g}" for value in trial["values"]), *[_short(trial["params"].get(key)) for key in parameters]] for trial in summary["best"]]
    several = len(summary["directions"]) > 1
    front = _front(columns, complete, {trial["number"] for trial in summary["best"]}, [*str(summary["metric"]).split(", "), "objective 2"]) if several and complete else ""
    made = {"study": name, "seed": str(summary["seed"]), "direction": ", ".join(summary["directions"]), "continue it": f"drugai tune … --name {name} --out {folder}"}
    target = Path(out) if out is not None else Path(folder) / f"{name}.html"
    return write_page(
        target,
        "study.html",
        title=f"Study {name}",
        lead=f"{total} trials over {len(parameters)} parameters; trial 0 is the starting config.",
        tiles=tiles,
        history=history,
        front=front,
        timeline=_timeline(columns),
        importances=bars(summary["importances"], label="Importance") if summary["importances"] else "",
        too_few=f"Importances take ten complete trials in which parameters varied; there are {len(complete)} complete ones. More trials, or fewer pruned, will show them.",
        slices=[_slice(key, columns, complete, values, best, axis) for key in parameters],
        parallel=_parallel(parameters, columns, complete, values, maximize),
        board_head=board_head,
        board=board,
        made=made,
    )


def _history(columns: Mapping[str, Sequence[Any]], complete: Sequence[int], values: Sequence[float], maximize: bool, axis: str) -> Markup:
    """A dot a complete trial, a tick at the bottom a pruned or failed one, and the best so far as a line of steps."""
    if not complete:
        return Markup("")
    frame = Frame(900, 300, (0.0, float(max(max(columns["number"]), 1))), padded([values[row] for row in complete]))
    parts = [frame.axes("trial", axis)]
    floor = frame.height - frame.bottom
    points: list[tuple[float, float]] = []
    for row, state in enumerate(columns["state"]):
        number = columns["number"][row]
        if state == "COMPLETE":
            better = values[row] if not points else (max if maximize else min)(points[-1][1], values[row])
            points += [(number, points[-1][1])] if points else []
            points.append((number, better))
            words = f"trial {number}: {values[row]:.5g}"
            parts.append(Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3.2"><title>{}</title></circle>').format(frame.px(number), frame.py(values[row]), words))
        elif state in _STATES:
            words = f"trial {number}: {state.lower()}"
            parts.append(
                Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="4" height="9"><title>{}</title></rect>').format(_STATES[state], frame.px(number) - 2, floor - 9, words)
            )
    points.append((float(max(columns["number"])), points[-1][1]))
    line = " ".join(f"{frame.px(x):.1f},{frame.py(y):.1f}" for x, y in points)
    parts.append(Markup('<polyline class="curve c1" points="{}"/>').format(line))
    return Markup('<svg class="chart" viewBox="0 0 900 300" role="img" aria-label="History"><title>History of {} trials</title>{}</svg>').format(
        len(columns["number"]), Markup("").join(parts)
    )


def _epochs_words(means: Mapping[str, float], saved: float) -> str:
    return ", ".join(f"{state.lower()} ran {value:g} epochs" for state, value in means.items()) + (f"; about {saved:.0%} of the epochs saved" if saved else "")


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


def _timeline(columns: Mapping[str, Sequence[Any]]) -> Markup:
    """A row a worker, a bar a trial from its beginning to its end: complete, pruned and failed ones told apart."""
    rows = [row for row, state in enumerate(columns["state"]) if state in _STATES and columns["started"][row] is not None and columns["seconds"][row] is not None]
    if not rows:
        return Markup("")
    workers = sorted({columns["worker"][row] for row in rows}, key=lambda worker: min(columns["started"][row] for row in rows if columns["worker"][row] == worker))
    first = min(columns["started"][row] for row in rows)
    last = max(columns["started"][row] + columns["seconds"][row] for row in rows)
    unit, seconds = ("min", 60.0) if last - first > 120 else ("s", 1.0)
    height = 24 * len(workers) + 60
    frame = Frame(900, height, (0.0, (last - first) / seconds or 1.0), (0.0, 1.0), left=12, top=8)
    parts = [frame.axes(f"time [{unit}]; a row a worker: {len(workers)}", "", (), grid=False)]
    for row in rows:
        begun = columns["started"][row] - first
        left, right = frame.px(begun / seconds), frame.px((begun + columns["seconds"][row]) / seconds)
        words = f"trial {columns['number'][row]}, {columns['state'][row].lower()}, on {columns['worker'][row]}: {columns['seconds'][row]:.1f} s"
        parts.append(
            Markup('<rect class="{}" x="{:.1f}" y="{}" width="{:.1f}" height="18" rx="2"><title>{}</title></rect>').format(
                _STATES[columns["state"][row]], left, 10 + 24 * workers.index(columns["worker"][row]), max(1.0, right - left), words
            )
        )
    return Markup('<svg class="chart" viewBox="0 0 900 {0}" role="img" aria-label="Time line"><title>Time line of {1} trials</title>{2}</svg>').format(
        height, len(rows), Markup("").join(parts)
    )


def _front(columns: Mapping[str, Sequence[Any]], complete: Sequence[int], front: set[int], names: Sequence[str]) -> Markup:
    """The two first objectives against each other; the Pareto front as a line."""
    x, y = ([float(columns[f"value_{index}"][row]) for row in complete] for index in (0, 1))
    on = sorted((row for row in complete if columns["number"][row] in front), key=lambda row: columns["value_0"][row])
    words = [f"trial {columns['number'][row]}" + (", on the front" if columns["number"][row] in front else "") for row in complete]
    frame = Frame(500, 300, padded(x), padded(y))
    parts = [frame.axes(names[0], names[1])]
    points = " ".join(f"{frame.px(float(columns['value_0'][row])):.1f},{frame.py(float(columns['value_1'][row])):.1f}" for row in on)
    parts.append(Markup('<polyline class="curve c0" points="{}"/>').format(points))
    for place, row in enumerate(complete):
        size = 6 if columns["number"][row] in front else 3.2
        parts.append(Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}</title></circle>').format(frame.px(x[place]), frame.py(y[place]), size, words[place]))
    return Markup('<svg class="chart" viewBox="0 0 500 300" role="img" aria-label="Pareto front"><title>Pareto front of {} trials</title>{}</svg>').format(
        len(front), Markup("").join(parts)
    )


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
