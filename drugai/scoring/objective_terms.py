"""What the benchmark objectives are made of: similarity by count fingerprints, closeness to a formula, a pattern there or not, single numbers.

These are GuacaMol's definitions, which differ from the house's own terms: similarities are of unfolded counts, not of 2,048 bits.

Source: Brown et al., GuacaMol, J. Chem. Inf. Model. 2019, 59, 1096, 10.1021/acs.jcim.8b00839.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import Descriptors, rdFingerprintGenerator, rdMolDescriptors

from drugai.errors import ConfigError, unknown
from drugai.molecules import MoleculeBatch
from drugai.scoring.terms import Term, Values
from drugai.scoring.transforms import Identity, Step, Transform

SIMILARITIES = ("ECFP4", "ECFP6", "FCFP4", "AP", "PHCO")
_COSTS = {"ECFP4": 60.0, "ECFP6": 80.0, "FCFP4": 90.0, "AP": 80.0, "PHCO": 15_000.0}


def similarity_to(smi: str, kind: str, transform: Transform | None = None, *, name: str | None = None) -> Term:
    """Tanimoto similarity to one molecule by unfolded fingerprints.

    Args:
        smi: The molecule.
        kind: ECFP4 and ECFP6 (Morgan counts of radius 2 and 3), FCFP4 (the same by pharmacophoric atom type, radius 2), AP (counts of atom pairs up to 10 bonds apart), PHCO
            (Gobbi's two-dimensional pharmacophores, bits).
        transform: Similarity → desirability.
        name: Of the term.
    """
    if kind not in SIMILARITIES:
        raise unknown("similarity", kind, SIMILARITIES)
    mol = Chem.MolFromSmiles(smi)
    if mol is None:
        raise ConfigError(f"the molecule {smi!r} cannot be read")
    target = _vector(kind)(mol)

    def function(batch: MoleculeBatch) -> Values:
        vectors = batch.compute(("unfolded", kind), lambda b: [None if mol is None else _vector(kind)(mol) for mol in b.full_mols])
        return np.array([np.nan if vector is None else DataStructs.TanimotoSimilarity(target, vector) for vector in vectors]), [""] * len(batch)

    return Term(name or f"{kind} similarity", function, transform or Identity(), cost=_COSTS[kind])


@functools.cache
def _vector(kind: str) -> Callable[[Chem.Mol], Any]:
    make = rdFingerprintGenerator
    if kind == "PHCO":
        from rdkit.Chem.Pharm2D import Generate, Gobbi_Pharm2D

        return functools.partial(Generate.Gen2DFingerprint, sigFactory=Gobbi_Pharm2D.factory)
    if kind == "AP":
        found = make.GetAtomPairGenerator(maxDistance=10)
    elif kind == "FCFP4":
        found = make.GetMorganGenerator(radius=2, atomInvariantsGenerator=make.GetMorganFeatureAtomInvGen())
    else:
        found = make.GetMorganGenerator(radius=3 if kind == "ECFP6" else 2)
    counted: Callable[[Chem.Mol], Any] = found.GetSparseCountFingerprint
    return counted


def formula_counts(formula: str) -> dict[str, int]:
    """Elements of a formula and how many atoms of each.

    Example:
        >>> formula_counts("C9H10N2O2PF2Cl")
        {'C': 9, 'H': 10, 'N': 2, 'O': 2, 'P': 1, 'F': 2, 'Cl': 1}
    """
    found = {symbol: int(number or 1) for symbol, number in re.findall(r"([A-Z][a-z]?)(\d*)", formula)}
    if not found or "".join(part for pair in re.findall(r"([A-Z][a-z]?)(\d*)", formula) for part in pair) != formula:
        raise ConfigError(f"{formula!r} is not a formula; for example C9H10N2O2PF2Cl")
    return found


def isomer_of(formula: str, *, name: str = "formula") -> Term:
    """Closeness to a formula, 1 for an isomer.

    The geometric mean of a Gaussian of sigma 1 for the number of atoms of each element of the formula and one of sigma 2 for the number of all atoms, hydrogens among them.
    """
    wanted = formula_counts(formula)
    total = sum(wanted.values())

    def one(mol: Chem.Mol) -> float:
        symbols = [atom.GetSymbol() for atom in mol.GetAtoms()]
        hydrogens = sum(atom.GetTotalNumHs() for atom in mol.GetAtoms())
        exponent = ((len(symbols) + hydrogens - total) / 2.0) ** 2
        for symbol, number in wanted.items():
            exponent += (symbols.count(symbol) + (hydrogens if symbol == "H" else 0) - number) ** 2
        return float(np.exp(-0.5 * exponent / (len(wanted) + 1)))

    return number_term(name, one, Identity(), cost=25.0)


def pattern(smarts: str, *, present: bool, name: str) -> Term:
    """1 where a SMARTS matches and 0 where not, or the other way round with ``present=False``; a term like others, no filter."""
    query = Chem.MolFromSmarts(smarts)
    if query is None:
        raise ConfigError(f"term {name!r}: the SMARTS {smarts!r} cannot be read")
    return number_term(name, lambda mol: float(mol.HasSubstructMatch(query)), Identity() if present else Step(high=0.5), cost=20.0)


def number_term(name: str, one: Callable[[Chem.Mol], float], transform: Transform, *, cost: float) -> Term:
    """A number of a molecule, and its transform."""

    def function(batch: MoleculeBatch) -> Values:
        return np.array([np.nan if mol is None else one(mol) for mol in batch.full_mols], dtype=float), [""] * len(batch)

    return Term(name, function, transform, cost=cost)


def logp(transform: Transform) -> Term:
    """Crippen's logP."""
    return number_term("logp", lambda mol: float(rdMolDescriptors.CalcCrippenDescriptors(mol)[0]), transform, cost=150.0)


def tpsa(transform: Transform) -> Term:
    """Polar surface area [Å²]."""
    return number_term("tpsa", rdMolDescriptors.CalcTPSA, transform, cost=30.0)


def bertz(transform: Transform) -> Term:
    """Bertz' complexity index."""
    return number_term("bertz", Descriptors.BertzCT, transform, cost=500.0)


def rings(transform: Transform) -> Term:
    """Number of smallest rings."""
    return number_term("rings", rdMolDescriptors.CalcNumRings, transform, cost=5.0)


def aromatic_rings(transform: Transform) -> Term:
    """Number of aromatic rings."""
    return number_term("aromatic rings", rdMolDescriptors.CalcNumAromaticRings, transform, cost=5.0)


def fluorines(transform: Transform) -> Term:
    """Number of fluorine atoms."""
    return number_term("fluorines", lambda mol: float(sum(atom.GetAtomicNum() == 9 for atom in mol.GetAtoms())), transform, cost=10.0)
