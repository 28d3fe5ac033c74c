"""Single properties of molecules: drug-likeness, ease of synthesis, logP, size, polarity."""

from __future__ import annotations

import functools
import gzip
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rdkit import Chem, RDConfig
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem import rdMolDescriptors as rd

from drugai.errors import DatasetError
from drugai.molecules import descriptor_blocks as blocks
from drugai.molecules.batch import MoleculeBatch

Molecules = Sequence[str] | MoleculeBatch


def _column(molecules: Molecules, key: str, one: Callable[[Chem.Mol], float]) -> np.ndarray:
    def compute(batch: MoleculeBatch) -> np.ndarray:
        values = np.array([math.nan if mol is None else one(mol) for mol in batch.full_mols], dtype=np.float64)
        values.flags.writeable = False  # it is shared through the batch
        return values

    return MoleculeBatch.of(molecules).compute(("property", key), compute)


def qed(molecules: Molecules) -> np.ndarray:
    """Quantitative estimate of drug-likeness in [0, 1], mean weights; ``[n]`` float64, NaN where unreadable.

    Source: Bickerton et al. 2012, 10.1038/nchem.1243.

    Example:
        >>> qed(["N=C(CCSCc1csc(N=C(N)N)n1)NS(N)(=O)=O"]).round(3).tolist()  # famotidine, 0.253 in RDKit's test
        [0.253]
    """
    return _column(molecules, "qed", lambda mol: blocks.qed(mol)[0])


def logp(molecules: Molecules) -> np.ndarray:
    """Octanol-water partition coefficient by Crippen's contributions [log10]; ``[n]``, NaN where unreadable."""
    return _column(molecules, "logp", lambda mol: rd.CalcCrippenDescriptors(mol)[0])


def weight(molecules: Molecules) -> np.ndarray:
    """Molecular weight [Da]; ``[n]``, NaN where unreadable."""
    return _column(molecules, "weight", rd._CalcMolWt)


def tpsa(molecules: Molecules) -> np.ndarray:
    """Topological polar surface area [Å²]; ``[n]``, NaN where unreadable. Source: Ertl et al. 2000, 10.1021/jm000942e."""
    return _column(molecules, "tpsa", rd.CalcTPSA)


def heavy_atoms(molecules: Molecules) -> np.ndarray:
    """Number of atoms other than hydrogen; ``[n]``, NaN where unreadable."""
    return _column(molecules, "heavy_atoms", lambda mol: mol.GetNumHeavyAtoms())


def rings(molecules: Molecules) -> np.ndarray:
    """Number of smallest rings; ``[n]``, NaN where unreadable."""
    return _column(molecules, "rings", rd.CalcNumRings)


def rotatable_bonds(molecules: Molecules) -> np.ndarray:
    """Number of rotatable bonds; ``[n]``, NaN where unreadable."""
    return _column(molecules, "rotatable_bonds", rd.CalcNumRotatableBonds)


def hydrogen_bond_donors(molecules: Molecules) -> np.ndarray:
    """Number of hydrogen-bond donors; ``[n]``, NaN where unreadable."""
    return _column(molecules, "hydrogen_bond_donors", rd.CalcNumHBD)


def hydrogen_bond_acceptors(molecules: Molecules) -> np.ndarray:
    """Number of hydrogen-bond acceptors; ``[n]``, NaN where unreadable."""
    return _column(molecules, "hydrogen_bond_acceptors", rd.CalcNumHBA)


def formal_charge(molecules: Molecules) -> np.ndarray:
    """Net formal charge; ``[n]``, NaN where unreadable."""
    return _column(molecules, "formal_charge", Chem.GetFormalCharge)


def fraction_sp3(molecules: Molecules) -> np.ndarray:
    """Share of carbons that are sp3; ``[n]`` in [0, 1], NaN where unreadable."""
    return _column(molecules, "fraction_sp3", rd.CalcFractionCSP3)


