"""Structures for pages: RDKit's drawing boiled down to a few paths whose colours follow the page's theme."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree

from markupsafe import Markup

from drugai.molecules import draw_svg

Paths = list[list[str]]
"""``[[css classes, path data], …]``: a structure as plain texts that a page builds elements from; nothing of it is ever parsed as HTML."""

SIZE = (300, 170)
"""Width and height: drug-like molecules lie about twice as wide as high."""

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
_PATH_DATA = re.compile(r"[MLQCZ0-9., -]+")


def draw_paths(smi: str, size: tuple[int, int] = SIZE) -> Paths | None:
    """The drawing of one molecule as paths, about a sixth of RDKit's text; None where it cannot be drawn (unreadable, or more than 150 atoms)."""
    return compact(draw_svg(smi, size=size))


def compact(svg: str) -> Paths | None:
    """Paths of the same colour and kind joined; None if the drawing holds anything but paths (a molecule shown as text)."""
    joined: dict[str, list[str]] = {}
    for element in ElementTree.fromstring(svg):
        if element.tag is ElementTree.Comment:
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
