"""A raw ChEMBL activity export → one value a molecule: units, relations, replicates and salts put right, and the fate of every row said.

The rule: concentrations of IC50, EC50, XC50, AC50, Ki, Kd and Potency become pChEMBL = −log10(M). Rows with a relation other than ``=`` are bounds and are set apart; rows
that ChEMBL's curators doubt (``data_validity_comment``) too. Molecules are standardized; measurements of one molecule against one target by one type are replaced by
their median, unless they differ by more than ``spread`` log units: then all of them are set apart, because nobody can say which is right.

Source: pChEMBL: Papadatos et al., J. Cheminform. 2015, 7, 41 (10.1186/s13321-015-0089-1); replicates: Kramer et al., J. Med. Chem. 2012, 55, 5165 (10.1021/jm300131x).
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drugai.data.tables import TextTable, read_any_table
from drugai.errors import E_VALUE, DatasetError, reason
from drugai.molecules import standardize

TYPES = ("IC50", "EC50", "XC50", "AC50", "Ki", "Kd", "Potency")
MOLAR = {"M": 1.0, "mM": 1e-3, "uM": 1e-6, "µM": 1e-6, "nM": 1e-9, "pM": 1e-12, "fM": 1e-15, "10'-6 mol/L": 1e-6}
"""Units of ChEMBL → mol/L."""

_NAMES = {
    "smiles": ("canonical_smiles", "smiles"),
    "type": ("standard_type",),
    "relation": ("standard_relation",),
    "value": ("standard_value",),
    "units": ("standard_units",),
    "molecule": ("molecule_chembl_id", "mol_chembl_id"),
    "target": ("target_chembl_id", "tgt_chembl_id"),
    "doubt": ("data_validity_comment",),
}
_NEEDED = ("smiles", "type", "relation", "value", "units")


@dataclass
class Curated:
    """What became of an export.

    Attributes:
        molecules: One row a molecule, target and type: smiles, molecule, target, type, pchembl (median), n (measurements), spread (largest − smallest).
        fates: One word a row of the export, in its order: ``kept``, or a reason.
        places: Where each row stands, ``file.csv line 17``.
    """

    molecules: list[dict[str, str | float | int]] = field(default_factory=list)
    fates: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many rows met which fate, details after a colon left out, most frequent first."""
        counts: dict[str, int] = defaultdict(int)
        for fate in self.fates:
            counts[re.sub(r" \(.*\)$", "", fate)] += 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def curate_chembl(path: str | Path, *, types: Sequence[str] | None = None, targets: Sequence[str] | None = None, spread: float = 1.0) -> Curated:
    """Curate an export of the ChEMBL web site (``;`` or ``,`` separated) or of its programming interface.

    Args:
        path: The file.
        types: Standard types to keep; by default all of ``TYPES`` that occur.
        targets: ChEMBL ids of targets to keep; all by default.
        spread: Log units by which replicates may differ.

    Raises:
        DatasetError: A needed column is missing, or an asked type is not a concentration.
    """
    unknown = sorted(set(types or ()) - set(TYPES))
    if unknown:
        raise DatasetError(f"{path}: types {', '.join(unknown)} are no concentrations that become pChEMBL; these do: {', '.join(TYPES)}")
    table = read_any_table(Path(path))
    columns = _columns(table, path)
    n = len(table)
    found = Curated([], ["kept"] * n, list(table.places))
    values = [math.nan] * n
    for row in range(n):
        fate, values[row] = _value(table, columns, row, types or TYPES, targets)
        found.fates[row] = fate
    usable = [row for row in range(n) if found.fates[row] == "kept"]
    clean = standardize([columns["smiles"][row] for row in usable])
    groups: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row, smi, why in zip(usable, clean.smiles, clean.reasons, strict=True):
        if why:
            found.fates[row] = why
        else:
            groups[smi, _cell(columns, "target", row), columns["type"][row].strip()].append(row)
    for (smi, target, kind), rows in groups.items():
        own = sorted(values[row] for row in rows)
        difference = own[-1] - own[0]
        if difference > spread:
            for row in rows:
                found.fates[row] = reason(E_VALUE, f"replicates differ by more than {spread:g} log units ({difference:.2f} over {len(own)})")
            continue
        middle = len(own) // 2
        median = own[middle] if len(own) % 2 else (own[middle - 1] + own[middle]) / 2
        ids = _cell(columns, "molecule", rows[0])
        found.molecules.append({"smiles": smi, "molecule": ids, "target": target, "type": kind, "pchembl": round(median, 4), "n": len(own), "spread": round(difference, 4)})
    return found


def _columns(table: TextTable, path: str | Path) -> dict[str, list[str]]:
    """The export's columns under our names; headers of the web site have spaces and capitals."""
    by_name = {name.strip().lower().replace(" ", "_"): cells for name, cells in table.columns.items()}
    found = {}
    for own, names in _NAMES.items():
        for name in names:
            if name in by_name:
                found[own] = by_name[name]
                break
    missing = [_NAMES[own][0] for own in _NEEDED if own not in found]
    if missing:
        raise DatasetError(f"{path}: no column {', '.join(missing)}; a ChEMBL activity export has them; this file has {', '.join(table.columns)}")
    return found


def _cell(columns: dict[str, list[str]], name: str, row: int) -> str:
    return columns[name][row].strip() if name in columns else ""


def _value(table: TextTable, columns: dict[str, list[str]], row: int, types: Sequence[str], targets: Sequence[str] | None) -> tuple[str, float]:
    """The fate of a row before chemistry, and its pChEMBL."""
    if row in table.reasons:
        return table.reasons[row], math.nan
    if targets is not None and _cell(columns, "target", row) not in targets:
        return "another target", math.nan
    if columns["type"][row].strip() not in types:
        return "another type of measurement", math.nan
    relation = columns["relation"][row].strip().strip("'\"")
    if relation != "=":
        return reason(E_VALUE, f"a bound and not a value ({relation or 'no relation'})"), math.nan
    if _cell(columns, "doubt", row):
        return reason(E_VALUE, f"doubted by ChEMBL ({_cell(columns, 'doubt', row)})"), math.nan
    units = columns["units"][row].strip()
    if units not in MOLAR:
        return reason(E_VALUE, f"units are no concentration ({units or 'none'})"), math.nan
    try:
        number = float(columns["value"][row])
    except ValueError:
        return reason(E_VALUE, f"the value is no number ({columns['value'][row].strip()[:40]!r})"), math.nan
    if not number > 0 or not math.isfinite(number):
        return reason(E_VALUE, f"the concentration is not above zero ({number:g})"), math.nan
    return "kept", -math.log10(number * MOLAR[units])
