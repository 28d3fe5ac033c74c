"""Structural alerts: patterns of compounds that disturb assays, react or are toxic."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from rdkit.Chem import FilterCatalog

from drugai.errors import unknown
from drugai.molecules.batch import MoleculeBatch

_CATALOGS = FilterCatalog.FilterCatalogParams.FilterCatalogs

ALERT_SETS: dict[str, str] = {
    "PAINS": "compounds that disturb many assays (Baell and Holloway 2010, 10.1021/jm901137j)",
    "BRENK": "groups unwanted in a screening library (Brenk et al. 2008, 10.1002/cmdc.200700139)",
    "NIH": "annotated reactive and frequently hitting groups (Jadhav et al. 2010, 10.1021/jm901070c; Doveston et al. 2015)",
    "ZINC": "filters of the ZINC library (Irwin and Shoichet)",
    "CHEMBL": "the eight sets that ChEMBL gathered (BMS, Dundee, Glaxo, Inpharmatica, LINT, MLSMR, PAINS, SureChEMBL)",
}
"""Name → what it is and where it is from."""


def find_alerts(molecules: Sequence[str] | MoleculeBatch, sets: Sequence[str] = ("PAINS", "BRENK")) -> list[tuple[str, ...]]:
    """The alerts that n molecules raise.

    Args:
        molecules: n SMILES or a batch.
        sets: Names of :data:`ALERT_SETS`.

    Returns:
        n tuples of ``"SET: alert"``, without repeats; empty where there is none and where the molecule cannot be read (ask the batch's ``valid``).

    Example:
        >>> find_alerts(["O=C1C=CC(=O)C=C1"], ["PAINS"])  # 1,4-benzoquinone
        [('PAINS: quinone_A(370)',)]
    """
    if isinstance(sets, str):
        sets = (sets,)
    for name in sets:
        if name not in ALERT_SETS:
            raise unknown("alert set", name, tuple(ALERT_SETS))
    batch = MoleculeBatch.of(molecules)
    parts = [batch.compute(("alerts", name), functools.partial(_find, name=name)) for name in sets]
    return [tuple(alert for part in parts for alert in part[row]) for row in range(len(batch))]


def has_alerts(molecules: Sequence[str] | MoleculeBatch, sets: Sequence[str] = ("PAINS", "BRENK")) -> list[bool]:
    """True where a molecule raises an alert; stops at its first, so cheaper than :func:`find_alerts`."""
    for name in sets:
        if name not in ALERT_SETS:
            raise unknown("alert set", name, tuple(ALERT_SETS))
    catalogs = [_catalog(name) for name in sets]
    mols = MoleculeBatch.of(molecules).full_mols
    return [mol is not None and any(catalog.HasMatch(mol) for catalog in catalogs) for mol in mols]


def _find(batch: MoleculeBatch, name: str) -> list[tuple[str, ...]]:
    catalog = _catalog(name)
    return [() if mol is None else tuple(dict.fromkeys(f"{name}: {entry.GetDescription()}" for entry in catalog.GetMatches(mol))) for mol in batch.full_mols]


@functools.lru_cache(maxsize=len(ALERT_SETS))
def _catalog(name: str) -> FilterCatalog.FilterCatalog:
    """Building a catalogue parses up to 1,600 SMARTS, so each is built once a process."""
    params = FilterCatalog.FilterCatalogParams()
    params.AddCatalog(getattr(_CATALOGS, name))
    return FilterCatalog.FilterCatalog(params)
