"""The molecules of a job as a file that the readers of :mod:`drugai.molecules` take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drugai.app.limits import ROWS
from drugai.errors import ConfigError
from drugai.molecules import read_library

_COMMANDS = {"admet": "admet FILE", "predict": "predict MODEL FILE", "screen": "screen FILE --model MODEL"}


def input_file(asked: Mapping[str, Any], folder: Path, kind: str) -> tuple[Path, int]:
    """Write pasted text into the job's folder, or take the uploaded file that lies there; refuses more molecules than the kind takes.

    Returns:
        The file, and how many rows it has.

    Raises:
        ConfigError: There are too many, or none.
        DatasetError: The table cannot be read, or no column is named like SMILES.
    """
    if asked["file"]:
        path = folder / str(asked["file"])
    else:
        text = str(asked["text"]).strip() + "\n"
        path = folder / f"input.{text_format(text)}"
        path.write_text(text, encoding="utf-8")
    n, most = 0, ROWS[kind]
    for part in read_library(path):
        n += len(part)
        if n > most:
            raise ConfigError(f"more than {most:,} molecules; the command line takes files of any size: `drugai {_COMMANDS[kind]} --out …`")
    if n == 0:
        raise ConfigError("no molecule is there: one SMILES a line, or a table with a column named SMILES")
    return path, n


def text_format(text: str) -> str:
    """csv, tsv or smi: what a pasted text is, told by its first line. No SMILES holds a comma or a semicolon; a tab may also stand between a SMILES and its name."""
    first = text.partition("\n")[0]
    if "," in first or ";" in first:
        return "csv"
    return "tsv" if "\t" in first and "smiles" in first.lower() else "smi"
