"""Molecules drawn as SVG, small enough to stand in a page by the hundred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from rdkit import Chem, rdBase

from drugai.molecules.batch import MoleculeBatch

MAX_DRAWN_ATOMS = 150
"""Coordinates of a 200-residue peptide take RDKit more than 20 s; beyond this a molecule is shown as text."""


def draw_svg(
    molecule: str | Chem.Mol,
    *,
    size: tuple[int, int] = (250, 180),
    highlight: Sequence[int] | None = None,
    atom_weights: Sequence[float] | None = None,
    legend: str = "",
) -> str:
    """One molecule as an ``<svg>`` element.

    Args:
        molecule: A SMILES or a Mol.
        size: Width and height in pixels.
        highlight: Atom numbers to mark.
        atom_weights: One number an atom; positive is drawn blue and negative red, by strength relative to the greatest.
        legend: Text below; escaped, so it may come from any file.

    Returns:
        SVG without an XML declaration. A molecule that cannot be read, or one of more than 150 heavy atoms, is shown as text.
    """
    if isinstance(molecule, str):
        batch = MoleculeBatch([molecule])
        mol, why = batch.mols[0], batch.reasons[0]
        if mol is None:
            return _text(["not drawn", why, molecule], size, legend)
    else:
        mol = molecule
    if mol.GetNumHeavyAtoms() > MAX_DRAWN_ATOMS:
        return _text([f"{mol.GetNumHeavyAtoms()} heavy atoms", _short(Chem.MolToSmiles(mol), 120)], size, legend)
    atoms, colours = _colours(mol.GetNumAtoms(), highlight, atom_weights)
    width, height = size
    from rdkit.Chem.Draw import rdMolDraw2D  # only who draws waits for it

    drawer = rdMolDraw2D.MolDraw2DSVG(width, height - (18 if legend else 0))
    options: Any = drawer.drawOptions()
    options.clearBackground = False
    options.padding = 0.08
    with rdBase.BlockLogs():
        rdMolDraw2D.PrepareAndDrawMolecule(drawer, mol, highlightAtoms=atoms, highlightAtomColors=colours, highlightBonds=[])
    drawer.FinishDrawing()
    body = drawer.GetDrawingText()
    inner = body[body.index(">", body.index("<svg")) + 1 : body.rindex("</svg>")]
    return _svg(inner, size, legend)


def _colours(n: int, highlight: Sequence[int] | None, weights: Sequence[float] | None) -> tuple[list[int], Mapping[int, tuple[float, float, float]]]:
    if weights is None:
        atoms = [atom for atom in highlight or () if 0 <= atom < n]
        return atoms, dict.fromkeys(atoms, (1.0, 0.85, 0.45))
    values = [float(value) if value == value else 0.0 for value in weights][:n]
    most = max((abs(value) for value in values), default=0.0) or 1.0
    colours = {}
    for atom, value in enumerate(values):
        strength = abs(value) / most
        if strength > 0.05:
            pale = 1.0 - 0.65 * strength
            colours[atom] = (pale, pale + 0.15 * strength, 1.0) if value > 0 else (1.0, pale, pale)
    return list(colours), colours


def _svg(inner: str, size: tuple[int, int], legend: str) -> str:
    width, height = size
    label = (
        f'<text x="{width / 2:g}" y="{height - 5}" text-anchor="middle" font-family="sans-serif" font-size="12">{escape(_printable(legend))}</text>'
        if legend
        else ""
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">{inner}{label}</svg>'


def _text(lines: Sequence[str], size: tuple[int, int], legend: str) -> str:
    width, height = size
    room = max(8, width // 7)
    cut = [part for line in lines for part in _wrap(_printable(line), room)][: max(1, (height - 30) // 14)]
    inner = "".join(f'<text x="6" y="{20 + 14 * k}" font-family="monospace" font-size="11">{escape(part)}</text>' for k, part in enumerate(cut))
    return _svg(inner, size, legend)


def _wrap(text: str, room: int) -> list[str]:
    return [text[at : at + room] for at in range(0, len(text), room)]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _printable(text: str) -> str:
    """Control characters are not allowed in XML, escaped or not."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
