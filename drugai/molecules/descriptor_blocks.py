"""Blocks of descriptors that share an intermediate, each computed once a molecule."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import QED, FilterCatalog, Fragments, rdFingerprintGenerator, rdPartialCharges
from rdkit.Chem import rdMolDescriptors as rd
from rdkit.Chem.EState import EState_VSA

from drugai.molecules.connectivity import OUTER, atoms_of

# Name → one call into C++; the keyword forms of RDKit's Python wrappers cost more than these calls themselves.
_CALLS: dict[str, Callable[[Chem.Mol], float]] = {
    "MolWt": rd._CalcMolWt,
    "HeavyAtomMolWt": lambda mol: rd._CalcMolWt(mol, True),
    "ExactMolWt": rd.CalcExactMolWt,
    "Chi0n": rd.CalcChi0n, "Chi1n": rd.CalcChi1n, "Chi0v": rd.CalcChi0v, "Chi1v": rd.CalcChi1v, "HallKierAlpha": rd.CalcHallKierAlpha, "Kappa1": rd.CalcKappa1,
    "LabuteASA": rd.CalcLabuteASA, "TPSA": rd.CalcTPSA, "FractionCSP3": rd.CalcFractionCSP3,
    "HeavyAtomCount": Chem.Mol.GetNumHeavyAtoms, "NHOHCount": rd.CalcNumLipinskiHBD, "NOCount": rd.CalcNumLipinskiHBA,
    "NumAliphaticCarbocycles": rd.CalcNumAliphaticCarbocycles, "NumAliphaticHeterocycles": rd.CalcNumAliphaticHeterocycles,
    "NumAliphaticRings": rd.CalcNumAliphaticRings, "NumAmideBonds": rd.CalcNumAmideBonds,
    "NumAromaticCarbocycles": rd.CalcNumAromaticCarbocycles, "NumAromaticHeterocycles": rd.CalcNumAromaticHeterocycles,
    "NumAromaticRings": rd.CalcNumAromaticRings, "NumAtomStereoCenters": rd.CalcNumAtomStereoCenters,
    "NumBridgeheadAtoms": rd.CalcNumBridgeheadAtoms, "NumHAcceptors": rd.CalcNumHBA, "NumHDonors": rd.CalcNumHBD,
    "NumHeteroatoms": rd.CalcNumHeteroatoms, "NumHeterocycles": rd.CalcNumHeterocycles, "NumRotatableBonds": rd.CalcNumRotatableBonds,
    "NumSaturatedCarbocycles": rd.CalcNumSaturatedCarbocycles, "NumSaturatedHeterocycles": rd.CalcNumSaturatedHeterocycles,
    "NumSaturatedRings": rd.CalcNumSaturatedRings, "NumSpiroAtoms": rd.CalcNumSpiroAtoms,
    "NumUnspecifiedAtomStereoCenters": rd.CalcNumUnspecifiedAtomStereoCenters, "RingCount": rd.CalcNumRings,
}  # fmt: skip


def _single(call: Callable[[Chem.Mol], float]) -> Callable[[Chem.Mol], Sequence[float]]:
    return lambda mol: (call(mol),)


SINGLE: dict[str, Callable[[Chem.Mol], Sequence[float]]] = {name: _single(call) for name, call in _CALLS.items()}

CRIPPEN = ("MolLogP", "MolMR", *(f"SlogP_VSA{k}" for k in range(1, 13)), *(f"SMR_VSA{k}" for k in range(1, 11)))
PEOE_VSA = tuple(f"PEOE_VSA{k}" for k in range(1, 15))
CHARGES = ("MaxPartialCharge", "MinPartialCharge", "MaxAbsPartialCharge", "MinAbsPartialCharge")
BCUT = tuple(f"BCUT2D_{what}" for what in ("MWHI", "MWLOW", "CHGHI", "CHGLO", "LOGPHI", "LOGPLOW", "MRHI", "MRLOW"))
DENSITY = ("FpDensityMorgan1", "FpDensityMorgan2", "FpDensityMorgan3")
TOPOLOGY = (
    "MaxEStateIndex", "MinEStateIndex", "MaxAbsEStateIndex", "MinAbsEStateIndex",
    *(f"VSA_EState{k}" for k in range(1, 11)), *(f"EState_VSA{k}" for k in range(1, 12)),
    "BalabanJ", "Chi0", "Chi1", "NumValenceElectrons", "NumRadicalElectrons",
)  # fmt: skip

# bins: RDKit's own; force: False, so that contributions already on the Mol are used
_CACHED: tuple[Any, Any] = ([], False)
# RDKit's own bins (Code/GraphMol/Descriptors/MolSurf.cpp)
_LOGP_BINS = np.array([-0.4, -0.2, 0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6])
_REFRACTIVITY_BINS = np.array([1.29, 1.82, 2.24, 2.45, 2.75, 3.05, 3.63, 3.8, 4.0])

_QUANTUM = np.array([7.0 if z > 86 else 6.0 if z > 54 else 5.0 if z > 36 else 4.0 if z > 18 else 3.0 if z > 10 else 2.0 if z > 2 else 1.0
                     for z in range(119)])  # fmt: skip
_SIZE_BINS = np.array(EState_VSA.vsaBins)
_STATE_BINS = np.array(EState_VSA.estateBins)


def crippen(mol: Chem.Mol) -> Sequence[float]:
    """logP and molar refractivity, and the surface area by bin of the atoms' parts of each, from one assignment of atom types.

    Source: Wildman and Crippen 1999, 10.1021/ci990307l. The parts of heavy atoms do not change when hydrogens become atoms, and those of hydrogens follow from what they are bonded to.
    """
    parts = np.array(rd._CalcCrippenContribs(mol)).reshape(-1, 2)
    area = np.array(rd._CalcLabuteASAContribs(mol, True)[0])
    logp, refractivity = parts.T
    by_logp = np.bincount(_LOGP_BINS.searchsorted(logp, side="right"), weights=area, minlength=12)
    by_refractivity = np.bincount(_REFRACTIVITY_BINS.searchsorted(refractivity, side="right"), weights=area, minlength=10)
    return [*(parts.sum(axis=0) + _hydrogen_parts(mol)).tolist(), *by_logp.tolist(), *by_refractivity.tolist()]


# logP and refractivity of a hydrogen of type H1 (of a hydrocarbon), H2 (alcohol), H3 (amine), H4 (acid) and HS (any other)
_HYDROGENS = np.array([(0.123, 1.057), (-0.2677, 1.395), (0.2142, 0.9627), (0.298, 1.805), (0.1125, 1.112)])


def _hydrogen_parts(mol: Chem.Mol) -> np.ndarray:
    """``[2]`` what the hydrogens that are no atoms of the Mol add to logP and refractivity."""
    counts = {1: 0, 2: 0, 3: 0, 4: 0, 0: 0}
    for atom in atoms_of(mol):
        if hydrogens := atom.GetTotalNumHs():
            z = atom.GetAtomicNum()
            if z == 1:  # of a hydrogen molecule: the atom itself was taken for HS
                counts[0], counts[1] = counts[0] - 1, counts[1] + 1
            counts[_hydroxyl(atom, hydrogens) if z == 8 else 1 if z in (1, 6) else 3 if z == 7 else 2] += hydrogens
    return np.array(list(counts.values())) @ _HYDROGENS


def _hydroxyl(oxygen: Chem.Atom, hydrogens: int) -> int:
    """The type of an oxygen's hydrogens by its other neighbours; of several the first type counts."""
    if oxygen.GetIsAromatic():
        return 0
    found = {2} if hydrogens > 1 else set()
    for bond in oxygen.GetBonds():
        if bond.GetBondType() != Chem.BondType.SINGLE:
            continue
        atom = bond.GetOtherAtom(oxygen)
        z, aromatic = atom.GetAtomicNum(), atom.GetIsAromatic()
        if z not in (6, 7, 8, 16) or (z == 6 and (aromatic or atom.GetTotalDegree() == 4)):
            found.add(2)
        elif z == 7:
            found.add(3)
        elif not aromatic and (z != 6 or any(_double_to_acid(other, atom) for other in atom.GetBonds())):
            found.add(4)
    return min(found, default=0)


