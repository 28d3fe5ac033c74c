"""Structures for pages: RDKit's drawing boiled down to a few paths whose colours follow the page's theme."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree

import numpy as np
from markupsafe import Markup

from drugai.molecules import draw_svg

Paths = list[list[str]]
"""``[[css classes, path data], …]``: a structure as plain texts that a page builds elements from; nothing of it is ever parsed as HTML."""

SIZE = (300, 170)
"""Width and height: drug-like molecules lie about twice as wide as high."""
_STEPS = 4
_HALO = 1.7
"""Radius of a halo, in those that RDKit draws for a marked atom."""

# RDKit's palette → one class a colour (style.css says what it looks like in light and dark); any other colour is drawn in that of the text
_CLASSES = {
    "#0000FF": "n",
    "#FF0000": "o",
    "#33CCCC": "f",
    "#FF7F00": "p",
    "#CCCC00": "s",
    "#00CC00": "l",
    "#7F4C19": "b",
    "#A01EEF": "i",
}
_TAG = "{http://www.w3.org/2000/svg}path"
_ELLIPSE = "{http://www.w3.org/2000/svg}ellipse"
_PATH_DATA = re.compile(r"[MLQCZ0-9., -]+")


def draw_paths(smi: str, size: tuple[int, int] = SIZE, weights: Sequence[float] | np.ndarray | None = None) -> Paths | None:
    """The drawing of one molecule as paths, about a sixth of RDKit's text; None where it cannot be drawn (unreadable, or more than 150 atoms).

    Args:
        smi: A SMILES.
        size: Width and height.
        weights: ``[V]`` one number an atom: a halo behind it, blue where it is positive and red where it is negative, in four steps of the greatest.
    """
    if weights is None:
        return compact(draw_svg(smi, size=size))
    values = np.nan_to_num(np.asarray(weights, dtype=float))
    steps = np.ceil(_STEPS * np.abs(values) / max(float(np.abs(values).max(initial=0.0)), 1e-12)).astype(int)
    halos = {f"atom-{atom}": f"{'x' if values[atom] > 0 else 'y'}{steps[atom]} v" for atom in range(len(values)) if steps[atom] > 0}
    return compact(draw_svg(smi, size=size, atom_weights=[float(value) for value in values]), halos)


def compact(svg: str, halos: Mapping[str, str] | None = None) -> Paths | None:
    """Paths of the same colour and kind joined; None if the drawing holds anything but paths (a molecule shown as text).

    Args:
        svg: RDKit's drawing.
        halos: RDKit's class of a marked atom → classes of its halo; ellipses of other atoms are left out.
    """
    joined: dict[str, list[str]] = {}
    drawing = ElementTree.fromstring(svg)
    # an atom drawn as letters has a wider mark; halos are of one size
    radius = _HALO * min((float(element.get("ry", "inf")) for element in drawing if element.tag == _ELLIPSE), default=0.0)
    for element in drawing:
        if element.tag is ElementTree.Comment:
            continue
        if halos is not None and element.tag == _ELLIPSE:
            kind = halos.get(element.get("class", "").strip())
            if kind is not None:
                joined.setdefault(kind, []).append(_circle(float(element.get("cx", "0")), float(element.get("cy", "0")), radius))
            continue
        data = element.get("d", "")
        if element.tag != _TAG or not _PATH_DATA.fullmatch(data):
            return None
        joined.setdefault(_kind(element), []).append(_shorten(data))
    return [[kind, "".join(parts)] for kind, parts in joined.items()] or None


def _kind(element: ElementTree.Element) -> str:
    """Classes of a path: ``k`` or the atom's colour, then how it is painted (``t`` a line, ``u`` a line and a face, ``v`` a face)."""
    style = dict(part.split(":", 1) for part in element.get("style", "").split(";") if ":" in part)
    fill, stroke = element.get("fill") or style.get("fill", "none"), style.get("stroke", "none")
    colour = _CLASSES.get((stroke if stroke != "none" else fill).upper(), "k")
    painted = "t" if fill == "none" else "v" if stroke == "none" else "u"
    return f"{colour} {painted}"


def _circle(x: float, y: float, r: float) -> str:
    """A circle as four curves, since a drawing holds paths alone."""
    a = 0.5523 * r  # the usual cubic approximation of a quarter
    curves = [(x + r, y + a, x + a, y + r, x, y + r), (x - a, y + r, x - r, y + a, x - r, y), (x - r, y - a, x - a, y - r, x, y - r), (x + a, y - r, x + r, y - a, x + r, y)]
    return f"M{x + r:.1f},{y:.1f}" + "".join("C" + " ".join(f"{value:.1f}" for value in curve) for curve in curves) + "Z"


def _shorten(data: str) -> str:
    return re.sub(r"\s*([MLQCZ])\s*", r"\1", data).strip()


def to_svg(paths: Paths | None, label: str = "", size: tuple[int, int] = SIZE) -> Markup:
    """Paths as an inline ``<svg class="mol">``; empty where there are none. The label is escaped."""
    if paths is None:
        return Markup("")
    inner = Markup("").join(Markup('<path class="{}" d="{}"/>').format(kind, data) for kind, data in paths)
    return Markup('<svg class="mol" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(*size, label, inner)


def draw_many(smiles: Iterable[str], most: int) -> list[Paths | None]:
    """Drawings of the first ``most`` molecules; the page shows the rest as SMILES."""
    return [draw_paths(smi) for _, smi in zip(range(most), smiles, strict=False)]
