"""The picture of the house: rooms on their floors and who imports whom, from the import statements of the package.

python docs/making/house.py            write docs/explanation/house.svg
python docs/making/house.py --check    say whether it still is what the code says
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "explanation" / "house.svg"
WIDTH, ROW, BOX = 860, 74, 34
_NAMES = {"cli": "command line", "shipped": ""}


def floors(pyproject: Path) -> list[list[str]]:
    """The floors from the top, as the import contract has them."""
    contracts = tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["id"] == "floors"]
    return [[name.strip(" ()") for name in layer.split("|")] for layer in layers]


def imports(package: Path) -> dict[str, set[str]]:
    """Room → rooms that some module of it imports, wherever in the file the import stands."""
    found: dict[str, set[str]] = {}
    known = {path.stem for path in package.iterdir()}
    for file in sorted(package.rglob("*.py")):
        room = file.relative_to(package).parts[0].removesuffix(".py")
        if room in ("__init__", "__main__"):
            continue
        names: list[str] = []
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names += [f"{node.module}.{alias.name}" if node.module == package.name else str(node.module) for alias in node.names]
        rooms = {name.split(".")[1] for name in names if name.startswith(f"{package.name}.")}
        found.setdefault(room, set()).update((rooms & known) - {room})
    return found


def draw(rows: Sequence[Sequence[str]], edges: Mapping[str, set[str]], sizes: Mapping[str, int]) -> str:
    """The picture as SVG: a box a room with its number of modules, a line an import; a line that ran upward would be red."""
    place: dict[str, tuple[float, float]] = {}
    for level, row in enumerate(rows):
        for column, room in enumerate(row):
            place[room] = (WIDTH * (column + 0.5) / len(row), 30 + ROW * level)
    height = 30 + ROW * (len(rows) - 1) + BOX + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" role="img" aria-label="The rooms of drugai and their imports">',
        "<style>.l{stroke:#0b6e63;stroke-opacity:.28;fill:none}.up{stroke:#c00;stroke-width:3}rect{fill:#fff;stroke:#0b6e63}text{fill:#1c2127;text-anchor:middle}"
        ".n{fill:#5b6673;font-size:10px}@media (prefers-color-scheme:dark){rect{fill:#171c21;stroke:#4fc4b4}text{fill:#e5e9ed}.l{stroke:#4fc4b4}.n{fill:#9aa6b2}}</style>",
    ]
    for room in sorted(edges):
        for other in sorted(edges[room]):
            if room in place and other in place:
                (x, y), (u, v) = place[room], place[other]
                kind = "l" if v > y else "l up"
                parts.append(
                    f'<path class="{kind}" d="M{x:.0f} {y + BOX:.0f}C{x:.0f} {y + BOX + 24:.0f} {u:.0f} {v - 24:.0f} {u:.0f} {v:.0f}"><title>{room} → {other}</title></path>'
                )
    for room, (x, y) in place.items():
        label, n = escape(_NAMES.get(room, room)), sizes.get(room, 0)
        words = f"{n} module{'s' if n != 1 else ''}"
        parts.append(
            f'<rect x="{x - 56:.0f}" y="{y:.0f}" width="112" height="{BOX}" rx="7"/><text x="{x:.0f}" y="{y + 15:.0f}" font-size="13" font-weight="600">{label}</text>'
        )
        parts.append(f'<text class="n" x="{x:.0f}" y="{y + 28:.0f}">{words}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def picture() -> str:
    """The picture of this checkout."""
    package = ROOT / "drugai"
    sizes = {path.stem: len(list(path.rglob("*.py"))) if path.is_dir() else 1 for path in package.iterdir()}
    return draw(floors(ROOT / "pyproject.toml"), imports(package), sizes)


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            0 if PICTURE.read_text(encoding="utf-8") == picture() else f"{PICTURE.relative_to(ROOT)} is not what the code says; run python docs/making/house.py"
        )
    PICTURE.write_text(picture(), encoding="utf-8")