def _double_to_acid(bond: Chem.Bond, carbon: Chem.Atom) -> bool:
    other = bond.GetOtherAtom(carbon)
    z = other.GetAtomicNum()
    return bond.GetBondType() == Chem.BondType.DOUBLE and (z in (6, 7) or (z in (8, 16) and not other.GetIsAromatic()))


def peoe_vsa(mol: Chem.Mol) -> Sequence[float]:
    """Surface area by bin of partial charge."""
    values: Sequence[float] = rd.PEOE_VSA_(mol, *_CACHED)
    return values


def charges(mol: Chem.Mol) -> Sequence[float]:
    """Extremes of the Gasteiger charges; NaN where an element has no parameters."""
    atoms = atoms_of(mol)
    if not atoms or not atoms[0].HasProp("_GasteigerCharge"):  # PEOE_VSA has left them there
        rdPartialCharges.ComputeGasteigerCharges(mol)
    values = [atom.GetDoubleProp("_GasteigerCharge") for atom in atoms]
    if not all(map(math.isfinite, values)):
        return (math.nan,) * 4
    low, high = min(values), max(values)
    return high, low, max(abs(low), abs(high)), min(abs(low), abs(high))


def topology(mol: Chem.Mol) -> Sequence[float]:
    """E-state indices and what else rests on atoms and distances: one pass over the atoms and two distance matrices.

    Source: E-state: Hall, Mohney and Kier 1991, 10.1021/ci00001a012. Balaban's J: 10.1016/0009-2614(82)80009-2.
    """
    atoms = np.array(
        [(atom.GetAtomicNum(), atom.GetTotalNumHs(), atom.GetNumRadicalElectrons(), atom.GetDegree()) for atom in atoms_of(mol)],
        dtype=np.int64,
    )
    z, hydrogens, radicals, degree = atoms.T
    distance = Chem.GetDistanceMatrix(mol, False, False)
    outer = OUTER[z]
    # intrinsic state ((2/N)² δv + 1) / δ, perturbed by every other atom with the inverse square of the distance
    bonded = degree > 0
    state = np.zeros(len(z))
    quantum = _QUANTUM[z[bonded]]
    state[bonded] = (4.0 / (quantum * quantum) * (outer[bonded] - hydrogens[bonded]) + 1.0) / degree[bonded]
    apart = distance + 1.0
    weight = 1.0 / (apart * apart)
    if distance[0].max() >= 1e6 - 1:
        weight[distance >= 1e6 - 1] = 0.0  # another fragment
    state = state + state * weight.sum(axis=1) - weight @ state
    size = np.array(rd._CalcLabuteASAContribs(mol, True)[0])
    by_size = np.bincount(_SIZE_BINS.searchsorted(size, side="right"), weights=state, minlength=10)
    by_state = np.bincount(_STATE_BINS.searchsorted(state, side="right"), weights=size, minlength=11)
    bonds = (distance == 1.0).astype(np.float64)
    root = np.zeros(len(z))
    root[bonded] = degree[bonded] ** -0.5
    magnitude = np.abs(state)
    return [
        state.max(), state.min(), magnitude.max(), magnitude.min(), *by_size.tolist(), *by_state.tolist(),
        _balaban(mol, bonds), float(root.sum()), 0.5 * float(root @ bonds @ root), float((outer + hydrogens).sum()) - Chem.GetFormalCharge(mol), float(radicals.sum()),
    ]  # fmt: skip


