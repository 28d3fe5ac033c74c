"""Prescreened pattern matching gives the verdicts of trying all; the MOSES filters by example."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from rdkit import Chem

from drugai.errors import DatasetError
from drugai.molecules.patterns import PatternSet, passes_moses_filters

SMARTS = ["[#6]-[#7](=[#8])=[#8]", "[N;H2]c1ccccc1", "C(=O)Cl", "[#1]-[#8]-c", "*~*~*~[F,Cl,Br]", "[R2]", "[*]-[#6](-[*])(-[*])-[#1]", "[!#6]~[!C]", "[#1]~*~[#6]:[#6]"]
MOLECULES = [
    "Nc1ccccc1",  # aniline
    "CC(=O)Cl",  # acetyl chloride
    "Oc1ccccc1",  # phenol
    "c1ccc2ccccc2c1",  # naphthalene
    "CCCC",
    "not a molecule",
    "CN(=O)=O",
    "CCC(F)C",
    "C",
    "[H][H]",
    "FC(F)(F)F",
    "Clc1ccccc1",
    "[2H]C(Cl)(Cl)Cl",
]


@pytest.mark.parametrize("hydrogens", [False, True])
def test_verdicts_are_those_of_trying_all_patterns(hydrogens):
    queries = [Chem.MolFromSmarts(text) for text in SMARTS]
    expected = []
    for smi in MOLECULES:
        mol = Chem.MolFromSmiles(smi)
        if mol is None:
            expected.append(False)
            continue
        mol = Chem.AddHs(mol) if hydrogens else mol
        expected.append(any(mol.HasSubstructMatch(query) for query in queries))
    patterns = PatternSet(SMARTS)
    assert patterns.any_match(MOLECULES, hydrogens=hydrogens).tolist() == expected
    assert pickle.loads(pickle.dumps(patterns)).any_match(MOLECULES, hydrogens=hydrogens).tolist() == expected


def test_a_pattern_of_named_hydrogens_needs_them_as_atoms():
    patterns = PatternSet(["[#1]-[#8]-c"])
    assert not patterns.any_match(["Oc1ccccc1"]).any()
    assert patterns.any_match(["Oc1ccccc1"], hydrogens=True).all()


def test_unreadable_patterns_are_named():
    with pytest.raises(DatasetError, match=r"C\(\("):
        PatternSet(["CC", "C(("])
    with pytest.raises(DatasetError, match="needs a pattern"):
        PatternSet([])


def test_moses_filters_by_example():
    molecules = [
        "CCOc1ccccc1",  # phenetole passes
        "C1CCCCCCC1",  # a ring of eight
        "C[N+](C)(C)C",  # a charge
        "CCP",  # phosphorus
        "CC(=O)Cl",  # hits the pattern
        "c1ccccc",  # unreadable
    ]
    passed = passes_moses_filters(molecules, PatternSet(["C(=O)Cl"]))
    assert passed.tolist() == [True, False, False, False, False, False]
    assert passed.dtype == np.bool_
