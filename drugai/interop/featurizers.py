"""deepchem's featurizers by name, with a guard against those that fail silently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from drugai.errors import E_FEATURIZE, ConfigError, reason, unknown
from drugai.interop.loading import deepchem, silenced
from drugai.molecules import MoleculeBatch

# those that give one row of numbers a molecule, without 3D coordinates or a download
FEATURIZERS = ("CircularFingerprint", "MACCSKeysFingerprint", "RDKitDescriptors", "MordredDescriptors")
# those that give one object a molecule: for deepchem's own models
GRAPHS = ("ConvMolFeaturizer", "DMPNNFeaturizer", "MolGraphConvFeaturizer", "PagtnMolGraphFeaturizer", "WeaveFeaturizer")

_ADVICE = "take another featurizer, or one of drugai's own blocks (morgan, descriptors, …)"


def featurize(name: str, molecules: Sequence[str] | MoleculeBatch, **options: Any) -> tuple[list[Any], tuple[str, ...]]:
    """What a deepchem featurizer gives for each molecule, graphs included.

    Args:
        name: A class of ``deepchem.feat``, with or without ``deepchem:`` before it.
        molecules: n molecules.
        options: Of the class.

    Returns:
        n results (None where there is a reason) and n reasons: unreadable, or ``E_FEATURIZE`` where deepchem gave nothing.
    """
    own = name.removeprefix("deepchem:")
    dc = deepchem()
    kind = getattr(dc.feat, own, None)
    if not isinstance(kind, type) or not issubclass(kind, dc.feat.Featurizer):
        raise unknown("deepchem featurizer", own, [*FEATURIZERS, *GRAPHS])
    batch = MoleculeBatch.of(molecules)
    found: list[Any] = [None] * len(batch)
    reasons = list(batch.reasons)
    with silenced():
        try:
            featurizer = kind(**options)
        except (ImportError, TypeError, ValueError) as error:
            raise ConfigError(f"deepchem:{own} cannot be made ({error}); {_ADVICE}") from error
        for row, smi in enumerate(batch.smiles):
            if reasons[row]:
                continue
            result = featurizer.featurize([smi])
            # deepchem swallows what goes wrong and returns an empty array
            if len(result) == 1 and not (isinstance(result[0], np.ndarray) and result[0].size == 0):
                found[row] = result[0]
            else:
                reasons[row] = reason(E_FEATURIZE, f"deepchem:{own} gave nothing")
    return found, tuple(reasons)


def matrix_block(name: str, **options: Any) -> Callable[[MoleculeBatch], np.ndarray]:
    """A feature block for models: a function of a batch that gives ``[n, k]`` numbers, NaN in the row of a molecule that has none."""

    def block(batch: MoleculeBatch) -> np.ndarray:
        found, reasons = featurize(name, batch, **options)
        return to_matrix(name, found, reasons, batch)

    return block


def to_matrix(name: str, found: Sequence[Any], reasons: Sequence[str], batch: MoleculeBatch) -> np.ndarray:
    """Results as ``[n, k]`` float32.

    Raises:
        ConfigError: They are graphs or of different shapes, have no width, or hold no number for any molecule.
    """
    rows = [one for one in found if one is not None]
    if any(not isinstance(one, np.ndarray) or one.ndim != 1 or one.dtype.kind not in "biuf" for one in rows):
        raise ConfigError(f"deepchem:{name} gives graphs or tables, not one row of numbers a molecule; those that do are {', '.join(FEATURIZERS)}")
    widths = sorted({len(one) for one in rows})
    if batch.valid.any() and widths in ([], [0]):
        why = next((text for text in reasons if text.startswith(E_FEATURIZE)), "")
        raise ConfigError(f"deepchem:{name} gives no numbers here (width 0 for {int(batch.valid.sum())} readable molecules{f'; {why}' if why else ''}); {_ADVICE}")
    if len(widths) > 1:
        raise ConfigError(f"deepchem:{name} gives rows of different widths ({', '.join(map(str, widths[:5]))}); {_ADVICE}")
    matrix = np.full((len(found), widths[0] if widths else 0), np.nan, dtype=np.float32)
    with np.errstate(over="ignore"):  # a descriptor beyond float32 (Ipc of a large molecule) becomes infinite, and then missing
        for row, one in enumerate(found):
            if one is not None:
                matrix[row] = one
    matrix[~np.isfinite(matrix)] = np.nan
    if rows and np.isnan(matrix).all():
        raise ConfigError(f"deepchem:{name} gives only NaN; {_ADVICE}")
    return matrix