def _balaban(mol: Chem.Mol, bonds: np.ndarray) -> float:
    n_bonds = mol.GetNumBonds()
    cycles = n_bonds - mol.GetNumAtoms() + 1
    if cycles + 1 == 0 or not n_bonds:
        return 0.0
    root = Chem.GetDistanceMatrix(mol, True, False, False, "Balaban").sum(axis=0) ** -0.5
    return n_bonds / (cycles + 1) * 0.5 * float(root @ bonds @ root)


@functools.lru_cache(maxsize=1)
def _density_generators() -> tuple[rdFingerprintGenerator.FingerprintGenerator64, ...]:
    return tuple(rdFingerprintGenerator.GetMorganGenerator(radius=radius) for radius in (1, 2, 3))


def density(mol: Chem.Mol) -> Sequence[float]:
    """Distinct circular environments a heavy atom, radius 1 to 3."""
    heavy = mol.GetNumHeavyAtoms()
    return [len(make.GetSparseCountFingerprint(mol).GetNonzeroElements()) / heavy if heavy else 0.0 for make in _density_generators()]


def bcut(mol: Chem.Mol) -> Sequence[float]:
    """Extreme eigenvalues of the Burden matrix with mass, charge, logP and refractivity on its diagonal."""
    values: Sequence[float] = rd.BCUT2D(mol)
    return values


