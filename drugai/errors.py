"""The errors a user meets, and the reason codes of rows that could not be used.

A row that cannot be used stays in its place with a *reason*: the text ``"E_CODE: words"``. The empty string means that the row is fine. An error stops
the call; it says what is wrong, what was got and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

E_EMPTY = "E_EMPTY"
E_PARSE = "E_PARSE"
E_CHARSET = "E_CHARSET"
E_CHARGE = "E_CHARGE"
E_TOO_LONG = "E_TOO_LONG"
E_TOO_LARGE = "E_TOO_LARGE"
E_FRAGMENTS = "E_FRAGMENTS"
E_COMPLEXITY = "E_COMPLEXITY"
E_RECORD = "E_RECORD"
E_FEATURIZE = "E_FEATURIZE"
E_VALUE = "E_VALUE"
E_CRASH = "E_CRASH"
E_TIMEOUT = "E_TIMEOUT"
E_MEMORY = "E_MEMORY"

REASON_CODES: dict[str, str] = {
    E_EMPTY: "the SMILES is empty",
    E_PARSE: "RDKit cannot read the SMILES; its reason follows in words",
    E_CHARSET: "the SMILES has a character that is not printable ASCII",
    E_CHARGE: "an atom carries a formal charge beyond ±4",
    E_TOO_LONG: "the SMILES has more characters than the cap (2,000 by default)",
    E_TOO_LARGE: "the molecule has more heavy atoms than the cap (500 by default)",
    E_FRAGMENTS: "the molecule has more fragments than the cap (50 by default)",
    E_COMPLEXITY: "the molecule has more independent rings than the cap (60 by default)",
    E_RECORD: "the record of the file is damaged (SDF or CSV)",
    E_FEATURIZE: "the molecule was read but could not be featurized",
    E_VALUE: "a target or descriptor value cannot be used",
    E_CRASH: "the process died on this molecule",
    E_TIMEOUT: "the molecule took longer than the deadline",
    E_MEMORY: "the molecule needed more memory than the limit",
}


class DrugaiError(Exception):
    """Base of every error that drugai raises on purpose."""


class ConfigError(DrugaiError, ValueError):
    """A setting is unknown or out of range."""


class DatasetError(DrugaiError, ValueError):
    """A data set, card, file of molecules or split cannot be used as asked."""


class ArtifactError(DrugaiError, ValueError):
    """A saved folder is missing, damaged or of another kind."""


class MoleculeError(DrugaiError, ValueError):
    """A molecule cannot be used where one good molecule is required."""


def reason(code: str, words: str) -> str:
    """The text of a reason: ``"E_PARSE: unclosed ring"``."""
    if code not in REASON_CODES:
        raise KeyError(f"{code} is not a reason code; the codes are {', '.join(REASON_CODES)}")
    return f"{code}: {words}"


def code_of(text: str) -> str:
    """The code at the head of a reason, ``""`` for a row that is fine."""
    return text.partition(":")[0]


def count_reasons(reasons: Iterable[str]) -> dict[str, int]:
    """How many rows carry each code, most frequent first; rows that are fine are not counted."""
    counts: dict[str, int] = {}
    for text in reasons:
        if text:
            counts[code_of(text)] = counts.get(code_of(text), 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The legal name that looks most like ``name``, or None where nothing is near."""
    lowered = {candidate.lower(): candidate for candidate in names}
    found = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.5)
    return lowered[found[0]] if found else None


def unknown(what: str, name: str, names: Sequence[str], error: type[DrugaiError] = ConfigError) -> DrugaiError:
    """An error for a name that does not exist, naming the nearest legal one and all of them."""
    near = nearest(name, names)
    hint = f"did you mean {near!r}? " if near else ""
    listed = ", ".join(names) if names else "none"
    return error(f"unknown {what} {name!r}; {hint}the {what}s are: {listed}")
