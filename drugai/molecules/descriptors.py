"""RDKit's physico-chemical descriptors at a fraction of their cost.

``Descriptors.CalcMolDescriptors`` takes about 10 ms for a drug-like molecule, because each of its 217 functions computes what it needs anew: the E-state
indices 25 times, the Crippen contributions 24 times. Here functions that share an intermediate are one block that computes it once. The values are RDKit's (a test
compares every column). Two sets:

- fast (the default): everything that is cheap in blocks.
- full: every descriptor of RDKit except Ipc and AvgIpc, which grow with the fourth power of the atoms (300 atoms: 10 s).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors

from drugai.errors import unknown
from drugai.molecules import descriptor_blocks as blocks
from drugai.molecules.batch import MoleculeBatch
from drugai.molecules.connectivity import CONNECTIVITY, connectivity


@dataclass(frozen=True)
class DescriptorBlock:
    """Descriptors computed together: their names and a function from a Mol to their values in that order."""

    names: tuple[str, ...]
    compute: Callable[[Chem.Mol], Sequence[float]]
    fast: bool


BLOCKS: tuple[DescriptorBlock, ...] = (
    *(DescriptorBlock((name,), function, True) for name, function in blocks.SINGLE.items()),
    DescriptorBlock(blocks.CRIPPEN, blocks.crippen, True),
    DescriptorBlock(blocks.PEOE_VSA, blocks.peoe_vsa, True),
    DescriptorBlock(blocks.CHARGES, blocks.charges, True),
    DescriptorBlock(blocks.TOPOLOGY, blocks.topology, True),
    DescriptorBlock(CONNECTIVITY, connectivity, True),
    DescriptorBlock(blocks.FRAGMENTS, blocks.fragments, True),
    DescriptorBlock(blocks.DENSITY, blocks.density, False),
    DescriptorBlock(blocks.BCUT, blocks.bcut, False),
    DescriptorBlock(("qed",), blocks.qed, False),
    DescriptorBlock(("BertzCT",), lambda mol: (Descriptors.BertzCT(mol),), False),
    DescriptorBlock(("SPS",), lambda mol: (Descriptors.SPS(mol),), False),
)

LEFT_OUT = ("Ipc", "AvgIpc")
"""Descriptors of RDKit that no set has."""

_ORDER = {name: k for k, (name, _) in enumerate(Descriptors._descList)}

FULL_DESCRIPTOR_NAMES: tuple[str, ...] = tuple(sorted((name for block in BLOCKS for name in block.names), key=_ORDER.__getitem__))
"""The full set in RDKit's order."""

DESCRIPTOR_NAMES: tuple[str, ...] = tuple(sorted((name for block in BLOCKS if block.fast for name in block.names), key=_ORDER.__getitem__))
"""The fast set in RDKit's order."""


def descriptors(molecules: Sequence[str] | MoleculeBatch, names: Sequence[str] | str | None = None) -> np.ndarray:
    """Descriptors of n molecules.

    Args:
        molecules: n SMILES or a batch.
        names: Column names; ``"fast"`` or None for :data:`DESCRIPTOR_NAMES`, ``"full"`` for :data:`FULL_DESCRIPTOR_NAMES`.

    Returns:
        ``[n, k]`` float32. A row of NaN where the molecule cannot be read; a single NaN where one value is not defined (a partial charge of a metal).

    Raises:
        ConfigError: Unknown name.

    Example:
        >>> descriptors(["CCO"], ["MolWt", "TPSA"]).round(2).tolist()  # ethanol: 46.07 Da, 20.23 Å²
        [[46.06999969482422, 20.229999542236328]]
    """
    chosen = DESCRIPTOR_NAMES if names is None or names == "fast" else FULL_DESCRIPTOR_NAMES if names == "full" else tuple(names)
    if isinstance(names, str) and names not in ("fast", "full"):
        chosen = (names,)
    for name in chosen:
        if name not in _ORDER or name in LEFT_OUT:
            raise unknown("descriptor", name, FULL_DESCRIPTOR_NAMES)
    batch = MoleculeBatch.of(molecules)
    return batch.compute(("descriptors", chosen), lambda b: _compute(b, chosen))


def _compute(batch: MoleculeBatch, chosen: tuple[str, ...]) -> np.ndarray:
    wanted = set(chosen)
    used = [block for block in BLOCKS if wanted.intersection(block.names)]
    out = np.full((len(batch), sum(len(block.names) for block in used)), np.nan, dtype=np.float64)
    with rdBase.BlockLogs():
        for row, mol in enumerate(batch.full_mols):
            if mol is not None:
                out[row] = _one(mol, used)
    where = {name: k for k, name in enumerate(name for block in used for name in block.names)}
    picked = out[:, [where[name] for name in chosen]]
    # beyond float32 (or infinite) there is no value that a model could use
    picked[~(np.abs(picked) < 3e38)] = np.nan
    result = picked.astype(np.float32)
    result.flags.writeable = False  # it is shared through the batch
    return result


def _one(mol: Chem.Mol, used: Sequence[DescriptorBlock]) -> list[float]:
    row: list[float] = []
    for block in used:
        try:
            row.extend(block.compute(mol))
        except (ZeroDivisionError, ValueError, RuntimeError, IndexError):
            # not defined for this molecule: no heavy atom to divide by, no parameters for an element
            row.extend([np.nan] * len(block.names))
    return row