# ---- counts of 85 functional groups: one C++ pass finds which occur (few do), only those are counted

_GROUPS: tuple[tuple[str, Chem.Mol], ...] = tuple((name, function.__defaults__[1]) for name, function in Fragments.fns)
FRAGMENTS = tuple(name for name, _ in _GROUPS)


def _catalog_of(patterns: Sequence[Chem.Mol]) -> FilterCatalog.FilterCatalog:
    catalog = FilterCatalog.FilterCatalog()
    for k, pattern in enumerate(patterns):
        catalog.AddEntry(FilterCatalog.FilterCatalogEntry(str(k), FilterCatalog.SmartsMatcher(str(k), pattern)))
    return catalog


@functools.lru_cache(maxsize=1)
def _group_catalog() -> FilterCatalog.FilterCatalog:
    return _catalog_of([pattern for _, pattern in _GROUPS])


def fragments(mol: Chem.Mol) -> Sequence[float]:
    """How often each functional group of RDKit's list occurs."""
    counts = [0.0] * len(_GROUPS)
    for entry in _group_catalog().GetMatches(mol):
        k = int(entry.GetDescription())
        counts[k] = float(len(mol.GetSubstructMatches(_GROUPS[k][1])))
    return counts


# ---- QED: its 11 acceptor patterns, each of one atom and no two of the same atom, are one pattern here; its 116 alerts one catalogue


@functools.lru_cache(maxsize=1)
def _acceptor() -> Chem.Mol:
    return Chem.MolFromSmarts("[" + ",".join(Chem.MolToSmarts(pattern)[1:-1] for pattern in QED.Acceptors) + "]")


@functools.lru_cache(maxsize=1)
def _alert_catalog() -> FilterCatalog.FilterCatalog:
    return _catalog_of(QED.StructuralAlerts)


def qed(mol: Chem.Mol) -> Sequence[float]:
    """Quantitative estimate of drug-likeness, mean weights (Bickerton et al. 2012, 10.1038/nchem.1243)."""
    if mol.GetNumHeavyAtoms() < mol.GetNumAtoms():
        mol = Chem.RemoveHs(mol)
    found = QED.QEDproperties(
        MW=rd._CalcMolWt(mol),
        ALOGP=rd.CalcCrippenDescriptors(mol)[0],
        HBA=len(mol.GetSubstructMatches(_acceptor())),
        HBD=rd.CalcNumHBD(mol),
        PSA=rd.CalcTPSA(mol),
        ROTB=rd.CalcNumRotatableBonds(mol, rd.NumRotatableBondsOptions.Strict),
        AROM=_aromatic_rings(mol),
        ALERTS=len(_alert_catalog().GetMatches(mol)),
    )
    return (QED.qed(mol, qedProperties=found),)


def _aromatic_rings(mol: Chem.Mol) -> int:
    """Rings left when atoms of aliphatic rings are deleted, as QED's authors count them."""
    ring_info = mol.GetRingInfo()
    if not ring_info.NumRings():
        return 0
    if not mol.HasSubstructMatch(QED.AliphaticRings):
        return int(ring_info.NumRings())
    return len(Chem.GetSSSR(Chem.DeleteSubstructs(Chem.Mol(mol), QED.AliphaticRings)))
