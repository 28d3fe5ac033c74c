"""Charts as SVG text: histogram, parity, ROC and lines. Colours come from the page's style sheet, so they follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from drugai.reports.page import pretty_unit

_TITLE = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>{}</svg>')


_DIGIT = 7.2
"""Pixels that a character of a tick takes."""

_KEYS = 26
"""Pixels above a frame whose names stand there."""


@dataclass(frozen=True)
class Frame:
    """The plotting area of a chart of ``width`` × ``height`` pixels and the ranges that it shows."""

    width: int
    height: int
    x: tuple[float, float]
    y: tuple[float, float]
    left: int = 52
    bottom: int = 40
    top: int = 12
    right: int = 12

    def px(self, value: float) -> float:
        """Pixel of an x value."""
        low, high = self.x
        return self.left + (value - low) / ((high - low) or 1.0) * (self.width - self.left - self.right)

    def py(self, value: float) -> float:
        """Pixel of a y value; up is more."""
        low, high = self.y
        return self.height - self.bottom - (value - low) / ((high - low) or 1.0) * (self.height - self.bottom - self.top)

    def axes(self, x_label: str, y_label: str, y_ticks: Sequence[tuple[float, str]] | None = None, *, grid: bool = True) -> Markup:
        """Grid, tick labels and titles."""
        parts = []
        bottom, right = self.height - self.bottom, self.width - self.right
        y_ticks = y_ticks if y_ticks is not None else [(tick, _short(tick)) for tick in ticks(*self.y)]
        for value, text in y_ticks:
            at = self.py(value)
            if grid:
                parts.append(Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(self.left, right, at, at))
            parts.append(Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(self.left - 6, at + 4, text))
        for value in ticks(*self.x):
            at = self.px(value)
            parts.append(Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(at, bottom + 16, _short(value)))
        parts.append(Markup('<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(self.left, right, bottom, bottom))
        parts.append(Markup('<text class="label" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format((self.left + right) / 2, self.height - 5, x_label))
        middle = (self.top + bottom) / 2
        aside = min(12.0, self.left - 12 - _DIGIT * max((len(text) for _, text in y_ticks), default=0))  # left of the longest number; a chart may draw into its margin
        parts.append(Markup('<text class="label" transform="translate({:.0f} {:.1f}) rotate(-90)" text-anchor="middle">{}</text>').format(aside, middle, y_label))
        return Markup("").join(parts)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers within [low, high], about five: steps of 1, 2 or 5 times a power of ten."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def histogram(
    edges: Sequence[float],
    counts: Sequence[int],
    *,
    hits: Sequence[int] | None = None,
    cut: float | None = None,
    x_label: str,
    y_label: str = "molecules",
    size: tuple[int, int] = (520, 210),
    log: bool = True,
) -> Markup:
    """Counts per bin, the hits' share of each bin marked, and a line at ``cut``. The logarithmic axis shows log10(1 + count), so that one molecule is seen."""
    most = max([*counts, 1])
    scale = (lambda count: math.log10(1 + count)) if log else float
    frame = Frame(*size, (edges[0], edges[-1]), (0.0, scale(most) * 1.04))
    powers = [10**k for k in range(9) if 10**k <= most]
    y_ticks = [(0.0, "0"), *((scale(value), f"{value:,}") for value in powers)] if log else None
    bars = []
    for k, count in enumerate(counts):
        left, right = frame.px(edges[k]), frame.px(edges[k + 1])
        for kind, height in (("bar", count), ("bar hit", hits[k] if hits is not None else 0)):
            if height:
                at = frame.py(scale(height))
                text = f"{_short(edges[k])} to {_short(edges[k + 1])}: {count:,} molecules" + (f", {hits[k]:,} hits" if hits is not None else "")
                bars.append(
                    Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>').format(
                        kind, left + 0.4, at, max(right - left - 0.8, 0.6), frame.py(0) - at, text
                    )
                )
    mark = Markup("")
    if cut is not None and edges[0] <= cut <= edges[-1]:
        at = frame.px(cut)
        left_side = at > size[0] * 0.72
        mark = Markup('<line class="cut" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/><text class="cut" x="{3:.1f}" y="{4}" text-anchor="{5}">hits from {6}</text>').format(
            at, frame.top, size[1] - frame.bottom, at + (-6 if left_side else 6), frame.top + 9, "end" if left_side else "start", f"{cut:.3f}"
        )
    words = f"Histogram of {x_label}: {sum(counts):,} molecules" + (f", {sum(hits):,} of them hits" if hits is not None else "")
    return _chart(size, words, frame.axes(x_label, y_label, y_ticks), *bars, mark)


