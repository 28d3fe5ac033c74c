"""Molecules brought to one form: salts stripped, functional groups and charges as one would draw them, tautomers chosen on request.

What was done to a molecule is reported, row by row, in words.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from drugai.errors import E_PARSE, reason
from drugai.molecules.batch import MoleculeBatch

MAX_TAUTOMERS = 200
"""Tautomers looked at for one molecule; RDKit's own limit of 1,000 takes seconds for a flavonoid."""


@dataclass(frozen=True)
class Standardized:
    """n standardized molecules.

    Attributes:
        smiles: n canonical SMILES, ``""`` where there is a reason.
        changes: What was done to each molecule, in order; ``()`` where it was in standard form already.
        reasons: n reasons, ``""`` where the molecule is fine.
    """

    smiles: tuple[str, ...]
    changes: tuple[tuple[str, ...], ...]
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.smiles)


def standardize(
    smiles: Sequence[str] | MoleculeBatch,
    *,
    normalize: bool = True,
    salts: bool = True,
    charges: bool = True,
    tautomers: bool = False,
    isotopes: bool = False,
    stereo: bool = False,
) -> Standardized:
    """Bring n molecules to standard form.

    The order is: functional groups and metals, largest fragment, charges, isotopes, stereo, tautomer. The caps of the batch (50 fragments) come first: RDKit's choice of
    the largest of 2,000 fragments takes 6 s.

    Args:
        smiles: n SMILES or a batch.
        normalize: Write functional groups in one way (nitro and sulfoxide as N+ or S+ and O-), cut bonds to metals, move charges to the stronger acid.
        salts: Keep the largest organic fragment only.
        charges: Neutralize by adding and removing protons; a quaternary ammonium keeps its charge.
        tautomers: Choose RDKit's canonical tautomer (about 10 ms a molecule; it may erase a stereo centre next to a carbonyl).
        isotopes: True removes isotope labels.
        stereo: True removes stereo marks.

    Returns:
        Standardized, of n rows in the order given.

    Example:
        >>> done = standardize(["CC(=O)[O-].[Na+]"])  # sodium acetate
        >>> done.smiles[0], done.changes[0]
        ('CC(=O)O', ('kept the largest fragment, dropped [Na+]', 'neutralized charges'))
    """
    batch = MoleculeBatch.of(smiles)
    out: list[str] = []
    changes: list[tuple[str, ...]] = []
    reasons: list[str] = []
    with rdBase.BlockLogs():
        for mol, why in zip(batch.full_mols, batch.reasons, strict=True):
            if mol is None:
                out.append("")
                changes.append(())
                reasons.append(why)
                continue
            try:
                smi, done = _one(mol, normalize, salts, charges, tautomers, isotopes, stereo)
            except (Chem.MolSanitizeException, ValueError, RuntimeError) as error:
                smi, done = "", ()
                why = reason(E_PARSE, f"standardization failed: {str(error).splitlines()[0][:150]}")
            out.append(smi)
            changes.append(done)
            reasons.append(why)
    return Standardized(tuple(out), tuple(changes), tuple(reasons))


def _one(mol: Chem.Mol, normalize: bool, salts: bool, charges: bool, tautomers: bool, isotopes: bool, stereo: bool) -> tuple[str, tuple[str, ...]]:
    now = Chem.MolToSmiles(mol)
    done: list[str] = []

    def step(words: str, change: Callable[[Chem.Mol], Chem.Mol]) -> None:
        nonlocal mol, now
        changed = change(mol)
        after = Chem.MolToSmiles(changed)
        if after != now:
            done.append(words)
            mol, now = changed, after

    if normalize:
        step("normalized functional groups", _tools()["normalize"])
    if salts and "." in now:
        before = now.split(".")
        step("kept the largest fragment", _tools()["largest"])
        if done and done[-1] == "kept the largest fragment":
            left = before.copy()
            for part in now.split("."):
                if part in left:
                    left.remove(part)
            done[-1] += ", dropped " + ".".join(left)
    if charges and any(atom.GetFormalCharge() for atom in mol.GetAtoms()):
        step("neutralized charges", _tools()["uncharge"])
    if isotopes:
        step("removed isotope labels", _without_isotopes)
    if stereo:
        step("removed stereo marks", _without_stereo)
    if tautomers:
        step("chose the canonical tautomer", _tools()["tautomer"])
    return now, tuple(done)


def _without_isotopes(mol: Chem.Mol) -> Chem.Mol:
    plain = Chem.Mol(mol)
    for atom in plain.GetAtoms():
        atom.SetIsotope(0)
    return Chem.RemoveHs(plain)  # a deuterium has become an explicit hydrogen


def _without_stereo(mol: Chem.Mol) -> Chem.Mol:
    plain = Chem.Mol(mol)
    Chem.RemoveStereochemistry(plain)
    return plain


@functools.lru_cache(maxsize=1)
def _tools() -> dict[str, Callable[[Chem.Mol], Chem.Mol]]:
    """RDKit's workers, built once a process: building one parses its list of transformations."""
    # organic before inorganic, so that a counter-ion with more atoms than the drug is not what is kept
    largest = rdMolStandardize.LargestFragmentChooser(preferOrganic=True)
    uncharger = rdMolStandardize.Uncharger(canonicalOrder=True)
    enumerator = rdMolStandardize.TautomerEnumerator()
    enumerator.SetMaxTautomers(MAX_TAUTOMERS)
    enumerator.SetMaxTransforms(MAX_TAUTOMERS)
    return {
        "normalize": rdMolStandardize.Cleanup,
        "largest": largest.choose,
        "uncharge": uncharger.uncharge,
        "tautomer": enumerator.Canonicalize,
    }
