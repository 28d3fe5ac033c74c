"""Fingerprints of molecules as arrays of bits or counts."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Avalon import pyAvalonTools
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors, rdReducedGraphs

from drugai.errors import E_FEATURIZE, ConfigError, reason, unknown
from drugai.molecules.batch import MoleculeBatch

FINGERPRINT_KINDS = ("morgan", "feature_morgan", "atom_pair", "torsion", "avalon", "erg", "maccs", "rdkit")

FIXED_WIDTH = {"maccs": 167, "erg": 315}
"""Kinds whose width is their definition's; ``bits`` does not apply."""


def fingerprint(molecules: Sequence[str] | MoleculeBatch, kind: str = "morgan", *, bits: int = 2048, radius: int = 2, counts: bool = False) -> np.ndarray:
    """Fingerprints of n molecules.

    Args:
        molecules: n SMILES or a batch.
        kind: morgan (circular, ECFP-like), feature_morgan (by pharmacophoric atom type, FCFP-like), atom_pair, torsion, avalon, erg (extended reduced graph,
            real values), maccs (166 keys, bit 0 unused), rdkit (paths of 1 to 7 bonds).
        bits: Width d of the folded kinds.
        radius: Bonds around an atom, of the two Morgan kinds only.
        counts: Occurrences in place of bits. maccs has no counts.

    Returns:
        ``[n, d]``; uint8 with bits 0 and 1, uint16 counts (capped at 65,535), float32 for erg. A row of zeros where the molecule cannot be read, or the fingerprint fails (the batch then has the reason).

    Raises:
        ConfigError: Unknown kind, a width below 8, or counts of a kind that has none.

    Source: Morgan/ECFP: Rogers and Hahn 2010, 10.1021/ci100050t. Avalon: Gedeck et al. 2006, 10.1021/ci050413p. ErG: Stiefl et al. 2006, 10.1021/ci050457y.

    Example:
        >>> fingerprint(["c1ccccc1O"], bits=1024).sum()  # phenol has 11 environments
        np.uint64(11)
    """
    if kind not in FINGERPRINT_KINDS:
        raise unknown("fingerprint", kind, FINGERPRINT_KINDS)
    if bits < 8 or radius < 0:
        raise ConfigError(f"bits={bits}, radius={radius}: need bits >= 8 and radius >= 0")
    if counts and kind == "maccs":
        raise ConfigError("maccs keys are bits; ask for counts=False")
    batch = MoleculeBatch.of(molecules)
    key = ("fingerprint", kind, bits, radius, counts)
    return batch.compute(key, lambda b: _compute(b, kind, bits, radius, counts))


def width_of(kind: str, bits: int = 2048) -> int:
    """Number of columns of a kind."""
    return FIXED_WIDTH.get(kind, bits)


def _compute(batch: MoleculeBatch, kind: str, bits: int, radius: int, counts: bool) -> np.ndarray:
    dtype = np.float32 if kind == "erg" else np.uint16 if counts else np.uint8
    out = np.zeros((len(batch), width_of(kind, bits)), dtype=dtype)
    one = _function(kind, bits, radius, counts)
    # the lean molecules of a trusted batch give the same circular environments; the other kinds need hybridization or smallest rings
    mols = batch.mols if kind == "morgan" else batch.full_mols
    for row, mol in enumerate(mols):
        if mol is not None:
            try:
                values = one(mol)
            except (ValueError, RuntimeError) as error:  # such as Avalon's own search for double bonds, which RDKit's does not need
                batch.refuse(row, reason(E_FEATURIZE, f"the {kind} fingerprint fails: {str(error).splitlines()[0]}"))
                continue
            out[row] = np.minimum(values, 65_535) if counts and values.dtype != np.uint16 else values
    out.flags.writeable = False  # it is shared through the batch
    return out


def _function(kind: str, bits: int, radius: int, counts: bool) -> Callable[[Chem.Mol], np.ndarray]:
    if kind == "avalon":
        return functools.partial(_avalon, bits=bits, counts=counts)
    if kind == "maccs":
        return _maccs
    if kind == "erg":
        return _erg
    generator = _generator(kind, bits, radius)
    made: Callable[[Chem.Mol], np.ndarray] = generator.GetCountFingerprintAsNumPy if counts else generator.GetFingerprintAsNumPy
    return made


@functools.lru_cache(maxsize=32)
def _generator(kind: str, bits: int, radius: int):  # type: ignore[no-untyped-def]  # RDKit's generator classes have no stubs
    make = rdFingerprintGenerator
    if kind == "morgan":
        return make.GetMorganGenerator(radius=radius, fpSize=bits)
    if kind == "feature_morgan":
        return make.GetMorganGenerator(radius=radius, fpSize=bits, atomInvariantsGenerator=make.GetMorganFeatureAtomInvGen())
    if kind == "atom_pair":
        return make.GetAtomPairGenerator(fpSize=bits)
    if kind == "torsion":
        return make.GetTopologicalTorsionGenerator(fpSize=bits)
    return make.GetRDKitFPGenerator(fpSize=bits)


def _avalon(mol: Chem.Mol, bits: int, counts: bool) -> np.ndarray:
    if not counts:
        return _unpack(pyAvalonTools.GetAvalonFP(mol, nBits=bits))
    values = np.zeros(bits, dtype=np.uint32)
    DataStructs.ConvertToNumpyArray(pyAvalonTools.GetAvalonCountFP(mol, nBits=bits), values)
    return values


def _maccs(mol: Chem.Mol) -> np.ndarray:
    return _unpack(rdMolDescriptors.GetMACCSKeysFingerprint(mol))


def _erg(mol: Chem.Mol) -> np.ndarray:
    # RDKit's reduced graph is a copy of the molecule and takes over the distance matrix that an earlier fingerprint left in it, though the copy has other atoms:
    # the outcome would depend on what was computed before
    for cached in ("DistanceMatrix", "DistanceMatrix_Paths"):
        mol.ClearProp(cached)
    values: np.ndarray = rdReducedGraphs.GetErGFingerprint(mol).astype(np.float32)
    return values


def _unpack(vector: DataStructs.ExplicitBitVect) -> np.ndarray:
    values = np.zeros(vector.GetNumBits(), dtype=np.uint8)
    DataStructs.ConvertToNumpyArray(vector, values)
    return values
