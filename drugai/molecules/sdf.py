"""Records of an SDF file, each read alone, so that a damaged one costs itself and no other.

RDKit's supplier loses the molecule after a missing ``$$$$`` without a word, stops at a latin-1 property and follows a counts line that lies. Here the file is cut
into records as text; each mol block is checked against its own counts line before RDKit sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from rdkit import Chem, rdBase

from drugai.errors import E_PARSE, E_RECORD, reason
from drugai.molecules.batch import words_of_log
from drugai.molecules.caps import DEFAULT_CAPS, Caps, check_mol
from drugai.molecules.sources import RECORD_CAP, LineSource

_COUNTS = re.compile(r"^(?:[ \d]{6}.*V2000|[ \d]{6}.*V3000)\s*$")
_PROPERTY = re.compile(r"^>.*?<([^>]*)>")
_BLOCK_END = ("M  ", "A  ", "V  ", "G  ", "S  ")
_V30_COUNTS = re.compile(r"^M  V30 COUNTS +(\d+) +(\d+)")


@dataclass
class Record:
    """One molecule of an SDF file: its SMILES or a reason, title, properties and the line it starts on."""

    line: int
    smiles: str = ""
    title: str = ""
    reason: str = ""
    properties: dict[str, str] = field(default_factory=dict)


def read_records(source: LineSource, caps: Caps = DEFAULT_CAPS, first_line: int = 1) -> Iterator[Record]:
    """The records of an SDF file, one by one; none is left out.

    A record whose ``$$$$`` is missing is cut before the next title line (three lines above the next counts line).
    """
    for line, lines, why in cut(source, first_line):
        yield Record(line, reason=why) if why else read_one(line, lines, caps)


def record_starts(source: LineSource) -> Iterator[int]:
    """The line on which each record starts."""
    return (line for line, _, _ in cut(source, 1))


def cut(source: LineSource, first_line: int) -> Iterator[tuple[int, list[str], str]]:
    """(first line, lines, reason) of each record, as text; a record too long to be one has no lines but a reason."""
    held: list[str] = []
    start = number = first_line
    size, too_long = 0, False
    counts: list[int] = []
    for block in source:
        for line in block:
            if line.startswith("$$$$"):
                if too_long:
                    yield start, [], reason(E_RECORD, f"the record at line {start} has more than {RECORD_CAP} characters")
                else:
                    yield from _separate(start, held, counts)
                held, counts, size, too_long = [], [], 0, False
                start = number + 1
            elif not too_long:
                if line.endswith("000") and _COUNTS.match(line):
                    counts.append(len(held))
                held.append(line)
                size += len(line) + 1
                if size > RECORD_CAP:
                    too_long, held = True, []
            number += 1
    if too_long:
        yield start, [], reason(E_RECORD, f"the record at line {start} has more than {RECORD_CAP} characters")
    elif any(line.strip() for line in held) and not source.damage:
        yield from _separate(start, held, counts)
    if source.damage:
        yield number, [], reason(E_RECORD, f"{source.damage}; the records from here on are lost")


def _separate(start: int, lines: list[str], counts: list[int]) -> Iterator[tuple[int, list[str], str]]:
    """One record, or several where a ``$$$$`` is missing: each counts line after the first starts a molecule three lines above it."""
    cuts = [0, *(max(0, at - 3) for at in counts[1:]), len(lines)]
    for begin, end in pairwise(cuts):
        if end > begin:
            yield start + begin, lines[begin:end], ""


def read_one(line: int, lines: list[str], caps: Caps) -> Record:
    """The record whose text is ``lines``, starting at ``line`` of the file."""
    record = Record(line, title=lines[0].strip() if lines else "")
    end = next((k + 1 for k, text in enumerate(lines) if text.startswith("M  END")), None)
    if end is None:  # files of before 1992 have none: the block ends at the first property
        end = next((k for k, text in enumerate(lines) if text.startswith(">")), len(lines))
    record.properties = properties_of(lines[end:])
    block = lines[:end]
    record.reason = _check_counts(block, caps)
    if record.reason:
        return record
    with rdBase.BlockLogs(), rdBase.CaptureErrorLog() as log:
        # The title is free text in any encoding and of no use to RDKit
        mol = Chem.MolFromMolBlock("\n".join(["", *block[1:]]) + "\n", strictParsing=False)
    if mol is None:
        record.reason = reason(E_PARSE, f"mol block at line {line}: {words_of_log(log.messages)}")
        return record
    record.reason = check_mol(mol, caps)
    if not record.reason:
        record.smiles = Chem.MolToSmiles(mol)
    return record


def _check_counts(block: list[str], caps: Caps) -> str:
    """Why a mol block must not be given to RDKit: no counts line, one that lies, or too many atoms."""
    if len(block) < 4:
        return reason(E_RECORD, f"a mol block has at least 4 lines, this record has {len(block)}")
    if any(ord(character) > 126 for text in block[3:] for character in text):
        return reason(E_RECORD, "the mol block has a character that is not ASCII")
    most = 8 * caps.max_heavy_atoms  # explicit hydrogens are no heavy atoms, but ten thousand of them are no molecule either
    if "V3000" in block[3]:
        for text in block[4:]:
            found = _V30_COUNTS.match(text)
            if found:
                atoms, bonds = found.groups()
                if len(atoms) > 7 or len(bonds) > 7 or int(atoms) > most or int(bonds) > most:
                    return reason(E_RECORD, f"the counts line asks for {atoms[:12]} atoms and {bonds[:12]} bonds")
            elif len(text) > 7 and _long_number(text[7:30]):
                return reason(E_RECORD, f"an index in {text[:40]!r} is out of range")
        return ""
    try:
        atoms_n, bonds_n = int(block[3][:3]), int(block[3][3:6])
    except ValueError:
        return reason(E_RECORD, f"the fourth line is no counts line: {block[3][:40]!r}")
    end = next((k for k in range(4, len(block)) if block[k].startswith(_BLOCK_END)), None)
    found_n = (end if end is not None else len([text for text in block if text.strip()])) - 4
    if (end is not None and found_n != atoms_n + bonds_n) or found_n < 0:
        return reason(E_RECORD, f"the counts line says {atoms_n} atoms and {bonds_n} bonds, the block has {found_n} lines")
    return ""


def _long_number(text: str) -> bool:
    """True where the leading whole number of a V3000 line has more than 6 digits."""
    head = text.split(None, 1)
    return bool(head) and head[0].isdigit() and len(head[0]) > 6


def properties_of(lines: list[str]) -> dict[str, str]:
    """The data items of a record: name → value; the first of a name that occurs twice."""
    out: dict[str, str] = {}
    name, values = None, list[str]()
    for text in [*lines, ""]:
        match = _PROPERTY.match(text) if text.startswith(">") else None
        if match:
            if name is not None:
                out.setdefault(name, "\n".join(values))
            name, values = match.group(1), []
        elif name is not None:
            if text:
                values.append(text)
            else:
                out.setdefault(name, "\n".join(values))
                name, values = None, []
    return out
