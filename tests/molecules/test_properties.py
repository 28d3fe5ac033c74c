"""Properties against RDKit's own implementations."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem, RDConfig
from rdkit.Chem import QED, Crippen
from rdkit.Chem import Descriptors as RDKitDescriptors

from drugai.molecules.properties import PROPERTIES, logp, qed, synthetic_accessibility, weight

# ibuprofen, morphine, erythromycin (a macrocycle), cubane (symmetric), spiropentane, water, aspirin written with explicit hydrogens on the acid
SMILES = [
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5",
    "CC[C@@H]1[C@@]([C@@H]([C@H](C(=O)[C@@H](C[C@@]([C@@H]([C@H]([C@@H]([C@H](C(=O)O1)C)O[C@H]2C[C@@]([C@H]([C@@H](O2)C)O)(C)OC)C)"
    "O[C@H]3[C@@H]([C@H](C[C@H](O3)C)N(C)C)O)(C)O)C)C)O)(C)O",
    "C12C3C4C1C5C2C3C45",
    "C1CC12CC2",
    "O",
    "CC(=O)Oc1ccccc1C(=O)O[H]",
]


@pytest.fixture(scope="module")
def sascorer():
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    spec = importlib.util.spec_from_file_location("sascorer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_synthetic_accessibility_equals_rdkits_contribution(sascorer):
    expected = [sascorer.calculateScore(Chem.MolFromSmiles(smi)) for smi in SMILES]
    np.testing.assert_allclose(synthetic_accessibility(SMILES), expected, rtol=1e-12)


def test_qed_equals_rdkits():
    np.testing.assert_allclose(qed(SMILES), [QED.qed(Chem.MolFromSmiles(smi)) for smi in SMILES], rtol=1e-12)


def test_logp_and_weight_equal_rdkits():
    mols = [Chem.MolFromSmiles(smi) for smi in SMILES]
    np.testing.assert_allclose(logp(SMILES), [Crippen.MolLogP(mol) for mol in mols], rtol=1e-12)
    np.testing.assert_allclose(weight(SMILES), [RDKitDescriptors.MolWt(mol) for mol in mols], rtol=1e-12)


@pytest.mark.parametrize("name", list(PROPERTIES))
def test_every_property_keeps_the_rows_and_gives_nan_where_unreadable(name):
    values = PROPERTIES[name](["CCO", "bad", "c1ccccc1"])
    assert values.shape == (3,)
    assert np.isnan(values).tolist() == [False, True, False]
    assert PROPERTIES[name]([]).shape == (0,)
