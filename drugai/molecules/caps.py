"""Limits that a molecule meets before any chemistry is done with it.

RDKit is fast on drug-like molecules and dies, hangs or silently reads another molecule on a few inputs: a line of 20,000 carbons ends the process
(SIGSEGV), a complete graph of 60 atoms takes minutes, a Cyrillic ``С`` is dropped, ``[Mg+1000]`` is accepted. All of these can be seen in the text,
so they are refused there. The bounds are upper bounds: ``C1.C1`` is one molecule to RDKit and two parts here.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from rdkit import Chem

from drugai.errors import (
    E_CHARGE,
    E_CHARSET,
    E_COMPLEXITY,
    E_EMPTY,
    E_FRAGMENTS,
    E_PARSE,
    E_TOO_LARGE,
    E_TOO_LONG,
    ConfigError,
    reason,
)

MAX_CHARGE = 4  # formal charge of one atom; the table of ions ends at +4 (Sn, Zr, Th), everything beyond is a typing error
MAX_ISOTOPE = 999

# One scan decides for most molecules: without these, and short, nothing can be wrong with a text. Not printable, "+" or "."; a long isotope number; a
# negative charge ("-" outside brackets is a bond). 0.3 µs for 40 characters; a hit only leads to the closer look.
_ODD = re.compile(r"[^!-*,/-~\-]|\[\d{4}|\[[^\]]*-")
_OUTSIDE = re.compile(r"[^!-~]")
_BRACKET = re.compile(r"\[[^\]]*\]?")
_CHARGE = re.compile(r"(\++|-+)(\d*)")
_ISOTOPE = re.compile(r"\[(\d{4,})")
# Brackets first, so that the digits and letters in them are neither ring closures nor atoms of their own.
_CLOSURE = re.compile(r"\[[^\]]*\]|(%\(\d+\)|%\d\d|\d)")
_ATOM = re.compile(r"(\[\d*H\d?[+-]?\d*(?::\d+)?\])|\[[^\]]*\]|Br|Cl|[BCNOPSFIbcnops*]")


@dataclass(frozen=True)
class Caps:
    """Largest molecule that is worked on; larger ones keep their row and get a reason."""

    max_characters: int = 2000
    """Characters of the SMILES."""
    max_heavy_atoms: int = 500
    """Heavy atoms; dummy atoms count as heavy."""
    max_fragments: int = 50
    """Parts between dots."""
    max_rings: int = 60
    """Independent rings: bonds - atoms + parts."""

    def __post_init__(self) -> None:
        for name in ("max_characters", "max_heavy_atoms", "max_fragments", "max_rings"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; a cap is at least 1")

    @functools.cached_property
    def surely_fine_below(self) -> int:
        """A text of at most this many characters cannot break the caps on length, atoms and rings (a ring needs two digits)."""
        return min(self.max_characters, self.max_heavy_atoms, 2 * self.max_rings)


DEFAULT_CAPS = Caps()


def clean_text(smi: str) -> str:
    """The SMILES without surrounding white space and without a CXSMILES extension (`` |...|``).

    Example:
        >>> clean_text("C[C@H](N)O |o1:1|")
        'C[C@H](N)O'
    """
    text = smi.strip()
    head, _, tail = text.partition(" ")
    return head if tail.lstrip().startswith("|") else text


def check_text(smi: str | None, caps: Caps = DEFAULT_CAPS) -> str:
    """Why a SMILES must not be given to RDKit, or ``""``.

    Args:
        smi: One SMILES; None and NaN count as empty.
        caps: The limits.

    Returns:
        A reason (``"E_TOO_LONG: 20000 characters, the cap is 2000"``) or ``""``. ``""`` does not promise that RDKit can parse the text.

    Example:
        >>> check_text("CC(=O)Oc1ccccc1C(=O)O")  # aspirin
        ''
        >>> check_text("[Mg+1000]")
        'E_CHARGE: an atom carries the charge +1000, the limit is ±4'
    """
    if isinstance(smi, str) and 0 < len(smi) <= caps.surely_fine_below and _ODD.search(smi) is None:
        return ""
    return examine(smi, caps)[1]


def examine(smi: str | None, caps: Caps = DEFAULT_CAPS) -> tuple[str, str]:
    """The cleaned text of a SMILES and its reason; the slow and thorough half of :func:`check_text`."""
    if not isinstance(smi, str):  # None, or the NaN that pandas puts in place of an empty cell
        if smi is None or smi != smi:
            return "", reason(E_EMPTY, "there is no SMILES")
        return "", reason(E_CHARSET, f"a SMILES is text, got {type(smi).__name__}")
    text = clean_text(smi)
    return text, _check_clean(text, caps)


def _check_clean(text: str, caps: Caps) -> str:
    n = len(text)
    if not n:
        return reason(E_EMPTY, "the SMILES is empty")
    if n > caps.max_characters:
        return reason(E_TOO_LONG, f"{n} characters, the cap is {caps.max_characters}")
    odd = _OUTSIDE.search(text)
    if odd is not None:
        return reason(E_CHARSET, f"character {_name(odd.group())} at position {odd.start() + 1}; a SMILES is printable ASCII")
    if "[" in text:
        words = _check_brackets(text)
        if words:
            return words
    if text.count(".") >= caps.max_fragments:
        return reason(E_FRAGMENTS, f"{text.count('.') + 1} parts, the cap is {caps.max_fragments}")
    if n > caps.max_heavy_atoms:
        heavy = sum(1 for match in _ATOM.finditer(text) if match.group(1) is None)
        if heavy > caps.max_heavy_atoms:
            return reason(E_TOO_LARGE, f"{heavy} heavy atoms, the cap is {caps.max_heavy_atoms}")
    if n > 2 * caps.max_rings:
        rings = sum(1 for match in _CLOSURE.finditer(text) if match.group(1) is not None) // 2
        if rings > caps.max_rings:
            return reason(E_COMPLEXITY, f"{rings} rings, the cap is {caps.max_rings}")
    return ""


def _check_brackets(text: str) -> str:
    if _ISOTOPE.search(text):
        return reason(E_PARSE, f"an isotope number is at most {MAX_ISOTOPE}")
    for bracket in _BRACKET.finditer(text):
        inside = bracket.group()
        if "+" not in inside and "-" not in inside:
            continue
        for sign, number in _CHARGE.findall(inside):
            # int() of a text of a thousand digits is slow, and refused by Python above 4,300
            size = len(sign) if not number else (int(number) if len(number) < 10 else MAX_CHARGE + 1)
            if size > MAX_CHARGE:
                shown = sign[0] + (number[:12] or str(len(sign)))
                return reason(E_CHARGE, f"an atom carries the charge {shown}, the limit is ±{MAX_CHARGE}")
    return ""


def _name(character: str) -> str:
    if character in (" ", "\t"):
        return "white space"
    return f"U+{ord(character):04X}" + (f" ({character})" if character.isprintable() else "")


def check_mol(mol: Chem.Mol, caps: Caps = DEFAULT_CAPS) -> str:
    """Why a Mol that did not come from a SMILES (an SDF record, a reaction's product) is too large, or ``""``."""
    n_atoms = mol.GetNumAtoms()
    if n_atoms == 0:
        return reason(E_EMPTY, "the molecule has no atoms")
    if n_atoms > caps.max_heavy_atoms and mol.GetNumHeavyAtoms() > caps.max_heavy_atoms:
        return reason(E_TOO_LARGE, f"{mol.GetNumHeavyAtoms()} heavy atoms, the cap is {caps.max_heavy_atoms}")
    # bonds - atoms + parts is the number of independent rings; with one part it cannot be more than this
    excess = mol.GetNumBonds() - n_atoms
    if excess + 1 <= 0 or n_atoms > caps.max_fragments or excess + n_atoms > caps.max_rings:
        parts = len(Chem.GetMolFrags(mol))
        if parts > caps.max_fragments:
            return reason(E_FRAGMENTS, f"{parts} parts, the cap is {caps.max_fragments}")
        if excess + parts > caps.max_rings:
            return reason(E_COMPLEXITY, f"{excess + parts} rings, the cap is {caps.max_rings}")
    for atom in mol.GetAtoms():
        if abs(atom.GetFormalCharge()) > MAX_CHARGE:
            return reason(E_CHARGE, f"an atom carries the charge {atom.GetFormalCharge():+d}, the limit is ±{MAX_CHARGE}")
    return ""
