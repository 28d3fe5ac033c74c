"""Numbers that come with the molecules in the table, beside the SMILES: an assay condition, a measured descriptor, a docking score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from drugai.errors import E_VALUE, ConfigError, DatasetError, reason
from drugai.molecules.batch import MoleculeBatch

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})


def with_columns(molecules: Sequence[str] | MoleculeBatch, columns: Mapping[str, Sequence[object] | np.ndarray]) -> MoleculeBatch:
    """The molecules with columns of numbers beside them, which models trained with them need.

    Args:
        molecules: n SMILES or a batch.
        columns: Name → n numbers or texts. An empty text is a missing value, which models take as such; a text that is no number gives its row the reason ``E_VALUE``.

    Raises:
        DatasetError: A column has not n values.

    Example:
        >>> batch = with_columns(["CCO", "CCN"], {"pH": ["7.4", "acid"]})
        >>> batch.reasons[1]
        "E_VALUE: column 'pH': 'acid' is not a number"
    """
    batch = MoleculeBatch.of(molecules)
    for name, given in columns.items():
        if len(given) != len(batch):
            raise DatasetError(f"column {name!r} has {len(given)} values for {len(batch)} molecules")
        values = np.full(len(batch), np.nan, dtype=np.float32)
        for row, cell in enumerate(given):
            text = str(cell).strip()
            if text.lower() in _MISSING:
                continue
            try:
                values[row] = float(text)
            except ValueError:
                batch.refuse(row, reason(E_VALUE, f"column {name!r}: {text[:40]!r} is not a number"))
        batch.preset(("column", name), values)
    return batch


def side_column(batch: MoleculeBatch, name: str) -> np.ndarray:
    """``[n]`` a column that the batch carries.

    Raises:
        ConfigError: It carries none of this name.
    """

    def missing(_: MoleculeBatch) -> np.ndarray:
        raise ConfigError(f"the model needs the column {name!r} beside the SMILES and got molecules alone; predict a table that has it, or pass drugai.with_columns(smiles, {{{name!r}: values}})")

    return batch.compute(("column", name), missing)
