"""Which column holds the SMILES and which the ids: by name, and for a file without a header by looking."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from rdkit import Chem, rdBase

from drugai.errors import DatasetError, nearest
from drugai.molecules.caps import check_text

log = logging.getLogger(__name__)

SMILES_NAMES = (
    "smiles", "smi", "canonical_smiles", "isomeric_smiles", "cansmi", "smiles_canonical", "standardized_smiles",
    "cleaned_smiles", "cxsmiles", "structure", "mol", "molecule", "molecules", "drug", "compound_structure",
)  # fmt: skip
ID_NAMES = (
    "id", "ids", "name", "title", "molecule_id", "mol_id", "compound_id", "drug_id", "cmpd_id", "cid", "chembl_id", "mol_chembl_id",
    "molecule_chembl_id", "molecule_name", "compound_name", "cmpd_chemblid", "zinc_id", "zinc", "idnumber", "catalog_id", "names", "compound",
)  # fmt: skip


def plain(name: str) -> str:
    """A column name as it is compared: ``"#Canonical SMILES "`` → ``"canonical_smiles"``."""
    return name.strip().lstrip("#").strip().lower().replace(" ", "_").replace("-", "_")


def infer_smiles_column(names: Sequence[str]) -> str | None:
    """The column whose name says that it holds SMILES, or None.

    Example:
        >>> infer_smiles_column(["mol_chembl_id", "Canonical SMILES", "pIC50"])
        'Canonical SMILES'
    """
    return (
        _first(names, SMILES_NAMES)
        or next((name for name in names if plain(name).endswith("smiles")), None)
        or next((name for name in names if plain(name).startswith("smiles")), None)
    )


def infer_id_column(names: Sequence[str], smiles: str | None = None) -> str | None:
    """The column whose name says that it holds identifiers, or None."""
    return _first([name for name in names if name != smiles], ID_NAMES)


def _first(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    by_plain: dict[str, str] = {}
    for name in names:
        by_plain.setdefault(plain(name), name)
    return next((by_plain[key] for key in wanted if key in by_plain), None)


def distinct(names: Sequence[str], where: str) -> tuple[str, ...]:
    """Column names made distinct: the second ``y`` becomes ``y_2``, an empty name ``column_3``."""
    seen: set[str] = set()
    out: list[str] = []
    for position, name in enumerate(names, start=1):
        name = name.strip() or f"column_{position}"
        free, count = name, 1
        while free in seen:
            count += 1
            free = f"{name}_{count}"
        if free != name:
            log.warning("%s: the column name %r occurs twice; the later one is read as %r", where, name, free)
        seen.add(free)
        out.append(free)
    return tuple(out)


def find_column(name: str, names: Sequence[str], where: str) -> str:
    """``name`` as it stands in the file (letter case aside), or an error that names the columns there are and the nearest."""
    if name in names:
        return name
    same = [candidate for candidate in names if plain(candidate) == plain(name)]
    if len(same) == 1:
        return same[0]
    near = nearest(name, names)
    hint = f"did you mean {near!r}? " if near else ""
    raise DatasetError(f"{where}: there is no column {name!r}; {hint}the columns are: {', '.join(names) or 'none'}")


def looks_like_smiles(cell: str) -> bool:
    """True where RDKit reads the cell as a molecule; decides whether a first line is data or a header."""
    if check_text(cell):
        return False
    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(cell) is not None
