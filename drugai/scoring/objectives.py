"""The download-free objectives of GuacaMol and PMO, by name: what optimisers of molecules are compared on.

Each is a :class:`~drugai.scoring.scorer.TermScorer` in GuacaMol's second version, so that its parts are seen in tables. PMO takes the same objectives (of its 23 tasks three need
classifiers that would have to be downloaded: drd2, gsk3b, jnk3).

Source: Brown et al., GuacaMol, 10.1021/acs.jcim.8b00839 and its supporting information; Gao et al., PMO, arXiv:2206.12411.

Example:
    >>> celecoxib = "CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F"
    >>> objective("celecoxib_rediscovery").score([celecoxib]).total.tolist()
    [1.0]
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from drugai.errors import unknown
from drugai.molecules import MoleculeBatch
from drugai.molecules import logp as logp_of
from drugai.molecules import tpsa as tpsa_of
from drugai.scoring import objective_terms as parts
from drugai.scoring.scorer import TermScorer, mean_of, product_of
from drugai.scoring.terms import Term, Values
from drugai.scoring.terms import qed as qed_term
from drugai.scoring.transforms import Gaussian, MaxGaussian, MinGaussian, Ramp

Make = Callable[[], TermScorer]

TARGETS = {
    "albuterol": "CC(C)(C)NCC(O)c1ccc(O)c(CO)c1",
    "amlodipine": r"Clc1ccccc1C2C(=C(/N/C(=C2/C(=O)OCC)COCCN)C)\C(=O)OC",
    "aripiprazole": "Clc4cccc(N3CCN(CCCCOc2ccc1c(NC(=O)CC1)c2)CC3)c4Cl",
    "camphor": "CC1(C)C2CCC1(C)C(=O)C2",
    "celecoxib": "CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F",
    "fexofenadine": "CC(C)(C(=O)O)c1ccc(cc1)C(O)CCCN2CCC(CC2)C(O)(c3ccccc3)c4ccccc4",
    "hop": "CCCOc1cc2ncnc(Nc3ccc4ncsc4c3)c2cc1S(=O)(=O)C(C)(C)C",  # the quinazoline that deco_hop and scaffold_hop start from
    "menthol": "CC(C)C1CCC(C)CC1O",
    "mestranol": "COc1ccc2[C@H]3CC[C@@]4(C)[C@@H](CC[C@@]4(O)C#C)[C@@H]3CCc2c1",
    "osimertinib": "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34",
    "perindopril": "O=C(OCC)C(NC(C(=O)N1C(C(=O)O)CC2CCCCC12)C)CCC",
    "ranolazine": "COc1ccccc1OCC(O)CN2CCN(CC(=O)Nc3c(C)cccc3C)CC2",
    "sildenafil": "CCCC1=NN(C2=C1N=C(NC2=O)C3=C(C=CC(=C3)S(=O)(=O)N4CCN(CC4)C)OCC)C",
    "sitagliptin": "Fc1cc(c(F)cc1F)CC(N)CC(=O)N3Cc2nnc(n2CC3)C(F)(F)F",
    "tadalafil": "O=C1N(CC(N2C1CC3=C(C2C4=CC5=C(OCO5)C=C4)NC6=C3C=CC=C6)=O)C",
    "thiothixene": "CN(C)S(=O)(=O)c1ccc2Sc3ccccc3C(=CCCN4CCN(C)CC4)c2c1",
    "troglitazone": "Cc1c(C)c2OC(C)(COc3ccc(CC4SC(=O)NC4=O)cc3)CCc2c(C)c1O",
    "zaleplon": "O=C(C)N(CC)C1=CC=CC(C2=CC=NC3=C(C=NN23)C#N)=C1",
}
"""The molecules that objectives refer to, as GuacaMol writes them."""

_HOP_SCAFFOLD = "[#7]-c1n[c;h1]nc2[c;h1]c(-[#8])[c;h0][c;h1]c12"
_HOP_DECORATION = "[#6]-[#6]-[#6]-[#8]-[#6]~[#6]~[#6]~[#6]~[#6]-[#7]-c1ccc2ncsc2c1"


def _similar(target: str, kind: str, upto: float) -> Make:
    return lambda: product_of(parts.similarity_to(TARGETS[target], kind, Ramp(0.0, upto)))


def _isomers(formula: str) -> Make:
    return lambda: product_of(parts.isomer_of(formula))


def _between(first: str, second: str, kind: str) -> Make:
    return lambda: product_of(*(parts.similarity_to(TARGETS[name], kind, name=f"{name} similarity") for name in (first, second)))


def _osimertinib() -> TermScorer:
    target = TARGETS["osimertinib"]
    return product_of(
        parts.similarity_to(target, "FCFP4", Ramp(0.0, 0.8)),
        parts.similarity_to(target, "ECFP6", MinGaussian(0.85, 0.1)),
        parts.tpsa(MaxGaussian(100, 10)),
        parts.logp(MinGaussian(1, 1)),
    )


def _fexofenadine() -> TermScorer:
    return product_of(parts.similarity_to(TARGETS["fexofenadine"], "AP", Ramp(0.0, 0.8)), parts.tpsa(MaxGaussian(90, 10)), parts.logp(MinGaussian(4, 1)))


def _ranolazine() -> TermScorer:
    return product_of(
        parts.similarity_to(TARGETS["ranolazine"], "AP", Ramp(0.0, 0.7)),
        parts.logp(MaxGaussian(7, 1)),
        parts.fluorines(Gaussian(1, 1)),
        parts.tpsa(MaxGaussian(95, 20)),
    )


def _perindopril() -> TermScorer:
    return product_of(parts.similarity_to(TARGETS["perindopril"], "ECFP4"), parts.aromatic_rings(Gaussian(2, 0.5)))


def _amlodipine() -> TermScorer:
    return product_of(parts.similarity_to(TARGETS["amlodipine"], "ECFP4"), parts.rings(Gaussian(3, 0.5)))


def _sitagliptin() -> TermScorer:
    target = [TARGETS["sitagliptin"]]
    return product_of(
        parts.similarity_to(target[0], "ECFP4", Gaussian(0, 0.1)),
        parts.logp(Gaussian(float(logp_of(target)[0]), 0.2)),
        parts.tpsa(Gaussian(float(tpsa_of(target)[0]), 5)),
        parts.isomer_of("C16H15F6N5O"),
    )


def _zaleplon() -> TermScorer:
    return product_of(parts.similarity_to(TARGETS["zaleplon"], "ECFP4"), parts.isomer_of("C19H17N3O2"))


def _valsartan() -> TermScorer:
    from rdkit import Chem
    from rdkit.Chem import Descriptors

    target = [TARGETS["sitagliptin"]]
    return product_of(
        parts.pattern("CN(C=O)Cc1ccc(c2ccccc2)cc1", present=True, name="valsartan's pattern"),
        parts.logp(Gaussian(float(logp_of(target)[0]), 0.2)),
        parts.tpsa(Gaussian(float(tpsa_of(target)[0]), 5)),
        parts.bertz(Gaussian(Descriptors.BertzCT(Chem.MolFromSmiles(target[0])), 30)),
    )


def _deco_hop() -> TermScorer:
    return mean_of(
        parts.similarity_to(TARGETS["hop"], "PHCO", Ramp(0.0, 0.85)),
        parts.pattern("CS([#6])(=O)=O", present=False, name="no sulfone"),
        parts.pattern("[#7]-c1ccc2ncsc2c1", present=False, name="no aminobenzothiazole"),
        parts.pattern(_HOP_SCAFFOLD, present=True, name="scaffold kept"),
    )


def _scaffold_hop() -> TermScorer:
    return mean_of(
        parts.similarity_to(TARGETS["hop"], "PHCO", Ramp(0.0, 0.75)),
        parts.pattern(_HOP_DECORATION, present=True, name="decoration kept"),
        parts.pattern(_HOP_SCAFFOLD, present=False, name="no old scaffold"),
    )


OBJECTIVES: dict[str, Make] = {
    "albuterol_similarity": _similar("albuterol", "FCFP4", 0.75),
    "amlodipine_mpo": _amlodipine,
    "aripiprazole_similarity": _similar("aripiprazole", "ECFP4", 0.75),
    "celecoxib_rediscovery": _similar("celecoxib", "ECFP4", 1.0),
    "deco_hop": _deco_hop,
    "fexofenadine_mpo": _fexofenadine,
    "isomers_c11h24": _isomers("C11H24"),
    "isomers_c7h8n2o2": _isomers("C7H8N2O2"),
    "isomers_c9h10n2o2pf2cl": _isomers("C9H10N2O2PF2Cl"),
    "median1": _between("camphor", "menthol", "ECFP4"),
    "median2": _between("tadalafil", "sildenafil", "ECFP6"),
    "mestranol_similarity": _similar("mestranol", "AP", 0.75),
    "osimertinib_mpo": _osimertinib,
    "perindopril_mpo": _perindopril,
    "qed": lambda: product_of(qed_term()),
    "ranolazine_mpo": _ranolazine,
    "scaffold_hop": _scaffold_hop,
    "sitagliptin_mpo": _sitagliptin,
    "thiothixene_rediscovery": _similar("thiothixene", "ECFP4", 1.0),
    "troglitazone_rediscovery": _similar("troglitazone", "ECFP4", 1.0),
    "valsartan_smarts": _valsartan,
    "zaleplon_mpo": _zaleplon,
}
"""Name → how its scorer is made."""

PMO_TASKS: tuple[str, ...] = tuple(name for name in OBJECTIVES if name not in ("aripiprazole_similarity", "isomers_c11h24"))
"""The 20 tasks of PMO that need no download."""

GUACAMOL_TASKS: tuple[str, ...] = tuple(name for name in OBJECTIVES if name not in ("qed", "isomers_c7h8n2o2"))
"""The 20 goal-directed tasks of GuacaMol's second version."""


@functools.cache
def objective(name: str) -> TermScorer:
    """The scorer of one objective. Raises ConfigError for an unknown name (the nearest is named)."""
    if name not in OBJECTIVES:
        raise unknown("objective", name, list(OBJECTIVES))
    return OBJECTIVES[name]()


def objective_term(name: str, *, weight: float = 1.0) -> Term:
    """An objective as one term among others; its value is the objective's total."""
    scorer = objective(name)

    def function(batch: MoleculeBatch) -> Values:
        found = scorer.score(batch)
        return found.total, list(found.reasons)

    return Term(name, function, weight=weight, cost=sum(term.cost for term in scorer.terms))
