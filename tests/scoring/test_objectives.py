"""The objectives are those of GuacaMol's second version: reference molecules, hand arithmetic, and RDKit's older fingerprint functions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import Crippen, rdMolDescriptors

from drugai.errors import ConfigError
from drugai.molecules import MoleculeBatch
from drugai.scoring import GUACAMOL_TASKS, OBJECTIVES, PMO_TASKS, build_scorer, objective
from drugai.scoring.objective_terms import formula_counts, similarity_to
from drugai.scoring.objectives import TARGETS

ASPIRIN, IBUPROFEN = "CC(=O)Oc1ccccc1C(=O)O", "CC(C)Cc1ccc(cc1)C(C)C(=O)O"


def test_there_are_twenty_of_each_benchmark():
    assert len(PMO_TASKS) == len(GUACAMOL_TASKS) == 20
    assert len(OBJECTIVES) == 22


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name.endswith(("_rediscovery", "_similarity"))])
def test_a_target_scores_1_on_its_own_task(name):
    assert objective(name).score([TARGETS[name.split("_")[0]]]).total[0] == pytest.approx(1.0)
    assert objective(name).score([ASPIRIN]).total[0] < 0.6


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_every_objective_lies_in_0_1_and_gives_an_unreadable_row_0_and_a_reason(name):
    found = objective(name).score([*TARGETS.values(), "c1ccccc", "CC"])
    assert ((found.total >= 0) & (found.total <= 1)).all()
    assert found.total[-2] == 0
    assert found.reasons[-2].startswith("E_PARSE")
    assert [text for row, text in enumerate(found.reasons) if text and row != len(TARGETS)] == []


def test_isomers_by_hand():
    # 4-nitrobenzylamine is C7H8N2O2, toluene C7H8: two N and two O missing, 4 of 19 atoms too few; the mean is over 4 elements and the total
    found = objective("isomers_c7h8n2o2").score(["NCc1ccc(cc1)[N+](=O)[O-]", "Cc1ccccc1"]).total
    assert found[0] == pytest.approx(1.0)
    assert found[1] == pytest.approx((math.exp(-2) * math.exp(-2) * math.exp(-0.5 * (4 / 2) ** 2)) ** (1 / 5))
    # undecane is C11H24; decane C10H22 lacks 1 C, 2 H, 3 atoms
    found = objective("isomers_c11h24").score(["CCCCCCCCCCC", "CCCCCCCCCC"]).total
    assert found.tolist() == pytest.approx([1.0, (math.exp(-0.5) * math.exp(-2) * math.exp(-0.5 * 1.5**2)) ** (1 / 3)])
    assert formula_counts("C2H6O") == {"C": 2, "H": 6, "O": 1}
    with pytest.raises(ConfigError, match="not a formula"):
        formula_counts("c2h6")


@pytest.mark.parametrize(
    ("kind", "older"),
    [
        ("ECFP4", lambda mol: rdMolDescriptors.GetMorganFingerprint(mol, 2)),
        ("ECFP6", lambda mol: rdMolDescriptors.GetMorganFingerprint(mol, 3)),
        ("FCFP4", lambda mol: rdMolDescriptors.GetMorganFingerprint(mol, 2, useFeatures=True)),
        ("AP", lambda mol: rdMolDescriptors.GetAtomPairFingerprint(mol, maxLength=10)),
    ],
)
def test_similarities_are_those_of_the_functions_that_guacamol_calls(kind, older):
    names = ["osimertinib", "sildenafil", "mestranol", "perindopril", "celecoxib"]
    target = TARGETS["fexofenadine"]
    term = similarity_to(target, kind)
    found = term.values(MoleculeBatch([TARGETS[name] for name in names]))[0]
    reference = older(Chem.MolFromSmiles(target))
    assert found.tolist() == pytest.approx([DataStructs.TanimotoSimilarity(reference, older(Chem.MolFromSmiles(TARGETS[name]))) for name in names])


def test_osimertinib_by_its_parts():
    mol = Chem.MolFromSmiles(TARGETS["osimertinib"])
    found = objective("osimertinib_mpo").score([TARGETS["osimertinib"]])
    # osimertinib itself: full FCFP4 similarity, too similar by ECFP6 (1 against 0.85, sigma 0.1), polar surface below 100 and logP above 1
    expected = [
        1.0,
        math.exp(-0.5 * 1.5**2),
        math.exp(-0.5 * ((rdMolDescriptors.CalcTPSA(mol) - 100) / 10) ** 2),
        math.exp(-0.5 * (Crippen.MolLogP(mol) - 1) ** 2),
    ]
    assert [float(found.parts[name][0]) for name in ("FCFP4 similarity", "ECFP6 similarity", "tpsa", "logp")] == pytest.approx(expected)
    assert found.total[0] == pytest.approx(np.prod(expected) ** 0.25)


def test_ranolazine_wants_one_fluorine_and_more_grease():
    # MaxGaussian: logP 7 or above is full; the other way round ranolazine itself would have 1 there
    found = objective("ranolazine_mpo").score([TARGETS["ranolazine"]])
    assert found.parts["AP similarity"][0] == 1
    assert found.parts["fluorines"][0] == pytest.approx(math.exp(-0.5))
    assert found.parts["logp"][0] < 0.01


def test_hops_by_hand():
    found = objective("deco_hop").score([TARGETS["hop"]])
    # the start keeps its scaffold, but has the sulfone and the benzothiazole that are to go: (1 + 0 + 0 + 1) / 4
    assert found.total[0] == pytest.approx(0.5)
    found = objective("scaffold_hop").score([TARGETS["hop"]])
    assert found.total[0] == pytest.approx(2 / 3)  # it keeps the decoration, and the scaffold that is to go


def test_sitagliptin_is_an_isomer_of_itself_but_not_unlike_itself():
    found = objective("sitagliptin_mpo").score([TARGETS["sitagliptin"]])
    assert found.parts["formula"][0] == found.parts["logp"][0] == found.parts["tpsa"][0] == pytest.approx(1.0)
    assert found.total[0] == pytest.approx(math.exp(-0.5 * 10**2) ** 0.25)


def test_median_molecules_are_the_geometric_mean_of_two_similarities():
    both = objective("median1").score([TARGETS["camphor"]])
    assert both.parts["camphor similarity"][0] == 1
    assert both.total[0] == pytest.approx(math.sqrt(both.parts["menthol similarity"][0]))


def test_an_objective_stands_in_a_scorer_file():
    scorer = build_scorer({"term": [{"kind": "objective", "name": "perindopril_mpo", "weight": 2.0}]})
    smiles = [TARGETS["perindopril"], IBUPROFEN]
    assert scorer.score(smiles).total.tolist() == pytest.approx(objective("perindopril_mpo").score(smiles).total.tolist())
    with pytest.raises(ConfigError, match="did you mean 'perindopril_mpo'"):
        build_scorer({"term": [{"kind": "objective", "name": "perindopril_mop"}]})
    with pytest.raises(ConfigError, match="has no name"):
        build_scorer({"term": [{"kind": "objective"}]})