def parity(
    measured: Sequence[float], predicted: Sequence[float], *, unit: str = "", name: str = "value", std: Sequence[float] | None = None, size: tuple[int, int] = (360, 340)
) -> Markup:
    """Predicted against measured values with the line of equality, one unit on either side of it, and ±1 standard deviation where it is known."""
    x, y = np.asarray(measured, float), np.asarray(predicted, float)
    spread = np.zeros_like(y) if std is None else np.nan_to_num(np.asarray(std, float))
    known = ~(np.isnan(x) | np.isnan(y))
    x, y, spread = x[known], y[known], spread[known]
    low, high = padded(np.concatenate([x, y])) if len(x) else (0.0, 1.0)
    frame = Frame(*size, (low, high), (low, high))
    parts = [_line(frame, [low, high], [low, high], "equal")]
    for shift in (-1.0, 1.0):
        xs = [max(low, low - shift), min(high, high - shift)]
        if xs[1] > xs[0]:
            parts.append(_line(frame, xs, [value + shift for value in xs], "band"))
    for a, b, s in zip(x, y, spread, strict=True):
        words = f"measured {a:.2f}, predicted {b:.2f}" + (f" ± {s:.2f}" if s else "")
        if s:
            ends = max(low, b - s), min(high, b + s)
            parts.append(Markup('<line class="error" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>').format(frame.px(a), frame.py(ends[0]), frame.py(ends[1])))
        parts.append(Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3.2"><title>{}</title></circle>').format(frame.px(a), frame.py(b), words))
    suffix = f" [{pretty_unit(unit)}]" if unit else ""
    axes = frame.axes(f"measured {name}{suffix}", f"predicted {name}{suffix}")
    return _chart(size, f"Predicted against measured {name} of {len(x)} molecules", axes, *parts)


def roc(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, size: tuple[int, int] = (360, 340)) -> Markup:
    """ROC curves: name → (classes 0 or 1, scores); the diagonal is chance. The first curve is drawn strongest."""
    frame = Frame(*size, (0.0, 1.0), (0.0, 1.0))
    parts = [_line(frame, [0, 1], [0, 1], "equal")]
    for number, (name, (truth, score)) in enumerate(curves.items()):
        x, y = roc_points(truth, score)
        parts.append(_line(frame, x, y, f"curve c{number % 5}"))
        parts.append(_key(frame, number, name, size))
    return _chart(size, f"ROC curves of {', '.join(curves)}", frame.axes("false positive rate", "true positive rate"), *parts)


def roc_points(truth: Sequence[float], score: Sequence[float]) -> tuple[list[float], list[float]]:
    """False and true positive rates at every threshold, equal scores taken together, from (0, 0) to (1, 1)."""
    labels, values = np.asarray(truth, float), np.asarray(score, float)
    known = ~(np.isnan(labels) | np.isnan(values))
    labels, values = labels[known], values[known]
    order = np.argsort(-values, kind="stable")
    labels, values = labels[order], values[order]
    last = np.flatnonzero(np.append(np.diff(values) != 0, True)) if len(values) else np.zeros(0, int)
    hit, missed = np.cumsum(labels)[last], np.cumsum(1 - labels)[last]
    if not len(hit) or not hit[-1] or not missed[-1]:
        return [0.0, 1.0], [0.0, 1.0]
    return [0.0, *(missed / missed[-1]).tolist()], [0.0, *(hit / hit[-1]).tolist()]


def lines(series: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, x_label: str, y_label: str, size: tuple[int, int] = (520, 260)) -> Markup:
    """Named lines (x values, y values) in one frame with a key."""
    xs = np.array([value for x, _ in series.values() for value in x], float)
    ys = np.array([value for _, y in series.values() for value in y if math.isfinite(value)], float)
    frame = Frame(*size, (float(xs.min()), float(xs.max())) if len(xs) else (0, 1), padded(ys) if len(ys) else (0, 1), top=_KEYS)
    parts = [_keys(frame, {name: number % 5 for number, name in enumerate(series)})]
    for number, (x, y) in enumerate(series.values()):
        pairs = [(a, b) for a, b in zip(x, y, strict=True) if math.isfinite(b)]
        parts.append(_line(frame, [a for a, _ in pairs], [b for _, b in pairs], f"curve c{number % 5}"))
    return _chart(size, f"{y_label} against {x_label}", frame.axes(x_label, y_label), *parts)


def scatter(
    xs: Sequence[float], ys: Sequence[float], *, x_label: str, y_label: str, words: Sequence[str] | None = None, strong: int | None = None, size: tuple[int, int] = (500, 300)
) -> Markup:
    """Points; ``words`` are shown on hovering, the point ``strong`` is drawn larger."""
    x, y = np.asarray(xs, float), np.asarray(ys, float)
    known = np.isfinite(x) & np.isfinite(y)
    frame = Frame(*size, padded(x[known]) if known.any() else (0, 1), padded(y[known]) if known.any() else (0, 1))
    parts = []
    for row in np.flatnonzero(known).tolist():
        text = words[row] if words is not None else f"{x[row]:.4g}, {y[row]:.4g}"
        parts.append(Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}</title></circle>').format(frame.px(x[row]), frame.py(y[row]), 6 if row == strong else 3.2, text))
    return _chart(size, f"{y_label} against {x_label} of {int(known.sum())} points", frame.axes(x_label, y_label), *parts)


def clouds(groups: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[str]]], *, x_label: str, y_label: str, size: tuple[int, int] = (900, 420)) -> Markup:
    """Named groups of points (x values, y values, words shown on hovering) in one frame with a key; later groups lie on top."""
    xs, ys = (np.array([value for group in groups.values() for value in group[axis]], float) for axis in (0, 1))
    frame = Frame(*size, padded(xs) if len(xs) else (0, 1), padded(ys) if len(ys) else (0, 1), top=_KEYS)
    parts = [frame.axes(x_label, y_label), _keys(frame, {name: (len(groups) - 1 - number) % 5 for number, name in enumerate(groups)})]
    for number, (x, y, words) in enumerate(groups.values()):
        kind = f"dot c{(len(groups) - 1 - number) % 5}"  # the last group, on top, has the page's own colour
        for a, b, text in zip(x, y, words, strict=True):
            parts.append(Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="3.2"><title>{}</title></circle>').format(kind, frame.px(a), frame.py(b), text))
    return _chart(size, f"{y_label} against {x_label} of {', '.join(groups)}", *parts)


def bars(shares: Mapping[str, float], *, label: str, width: int = 520) -> Markup:
    """Named horizontal bars, longest first, with their values."""
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    most = max((value for _, value in ordered), default=1.0) or 1.0
    size, parts = (width, 24 * len(ordered) + 16), []
    for row, (name, value) in enumerate(ordered):
        y = 8 + 24 * row
        parts.append(Markup('<text class="tick" x="170" y="{}" text-anchor="end">{}</text>').format(y + 14, name))
        parts.append(Markup('<rect class="bar" x="178" y="{}" width="{:.1f}" height="16"/>').format(y + 2, max(1.0, (width - 250) * value / most)))
        parts.append(Markup('<text class="tick" x="{:.1f}" y="{}">{:.2f}</text>').format(184 + (width - 250) * value / most, y + 14, value))
    return _chart(size, f"{label} of {', '.join(shares)}", *parts)


def _chart(size: tuple[int, int], words: str, *parts: Markup) -> Markup:
    return _TITLE.format(*size, words, words, Markup("").join(parts))


def _line(frame: Frame, xs: Sequence[float], ys: Sequence[float], kind: str) -> Markup:
    points = " ".join(f"{frame.px(x):.1f},{frame.py(y):.1f}" for x, y in zip(xs, ys, strict=True))
    return Markup('<polyline class="{}" points="{}"/>').format(kind, points)


def _keys(frame: Frame, names: Mapping[str, int]) -> Markup:
    """Names in their colours in one line above the plotting area, where no line or point can lie."""
    spans = [Markup('<tspan class="c{}"{}>{}</tspan>').format(colour, Markup(' dx="14"') if at else "", name) for at, (name, colour) in enumerate(names.items())]
    return Markup('<text class="key" x="{}" y="13" text-anchor="end">{}</text>').format(frame.width - frame.right, Markup("").join(spans))


def _key(frame: Frame, number: int, name: str, size: tuple[int, int]) -> Markup:
    y = size[1] - frame.bottom - 12 - 16 * number
    x = size[0] - frame.right - 6
    return Markup('<text class="key c{}" x="{}" y="{}" text-anchor="end">{}</text>').format(number % 5, x, y, name)


def padded(values: np.ndarray | Sequence[float]) -> tuple[float, float]:
    """The range of some values with a margin of a twentieth on either side."""
    low, high = float(np.min(values)), float(np.max(values))
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def _short(value: float) -> str:
    return f"{value:.6g}"