PROPERTIES: dict[str, Callable[[Molecules], np.ndarray]] = {
    "qed": qed,
    "logp": logp,
    "weight": weight,
    "tpsa": tpsa,
    "heavy_atoms": heavy_atoms,
    "rings": rings,
    "rotatable_bonds": rotatable_bonds,
    "hydrogen_bond_donors": hydrogen_bond_donors,
    "hydrogen_bond_acceptors": hydrogen_bond_acceptors,
    "formal_charge": formal_charge,
    "fraction_sp3": fraction_sp3,
    "synthetic_accessibility": lambda molecules: synthetic_accessibility(molecules),
}
"""Name → function, for those who take a property by its name."""


def synthetic_accessibility(molecules: Molecules) -> np.ndarray:
    """Synthetic accessibility from 1 (easy) to 10 (hard); ``[n]`` float64, NaN where unreadable.

    A mean over the molecule's circular fragments of how common each is in PubChem, less penalties for size, stereo centres, spiro and bridgehead atoms and macrocycles. The
    values are those of RDKit's ``Contrib/SA_Score``.

    Source: Ertl and Schuffenhauer 2009, 10.1186/1758-2946-1-8.
    """
    return _column(molecules, "synthetic_accessibility", _accessibility)


def _accessibility(mol: Chem.Mol) -> float:
    n_atoms = mol.GetNumAtoms()
    found = _morgan().GetSparseCountFingerprint(mol).GetNonzeroElements()
    if not found:
        return math.nan
    ids, scores = _fragment_scores()
    keys = np.fromiter(found, dtype=np.uint64, count=len(found))
    counts = np.fromiter(found.values(), dtype=np.float64, count=len(found))
    at = np.minimum(np.searchsorted(ids, keys), len(ids) - 1)
    known = np.where(ids[at] == keys, scores[at], -4.0)  # a fragment that was never seen is a rare one
    fragment_score = float((known * counts).sum() / counts.sum())
    penalty = n_atoms**1.005 - n_atoms
    penalty += math.log10(len(Chem.FindMolChiralCenters(mol, includeUnassigned=True)) + 1)
    penalty += math.log10(rd.CalcNumSpiroAtoms(mol) + 1) + math.log10(rd.CalcNumBridgeheadAtoms(mol) + 1)
    if any(len(ring) > 8 for ring in mol.GetRingInfo().AtomRings()):
        penalty += math.log10(2)
    symmetry = math.log(n_atoms / len(found)) * 0.5 if n_atoms > len(found) else 0.0
    score = 11.0 - (fragment_score - penalty + symmetry + 4.0 + 1.0) / 6.5 * 9.0  # raw range -4 to 2.5 onto 10 to 1
    if score > 8.0:
        score = 8.0 + math.log(score + 1.0 - 9.0)
    return min(10.0, max(1.0, score))


@functools.lru_cache(maxsize=1)
def _morgan() -> rdFingerprintGenerator.FingerprintGenerator64:
    return rdFingerprintGenerator.GetMorganGenerator(radius=2)


_LIST = re.compile(rb"\(lp\d+\n?")
_ALLOWED = re.compile(rb"[\sIFLaegp\d.\-+]*")


@functools.lru_cache(maxsize=1)
def _fragment_scores() -> tuple[np.ndarray, np.ndarray]:
    """Sorted fragment ids (uint64) and their scores, from the table that RDKit ships.

    The table is a pickle of lists of numbers in the text protocol. It is read as text, as numbers between line ends: nothing in it is run.
    """
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "fpscores.pkl.gz"
    if not path.is_file():
        raise DatasetError(f"{path} is missing; it comes with rdkit's wheel (Contrib/SA_Score), install rdkit from PyPI")
    ids: list[np.ndarray] = []
    scores: list[np.ndarray] = []
    for part in _LIST.split(gzip.decompress(path.read_bytes()))[2:]:
        if _ALLOWED.fullmatch(part) is None:
            raise DatasetError(f"{path} is not the list of numbers that RDKit ships; install rdkit again")
        score, *rest = [line.strip(b"aFIL") for line in part.split(b"\n") if line[:1] in b"FI" or line[:2] in (b"aI", b"aF", b"aL")]
        ids.append(np.array([int(value) for value in rest], dtype=np.uint64))
        scores.append(np.full(len(rest), float(score)))
    key, value = np.concatenate(ids), np.concatenate(scores)
    order = np.argsort(key, kind="stable")
    return key[order], value[order]
